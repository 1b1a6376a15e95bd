import { randomInt } from 'node:crypto';

export interface Random {
  /** Print it, so that a failure can be had again: `WHERRY_TEST_SEED=… node …`. */
  readonly seed: number;
  /** A whole number from `low` through `high`. */
  readonly between: (low: number, high: number) => number;
}

/** Seeded random numbers (the mulberry32 generator). */
export function random(): Random {
  const seed = Number(process.env['WHERRY_TEST_SEED'] ?? randomInt(2 ** 31));
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { seed, between: (low, high) => low + Math.floor(next() * (high - low + 1)) };
}
