/** Issues tokens of service accounts, and says whose a token is. */
import { randomUUID } from 'node:crypto';
import type { KubeObject } from '../../schemas/definition.js';
import { coreRegistry, isNotFound, type Registries } from '../admission/lookup.js';
import { systemContext } from '../controllers/context.js';
import type { UserInfo } from '../request.js';
import { accountUser, type Reference } from './service-account-user.js';
import { claimsOf, readClaims, type ReadClaims, type TokenPlan } from './token-claims.js';
import type { TokenKey, TokenKeys } from './token-keys.js';

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

/** A token of ours that is not good. The message tells whoever reviews it why. */
export class TokenError extends Error {
  override name = 'TokenError';
}

/** Verified tokens that are remembered: a signature costs more than the request that it comes with. About a kB each. */
const VERIFIED_MAX = 4096;
/** Ours have about a kB. */
const TOKEN_BYTES_MAX = 16 * 1024;
/** By so much clocks may differ, and for so long objects that are being deleted still count, as upstream has it. */
const LEEWAY_SECONDS = 60;

const ALGORITHMS: ReadonlySet<unknown> = new Set(['RS256', 'ES256', 'ES384', 'ES512']);

interface Verified {
  readonly claims: ReadClaims;
  readonly user: UserInfo;
}

export class ServiceAccountTokens {
  readonly audiences: readonly string[];
  readonly #verified = new Map<string, Verified>();
  readonly #context = systemContext('system:apiserver', ['system:masters'], new AbortController().signal);
  readonly #now: () => number;

  constructor(private readonly options: ServiceAccountTokensOptions) {
    const { audiences = [], issuers } = options;
    this.audiences = audiences.length > 0 ? audiences : issuers;
    this.#now = options.now ?? Date.now;
  }

  /** Of tokens issued from here on. */
  get issuer(): string {
    return this.options.issuers[0] ?? '';
  }

  /** The token and when it was made, in milliseconds since the epoch. */
  async issue(
    plan: Omit<TokenPlan, 'now' | 'id' | 'issuer' | 'isForServer'>,
  ): Promise<{ readonly token: string; readonly now: number }> {
    const [{ SignJWT }, { id: kid, algorithm: alg, key }] = await Promise.all([
      import('jose'),
      this.options.keys.signing(),
    ]);
    const now = this.#now();
    const isForServer = plan.audiences.every((audience) => this.audiences.includes(audience));
    const claims = claimsOf({ ...plan, isForServer, now, id: randomUUID(), issuer: this.issuer });
    const token = await new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(key);
    return { token, now };
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
    await this.#checkObjects(claims);
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
      return typeof claims?.iss === 'string' && this.options.issuers.includes(claims.iss);
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

  /** The account and what the token is bound to must be there still, and be the ones of then. */
  async #checkObjects({ namespace, account, secret, pod, node }: ReadClaims): Promise<void> {
    const found = await this.#find('serviceaccounts', namespace, account);
    if (found === undefined) throw new TokenError(`serviceaccounts "${account.name}" not found`);
    if (found.metadata.uid !== account.uid) {
      const uid = found.metadata.uid ?? '';
      throw new TokenError(`service account UID (${uid}) does not match claim (${account.uid})`);
    }
    if (this.#isGone(found)) {
      throw new TokenError(`service account ${namespace}/${account.name} has been deleted`);
    }
    if (secret !== undefined) await this.#checkBound('secret', namespace, secret);
    if (pod !== undefined) await this.#checkBound('pod', namespace, pod);
    // Of a pod's token the node is mere information.
    else if (node !== undefined) await this.#checkBound('node', '', node);
  }

  async #checkBound(kind: 'secret' | 'pod' | 'node', namespace: string, bound: Reference): Promise<void> {
    const found = await this.#find(`${kind}s`, namespace, bound);
    if (found !== undefined && found.metadata.uid !== bound.uid) {
      const uid = found.metadata.uid ?? '';
      throw new TokenError(
        `${kind} UID (${uid}) does not match service account ${kind} ref claim (${bound.uid})`,
      );
    }
    if (found === undefined || this.#isGone(found)) {
      throw new TokenError('service account token has been invalidated');
    }
  }

  #isGone({ metadata }: KubeObject): boolean {
    const { deletionTimestamp } = metadata;
    return (
      Boolean(deletionTimestamp) && Date.parse(deletionTimestamp ?? '') < this.#now() - LEEWAY_SECONDS * 1000
    );
  }

  /** From the cache; what would refuse the token counts only if the store says so too. */
  async #find(plural: string, namespace: string, { name, uid }: Reference): Promise<KubeObject | undefined> {
    const cached = await this.#get(plural, namespace, name, { resourceVersion: 0 });
    if (cached !== undefined && cached.metadata.uid === uid && !this.#isGone(cached)) return cached;
    return this.#get(plural, namespace, name, {});
  }

  async #get(
    plural: string,
    namespace: string,
    name: string,
    options: { readonly resourceVersion?: number },
  ): Promise<KubeObject | undefined> {
    const registry = coreRegistry(this.options.registries, plural);
    try {
      return (await registry.get(this.#context, namespace, name, options)).object;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

/** As Go's `%q` prints a list. */
const goList = (items: readonly string[]): string =>
  `[${items.map((item) => JSON.stringify(item)).join(' ')}]`;
