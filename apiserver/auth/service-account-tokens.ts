/** Issues tokens of service accounts, and says whose a token is. */
import { randomUUID } from 'node:crypto';
import type { Registries } from '../admission/lookup.js';
import type { UserInfo } from '../request.js';
import { accountUser } from './service-account-user.js';
import {
  claimsOf,
  LEGACY_ISSUER,
  legacyClaimsOf,
  readClaims,
  type LegacyTokenPlan,
  type ReadClaims,
  type TokenPlan,
} from './token-claims.js';
import { TokenError } from './token-error.js';
import type { TokenKey, TokenKeys } from './token-keys.js';
import { TokenObjects } from './token-objects.js';

export interface ServiceAccountTokensOptions {
  /** Read when it is needed, so its table may be filled later. */
  readonly registries: Registries;
  readonly keys: TokenKeys;
  /** The first signs; tokens of the others are believed too. */
  readonly issuers: readonly string[];
  /** Those of whom the API server is one; the issuers when absent or empty. */
  readonly audiences?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface Authenticated {
  readonly user: UserInfo;
  /** Those of the audiences in question that the token is meant for. */
  readonly audiences: readonly string[];
}

/** Verified tokens that are remembered: a signature costs more than the request that it comes with. About a kB each. */
const VERIFIED_MAX = 4096;
/** Ours have about a kB. */
const TOKEN_BYTES_MAX = 16 * 1024;
/** By so much clocks may differ. */
const LEEWAY_SECONDS = 60;

const ALGORITHMS: ReadonlySet<unknown> = new Set(['RS256', 'ES256', 'ES384', 'ES512']);

interface Verified {
  readonly claims: ReadClaims;
  readonly user: UserInfo;
}

export class ServiceAccountTokens {
  readonly audiences: readonly string[];
  readonly #verified = new Map<string, Verified>();
  readonly #issuers: ReadonlySet<string>;
  readonly #objects: TokenObjects;
  readonly #now: () => number;

  constructor(private readonly options: ServiceAccountTokensOptions) {
    const { audiences = [], issuers } = options;
    this.audiences = audiences.length > 0 ? audiences : issuers;
    this.#now = options.now ?? Date.now;
    this.#issuers = new Set([...issuers, LEGACY_ISSUER]);
    this.#objects = new TokenObjects(options.registries, this.#now);
  }

  /** Of tokens issued from here on. */
  get issuer(): string {
    return this.options.issuers[0] ?? '';
  }

  /** The token and when it was made, in milliseconds since the epoch. */
  async issue(
    plan: Omit<TokenPlan, 'now' | 'id' | 'issuer' | 'isForServer'>,
  ): Promise<{ readonly token: string; readonly now: number }> {
    const now = this.#now();
    const isForServer = plan.audiences.every((audience) => this.audiences.includes(audience));
    const claims = claimsOf({ ...plan, isForServer, now, id: randomUUID(), issuer: this.issuer });
    return { token: await this.#sign(claims), now };
  }

  /** A token that lies in a Secret and is good for as long as it does. */
  issueLegacy(plan: LegacyTokenPlan): Promise<string> {
    return this.#sign(legacyClaimsOf(plan));
  }

  async #sign(claims: Readonly<Record<string, unknown>>): Promise<string> {
    const [{ SignJWT }, { id: kid, algorithm: alg, key }] = await Promise.all([
      import('jose'),
      this.options.keys.signing(),
    ]);
    return new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(key);
  }

  /** Keys that tokens are verified with, at least one. */
  async publicKeys(): Promise<readonly TokenKey[]> {
    const known = await this.options.keys.verifying();
    if (known.length > 0) return known;
    await this.options.keys.signing();
    return this.options.keys.verifying();
  }

  /**
   * Undefined where the token is none of ours. Throws TokenError where it is and is not good, and StatusError where the
   * store does not say.
   */
  async authenticate(token: string, audiences = this.audiences): Promise<Authenticated | undefined> {
    const verified = this.#verified.get(token) ?? (await this.#verify(token));
    if (verified === undefined) return undefined;
    const { claims, user } = verified;
    const own = claims.audiences.length > 0 ? claims.audiences : this.audiences;
    const shared = audiences.filter((audience) => own.includes(audience));
    if (shared.length === 0) {
      throw new TokenError(
        `token audiences ${goList(own)} is invalid for the target audiences ${goList(audiences)}`,
      );
    }
    this.#checkTimes(claims);
    await this.#objects.check(claims, token);
    return { user, audiences: shared };
  }

  async #verify(token: string): Promise<Verified | undefined> {
    if (token.length > TOKEN_BYTES_MAX || !this.#isOurs(token)) return undefined;
    const jose = await import('jose');
    let header: { readonly kid?: string; readonly alg?: string };
    try {
      header = jose.decodeProtectedHeader(token);
    } catch {
      return undefined;
    }
    if (!ALGORITHMS.has(header.alg)) return undefined;
    const keys = await this.options.keys.verifying();
    const fitting = header.kid ? keys.filter(({ id }) => id === header.kid) : keys;
    if (fitting.length === 0) throw new TokenError('invalid signature, no keys found');
    for (const { key, algorithm } of fitting) {
      const payload = await jose.compactVerify(token, key, { algorithms: [algorithm] }).then(
        (verified) => verified.payload,
        () => undefined,
      );
      if (payload !== undefined) return this.#remember(token, payload);
    }
    throw new TokenError('go-jose/go-jose: error in cryptographic primitive');
  }

  /** By what the token says itself, which is not to be believed yet. */
  #isOurs(token: string): boolean {
    const [, payload, , more] = token.split('.');
    if (payload === undefined || more !== undefined) return false;
    try {
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
        readonly iss?: unknown;
      } | null;
      return typeof claims?.iss === 'string' && this.#issuers.has(claims.iss);
    } catch {
      return false;
    }
  }

  #remember(token: string, payload: Uint8Array): Verified {
    const claims = readClaims(JSON.parse(Buffer.from(payload).toString()));
    if (claims === undefined) throw new TokenError('the token has no claims of a service account');
    const verified = { claims, user: accountUser(claims) };
    // The one remembered first goes.
    const [oldest] = this.#verified.keys();
    if (this.#verified.size >= VERIFIED_MAX && oldest !== undefined) this.#verified.delete(oldest);
    this.#verified.set(token, verified);
    return verified;
  }

  #checkTimes({ notBefore, expires, issued }: ReadClaims): void {
    const now = this.#now() / 1000;
    if (notBefore !== undefined && now + LEEWAY_SECONDS < notBefore) {
      throw new TokenError('service account token is not valid yet');
    }
    if (expires !== undefined && now - LEEWAY_SECONDS > expires) {
      throw new TokenError('service account token has expired');
    }
    if (issued !== undefined && now + LEEWAY_SECONDS < issued) {
      throw new TokenError('service account token is issued in the future');
    }
  }
}

/** As Go's `%q` prints a list. */
const goList = (items: readonly string[]): string =>
  `[${items.map((item) => JSON.stringify(item)).join(' ')}]`;
