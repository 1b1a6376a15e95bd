/**
 * A definition as upstream's internal structs hold it, which is what its refusals speak of: what all versions have in
 * common stands once, above them (`spec.validation` in place of `spec.versions[0].schema`), and values are printed with
 * the names of Go's fields.
 */
import type {
  Column,
  SelectableField,
  Spec,
  Subresources,
  Version,
} from './custom-resource-definition-schema.js';
import { versionsOf } from './custom-resource-definition-schema.js';
import { isList, type JsonSchema, schemaIn, type ValidationRule } from './json-schema.js';

export interface InternalSpec {
  /** The name of the first version. */
  readonly version: string;
  readonly validation: Version['schema'];
  readonly subresources: Subresources | undefined;
  readonly additionalPrinterColumns: readonly Column[];
  readonly selectableFields: readonly SelectableField[];
  /** Without what stands above. */
  readonly versions: readonly Version[];
}

const PER_VERSION = ['subresources', 'schema', 'additionalPrinterColumns', 'selectableFields'] as const;

export function internalSpec(spec: Spec): InternalSpec {
  const all = versionsOf(spec);
  const [first = {}] = all;
  const common = new Set(
    PER_VERSION.filter((field) => {
      const value = JSON.stringify(first[field]);
      return all.every((version) => JSON.stringify(version[field]) === value);
    }),
  );
  if (!common.has('schema')) common.delete('selectableFields');
  const shared = <F extends (typeof PER_VERSION)[number]>(field: F): Version[F] | undefined =>
    common.has(field) ? first[field] : undefined;
  const versions = all.map((version) => {
    const own = Object.entries(version).filter(([field]) => !(common as Set<string>).has(field));
    return Object.fromEntries(own) as Version;
  });
  return {
    version: first.name ?? '',
    validation: shared('schema'),
    subresources: shared('subresources'),
    additionalPrinterColumns: shared('additionalPrinterColumns') ?? [],
    selectableFields: shared('selectableFields') ?? [],
    versions,
  };
}

/** As refusals show `spec.versions`. */
export const printVersions = (versions: readonly Version[]): object[] | null =>
  versions.length === 0 ? null : versions.map(printVersion);

function printVersion(version: Version): object {
  const { schema, subresources, additionalPrinterColumns, selectableFields } = version;
  return {
    Name: version.name ?? '',
    Served: version.served ?? false,
    Storage: version.storage ?? false,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: schema ? { OpenAPIV3Schema: printSchema(schema.openAPIV3Schema) } : null,
    Subresources: subresources ? printSubresources(subresources) : null,
    AdditionalPrinterColumns: additionalPrinterColumns?.map(printColumn) ?? null,
    SelectableFields: selectableFields?.map(({ jsonPath = '' }) => ({ JSONPath: jsonPath })) ?? null,
  };
}

const printSubresources = ({ status, scale }: Subresources): object => ({
  Status: status ? {} : null,
  Scale: scale
    ? {
        SpecReplicasPath: scale.specReplicasPath ?? '',
        StatusReplicasPath: scale.statusReplicasPath ?? '',
        LabelSelectorPath: scale.labelSelectorPath ?? null,
      }
    : null,
});

const printColumn = (column: Column): object => ({
  Name: column.name ?? '',
  Type: column.type ?? '',
  Format: column.format ?? '',
  Description: column.description ?? '',
  Priority: column.priority ?? 0,
  JSONPath: column.jsonPath ?? '',
});

type FieldKind =
  | 'text'
  | 'flag'
  | 'pointer'
  | 'schemas'
  | 'schema'
  | 'map'
  | 'orBool'
  | 'items'
  | 'depends'
  | 'rules'
  | 'docs';

