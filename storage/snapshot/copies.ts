import fs from 'node:fs';
import path from 'node:path';
import { invariant } from '../../raft/invariant.js';
import type { OutgoingSnapshot } from '../../raft/transport/transport.js';
import type { Generation } from '../mvcc/generation.js';
import { copyName } from '../mvcc/files.js';
import type { CopyOutcome } from './messages.js';
import { SnapshotError, type CopyOptions } from './snapshots.js';
import { runTask } from './task.js';

/** Bytes read at once when a copy is sent. */
const READ_BYTES = 256 * 1024;

interface Copy {
  readonly file: string;
  readonly made: Promise<CopyOutcome>;
  /** Undefined while it is being made. */
  outcome: CopyOutcome | undefined;
  /** Snapshots given out and not released. */
  users: number;
}

export interface CopiesOptions {
  readonly folder: string;
  readonly workerUrl: URL | undefined;
  /** A finished copy is given out again while no more entries than this were applied since. */
  readonly freshEntries: number;
}

/**
 * Copies of the live database, each in a file of its own that is removed when the last of its readers is done. Followers
 * that ask at the same time share one.
 */
export class Copies {
  readonly #options: CopiesOptions;
  readonly #copies = new Set<Copy>();
  #newest: Copy | undefined;
  #count = 0;
  #closed = false;

  constructor(options: CopiesOptions) {
    this.#options = options;
  }

  async take(generation: Generation, { newest = false }: CopyOptions = {}): Promise<OutgoingSnapshot> {
    if (this.#closed) throw new SnapshotError('failed', 'the store is closing');
    const copy = this.#shareable(generation.applied.index, newest) ?? this.#make(generation);
    copy.users += 1;
    let released: Promise<void> | undefined;
    const release = () => (released ??= this.#release(copy));
    try {
      const { index, term, configuration, size } = await copy.made;
      const read = () => fs.createReadStream(copy.file, { highWaterMark: READ_BYTES });
      return { index, term, configuration, size, read, release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const copies = [...this.#copies];
    await Promise.allSettled(copies.map(({ made }) => made));
    await Promise.all(copies.map((copy) => this.#remove(copy)));
  }

  #shareable(applied: number, newest: boolean): Copy | undefined {
    const copy = this.#newest;
    // One that is being made is of some moment since it was asked for.
    if (copy?.outcome === undefined) return newest ? undefined : copy;
    if (newest) return copy.outcome.index >= applied ? copy : undefined;
    return applied - copy.outcome.index <= this.#options.freshEntries ? copy : undefined;
  }

  #make(generation: Generation): Copy {
    this.#count += 1;
    const file = path.join(this.#options.folder, copyName(this.#count));
    const copy: Copy = { file, made: this.#run(generation, file), outcome: undefined, users: 0 };
    copy.made.then(
      (outcome) => (copy.outcome = outcome),
      () => undefined,
    );
    this.#copies.add(copy);
    this.#newest = copy;
    return copy;
  }

  async #run({ db, durability }: Generation, to: string): Promise<CopyOutcome> {
    const end = durability.reading();
    try {
      const outcome = await runTask({ type: 'copy', from: db.name, to }, this.#options.workerUrl);
      invariant(outcome.type === 'copied', 'a copy ended as something else');
      return outcome;
    } finally {
      end();
    }
  }

  async #release(copy: Copy): Promise<void> {
    copy.users -= 1;
    if (copy.users > 0) return;
    if (this.#newest === copy) this.#newest = undefined;
    await this.#remove(copy);
  }

  async #remove(copy: Copy): Promise<void> {
    this.#copies.delete(copy);
    await fs.promises.rm(copy.file, { force: true });
  }
}
