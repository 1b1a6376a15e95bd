import type { Clock } from '../../storage/clock.js';
import { Compactor } from '../../storage/mvcc/compactor.js';
import { SqliteHistory } from '../../storage/mvcc/history.js';
import { MvccMachine, type CommandResult, type Durability } from '../../storage/mvcc/machine.js';
import { insertMetadata, newMetadata, readMetadata } from '../../storage/mvcc/metadata.js';
import { createDatabase } from '../../storage/mvcc/schema.js';
import { startService, type ServiceOptions } from '../../storage/service.js';
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

const IN_MEMORY: Durability = {
  position: { index: 0, term: 0 },
  committed: () => undefined,
  hold: undefined,
  onDurable: () => () => undefined,
};

/** The state machine on a database in memory. */
export function memoryMachine() {
  const db = createDatabase(':memory:', (db) => insertMetadata(db, newMetadata(1n, 1n)));
  const machine = new MvccMachine(db, readMetadata(db), IN_MEMORY);
  return { db, machine, history: new SqliteHistory(db, machine.store) };
}

/** The whole service on a database in memory, on a clock and a consensus that the test moves. */
export function fakeStore(options: Omit<ServiceOptions, 'clock'> = {}) {
  const { db, machine, history } = memoryMachine();
  const consensus = new FakeConsensus<CommandResult>(machine);
  const clock = new ManualClock();
  const compactor = new Compactor({
    db,
    removed: -1,
    compacted: () => machine.store.compacted,
    sequenceOf: (revision) => history.sequenceOf(revision),
    hold: () => undefined,
    committed: () => undefined,
    onFailure: (error) => {
      throw error;
    },
  });
  const closeParts = () => {
    compactor.close();
    db.close();
    return Promise.resolve();
  };
  const service = startService(
    { db, machine, history, compactor, consensus, closeParts },
    { ...options, clock },
  );
  return { ...service, db, machine, history, consensus, clock };
}

/** Lets promises and immediates that are ready run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
