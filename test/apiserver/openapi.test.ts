/** The OpenAPI documents: what kubectl and client generators look for, and the schemas that kube-apiserver publishes. */
import { createHash } from 'node:crypto';
import t from 'tap';
import protobuf from 'protobufjs';
import * as z from 'zod';
import {
  openApiV2,
  openApiV2Protobuf,
  openApiV3,
  openApiV3Index,
} from '../../apiserver/http/openapi/index.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import type { ResourceDefinition } from '../../schemas/definition.js';
import { describe, list, map, struct, text } from '../../schemas/fields.js';
import { builtinResources } from '../../schemas/index.js';
import { intOrString, quantity } from '../../schemas/meta/scalars.js';
import { kubeObject } from '../../schemas/meta/v1.js';
import { facts, skip } from '../schemas/facts.js';
import { differences } from '../tools/transcript.js';

type Json = Record<string, unknown>;

const tableOf = (definitions: readonly ResourceDefinition[]) => ({
  all: () => definitions.map((definition) => ({ definition })),
});
const builtins = tableOf(builtinResources);

/** The value at a path of members. */
function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Json | undefined)?.[key], value);
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Json };
  readonly 'x-kubernetes-action': string;
  readonly 'x-kubernetes-group-version-kind': Json;
}

const namesOf = (parameters: unknown): string[] => (parameters as { name: string }[]).map(({ name }) => name);

t.test('the index gives each group version an address that changes with its document', (t) => {
  const { paths } = openApiV3Index(builtins);
  const served = builtinResources.flatMap(({ group, version }) =>
    group === '' ? `api/${version}` : [`apis/${group}`, `apis/${group}/${version}`],
  );
  const others = ['.well-known/openid-configuration', 'api', 'apis', 'openid/v1/jwks', 'version'];
  t.same(Object.keys(paths), [...new Set([...served, ...others])].sort());
  for (const [path, { serverRelativeURL }] of Object.entries(paths)) {
    const hash = createHash('sha512')
      .update(JSON.stringify(openApiV3(builtins, path)))
      .digest('hex')
      .toUpperCase();
    t.equal(serverRelativeURL, `/openapi/v3/${path}?hash=${hash}`);
  }
  const fewer = openApiV3Index(tableOf(builtinResources.filter(({ kind }) => kind !== 'Pod'))).paths;
  t.not(fewer['api/v1']?.serverRelativeURL, paths['api/v1']?.serverRelativeURL);
  t.equal(fewer['apis/apps/v1']?.serverRelativeURL, paths['apis/apps/v1']?.serverRelativeURL);
  t.end();
});

t.test('kubectl finds that writes take dryRun and fieldValidation', (t) => {
  for (const path of Object.keys(openApiV3Index(builtins).paths)) {
    for (const [url, item] of Object.entries(openApiV3(builtins, path).paths)) {
      for (const method of ['post', 'put', 'patch']) {
        const operation = item[method] as Operation | undefined;
        if (operation === undefined) continue;
        const names = namesOf(operation.parameters);
        for (const name of ['dryRun', 'fieldManager', 'fieldValidation'])
          t.ok(names.includes(name), `${method} ${url} ${name}`);
        t.ok(operation['x-kubernetes-group-version-kind']['kind'], `${method} ${url} names its kind`);
      }
    }
  }
  t.end();
});

