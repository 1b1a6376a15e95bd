/** What a plan of TLS comes to. */
import type { PeerTls } from '../raft/transport/tls.js';
import { autoTls } from './auto-tls.js';
import { loadTlsFiles } from './tls-files.js';
import type { TlsPlan } from './tls-plan.js';

/** `dataDir`: absolute. Throws UsageError for files that are no good. */
export async function loadTls(plan: TlsPlan, dataDir: string): Promise<PeerTls> {
  return plan.type === 'files' ? loadTlsFiles(plan) : autoTls(plan, dataDir, Date.now());
}
