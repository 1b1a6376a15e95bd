/**
 * PKCS #10 requests (RFC 2986) as Go's crypto/x509 reads and checks them. The parser is the library that makes our own
 * certificates, which is loaded by the first request: a third of a second of CPU time that few servers need.
 */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { pemBlocks } from './pem.js';

/** What a request says, or why it is refused, in Go's words. */
export interface ExaminedRequest {
  readonly problem?: string;
  /** Organizations of the subject, which are groups where it is a user. */
  readonly organizations: readonly string[];
}

/** Of what has an outermost element, but is no request. */
const MALFORMED = 'asn1: structure error: malformed certificate request';
const UNIMPLEMENTED = 'x509: cannot verify signature: algorithm unimplemented';
const RSA_BITS_MIN = 1024;
/** A request has some dozens of elements, those within its extensions not counted; many thousands take a second. */
const PARSING = { berOptions: { maxNodes: 2000, maxDepth: 20, parseEmbedded: false } };

const library = async () => {
  await import('reflect-metadata');
  const { Pkcs10CertificateRequest } = await import('@peculiar/x509');
  return class extends Pkcs10CertificateRequest {
    get signed(): ArrayBuffer | undefined {
      return this.asn.certificationRequestInfoRaw;
    }
    get algorithmId(): string {
      return this.asn.signatureAlgorithm.algorithm;
    }
  };
};
let loaded: ReturnType<typeof library> | undefined;
type Request = InstanceType<Awaited<ReturnType<typeof library>>>;

const refused = (problem: string): ExaminedRequest => ({ problem, organizations: [] });

/** Reads a request in PEM and checks that who made it has the key. Does not reject. */
export async function examineRequest(pem: Buffer): Promise<ExaminedRequest> {
  const block = pemBlocks(pem.toString('latin1')).next().value;
  if (block?.type !== 'CERTIFICATE REQUEST') return refused('PEM block type must be CERTIFICATE REQUEST');
  const outermost = outermostProblem(block.bytes);
  if (outermost !== undefined) return refused(outermost);
  const Parsed = await (loaded ??= library());
  try {
    const request = new Parsed(block.bytes, PARSING);
    const spki = Buffer.from(request.publicKey.rawData);
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    const problem = keyProblem(key) ?? signatureProblem(request, key);
    return problem === undefined ? { organizations: request.subjectName.getField('O') } : refused(problem);
  } catch {
    // In the library's words or OpenSSL's, which no client knows.
    return refused(MALFORMED);
  }
}

/** The library takes BER, and what follows the request, too. */
function outermostProblem(der: Buffer): string | undefined {
  const [tag, short] = der;
  if (tag === undefined) return 'asn1: syntax error: sequence truncated';
  if (short === undefined) return 'asn1: syntax error: truncated tag or length';
  const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
  if (short === 0x80) return 'asn1: syntax error: indefinite length found (not DER)';
  if (lengthBytes > 4) return 'asn1: structure error: length too large';
  const start = 2 + lengthBytes;
  if (der.length < start) return 'asn1: syntax error: truncated tag or length';
  const length = lengthBytes === 0 ? short : der.readUIntBE(2, lengthBytes);
  if (tag !== 0x30) return wrongTag(tag, length, start);
  if (der.length < start + length) return 'asn1: syntax error: data truncated';
  return der.length > start + length ? 'asn1: syntax error: trailing data' : undefined;
}

function wrongTag(tag: number, length: number, offset: number): string {
  const found = `{class:${tag >> 6} tag:${tag & 0x1f} length:${length} isCompound:${(tag & 0x20) !== 0}}`;
  const wanted =
    '{optional:false explicit:false application:false private:false defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false omitEmpty:false}';
  return `asn1: structure error: tags don't match (16 vs ${found}) ${wanted} certificateRequest @${offset}`;
}

type KeyType = 'RSA' | 'DSA' | 'ECDSA' | 'Ed25519';

interface SignatureAlgorithm {
  readonly key: KeyType;
  /** As OpenSSL names it; `pss`: its parameters say. */
  readonly hash: 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512' | 'none' | 'pss';
}

