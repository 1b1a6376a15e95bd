/** The token of the user that the client acts for: asked for at first use, and again when it is no longer good. */
import { EtcdError } from '../../errors.js';

export class Tokens {
  readonly #authenticate: (() => Promise<string>) | undefined;
  #token: Promise<string | undefined> | undefined;

  /** Without a user there is no token. */
  constructor(authenticate: (() => Promise<string>) | undefined) {
    this.#authenticate = authenticate;
  }

  get hasUser(): boolean {
    return this.#authenticate !== undefined;
  }

  /** Undefined: none is needed, as far as is known. Rejects with EtcdError. */
  get(): Promise<string | undefined> {
    if (this.#authenticate === undefined) return Promise.resolve(undefined);
    if (this.#token === undefined) {
      const token = this.#authenticate().catch((error: unknown) => {
        // As etcd's own client: who gives a password where nobody asks for one is let in.
        if (error instanceof EtcdError && error.is('AuthNotEnabled')) return undefined;
        this.#forget(token);
        throw error;
      });
      this.#token = token;
    }
    return this.#token;
  }

  /** A server has refused this token. */
  async refused(token: string | undefined): Promise<void> {
    const current = this.#token;
    if (current === undefined) return;
    // Whoever comes with an older one has no say over the newer.
    if ((await current.catch(() => undefined)) === token) this.#forget(current);
  }

  #forget(token: Promise<string | undefined>): void {
    if (this.#token === token) this.#token = undefined;
  }
}
