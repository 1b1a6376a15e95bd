/**
 * YAML bodies, read as Kubernetes' YAML library reads them: YAML 1.1 (`yes` and `on` are booleans, `0777` is octal) but
 * without its times, dates and sixty-based numbers, which stay strings. Answers are written like Go's.
 */
import { goQuote } from '../../../schemas/go-quote.js';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { countMembers, NestingError } from './duplicates.js';
import type { Decoded, Serializer } from './serializer.js';
import { type DecodeHint, unrecognized, withTypeMeta } from './type-meta.js';
import { encodeYaml } from './yaml-encode.js';

/** Each anchor may be used this often, and what aliases stand for may add up to a request's body, but no further. */
export const YAML_ALIASES_MAX = 100;
export const YAML_EXPANDED_BYTES_MAX = 3 * 1024 * 1024;

/** The library takes 35 ms to load: it is, with the first YAML request. */
const require = createRequire(import.meta.url);
let loaded: typeof Yaml | undefined;
const library = (): typeof Yaml => (loaded ??= require('yaml') as typeof Yaml);

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

export const yamlSerializer: Serializer = {
  mediaTypes: ['application/yaml'],

  decode(body: Buffer, hint: DecodeHint): Decoded {
    const text = body.toString('utf8');
    const { value, problem, duplicates = [] } = parseYaml(text);
    if (problem !== undefined) throw unrecognized(hint, problem, body);
    const object = withTypeMeta(value, hint, body);
    const strictErrors = duplicates.length === 0 || !hint.strict ? [] : [duplicateKeysError(duplicates)];
    return { object, strictErrors };
  },

  encode: (json: Buffer): Buffer => Buffer.from(encodeYaml(JSON.parse(json.toString('utf8')), library())),
};

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
  const badKey = collectionKey(yaml, first);
  if (badKey !== undefined) {
    return { problem: `yaml: line ${lines.linePos(badKey).line}: invalid map key` };
  }
  const value = unshared(first.toJS({ maxAliasCount: YAML_ALIASES_MAX }), yaml, first);
  countMembers(value);
  return { value, duplicates: duplicateKeys(yaml, first, lines) };
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
function unshared(value: unknown, yaml: typeof Yaml, document: Yaml.Document): unknown {
  let aliases = false;
  yaml.visit(document, {
    Alias: () => {
      aliases = true;
      return yaml.visit.BREAK;
    },
  });
  if (!aliases) return value;
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

/** Where a list or map is the key of a map, which JSON has no form for; the library would make up a text. */
function collectionKey(yaml: typeof Yaml, document: Yaml.Document): number | undefined {
  let position: number | undefined;
  yaml.visit(document, {
    Pair(_key, { key }) {
      const target = yaml.isAlias(key) ? key.resolve(document) : key;
      if (!yaml.isCollection(target)) return undefined;
      position = (key as Yaml.Node).range?.[0] ?? 0;
      return yaml.visit.BREAK;
    },
  });
  return position;
}

function duplicateKeys(yaml: typeof Yaml, document: Yaml.Document, lines: Yaml.LineCounter): Duplicate[] {
  const duplicates: Duplicate[] = [];
  yaml.visit(document, {
    Map(_key, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!yaml.isScalar(key)) continue;
        const name = String(key.value);
        if (seen.has(name)) duplicates.push({ line: lines.linePos(key.range?.[0] ?? 0).line, key: name });
        seen.add(name);
      }
    },
  });
  return duplicates;
}
