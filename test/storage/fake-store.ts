import type { Database } from 'better-sqlite3';
import { encodeConfiguration, initialConfiguration } from '../../raft/core/configuration.js';
import type { Clock } from '../../storage/clock.js';
import { Generation } from '../../storage/mvcc/generation.js';
import { MvccMachine, type CommandResult } from '../../storage/mvcc/machine.js';
import { insertMetadata, newMetadata, type Identity } from '../../storage/mvcc/metadata.js';
import { createDatabase } from '../../storage/mvcc/schema.js';
import { startService, type ServiceOptions } from '../../storage/service.js';
import { MemorySnapshots } from '../../storage/snapshot/memory.js';
import { FakeConsensus } from './fake-consensus.js';

/** Time that stands still until it is moved. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ at: number; callback: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves on, and calls what is due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = end;
  }
}

/** Who a test's store is: member 1 of cluster 1, alone unless it says otherwise. */
export function identity(memberId = 1n, clusterId = 1n, others: readonly bigint[] = []): Identity {
  const members = [memberId, ...others].map((id) => ({
    id,
    name: '',
    peerUrls: [`http://${id}`],
    clientUrls: [],
  }));
  return { clusterId, memberId, configuration: encodeConfiguration(initialConfiguration(members)) };
}

/** The state machine on a database in memory. */
export function memoryMachine(self = identity()) {
  const onFailure = (error: unknown) => {
    throw error;
  };
  const open = (db: Database) => new Generation(db, { onFailure });
  const db = createDatabase(':memory:', (db) => insertMetadata(db, newMetadata(self)));
  const machine = new MvccMachine({
    generation: open(db),
    open,
    snapshots: new MemorySnapshots(),
    onFailure,
  });
  return { db, machine, history: machine.history };
}

/** The whole service on a database in memory, on a clock and a consensus that the test moves. */
export function fakeStore(options: Partial<ServiceOptions> = {}, self = identity()) {
  const { machine, history } = memoryMachine(self);
  const consensus = new FakeConsensus<CommandResult>(machine, self);
  const clock = new ManualClock();
  const service = startService(
    { machine, consensus, closeParts: () => machine.close() },
    { electionTimeoutMs: 1000, ...options, clock },
  );
  return { ...service, machine, history, consensus, clock };
}

/** Lets promises and immediates that are ready run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
