/** The keys that service account tokens are signed and verified with. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import type { EtcdClient } from '../../storage/client/interface.js';
import { toStatusError } from '../errors.js';

/** Names as in JWTs; those that upstream signs with. */
export type TokenAlgorithm = 'RS256' | 'ES256' | 'ES384' | 'ES512';

export interface TokenKey {
  /** `kid`: base64url of the SHA-256 of the public key. */
  readonly id: string;
  readonly algorithm: TokenAlgorithm;
  readonly key: KeyObject;
}

export interface TokenKeys {
  /** Made now where there is none yet. Throws StatusError as the store does. */
  signing(): Promise<TokenKey>;
  /** Empty where no token has ever been signed. Throws StatusError as the store does. */
  verifying(): Promise<readonly TokenKey[]>;
}

/** A key that tokens cannot be signed or verified with. */
export class TokenKeyError extends Error {
  override name = 'TokenKeyError';
}

const RSA_BITS_MIN = 2048;

const algorithmOfCurve: ReadonlyMap<string | undefined, TokenAlgorithm> = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
]);

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails: details }: KeyObject): TokenAlgorithm {
  if (asymmetricKeyType === 'rsa') {
    if ((details?.modulusLength ?? 0) >= RSA_BITS_MIN) return 'RS256';
    throw new TokenKeyError(`an RSA key must have at least ${RSA_BITS_MIN} bits`);
  }
  const algorithm = asymmetricKeyType === 'ec' ? algorithmOfCurve.get(details?.namedCurve) : undefined;
  if (algorithm === undefined)
    throw new TokenKeyError('the key must be RSA, or of the curve P-256, P-384 or P-521');
  return algorithm;
}

function idOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64url');
}

interface KeyPair {
  readonly signing: TokenKey;
  readonly verifying: TokenKey;
}

/** @throws TokenKeyError */
function pairOfPem(pem: string): KeyPair {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new TokenKeyError('it holds no private key in PEM');
  }
  const verifying = publicKeyOf(key);
  return { signing: { ...verifying, key }, verifying };
}

function publicKeyOf(key: KeyObject | string): TokenKey {
  const publicKey = createPublicKey(key);
  return { id: idOf(publicKey), algorithm: algorithmOf(publicKey), key: publicKey };
}

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g;
/** What some tools write in front of a key. */
const PARAMETERS = 'EC PARAMETERS';

/** All keys of a file: public or private ones, or certificates. @throws TokenKeyError */
export function publicKeysOfPem(pem: string): TokenKey[] {
  const blocks = [...pem.matchAll(pemBlock)].filter(([, label]) => label !== PARAMETERS);
  if (blocks.length === 0) throw new TokenKeyError('it holds no key in PEM');
  return blocks.map(([block]) => {
    try {
      return publicKeyOf(block);
    } catch (error) {
      throw error instanceof TokenKeyError ? error : new TokenKeyError('it holds a key that cannot be read');
    }
  });
}

/** Keys that came with the command line: one that signs, and more that are believed. @throws TokenKeyError */
export function givenKeys(signingPem: string, verifying: readonly TokenKey[]): TokenKeys {
  const own = pairOfPem(signingPem);
  const all = [own.verifying, ...verifying.filter(({ id }) => id !== own.verifying.id)];
  return { signing: async () => own.signing, verifying: async () => all };
}

/**
 * A key that all servers over one store share and that outlives them, in a place where no resource is, so that the API
 * never shows it. Made with the first token, on P-256: that takes well under a millisecond, where an RSA key would take
 * a hundred, and its signatures are a quarter as long.
 */
export class StoredKeys implements TokenKeys {
  readonly #client: EtcdClient;
  readonly #key: Buffer;
  /** Once it is written it never changes. */
  #pair: KeyPair | undefined;

  /** `keyRoot`: what all keys in the store begin with. `more`: other keys that are believed. */
  constructor(
    client: EtcdClient,
    keyRoot: string,
    private readonly more: readonly TokenKey[] = [],
  ) {
    this.#client = client;
    this.#key = Buffer.from(`${keyRoot}/wherry/service-account-signing-key`);
  }

  async signing(): Promise<TokenKey> {
    return ((await this.#read()) ?? (await this.#make())).signing;
  }

  async verifying(): Promise<readonly TokenKey[]> {
    const pair = await this.#read();
    return pair === undefined ? this.more : [pair.verifying, ...this.more];
  }

  async #read(): Promise<KeyPair | undefined> {
    if (this.#pair !== undefined) return this.#pair;
    const { kvs } = await this.#client.range({ key: this.#key }).catch(asStatus);
    return this.#keep(kvs[0]?.value);
  }

  async #make(): Promise<KeyPair> {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const value = Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const { succeeded } = await this.#client
      .txn({
        compare: [{ key: this.#key, target: 'mod', result: 'equal', modRevision: 0 }],
        success: [{ type: 'put', key: this.#key, value }],
        failure: [],
      })
      .catch(asStatus);
    // Another server was faster.
    const pair = succeeded ? this.#keep(value) : await this.#read();
    if (pair === undefined) throw new Error('the signing key of service account tokens has gone');
    return pair;
  }

  #keep(value: Uint8Array | undefined): KeyPair | undefined {
    if (value !== undefined) this.#pair = pairOfPem(Buffer.from(value).toString());
    return this.#pair;
  }
}

function asStatus(error: unknown): never {
  throw toStatusError(error);
}
