/** The OpenAPI documents: what kubectl and client generators look for, and the schemas that kube-apiserver publishes. */
import { createHash } from 'node:crypto';
import t from 'tap';
import * as z from 'zod';
import { openApiV2, openApiV3, openApiV3Index } from '../../apiserver/http/openapi/index.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import type { ResourceDefinition } from '../../schemas/definition.js';
import { describe, list, map, struct, text } from '../../schemas/fields.js';
import { builtinResources } from '../../schemas/index.js';
import { intOrString, quantity } from '../../schemas/meta/scalars.js';
import { kubeObject } from '../../schemas/meta/v1.js';
import { facts, skip } from '../schemas/facts.js';

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
  const served = builtinResources.map(({ group, version }) =>
    group === '' ? `api/${version}` : `apis/${group}/${version}`,
  );
  t.same(Object.keys(paths).sort(), [...new Set(served)].sort());
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
    produces: ['application/json', 'application/yaml'],
    parameters: [
      { name: 'body', in: 'body', required: true, schema: ref('test.v1.Sample') },
      { name: 'dryRun', type: 'string' },
    ],
    responses: { 200: { schema: ref('test.v1.Sample') }, 401: { description: 'Unauthorized' } },
  });
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

t.test('every schema equals what kube-apiserver 1.36.2 publishes', { skip }, (t) => {
  const recorded = facts('schemas.json') as Record<string, Json>;
  let compared = 0;
  for (const path of Object.keys(openApiV3Index(builtins).paths)) {
    for (const [id, schema] of Object.entries(openApiV3(builtins, path).components.schemas)) {
      const [ours, theirs] = [comparable(schema) as Json, comparable(recorded[id]) as Json];
      // There they are kinds of every group.
      if (/(?:DeleteOptions|WatchEvent)$/.test(id)) {
        delete ours['x-kubernetes-group-version-kind'];
        delete theirs['x-kubernetes-group-version-kind'];
      }
      t.same(ours, theirs, id);
      compared++;
    }
  }
  t.ok(compared > 200, `${compared} schemas compared`);
  t.end();
});
