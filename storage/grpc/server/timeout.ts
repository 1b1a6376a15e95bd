const MILLISECONDS: ReadonlyMap<string, number> = new Map([
  ['H', 3_600_000],
  ['M', 60_000],
  ['S', 1000],
  ['m', 1],
  ['u', 1 / 1000],
  ['n', 1 / 1_000_000],
]);

/** Milliseconds of a `grpc-timeout` header, e.g. `4999m`: at most eight digits and a unit. Undefined: malformed. */
export function parseTimeout(value: string): number | undefined {
  const unit = MILLISECONDS.get(value.slice(-1));
  const digits = value.slice(0, -1);
  if (unit === undefined || !/^\d{1,8}$/.test(digits)) return undefined;
  return Number(digits) * unit;
}