t.test('a namespaced resource has the operations of its verbs', (t) => {
  const { paths } = openApiV3(tableOf([configMaps]), 'api/v1');
  t.same(Object.keys(paths), [
    '/api/v1/',
    '/api/v1/configmaps',
    '/api/v1/namespaces/{namespace}/configmaps',
    '/api/v1/namespaces/{namespace}/configmaps/{name}',
  ]);
  const ids = (path: string) =>
    Object.fromEntries(
      Object.entries(paths[path] ?? {})
        .filter(([method]) => method !== 'parameters')
        .map(([method, operation]) => [
          method,
          `${(operation as Operation)['x-kubernetes-action']} ${(operation as Operation).operationId}`,
        ]),
    );
  t.same(ids('/api/v1/configmaps'), { get: 'list listCoreV1ConfigMapForAllNamespaces' });
  t.same(ids('/api/v1/namespaces/{namespace}/configmaps'), {
    get: 'list listCoreV1NamespacedConfigMap',
    post: 'post createCoreV1NamespacedConfigMap',
    delete: 'deletecollection deleteCoreV1CollectionNamespacedConfigMap',
  });
  const item = '/api/v1/namespaces/{namespace}/configmaps/{name}';
  t.same(ids(item), {
    get: 'get readCoreV1NamespacedConfigMap',
    put: 'put replaceCoreV1NamespacedConfigMap',
    delete: 'delete deleteCoreV1NamespacedConfigMap',
    patch: 'patch patchCoreV1NamespacedConfigMap',
  });
  t.same(namesOf(paths[item]?.['parameters']), ['name', 'namespace', 'pretty']);
  const patch = paths[item]?.['patch'] as Operation;
  t.same(Object.keys(patch.requestBody?.content ?? {}), [
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
  ]);
  t.same(patch['x-kubernetes-group-version-kind'], { group: '', version: 'v1', kind: 'ConfigMap' });
  t.end();
});

t.test('operation ids are unique, references lead somewhere', (t) => {
  const documents = Object.keys(openApiV3Index(builtins).paths).map((path) => openApiV3(builtins, path));
  const ids = documents.flatMap(({ paths }) =>
    Object.values(paths).flatMap((item) =>
      Object.values(item).flatMap((operation) => (operation as Partial<Operation>).operationId ?? []),
    ),
  );
  t.equal(new Set(ids).size, ids.length);
  for (const document of documents) {
    const schemas = new Set(Object.keys(document.components.schemas));
    const dangling = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].filter(
      ([, id = '']) => !schemas.has(id),
    );
    t.same(dangling, []);
  }
  const v2 = JSON.stringify(openApiV2(builtins));
  const definitions = new Set(Object.keys((JSON.parse(v2) as { definitions: Json }).definitions));
  t.same(
    [...v2.matchAll(/"#\/definitions\/([^"]+)"/g)].filter(([, id = '']) => !definitions.has(id)),
    [],
  );
  t.notMatch(v2, '#/components/');
  t.end();
});

/** A small kind with one field of each sort. */
function sample(): ResourceDefinition {
  const part = struct(
    'test.v1.Part',
    { name: text({ default: '', description: 'Its name.' }), amount: quantity() },
    { description: 'A part.', required: ['name'] },
  );
  const schema = kubeObject(
    'test.v1.Sample',
    {
      whole: describe(part, { default: {}, description: 'The main part.' }),
      same: part,
      parts: list(part, {
        listType: 'map',
        listMapKeys: ['name'],
        patchMergeKey: 'name',
        patchStrategy: 'merge',
      }),
      limits: map(quantity()),
      port: intOrString({ description: 'Where.' }),
      mode: text({ enum: ['A', 'B'] }),
    },
    { description: 'A sample.' },
  );
  return {
    ...configMaps,
    group: 'test.example.com',
    kind: 'Sample',
    listKind: 'SampleList',
    plural: 'samples',
    schema: () => schema,
  };
}

t.test('schemas say types, merge keys, defaults and descriptions where Kubernetes puts them', (t) => {
  const { schemas } = openApiV3(tableOf([sample()]), 'apis/test.example.com/v1').components;
  const ref = (id: string) => ({ $ref: `#/components/schemas/${id}` });
  t.same(schemas['test.v1.Part'], {
    description: 'A part.',
    properties: {
      name: { type: 'string', default: '', description: 'Its name.' },
      amount: { allOf: [ref('io.k8s.apimachinery.pkg.api.resource.Quantity')] },
    },
    required: ['name'],
    type: 'object',
  });
  const properties = at(schemas, 'test.v1.Sample', 'properties') as Json;
  t.same(properties['whole'], { allOf: [ref('test.v1.Part')], default: {}, description: 'The main part.' });
  t.same(properties['same'], { allOf: [ref('test.v1.Part')] }, 'what is said of the type is said once');
  t.same(properties['parts'], {
    items: ref('test.v1.Part'),
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    'x-kubernetes-patch-merge-key': 'name',
    'x-kubernetes-patch-strategy': 'merge',
  });
  t.same(properties['limits'], {
    additionalProperties: ref('io.k8s.apimachinery.pkg.api.resource.Quantity'),
    type: 'object',
  });
  t.same(properties['mode'], { type: 'string', enum: ['A', 'B'] });
  t.same(at(schemas, 'test.v1.Sample', 'x-kubernetes-group-version-kind'), [
    { group: 'test.example.com', version: 'v1', kind: 'Sample' },
  ]);
  t.match(schemas['test.v1.SampleList'], {
    properties: { items: { items: ref('test.v1.Sample') } },
    required: ['items'],
    'x-kubernetes-group-version-kind': [{ kind: 'SampleList' }],
  });
  t.end();
});

