/**
 * From parsed JSON to an object as Go's decoder would hold it and print it again:
 *  - nulls are absent, unknown fields are pruned and reported, fields stand in Go's order;
 *  - empty lists, maps and (where Go has a plain value with omitempty) zero values are absent; what Go always prints is
 *    there: `status: {}`, `ready: false`, `lastProbeTime: null`;
 *  - quantities and times are in their canonical form.
 *
 * A decoder is made once per struct by walking its zod schema and the metadata of fields.ts: one pass does all of the
 * above at less than the price of zod's own parser, which says only whether types fit. DESIGN.md has the measurements; a
 * test holds the two to the same verdicts. What went wrong is found out afterwards, by decode-problems.ts.
 */
import { isInt64 } from './go-int64.js';
import type * as z from 'zod';
import type { KubeObject, ResourceDefinition } from './definition.js';
import { findProblems } from './decode-problems.js';
import { list, metaOf, type NodeMeta, type StructOr, text } from './fields.js';
import { isBase64 } from './meta/base64.js';
import { canonicalQuantity } from './meta/quantity.js';
import { canonicalTime } from './meta/times.js';
import { defOf, type Json } from './walk.js';

export type Decoded<T = KubeObject> =
  | {
      readonly object: T;
      /** Paths of fields that were pruned, in the order of the document: `spec.containers[0].comand`. */
      readonly unknownFields: string[];
    }
  /** Go's text for a value of the wrong type. */
  | { readonly typeError: string };

/**
 * Decodes an object of a resource. Sets kind and apiVersion in `value` where they are absent; the result shares the
 * parts of it that need no change.
 */
export function decodeObject(definition: ResourceDefinition, value: unknown): Decoded {
  if (typeof value === 'object' && value !== null) {
    const { group, version, kind } = definition;
    const body = value as Json;
    if (isEmpty(body['kind'])) body['kind'] = kind;
    if (isEmpty(body['apiVersion'])) body['apiVersion'] = group === '' ? version : `${group}/${version}`;
  }
  return decodeSchema<KubeObject>(definition.schema(), value);
}

const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === '';

/** Decodes a value of any schema: the body of a subresource, DeleteOptions. */
export function decodeSchema<T>(schema: z.ZodType, value: unknown): Decoded<T> {
  const state: State = { unknown: false, failed: false };
  const object = decoderOf(schema)(value, state);
  if (!state.failed && !state.unknown) return { object: object as T, unknownFields: [] };
  const { typeError, unknownFields } = findProblems(schema, value);
  return typeError === undefined ? { object: object as T, unknownFields } : { typeError };
}

/** What a decoder found on its way; where it was is looked up only when something was. */
interface State {
  unknown: boolean;
  failed: boolean;
}

/** Gives undefined for what Go would not print, and for what failed. Never called with null or undefined. */
type Decoder = (value: unknown, state: State) => unknown;

const decoders = new WeakMap<z.ZodType, Decoder>();
/** A struct's decoder is shared by all its uses, which are clones of one schema. */
const structs = new Map<string, Decoder>();

function decoderOf(schema: z.ZodType): Decoder {
  let decoder = decoders.get(schema);
  if (decoder === undefined) {
    decoder = makeDecoder(schema);
    decoders.set(schema, decoder);
  }
  return decoder;
}

function makeDecoder(schema: z.ZodType): Decoder {
  const meta = metaOf(schema);
  const def = defOf(schema);
  if (meta.anyValue) return (value) => value;
  if (meta.structOr !== undefined) return structOrDecoder(meta.structOr);
  if (meta.scalarId !== undefined) return scalarDecoder(meta);
  switch (def.type) {
    case 'object':
      return structDecoder(schema, meta);
    case 'array':
      return listDecoder(decoderOf(def.element), def.element, meta.keepsEmpty ?? false);
    case 'record':
      return mapDecoder(decoderOf(def.valueType), def.valueType);
    default:
      return leafDecoder(meta, def.type);
  }
}

const fail = (state: State): undefined => {
  state.failed = true;
};

function leafDecoder(meta: NodeMeta, type: string): Decoder {
  if (meta.format === 'byte') {
    return (value, state) => (typeof value === 'string' && isBase64(value) ? value : fail(state));
  }
  if (type === 'string') return (value, state) => (typeof value === 'string' ? value : fail(state));
  if (type === 'boolean') return (value, state) => (typeof value === 'boolean' ? value : fail(state));
  if (meta.format === 'double') return (value, state) => (typeof value === 'number' ? value : fail(state));
  if (meta.format === 'int32') {
    return (value, state) => (typeof value === 'number' && (value | 0) === value ? value : fail(state));
  }
  return (value, state) => (isInt64(value) ? value : fail(state));
}

function scalarDecoder(meta: NodeMeta): Decoder {
  const name = meta.scalarId?.slice(meta.scalarId.lastIndexOf('.') + 1);
  switch (name) {
    case 'Quantity':
      return (value, state) =>
        (typeof value === 'string' || typeof value === 'number'
          ? canonicalQuantity(String(value))
          : undefined) ?? fail(state);
    case 'IntOrString':
      return (value, state) =>
        typeof value === 'string' || (typeof value === 'number' && (value | 0) === value)
          ? value
          : fail(state);
    case 'Time':
    case 'MicroTime': {
      const precision = name === 'Time' ? 'seconds' : 'micros';
      return (value, state) =>
        (typeof value === 'string' ? canonicalTime(value, precision) : undefined) ?? fail(state);
    }
    default:
      return (value, state) => (typeof value === 'string' ? value : fail(state));
  }
}

