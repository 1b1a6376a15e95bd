/** Items of merged lists and their keys. */
import { goPrint } from './go-print.js';

export type JsonObject = Record<string, unknown>;

/** A patch that cannot be applied; `status` is the code Kubernetes answers with. */
export class StrategicMergeError extends Error {
  constructor(
    message: string,
    readonly status: 400 | 422 | 500,
  ) {
    super(message);
  }
}

/** A directive of the wrong form. */
export const badFormat = (directive: string) =>
  new StrategicMergeError(`invalid patch format of ${directive}`, 400);

export const noMergeKey = (item: unknown, mergeKey: string) =>
  new StrategicMergeError(`map: ${goPrint(item)} does not contain declared merge key: ${mergeKey}`, 500);

/** What tells an item of a merged list from the others: its merge key's value, or the item itself where it is a scalar. */
export function keyOf(item: unknown, mergeKey: string): unknown {
  if (mergeKey === '') return item;
  const object = (typeof item === 'object' && item !== null ? item : {}) as JsonObject;
  if (!Object.hasOwn(object, mergeKey)) throw noMergeKey(item, mergeKey);
  return object[mergeKey];
}
