/** Paths to a field that a schema knows, as custom resources name them: `.spec.replicas`, `.data['a.b']`. */
import { type JsonSchema, propertyOf, schemaIn } from './json-schema.js';

export interface FieldPath {
  /** Names, from the root on. */
  readonly names: readonly string[];
  /** Of the field; undefined where the schema leaves it open. */
  readonly schema: JsonSchema | undefined;
}

const TOKEN = /'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]]+/gs;
const NO_FIELD = 'does not refer to a valid field';
const TOO_SHORT = 'unexpected end of JSON path';

/** Gives upstream's text where the path leads nowhere. `brackets`: whether `['name']` may stand for `.name`. */
export function findField(
  path: string,
  root: JsonSchema,
  { brackets }: { readonly brackets: boolean },
): FieldPath | string {
  const tokens = path.match(TOKEN) ?? [];
  const names: string[] = [];
  let schema: JsonSchema | undefined = root;
  for (let i = 0; i < tokens.length; i++) {
    const token: string = tokens[i] ?? '';
    if (token !== '.' && token !== '[') return `expected [ or . but got: ${token}`;
    if (token === '[' && !brackets) return 'array notation is not allowed';
    const next = tokens[++i];
    if (next === undefined) return TOO_SHORT;
    let name = next;
    if (token === '[') {
      if (!/^'.*'$/s.test(next)) return `expected single quoted string but got ${next}`;
      name = next.slice(1, -1).replaceAll(/\\(.)/gs, '$1');
    }
    if (schema?.properties !== undefined) {
      schema = propertyOf(schema, name);
      if (schema === undefined) return NO_FIELD;
    } else if (schema?.additionalProperties !== undefined) schema = schemaIn(schema.additionalProperties);
    else return NO_FIELD;
    names.push(name);
    if (token === '[') {
      const close = tokens[++i];
      if (close === undefined) return TOO_SHORT;
      if (close !== ']') return `expected ] but got ${close}`;
    }
  }
  return { names, schema };
}