/** Those that Go knows, by their object identifiers. */
const ALGORITHMS: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ['1.2.840.113549.1.1.4', { key: 'RSA', hash: 'md5' }],
  ['1.2.840.113549.1.1.5', { key: 'RSA', hash: 'sha1' }],
  ['1.3.14.3.2.29', { key: 'RSA', hash: 'sha1' }],
  ['1.2.840.113549.1.1.10', { key: 'RSA', hash: 'pss' }],
  ['1.2.840.113549.1.1.11', { key: 'RSA', hash: 'sha256' }],
  ['1.2.840.113549.1.1.12', { key: 'RSA', hash: 'sha384' }],
  ['1.2.840.113549.1.1.13', { key: 'RSA', hash: 'sha512' }],
  ['1.2.840.10040.4.3', { key: 'DSA', hash: 'sha1' }],
  ['2.16.840.1.101.3.4.3.2', { key: 'DSA', hash: 'sha256' }],
  ['1.2.840.10045.4.1', { key: 'ECDSA', hash: 'sha1' }],
  ['1.2.840.10045.4.3.2', { key: 'ECDSA', hash: 'sha256' }],
  ['1.2.840.10045.4.3.3', { key: 'ECDSA', hash: 'sha384' }],
  ['1.2.840.10045.4.3.4', { key: 'ECDSA', hash: 'sha512' }],
  ['1.3.101.112', { key: 'Ed25519', hash: 'none' }],
]);

/** Hashes of RSA-PSS that Go takes. */
const PSS_HASHES: ReadonlyMap<string, string> = new Map([
  ['SHA-256', 'sha256'],
  ['SHA-384', 'sha384'],
  ['SHA-512', 'sha512'],
]);

/** Keys that Go verifies with, as OpenSSL and as Go name them. */
const KEY_TYPES: ReadonlyMap<string | undefined, { readonly type: KeyType; readonly goType: string }> =
  new Map([
    ['rsa', { type: 'RSA', goType: '*rsa.PublicKey' }],
    ['ec', { type: 'ECDSA', goType: '*ecdsa.PublicKey' }],
    ['ed25519', { type: 'Ed25519', goType: 'ed25519.PublicKey' }],
  ]);

/** As OpenSSL names them. */
const CURVES: ReadonlySet<string> = new Set(['secp224r1', 'prime256v1', 'secp384r1', 'secp521r1']);

function keyProblem({ asymmetricKeyDetails }: KeyObject): string | undefined {
  const curve = asymmetricKeyDetails?.namedCurve;
  return curve === undefined || CURVES.has(curve) ? undefined : 'x509: unsupported elliptic curve';
}

function signatureProblem(request: Request, key: KeyObject): string | undefined {
  const algorithm = ALGORITHMS.get(request.algorithmId);
  const { signed } = request;
  if (algorithm === undefined || signed === undefined) return UNIMPLEMENTED;
  if (algorithm.hash === 'md5') return 'x509: cannot verify signature: insecure algorithm MD5-RSA';
  const hash =
    algorithm.hash === 'pss' ? PSS_HASHES.get(request.signatureAlgorithm.hash.name) : algorithm.hash;
  const has = KEY_TYPES.get(key.asymmetricKeyType);
  if (hash === undefined || has === undefined) return UNIMPLEMENTED;
  if (has.type !== algorithm.key) {
    return `x509: signature algorithm specifies an ${algorithm.key} public key, but have public key of type ${has.goType}`;
  }
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < RSA_BITS_MIN) {
    return `crypto/rsa: ${bits}-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)`;
  }
  const pss = {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
  const good = verify(
    hash === 'none' ? null : hash,
    Buffer.from(signed),
    { key, ...(algorithm.hash === 'pss' ? pss : {}) },
    Buffer.from(request.signature),
  );
  if (good) return undefined;
  return has.type === 'RSA' ? 'crypto/rsa: verification error' : `x509: ${has.type} verification failure`;
}
