/** What was measured of one store under one name; what does not apply is absent. */
export interface Figure {
  readonly label: string;
  /** What the first number is: operations a second unless said. */
  readonly unit?: string;
  readonly value: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly maxMs?: number;
  /** Of the server, for one operation. */
  readonly cpuUs?: number;
  readonly failures?: number;
}

const LABEL_WIDTH = 34;
const COLUMN_WIDTH = 58;

export function digits(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function cell(figure: Figure | undefined): string {
  if (figure === undefined) return '-';
  const { value, unit = '/s', p50Ms, p99Ms, maxMs, cpuUs, failures = 0 } = figure;
  const parts = [`${digits(value)} ${unit}`.padStart(11)];
  if (p50Ms !== undefined) parts.push(`p50 ${digits(p50Ms)}`);
  if (p99Ms !== undefined) parts.push(`p99 ${digits(p99Ms)}`);
  if (maxMs !== undefined) parts.push(`max ${digits(maxMs)} ms`);
  if (cpuUs !== undefined) parts.push(`${digits(cpuUs)} µs CPU`);
  if (failures > 0) parts.push(`${failures} FAILED`);
  return parts.join('  ');
}

function row(label: string, cells: readonly string[], last: string): string {
  return [label.padEnd(LABEL_WIDTH), ...cells.map((text) => text.padEnd(COLUMN_WIDTH)), last]
    .join(' ')
    .trimEnd();
}

/** @param columns names of the stores; the last column says how many times the first one's value the last one's is */
export function printTable(title: string, columns: readonly string[], figures: readonly Figure[][]): void {
  console.log(`\n${row(title, columns, columns.length > 1 ? 'ratio' : '')}`);
  const labels = new Set(figures.flat().map(({ label }) => label));
  for (const label of labels) {
    const found = figures.map((column) => column.find((figure) => figure.label === label));
    const [first, last] = [found[0], found.at(-1)];
    const isRatio = found.length > 1 && first !== undefined && last !== undefined;
    console.log(row(label, found.map(cell), isRatio ? digits(last.value / first.value) : ''));
  }
}
