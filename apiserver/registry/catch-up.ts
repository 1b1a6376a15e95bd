/** Reads that wait until a cache has reached a revision. */
import { tooLargeResourceVersion } from '../errors.js';
import type { WantedRevision } from './types.js';

/** How long a read waits, in milliseconds; as long as upstream. */
const CATCH_UP_MS = 3000;
/** How often the store is asked how far it is while reads wait, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;

interface Waiter {
  readonly revision: WantedRevision;
  /** It waits for events only, which come whether or not the store can say how far they go. */
  readonly eventsOnly: boolean;
  readonly done: (isReached: boolean) => void;
}

export class CatchUp {
  private readonly waiters = new Set<Waiter>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    /** False: the store cannot say it. */
    private readonly askProgress: () => boolean,
    private readonly timeoutMs = CATCH_UP_MS,
  ) {}

  /**
   * Resolves with false where the store turns out not to say how far it has told of events. Rejects with StatusError 504
   * when the time is over; `current` says how far the cache is then.
   */
  wait(
    revision: WantedRevision,
    current: () => number,
    { eventsOnly }: { readonly eventsOnly: boolean },
  ): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters.delete(waiter);
        reject(tooLargeResourceVersion(revision, current()));
      }, this.timeoutMs);
      const done = (isReached: boolean) => {
        clearTimeout(timer);
        resolve(isReached);
      };
      const waiter: Waiter = { revision, eventsOnly, done };
      this.waiters.add(waiter);
      this.timer ??= setInterval(() => this.ask(), PROGRESS_INTERVAL_MS);
    });
  }

  reached(revision: number): void {
    for (const waiter of this.waiters) {
      if (waiter.revision <= revision) this.end(waiter, true);
    }
  }

  /** Asks no more; who waits runs into the time-out. */
  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private ask(): void {
    if (this.waiters.size === 0) return this.close();
    if (this.askProgress()) return;
    for (const waiter of this.waiters) if (!waiter.eventsOnly) this.end(waiter, false);
  }

  private end(waiter: Waiter, isReached: boolean): void {
    this.waiters.delete(waiter);
    waiter.done(isReached);
  }
}
