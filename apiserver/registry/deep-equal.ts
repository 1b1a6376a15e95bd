/** Equality of JSON values; a field that is undefined is absent, and the order of fields does not matter. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => deepEqual(item, b[i]));
  }
  return fieldsEqual(a as Fields, b as Fields) && noMoreIn(b as Fields, a as Fields);
}

type Fields = Readonly<Record<string, unknown>>;

const own = (fields: Fields, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

function fieldsEqual(a: Fields, b: Fields): boolean {
  for (const name of Object.keys(a)) if (!deepEqual(a[name], own(b, name))) return false;
  return true;
}

function noMoreIn(b: Fields, a: Fields): boolean {
  for (const name of Object.keys(b)) if (b[name] !== undefined && own(a, name) === undefined) return false;
  return true;
}

/** Everything but kind, apiVersion, metadata and status: what metadata.generation counts changes of. */
export function sameIntent(a: Fields, b: Fields): boolean {
  const { kind: _k, apiVersion: _v, metadata: _m, status: _s, ...mine } = a;
  const { kind: _k2, apiVersion: _v2, metadata: _m2, status: _s2, ...theirs } = b;
  return deepEqual(mine, theirs);
}
