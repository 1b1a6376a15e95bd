/** Component schemas: from the zod structures of schemas/ to OpenAPI 3.0 as Kubernetes publishes it. */
import type * as z from 'zod';
import { metaOf, type NodeMeta } from '../../../schemas/fields.js';
import { defOf } from '../../../schemas/walk.js';

export type OpenApiSchema = Readonly<Record<string, unknown>>;

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export const reference = (id: string): OpenApiSchema => ({ $ref: `#/components/schemas/${id}` });

/** Scalars with a definition of their own, by the last part of its name. */
const SCALARS: Readonly<Record<string, OpenApiSchema>> = {
  Quantity: {
    description: 'An amount with an optional suffix: `500m`, `2`, `1Gi`.',
    oneOf: [{ type: 'string' }, { type: 'number' }],
  },
  IntOrString: {
    description: 'A number, or a name or percentage as a string.',
    format: 'int-or-string',
    oneOf: [{ type: 'integer' }, { type: 'string' }],
  },
  Time: { description: 'RFC 3339, to the second.', format: 'date-time', type: 'string' },
  MicroTime: { description: 'RFC 3339, to the microsecond.', format: 'date-time', type: 'string' },
  Duration: { description: 'A span of time: `1h30m`.', type: 'string' },
  FieldsV1: { description: 'A set of fields, as a tree.', type: 'object' },
  RawExtension: { description: 'An object of any kind.', type: 'object' },
  JSON: { description: 'Any value.' },
  JSONSchemaPropsOrBool: { description: 'A schema, or whether there may be anything.' },
  JSONSchemaPropsOrArray: { description: 'A schema or a list of them.' },
  JSONSchemaPropsOrStringArray: { description: 'A schema or a list of names.' },
};

/** Collects the definitions that schemas refer to, each once. */
export class Components {
  readonly #schemas = new Map<string, OpenApiSchema>();

  /** `kindsOf`: the kinds that a structure is the body of. */
  constructor(private readonly kindsOf: ReadonlyMap<string, readonly GroupVersionKind[]>) {}

  /** Adds the structure and all it refers to; gives back its name. */
  add(schema: z.ZodType): string {
    const { structId = '' } = metaOf(schema);
    this.#use(schema);
    return structId;
  }

  define(id: string, schema: OpenApiSchema): void {
    if (!this.#schemas.has(id)) this.#schemas.set(id, schema);
  }

  /** In order of their names. */
  toJSON(): Record<string, OpenApiSchema> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A type where it is used: a reference, or the schema itself where it has no name. */
  #use(schema: z.ZodType): OpenApiSchema {
    const inner = unwrap(schema);
    const meta = metaOf(inner);
    const id = meta.structId ?? meta.scalarId;
    if (id !== undefined) {
      if (!this.#schemas.has(id)) this.#defineNamed(id, inner, meta);
      return reference(id);
    }
    const def = defOf(inner);
    switch (def.type) {
      case 'array':
        return { items: this.#item(def.element), type: 'array' };
      case 'record':
        return { additionalProperties: this.#item(def.valueType), type: 'object' };
      case 'boolean':
        return { type: 'boolean' };
      case 'number':
        return { format: meta.format, type: meta.format === 'double' ? 'number' : 'integer' };
      case 'string':
        return { ...(meta.format === undefined ? {} : { format: meta.format }), type: 'string' };
      default:
        return { type: 'object' };
    }
  }

  /** An item of a list or a value of a map. */
  #item(schema: z.ZodType): OpenApiSchema {
    const used = this.#use(schema);
    return '$ref' in used ? used : { ...used, ...annotations(metaOf(schema)) };
  }

  /** A field: what is said of it here stands beside the reference to its type. */
  #field(schema: z.ZodType): OpenApiSchema {
    const used = this.#use(schema);
    const meta = metaOf(schema);
    if (!('$ref' in used)) return { ...used, ...annotations(meta), ...mapType(meta) };
    if (meta.bareReference) return used;
    const { description, ...others } = annotations(meta);
    const own = description === meta.structDescription ? {} : { description };
    return { allOf: [used], ...own, ...others };
  }

  #defineNamed(id: string, schema: z.ZodType, meta: NodeMeta): void {
    const def = defOf(schema);
    if (def.type !== 'object') {
      this.define(id, SCALARS[id.slice(id.lastIndexOf('.') + 1)] ?? { type: 'object' });
      return;
    }
    // Named first: a structure may contain itself.
    const properties: Record<string, OpenApiSchema> = {};
    const kinds = this.kindsOf.get(id) ?? (meta.kind && [meta.kind]);
    this.#schemas.set(id, {
      ...(meta.structDescription === undefined ? {} : { description: meta.structDescription }),
      ...(Object.keys(def.shape).length > 0 && { properties }),
      ...(meta.required === undefined || meta.required.length === 0 ? {} : { required: meta.required }),
      type: 'object',
      ...(kinds === undefined ? {} : { 'x-kubernetes-group-version-kind': kinds }),
      ...mapType(meta),
      ...unions(meta),
    });
    for (const [name, field] of Object.entries(def.shape)) properties[name] = this.#field(field);
  }
}

function unwrap(schema: z.ZodType): z.ZodType {
  const def = defOf(schema);
  return def.type === 'optional' ? def.innerType : schema;
}

const mapType = ({ mapType }: NodeMeta): OpenApiSchema =>
  mapType === undefined ? {} : { 'x-kubernetes-map-type': mapType };

/** Structures of which one member is to be set. */
function unions({ unions }: NodeMeta): OpenApiSchema {
  if (unions === undefined) return {};
  const described = unions.map(({ discriminator, fieldsToDiscriminateBy }) => ({
    ...(discriminator === undefined ? {} : { discriminator }),
    'fields-to-discriminateBy': fieldsToDiscriminateBy,
  }));
  return { 'x-kubernetes-unions': described };
}

/** What is said of a use of a type. */
function annotations(meta: NodeMeta): OpenApiSchema {
  const entries = {
    description: meta.description,
    default: meta.default,
    enum: meta.enum,
    'x-kubernetes-list-type': meta.listType,
    'x-kubernetes-list-map-keys': meta.listMapKeys,
    'x-kubernetes-patch-merge-key': meta.patchMergeKey,
    'x-kubernetes-patch-strategy': meta.patchStrategy,
    'x-kubernetes-map-type': meta.granular ? 'granular' : undefined,
  };
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}
