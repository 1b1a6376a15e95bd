/**
 * The server's own public key infrastructure: an authority, the server's certificate and an administrator's client
 * certificate, kept under <data-dir>/pki and made where they are absent, about to expire, or no longer fit.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { StartupError } from '../startup-error.js';
import { type KeyPair, type LeafRequest, issueAuthority, issueLeaf } from './issue.js';

/** Renewed when less than this is left. */
const RENEW_BEFORE_MS = 30 * 86_400_000;
/** First address of the service range: what pods reach the server by. */
const KUBERNETES_SERVICE_IP = '10.0.0.1';
const KUBERNETES_SERVICE_NAMES = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
];
const WILDCARD_ADDRESSES = new Set(['0.0.0.0', '::']);
/** Not the name of anything it signs, which would then look as if it had signed itself. */
const AUTHORITY_NAME = 'wherry-ca';
/** The group that may do everything. */
const ADMINISTRATORS = 'system:masters';

export interface Certificates {
  readonly authority: KeyPair;
  readonly server: KeyPair;
  readonly administrator: KeyPair;
}

export interface CertificateOptions {
  /** <data-dir>/pki, made with mode 0700. */
  readonly folder: string;
  readonly bindAddress: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Reads the certificates, making what is missing first. Private keys have mode 0600. */
export async function loadCertificates(options: CertificateOptions): Promise<Certificates> {
  const { folder, now } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const kept = await read(folder, 'ca');
  const authority =
    kept !== undefined && lasts(new X509Certificate(kept.cert), now)
      ? kept
      : await write(folder, 'ca', await issueAuthority(AUTHORITY_NAME, now));
  const leaf = async (name: string, request: LeafRequest) =>
    (await readLeaf(folder, name, authority, request, now)) ??
    (await write(folder, name, await issueLeaf(authority, request, now)));
  const [server, administrator] = await Promise.all([
    leaf('apiserver', serverRequest(options.bindAddress)),
    leaf('admin', { commonName: 'wherry:admin', organization: ADMINISTRATORS, usage: 'client' }),
  ]);
  return { authority, server, administrator };
}

function serverRequest(bindAddress: string): LeafRequest {
  const bound = WILDCARD_ADDRESSES.has(bindAddress) ? ownAddresses() : [bindAddress];
  return {
    commonName: 'wherry-apiserver',
    usage: 'server',
    dnsNames: [...new Set(['localhost', ...KUBERNETES_SERVICE_NAMES, ...ownName()])],
    ipAddresses: [...new Set(['127.0.0.1', '::1', KUBERNETES_SERVICE_IP, ...bound])],
  };
}

/** The machine's name, where it is one that a certificate can hold. */
function ownName(): string[] {
  const name = hostname().toLowerCase();
  return /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) ? [name] : [];
}

function ownAddresses(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  // A link-local address is written with its interface, which a certificate cannot hold.
  return addresses.filter(({ scopeid }) => !scopeid).map(({ address }) => address);
}

async function readLeaf(
  folder: string,
  name: string,
  authority: KeyPair,
  request: LeafRequest,
  now: number,
): Promise<KeyPair | undefined> {
  const kept = await read(folder, name);
  if (kept === undefined) return undefined;
  const certificate = new X509Certificate(kept.cert);
  const issuer = new X509Certificate(authority.cert);
  if (!lasts(certificate, now) || !certificate.verify(issuer.publicKey)) return undefined;
  const fits =
    (request.dnsNames ?? []).every((host) => certificate.checkHost(host) !== undefined) &&
    (request.ipAddresses ?? []).every((ip) => certificate.checkIP(ip) !== undefined);
  return fits ? kept : undefined;
}

function lasts(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validTo) - now > RENEW_BEFORE_MS;
}

/**
 * Undefined when either file is absent, or is not of the other, as a process leaves them that ends between the two
 * writes. Throws `StartupError` when one is damaged.
 */
async function read(folder: string, name: string): Promise<KeyPair | undefined> {
  const files = [join(folder, `${name}.crt`), join(folder, `${name}.key`)] as const;
  const pair = await readBoth(files);
  if (pair === undefined) return undefined;
  try {
    return new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key)) ? pair : undefined;
  } catch {
    // What OpenSSL says of it helps nobody.
    throw new StartupError(
      `${files[0]} or ${files[1]} is damaged; remove both to have a new certificate made`,
    );
  }
}

async function readBoth(files: readonly [string, string]): Promise<KeyPair | undefined> {
  try {
    const [cert, key] = await Promise.all([readFile(files[0], 'utf8'), readFile(files[1], 'utf8')]);
    return { cert, key };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function write(folder: string, name: string, pair: KeyPair): Promise<KeyPair> {
  await writePrivate(join(folder, `${name}.key`), pair.key);
  await writePrivate(join(folder, `${name}.crt`), pair.cert);
  return pair;
}

/** Replaces a file in one step, also where the power goes; readable by its owner alone. */
export async function writePrivate(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text, { mode: 0o600, flush: true });
  await rename(draft, file);
}