t.test('version 2 says the same in its own way', (t) => {
  const document = openApiV2(tableOf([sample()])) as Json;
  const ref = (id: string) => ({ $ref: `#/definitions/${id}` });
  t.equal(document['swagger'], '2.0');
  const properties = at(document, 'definitions', 'test.v1.Sample', 'properties') as Json;
  t.same(properties['whole'], { ...ref('test.v1.Part'), description: 'The main part.' });
  t.match(properties['parts'], { items: ref('test.v1.Part'), 'x-kubernetes-patch-merge-key': 'name' });
  t.match(at(document, 'definitions', 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'), {
    type: 'string',
    format: 'int-or-string',
  });
  t.notMatch(JSON.stringify(document), '"oneOf"');
  const operation = at(
    document,
    'paths',
    '/apis/test.example.com/v1/namespaces/{namespace}/samples',
    'post',
  ) as Json;
  t.match(operation, {
    consumes: ['*/*'],
    produces: ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'],
    parameters: [
      { name: 'body', in: 'body', required: true, schema: ref('test.v1.Sample') },
      { name: 'dryRun', type: 'string' },
    ],
    responses: { 200: { schema: ref('test.v1.Sample') }, 401: { description: 'Unauthorized' } },
  });
  t.end();
});

/** What clients read of gnostic's OpenAPIv2.proto, as published. */
const gnostic = protobuf.parse(`
  syntax = "proto3";
  message Document { string swagger = 1; Info info = 2; Paths paths = 8; Definitions definitions = 9; }
  message Info { string title = 1; string version = 2; }
  message Paths { repeated NamedPathItem path = 2; }
  message NamedPathItem { string name = 1; PathItem value = 2; }
  message PathItem { Operation get = 2; Operation patch = 8; repeated ParametersItem parameters = 9; }
  message Operation { string operation_id = 5; repeated string consumes = 7; repeated ParametersItem parameters = 8;
    Responses responses = 9; repeated NamedAny vendor_extension = 13; }
  message ParametersItem { Parameter parameter = 1; }
  message Parameter { BodyParameter body_parameter = 1; NonBodyParameter non_body_parameter = 2; }
  message BodyParameter { string name = 2; string in = 3; bool required = 4; Schema schema = 5; }
  message NonBodyParameter { QueryParameter query = 3; PathParameter path = 4; }
  message QueryParameter { string in = 2; string name = 4; string type = 6; bool unique_items = 20; }
  message PathParameter { bool required = 1; string name = 4; string type = 5; bool unique_items = 19; }
  message Responses { repeated NamedResponseValue response_code = 1; }
  message NamedResponseValue { string name = 1; ResponseValue value = 2; }
  message ResponseValue { Response response = 1; }
  message Response { string description = 1; SchemaItem schema = 2; }
  message SchemaItem { Schema schema = 1; }
  message Definitions { repeated NamedSchema additional_properties = 1; }
  message NamedSchema { string name = 1; Schema value = 2; }
  message Schema { string _ref = 1; string format = 2; string description = 4; repeated string required = 19;
    repeated Any enum = 20; AdditionalPropertiesItem additional_properties = 21; TypeItem type = 22;
    ItemsItem items = 23; Properties properties = 25; repeated NamedAny vendor_extension = 31; }
  message AdditionalPropertiesItem { Schema schema = 1; }
  message TypeItem { repeated string value = 1; }
  message ItemsItem { repeated Schema schema = 1; }
  message Properties { repeated NamedSchema additional_properties = 1; }
  message NamedAny { string name = 1; Any value = 2; }
  message Any { string yaml = 2; }`).root;

