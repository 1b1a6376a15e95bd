/**
 * Amounts with a suffix: `500m`, `1.5Gi`, `2e3`. Exact, in integers: an amount is `value × 10^exponent`.
 *
 * The canonical form is the one Go prints: no fraction, the largest suffix that keeps the number whole, in the family
 * the amount was written in.
 */

/** Which suffixes an amount is printed with. */
export type QuantityFormat = 'decimal' | 'binary' | 'exponent';

export interface Quantity {
  readonly value: bigint;
  /** Power of ten, at least −9: smaller amounts are rounded up. */
  readonly exponent: number;
  readonly format: QuantityFormat;
}

export const QUANTITY_FORMAT_PROBLEM =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIX_PROBLEM = "unable to parse quantity's suffix";
const NUMBER_PROBLEM = 'unable to parse numeric part of quantity';

const DECIMAL_SUFFIXES = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
/** Index of '' in DECIMAL_SUFFIXES. */
const DECIMAL_ONE = 3;
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;
const NANO = -9;
const ZERO_DIGIT = 0x30;
const INT64_MAX = 2n ** 63n - 1n;
/** Beyond this an exponent only costs memory: 10^18 × E is the most that a quantity holds. */
const EXPONENT_MAX = 1000;
/** Characters of a number, with its suffix. Upstream takes any, at a cost that grows with their square. */
const LENGTH_MAX = 1000;

const SHAPE = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;

/** An amount, or the English phrase that says why the text is none. */
export function parseQuantity(text: string): Quantity | string {
  if (text.length > LENGTH_MAX) return NUMBER_PROBLEM;
  const match = SHAPE.exec(text);
  if (text === '' || match === null) return QUANTITY_FORMAT_PROBLEM;
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  const scale = parseSuffix(suffix);
  if (scale === undefined) return SUFFIX_PROBLEM;
  if (whole === '' && fraction === '') return NUMBER_PROBLEM;
  const magnitude = BigInt(whole + fraction);
  const rounded = roundUp(
    scale.base === 2
      ? { value: magnitude << BigInt(scale.exponent), exponent: -fraction.length }
      : { value: magnitude, exponent: scale.exponent - fraction.length },
  );
  const tooMuch = scale.format === 'binary' && rounded.value > INT64_MAX * 10n ** BigInt(-rounded.exponent);
  const { value, exponent } = tooMuch ? { value: INT64_MAX, exponent: 0 } : rounded;
  return { value: sign === '-' ? -value : value, exponent, format: scale.format };
}

interface Suffix {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: QuantityFormat;
}

function parseSuffix(suffix: string): Suffix | undefined {
  const decimal = DECIMAL_SUFFIXES.indexOf(suffix as 'k');
  if (decimal !== -1) return { base: 10, exponent: (decimal - DECIMAL_ONE) * 3, format: 'decimal' };
  const binary = BINARY_SUFFIXES.indexOf(suffix as 'Ki');
  if (binary !== -1) return { base: 2, exponent: binary * 10, format: 'binary' };
  const exponent = /^[eE]([-+]?[0-9]+)$/.exec(suffix)?.[1];
  if (exponent === undefined || Math.abs(Number(exponent)) > EXPONENT_MAX) return undefined;
  return { base: 10, exponent: Number(exponent), format: 'exponent' };
}

/** No finer than a billionth: what is asked for in smaller pieces gets the next larger amount. */
function roundUp({ value, exponent }: { value: bigint; exponent: number }): {
  value: bigint;
  exponent: number;
} {
  if (exponent >= NANO) return { value, exponent };
  const divisor = 10n ** BigInt(NANO - exponent);
  return { value: (value + divisor - 1n) / divisor, exponent: NANO };
}

/** Whole units, if it is a whole number. */
function wholeValue({ value, exponent }: Quantity): bigint | undefined {
  if (exponent >= 0) return value * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  return value % divisor === 0n ? value / divisor : undefined;
}

/** The form Go prints. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.value === 0n) return '0';
  if (quantity.format === 'binary') {
    let whole = wholeValue(quantity);
    // Small amounts and fractions read better in decimal.
    if (whole !== undefined && (whole >= 1024n || whole <= -1024n)) {
      let power = 0;
      while (power < BINARY_SUFFIXES.length - 1 && whole % 1024n === 0n) {
        whole /= 1024n;
        power++;
      }
      return `${whole}${BINARY_SUFFIXES[power]}`;
    }
  }
  // Dividing the zeros out one by one would take a millisecond for each long number.
  const digits = `${quantity.value}`;
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === ZERO_DIGIT) end--;
  let value = BigInt(digits.slice(0, end));
  let exponent = quantity.exponent + digits.length - end;
  // Down to a power of a thousand.
  const rest = ((exponent % 3) + 3) % 3;
  value *= 10n ** BigInt(rest);
  exponent -= rest;
  if (quantity.format === 'exponent') return exponent === 0 ? `${value}` : `${value}e${exponent}`;
  const suffix = DECIMAL_SUFFIXES[exponent / 3 + DECIMAL_ONE];
  if (suffix !== undefined) return `${value}${suffix}`;
  const beyond = BigInt(exponent - 18);
  return `${value * 10n ** beyond}E`;
}

/** Few amounts differ, and reading one costs microseconds, so what was read is remembered, up to this many texts. */
const REMEMBERED_MAX = 4096;
const REMEMBERED_LENGTH_MAX = 32;

interface Remembered {
  readonly quantity: Quantity;
  readonly canonical: string;
}
const remembered = new Map<string, Remembered>();

function read(wire: string): Remembered | undefined {
  const known = remembered.get(wire);
  if (known !== undefined) return known;
  const quantity = parseQuantity(wire.trim());
  if (typeof quantity === 'string') return undefined;
  const entry = { quantity, canonical: formatQuantity(quantity) };
  if (wire.length <= REMEMBERED_LENGTH_MAX) {
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(wire, entry);
  }
  return entry;
}

/** The canonical text of a quantity on the wire, or undefined when it is none (`parseQuantity` says why). */
export const canonicalQuantity = (wire: string): string | undefined => read(wire)?.canonical;

const ZERO: Quantity = { value: 0n, exponent: 0, format: 'decimal' };

/** A quantity that decoding has accepted. Absent is zero. */
export const quantityOf = (text: string | undefined): Quantity =>
  (text === undefined ? undefined : read(text)?.quantity) ?? ZERO;

/** In the family of suffixes of `a`, unless that is nothing. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const exponent = Math.min(a.exponent, b.exponent);
  const at = (q: Quantity): bigint => q.value * 10n ** BigInt(q.exponent - exponent);
  return { value: at(a) + at(b), exponent, format: a.value === 0n ? b.format : a.format };
}

export const subtractQuantities = (a: Quantity, { value, ...b }: Quantity): Quantity =>
  addQuantities(a, { ...b, value: -value });

/** Negative, zero or positive as a < b, a = b, a > b. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  if (a.exponent === b.exponent) return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
  const exponent = Math.min(a.exponent, b.exponent);
  const left = a.value * 10n ** BigInt(a.exponent - exponent);
  const right = b.value * 10n ** BigInt(b.exponent - exponent);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whole units, away from zero. */
export function roundedValue({ value, exponent }: Quantity): bigint {
  if (exponent >= 0) return value * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  const rest = value > 0n ? divisor - 1n : 1n - divisor;
  return (value + rest) / divisor;
}

/** Thousandths, rounded up. */
export function milliValue({ value, exponent }: Quantity): bigint {
  const shift = exponent + 3;
  if (shift >= 0) return value * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return value > 0n ? (value + divisor - 1n) / divisor : value / divisor;
}
