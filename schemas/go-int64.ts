/** Go's int64 as far as a JSON number of ours can say it. */

const beyondInt64 = 2 ** 63;

/**
 * A whole number that Go's clients can read back. The bounds themselves are not: what the largest int64 becomes here is
 * printed as a larger one, and a client of Go's could then not read the object, nor any list with it.
 */
export const isInt64 = (value: unknown): value is number =>
  Number.isInteger(value) && Math.abs(value as number) < beyondInt64;
