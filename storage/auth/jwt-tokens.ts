import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { EtcdError } from '../errors.js';
import { AuthTokenError, type JwtOptions } from './token-options.js';
import type { Authenticated, TokenClaim, TokenProvider } from './tokens.js';

type Jose = typeof import('jose');

/** Verified tokens that are remembered: a signature costs more than the call that it comes with. */
const CACHED_MAX = 1024;

/** `sign-method`s, as etcd takes them. */
const METHODS = /^(?:RS|PS|ES|HS)(?:256|384|512)$|^EdDSA$/;

interface Verified extends TokenClaim {
  /** Milliseconds of the wall clock; Infinity: never. */
  readonly expires: number;
}

interface Keys {
  /** Undefined: only verifies. */
  readonly signing: KeyObject | undefined;
  readonly verifying: KeyObject;
}

/**
 * @param options of --auth-token
 * @throws AuthTokenError when the keys are not fit for the method, or not a pair
 */
export async function openJwtTokens(options: JwtOptions): Promise<JwtTokens> {
  if (!METHODS.test(options.method)) throw new AuthTokenError(`unknown sign-method ${options.method}`);
  const jose = await import('jose');
  try {
    const tokens = new JwtTokens(jose, options, keysOf(options));
    await tokens.check();
    return tokens;
  } catch (error) {
    if (error instanceof AuthTokenError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new AuthTokenError(`the keys do not serve ${options.method} (${detail})`);
  }
}

function keysOf({ method, privateKey, publicKey }: JwtOptions): Keys {
  if (method.startsWith('HS')) {
    if (privateKey === undefined) throw new AuthTokenError('priv-key is missing');
    const secret = createSecretKey(privateKey);
    return { signing: secret, verifying: secret };
  }
  const signing = privateKey && createPrivateKey(privateKey);
  const given = publicKey && createPublicKey(publicKey);
  const own = signing && createPublicKey(signing);
  if (own !== undefined && given !== undefined && !own.equals(given)) {
    throw new AuthTokenError('pub-key and priv-key are not a pair');
  }
  const verifying = given ?? own;
  if (verifying === undefined) throw new AuthTokenError('pub-key or priv-key is missing');
  return { signing, verifying };
}

/**
 * Signed tokens that any member with the key can read. They say in which state of users and roles they were made, so each
 * change of those makes all of them useless for reading and writing keys, as in etcd.
 */
export class JwtTokens implements TokenProvider {
  readonly #jose: Jose;
  readonly #options: JwtOptions;
  readonly #keys: Keys;
  readonly #verified = new Map<string, Verified>();

  constructor(jose: Jose, options: JwtOptions, keys: Keys) {
    this.#jose = jose;
    this.#options = options;
    this.#keys = keys;
  }

  async issue({ user, authRevision }: Authenticated): Promise<string> {
    if (this.#keys.signing === undefined) throw EtcdError.of('VerifyOnly');
    const expires = Math.floor(Date.now() / 1000 + this.#options.ttlSeconds);
    return new this.#jose.SignJWT({ username: user, revision: authRevision, exp: expires })
      .setProtectedHeader({ alg: this.#options.method, typ: 'JWT' })
      .sign(this.#keys.signing);
  }

  verify(token: string): TokenClaim | undefined | Promise<TokenClaim | undefined> {
    const known = this.#verified.get(token);
    if (known === undefined) return this.#verifySignature(token);
    if (known.expires > Date.now()) return known;
    this.#verified.delete(token);
    return undefined;
  }

  /** A token is valid by itself. */
  applied(): void {}

  installed(): void {}

  /** The keys fit the method. @throws whatever they do not */
  async check(): Promise<void> {
    if (this.#keys.signing === undefined) return;
    const token = await this.issue({ user: 'check', authRevision: 1 });
    // However short tokens live.
    await this.#read(token, new Date(0));
  }

  async #verifySignature(token: string): Promise<TokenClaim | undefined> {
    let payload: JWTPayload;
    try {
      payload = await this.#read(token, new Date());
    } catch {
      return undefined;
    }
    const { username, revision, exp } = payload;
    if (typeof username !== 'string' || username === '') return undefined;
    if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision < 0) return undefined;
    const expires = exp === undefined ? Infinity : exp * 1000;
    const verified = { user: username, authRevision: revision, expires };
    this.#remember(token, verified);
    return verified;
  }

  async #read(token: string, currentDate: Date): Promise<JWTPayload> {
    const { method } = this.#options;
    const options = { algorithms: [method], currentDate };
    const { payload } = await this.#jose.jwtVerify(token, this.#keys.verifying, options);
    return payload;
  }

  /** The one remembered first goes. */
  #remember(token: string, verified: Verified): void {
    const [oldest] = this.#verified.keys();
    if (this.#verified.size >= CACHED_MAX && oldest !== undefined) this.#verified.delete(oldest);
    this.#verified.set(token, verified);
  }
}
