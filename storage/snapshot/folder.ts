import fs from 'node:fs';
import path from 'node:path';
import type { IncomingSnapshot, OutgoingSnapshot } from '../../raft/transport/transport.js';
import { databaseName, generationOf, readCurrent, removeDatabase, switchCurrent } from '../mvcc/files.js';
import type { Generation } from '../mvcc/generation.js';
import { openDatabase } from '../mvcc/schema.js';
import { Copies, type CopiesOptions } from './copies.js';
import { contentOf } from './content.js';
import {
  SnapshotError,
  type CopyOptions,
  type Owner,
  type SnapshotStore,
  type StagedDatabase,
} from './snapshots.js';
import { runTask } from './task.js';

export type FolderSnapshotsOptions = CopiesOptions;

/**
 * Snapshots of a member that keeps its files in a folder. What comes in is written to a database of the next generation,
 * which a start removes as long as CURRENT does not name it: that name is the only thing that an install changes, so a
 * crash leaves the old state or the new one.
 */
export class FolderSnapshots implements SnapshotStore {
  readonly #options: FolderSnapshotsOptions;
  readonly #copies: Copies;
  /** Snapshots that are being taken in. */
  readonly #staging = new Set<Promise<void>>();
  /** The newest generation that has a file, or had one in this process. */
  #generation: number;

  constructor(options: FolderSnapshotsOptions) {
    this.#options = options;
    this.#copies = new Copies(options);
    this.#generation = generationOf(readCurrent(options.folder));
  }

  copy(generation: Generation, options?: CopyOptions): Promise<OutgoingSnapshot> {
    return this.#copies.take(generation, options);
  }

  async stage(incoming: IncomingSnapshot, owner: Owner): Promise<StagedDatabase> {
    const { folder } = this.#options;
    this.#generation += 1;
    const name = databaseName(this.#generation);
    const adopting = this.#adopt(name, incoming, owner);
    this.#staging.add(adopting);
    try {
      await adopting;
    } finally {
      this.#staging.delete(adopting);
    }
    const file = path.join(folder, name);
    let previous: string | undefined;
    return {
      open: () => openDatabase(file),
      makeLive: () => {
        previous = readCurrent(folder);
        switchCurrent(folder, name);
      },
      removeOld: async () => {
        if (previous !== undefined) await removeDatabase(folder, previous);
      },
      discard: () => removeDatabase(folder, name),
    };
  }

  /** What is being taken in ends with its sender. */
  async close(): Promise<void> {
    await this.#copies.close();
    await Promise.allSettled(this.#staging);
  }

  async #adopt(name: string, incoming: IncomingSnapshot, owner: Owner): Promise<void> {
    const { folder, workerUrl } = this.#options;
    const file = path.join(folder, name);
    try {
      await write(file, incoming);
      const { index, term, configuration } = incoming;
      const expected = { index, term, configuration, ...owner };
      await runTask({ type: 'adopt', path: file, expected }, workerUrl);
    } catch (error) {
      await removeDatabase(folder, name);
      throw asSnapshotError(error);
    }
  }
}

async function write(file: string, incoming: IncomingSnapshot): Promise<void> {
  const handle = await fs.promises.open(file, 'wx', 0o600);
  try {
    for await (const chunk of contentOf(incoming)) await handle.writeFile(chunk);
  } finally {
    await handle.close();
  }
}

function asSnapshotError(error: unknown): SnapshotError {
  if (error instanceof SnapshotError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SnapshotError('failed', `the snapshot cannot be stored (${message})`, { cause: error });
}
