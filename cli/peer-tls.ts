/** The certificates that members show each other, from the files that flags name. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { PeerTls } from '../raft/transport/tls.js';
import type { TlsFiles } from './member-flags.js';
import { UsageError } from './startup-error.js';

/** Throws UsageError, naming the flag, for what cannot be read or does not fit. */
export function loadPeerTls({ cert, key, trustedCa, clientCertAuth }: TlsFiles): PeerTls {
  const certificatePem = read('--peer-cert-file', cert);
  const keyPem = read('--peer-key-file', key);
  const certificate = parsed('--peer-cert-file', cert, () => new X509Certificate(certificatePem));
  const privateKey = parsed('--peer-key-file', key, () => createPrivateKey(keyPem));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new UsageError(`--peer-key-file ${key} is not the key of --peer-cert-file ${cert}`);
  }
  const tls = { cert: certificatePem, key: keyPem, clientCertAuth };
  if (trustedCa === undefined) return tls;
  const authorityPem = read('--peer-trusted-ca-file', trustedCa);
  parsed('--peer-trusted-ca-file', trustedCa, () => new X509Certificate(authorityPem));
  return { ...tls, trustedCa: authorityPem };
}

function read(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${flag}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What OpenSSL says of it helps nobody. */
function parsed<T>(flag: string, path: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new UsageError(`${flag} ${path} is not PEM that can be read`);
  }
}
