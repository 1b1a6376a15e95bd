import { encodeConfiguration, initialConfiguration } from '../../raft/core/configuration.js';
import type { LogPosition, StagedSnapshot, StateMachine } from '../../raft/node/consensus.js';
import type { IncomingSnapshot, OutgoingSnapshot } from '../../raft/transport/transport.js';
import type { LogEntry, RaftLog } from '../../raft/log/log.js';

/** A state machine that keeps what it was given, and sees for itself that it may be given it. */
export class RecordingMachine implements StateMachine<string> {
  applied: LogPosition;
  durable: LogPosition;
  installedSnapshot = false;
  /** Of a cluster in which member 7 is alone. */
  configuration = encodeConfiguration(
    initialConfiguration([{ id: 7n, name: '', peerUrls: [], clientUrls: [] }]),
  );
  /** Sizes of the batches. */
  readonly batches: number[] = [];
  /** Payloads of the normal entries, in order. */
  readonly payloads: string[] = [];
  readonly violations: string[] = [];
  failWith: Error | undefined;
  #hold: Promise<void> | undefined;
  #letGo: () => void = () => undefined;
  #listener: ((durable: LogPosition) => void) | undefined;

  /** @param log asked at every apply whether the entries are durable. */
  constructor(
    private readonly log: RaftLog,
    applied: LogPosition = { index: 0, term: 0 },
  ) {
    this.applied = applied;
    this.durable = applied;
  }

  apply(entries: readonly LogEntry[]): (string | undefined)[] {
    if (this.failWith !== undefined) throw this.failWith;
    if (this.#hold !== undefined) this.violations.push('applied while it was not ready');
    this.batches.push(entries.length);
    return entries.map(({ index, term, type, payload }) => {
      if (index !== this.applied.index + 1) this.violations.push(`${index} after ${this.applied.index}`);
      if (index > this.log.durableIndex) this.violations.push(`${index} before it was durable`);
      this.applied = { index, term };
      if (type !== 'normal') return undefined;
      const text = Buffer.from(payload).toString();
      this.payloads.push(text);
      return `did ${text}`;
    });
  }

  ready(): Promise<void> | undefined {
    return this.#hold;
  }

  /** Not ready until `letGo`. */
  hold(): void {
    this.#hold ??= new Promise((resolve) => (this.#letGo = resolve));
  }

  letGo(): void {
    this.#hold = undefined;
    this.#letGo();
  }

  onDurable(listener: (durable: LogPosition) => void): () => void {
    this.#listener = listener;
    return () => (this.#listener = undefined);
  }

  snapshot(): Promise<OutgoingSnapshot> {
    return Promise.reject(new Error('nobody else is there'));
  }

  stage(_snapshot: IncomingSnapshot): Promise<StagedSnapshot> {
    return Promise.reject(new Error('nobody else is there'));
  }

  get hasListener(): boolean {
    return this.#listener !== undefined;
  }

  moveDurable(index: number, term: number): void {
    this.durable = { index, term };
    this.#listener?.(this.durable);
  }
}
