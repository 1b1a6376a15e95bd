/** What ConfigMap and Secret have in common: maps of small values with a limit on their sum. */

/** All values of one ConfigMap or Secret together. */
export const DATA_BYTES_MAX = 1024 * 1024;

/** How many bytes canonical base64 stands for. */
export function decodedLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}

/** Equal keys and values; an absent map equals an empty one. */
export function sameStrings(
  a: Readonly<Record<string, string>> = {},
  b: Readonly<Record<string, string>> = {},
): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
  );
}
