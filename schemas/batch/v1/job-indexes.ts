/** Lists of a job's indexes: `1,3-5,7`, in increasing order and each below the number of completions. */

export type Interval = readonly [first: number, last: number];

/** How many indexes the list holds, or what is wrong with it. */
export function countIndexes(list: string, completions: number): number | string {
  if (list === '') return 0;
  let previous: number | undefined;
  let total = 0;
  for (const text of list.split(',')) {
    const interval = parseInterval(text, completions);
    if (typeof interval === 'string') return interval;
    const [first, last] = interval;
    if (previous !== undefined && previous >= first) return orderProblem(previous, first);
    total += last - first + 1;
    previous = last;
  }
  return total;
}

function parseInterval(text: string, completions: number): Interval | string {
  const limits = text.split('-');
  if (limits.length > 2) {
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  }
  const indexes: number[] = [];
  for (const limit of limits) {
    if (!/^\+?\d+$/.test(limit)) {
      return `cannot convert string to integer for index: ${JSON.stringify(limit)}`;
    }
    const index = Number(limit);
    if (index >= completions) return `too large index: ${JSON.stringify(limit)}`;
    indexes.push(index);
  }
  const [first = 0, last] = indexes;
  if (last === undefined) return [first, first];
  return first >= last ? orderProblem(first, last) : [first, last];
}

const orderProblem = (previous: number, current: number): string =>
  `non-increasing order, previous: ${previous}, current: ${current}`;

/** The first index that is in both lists; what cannot be read is passed over, since its own check tells of it. */
export function firstCommonIndex(a: string, b: string, completions: number): number | undefined {
  const mine = readable(a, completions);
  const others = readable(b, completions);
  for (let i = 0, j = 0; i < mine.length && j < others.length; ) {
    const [first, last] = mine[i] as Interval;
    const [otherFirst, otherLast] = others[j] as Interval;
    if (first <= otherLast && otherFirst <= last) return Math.max(first, otherFirst);
    if (first <= otherFirst) i++;
    else j++;
  }
  return undefined;
}

const readable = (list: string, completions: number): Interval[] =>
  list
    .split(',')
    .map((text) => parseInterval(text, completions))
    .filter((interval) => typeof interval !== 'string');
