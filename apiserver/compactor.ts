/**
 * Lets the store forget what is older than some minutes. All API servers over one store, upstream's too, agree by one key:
 * its version is the time of their common clock, and who raises it first compacts what was the store's revision a round
 * earlier. The others take that for their own last round, so that one of them goes on if the first does not.
 */
import type { Logger } from 'pino';
import type { EtcdClient, KeyValue } from '../storage/client/interface.js';
import { EtcdError } from '../storage/errors.js';

/** Upstream's, below no prefix. */
export const COMPACT_REVISION_KEY = 'compact_rev_key';

/** Calls back after so many milliseconds unless the function that it returns is called before. */
export type After = (ms: number, callback: () => void) => () => void;

export interface CompactorOptions {
  readonly client: Pick<EtcdClient, 'txn' | 'compact'>;
  /** Milliseconds between two rounds, and so the history that is kept at least; 0: all is kept. */
  readonly intervalMs: number;
  /** Told of each compacted revision, whoever compacted it. */
  readonly onCompacted: (revision: number) => void;
  readonly logger: Pick<Logger, 'debug' | 'warn'>;
  readonly after?: After;
}

const key = Buffer.from(COMPACT_REVISION_KEY);

const byTimer: After = (ms, callback) => {
  const timer = setTimeout(callback, ms).unref();
  return () => clearTimeout(timer);
};

export class Compactor {
  readonly #options: CompactorOptions;
  /** Of the key, when it was seen last; 0: it was not there. */
  #version = 0;
  /** To be compacted in the next round: the key was written at it. 0: nothing yet. */
  #revision = 0;
  #cancel: () => void = () => undefined;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#options.intervalMs > 0) this.#wait();
  }

  /** Resolves when no round is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#round;
  }

  #wait(): void {
    if (this.#stopped) return;
    const { after = byTimer, intervalMs } = this.#options;
    this.#cancel = after(intervalMs, () => {
      this.#round = this.#tryRound().then(() => this.#wait());
    });
  }

  async #tryRound(): Promise<void> {
    const { logger } = this.#options;
    try {
      await this.#takeRound();
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      if (!this.#stopped) logger.warn({ err: error }, 'old history could not be compacted, will try again');
    }
  }

  /**
   * What is compacted is always a revision at which the key was written, never any other: an etcd before 3.5.18 forgets a
   * deletion at the very revision that it is compacted at, and whoever watches from there would not hear of it.
   */
  async #takeRound(): Promise<void> {
    const { client, onCompacted } = this.#options;
    const revision = this.#revision;
    const { succeeded, header, responses } = await client.txn({
      compare: [{ key, target: 'version', result: 'equal', version: this.#version }],
      success: [{ type: 'put', key, value: Buffer.from(String(revision)) }],
      failure: [{ type: 'range', key }],
    });
    if (!succeeded) {
      const [read] = responses;
      this.#learn(read?.type === 'range' ? read.kvs[0] : undefined);
      return;
    }
    this.#version += 1;
    this.#revision = header.revision;
    if (revision === 0) return;
    await this.#compact(revision);
    onCompacted(revision);
  }

  /** Another server was first, or somebody removed the key. */
  #learn(kv: KeyValue | undefined): void {
    this.#version = kv?.version ?? 0;
    this.#revision = kv?.modRevision ?? 0;
    const compacted = kv === undefined ? 0 : Number(Buffer.from(kv.value).toString());
    if (Number.isSafeInteger(compacted) && compacted > 0) this.#options.onCompacted(compacted);
  }

  async #compact(revision: number): Promise<void> {
    const { client, logger } = this.#options;
    try {
      await client.compact({ revision });
      logger.debug({ revision }, 'compacted');
    } catch (error) {
      // The store's own compaction, or somebody by hand, went further.
      if (!(error instanceof EtcdError && error.is('Compacted'))) throw error;
    }
  }
}
