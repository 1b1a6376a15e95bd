/** Time as the store sees it, so that tests can move it. */
export interface Clock {
  /** Milliseconds that never go back, from an arbitrary start. */
  now(): number;
  /** Calls once after so many milliseconds. Returns a function that cancels. Keeps no process alive. */
  after(ms: number, callback: () => void): () => void;
}

/** Longest delay that Node's timers take; longer ones would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, TIMER_MS_MAX)).unref();
    return () => clearTimeout(timer);
  },
};
