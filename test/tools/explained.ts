/**
 * The fields that `kubectl explain` prints of a kind, made from its published OpenAPI document: as kubectl's template
 * (kubectl/pkg/explain/v2/templates/plaintext.tmpl) goes through it, without what describes them.
 */
export interface PublishedSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, PublishedSchema>>;
  readonly required?: readonly string[];
  readonly items?: PublishedSchema;
  readonly additionalProperties?: PublishedSchema | boolean;
  readonly allOf?: readonly PublishedSchema[];
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

/** By the name in `components.schemas`. */
export type PublishedSchemas = Readonly<Record<string, PublishedSchema>>;

/** More values than these kubectl does not print in a list of fields. */
const enumValuesMax = 4;

/** All fields below a schema, each a line, its values' line behind it; with `recursive` to the depth. */
export function explainedFields(
  schemas: PublishedSchemas,
  schema: PublishedSchema,
  recursive: boolean,
): string[] {
  const lines: string[] = [];
  const under = (within: PublishedSchema, level: number, seen: readonly string[]): void => {
    const { $ref } = within;
    // What holds itself is shown once.
    if ($ref !== undefined && seen.includes($ref)) return;
    const history = $ref === undefined ? seen : [...seen, $ref];
    const { properties = {}, required, allOf = [], items, additionalProperties } = resolved(schemas, within);
    for (const name of Object.keys(properties).sort()) {
      const field = properties[name] ?? {};
      lines.push(...fieldLines(schemas, name, field, required?.includes(name) ?? false, '  '.repeat(level)));
      if (recursive) under(field, level + 1, history);
    }
    for (const part of allOf) under(part, level, history);
    if (items !== undefined) under(items, level, history);
    if (typeof additionalProperties === 'object') under(additionalProperties, level, history);
  };
  under(schema, 1, []);
  return lines;
}

function fieldLines(
  schemas: PublishedSchemas,
  name: string,
  field: PublishedSchema,
  required: boolean,
  indentation: string,
): string[] {
  const line = `${indentation}${name}\t<${typeOf(schemas, field)}>${required ? ' -required-' : ''}`;
  if (field.enum === undefined) return [line];
  const values = field.enum.slice(0, enumValuesMax).map((value) => (value === '' ? '""' : value));
  const more = field.enum.length > enumValuesMax ? ', ....' : '';
  return [line, `${indentation}enum: ${values.join(', ')}${more}`];
}

function typeOf(schemas: PublishedSchemas, schema: PublishedSchema): string {
  const { $ref, items, additionalProperties, allOf, properties, type } = schema;
  if (items !== undefined) return `[]${typeOf(schemas, items)}`;
  if (typeof additionalProperties === 'object') return `map[string]${typeOf(schemas, additionalProperties)}`;
  const [only, ...others] = allOf ?? [];
  if (only !== undefined && others.length === 0 && properties === undefined) return typeOf(schemas, only);
  if ($ref !== undefined) {
    const named = resolved(schemas, schema).type ?? 'object';
    return named === 'object' ? ($ref.split('.').at(-1) ?? '') : named;
  }
  return type === undefined || type === 'object' ? 'Object' : type;
}

function resolved(schemas: PublishedSchemas, schema: PublishedSchema): PublishedSchema {
  return schema.$ref === undefined ? schema : (schemas[schema.$ref.split('/').at(-1) ?? ''] ?? schema);
}
