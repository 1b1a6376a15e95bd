/** Table columns and cell formats that many kinds share. */
import type { KubeObject, TableColumn } from './definition.js';

const SECOND_MS = 1000;
const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;
const YEAR_S = 365 * DAY_S;

/** Clocks of two machines may differ by this much before an age in the future is called invalid. */
const CLOCK_SKEW_S = 1;

/** Up to `below` seconds an age is written in `unit`, followed by what is left in `rest` where that is not zero. */
interface AgeForm {
  readonly below: number;
  readonly unit: readonly [seconds: number, letter: string];
  readonly rest?: readonly [seconds: number, letter: string];
}

const AGE_FORMS: readonly AgeForm[] = [
  { below: 2 * MINUTE_S, unit: [1, 's'] },
  { below: 10 * MINUTE_S, unit: [MINUTE_S, 'm'], rest: [1, 's'] },
  { below: 3 * HOUR_S, unit: [MINUTE_S, 'm'] },
  { below: 8 * HOUR_S, unit: [HOUR_S, 'h'], rest: [MINUTE_S, 'm'] },
  { below: 2 * DAY_S, unit: [HOUR_S, 'h'] },
  { below: 8 * DAY_S, unit: [DAY_S, 'd'], rest: [HOUR_S, 'h'] },
  { below: 2 * YEAR_S, unit: [DAY_S, 'd'] },
  { below: 8 * YEAR_S, unit: [YEAR_S, 'y'], rest: [DAY_S, 'd'] },
  { below: Number.POSITIVE_INFINITY, unit: [YEAR_S, 'y'] },
];

/** A duration the way kubectl prints ages: at most two units, coarser the longer it is (`75s`, `3m4s`, `2d3h`, `5y`). */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / SECOND_MS);
  if (seconds < -CLOCK_SKEW_S) return '<invalid>';
  if (seconds < 0) return '0s';
  for (const { below, unit, rest } of AGE_FORMS) {
    if (seconds >= below) continue;
    const whole = `${Math.floor(seconds / unit[0])}${unit[1]}`;
    const left = rest === undefined ? 0 : Math.floor((seconds % unit[0]) / rest[0]);
    return left === 0 ? whole : `${whole}${left}${rest?.[1]}`;
  }
  return '<unknown>';
}

/** Age of an RFC 3339 timestamp at `now` (milliseconds since the epoch); `<unknown>` when it is not set. */
export function translateTimestampSince(timestamp: string | null | undefined, now: number): string {
  const then = timestamp ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(then) ? '<unknown>' : humanDuration(now - then);
}

export const nameColumn: TableColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  priority: 0,
  description: 'Name of the object, unique among its kind in the namespace.',
  cell: (object) => object.metadata.name ?? '',
};

export const ageColumn: TableColumn = {
  name: 'Age',
  type: 'string',
  format: '',
  priority: 0,
  description: 'Time since the object was created.',
  cell: (object, now) => translateTimestampSince(object.metadata.creationTimestamp, now),
};

/** A column of the kind's own; shown always, or only in the wide form with `priority: 1`. */
export function column(
  name: string,
  description: string,
  cell: (object: KubeObject, now: number) => unknown,
  options: {
    readonly type?: TableColumn['type'];
    readonly format?: '' | 'name';
    readonly priority?: 0 | 1;
  } = {},
): TableColumn {
  return { name, type: 'string', format: '', priority: 0, ...options, description, cell };
}

/** A map of labels as `a=1,b=2`, sorted by key; `<none>` when it is empty. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length === 0 ? '<none>' : keys.map((key) => `${key}=${labels?.[key]}`).join(',');
}
