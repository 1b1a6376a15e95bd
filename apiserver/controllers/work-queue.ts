/**
 * Keys to be looked at: each once at a time, again when it was added meanwhile, and later, ever less often, when
 * looking at it failed.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

const BACKOFF_MS_MIN = 20;
const BACKOFF_MS_MAX = 5_000;
/** Keys that need no waiting are looked at for so long before others get their turn of the event loop. */
const TURN_MS_MAX = 4;

export interface WorkQueueOptions<K> {
  /** Brings what `key` names to where it should be. `false`: not there yet, look again later. */
  reconcile(key: K): Promise<boolean>;
  /** Told of each failure; the key is tried again in any case. */
  onError(key: K, error: unknown): void;
  readonly signal: AbortSignal;
  /** Keys looked at at the same time, so that their writes share the store's commits; 1 when absent. */
  readonly workers?: number;
  /** The longest pause before a key is looked at again, in milliseconds. */
  readonly backoffMsMax?: number;
}

export class WorkQueue<K = string> {
  private readonly pending = new Set<K>();
  private readonly busy = new Set<K>();
  /** Added while they were being looked at. */
  private readonly again = new Set<K>();
  private readonly failures = new Map<K, number>();
  private working = 0;
  private waiting: (() => void)[] = [];
  private turn: Promise<void> | undefined;
  private turnEnds = 0;

  constructor(private readonly options: WorkQueueOptions<K>) {}

  add(key: K): void {
    if (this.busy.has(key)) {
      this.again.add(key);
      return;
    }
    this.pending.add(key);
    if (this.working < (this.options.workers ?? 1)) void this.work();
  }

  /** Adds it when the delay is over, unless the queue is stopped by then. */
  async addAfter(key: K, delayMs: number): Promise<void> {
    const { signal } = this.options;
    await sleep(delayMs, undefined, { signal, ref: false }).then(
      () => this.add(key),
      () => undefined,
    );
  }

  /** Resolves when nothing is being worked on. */
  async idle(): Promise<void> {
    if (this.working > 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private async work(): Promise<void> {
    this.working += 1;
    // Whoever adds a key goes on first, and adds what else there is.
    await Promise.resolve();
    for (const key of this.pending) {
      if (this.options.signal.aborted) break;
      this.pending.delete(key);
      this.busy.add(key);
      await this.look(key);
      this.busy.delete(key);
      if (this.again.delete(key)) this.pending.add(key);
      if (performance.now() >= this.turnEnds) await (this.turn ??= this.nextTurn());
    }
    this.working -= 1;
    if (this.working === 0) for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** One for all workers, which share its time. */
  private async nextTurn(): Promise<void> {
    await nextTurn();
    this.turn = undefined;
    this.turnEnds = performance.now() + TURN_MS_MAX;
  }

  private async look(key: K): Promise<void> {
    const { options } = this;
    try {
      if (await options.reconcile(key)) {
        this.failures.delete(key);
        return;
      }
    } catch (error) {
      if (options.signal.aborted) return;
      options.onError(key, error);
    }
    const failures = this.failures.get(key) ?? 0;
    this.failures.set(key, failures + 1);
    void this.addAfter(key, Math.min(options.backoffMsMax ?? BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** failures));
  }
}
