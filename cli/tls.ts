/** What a plan of TLS comes to. */
import type { PeerTls } from '../raft/transport/tls.js';
import { autoTls } from './auto-tls.js';
import type { Surroundings } from './run.js';
import type { TlsPlan } from './tls-plan.js';
import { RenewedTls } from './tls-renewal.js';

/** `dataDir`: absolute. Throws UsageError for files that are no good. */
export async function loadTls(
  plan: TlsPlan | undefined,
  dataDir: string,
  { logger, closers }: Pick<Surroundings, 'logger' | 'closers'>,
): Promise<PeerTls | undefined> {
  if (plan === undefined) return undefined;
  if (plan.type === 'auto') return autoTls(plan, dataDir, Date.now());
  const renewed = new RenewedTls(plan, { logger });
  closers.push(() => renewed.close());
  return renewed.tls;
}
