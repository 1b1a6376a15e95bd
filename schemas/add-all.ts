/**
 * Adds what other lists hold to the end of a list. Not `push(...more)`: its arguments are on the stack, which a list as
 * long as a client may make it (a body has room for 400,000 items) overflows.
 */
export function addAll<T>(list: T[], ...others: readonly (readonly T[])[]): void {
  for (const other of others) for (const item of other) list.push(item);
}
