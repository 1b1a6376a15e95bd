import type { OutgoingSnapshot, Transport } from '../transport/transport.js';
import type { StateMachine } from './consensus.js';

export interface SnapshotSenderOptions {
  readonly machine: Pick<StateMachine<unknown>, 'snapshot'>;
  readonly transport: Pick<Transport, 'sendSnapshot'>;
  readonly term: () => number;
  /** How it ended: the index that the member has now, or undefined if it failed. */
  readonly onEnd: (member: bigint, index: number | undefined, error: unknown) => void;
}

interface Sending {
  /** What the copy holds; until it is made, what it will hold at least. */
  index: number;
  readonly abort: AbortController;
}

/** Brings snapshots to followers, one at a time to each. */
export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #sending = new Map<bigint, Sending>();
  /** Also those that others have taken the place of. */
  readonly #running = new Set<Promise<void>>();

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  /** The log behind this index will be needed by whoever is getting a snapshot; Infinity if nobody is. */
  get neededFrom(): number {
    let needed = Infinity;
    for (const { index } of this.#sending.values()) needed = Math.min(needed, index + 1);
    return needed;
  }

  /** @param applied what the copy will hold at least */
  send(member: bigint, applied: number): void {
    this.#sending.get(member)?.abort.abort();
    const sending = { index: applied, abort: new AbortController() };
    this.#sending.set(member, sending);
    const running = this.#send(member, sending).then(
      (index) => this.#end(member, sending, index, undefined),
      (error: unknown) => this.#end(member, sending, undefined, error),
    );
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }

  stop(): void {
    for (const { abort } of this.#sending.values()) abort.abort();
  }

  /** Resolves when the machine is left alone. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #send(member: bigint, sending: Sending): Promise<number> {
    const { machine, transport, term } = this.#options;
    const { signal } = sending.abort;
    const snapshot: OutgoingSnapshot = await machine.snapshot();
    // One that was made for another member may be older.
    sending.index = snapshot.index;
    try {
      signal.throwIfAborted();
      await transport.sendSnapshot(member, term(), snapshot, signal);
      return snapshot.index;
    } finally {
      await snapshot.release();
    }
  }

  #end(member: bigint, sending: object, index: number | undefined, error: unknown): void {
    if (this.#sending.get(member) !== sending) return;
    this.#sending.delete(member);
    this.#options.onEnd(member, index, error);
  }
}
