import { BackupError } from '../backup/errors.js';
import type { EtcdClient, WatchResponse, WatchStream } from '../client/interface.js';
import type { Keys } from './pages.js';
import type { Write, Writer } from './writer.js';

/** How often the source is asked how far the watch has come, while it is waited for. */
const PROGRESS_MS = 100;

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
  #revision: number;

  constructor(options: FollowerOptions) {
    const { source, key, rangeEnd, revision, signal } = options;
    this.#options = options;
    this.#revision = revision;
    this.#stream = source.watch({ signal });
    this.#responses = this.#stream[Symbol.asyncIterator]();
    this.#stream.create({ key, rangeEnd, startRevision: revision + 1, fragment: true });
  }

  /** The target has everything up to there. */
  get revision(): number {
    return this.#revision;
  }

  /** @throws BackupError when the source has compacted what is missing, or the watch is cut */
  async until(goal: number): Promise<void> {
    const asking = setInterval(() => this.#stream.requestProgress(), PROGRESS_MS);
    try {
      while (this.#revision < goal) {
        const { done, value } = await this.#responses.next();
        if (done === true) throw await this.#ended();
        await this.#take(value);
      }
    } finally {
      clearInterval(asking);
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

  async #take(response: WatchResponse): Promise<void> {
    const { canceled = false, created = false, compactRevision = 0, cancelReason = '', events } = response;
    if (compactRevision > 0) throw compactedMeanwhile();
    if (canceled) throw new BackupError(`the source ended the watch: ${cancelReason}`);
    if (events.length > 0) {
      const writes = events.map(
        ({ type, kv }): Write => (type === 'put' ? { type, kv } : { type, key: kv.key }),
      );
      await this.#options.writer.inOrder(writes);
      this.#options.onEvents(events.length);
    } else if (!created) {
      // Progress: everything up to this revision has been told. An answer with events may be one of several.
      this.#revision = Math.max(this.#revision, response.header.revision);
    }
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
