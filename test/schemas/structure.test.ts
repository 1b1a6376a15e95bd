/**
 * Kinds, columns and keys of the built-in resources against what was recorded of kube-apiserver 1.36.2. Their structs are
 * compared as OpenAPI publishes them (test/apiserver/openapi.test.ts), their names and verbs as discovery does
 * (test/apiserver/http-server.test.ts).
 */
import t from 'tap';
import type { ResourceDefinition } from '../../schemas/definition.js';
import { metaOf } from '../../schemas/fields.js';
import { builtinResources } from '../../schemas/index.js';
import { differences } from '../tools/transcript.js';
import { facts, skip } from './facts.js';

const resources = builtinResources;

interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface Recorded {
  readonly 'x-kubernetes-group-version-kind'?: readonly Gvk[];
}

t.test('each resource has the struct of its kind', { skip }, (t) => {
  const recorded = facts('schemas.json') as Record<string, Recorded>;
  for (const { group, version, kind, schema } of resources) {
    const id = metaOf(schema()).structId ?? '';
    t.match(recorded[id]?.['x-kubernetes-group-version-kind'], [{ group, version, kind }], id);
  }
  t.end();
});

const pathOf = ({ group, version }: ResourceDefinition): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`;

t.test('table-columns.json: every column of every table is there, and no other', { skip }, (t) => {
  const recorded = facts('table-columns.json') as Record<string, unknown[]>;
  const tables = resources
    .filter(({ verbs }) => verbs.includes('list'))
    .map((resource) => {
      const columns = resource.columns.map(({ name, type, format, priority }) => ({
        name,
        type,
        format,
        priority,
      }));
      return [`${pathOf(resource)}/${resource.plural}`, columns] as const;
    });
  const ours = Object.fromEntries(tables);
  t.same(differences(recorded, ours), [], 'by path: name, type, format, priority');
  t.equal(tables.length, Object.keys(recorded).length);
  t.end();
});

/** Kinds of which no creation is recorded. */
const UNRECORDED = new Set(['customresourcedefinitions']);

t.test('etcd prefixes equal those of recorded keys', { skip }, (t) => {
  interface Row {
    readonly resource: string;
    readonly etcdKey: string;
  }
  const rows = new Map((facts('create-defaults.json') as Row[]).map((row) => [row.resource, row.etcdKey]));
  for (const { group, version, plural, etcdPrefix, virtual } of resources) {
    if (virtual === true || UNRECORDED.has(plural)) continue;
    const key = rows.get(`${group === '' ? version : `${group}/${version}`}/${plural}`) ?? '';
    t.ok(key.startsWith(`/registry/${etcdPrefix}/`), `${plural}: ${key}`);
    t.equal(key.split('/').length, etcdPrefix.split('/').length + (key.includes('oracle') ? 4 : 3), key);
  }
  t.end();
});

t.test('every column and resource says what it is', (t) => {
  for (const resource of resources) {
    t.match(resource.description, /^[A-Z].*\.$/, resource.plural);
    for (const column of resource.columns)
      t.match(column.description, /^[A-Z].*\.$/, `${resource.plural} ${column.name}`);
  }
  t.end();
});
