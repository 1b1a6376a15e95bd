import type { Effects } from '../core/effects.js';
import type { RaftLog } from '../log/log.js';

const RESOLVED = Promise.resolve();

/** Writes to the log, and what waits for them to be durable: in the order in which they were asked for. */
export class SyncQueue {
  /** Settles when everything given to the log so far is durable, or the log has failed. */
  #synced: Promise<void> = RESOLVED;
  #pending = 0;
  #ended = false;

  /**
   * @param onSynced called when more of the log is durable
   * @param onFailure called when the log has failed
   */
  constructor(
    private readonly log: RaftLog,
    private readonly onSynced: () => void,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  get synced(): Promise<void> {
    return this.#synced;
  }

  /** In the log at once, for the next step to see; on disk when `synced` settles. */
  write({ reset, truncateFrom, entries, hardState }: Effects): void {
    const written: Promise<void>[] = [];
    if (reset !== undefined) written.push(this.log.reset(reset.index, reset.term));
    if (truncateFrom !== undefined) written.push(this.log.truncateSuffix(truncateFrom));
    if (entries.length > 0 || hardState !== undefined) written.push(this.log.append(entries, hardState));
    if (written.length > 0) this.follow(written);
  }

  /** Counts what was given to the log elsewhere. */
  follow(written: readonly Promise<void>[]): void {
    this.#pending += 1;
    this.#synced = this.#await(written, this.#synced);
  }

  /** Calls once everything given to the log so far is durable: now, if it is. Never, if the log fails. */
  afterSync(callback: () => void): void {
    if (this.#pending === 0) callback();
    else void this.#call(this.#synced, callback);
  }

  /** Nothing is called any more. */
  end(): void {
    this.#ended = true;
  }

  async #await(written: readonly Promise<void>[], before: Promise<void>): Promise<void> {
    try {
      // One alone is the usual case.
      await (written.length === 1 ? written[0] : Promise.all(written));
      await before;
    } catch (error) {
      if (!this.#ended) this.onFailure(error);
    }
    this.#pending -= 1;
    if (!this.#ended) this.onSynced();
  }

  async #call(synced: Promise<void>, callback: () => void): Promise<void> {
    await synced;
    if (!this.#ended) callback();
  }
}
