/** Durations as Go's time.ParseDuration takes them: `1h15m`, `-1.5h`, `300ms`. Only whether they are any is asked here. */
import { goTimeQuote } from '../../schemas/go-quote.js';

const nanosecondsOf: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  // Micro sign and Greek mu.
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

const durationMax = 2n ** 63n;

/** One number and what follows it up to the next. */
const part = /(\d*)(?:\.(\d*))?([^.\d]*)/y;

/** Go's words for what is wrong; undefined for a duration. */
export function durationProblem(text: string): string | undefined {
  const invalid = `time: invalid duration ${goTimeQuote(text)}`;
  const negative = text.startsWith('-');
  const digits = /^[+-]/.test(text) ? text.slice(1) : text;
  if (digits === '0') return undefined;
  if (digits === '') return invalid;
  let total = 0n;
  part.lastIndex = 0;
  while (part.lastIndex < digits.length) {
    const [, whole = '', fraction = '', unit = ''] = part.exec(digits) ?? [];
    if (whole === '' && fraction === '') return invalid;
    const count = BigInt(whole);
    if (count > durationMax) return invalid;
    if (unit === '') return `time: missing unit in duration ${goTimeQuote(text)}`;
    const nanoseconds = nanosecondsOf.get(unit);
    if (nanoseconds === undefined)
      return `time: unknown unit ${goTimeQuote(unit)} in duration ${goTimeQuote(text)}`;
    // Go adds the fraction in floating point; a digit beyond the 18th makes no difference to it.
    const scaled = BigInt(fraction.slice(0, 18).padEnd(18, '0')) * nanoseconds;
    total += count * nanoseconds + scaled / 10n ** 18n;
    if (total > durationMax) return invalid;
  }
  return total === durationMax && !negative ? invalid : undefined;
}
