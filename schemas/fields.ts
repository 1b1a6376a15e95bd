/**
 * The words that resource schemas are written in: zod types with the metadata that discovery, OpenAPI, strict decoding,
 * strategic merge, server-side apply and protobuf derive from.
 *
 * In Kubernetes every field may be absent on the wire; a missing one is its zero value and validation says what is
 * required. So `struct` makes every field optional to zod, refuses unknown ones (decoding turns them into warnings or
 * errors) and keeps what OpenAPI calls required as metadata. Nulls are removed before zod sees an object.
 *
 * Schemas are built on first use: write them as `export const podSpec = once(() => struct(…))`.
 */
import { isInt64 } from './go-int64.js';
import * as z from 'zod';

/** How a list's items are told apart when it is merged. */
export interface ListMeta {
  /** x-kubernetes-list-type. */
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  /** x-kubernetes-patch-strategy, of strategic merge: 'merge', 'replace', 'retainKeys' or two of them joined by a comma. */
  readonly patchStrategy?: 'merge' | 'replace' | 'retainKeys' | 'merge,retainKeys';
  readonly patchMergeKey?: string;
  /** x-kubernetes-map-type, of objects. */
  readonly mapType?: 'atomic' | 'granular';
}

/** Metadata carried by a schema or by the use of a schema in a field (OpenAPI allOf + $ref). */
export interface FieldMeta extends ListMeta {
  readonly description?: string;
  /**
   * What OpenAPI documents as the default; the defaulting functions are what sets it. Go prints a struct whose default
   * is `{}`, and a required scalar whose default is its zero value, even when it is empty; so decoding sets those.
   */
  readonly default?: unknown;
  /** The only values OpenAPI allows, sorted. Decoding lets others through: validation refuses them in its own words. */
  readonly enum?: readonly string[];
  /** A Go value with omitempty, not a pointer: `""`, `0` and `false` are never printed, so decoding drops them. */
  readonly omitEmpty?: boolean;
  /**
   * Go's name of the type, as its JSON decoding errors print it, where it is not what the schema says: `v1.PullPolicy` of
   * a string, `v1.ResourceList` of a map.
   */
  readonly goType?: string;
  /** A required struct, list or map that Go prints nothing of where it is absent: a pointer with omitempty. */
  readonly omitsNull?: boolean;
  /** A struct that is replaced as a whole elsewhere, and merges field by field here. */
  readonly granular?: boolean;
  /** Upstream says nothing of this field but its type, so OpenAPI refers to that alone. */
  readonly bareReference?: boolean;
  /** A list whose being empty says something that its absence does not, so decoding keeps it. */
  readonly keepsEmpty?: boolean;
  /** A Go time that is no pointer: prints null when it is absent (`lastProbeTime: null`), so decoding sets that. */
  readonly printsNull?: boolean;
}

/** Metadata of a schema node itself, read back by `kindOf`. */
export interface NodeMeta extends FieldMeta {
  /** Full OpenAPI name of a struct, `io.k8s.api.core.v1.Pod`. The last part is its Go type's name. */
  readonly structId?: string;
  /** A struct's own description, which that of a field of its type may cover. */
  readonly structDescription?: string;
  readonly required?: readonly string[];
  /** OpenAPI format: int32, int64, byte, date-time, int-or-string, double. */
  readonly format?: string;
  /** A named scalar with an OpenAPI definition of its own: Quantity, IntOrString, Time, MicroTime, Duration. */
  readonly scalarId?: string;
  /** Accepts any JSON value. */
  readonly anyValue?: boolean;
  /** A struct, or in its place a boolean, a list of such structs or a list of texts; OpenAPI says nothing of it. */
  readonly structOr?: StructOr;
  /** The kind that a struct is, where others contain it: OpenAPI says so there too. */
  readonly kind?: KindName;
  /** x-kubernetes-unions, of structs: the discriminator field, and each member's discriminator value. */
  readonly unions?: readonly Union[];
}

export interface StructOr {
  readonly struct: () => z.ZodType;
  readonly other: 'boolean' | 'structs' | 'texts';
}

