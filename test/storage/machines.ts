/** State machines without a log or a consensus: a test hands them entries and snapshots itself. */
import path from 'node:path';
import type { Database } from 'better-sqlite3';
import type { EntryType, LogEntry } from '../../raft/log/log.js';
import type { IncomingSnapshot, OutgoingSnapshot } from '../../raft/transport/transport.js';
import { encodeCommand, type Command } from '../../storage/command.js';
import { CHECKPOINT_LIMITS } from '../../storage/mvcc/checkpoint.js';
import { openLiveDatabase } from '../../storage/mvcc/files.js';
import { Generation } from '../../storage/mvcc/generation.js';
import { MvccMachine } from '../../storage/mvcc/machine.js';
import { insertMetadata, newMetadata } from '../../storage/mvcc/metadata.js';
import { FolderSnapshots } from '../../storage/snapshot/folder.js';
import { identity } from './fake-store.js';

const throwIt = (error: unknown) => {
  throw error;
};

export interface FolderMachine {
  readonly machine: MvccMachine;
  /** The live generation's. */
  readonly generation: () => Generation;
}

/** The state machine on a database in a folder, which must exist. */
export function folderMachine(
  folder: string,
  self = identity(),
  checkpointLimits = CHECKPOINT_LIMITS,
): FolderMachine {
  let newest: Generation;
  const open = (db: Database) => (newest = new Generation(db, { checkpointLimits, onFailure: throwIt }));
  const fill = (db: Database) => insertMetadata(db, newMetadata(self));
  const generation = open(openLiveDatabase({ folder, mayCreate: true, fill }));
  const snapshots = new FolderSnapshots({ folder, workerUrl: undefined, freshEntries: 10 });
  const machine = new MvccMachine({ generation, open, snapshots, onFailure: throwIt });
  return { machine, generation: () => newest };
}

/** A log that exists only to be applied. */
export class Entries {
  readonly all: LogEntry[] = [];

  constructor(public term = 1) {}

  add(command: Command): LogEntry {
    return this.addRaw('normal', encodeCommand(command));
  }

  addRaw(type: EntryType, payload: Uint8Array): LogEntry {
    const index = this.all.length + 1;
    const requestId = { session: 1n, counter: index };
    const entry: LogEntry = { format: 1, index, term: this.term, type, requestId, payload };
    this.all.push(entry);
    return entry;
  }

  put(key: string, value: string): LogEntry {
    return this.add({ type: 'put', request: { key: Buffer.from(key), value: Buffer.from(value) } });
  }

  /** Brings a machine to the end of the log, or to an index. */
  applyTo(machine: MvccMachine, through = this.all.length): void {
    const entries = this.all.slice(machine.applied.index, through);
    if (entries.length > 0) machine.apply(entries);
  }
}

export async function contentOf(snapshot: OutgoingSnapshot): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of snapshot.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A snapshot as it comes in at the other side. */
export function arriving(
  snapshot: OutgoingSnapshot,
  changes: Partial<IncomingSnapshot> = {},
): IncomingSnapshot {
  const { index, term, configuration, size } = snapshot;
  return {
    from: 1n,
    senderTerm: term,
    index,
    term,
    configuration,
    size,
    content: snapshot.read(),
    ...changes,
  };
}

/** Takes a copy of one machine and installs it in another. */
export async function transfer(from: MvccMachine, to: MvccMachine): Promise<void> {
  const snapshot = await from.snapshot();
  const staged = await to.stage(arriving(snapshot));
  await staged.install();
  await snapshot.release();
}

export const memberFile = (dataDir: string, file: string): string => path.join(dataDir, 'member', file);
