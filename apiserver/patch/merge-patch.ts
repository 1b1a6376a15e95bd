/** JSON merge patch, RFC 7386, without changing what it is applied to. */

type JsonObject = Record<string, unknown>;

/** `touched`, where given, collects the objects of the result that were merged into. */
export function applyMergePatch(target: unknown, patch: unknown, touched?: WeakSet<object>): unknown {
  // As in upstream's library, which leaves lists that take the place of an object as they are.
  if (Array.isArray(patch)) return isObject(target) ? patch : withoutNulls(patch);
  if (!isObject(patch)) return patch;
  const result: Map<string, unknown> = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, applyMergePatch(result.get(key), value, touched));
  }
  // fromEntries defines members, so `__proto__` stays a member.
  const merged = Object.fromEntries(result);
  touched?.add(merged);
  return merged;
}

/** Nor are there any in what is inside. */
function withoutNulls(list: readonly unknown[]): unknown[] {
  return list.filter((item) => item !== null).map((item) => applyMergePatch(undefined, item));
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
