/** The tables: one row a measure, one column a number of clients, each rate beside what it is to be compared with. */

export interface Cell {
  /** Operations a second. */
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the server for one operation, in microseconds. */
  readonly cpuUs: number;
  readonly failures: number;
}

export interface Comparison {
  readonly name: string;
  readonly rate: number;
  /** How many times this rate is aimed at. */
  readonly aim?: number;
}

const digits = (value: number): string => {
  if (!Number.isFinite(value)) return '-';
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2);
};

const HEADERS = ['measure', 'clients', 'per s', 'p50 ms', 'p99 ms', 'CPU µs/op'] as const;
const WIDTHS = [26, 8, 9, 8, 8, 10];

function row(cells: readonly string[], more: string): string {
  const padded = cells.map((cell, i) =>
    i === 0 ? cell.padEnd(WIDTHS[i] ?? 0) : cell.padStart(WIDTHS[i] ?? 0),
  );
  return `${padded.join(' ')}  ${more}`.trimEnd();
}

export function heading(title: string): void {
  console.log(`\n${title}\n${row(HEADERS, 'beside')}`);
}

export function print(measure: string, clients: number, cell: Cell, beside: readonly Comparison[]): void {
  const ratios = beside.map(({ name, rate, aim }) => {
    const wanted = aim === undefined ? '' : ` (aim ${aim} ×)`;
    return `${digits(cell.rate / rate)} × ${name}'s ${digits(rate)}${wanted}`;
  });
  if (cell.failures > 0) ratios.push(`${cell.failures} FAILED`);
  const { rate, p50Ms, p99Ms, cpuUs } = cell;
  const cells = [measure, String(clients), ...[rate, p50Ms, p99Ms, cpuUs].map(digits)];
  console.log(row(cells, ratios.join(', ')));
}

/** A single figure, such as a time or a size. */
export function printFigure(measure: string, value: number, unit: string, beside = ''): void {
  console.log(`${measure.padEnd(44)} ${digits(value).padStart(9)} ${unit.padEnd(3)} ${beside}`.trimEnd());
}
