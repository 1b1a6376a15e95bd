/**
 * Times as Go reads and prints them: RFC 3339 in, UTC out; seconds for Time, microseconds for MicroTime. The failures are
 * worded as Go's time.Parse words them.
 */
import { goTimeQuote } from '../go-quote.js';

const SECONDS_LAYOUT = '2006-01-02T15:04:05Z07:00';
const MICROS_LAYOUT = '2006-01-02T15:04:05.000000Z07:00';

/** 2006-01-02T15:04:05 with a fraction and a zone. */
const SHAPE = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/;
/** What is stored almost always: it needs no change. */
const CANONICAL_SECONDS =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

export type TimePrecision = 'seconds' | 'micros';

/** The canonical text of a time on the wire, or undefined when it is none (`timeProblem` says why). */
export function canonicalTime(wire: string, precision: TimePrecision): string | undefined {
  if (precision === 'seconds' && CANONICAL_SECONDS.test(wire)) return wire;
  const match = SHAPE.exec(wire);
  if (match === null || rangeProblem(match) !== undefined) return undefined;
  const fraction = match[7] ?? '';
  if (precision === 'micros' && fraction.length !== 6) return undefined;
  const zone = match[8] === 'Z' ? 0 : zoneMinutes(match[8] ?? '');
  const local = Date.UTC(+match[1]!, +match[2]! - 1, +match[3]!, +match[4]!, +match[5]!, +match[6]!);
  // Date.UTC takes the years 0 to 99 for 1900 to 1999.
  const date = new Date(local);
  date.setUTCFullYear(+match[1]!);
  const utc = new Date(date.getTime() - zone * 60_000).toISOString().slice(0, 19);
  return precision === 'seconds' ? `${utc}Z` : `${utc}.${fraction}Z`;
}

/** A moment, in milliseconds since the epoch, as objects hold times: to the second. */
export const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

const zoneMinutes = (zone: string): number =>
  (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)));

function rangeProblem(match: readonly (string | undefined)[]): string | undefined {
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12) return 'month out of range';
  if (hour > 23) return 'hour out of range';
  if (minute > 59) return 'minute out of range';
  if (second > 59) return 'second out of range';
  const zone = match[8] ?? 'Z';
  if (zone !== 'Z' && (Number(zone.slice(1, 3)) > 24 || Number(zone.slice(4, 6)) > 60)) {
    return 'time zone offset out of range';
  }
  if (day < 1 || day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()) {
    return 'day out of range';
  }
  return undefined;
}

/** The parts of a layout in order: Go's name of the part, and what fits it. */
const PARTS: readonly (readonly [name: string, fits: RegExp])[] = [
  ['2006', /^\d{4}/],
  ['-', /^-/],
  ['01', /^\d{2}/],
  ['-', /^-/],
  ['02', /^\d{2}/],
  ['T', /^T/],
  ['15', /^\d{2}/],
  [':', /^:/],
  ['04', /^\d{2}/],
  [':', /^:/],
  ['05', /^\d{2}/],
];
const MICROS_PART = ['.000000', /^[.,]\d{6}(?!\d)/] as const;
const FRACTION_PART = ['', /^(?:[.,]\d+)?/] as const;
const ZONE_PART = ['Z07:00', /^(?:Z|[+-]\d{2}:\d{2})/] as const;

/** Why a text is no time: `parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"`. */
export function timeProblem(wire: string, precision: TimePrecision): string {
  const layout = precision === 'seconds' ? SECONDS_LAYOUT : MICROS_LAYOUT;
  const quoted = goTimeQuote(wire);
  let rest = wire;
  for (const [name, fits] of [...PARTS, precision === 'micros' ? MICROS_PART : FRACTION_PART, ZONE_PART]) {
    const found = fits.exec(rest);
    if (found === null) {
      return `parsing time ${quoted} as ${JSON.stringify(layout)}: cannot parse ${goTimeQuote(rest)} as ${JSON.stringify(name)}`;
    }
    rest = rest.slice(found[0].length);
  }
  if (rest !== '') return `parsing time ${quoted}: extra text: ${goTimeQuote(rest)}`;
  return `parsing time ${quoted}: ${rangeProblem(SHAPE.exec(wire) ?? []) ?? 'out of range'}`;
}
