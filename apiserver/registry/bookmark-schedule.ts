/** When the bookmarks of one watch are due: about once a minute, and once more shortly before it ends. */

/** Between two bookmarks, in milliseconds. */
const INTERVAL_MS = 60_000;
/** The last one comes this long before the watch ends by its time-out, in milliseconds. */
const BEFORE_END_MS = 2000;

export class BookmarkSchedule {
  #next: number;
  /** Of the last one, in milliseconds since the epoch. */
  readonly #last: number;

  /** `now` in milliseconds since the epoch. */
  constructor(now: number, timeoutSeconds = Number.POSITIVE_INFINITY) {
    this.#last = now + timeoutSeconds * 1000 - BEFORE_END_MS;
    // Spread, so that watches opened together do not all get theirs in one moment.
    this.#next = this.#after(now, INTERVAL_MS * (0.9 + Math.random() * 0.1));
  }

  /** Milliseconds; not above 0: now; Infinity: there will be none any more. */
  dueIn(now: number): number {
    return this.#next - now;
  }

  /** One is sent now. */
  sent(now: number): void {
    this.#next = this.#after(now, INTERVAL_MS);
  }

  #after(now: number, interval: number): number {
    return this.#last <= now ? Number.POSITIVE_INFINITY : Math.min(now + interval, this.#last);
  }
}
