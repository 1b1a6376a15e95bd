import { invariant } from '../../raft/invariant.js';
import type { LogEntry } from '../../raft/log/log.js';
import type { LogPosition, StagedSnapshot, StateMachine } from '../../raft/node/consensus.js';
import type { IncomingSnapshot, OutgoingSnapshot } from '../../raft/transport/transport.js';
import type { CommandResult } from './command.js';
import { applyEntry, decodeState, encodeState, type MachineState } from './machine-state.js';
import type { Process } from './process.js';
import type { Random } from './random.js';

/** What a member's disk holds of its store, whatever happens to the process. */
export interface MachineDisk {
  state: MachineState;
}

/** How the store behaves. */
export interface MachineTimes {
  /** Milliseconds from one checkpoint to the next, on average: how far `durable` lies behind. */
  readonly checkpointMs: number;
  /** Milliseconds of each step of making, staging and installing a snapshot, on average. */
  readonly snapshotMs: number;
  /** How often the store asks for a moment before the next batch. */
  readonly busyChance: number;
}

export interface SimulatedMachineOptions {
  readonly process: Process;
  readonly disk: MachineDisk;
  readonly times: MachineTimes;
  readonly random: Random;
  readonly watcher: MachineWatcher;
  /** A place where this process may crash. */
  readonly crashPoint: (place: string) => void;
}

export interface MachineWatcher {
  /** Before the entries are applied. */
  applying(entries: readonly LogEntry[]): void;
  /** The state is now that of this position. */
  reached(state: MachineState): void;
  /** Before a snapshot takes the place of `state`. */
  installing(snapshot: MachineState, state: MachineState): void;
}

/** Bytes of a snapshot in one chunk; small, so that transfers have a middle. */
const CHUNK_BYTES = 64;

/** A key-value store in memory, whose disk lags behind it and is all that a crash leaves. */
export class SimulatedMachine implements StateMachine<CommandResult> {
  readonly #process: Process;
  readonly #disk: MachineDisk;
  readonly #times: MachineTimes;
  readonly #random: Random;
  readonly #watcher: MachineWatcher;
  readonly #crashPoint: (place: string) => void;
  readonly #listeners = new Set<(durable: LogPosition) => void>();
  #state: MachineState;
  #durable: LogPosition;
  /** States between `durable` and `applied`, oldest first: a crash goes back to any of them. */
  #unsynced: MachineState[] = [];
  #checkpointing = false;
  #installing = false;
  /** Snapshots given out and not released. */
  snapshotsOut = 0;

  constructor(options: SimulatedMachineOptions) {
    this.#process = options.process;
    this.#disk = options.disk;
    this.#times = options.times;
    this.#random = options.random;
    this.#watcher = options.watcher;
    this.#crashPoint = options.crashPoint;
    this.#state = options.disk.state;
    this.#durable = this.#state.applied;
  }

  get applied(): LogPosition {
    return this.#state.applied;
  }

  get durable(): LogPosition {
    return this.#durable;
  }

  get installedSnapshot(): boolean {
    return this.#state.installedSnapshot;
  }

  get configuration(): Uint8Array {
    return this.#state.configuration;
  }

  get state(): MachineState {
    return this.#state;
  }

  get(key: string): string | undefined {
    return this.#state.values.get(key);
  }

  apply(entries: readonly LogEntry[]): (CommandResult | undefined)[] {
    invariant(!this.#installing, 'applied while a snapshot is being installed');
    this.#watcher.applying(entries);
    const values = new Map(this.#state.values);
    const results = entries.map((entry) => {
      const { state, result } = applyEntry(this.#state, entry, values);
      this.#state = state;
      this.#watcher.reached(state);
      return result;
    });
    this.#unsynced.push(this.#state);
    this.#scheduleCheckpoint();
    this.#crashPoint('after apply');
    return results;
  }

  ready(): Promise<void> | undefined {
    if (!this.#random.chance(this.#times.busyChance)) return undefined;
    return this.#process.sleep(this.#random.exponential(this.#times.snapshotMs));
  }

  onDurable(listener: (durable: LogPosition) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async snapshot(): Promise<OutgoingSnapshot> {
    await this.#pause();
    const { applied, configuration } = this.#state;
    const content = encodeState(this.#state);
    this.snapshotsOut += 1;
    let released = false;
    return {
      ...applied,
      configuration,
      size: content.length,
      read: () => this.#read(content),
      release: () => {
        if (!released) this.snapshotsOut -= 1;
        released = true;
        return Promise.resolve();
      },
    };
  }

  async *#read(content: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < content.length; start += CHUNK_BYTES) {
      yield content.subarray(start, start + CHUNK_BYTES);
      await this.#process.sleep(this.#random.uniform(0, 0.1));
    }
  }

  async stage(snapshot: IncomingSnapshot): Promise<StagedSnapshot> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of snapshot.content) chunks.push(chunk);
    const content = Buffer.concat(chunks);
    if (content.length !== snapshot.size) throw new Error('the snapshot did not arrive whole');
    const staged = decodeState(content);
    await this.#pause();
    return { install: () => this.#install(staged), discard: () => this.#pause() };
  }

  async #install(staged: MachineState): Promise<void> {
    this.#installing = true;
    await this.#pause();
    this.#watcher.installing(staged, this.#state);
    this.#disk.state = staged;
    this.#unsynced = [];
    this.#crashPoint('snapshot durable');
    await this.#pause();
    this.#state = staged;
    this.#durable = staged.applied;
    this.#watcher.reached(staged);
    this.#installing = false;
  }

  /** What a crash leaves: any state between the durable and the last one, of which the disk may have had time to write. */
  crash(): void {
    const survivors = [this.#disk.state, ...this.#unsynced];
    this.#disk.state = this.#random.pick(survivors);
  }

  #scheduleCheckpoint(): void {
    if (this.#checkpointing) return;
    this.#checkpointing = true;
    this.#process.after(this.#random.exponential(this.#times.checkpointMs), () => {
      this.#checkpointing = false;
      const last = this.#unsynced.at(-1);
      // An install has made everything durable meanwhile.
      if (last === undefined) return;
      this.#disk.state = last;
      this.#unsynced = [];
      this.#durable = last.applied;
      this.#process.world.count('checkpoints');
      for (const listener of this.#listeners) listener(this.#durable);
    });
  }

  #pause(): Promise<void> {
    return this.#process.sleep(this.#random.exponential(this.#times.snapshotMs));
  }
}
