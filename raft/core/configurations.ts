import { invariant } from '../invariant.js';
import { isVoter, type Configuration } from './configuration.js';

interface Placed {
  /** Where the log has it; for the first one, a place at or before which it was in force. */
  readonly index: number;
  readonly configuration: Configuration;
}

/**
 * The configurations in the log: the newest is in force, committed or not, and the ones before it come back when it is
 * cut off (Raft §6).
 */
export class Configurations {
  /** By rising index; never empty. */
  #placed: Placed[];

  constructor(base: Placed) {
    this.#placed = [base];
  }

  get latest(): Placed {
    const latest = this.#placed.at(-1);
    invariant(latest !== undefined, 'no configuration is in force');
    return latest;
  }

  /**
   * Whether a member votes in the newest committed one or in one after it. Whoever leaves may be needed as a leader until
   * that is committed, as its log may be ahead of those who stay (dissertation §4.2.2).
   */
  mayNeed(id: bigint): boolean {
    return this.#placed.some(({ configuration }) => isVoter(configuration, id));
  }

  append(index: number, configuration: Configuration): void {
    invariant(index > this.latest.index, `configuration ${index} after ${this.latest.index}`);
    this.#placed.push({ index, configuration });
  }

  /** Returns whether another one is in force now. */
  truncate(from: number): boolean {
    const before = this.#placed.length;
    while (this.#placed.length > 1 && this.latest.index >= from) this.#placed.pop();
    invariant(this.latest.index < from, 'the configuration of a committed state was cut off');
    return this.#placed.length < before;
  }

  /** Those before the newest committed one will not come back. */
  committed(index: number): void {
    while ((this.#placed[1]?.index ?? Infinity) <= index) this.#placed.shift();
  }

  reset(base: Placed): void {
    this.#placed = [base];
  }
}
