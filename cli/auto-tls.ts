/** The certificates of --auto-tls and --peer-auto-tls: made once, kept in the data directory where etcd keeps its own. */
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { PeerTls } from '../raft/transport/tls.js';
import { writePrivate } from './pki/certificates.js';
import { type KeyPair, issueSelfSigned } from './pki/issue.js';
import { protocolOf } from './tls-files.js';
import type { AutoTls } from './tls-plan.js';

/** One that ends within a day is replaced. */
const RENEW_BEFORE_MS = 86_400_000;

/** Nobody can verify such a certificate, so members with one verify nobody's. */
export async function autoTls(plan: AutoTls, dataDir: string, now: number): Promise<PeerTls> {
  const folder = join(dataDir, 'fixtures', plan.side);
  const pair = (await readPair(folder, plan, now)) ?? (await makePair(folder, plan, now));
  return { ...pair, clientCertAuth: false, verifies: false, ...protocolOf(plan) };
}

const certFile = (folder: string) => join(folder, 'cert.pem');
const keyFile = (folder: string) => join(folder, 'key.pem');

/** Undefined where there is none that is good for this plan. */
async function readPair(folder: string, { hosts }: AutoTls, now: number): Promise<KeyPair | undefined> {
  try {
    const [cert, key] = await Promise.all([
      readFile(certFile(folder), 'utf8'),
      readFile(keyFile(folder), 'utf8'),
    ]);
    const certificate = new X509Certificate(cert);
    const lasts = Date.parse(certificate.validTo) - now > RENEW_BEFORE_MS;
    return lasts && hosts.every((host) => isFor(certificate, host)) ? { cert, key } : undefined;
  } catch {
    return undefined;
  }
}

function isFor(certificate: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
}

async function makePair(folder: string, { hosts, years }: AutoTls, now: number): Promise<KeyPair> {
  const pair = await issueSelfSigned({ hosts, years }, now);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writePrivate(keyFile(folder), pair.key);
  await writePrivate(certFile(folder), pair.cert);
  return pair;
}
