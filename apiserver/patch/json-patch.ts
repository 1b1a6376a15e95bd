/**
 * JSON patch, RFC 6902, without changing the document it is applied to: containers are copied once, on the way to what
 * an operation changes, and the rest is shared.
 *
 * It takes what upstream's library takes (evanphx/json-patch 4) beyond the RFC: a member that is absent is as good as null,
 * so that it can be replaced, copied, and tested to be null; a value that is absent is null; list indexes are what Go's Atoi
 * reads, and negative ones count from the end. What is less there: the whole document cannot be added, copied or moved.
 */

/** One operation as far as its types are checked; `applyJsonPatch` checks the rest. To Go null is as good as absent. */
export interface Operation {
  readonly op?: string | null;
  readonly path?: string | null;
  readonly from?: string | null;
  readonly value?: unknown;
}

/** Bytes of JSON that the `copy` operations of one patch may add up to: the limit of a request's body. */
export const COPIED_BYTES_MAX = 3 * 1024 * 1024;

/**
 * Items of lists that the operations of one patch may move aside or copy, together: a tenth of a second's work. Ten thousand
 * additions to the front of a list of ten thousand are within it.
 */
export const ITEMS_MOVED_MAX = 200_000_000;

/** The operation cannot be carried out on this document. */
export class PatchFailure extends Error {}

type Container = Record<string, unknown> | unknown[];

/** `touched`, where given, collects the containers of the result that were copied or changed. */
export function applyJsonPatch(
  document: unknown,
  operations: readonly Operation[],
  touched: WeakSet<object> = new WeakSet(),
): unknown {
  const patching = new Patching(document, touched);
  for (const operation of operations) patching.apply(operation);
  return patching.root;
}

class Patching {
  #copiedBytes = 0;
  #itemsMoved = 0;

  constructor(
    public root: unknown,
    private readonly touched: WeakSet<object>,
  ) {}

  apply(operation: Operation): void {
    const path = pointer(operation.path);
    switch (operation.op) {
      case 'add':
        return this.#add(path, operation.value ?? null);
      case 'remove':
        this.#remove(path);
        return;
      case 'replace':
        return this.#replace(path, operation.value ?? null);
      case 'move':
        return this.#add(path, this.#remove(pointer(operation.from)));
      case 'copy':
        return this.#add(path, this.#copyOf(this.#get(inside(pointer(operation.from)))));
      case 'test':
        if (operation.value === undefined || !equal(this.#get(path), operation.value))
          throw new PatchFailure('testing the value failed');
        return;
      default:
        throw new PatchFailure(`unexpected kind of operation: ${operation.op}`);
    }
  }

  #copyOf(value: unknown): unknown {
    const json = JSON.stringify(value);
    this.#copiedBytes += Buffer.byteLength(json);
    if (this.#copiedBytes > COPIED_BYTES_MAX) throw new PatchFailure('copies exceed the limit');
    return JSON.parse(json);
  }

  #moving(items: number): void {
    this.#itemsMoved += items;
    if (this.#itemsMoved > ITEMS_MOVED_MAX) throw new PatchFailure('the operations move too many items');
  }

  #get(path: readonly string[]): unknown {
    let value = this.root;
    for (const token of path) value = member(container(value), token);
    return value;
  }

  #add(path: readonly string[], value: unknown): void {
    const key = lastOf(path);
    const parent = this.#writable(path);
    if (Array.isArray(parent)) {
      const place = key === '-' ? parent.length : index(parent.length + 1, key);
      this.#moving(parent.length - place);
      parent.splice(place, 0, value);
    } else set(parent, key, value);
  }

  #replace(path: readonly string[], value: unknown): void {
    const key = path.at(-1);
    if (key === undefined) {
      this.root = container(value);
      return;
    }
    const parent = this.#writable(path);
    if (Array.isArray(parent)) parent[index(parent.length, key)] = value;
    else set(parent, key, value);
  }

  #remove(path: readonly string[]): unknown {
    const key = lastOf(path);
    const parent = this.#writable(path);
    const removed = member(parent, key);
    if (Array.isArray(parent)) {
      const place = index(parent.length, key);
      this.#moving(parent.length - place);
      parent.splice(place, 1);
    } else {
      if (!Object.hasOwn(parent, key)) throw new PatchFailure('no such member');
      delete parent[key];
    }
    return removed;
  }

  /** The container that `path` ends in, it and those above it copied. */
  #writable(path: readonly string[]): Container {
    let current = this.#owned(container(this.root));
    this.root = current;
    for (const token of path.slice(0, -1)) {
      const child = this.#owned(container(member(current, token)));
      if (Array.isArray(current)) current[index(current.length, token)] = child;
      else set(current, token, child);
      current = child;
    }
    return current;
  }

  #owned(value: Container): Container {
    if (this.touched.has(value)) return value;
    const copy = Array.isArray(value) ? [...value] : { ...value };
    this.touched.add(copy);
    return copy;
  }
}

/** The tokens of a JSON pointer, RFC 6901. What comes before the first slash counts for nothing. */
function pointer(text: string | null | undefined): string[] {
  if (text === undefined || text === null) throw new PatchFailure('the operation lacks a path');
  if (text === '') return [];
  const [, ...tokens] = text.split('/');
  if (tokens.length === 0) throw new PatchFailure(`no JSON pointer: ${text}`);
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A path to something inside the document. */
function inside(path: readonly string[]): readonly string[] {
  lastOf(path);
  return path;
}

function lastOf(path: readonly string[]): string {
  const key = path.at(-1);
  if (key === undefined) throw new PatchFailure('the operation is for what is inside the document');
  return key;
}

function container(value: unknown): Container {
  if (typeof value !== 'object' || value === null) throw new PatchFailure('no such path');
  return value as Container;
}

/** Null where there is none. */
function member(parent: Container, token: string): unknown {
  if (Array.isArray(parent)) return parent[index(parent.length, token)];
  return Object.hasOwn(parent, token) ? parent[token] : null;
}

/** The place that `token` names among `length`. */
function index(length: number, token: string): number {
  if (!/^[+-]?[0-9]+$/.test(token)) throw new PatchFailure(`no list index: ${token}`);
  const place = Number(token) < 0 ? length + Number(token) : Number(token);
  if (place < 0 || place >= length) throw new PatchFailure(`index out of bounds: ${token}`);
  // Minus nought is nought.
  return place + 0;
}

/** Makes a member like any other of `__proto__` too. */
function set(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

function equal(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && equal(left[key], right[key]));
}
