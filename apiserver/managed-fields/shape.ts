/**
 * What a schema says of merging: which parts of an object are replaced as a whole, and how the others' items are told
 * apart. Made from the zod schema of a resource, struct by struct on first use.
 */
import type * as z from 'zod';
import { type ListMeta, metaOf, type NodeMeta } from '../../schemas/fields.js';
import { defOf, type Json } from '../../schemas/walk.js';
import { compareText } from './path-elements.js';

export type Shape = LeafShape | StructShape | MapShape | ListShape | AnyShape;

export interface LeafShape {
  readonly kind: 'leaf';
  readonly scalar: 'numeric' | 'string' | 'boolean' | 'untyped';
}

export interface MapShape {
  readonly kind: 'map';
  readonly atomic: boolean;
  readonly value: Shape;
}

export interface ListShape {
  readonly kind: 'list';
  /** `map`: items are told apart by their keys; `set`: by their values. */
  readonly relation: 'atomic' | 'set' | 'map';
  /** Sorted by name. */
  readonly keys: readonly ListKey[];
  readonly item: Shape;
}

export interface ListKey {
  readonly name: string;
  /** Taken where an item lacks the field. */
  readonly fallback: unknown;
}

/** Any JSON value: objects merge field by field, lists are replaced. */
export interface AnyShape {
  readonly kind: 'any';
}

export interface ShapeField {
  readonly name: string;
  /** `f:` and the name. */
  readonly key: string;
  readonly shape: Shape;
  /** What Go prints of an empty struct; undefined for nothing. */
  readonly blank: () => unknown;
  /** As what an absent one counts in a decoded object: null where Go prints that. */
  readonly absent: null | undefined;
}

export class StructShape {
  readonly kind = 'struct';
  #fields: readonly ShapeField[] | undefined;
  #byName: Map<string, ShapeField> | undefined;

  constructor(
    readonly atomic: boolean,
    private readonly source: () => readonly ShapeField[],
  ) {}

  /** Sorted by name. */
  get fields(): readonly ShapeField[] {
    return (this.#fields ??= [...this.source()].sort((a, b) => compareText(a.name, b.name)));
  }

  field(name: string): ShapeField | undefined {
    this.#byName ??= new Map(this.fields.map((field) => [field.name, field]));
    return this.#byName.get(name);
  }

  /** An empty one as Go prints it: structs that are no pointers are there, and lists that are not left out are null. */
  blank(): Json {
    const object: Json = {};
    for (const { name, blank } of this.fields) {
      const value = blank();
      if (value !== undefined) object[name] = value;
    }
    return object;
  }
}

/** Of what a key of a field set names; undefined where the shape has no such thing. */
export function shapeBelow(shape: Shape | undefined, key: string): Shape | undefined {
  if (shape?.kind === 'list') return key.startsWith('f:') ? undefined : shape.item;
  return key.startsWith('f:') ? memberShape(shape, key.slice(2)) : undefined;
}

/** Of a member of an object; undefined where the shape has none of that name. */
export function memberShape(shape: Shape | undefined, name: string): Shape | undefined {
  switch (shape?.kind) {
    case 'struct':
      return shape.field(name)?.shape;
    case 'map':
      return shape.value;
    case 'any':
      return shape;
    default:
      return undefined;
  }
}

const ANY: AnyShape = { kind: 'any' };

/** A struct's shape is shared by all its uses, which are clones of one schema. */
const structs = new Map<string, StructShape>();

/** The shape of an object's schema. */
export function shapeOf(schema: z.ZodType): StructShape {
  const shape = build(schema, metaOf(schema));
  if (shape.kind !== 'struct') throw new TypeError('an object is a struct');
  return shape;
}

function build(schema: z.ZodType, meta: NodeMeta): Shape {
  if (meta.anyValue || meta.structOr !== undefined) return ANY;
  if (meta.scalarId !== undefined) return leafOf(meta, 'untyped');
  const def = defOf(schema);
  switch (def.type) {
    case 'object':
      return structOf(meta, def.shape);
    case 'array':
      return listOf(meta, def.element);
    case 'record':
      return {
        kind: 'map',
        atomic: meta.mapType === 'atomic',
        value: build(def.valueType, metaOf(def.valueType)),
      };
    case 'optional':
      return build(def.innerType, meta);
    default:
      return leafOf(meta, def.type);
  }
}

/** Scalars with a format of their own (times, quantities) may be given as text or number. */
function leafOf({ scalarId, format }: NodeMeta, type: string): LeafShape {
  if (scalarId?.endsWith('.Duration')) return { kind: 'leaf', scalar: 'string' };
  if (scalarId !== undefined) return { kind: 'leaf', scalar: 'untyped' };
  if (type === 'boolean') return { kind: 'leaf', scalar: 'boolean' };
  if (type === 'number') return { kind: 'leaf', scalar: 'numeric' };
  const plain = type === 'string' && (format === undefined || format === 'byte');
  return { kind: 'leaf', scalar: plain ? 'string' : 'untyped' };
}

function structOf(meta: NodeMeta, fields: Readonly<Record<string, z.ZodType>>): StructShape {
  const atomic = meta.mapType === 'atomic' && !meta.granular;
  const id = meta.structId === undefined ? undefined : `${meta.structId}${atomic ? ' atomic' : ''}`;
  const known = id === undefined ? undefined : structs.get(id);
  if (known !== undefined) return known;
  const shape = new StructShape(atomic, () =>
    Object.entries(fields).map(([name, field]) =>
      fieldOf(name, field, meta.required?.includes(name) ?? false),
    ),
  );
  if (id !== undefined) structs.set(id, shape);
  return shape;
}

function fieldOf(name: string, schema: z.ZodType, required: boolean): ShapeField {
  const meta = metaOf(schema);
  const shape = build(schema, meta);
  const { default: zero, printsNull, omitsNull, omitEmpty } = meta;
  const field = { name, key: `f:${name}`, shape };
  if (shape.kind === 'struct' && zero !== undefined)
    return { ...field, absent: undefined, blank: () => shape.blank() };
  if (printsNull || (required && shape.kind !== 'leaf' && !omitsNull))
    return { ...field, absent: null, blank: () => null };
  const printed = !omitEmpty && (zero === '' || zero === 0 || zero === false) ? zero : undefined;
  return { ...field, absent: undefined, blank: () => printed };
}

function listOf({ listType, listMapKeys = [] }: ListMeta, element: z.ZodType): ListShape {
  const item = build(element, metaOf(element));
  const relation = listType ?? 'atomic';
  if (relation !== 'map') return { kind: 'list', relation, keys: [], item };
  const def = defOf(element);
  const fields = def.type === 'object' ? def.shape : {};
  const keys = [...listMapKeys].sort(compareText).map((name) => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    return { name, fallback: field === undefined ? undefined : metaOf(field).default };
  });
  return { kind: 'list', relation, keys, item };
}
