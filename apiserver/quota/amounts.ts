/** Amounts by resource name, added and compared. */
import {
  addQuantities,
  formatQuantity,
  type Quantity,
  quantityOf,
  subtractQuantities,
} from '../../schemas/meta/quantity.js';

/** As objects hold them: canonical texts. */
export type Amounts = Readonly<Record<string, string>>;
export type Usage = ReadonlyMap<string, Quantity>;

const NOTHING = quantityOf(undefined);

export const amountIn = (amounts: Amounts, name: string): Quantity =>
  Object.hasOwn(amounts, name) ? quantityOf(amounts[name]) : NOTHING;

export function addTo(total: Map<string, Quantity>, usage: Usage): void {
  for (const [name, amount] of usage) total.set(name, addQuantities(total.get(name) ?? NOTHING, amount));
}

/** What `now` uses more than `before`, or less, where they differ. */
export function difference(now: Usage, before: Usage): Usage {
  const result = new Map<string, Quantity>();
  for (const name of new Set([...now.keys(), ...before.keys()])) {
    const delta = subtractQuantities(now.get(name) ?? NOTHING, before.get(name) ?? NOTHING);
    if (delta.value !== 0n) result.set(name, delta);
  }
  return result;
}

/** The part of it that is told of under one of `names`. */
export const ofNames = (usage: Usage, names: ReadonlySet<string>): Usage =>
  new Map([...usage].filter(([name]) => names.has(name)));

export const toAmounts = (usage: Usage): Amounts =>
  Object.fromEntries([...usage].map(([name, amount]) => [name, formatQuantity(amount)]));

/** `pods=1,requests.cpu=500m`: how refusals tell of amounts. */
export const printed = (amounts: Amounts, names: readonly string[]): string =>
  names
    .toSorted()
    .map((name) => `${name}=${formatQuantity(amountIn(amounts, name))}`)
    .join(',');
