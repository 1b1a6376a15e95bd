/** Parts of a definition as refusals show them: upstream's internal structs as JSON, with Go's names and all their fields. */
import type { Column, Subresources, Version } from './custom-resource-definition-schema.js';
import { isList, type JsonSchema, schemaIn, type ValidationRule } from './json-schema.js';

/** Schemas and versions that one refusal shows; the others are null. Each takes 800 bytes, however little it says. */
export const STRUCTS_SHOWN_MAX = 1000;

/** As refusals show `spec.versions`. */
export function printVersions(versions: readonly Version[]): unknown[] | null {
  const printer = new Printer();
  return versions.length === 0 ? null : versions.map((version) => printer.version(version));
}

export const printSchema = (schema: JsonSchema): object | null => new Printer().schema(schema);

/** Of `items`: one schema, or upstream's list of them. */
export const printItems = (items: JsonSchema | readonly JsonSchema[]): object => new Printer().items(items);

/** Go's names of the fields that a schema sets, in Go's order. */
export const fieldsSet = (schema: JsonSchema): string[] =>
  FIELDS.filter(([, json]) => (schema as Record<string, unknown>)[json] !== undefined).map(([go]) => go);

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

class Printer {
  #left = STRUCTS_SHOWN_MAX;

  version(version: Version): object | null {
    if (this.#left-- <= 0) return null;
    const { schema, subresources, additionalPrinterColumns, selectableFields } = version;
    return {
      Name: version.name ?? '',
      Served: version.served ?? false,
      Storage: version.storage ?? false,
      Deprecated: version.deprecated ?? false,
      DeprecationWarning: version.deprecationWarning ?? null,
      Schema: schema ? { OpenAPIV3Schema: this.schema(schema.openAPIV3Schema) } : null,
      Subresources: subresources ? printSubresources(subresources) : null,
      AdditionalPrinterColumns: additionalPrinterColumns?.map(printColumn) ?? null,
      SelectableFields: selectableFields?.map(({ jsonPath = '' }) => ({ JSONPath: jsonPath })) ?? null,
    };
  }

  schema(schema: JsonSchema | undefined): object | null {
    if (schema === undefined || this.#left-- <= 0) return null;
    const fields = schema as Readonly<Record<string, unknown>>;
    return Object.fromEntries(FIELDS.map(([go, json, kind]) => [go, this.#field(fields[json], kind)]));
  }

  items(items: JsonSchema | readonly JsonSchema[]): object {
    return {
      Schema: this.schema(schemaIn(items)),
      JSONSchemas: isList(items) ? items.map((item) => this.schema(item)) : null,
    };
  }

  #field(value: unknown, kind: FieldKind): unknown {
    if (value === undefined) return kind === 'text' ? '' : kind === 'flag' ? false : null;
    switch (kind) {
      case 'schemas':
        return (value as readonly JsonSchema[]).map((item) => this.schema(item));
      case 'schema':
        return this.schema(value as JsonSchema);
      case 'map':
        return mapValues(value as object, (item) => this.schema(item as JsonSchema));
      case 'orBool':
        return { Allows: value !== false, Schema: this.schema(schemaIn(value)) };
      case 'items':
        return this.items(value as JsonSchema | readonly JsonSchema[]);
      case 'depends':
        return mapValues(value as object, (item) => ({
          Schema: this.schema(schemaIn(item)),
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