/** Go reads such a value with a decoder of its own, from which nobody hears of unknown fields. */
function structOrDecoder({ struct, other }: StructOr): Decoder {
  let ofList: Decoder | undefined;
  return (value, state) => {
    const own: State = { unknown: false, failed: false };
    let decoded: unknown;
    if (Array.isArray(value) && other !== 'boolean') {
      ofList ??= decoderOf(list(other === 'structs' ? struct() : text()));
      decoded = ofList(value, own);
    } else if (typeof value === 'object') decoded = decoderOf(struct())(value, own);
    else if (other === 'boolean') decoded = typeof value === 'boolean' ? value : fail(own);
    if (own.failed) state.failed = true;
    return decoded;
  };
}

/** What a null in a list or a map stands for: the zero value of its type. */
function zeroOf(schema: z.ZodType): unknown {
  const def = defOf(schema);
  const meta = metaOf(schema);
  if (meta.anyValue) return null;
  if (meta.scalarId?.endsWith('Quantity')) return '0';
  if (meta.scalarId?.endsWith('IntOrString')) return 0;
  if (def.type === 'string' || meta.scalarId !== undefined) return '';
  if (def.type === 'boolean') return false;
  if (def.type === 'object' || def.type === 'record') return {};
  return def.type === 'array' ? [] : 0;
}

/** Lists and maps are copied only where something in them changes; scalars seldom do. */
function listDecoder(item: Decoder, schema: z.ZodType, keepsEmpty: boolean): Decoder {
  return (value, state) => {
    if (!Array.isArray(value)) return fail(state);
    if (value.length === 0) return keepsEmpty ? value : undefined;
    let items = value as unknown[];
    for (let i = 0; i < value.length; i++) {
      const before: unknown = value[i];
      const entry = before ?? zeroOf(schema);
      const after = item(entry, state) ?? entry;
      if (after === before) continue;
      if (items === value) items = value.slice();
      items[i] = after;
    }
    return items;
  };
}

function mapDecoder(item: Decoder, schema: z.ZodType): Decoder {
  return (value, state) => {
    if (typeof value !== 'object' || Array.isArray(value)) return fail(state);
    let map = value as Json;
    const keys = Object.keys(map);
    if (keys.length === 0) return undefined;
    for (const key of keys) {
      const before = map[key];
      const entry = before ?? zeroOf(schema);
      const after = item(entry, state) ?? entry;
      if (after === before) continue;
      // Spread and defineProperty treat a key named __proto__ as any other.
      if (map === value) map = { ...map };
      Object.defineProperty(map, key, { value: after, enumerable: true, writable: true, configurable: true });
    }
    return map;
  };
}

/** One field of a struct, ready for the loop below. */
interface Field {
  readonly name: string;
  readonly decode: Decoder;
  /** What Go prints where the field is absent; undefined for nothing. */
  readonly absent: ((state: State) => unknown) | undefined;
  /** A zero value is as good as absent. */
  readonly omitEmpty: boolean;
}

function structDecoder(schema: z.ZodType, meta: NodeMeta): Decoder {
  const id = meta.structId;
  const known = id === undefined ? undefined : structs.get(id);
  if (known !== undefined) return known;
  let fields: readonly Field[] | undefined;
  const decode: Decoder = (value, state) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(state);
    fields ??= fieldsOf(schema, meta);
    const from = value as Json;
    const object: Json = {};
    let known = 0;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      const { name } = field;
      const given = from[name];
      let decoded: unknown;
      if (given !== undefined) {
        known++;
        if (given !== null) decoded = field.decode(given, state);
      }
      if (decoded === undefined || (field.omitEmpty && isZero(decoded))) {
        if (field.absent === undefined) continue;
        decoded = field.absent(state);
      }
      object[name] = decoded;
    }
    if (known !== countKeys(from)) state.unknown = true;
    return object;
  };
  if (id !== undefined) structs.set(id, decode);
  return decode;
}

const isZero = (value: unknown): boolean => value === '' || value === 0 || value === false;

function countKeys(object: Json): number {
  let count = 0;
  for (const key in object) if (object[key] !== undefined) count++;
  return count;
}

function fieldsOf(schema: z.ZodType, meta: NodeMeta): Field[] {
  const def = defOf(schema);
  if (def.type !== 'object') return [];
  return Object.entries(def.shape).map(([name, optional]) => {
    const field = metaOf(optional);
    const inner = defOf(optional);
    const decode = decoderOf(inner.type === 'optional' ? inner.innerType : optional);
    return {
      name,
      decode,
      absent: absentOf(field, decode, meta.required?.includes(name) ?? false),
      omitEmpty: field.omitEmpty ?? false,
    };
  });
}

function absentOf(field: NodeMeta, decode: Decoder, required: boolean): Field['absent'] {
  if (field.printsNull) return () => null;
  if (field.structId !== undefined && field.default !== undefined) return (state) => decode({}, state);
  const { default: zero } = field;
  // Some that OpenAPI does not call required are always printed too.
  return (required || field.omitEmpty !== true) && isZero(zero) ? () => zero : undefined;
}
