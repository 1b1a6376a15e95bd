/** JSONSchemaProps: the OpenAPI schema of custom resources, and how it is walked. */
import * as z from 'zod';
import {
  bool,
  describe,
  double,
  type FieldMeta,
  int64,
  list,
  map,
  once,
  recursiveStruct,
  scalar,
  struct,
  structOr,
  text,
} from '../../fields.js';

export const PREFIX = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** Any value; a null is no value. */
const json = (meta: FieldMeta = {}) => scalar(z.unknown(), `${PREFIX}.JSON`, { ...meta, anyValue: true });

const BARE: FieldMeta = { bareReference: true };

const validationRule = once(() =>
  struct(
    `${PREFIX}.ValidationRule`,
    {
      rule: text({ default: '', description: 'In CEL, about `self`: true or false.' }),
      message: text({ omitEmpty: true, description: 'What is said where it is false, in one line.' }),
      messageExpression: text({ omitEmpty: true, description: 'Gives the message, and wins over it.' }),
      reason: text({
        enum: ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'],
        goType: 'v1.FieldValueErrorReason',
      }),
      fieldPath: text({ omitEmpty: true, description: 'The field that is to blame.' }),
      optionalOldSelf: bool({ description: 'Whether it holds for new objects too, though it uses oldSelf.' }),
    },
    { description: 'A rule about a value.', required: ['rule'] },
  ),
);

const externalDocumentation = once(() =>
  struct(
    `${PREFIX}.ExternalDocumentation`,
    { description: text({ omitEmpty: true }), url: text({ omitEmpty: true }) },
    { description: 'Where more is written.' },
  ),
);

export const jsonSchemaProps: () => z.ZodType = once(() =>
  recursiveStruct(
    `${PREFIX}.JSONSchemaProps`,
    (self) => {
      const schemas = () => list(self, { listType: 'atomic' });
      const struct = () => self;
      const orBool = () => structOr(`${PREFIX}.JSONSchemaPropsOrBool`, { struct, other: 'boolean' }, BARE);
      return {
        id: text({ omitEmpty: true }),
        $schema: text({ omitEmpty: true }),
        $ref: text(),
        description: text({ omitEmpty: true }),
        type: text({ omitEmpty: true }),
        format: text({ omitEmpty: true, description: 'What is not known is not looked at.' }),
        title: text({ omitEmpty: true }),
        default: json({ description: 'What an absent field becomes.' }),
        maximum: double(),
        exclusiveMaximum: bool({ omitEmpty: true }),
        minimum: double(),
        exclusiveMinimum: bool({ omitEmpty: true }),
        maxLength: int64(),
        minLength: int64(),
        pattern: text({ omitEmpty: true }),
        maxItems: int64(),
        minItems: int64(),
        uniqueItems: bool({ omitEmpty: true }),
        multipleOf: double(),
        enum: list(json(), { listType: 'atomic' }),
        maxProperties: int64(),
        minProperties: int64(),
        required: list(text(), { listType: 'atomic' }),
        items: structOr(`${PREFIX}.JSONSchemaPropsOrArray`, { struct, other: 'structs' }, BARE),
        allOf: schemas(),
        oneOf: schemas(),
        anyOf: schemas(),
        not: describe(self, BARE),
        properties: map(self),
        additionalProperties: orBool(),
        patternProperties: map(self),
        dependencies: map(structOr(`${PREFIX}.JSONSchemaPropsOrStringArray`, { struct, other: 'texts' })),
        additionalItems: orBool(),
        definitions: map(self),
        externalDocs: describe(externalDocumentation(), BARE),
        example: json(BARE),
        nullable: bool({ omitEmpty: true, description: 'Whether null is a value.' }),
        'x-kubernetes-preserve-unknown-fields': bool({ description: 'Unknown fields stay.' }),
        'x-kubernetes-embedded-resource': bool({
          omitEmpty: true,
          description: 'It is an object of a kind.',
        }),
        'x-kubernetes-int-or-string': bool({ omitEmpty: true }),
        'x-kubernetes-list-map-keys': list(text(), { listType: 'atomic' }),
        'x-kubernetes-list-type': text({ description: 'atomic, set or map: how lists merge.' }),
        'x-kubernetes-map-type': text({ description: 'granular or atomic: how objects merge.' }),
        'x-kubernetes-validations': list(validationRule(), {
          listType: 'map',
          listMapKeys: ['rule'],
          patchStrategy: 'merge',
          patchMergeKey: 'rule',
        }),
      };
    },
    { description: 'A JSON schema, draft 4, as far as OpenAPI 3.0 has it.' },
  ),
);

export interface ValidationRule {
  readonly rule?: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

export type Schemas = Readonly<Record<string, JsonSchema>>;

export interface JsonSchema {
  readonly id?: string;
  readonly $schema?: string;
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly title?: string;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly uniqueItems?: boolean;
  readonly required?: readonly string[];
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly properties?: Schemas;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly patternProperties?: Schemas;
  readonly dependencies?: Readonly<Record<string, JsonSchema | readonly string[]>>;
  readonly additionalItems?: JsonSchema | boolean;
  readonly definitions?: Schemas;
  readonly externalDocs?: object;
  readonly nullable?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
}

/** Of a value that may be something simpler. */
export const schemaIn = (value: unknown): JsonSchema | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;

export const isList = (value: unknown): value is readonly JsonSchema[] => Array.isArray(value);

/** Entries of a map in a fixed order; upstream's is random. */
export const entriesOf = <T>(map: Readonly<Record<string, T>> | undefined): [string, T][] =>
  Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

/** Own properties only: names are the author's, `constructor` may be one. */
export const propertyOf = (schema: JsonSchema, name: string): JsonSchema | undefined =>
  schema.properties !== undefined && Object.hasOwn(schema.properties, name)
    ? schema.properties[name]
    : undefined;

/** The schemas within a schema, in upstream's order. */
function childrenOf(schema: JsonSchema): JsonSchema[] {
  const { items, allOf = [], anyOf = [], oneOf = [], not } = schema;
  const found = [
    ...(isList(items) ? items : [schemaIn(items)]),
    ...allOf,
    ...anyOf,
    ...oneOf,
    not,
    ...Object.values(schema.properties ?? {}),
    schemaIn(schema.additionalProperties),
    ...Object.values(schema.patternProperties ?? {}),
    schemaIn(schema.additionalItems),
    ...Object.values(schema.definitions ?? {}),
    ...Object.values(schema.dependencies ?? {}).map(schemaIn),
  ];
  return found.filter((child) => child !== undefined);
}

/** Whether something holds of a schema or of one within it. */
export const someSchema = (schema: JsonSchema | undefined, holds: (schema: JsonSchema) => boolean): boolean =>
  schema !== undefined && (holds(schema) || childrenOf(schema).some((child) => someSchema(child, holds)));
