/**
 * The structs, verbs and columns of the built-in resources against what kube-apiserver 1.36.2 publishes: the same
 * properties, types, formats, defaults, required fields and merge keys, node by node.
 */
import t from 'tap';
import type * as z from 'zod';
import type { ResourceDefinition, Subresource } from '../../schemas/definition.js';
import { metaOf, type NodeMeta } from '../../schemas/fields.js';
import { builtinResources } from '../../schemas/index.js';
import { defOf } from '../../schemas/walk.js';
import { facts, skip } from './facts.js';

const resources = builtinResources;

type OpenApi = Readonly<Record<string, unknown>>;

/** Merge and list behaviour, defaults and enums of one node, in OpenAPI's names. */
function extensions(meta: NodeMeta): OpenApi {
  return present({
    default: meta.default,
    enum: meta.enum,
    'x-kubernetes-list-type': meta.listType,
    'x-kubernetes-list-map-keys': meta.listMapKeys,
    'x-kubernetes-patch-strategy': meta.patchStrategy,
    'x-kubernetes-patch-merge-key': meta.patchMergeKey,
    'x-kubernetes-map-type': meta.mapType,
  });
}

const present = (values: OpenApi): OpenApi =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

/** What OpenAPI says of one property; structs and named scalars by reference. */
function propertyOf(schema: z.ZodType): OpenApi {
  const meta = metaOf(schema);
  const def = defOf(schema);
  if (def.type === 'optional') return { ...propertyOf(def.innerType), ...useOf(meta) };
  const reference = meta.structId ?? meta.scalarId;
  if (reference !== undefined) return { $ref: reference, ...useOf(meta) };
  const own = extensions(meta);
  if (meta.anyValue) return own;
  switch (def.type) {
    case 'array':
      return { type: 'array', items: propertyOf(def.element), ...own };
    case 'record':
      return { type: 'object', additionalProperties: propertyOf(def.valueType), ...own };
    case 'string':
    case 'boolean':
      return present({ type: def.type, format: meta.format, ...own });
    default:
      return present({ type: meta.format === 'double' ? 'number' : 'integer', format: meta.format, ...own });
  }
}

/** Of a struct, what one use of it adds: its own map type is part of its definition. */
function useOf(meta: NodeMeta): OpenApi {
  const { 'x-kubernetes-map-type': mapType, ...use } = extensions(meta);
  const here = meta.structId === undefined ? mapType : meta.granular ? 'granular' : undefined;
  return present({ ...use, 'x-kubernetes-map-type': here });
}

/** The definition of a struct, and of all that it refers to. */
function collect(schema: z.ZodType, structs: Map<string, OpenApi>, scalars: Set<string>): void {
  const meta = metaOf(schema);
  const def = defOf(schema);
  if (def.type === 'optional') return collect(def.innerType, structs, scalars);
  if (def.type === 'array') return collect(def.element, structs, scalars);
  if (def.type === 'record') return collect(def.valueType, structs, scalars);
  if (meta.scalarId !== undefined) scalars.add(meta.scalarId);
  if (def.type !== 'object' || meta.structId === undefined || structs.has(meta.structId)) return;
  const properties = Object.entries(def.shape).map(([name, field]) => [name, propertyOf(field)] as const);
  structs.set(
    meta.structId,
    present({
      properties: Object.fromEntries(properties),
      required: meta.required && [...meta.required].sort(),
      'x-kubernetes-map-type': meta.mapType,
      'x-kubernetes-unions': meta.unions?.map((union) =>
        present({
          discriminator: union.discriminator,
          'fields-to-discriminateBy': union.fieldsToDiscriminateBy,
        }),
      ),
    }),
  );
  for (const field of Object.values(def.shape)) collect(field, structs, scalars);
}

/** A recorded property in the same form: `allOf` of one reference is that reference. */
function recordedProperty({ allOf, $ref, items, additionalProperties, ...own }: Recorded): OpenApi {
  const reference = $ref ?? allOf?.[0]?.$ref;
  return present({
    ...own,
    $ref: reference?.slice(reference.lastIndexOf('/') + 1),
    enum: own.enum && [...own.enum].sort(),
    items: items && recordedProperty(items),
    additionalProperties: additionalProperties && recordedProperty(additionalProperties),
  });
}

interface Recorded {
  readonly allOf?: readonly { readonly $ref: string }[];
  readonly $ref?: string;
  readonly items?: Recorded;
  readonly additionalProperties?: Recorded;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Recorded>>;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-unions'?: unknown;
  readonly 'x-kubernetes-group-version-kind'?: readonly Gvk[];
}
interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

function recordedStruct(recorded: Recorded): OpenApi {
  const { properties = {}, required } = recorded;
  return present({
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, recordedProperty(property)]),
    ),
    required: required && [...required].sort(),
    'x-kubernetes-map-type': recorded['x-kubernetes-map-type'],
    'x-kubernetes-unions': recorded['x-kubernetes-unions'],
  });
}

