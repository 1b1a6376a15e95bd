/**
 * YAML, read as Kubernetes' YAML library reads it: YAML 1.1 (`yes` and `on` are booleans, `0777` is octal) but without its
 * times, dates and sixty-based numbers, which stay strings.
 */
import { goQuote } from '../../../schemas/go-quote.js';
import { isBase64 } from '../../../schemas/meta/base64.js';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { countMembers, duplicateFields, NESTING_MAX, NestingError } from './duplicates.js';
import { yamlNumber } from './yaml-numbers.js';
import { readOrdinaryYaml, UNSURE } from './yaml-ordinary.js';

/** Each anchor may be used this often, and what aliases stand for may add up to a request's body, but no further. */
export const YAML_ALIASES_MAX = 100;
export const YAML_EXPANDED_BYTES_MAX = 3 * 1024 * 1024;

/** The library takes 35 ms to load: it is, with the first YAML request. */
const require = createRequire(import.meta.url);
let loaded: typeof Yaml | undefined;
export const library = (): typeof Yaml => (loaded ??= require('yaml') as typeof Yaml);

const INT = 'tag:yaml.org,2002:int';
const FLOAT = 'tag:yaml.org,2002:float';
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

/** Numbers that JSON has no form for: what Go's encoder calls them, and how they are written as keys. */
const NOT_IN_JSON: ReadonlyMap<unknown, { readonly name: string; readonly key: string }> = new Map([
  [Number.NaN, { name: 'NaN', key: '.nan' }],
  [Infinity, { name: '+Inf', key: '.inf' }],
  [-Infinity, { name: '-Inf', key: '-.inf' }],
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

/** The first document; an empty one is null. As upstream, nothing is said of what follows it. */
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
    customTags: (tags) => [...goTags, ...tags.flatMap(asGo)],
  });
  const filled = [...documents].filter((document) => !isBlank(document, yaml));
  const [first] = filled;
  if (first === undefined) return { value: null, duplicates: [] };
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
  if (nodes.unsupported !== undefined) return { problem: `json: unsupported value: ${nodes.unsupported}` };
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

/** The library's ways of reading scalars and collections that Go's library has, but for numbers. */
function asGo(tag: Yaml.Tags[number]): Yaml.Tags {
  if (typeof tag === 'string') return [tag];
  if (IGNORED_TAGS.has(tag.tag)) return [];
  const isNumber = (tag.tag === INT || tag.tag === FLOAT) && tag.collection === undefined;
  return isNumber && !tag.test?.test('.inf') && !tag.test?.test('.nan') ? [] : [tag];
}

const number = (tag: string, isDefault: boolean): Yaml.ScalarTag => ({
  tag,
  default: isDefault,
  // The library asks nothing else of it.
  ...(isDefault && { test: { test: (text: string) => yamlNumber(text) !== undefined } as RegExp }),
  resolve: (text, onError) => yamlNumber(text) ?? onError(`cannot decode ${text} as a number`),
});

const binary: Yaml.ScalarTag = {
  tag: 'tag:yaml.org,2002:binary',
  resolve: (text, onError) => {
    if (isBase64(text)) return Buffer.from(text, 'base64').toString();
    onError('!!binary value contains invalid base64 data');
    return text;
  },
};

/** Numbers are of plain scalars, and of those that are said to be one. */
const goTags: Yaml.Tags = [number(FLOAT, true), number(FLOAT, false), number(INT, false), binary];

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
  /** Where null, a list or a map is the key of a map, which JSON has no form for; the library would make up a text. */
  badKey: number | undefined;
  /** Go's name of a value that JSON has no form for. */
  unsupported: string | undefined;
  readonly duplicates: { readonly at: number; readonly key: string }[] = [];

  constructor(
    private readonly yaml: typeof Yaml,
    private readonly document: Yaml.Document,
  ) {}

  visit(node: unknown): void {
    if (this.yaml.isAlias(node)) this.hasAliases = true;
    else if (this.yaml.isMap(node)) this.#map(node);
    else if (this.yaml.isSeq(node)) for (const item of node.items) this.visit(item);
    else if (this.yaml.isScalar(node)) this.unsupported ??= NOT_IN_JSON.get(node.value)?.name;
  }

  #map({ items }: Yaml.YAMLMap): void {
    const seen = new Set<string>();
    for (const { key, value } of items) {
      if (this.yaml.isScalar(key)) this.#key(seen, key);
      else if (this.yaml.isNode(key)) this.#oddKey(key);
      this.visit(value);
    }
  }

  #key(seen: Set<string>, scalar: Yaml.Scalar): void {
    const { value, range } = scalar;
    if (value === null) this.badKey ??= range?.[0] ?? 0;
    scalar.value = NOT_IN_JSON.get(value)?.key ?? value;
    const key = String(scalar.value);
    if (seen.has(key)) this.duplicates.push({ at: range?.[0] ?? 0, key });
    else seen.add(key);
  }

  #oddKey(key: Yaml.Node): void {
    const target = this.yaml.isAlias(key) ? key.resolve(this.document) : key;
    if (this.yaml.isCollection(target)) this.badKey ??= key.range?.[0] ?? 0;
    this.visit(key);
  }
}
