import { randomInt } from 'node:crypto';
import type { CallOptions } from '../client/interface.js';
import type { Clock } from '../clock.js';
import type { Authenticated, TokenClaim, TokenEvent, TokenProvider } from './tokens.js';

/** As in etcd. */
const PREFIX_LETTERS = 16;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Seconds that a token lives after its last use. */
export const SIMPLE_TOKEN_TTL_SECONDS = 300;

export interface SimpleTokensOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly ttlSeconds?: number | undefined;
  /** Brings the random part into the log; resolves with the whole token when that is applied here. */
  readonly log: (
    authenticated: Authenticated & { readonly token: string },
    options: CallOptions | undefined,
  ) => Promise<string>;
  /** The newest log entry applied here. */
  readonly appliedIndex: () => number;
  /** Resolves when all is applied here that was committed when it was called. */
  readonly confirm: () => Promise<void>;
}

interface Known {
  readonly user: string;
  /** On the clock. */
  deadline: number;
}

/**
 * etcd's default tokens: random letters and the index of the log entry that told every member of them. They are in
 * memory only. Each member prolongs those that are used with it; a member that has started or taken a snapshot since
 * knows none, and its clients authenticate again.
 */
export class SimpleTokens implements TokenProvider {
  readonly #options: SimpleTokensOptions;
  readonly #ttlMs: number;
  /** The one that expires first in front. */
  readonly #tokens = new Map<string, Known>();

  constructor(options: SimpleTokensOptions) {
    this.#options = options;
    this.#ttlMs = 1000 * (options.ttlSeconds ?? SIMPLE_TOKEN_TTL_SECONDS);
  }

  issue(authenticated: Authenticated, options?: CallOptions): Promise<string> {
    return this.#options.log({ ...authenticated, token: randomPrefix() }, options);
  }

  verify(token: string): TokenClaim | undefined | Promise<TokenClaim | undefined> {
    return this.#find(token) ?? this.#verifyLater(token);
  }

  applied(events: readonly TokenEvent[]): void {
    for (const event of events) {
      if (event.type === 'issued') this.#add(event.token, event.user);
      else if (event.type === 'disabled') this.#tokens.clear();
      else this.#drop(event.user);
    }
  }

  /** A password may have changed in what was not told. */
  installed(): void {
    this.#tokens.clear();
  }

  #find(token: string): TokenClaim | undefined {
    const known = this.#tokens.get(token);
    if (known === undefined) return undefined;
    const now = this.#options.clock.now();
    this.#tokens.delete(token);
    if (known.deadline <= now) return undefined;
    known.deadline = now + this.#ttlMs;
    this.#tokens.set(token, known);
    return { user: known.user, authRevision: undefined };
  }

  /** A token of an entry that is not applied here yet came from a member that is ahead. */
  #verifyLater(token: string): undefined | Promise<TokenClaim | undefined> {
    const index = Number(/^[A-Za-z]+\.(\d{1,15})$/.exec(token)?.[1] ?? 0);
    if (index <= this.#options.appliedIndex()) return undefined;
    return this.#options.confirm().then(() => this.#find(token));
  }

  #add(token: string, user: string): void {
    const now = this.#options.clock.now();
    for (const [old, { deadline }] of this.#tokens) {
      if (deadline > now) break;
      this.#tokens.delete(old);
    }
    this.#tokens.set(token, { user, deadline: now + this.#ttlMs });
  }

  #drop(user: string): void {
    for (const [token, known] of this.#tokens) if (known.user === user) this.#tokens.delete(token);
  }
}

function randomPrefix(): string {
  let prefix = '';
  while (prefix.length < PREFIX_LETTERS) prefix += LETTERS.charAt(randomInt(LETTERS.length));
  return prefix;
}
