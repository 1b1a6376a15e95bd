import { setTimeout as sleep } from 'node:timers/promises';
import { BackupError } from '../backup/errors.js';
import type { EtcdClient, WatchEvent, WatchResponse, WatchStream } from '../client/interface.js';
import type { Keys } from './pages.js';
import type { Write, Writer } from './writer.js';

/** How often the source is asked how far the watch has come, while it is waited for. */
const PROGRESS_MS = 100;
/** An old etcd's word on progress cannot be trusted: there the watch has come as far as it can after such a silence. */
const SILENCE_MS = 1000;

export interface FollowerOptions extends Keys {
  readonly source: EtcdClient;
  readonly writer: Writer;
  /** The last revision that the target has. */
  readonly revision: number;
  readonly signal: AbortSignal;
  readonly onEvents: (count: number) => void;
}

/** Brings what is written to the source meanwhile to the target, by a watch. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #stream: WatchStream;
  readonly #responses: AsyncIterator<WatchResponse>;
  #next: Promise<IteratorResult<WatchResponse>> | undefined;
  /** Events of revisions that nobody has asked for yet, in order. */
  #held: readonly WatchEvent[] = [];
  #revision: number;

  constructor(options: FollowerOptions) {
    const { source, key, rangeEnd, revision, signal } = options;
    this.#options = options;
    this.#revision = revision;
    this.#stream = source.watch({ signal });
    this.#responses = this.#stream[Symbol.asyncIterator]();
    this.#stream.create({ key, rangeEnd, startRevision: revision + 1, fragment: true });
  }

  /** The target equals the source as of there. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * Gives the target everything up to `goal`, and nothing that came after it: what comes next, or progress, says that it is
   * all. @throws BackupError when the source has compacted what is missing, or the watch is cut
   */
  async until(goal: number): Promise<void> {
    while (this.#revision < goal) {
      await this.#write(goal);
      if (this.#held.length > 0) {
        this.#revision = goal;
        return;
      }
      const response = await this.#response();
      if (response === 'silence') this.#revision = goal;
      else this.#take(response);
    }
  }

  /** As above, and not content with what the source said before. */
  async untilAgain(goal: number): Promise<void> {
    this.#revision = goal - 1;
    await this.until(goal);
  }

  close(): void {
    this.#stream.close();
  }

  async #write(goal: number): Promise<void> {
    const beyond = this.#held.findIndex(({ kv }) => kv.modRevision > goal);
    const events = beyond < 0 ? this.#held : this.#held.slice(0, beyond);
    this.#held = beyond < 0 ? [] : this.#held.slice(beyond);
    if (events.length === 0) return;
    const { writer, onEvents } = this.#options;
    await writer.inOrder(
      events.map(({ type, kv }): Write => (type === 'put' ? { type, kv } : { type, key: kv.key })),
    );
    onEvents(events.length);
  }

  /** The next one of the watch. */
  async #response(): Promise<WatchResponse | 'silence'> {
    this.#next ??= this.#responses.next();
    const waiting = new AbortController();
    const silence = this.#askForProgress(waiting.signal);
    try {
      const result = await Promise.race([this.#next, silence]);
      if (result === 'silence') return result;
      this.#next = undefined;
      if (result.done === true) throw await this.#ended();
      return result.value;
    } finally {
      waiting.abort();
    }
  }

  /** Asks again and again; resolves only where there is nothing but silence to go by. */
  async #askForProgress(signal: AbortSignal): Promise<'silence'> {
    const started = performance.now();
    for (;;) {
      await sleep(PROGRESS_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return 'silence';
      const isPromised = this.#stream.requestProgress();
      if (!isPromised && performance.now() - started > SILENCE_MS) return 'silence';
    }
  }

  #take(response: WatchResponse): void {
    const { canceled = false, created = false, compactRevision = 0, cancelReason = '', events } = response;
    if (compactRevision > 0) throw compactedMeanwhile();
    if (canceled) throw new BackupError(`the source ended the watch: ${cancelReason}`);
    if (events.length > 0) this.#held = events;
    // Progress: everything up to this revision has been told. An answer with events may be one of several.
    else if (!created) this.#revision = Math.max(this.#revision, response.header.revision);
  }

  async #ended(): Promise<Error> {
    const error = await this.#stream.closed;
    return new BackupError(`the source ended the watch: ${error?.message ?? 'it was closed'}`);
  }
}

export function compactedMeanwhile(): BackupError {
  return new BackupError(
    'the source has compacted what was being read; run it again with --overwrite, with compaction on the source at rest or less frequent',
  );
}
