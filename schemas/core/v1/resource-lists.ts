/** Amounts by resource name, as the server keeps them. */
import { canonicalQuantity, compareQuantities, quantityOf } from '../../meta/quantity.js';

/** Amounts finer than a thousandth are rounded up to one. */
export function roundToMilli<K extends string>(holder: { [P in K]?: unknown }, key: K): void {
  const list = holder[key] as Readonly<Record<string, string>> | undefined;
  if (list === undefined || !Object.values(list).some((amount) => /[nu]$/.test(amount))) return;
  holder[key] = Object.fromEntries(
    Object.entries(list).map(([name, amount]) => [name, roundedToMilli(amount)]),
  );
}

function roundedToMilli(amount: string): string {
  const unit = amount.at(-1);
  if (unit !== 'n' && unit !== 'u') return amount;
  const divisor = unit === 'n' ? 1_000_000n : 1_000n;
  const value = BigInt(amount.slice(0, -1));
  const rounded = value > 0n ? (value + divisor - 1n) / divisor : (value - divisor + 1n) / divisor;
  return canonicalQuantity(`${rounded}m`) ?? amount;
}

type Amounts = Readonly<Record<string, string>>;

/** The same names and amounts, however they are written. */
export function sameAmounts(a: Amounts = {}, b: Amounts = {}): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every(
      (name) => Object.hasOwn(b, name) && compareQuantities(quantityOf(a[name]), quantityOf(b[name])) === 0,
    )
  );
}