/** Go's name of each field of a schema, in Go's order, with its name in JSON. */
const FIELDS: readonly (readonly [go: string, json: string, kind: FieldKind])[] = [
  ['ID', 'id', 'text'],
  ['Schema', '$schema', 'text'],
  ['Ref', '$ref', 'pointer'],
  ['Description', 'description', 'text'],
  ['Type', 'type', 'text'],
  ['Nullable', 'nullable', 'flag'],
  ['Format', 'format', 'text'],
  ['Title', 'title', 'text'],
  ['Default', 'default', 'pointer'],
  ['Maximum', 'maximum', 'pointer'],
  ['ExclusiveMaximum', 'exclusiveMaximum', 'flag'],
  ['Minimum', 'minimum', 'pointer'],
  ['ExclusiveMinimum', 'exclusiveMinimum', 'flag'],
  ['MaxLength', 'maxLength', 'pointer'],
  ['MinLength', 'minLength', 'pointer'],
  ['Pattern', 'pattern', 'text'],
  ['MaxItems', 'maxItems', 'pointer'],
  ['MinItems', 'minItems', 'pointer'],
  ['UniqueItems', 'uniqueItems', 'flag'],
  ['MultipleOf', 'multipleOf', 'pointer'],
  ['Enum', 'enum', 'pointer'],
  ['MaxProperties', 'maxProperties', 'pointer'],
  ['MinProperties', 'minProperties', 'pointer'],
  ['Required', 'required', 'pointer'],
  ['Items', 'items', 'items'],
  ['AllOf', 'allOf', 'schemas'],
  ['OneOf', 'oneOf', 'schemas'],
  ['AnyOf', 'anyOf', 'schemas'],
  ['Not', 'not', 'schema'],
  ['Properties', 'properties', 'map'],
  ['AdditionalProperties', 'additionalProperties', 'orBool'],
  ['PatternProperties', 'patternProperties', 'map'],
  ['Dependencies', 'dependencies', 'depends'],
  ['AdditionalItems', 'additionalItems', 'orBool'],
  ['Definitions', 'definitions', 'map'],
  ['ExternalDocs', 'externalDocs', 'docs'],
  ['Example', 'example', 'pointer'],
  ['XPreserveUnknownFields', 'x-kubernetes-preserve-unknown-fields', 'pointer'],
  ['XEmbeddedResource', 'x-kubernetes-embedded-resource', 'flag'],
  ['XIntOrString', 'x-kubernetes-int-or-string', 'flag'],
  ['XListMapKeys', 'x-kubernetes-list-map-keys', 'pointer'],
  ['XListType', 'x-kubernetes-list-type', 'pointer'],
  ['XMapType', 'x-kubernetes-map-type', 'pointer'],
  ['XValidations', 'x-kubernetes-validations', 'rules'],
];

/** Go's names of the fields that a schema sets, in Go's order. */
export const fieldsSet = (schema: JsonSchema): string[] =>
  FIELDS.filter(([, json]) => (schema as Record<string, unknown>)[json] !== undefined).map(([go]) => go);

export function printSchema(schema: JsonSchema | undefined): object | null {
  if (schema === undefined) return null;
  const fields = schema as Readonly<Record<string, unknown>>;
  return Object.fromEntries(FIELDS.map(([go, json, kind]) => [go, printField(fields[json], kind)]));
}

function printField(value: unknown, kind: FieldKind): unknown {
  if (value === undefined) return kind === 'text' ? '' : kind === 'flag' ? false : null;
  switch (kind) {
    case 'schemas':
      return (value as readonly JsonSchema[]).map(printSchema);
    case 'schema':
      return printSchema(value as JsonSchema);
    case 'map':
      return mapValues(value as object, (item) => printSchema(item as JsonSchema));
    case 'orBool':
      return { Allows: value !== false, Schema: printSchema(schemaIn(value)) };
    case 'items':
      return internalItems(value as JsonSchema | readonly JsonSchema[]);
    case 'depends':
      return mapValues(value as object, (item) => ({
        Schema: printSchema(schemaIn(item)),
        Property: Array.isArray(item) ? (item as unknown[]) : null,
      }));
    case 'rules':
      return (value as readonly ValidationRule[]).map(printRule);
    case 'docs': {
      const { description = '', url = '' } = value as { description?: string; url?: string };
      return { Description: description, URL: url };
    }
    default:
      return value;
  }
}

const printRule = (rule: ValidationRule): object => ({
  Rule: rule.rule ?? '',
  Message: rule.message ?? '',
  MessageExpression: rule.messageExpression ?? '',
  Reason: rule.reason ?? null,
  FieldPath: rule.fieldPath ?? '',
  OptionalOldSelf: rule.optionalOldSelf ?? null,
});

const mapValues = (map: object, print: (value: unknown) => unknown): object =>
  Object.fromEntries(
    Object.entries(map)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, print(value)]),
  );

/** Of `items`: one schema, or upstream's list of them. */
export const internalItems = (items: JsonSchema | readonly JsonSchema[]): object => ({
  Schema: printSchema(schemaIn(items)),
  JSONSchemas: isList(items) ? items.map(printSchema) : null,
});
