/**
 * Finds out what a decoder stumbled over, in the order of the document, and says it as Go does. Runs only for objects that
 * have a problem.
 */
import { isInt64 } from './go-int64.js';
import type * as z from 'zod';
import { list, metaOf, type StructOr, text } from './fields.js';
import { base64Problem } from './meta/base64.js';
import { parseQuantity, QUANTITY_FORMAT_PROBLEM } from './meta/quantity.js';
import { canonicalTime, timeProblem } from './meta/times.js';
import { defOf, type Json } from './walk.js';

export interface Problems {
  readonly unknownFields: string[];
  readonly typeError: string | undefined;
}

/** Where the walk is. */
interface Place {
  /** With indexes and keys, of unknown fields: `spec.containers[0]`. */
  readonly path: string;
  /** Without them, of type errors: `spec.containers`. */
  readonly goPath: string;
  /** Go name of the struct that holds the field. */
  readonly struct: string;
}

export function findProblems(schema: z.ZodType, value: unknown): Problems {
  const finder = new Finder();
  finder.visit(schema, value, { path: '', goPath: '', struct: '' });
  return { unknownFields: finder.unknownFields, typeError: finder.fatal ?? finder.mismatch };
}

class Finder {
  readonly unknownFields: string[] = [];
  /** The first value of a wrong JSON type. Go notes it and reads on. */
  mismatch: string | undefined;
  /** The first value that a type's own reader refused. Go stops there, so it wins. */
  fatal: string | undefined;

  visit(schema: z.ZodType, value: unknown, place: Place): void {
    const meta = metaOf(schema);
    if (value === null || value === undefined || meta.anyValue) return;
    if (meta.structOr !== undefined) return this.#structOr(meta.structOr, value);
    if (meta.scalarId !== undefined) return this.#scalar(meta.scalarId, value, place);
    const def = defOf(schema);
    switch (def.type) {
      case 'object':
        return isObject(value) ? this.#struct(schema, value, place) : this.#mismatch(schema, value, place);
      case 'array':
        if (!Array.isArray(value)) return this.#mismatch(schema, value, place);
        for (const [i, item] of value.entries()) {
          this.visit(def.element, item, { ...place, path: `${place.path}[${i}]` });
        }
        return;
      case 'record':
        if (!isObject(value)) return this.#mismatch(schema, value, place);
        for (const [key, item] of Object.entries(value)) {
          this.visit(def.valueType, item, { ...place, path: `${place.path}[${key}]` });
        }
        return;
      default:
        return this.#leaf(schema, value, place);
    }
  }

  #struct(schema: z.ZodType, value: Json, place: Place): void {
    const def = defOf(schema);
    if (def.type !== 'object') return;
    const struct = lastPart(metaOf(schema).structId ?? '');
    for (const [name, item] of Object.entries(value)) {
      const path = place.path === '' ? name : `${place.path}.${name}`;
      const field = Object.hasOwn(def.shape, name) ? def.shape[name] : undefined;
      if (field === undefined) {
        this.unknownFields.push(path);
        continue;
      }
      const inner = defOf(field);
      const goPath = place.goPath === '' ? name : `${place.goPath}.${name}`;
      this.visit(inner.type === 'optional' ? inner.innerType : field, item, { path, goPath, struct });
    }
  }

  /** Read by its own reader, whose paths begin anew; unknown fields are none of its business. */
  #structOr({ struct, other }: StructOr, value: unknown): void {
    if (other === 'boolean' && (Array.isArray(value) || !['object', 'boolean'].includes(typeof value))) {
      this.fatal ??= 'boolean or JSON schema expected';
    } else if (typeof value === 'object') {
      const listed = list(other === 'texts' ? text() : struct());
      this.fatal ??= findProblems(Array.isArray(value) ? listed : struct(), value).typeError;
    }
  }

  #leaf(schema: z.ZodType, value: unknown, place: Place): void {
    const { format } = metaOf(schema);
    const { type } = defOf(schema);
    if (format === 'byte' && typeof value === 'string') {
      this.mismatch ??= base64Problem(value);
    } else if (type === 'string' || type === 'boolean') {
      if (typeof value !== type) this.#mismatch(schema, value, place);
    } else if (typeof value !== 'number') {
      this.#mismatch(schema, value, place);
    } else if (format !== 'double' && !isGoInteger(value, format)) {
      this.mismatch ??= cannotUnmarshal(`number ${value}`, goTypeOf(schema), place);
    }
  }

  #scalar(scalarId: string, value: unknown, place: Place): void {
    switch (lastPart(scalarId)) {
      case 'Quantity':
        if (typeof value === 'string' || typeof value === 'number') {
          const parsed = parseQuantity(String(value).trim());
          if (typeof parsed === 'string') this.fatal ??= parsed;
        } else this.fatal ??= QUANTITY_FORMAT_PROBLEM;
        return;
      case 'IntOrString':
        if (typeof value === 'string' || (typeof value === 'number' && isGoInteger(value, 'int32'))) return;
        this.fatal ??= cannotUnmarshal(
          typeof value === 'number' ? `number ${value}` : jsonType(value),
          'int32',
          place,
        );
        return;
      default:
        if (typeof value !== 'string') this.fatal ??= cannotUnmarshal(jsonType(value), 'string', place);
        else if (scalarId.endsWith('Time')) this.#time(scalarId, value);
    }
  }

  #time(scalarId: string, value: string): void {
    const precision = scalarId.endsWith('MicroTime') ? 'micros' : 'seconds';
    if (canonicalTime(value, precision) === undefined) this.fatal ??= timeProblem(value, precision);
  }

  #mismatch(schema: z.ZodType, value: unknown, place: Place): void {
    this.mismatch ??= cannotUnmarshal(jsonType(value), goTypeOf(schema), place);
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isGoInteger = (value: number, format: string | undefined): boolean =>
  format === 'int32' ? (value | 0) === value : isInt64(value);

const lastPart = (id: string): string => id.slice(id.lastIndexOf('.') + 1);

/** How Go's decoder calls the type of a JSON value. */
function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

function cannotUnmarshal(what: string, goType: string, { struct, goPath }: Place): string {
  const where = struct === '' ? 'Go value' : `Go struct field ${struct}.${goPath}`;
  return `json: cannot unmarshal ${what} into ${where} of type ${goType}`;
}

/** `map[string]string`, `[]v1.Container`, `v1.PodSpec`, `int32`. */
function goTypeOf(schema: z.ZodType): string {
  const meta = metaOf(schema);
  if (meta.goType !== undefined) return meta.goType;
  if (meta.structId !== undefined) return meta.structId.split('.').slice(-2).join('.');
  if (meta.scalarId !== undefined) {
    const parts = meta.scalarId.split('.').slice(-2);
    return parts.join('.');
  }
  const def = defOf(schema);
  switch (def.type) {
    case 'array':
      return `[]${goTypeOf(def.element)}`;
    case 'record':
      return `map[string]${goTypeOf(def.valueType)}`;
    case 'boolean':
      return 'bool';
    default:
      return 'string';
  }
}
