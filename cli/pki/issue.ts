/**
 * Makes keys and certificates (ECDSA P-256). Imports its library on first use: that takes longer than starting the
 * server does, and certificates are made once a year.
 */
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 365;
/** Clocks differ: a certificate is good from a little before it was made. */
const BACKDATE_MS = 5 * 60_000;
const SERIAL_BYTES = 16;
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A certificate and its private key (PKCS #8), both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface LeafRequest {
  readonly commonName: string;
  readonly organization?: string;
  /** `peer`: both, as members of a cluster are to each other. */
  readonly usage: 'server' | 'client' | 'peer';
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

async function library() {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto);
  return x509;
}
type Library = Awaited<ReturnType<typeof library>>;

const generateKeys = () => webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);

async function privateKeyPem(x509: Library, key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

async function importPrivateKey(x509: Library, pem: string): Promise<webcrypto.CryptoKey> {
  const [pkcs8] = x509.PemConverter.decode(pem);
  if (pkcs8 === undefined) throw new Error('no private key in the PEM text');
  return webcrypto.subtle.importKey('pkcs8', pkcs8, ECDSA, false, ['sign']);
}

/** A positive number, as RFC 5280 §4.1.2.2 wants it. */
function serialNumber(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = (bytes[0] ?? 0) & 0x7f || 0x01;
  return bytes.toString('hex');
}

function validity(now: number, days: number) {
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(now + days * DAY_MS) };
}

/** A certificate authority that signs itself. */
export async function issueAuthority(commonName: string, now: number): Promise<KeyPair> {
  const x509 = await library();
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    ...validity(now, AUTHORITY_DAYS),
    keys: keys,
    signingAlgorithm: ECDSA,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await privateKeyPem(x509, keys.privateKey) };
}

/** A certificate of a server, a client or a peer, signed by `authority`. */
export async function issueLeaf(authority: KeyPair, request: LeafRequest, now: number): Promise<KeyPair> {
  const x509 = await library();
  const keys = await generateKeys();
  const issuer = new x509.X509Certificate(authority.cert);
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const usages = { server: [serverAuth], client: [clientAuth], peer: [serverAuth, clientAuth] };
  const organization = request.organization === undefined ? [] : [{ O: [request.organization] }];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    issuer: issuer.subject,
    subject: [...organization, { CN: [request.commonName] }],
    ...validity(now, LEAF_DAYS),
    publicKey: keys.publicKey,
    signingKey: await importPrivateKey(x509, authority.key),
    signingAlgorithm: ECDSA,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usages[request.usage]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await privateKeyPem(x509, keys.privateKey) };
}

const YEAR_DAYS = 365;

/** A certificate of a server that nobody else vouches for. `hosts`: names and addresses. */
export async function issueSelfSigned(
  { hosts, years }: { readonly hosts: readonly string[]; readonly years: number },
  now: number,
): Promise<KeyPair> {
  const x509 = await library();
  const keys = await generateKeys();
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const names = hosts.map((value) => ({
    type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
    value,
  }));
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ O: ['wherry'] }],
    ...validity(now, years * YEAR_DAYS),
    keys,
    signingAlgorithm: ECDSA,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await privateKeyPem(x509, keys.privateKey) };
}
