/**
 * Questions that all who ask at the same time can share. One that has begun may have been settled before a later caller
 * asked, so who comes in the middle of it waits for the next.
 */

/** A round that takes longer does not keep the next one waiting, in milliseconds. */
const SLOW_ROUND_MS = 100;

export class Rounds<T> {
  readonly #ask: () => Promise<T>;
  #running: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  /** An answer to a question that was not asked before this call. */
  get(): Promise<T> {
    if (this.#running === undefined) return this.#begin();
    this.#next ??= endedOrSlow(this.#running).then(() => {
      this.#next = undefined;
      return this.#begin();
    });
    return this.#next;
  }

  #begin(): Promise<T> {
    const round = this.#ask();
    this.#running = round;
    const ended = () => {
      if (this.#running === round) this.#running = undefined;
    };
    round.then(ended, ended);
    return round;
  }
}

function endedOrSlow(round: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, SLOW_ROUND_MS);
    const ended = () => {
      clearTimeout(timer);
      resolve();
    };
    round.then(ended, ended);
  });
}
