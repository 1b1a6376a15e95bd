import type { Clock } from '../clock.js';
import { invariant } from '../invariant.js';
import type { LogEntry, RaftLog } from '../log/log.js';
import type { StateMachine } from './consensus.js';

/** Bounds on one apply, which blocks the event loop: entries, and bytes of payload. */
export const APPLY_ENTRIES_MAX = 256;
export const APPLY_BYTES_MAX = 2 * 2 ** 20;

const RESOLVED = Promise.resolve();

export interface ApplierOptions<R> {
  readonly log: RaftLog;
  readonly machine: StateMachine<R>;
  readonly clock: Clock;
  readonly committed: () => number;
  /** Told after each batch. */
  readonly onApplied: (entries: readonly LogEntry[], results: readonly (R | undefined)[]) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Hands what is committed, and durable in the own log, to the state machine: in order, batch by batch. */
export class Applier<R> {
  readonly #options: ApplierOptions<R>;
  #running: Promise<void> = RESOLVED;
  #isRunning = false;
  #held = 0;
  #stopped = false;

  constructor(options: ApplierOptions<R>) {
    this.#options = options;
  }

  get applied(): number {
    return this.#options.machine.applied.index;
  }

  /** There may be something to apply. At most one loop runs; it goes on while there is. */
  wake(): void {
    if (this.#isRunning || !this.#hasWork()) return;
    this.#running = this.#run().catch((error: unknown) => {
      this.#stopped = true;
      this.#options.onFailure(error);
    });
  }

  /** Resolves when nothing is being applied; nothing will be until the function that it gives is called. */
  async hold(): Promise<() => void> {
    this.#held += 1;
    await this.#running;
    return () => {
      this.#held -= 1;
      this.wake();
    };
  }

  /** Resolves when the loop has ended, with all applied that was committed. */
  idle(): Promise<void> {
    return this.#running;
  }

  stop(): void {
    this.#stopped = true;
  }

  #through(): number {
    return Math.min(this.#options.committed(), this.#options.log.durableIndex);
  }

  #hasWork(): boolean {
    return !this.#stopped && this.#held === 0 && this.applied < this.#through();
  }

  /**
   * Never holds the event loop for longer than one batch, nor suspends while a batch can go at once. The loop's end and
   * the flag's fall are one step, so that no commit falls between them.
   */
  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      while (this.#hasWork()) {
        const held = this.#options.machine.ready();
        if (held !== undefined) await held;
        const batch = this.#nextBatch();
        const entries = Array.isArray(batch) ? batch : await batch;
        if (this.#stopped) return;
        this.#apply(entries);
        if (this.#hasWork()) await new Promise<void>((resolve) => this.#options.clock.nextTurn(resolve));
      }
    } finally {
      this.#isRunning = false;
    }
  }

  #nextBatch(): LogEntry[] | Promise<LogEntry[]> {
    const { log } = this.#options;
    const from = this.applied + 1;
    const through = Math.min(this.#through(), this.applied + APPLY_ENTRIES_MAX);
    if (from >= log.residentIndex) return log.read(from, through, APPLY_BYTES_MAX);
    return log.readOld(from, through, APPLY_BYTES_MAX);
  }

  #apply(entries: readonly LogEntry[]): void {
    const { log, machine, committed, onApplied } = this.#options;
    const first = entries[0];
    const last = entries.at(-1);
    invariant(first !== undefined && last !== undefined, 'the log has no committed entry to apply');
    invariant(first.index === this.applied + 1, `entry ${first.index} is applied out of order`);
    invariant(last.index <= committed(), `entry ${last.index} is applied and not committed`);
    invariant(last.index <= log.durableIndex, `entry ${last.index} is applied before it is durable`);
    const results = machine.apply(entries);
    invariant(results.length === entries.length, 'apply returned a result too many or too few');
    invariant(machine.applied.index === last.index, 'apply did not move the applied index');
    log.release(last.index);
    onApplied(entries, results);
  }
}