/** One line for each place where two JSON values differ. */
function diff(expected: unknown, actual: unknown, path: string): string[] {
  if (isObject(expected) && isObject(actual)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return [...keys].flatMap((key) => diff(expected[key], actual[key], `${path}.${key}`));
  }
  const [want, have] = [JSON.stringify(expected), JSON.stringify(actual)];
  return want === have ? [] : [`${path}: expected ${want}, is ${have}`];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

t.test('structs equal the published OpenAPI schemas', { skip }, (t) => {
  const recorded = facts('schemas.json') as Record<string, Recorded>;
  const structs = new Map<string, OpenApi>();
  const scalars = new Set<string>();
  for (const resource of resources) {
    collect(resource.schema(), structs, scalars);
    for (const { schema } of resource.subresources) if (schema) collect(schema(), structs, scalars);
  }

  const lines = [...structs].flatMap(([id, struct]) =>
    recorded[id] === undefined ? [`${id}: not published`] : diff(recordedStruct(recorded[id]), struct, id),
  );

  t.same(lines, [], `${structs.size} structs without a difference`);
  t.same(
    [...scalars].filter((id) => recorded[id] === undefined),
    [],
    'named scalars are published ones',
  );
  t.ok(structs.size > 100, `${structs.size} structs were reached`);
  t.end();
});

t.test('each resource has the struct of its kind', { skip }, (t) => {
  const recorded = facts('schemas.json') as Record<string, Recorded>;
  for (const { group, version, kind, schema } of resources) {
    const id = metaOf(schema()).structId ?? '';
    t.match(recorded[id]?.['x-kubernetes-group-version-kind'], [{ group, version, kind }], id);
  }
  t.end();
});

interface DiscoveryResource extends Partial<Gvk> {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

const pathOf = ({ group, version }: ResourceDefinition): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`;

function discoveryOf(resource: ResourceDefinition, subresource?: Subresource): DiscoveryResource {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = resource;
  if (subresource !== undefined) {
    const other = subresource.kind;
    const foreign =
      other !== undefined && (other.group !== resource.group || other.version !== resource.version);
    return {
      name: `${plural}/${subresource.name}`,
      singularName: '',
      namespaced,
      kind: other?.kind ?? kind,
      ...(foreign ? { group: other.group, version: other.version } : {}),
      verbs: subresource.verbs,
    };
  }
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  };
}

/** Hashes are derived from group, version and kind where discovery is written. */
const withoutHashes = (entries: Record<string, DiscoveryResource>): unknown =>
  JSON.parse(
    JSON.stringify(entries, (key, value: unknown) => (key === 'storageVersionHash' ? undefined : value)),
  );

t.test('verbs, names and subresources equal the published discovery', { skip }, (t) => {
  const recorded = facts('legacy-discovery.json') as Record<
    string,
    { readonly resources: readonly DiscoveryResource[] }
  >;
  for (const resource of resources) {
    const expected = (recorded[pathOf(resource)]?.resources ?? [])
      .filter(({ name }) => name.split('/', 1)[0] === resource.plural)
      .map(({ name, ...rest }) => [name, { name, ...rest }] as const);
    const actual = [
      discoveryOf(resource),
      ...resource.subresources.map((sub) => discoveryOf(resource, sub)),
    ].map((entry) => [entry.name, entry] as const);
    const lines = diff(
      withoutHashes(Object.fromEntries(expected)),
      Object.fromEntries(actual),
      pathOf(resource),
    );
    t.same(lines, [], resource.plural);
  }
  t.end();
});

t.test('builtin resources stand in the order of discovery', { skip }, (t) => {
  const recorded = facts('legacy-discovery.json') as Record<
    string,
    { readonly resources: readonly DiscoveryResource[] }
  >;
  for (const path of new Set(resources.map(pathOf))) {
    const ours = resources.filter((resource) => pathOf(resource) === path).map(({ plural }) => plural);
    const order = (recorded[path]?.resources ?? [])
      .map(({ name }) => name)
      .filter((name) => ours.includes(name));
    t.same(ours, order, path);
  }
  t.end();
});

t.test('columns equal the published tables', { skip }, (t) => {
  const recorded = facts('table-columns.json') as Record<string, unknown>;
  for (const resource of resources) {
    if (!resource.verbs.includes('list')) continue;
    const columns = resource.columns.map(({ name, type, format, priority }) => ({
      name,
      type,
      format,
      priority,
    }));
    t.same(columns, recorded[`${pathOf(resource)}/${resource.plural}`], resource.plural);
  }
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
  for (const { group, version, plural, etcdPrefix, verbs } of resources) {
    if (!verbs.includes('get') || UNRECORDED.has(plural)) continue;
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
