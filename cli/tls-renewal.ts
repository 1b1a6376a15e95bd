/** Certificates that are replaced on disk, as those who renew them do, are taken up without a restart. */
import { statSync } from 'node:fs';
import type { PeerTls } from '../raft/transport/tls.js';
import { loadTlsFiles, pathsOf } from './tls-files.js';
import type { TlsFiles } from './tls-plan.js';

/** Between two looks at the files, in milliseconds. */
const LOOK_MS = 10_000;

export interface RenewalOptions {
  readonly lookMs?: number;
  readonly logger: { info(message: string): void; warn(message: string): void };
}

/** The files' present content, which says by itself when there is another. Throws UsageError for what is no good. */
export class RenewedTls {
  readonly tls: PeerTls;
  readonly #files: TlsFiles;
  readonly #options: RenewalOptions;
  readonly #listeners = new Set<(tls: PeerTls) => void>();
  readonly #timer: NodeJS.Timeout;
  #seen: string;

  constructor(files: TlsFiles, options: RenewalOptions) {
    this.#files = files;
    this.#options = options;
    this.#seen = this.#look();
    this.tls = { ...loadTlsFiles(files), onRenewed: (listener) => this.#subscribe(listener) };
    this.#timer = setInterval(() => this.#reload(), options.lookMs ?? LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #subscribe(listener: (tls: PeerTls) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Files that do not fit together may be in the middle of being replaced: the next change is looked at again. */
  #reload(): void {
    const seen = this.#look();
    if (seen === this.#seen) return;
    this.#seen = seen;
    const { logger } = this.#options;
    try {
      // Whoever uses it from now on gets what is new.
      Object.assign(this.tls, loadTlsFiles(this.#files));
      for (const listener of this.#listeners) listener(this.tls);
      logger.info(`the certificate of ${this.#files.cert} was renewed`);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      logger.warn(`the certificates stay as they were: ${detail}`);
    }
  }

  #look(): string {
    const states = pathsOf(this.#files).map((path) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found === undefined ? 'none' : `${found.ino} ${found.size} ${found.mtimeMs}`;
    });
    return states.join();
  }
}
