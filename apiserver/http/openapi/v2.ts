/** Swagger 2.0: one document for all groups, made from those of version 3. Older clients validate and explain with it. */
import type { OpenApiV3 } from './v3.js';
import type { Parameter } from './parameters.js';
import type { PathItem } from './paths.js';
import type { GroupVersionKind, OpenApiSchema } from './schema.js';

type Json = Record<string, unknown>;

const METHODS: ReadonlySet<string> = new Set(['get', 'post', 'put', 'patch', 'delete']);

export function buildV2(documents: readonly OpenApiV3[], info: OpenApiV3['info']): OpenApiSchema {
  const paths: [string, unknown][] = [];
  const definitions = new Map<string, OpenApiSchema>();
  for (const { paths: items, components } of documents) {
    for (const [path, item] of Object.entries(items)) paths.push([path, pathItem(item)]);
    for (const [id, schema] of Object.entries(components.schemas))
      definitions.set(id, withKindsOf(definitions.get(id), definition(id, schema)));
  }
  return {
    swagger: '2.0',
    info,
    paths: Object.fromEntries(paths.sort(([a], [b]) => (a < b ? -1 : 1))),
    definitions: Object.fromEntries([...definitions].sort(([a], [b]) => (a < b ? -1 : 1))),
    securityDefinitions: {
      BearerToken: { description: 'A bearer token', in: 'header', name: 'authorization', type: 'apiKey' },
    },
    security: [{ BearerToken: [] }],
  };
}

const KINDS = 'x-kubernetes-group-version-kind';

/** What several groups have as a kind of theirs is the kinds of all, core's first. */
function withKindsOf(before: OpenApiSchema | undefined, schema: OpenApiSchema): OpenApiSchema {
  const [known, own] = [before?.[KINDS], schema[KINDS]] as (readonly GroupVersionKind[] | undefined)[];
  if (known === undefined || own === undefined) return schema;
  const isNew = ({ group, version }: GroupVersionKind) =>
    !known.some((kind) => kind.group === group && kind.version === version);
  return { ...schema, [KINDS]: [...known, ...own.filter(isNew)] };
}

/** Version 2 has no oneOf: what may be a number or a string is called a string. */
function definition(id: string, schema: OpenApiSchema): OpenApiSchema {
  if (!('oneOf' in schema)) return convert(schema) as OpenApiSchema;
  const { oneOf: _oneOf, ...rest } = schema;
  return { ...rest, type: 'string', ...(id.endsWith('IntOrString') ? { format: 'int-or-string' } : {}) };
}

/** A reference cannot stand beside other members but a description, and defaults of objects say nothing. */
function convert(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(convert);
  if (typeof value !== 'object' || value === null) return value;
  const { allOf, default: _default, ...rest } = value as Json;
  const members = Object.entries(rest).map(([key, member]) => [
    key,
    key === 'properties' ? properties(member) : convert(member),
  ]);
  const converted = Object.fromEntries(members) as Json;
  if (typeof converted['$ref'] === 'string') {
    converted['$ref'] = converted['$ref'].replace('#/components/schemas/', '#/definitions/');
  }
  return Array.isArray(allOf) ? { ...(convert(allOf[0]) as Json), ...converted } : converted;
}

/** Fields may be called `default` or `allOf` themselves. */
function properties(value: unknown): unknown {
  return Object.fromEntries(Object.entries(value as Json).map(([name, schema]) => [name, convert(schema)]));
}

function pathItem(item: PathItem): Json {
  const { parameters, ...operations } = item;
  const converted = Object.entries(operations).map(([method, operation]) => [
    method,
    METHODS.has(method) ? operationOf(operation as Json) : operation,
  ]);
  return {
    ...Object.fromEntries(converted),
    ...(parameters === undefined ? {} : { parameters: (parameters as Parameter[]).map(parameter) }),
  };
}

function operationOf({ parameters = [], requestBody, responses, ...rest }: Json): Json {
  const body = requestBody as { content: Json; required?: boolean } | undefined;
  const all = (parameters as Parameter[]).map(parameter);
  if (body !== undefined) all.unshift(bodyParameter(body));
  const answers = Object.entries(responses as Record<string, { description: string; content?: Json }>);
  return {
    ...rest,
    consumes: body === undefined ? ['*/*'] : Object.keys(body.content),
    produces: Object.keys(answers[0]?.[1].content ?? {}),
    schemes: ['https'],
    ...(all.length === 0 ? {} : { parameters: all }),
    responses: Object.fromEntries(
      answers.map(([code, { description, content }]) => [
        code,
        { description, ...(content === undefined ? {} : { schema: schemaOf(content) }) },
      ]),
    ),
  };
}

const parameter = ({ schema, ...rest }: Parameter): Json => ({ ...rest, ...schema });

function bodyParameter({ content, required }: { content: Json; required?: boolean }): Json {
  return { name: 'body', in: 'body', ...(required === true ? { required } : {}), schema: schemaOf(content) };
}

function schemaOf(content: Json): unknown {
  const [first] = Object.values(content) as { schema: unknown }[];
  return convert(first?.schema);
}
