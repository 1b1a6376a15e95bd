/**
 * Keys to be looked at: each once at a time, again when it was added meanwhile, and later, ever less often, when
 * looking at it failed. One worker, since controllers write little and in turn.
 */
import { setTimeout as sleep } from 'node:timers/promises';

const BACKOFF_MS_MIN = 20;
const BACKOFF_MS_MAX = 5_000;

export interface WorkQueueOptions {
  /** Brings what `key` names to where it should be. `false`: not there yet, look again later. */
  reconcile(key: string): Promise<boolean>;
  /** Told of each failure; the key is tried again in any case. */
  onError(key: string, error: unknown): void;
  readonly signal: AbortSignal;
}

export class WorkQueue {
  private readonly pending = new Set<string>();
  private readonly failures = new Map<string, number>();
  private working: Promise<void> | undefined;

  constructor(private readonly options: WorkQueueOptions) {}

  add(key: string): void {
    this.pending.add(key);
    this.working ??= this.work();
  }

  /** Resolves when nothing is being worked on. */
  async idle(): Promise<void> {
    await this.working;
  }

  private async work(): Promise<void> {
    // Whoever adds a key goes on first, and adds what else there is.
    await Promise.resolve();
    for (const key of this.pending) {
      if (this.options.signal.aborted) break;
      this.pending.delete(key);
      await this.look(key);
    }
    this.working = undefined;
  }

  private async look(key: string): Promise<void> {
    try {
      if (await this.options.reconcile(key)) {
        this.failures.delete(key);
        return;
      }
    } catch (error) {
      if (this.options.signal.aborted) return;
      this.options.onError(key, error);
    }
    const failures = this.failures.get(key) ?? 0;
    this.failures.set(key, failures + 1);
    void this.addLater(key, Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** failures));
  }

  private async addLater(key: string, delayMs: number): Promise<void> {
    const { signal } = this.options;
    await sleep(delayMs, undefined, { signal, ref: false }).then(
      () => this.add(key),
      () => undefined,
    );
  }
}
