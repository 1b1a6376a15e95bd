/** Time and turns of the event loop as the driver sees them, so that a simulation can own both. */
export interface Clock {
  /** Milliseconds that never go back, from an arbitrary start. */
  now(): number;
  /** Calls once after so many milliseconds. Returns a function that cancels. */
  after(ms: number, callback: () => void): () => void;
  /** Calls once the input and output that waits now has been handled. */
  nextTurn(callback: () => void): void;
}

/** Longest delay that Node's timers take; longer ones would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), TIMER_MS_MAX));
    return () => clearTimeout(timer);
  },
  nextTurn: (callback) => void setImmediate(callback),
};