export interface KindName {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** One x-kubernetes-unions entry. */
export interface Union {
  readonly discriminator?: string;
  readonly fieldsToDiscriminateBy: Readonly<Record<string, string>>;
}

/** Node metadata is kept here and not in zod's global registry, which would keep every clone alive. */
const nodes = new WeakMap<z.ZodType, NodeMeta>();

export function metaOf(schema: z.ZodType): NodeMeta {
  return nodes.get(schema) ?? {};
}

function withMeta<T extends z.ZodType>(schema: T, meta: NodeMeta): T {
  nodes.set(schema, meta);
  return schema;
}

/** The same schema with metadata of this use added: `describe(list(container()), { description: '…' })`. */
export function describe<T extends z.ZodType>(schema: T, meta: FieldMeta): T {
  return withMeta(schema.clone(), { ...metaOf(schema), ...meta });
}

/** Builds on the first call, then always gives the same value. */
export function once<T>(build: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= build());
}

type OptionalFields<F extends z.ZodRawShape> = { [K in keyof F]: z.ZodOptional<F[K]> };

/** A Go struct: fields in Go's order, which is the order they are answered in. */
export function struct<F extends z.ZodRawShape>(
  structId: string,
  fields: F,
  options: {
    readonly description?: string;
    readonly required?: readonly (keyof F & string)[];
    readonly unions?: readonly Union[];
    readonly kind?: KindName;
  } & ListMeta = {},
): z.ZodObject<OptionalFields<F>, z.core.$strict> {
  const shape: Record<string, z.ZodType> = {};
  for (const [name, schema] of Object.entries(fields)) {
    const field = schema as z.ZodType;
    shape[name] = withMeta(field.optional(), metaOf(field));
  }
  return withMeta(z.strictObject(shape as OptionalFields<F>), {
    structId,
    ...(options.description === undefined ? {} : { structDescription: options.description }),
    ...options,
  });
}

/**
 * A struct that contains itself. `fields` is called once with the struct, which has no fields yet: it may be put into
 * others, but not looked into.
 */
export function recursiveStruct(
  structId: string,
  fields: (self: z.ZodType) => z.ZodRawShape,
  options: { readonly description?: string } = {},
): z.ZodType {
  const shape: Record<string, z.ZodType> = {};
  const self = withMeta(z.strictObject(shape), {
    structId,
    ...(options.description === undefined ? {} : { structDescription: options.description }),
    ...options,
  });
  for (const [name, schema] of Object.entries(fields(self))) {
    const field = schema as z.ZodType;
    shape[name] = withMeta(field.optional(), metaOf(field));
  }
  return self;
}

export const text = (meta: FieldMeta = {}) => withMeta(z.string(), meta);
export const bool = (meta: FieldMeta = {}) => withMeta(z.boolean(), meta);
export const int32 = (meta: FieldMeta = {}) =>
  withMeta(z.int32(), { ...meta, format: 'int32', goType: 'int32' });
export const int64 = (meta: FieldMeta = {}) =>
  withMeta(z.number().refine(isInt64), { ...meta, format: 'int64', goType: 'int64' });
export const double = (meta: FieldMeta = {}) =>
  withMeta(z.number(), { ...meta, format: 'double', goType: 'float64' });
/** Base64 on the wire. */
export const bytes = (meta: FieldMeta = {}) =>
  withMeta(z.string().regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/), {
    ...meta,
    format: 'byte',
    goType: '[]uint8',
  });
/** Any JSON value, kept as it is (runtime.RawExtension, FieldsV1). */
export const any = (meta: FieldMeta = {}) => withMeta(z.unknown(), { ...meta, anyValue: true });

/** A list; its merge behaviour in `meta`. */
export const list = <T extends z.ZodType>(item: T, meta: FieldMeta = {}) => withMeta(z.array(item), meta);
/** map[string]T */
export const map = <T extends z.ZodType>(value: T, meta: FieldMeta = {}) =>
  withMeta(z.record(z.string(), value), meta);

/** A scalar with an OpenAPI definition of its own. */
export const scalar = <T extends z.ZodType>(schema: T, scalarId: string, meta: NodeMeta = {}) =>
  withMeta(schema, { ...meta, scalarId });

/** A struct or something simpler; `scalarId` is its OpenAPI name. */
export const structOr = (scalarId: string, { struct, other }: StructOr, meta: FieldMeta = {}) =>
  scalar(
    z.lazy(() => z.union([struct(), OTHERS[other](struct)])),
    scalarId,
    { ...meta, structOr: { struct, other } },
  );

const OTHERS: Readonly<Record<StructOr['other'], (struct: () => z.ZodType) => z.ZodType>> = {
  boolean: () => z.boolean(),
  structs: (struct) => z.array(struct()),
  texts: () => z.array(z.string()),
};
