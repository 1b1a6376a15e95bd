/**
 * The schedule of a cron job: five fields (`*\/15 0-6 * jan,jul mon-fri`), a name such as `@daily`, or `@every 1h30m`, with
 * the texts of the parser that upstream uses (robfig/cron, its standard form). Only whether it can be read is of interest.
 */
import { locationProblem } from './time-zone.js';

interface Field {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Minute, hour, day of the month, month, day of the week. */
const FIELDS: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];

const DESCRIPTORS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];
const EVERY = '@every ';

/** A word that ends the reading. */
class Problem extends Error {}

/** What is wrong with a schedule; undefined for a good one. */
export function scheduleProblem(schedule: string): string | undefined {
  try {
    readSchedule(schedule);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.message;
    throw error;
  }
}

function readSchedule(schedule: string): void {
  if (schedule === '') throw new Problem('empty spec string');
  const text = withoutZone(schedule);
  if (text.startsWith('@')) {
    readDescriptor(text);
    return;
  }
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (words.length !== FIELDS.length) {
    throw new Problem(
      `expected exactly ${FIELDS.length} fields, found ${words.length}: [${words.join(' ')}]`,
    );
  }
  for (const [i, field] of FIELDS.entries()) {
    for (const range of (words[i] ?? '').split(',')) if (range !== '') readRange(range, field);
  }
}

function withoutZone(schedule: string): string {
  const match = /^(?:CRON_)?TZ=([^ ]*)(.*)$/s.exec(schedule);
  if (match === null) return schedule;
  const [, name = '', rest = ''] = match;
  const problem = locationProblem(name);
  if (problem !== undefined) throw new Problem(`provided bad location ${name}: ${problem}`);
  return rest.trim();
}

function readDescriptor(text: string): void {
  if (DESCRIPTORS.includes(text)) return;
  if (!text.startsWith(EVERY)) throw new Problem(`unrecognized descriptor: ${text}`);
  const problem = durationProblem(text.slice(EVERY.length));
  if (problem !== undefined) throw new Problem(`failed to parse duration ${text}: ${problem}`);
}

/** `*`, `5`, `1-5`, each with a step: `*\/15`, `10-50/5`. A question mark is a star. */
function readRange(text: string, field: Field): void {
  const [range = '', step, ...moreSteps] = text.split('/');
  const [low = '', high, ...moreLimits] = range.split('-');
  const isStar = low === '*' || low === '?';
  let first = field.min;
  let last = field.max;
  if (!isStar) {
    first = readNumberOrName(low, field);
    if (moreLimits.length > 0) throw new Problem(`too many hyphens: ${text}`);
    last = high === undefined ? first : readNumberOrName(high, field);
  }
  if (moreSteps.length > 0) throw new Problem(`too many slashes: ${text}`);
  const width = step === undefined ? 1 : readNumber(step);
  // A number with a step begins there and goes on to the end.
  if (step !== undefined && high === undefined) last = field.max;
  if (first < field.min) {
    throw new Problem(`beginning of range (${first}) below minimum (${field.min}): ${text}`);
  }
  if (last > field.max) {
    throw new Problem(`end of range (${last}) above maximum (${field.max}): ${text}`);
  }
  if (first > last) {
    throw new Problem(`beginning of range (${first}) beyond end of range (${last}): ${text}`);
  }
  if (width === 0) throw new Problem(`step of range should be a positive number: ${text}`);
}

function readNumberOrName(text: string, { names = [], min }: Field): number {
  const index = names.indexOf(text.toLowerCase());
  return index === -1 ? readNumber(text) : index + min;
}

const INT64_MAX = 2n ** 63n - 1n;

function readNumber(text: string): number {
  const refuse = (problem: string): never => {
    const shown = JSON.stringify(text);
    throw new Problem(`failed to parse int from ${text}: strconv.Atoi: parsing ${shown}: ${problem}`);
  };
  if (!/^[+-]?\d+$/.test(text)) refuse('invalid syntax');
  const value = BigInt(text.replace('+', ''));
  if (value > INT64_MAX) refuse('value out of range');
  return Number(value);
}

/** Nanoseconds. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Durations as Go reads them: `1h30m`, `1.5s`. */
function durationProblem(text: string): string | undefined {
  const shown = JSON.stringify(text);
  const invalid = `time: invalid duration ${shown}`;
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return undefined;
  if (rest === '') return invalid;
  let total = 0;
  while (rest !== '') {
    const number = /^(?:\d+(?:\.\d*)?|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) return invalid;
    const unit = /^[^.\d]*/.exec(rest.slice(number.length))?.[0] ?? '';
    if (unit === '') return `time: missing unit in duration ${shown}`;
    const size = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
    if (size === undefined) return `time: unknown unit ${JSON.stringify(unit)} in duration ${shown}`;
    total += Number(number) * size;
    rest = rest.slice(number.length + unit.length);
  }
  return total >= 2 ** 63 ? invalid : undefined;
}
