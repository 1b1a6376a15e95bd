/**
 * Fields that a JSON text gives twice. `JSON.parse` keeps the last one silently; Kubernetes warns of the others.
 *
 * Nearly no request has any, so the question is first answered by counting: the text's members (strings that a colon
 * follows) against the members of the parsed value. Only when they differ is the text walked for names. Counting costs
 * about 1 to 2.5 µs per KiB, half of what parsing does.
 */

/** Nested deeper than this a document is refused; Go's limit is 10,000, our call stack is smaller. */
export const NESTING_MAX = 1_000;

/** At most this many names are given back, so that a hostile body cannot make a megabyte of warnings. */
export const DUPLICATES_REPORTED_MAX = 100;

export class NestingError extends Error {
  constructor() {
    super('exceeded max depth');
  }
}

/** Throws NestingError past NESTING_MAX. */
export const checkNesting = (value: unknown): void => void countMembers(value);

/** Members of all objects in `value`. Throws NestingError past NESTING_MAX. */
export function countMembers(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > NESTING_MAX) throw new NestingError();
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countMembers(item, depth + 1);
    return count;
  }
  const object = value as Record<string, unknown>;
  for (const key in object) {
    count++;
    const member = object[key];
    if (typeof member === 'object') count += countMembers(member, depth + 1);
  }
  return count;
}

/** Paths of members that stand twice in one object, each once, in the text's order: `spec.containers[0].image`. */
export function duplicateFields(json: string, members: number): string[] {
  return countMembersInText(json) === members ? [] : [...new Walker(json).duplicates()];
}

/** `json` is well-formed: it was parsed before. */
function countMembersInText(json: string): number {
  let count = 0;
  let quote = json.indexOf('"');
  while (quote !== -1) {
    const after = skipSpace(json, endOfString(json, quote));
    if (json.charCodeAt(after) === COLON) count++;
    quote = json.indexOf('"', after);
  }
  return count;
}

const COLON = 58;
const BACKSLASH = 92;

/** Index behind the closing quote of the string that opens at `quote`. */
function endOfString(json: string, quote: number): number {
  let end = json.indexOf('"', quote + 1);
  while (json.charCodeAt(end - 1) === BACKSLASH) {
    let first = end - 1;
    while (json.charCodeAt(first - 1) === BACKSLASH) first--;
    if ((end - first) % 2 === 0) break;
    end = json.indexOf('"', end + 1);
  }
  return end + 1;
}

function skipSpace(json: string, from: number): number {
  let index = from;
  let code = json.charCodeAt(index);
  while (code === 32 || code === 10 || code === 13 || code === 9) code = json.charCodeAt(++index);
  return index;
}

class Walker {
  readonly #found = new Set<string>();
  #position = 0;

  constructor(private readonly json: string) {}

  duplicates(): ReadonlySet<string> {
    this.#value('');
    return this.#found;
  }

  #value(path: string): void {
    this.#position = skipSpace(this.json, this.#position);
    const char = this.json[this.#position];
    if (char === '{') this.#object(path);
    else if (char === '[') this.#array(path);
    else if (char === '"') this.#position = endOfString(this.json, this.#position);
    else {
      const scalar = /[^\s,\]}]+/y;
      scalar.lastIndex = this.#position;
      scalar.test(this.json);
      this.#position = scalar.lastIndex;
    }
    this.#position = skipSpace(this.json, this.#position);
  }

  #object(path: string): void {
    const seen = new Set<string>();
    for (;;) {
      this.#position = skipSpace(this.json, this.#position + 1);
      if (this.json[this.#position] === '}') break;
      const end = endOfString(this.json, this.#position);
      const key = JSON.parse(this.json.slice(this.#position, end)) as string;
      const field = path === '' ? key : `${path}.${key}`;
      if (seen.has(key) && this.#found.size < DUPLICATES_REPORTED_MAX) this.#found.add(field);
      seen.add(key);
      this.#position = skipSpace(this.json, end) + 1;
      this.#value(field);
      if (this.json[this.#position] === '}') break;
    }
    this.#position++;
  }

  #array(path: string): void {
    for (let index = 0; ; index++) {
      this.#position = skipSpace(this.json, this.#position + 1);
      if (this.json[this.#position] === ']') break;
      this.#value(`${path}[${index}]`);
      if (this.json[this.#position] === ']') break;
    }
    this.#position++;
  }
}
