/** The chance of one request: drawn from the run's seed and the request's number alone, so that one can be had again. */
import { Random } from '../simulation/random.js';

export { Random } from '../simulation/random.js';

/** Neighbouring numbers and seeds have nothing in common: Random spreads what it is given. */
export const chanceOf = (seed: number, index: number): Random =>
  new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));

/** One of a list by weight: `[[3, 'often'], [1, 'seldom']]`. */
export function weighted<T>(random: Random, choices: readonly (readonly [weight: number, value: T])[]): T {
  let left = random.real() * choices.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, value] of choices) {
    left -= weight;
    if (left < 0) return value;
  }
  throw new RangeError('there is nothing to choose from');
}
