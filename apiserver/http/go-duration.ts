/** Durations as Go's time.ParseDuration takes them: `1h15m`, `-1.5h`, `300ms`. Only whether they are any is asked here. */

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
  const invalid = `time: invalid duration ${quoted(text)}`;
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
    if (unit === '') return `time: missing unit in duration ${quoted(text)}`;
    const nanoseconds = nanosecondsOf.get(unit);
    if (nanoseconds === undefined) return `time: unknown unit ${quoted(unit)} in duration ${quoted(text)}`;
    // Go adds the fraction in floating point; a digit beyond the 18th makes no difference to it.
    const scaled = BigInt(fraction.slice(0, 18).padEnd(18, '0')) * nanoseconds;
    total += count * nanoseconds + scaled / 10n ** 18n;
    if (total > durationMax) return invalid;
  }
  return total === durationMax && !negative ? invalid : undefined;
}

/** Go's package time quotes by itself, byte for byte, since it does not import the one that could. */
function quoted(text: string): string {
  let out = '"';
  for (const char of text) {
    if (char < ' ' || char > '\x7f') {
      for (const byte of Buffer.from(char)) out += `\\x${byte.toString(16).padStart(2, '0')}`;
    } else out += char === '"' || char === '\\' ? `\\${char}` : char;
  }
  return `${out}"`;
}
