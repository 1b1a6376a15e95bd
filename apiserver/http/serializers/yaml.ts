/**
 * YAML, read as Kubernetes' YAML library reads it: YAML 1.1 (`yes` and `on` are booleans, `0777` is octal) but without its
 * times, dates and sixty-based numbers, which stay strings.
 */
import { goQuote } from '../../../schemas/go-quote.js';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { countMembers, duplicateFields, NESTING_MAX, NestingError } from './duplicates.js';
import { readOrdinaryYaml, UNSURE } from './yaml-ordinary.js';

/** Each anchor may be used this often, and what aliases stand for may add up to a request's body, but no further. */
export const YAML_ALIASES_MAX = 100;
export const YAML_EXPANDED_BYTES_MAX = 3 * 1024 * 1024;

/** The library takes 35 ms to load: it is, with the first YAML request. */
const require = createRequire(import.meta.url);
let loaded: typeof Yaml | undefined;
export const library = (): typeof Yaml => (loaded ??= require('yaml') as typeof Yaml);

const FLOAT = 'tag:yaml.org,2002:float';
/** The library takes a lone point, which is a key of managedFields, and `e0` for numbers too. */
const GO_FLOAT = /^[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*\.[0-9_]*)$/;
const GO_EXPONENT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+$/;
/** The library throws this when it makes values of what it has parsed. */
const BAD_MERGE = 'Merge sources must be maps or map aliases';
/** The library catches its own overflow. */
const STACK_OVERFLOW = 'Maximum call stack size exceeded';

const IGNORED_TAGS: ReadonlySet<string> = new Set([
  'tag:yaml.org,2002:binary',
  'tag:yaml.org,2002:omap',
  'tag:yaml.org,2002:pairs',
  'tag:yaml.org,2002:set',
  'tag:yaml.org,2002:timestamp',
]);

/** What strict decoding says of keys that stand twice. */
export function duplicateKeysError(duplicates: readonly Duplicate[]): string {
  const lines = duplicates.map(({ line, key }) => `  line ${line}: key ${goQuote(key)} already set in map`);
  return `yaml: unmarshal errors:\n${lines.join('\n')}`;
}

interface Duplicate {
  readonly line: number;
  readonly key: string;
}

export type ParsedYaml =
  | { readonly value: unknown; readonly problem?: undefined; readonly duplicates: readonly Duplicate[] }
  | { readonly value?: undefined; readonly problem: string; readonly duplicates?: undefined };

/** One document; an empty one is null. */
export function parseYaml(text: string): ParsedYaml {
  const quick = parseQuickly(text);
  return quick === UNSURE ? parseByLibrary(text) : { value: quick, duplicates: [] };
}

/**
 * The value, read without the library, or UNSURE. JSON is YAML too, and what clients send; not where keys stand twice, for
 * the lines' sake.
 */
export function parseQuickly(text: string): unknown {
  if (!/^\s*\{/.test(text)) return readOrdinaryYaml(text);
  try {
    const value: unknown = JSON.parse(text);
    if (duplicateFields(text, countMembers(value)).length === 0) return value;
  } catch {}
  return UNSURE;
}

/**
 * Whether brackets, or dashes and question marks of one line, nest so deep that the library, which recurses, might use up
 * the stack: V8 ends the process where it then needs room to compile an expression. What is quoted counts too.
 */
function mayOverflow(text: string): boolean {
  let brackets = 0;
  let marks = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '[' || character === '{') brackets++;
    else if ((character === ']' || character === '}') && brackets > 0) brackets--;
    if (isSpace(character)) continue;
    marks = '-?:'.includes(character) && isSpace(text[at + 1]) ? marks + 1 : 0;
    if (brackets > NESTING_MAX || marks > NESTING_MAX) return true;
  }
  return false;
}

const isSpace = (character: string | undefined): boolean => character === ' ' || character === '\t';

/** All of YAML, at one to four milliseconds of CPU a KiB. */
export function parseByLibrary(text: string): ParsedYaml {
  if (mayOverflow(text)) return { problem: 'exceeded max depth' };
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof ReferenceError) return { problem: 'yaml: document contains excessive aliasing' };
    // The library recurses, and so overflows where brackets nest by the thousand.
    if (error instanceof NestingError || error instanceof RangeError)
      return { problem: 'exceeded max depth' };
    if (error instanceof Error && error.message === BAD_MERGE) {
      return { problem: 'yaml: map merge requires map or sequence of maps as the value' };
    }
    throw error;
  }
}

