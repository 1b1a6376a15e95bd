/** Certificates and keys, from the files that flags name. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { PeerTls } from '../raft/transport/tls.js';
import { UsageError } from './startup-error.js';
import { type TlsFiles, type TlsSettings, prefixOf } from './tls-plan.js';

/** Throws UsageError, naming the flag, for what cannot be read or does not fit. */
export function loadTlsFiles(files: TlsFiles): PeerTls {
  const prefix = prefixOf(files.side);
  const { clientCert, clientKey, trustedCa, crl, allowedCn, allowedHostnames } = files;
  const own = loadPair(`${prefix}cert-file`, files.cert, `${prefix}key-file`, files.key);
  const shown =
    clientCert !== undefined && clientKey !== undefined
      ? loadPair(`${prefix}client-cert-file`, clientCert, `${prefix}client-key-file`, clientKey)
      : undefined;
  return {
    ...own,
    ...(shown && { clientCert: shown.cert, clientKey: shown.key }),
    ...(trustedCa !== undefined && { trustedCa: loadAuthority(`${prefix}trusted-ca-file`, trustedCa) }),
    clientCertAuth: files.clientCertAuth,
    ...(crl !== undefined && { crl: loadRevocations(crlFlagOf(files), crl) }),
    ...(allowedCn !== undefined && { allowedCn }),
    ...(allowedHostnames !== undefined && { allowedHostnames }),
    ...protocolOf(files),
  };
}

/** Of TLS itself, whatever the certificates. */
export function protocolOf({ cipherSuites, minVersion, maxVersion }: TlsSettings) {
  return {
    ...(cipherSuites && { ciphers: cipherSuites.join(':') }),
    ...(minVersion && { minVersion }),
    ...(maxVersion && { maxVersion }),
  };
}

/** What the plan's values are read from. */
export function pathsOf(files: TlsFiles): string[] {
  const { cert, key, clientCert, clientKey, trustedCa, crl } = files;
  return [cert, key, clientCert, clientKey, trustedCa, crl].filter((path) => path !== undefined);
}

const crlFlagOf = ({ side }: TlsFiles) => (side === 'client' ? '--client-crl-file' : '--peer-crl-file');

export function loadPair(certFlag: string, certPath: string, keyFlag: string, keyPath: string) {
  const cert = read(certFlag, certPath).toString();
  const key = read(keyFlag, keyPath).toString();
  const certificate = parsed(certFlag, certPath, () => new X509Certificate(cert));
  const privateKey = parsed(keyFlag, keyPath, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new UsageError(`${keyFlag} ${keyPath} is not the key of ${certFlag} ${certPath}`);
  }
  return { cert, key };
}

export function loadAuthority(flag: string, path: string): string {
  const authority = read(flag, path).toString();
  parsed(flag, path, () => new X509Certificate(authority));
  return authority;
}

const PEM_LINE = 64;

/** etcd takes both forms; OpenSSL the text only. */
function loadRevocations(flag: string, path: string): string {
  const content = read(flag, path);
  if (content.includes('-----BEGIN X509 CRL-----')) return content.toString();
  // An ASN.1 sequence.
  if (content[0] !== 0x30) throw new UsageError(`${flag} ${path} is no revocation list that can be read`);
  const lines = content.toString('base64').match(new RegExp(`.{1,${PEM_LINE}}`, 'g')) ?? [];
  return `-----BEGIN X509 CRL-----\n${lines.join('\n')}\n-----END X509 CRL-----\n`;
}

function read(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
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
