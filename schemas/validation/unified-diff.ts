/** Differences of two texts as unified diffs show them, without a file header. */

const CONTEXT_LINES = 3;
/** Beyond this many line pairs the middle is shown as removed and added whole: the work grows with their product. */
const COMPARED_PAIRS_MAX = 4_000_000;

interface Line {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** Hunks of `@@ -143,7 +143,7 @@`, each line ended by a newline; empty for equal texts. */
export function unifiedDiff(before: readonly string[], after: readonly string[]): string {
  const lines = compare(before, after);
  const changed = lines.flatMap((line, i) => (line.mark === ' ' ? [] : [i]));
  const hunks: [from: number, to: number][] = [];
  for (const i of changed) {
    const from = Math.max(0, i - CONTEXT_LINES);
    const to = Math.min(lines.length, i + CONTEXT_LINES + 1);
    const last = hunks.at(-1);
    if (last && from <= last[1]) last[1] = to;
    else hunks.push([from, to]);
  }
  let text = '';
  let at = 0;
  // Lines of either text in front of the hunk.
  let old = 0;
  let fresh = 0;
  for (const [from, to] of hunks) {
    const skipped = lines.slice(at, from);
    const hunk = lines.slice(from, to);
    old += count(skipped, '+');
    fresh += count(skipped, '-');
    const [removed, added] = [count(hunk, '+'), count(hunk, '-')];
    const body = hunk.map((line) => `${line.mark}${line.text}\n`).join('');
    text += `@@ -${range(old, removed)} +${range(fresh, added)} @@\n${body}`;
    old += removed;
    fresh += added;
    at = to;
  }
  return text;
}

const count = (part: readonly Line[], without: '-' | '+'): number =>
  part.filter((line) => line.mark !== without).length;

/** Lines are counted from one; an empty range names the line before it. */
function range(skipped: number, length: number): string {
  if (length === 1) return `${skipped + 1}`;
  return `${length === 0 ? skipped : skipped + 1},${length}`;
}

const same = (text: string): Line => ({ mark: ' ', text });

function compare(before: readonly string[], after: readonly string[]): Line[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let tail = 0;
  while (
    tail < before.length - start &&
    tail < after.length - start &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  ) {
    tail++;
  }
  return [
    ...before.slice(0, start).map(same),
    ...compareMiddle(before.slice(start, before.length - tail), after.slice(start, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

/** Along a longest common subsequence. */
function compareMiddle(before: readonly string[], after: readonly string[]): Line[] {
  const common = commonLengths(before, after);
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const [old, fresh] = [before[i], after[j]];
    if (old !== undefined && old === fresh && common(i, j) > 0) {
      lines.push(same(old));
      i++;
      j++;
    } else if (old !== undefined && (fresh === undefined || common(i + 1, j) >= common(i, j + 1))) {
      lines.push({ mark: '-', text: old });
      i++;
    } else if (fresh !== undefined) {
      lines.push({ mark: '+', text: fresh });
      j++;
    }
  }
  return lines;
}

/** How many lines the rests of both texts have in common, from line i and line j on. */
function commonLengths(
  before: readonly string[],
  after: readonly string[],
): (i: number, j: number) => number {
  if (before.length * after.length > COMPARED_PAIRS_MAX) return () => 0;
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const isSame = before[i] === after[j];
      lengths[i * width + j] = isSame ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  return at;
}
