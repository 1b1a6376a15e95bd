/** Reads that wait until a cache has reached a revision. */
import { tooLargeResourceVersion } from '../errors.js';

/** How long a read waits, in milliseconds; as long as upstream. */
const CATCH_UP_MS = 3000;
/** How often the store is asked how far it is while reads wait, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;

interface Waiter {
  readonly revision: number;
  readonly done: () => void;
}

export class CatchUp {
  private readonly waiters = new Set<Waiter>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly askProgress: () => void,
    private readonly timeoutMs = CATCH_UP_MS,
  ) {}

  /** Rejects with StatusError 504 when the time is over; `current` says how far the cache is then. */
  wait(revision: number, current: () => number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters.delete(waiter);
        reject(tooLargeResourceVersion(revision, current()));
      }, this.timeoutMs);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      const waiter: Waiter = { revision, done };
      this.waiters.add(waiter);
      this.timer ??= setInterval(() => this.ask(), PROGRESS_INTERVAL_MS);
    });
  }

  reached(revision: number): void {
    for (const waiter of this.waiters) {
      if (waiter.revision > revision) continue;
      this.waiters.delete(waiter);
      waiter.done();
    }
  }

  /** Asks no more; who waits runs into the time-out. */
  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private ask(): void {
    if (this.waiters.size > 0) this.askProgress();
    else this.close();
  }
}