function parse(text: string): ParsedYaml {
  const yaml = library();
  const lines = new yaml.LineCounter();
  const documents = yaml.parseAllDocuments(text, {
    version: '1.1',
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
    // Its warnings would go to this process's stderr, for any client to fill.
    logLevel: 'error',
    customTags: (tags) => tags.flatMap(asGo),
  });
  const filled = [...documents].filter((document) => !isBlank(document, yaml));
  const [first] = filled;
  if (first === undefined) return { value: null, duplicates: [] };
  if (filled.length > 1) return { problem: 'yaml: expected one document, found several' };
  const [error] = first.errors;
  if (error?.message === STACK_OVERFLOW) throw new NestingError();
  if (error !== undefined) {
    return { problem: `yaml: line ${lines.linePos(error.pos[0]).line}: ${error.message}` };
  }
  const nodes = new Nodes(yaml, first);
  nodes.visit(first.contents);
  if (nodes.badKey !== undefined) {
    return { problem: `yaml: line ${lines.linePos(nodes.badKey).line}: invalid map key` };
  }
  let value: unknown = first.toJS({ maxAliasCount: YAML_ALIASES_MAX });
  if (nodes.hasAliases) value = unshared(value);
  countMembers(value);
  const duplicates = nodes.duplicates.map(({ at, key }) => ({ line: lines.linePos(at).line, key }));
  return { value, duplicates };
}

/** What stands before the first `---` and behind the last. */
function isBlank({ contents, errors }: Yaml.Document, yaml: typeof Yaml): boolean {
  return errors.length === 0 && (contents === null || (yaml.isScalar(contents) && contents.source === ''));
}

/** The library's way of reading a scalar or collection, where Go's library has it, and with Go's idea of a number. */
function asGo(tag: Yaml.Tags[number]): Yaml.Tags {
  if (typeof tag === 'string') return [tag];
  if (IGNORED_TAGS.has(tag.tag) || ('format' in tag && tag.format === 'TIME')) return [];
  if (tag.tag !== FLOAT || tag.collection !== undefined) return [tag];
  if (tag.format === 'EXP') return [{ ...tag, test: GO_EXPONENT }];
  return [tag.test?.test('.') ? { ...tag, test: GO_FLOAT } : tag];
}

/** Aliases give one object in several places; who changes one place must not change the others. */
function unshared(value: unknown): unknown {
  if (expandedSize(value, new Map()) > YAML_EXPANDED_BYTES_MAX) throw new ReferenceError('too many aliases');
  return JSON.parse(JSON.stringify(value));
}

/** About as many bytes as the value has in JSON; each shared object is looked at once. */
function expandedSize(value: unknown, known: Map<object, number>): number {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? value.length : 1;
  let size = known.get(value);
  if (size === undefined) {
    size = 2;
    for (const [key, member] of Object.entries(value)) size += key.length + 3 + expandedSize(member, known);
    known.set(value, size);
  }
  return size;
}

/** What is to be known of a document's nodes. The library's own visitor takes as long as its parser. */
class Nodes {
  hasAliases = false;
  /** Where a list or map is the key of a map, which JSON has no form for; the library would make up a text. */
  badKey: number | undefined;
  readonly duplicates: { readonly at: number; readonly key: string }[] = [];

  constructor(
    private readonly yaml: typeof Yaml,
    private readonly document: Yaml.Document,
  ) {}

  visit(node: unknown): void {
    if (this.yaml.isAlias(node)) this.hasAliases = true;
    else if (this.yaml.isMap(node)) this.#map(node);
    else if (this.yaml.isSeq(node)) for (const item of node.items) this.visit(item);
  }

  #map({ items }: Yaml.YAMLMap): void {
    const seen = new Set<string>();
    for (const { key, value } of items) {
      if (this.yaml.isScalar(key)) this.#key(seen, key);
      else if (this.yaml.isNode(key)) this.#oddKey(key);
      this.visit(value);
    }
  }

  #key(seen: Set<string>, { value, range }: Yaml.Scalar): void {
    const key = String(value);
    if (seen.has(key)) this.duplicates.push({ at: range?.[0] ?? 0, key });
    else seen.add(key);
  }

  #oddKey(key: Yaml.Node): void {
    const target = this.yaml.isAlias(key) ? key.resolve(this.document) : key;
    if (this.yaml.isCollection(target)) this.badKey ??= key.range?.[0] ?? 0;
    this.visit(key);
  }
}