t.test('version 2 is there as protobuf, with all it says', (t) => {
  const table = tableOf([sample()]);
  const read: Json = gnostic.lookupType('Document').decode(openApiV2Protobuf(table)).toJSON();
  const json = openApiV2(table);
  t.match(read, { swagger: '2.0', info: { title: 'Kubernetes' } });
  const definitions = at(read, 'definitions', 'additionalProperties') as { name: string; value: Json }[];
  t.same(
    definitions.map(({ name }) => name),
    Object.keys(json['definitions'] as Json),
  );
  const found = definitions.find(({ name }) => name === 'test.v1.Sample')?.value;
  const properties = at(found, 'properties', 'additionalProperties') as { name: string; value: Json }[];
  const property = (name: string) => properties.find((each) => each.name === name)?.value;
  t.match(property('whole'), { _ref: '#/definitions/test.v1.Part', description: 'The main part.' });
  t.match(property('parts'), {
    type: { value: ['array'] },
    items: { schema: [{ _ref: '#/definitions/test.v1.Part' }] },
    vendorExtension: [{ name: 'x-kubernetes-list-type' }, {}, { value: { yaml: '"name"' } }],
  });
  const path = (at(read, 'paths', 'path') as { name: string; value: Json }[]).find(
    ({ name }) => name === '/apis/test.example.com/v1/namespaces/{namespace}/samples/{name}',
  )?.value;
  t.match(at(path, 'parameters', 0), {
    parameter: { nonBodyParameter: { path: { required: true, name: 'name', type: 'string' } } },
  });
  t.match(at(path, 'patch'), {
    consumes: ['application/json-patch+json'],
    parameters: [
      { parameter: { bodyParameter: { name: 'body', in: 'body', required: true } } },
      { parameter: { nonBodyParameter: { query: { name: 'dryRun', uniqueItems: true } } } },
    ],
    vendorExtension: [{ name: 'x-kubernetes-action', value: { yaml: '"patch"' } }, {}],
  });
  t.match(at(path, 'get', 'responses', 'responseCode', 0), {
    name: '200',
    value: { response: { description: 'OK', schema: { schema: { _ref: '#/definitions/test.v1.Sample' } } } },
  });
  t.doesNotThrow(() => openApiV2Protobuf(builtins), 'nothing is said that has no field');
  t.end();
});

t.test('fields called like words of OpenAPI survive', (t) => {
  const schema = struct('test.v1.Words', {
    default: text(),
    allOf: text(),
    properties: text(),
    $ref: text(),
  });
  const definition = { ...sample(), schema: () => schema as z.ZodType };
  const document = openApiV2(tableOf([definition]));
  t.same(Object.keys(at(document, 'definitions', 'test.v1.Words', 'properties') as Json), [
    'default',
    'allOf',
    'properties',
    '$ref',
  ]);
  t.end();
});

/** Without descriptions, which are our own, and with sets in one order. */
function comparable(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item));
    return key === 'required' || key === 'enum'
      ? (items as string[]).sort((a, b) => (a < b ? -1 : 1))
      : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name]) => key === 'properties' || name !== 'description');
  return Object.fromEntries(
    members.map(([name, member]) => [name, comparable(member, key === 'properties' ? '' : name)]),
  );
}

t.test(
  'schemas.json: every schema and every property of it is published, and nothing else',
  { skip },
  (t) => {
    const recorded = facts('schemas.json') as Record<string, Json>;
    const published = new Map<string, Json>();
    for (const path of Object.keys(openApiV3Index(builtins).paths)) {
      for (const [id, schema] of Object.entries(openApiV3(builtins, path).components.schemas)) {
        // What each document words for its own group was recorded from the last one.
        if (!/\.v1\.(?:DeleteOptions|WatchEvent)$/.test(id) || path === 'apis/storage.k8s.io/v1')
          published.set(id, schema);
      }
    }
    const lines = differences(comparable(recorded), comparable(Object.fromEntries(published)));
    t.same(lines, [], 'by path: missing, added, of another type, list type, default, …');
    t.equal(published.size, Object.keys(recorded).length);
    t.end();
  },
);
