/** A resource with a field of every way of merging, for tests of managed fields. */
import { decodeObject } from '../../schemas/decode.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { any, describe, int32, list, map, once, struct, text } from '../../schemas/fields.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import { kubeObject } from '../../schemas/meta/v1.js';

const nested = once(() =>
  struct('test.managed.Nested', { a: int32({ default: 0, omitEmpty: true }), b: text(), deep: map(text()) }),
);

const item = once(() =>
  struct(
    'test.managed.Item',
    {
      name: text({ default: '' }),
      value: text(),
      tags: list(text(), { listType: 'set' }),
      inner: nested(),
    },
    { required: ['name'] },
  ),
);

const port = once(() =>
  struct(
    'test.managed.Port',
    {
      name: text({ omitEmpty: true }),
      protocol: text({ default: 'TCP', omitEmpty: true }),
      port: int32({ default: 0 }),
    },
    { required: ['port'] },
  ),
);

const atomicStruct = once(() =>
  struct('test.managed.AtomicStruct', { x: text(), y: int32() }, { mapType: 'atomic' }),
);

const spec = once(() =>
  struct(
    'test.managed.Spec',
    {
      number: int32(),
      text: text(),
      map: map(text()),
      structs: map(nested()),
      nested: describe(nested(), { default: {} }),
      pointer: nested(),
      items: list(item(), { listType: 'map', listMapKeys: ['name'] }),
      ports: list(port(), { listType: 'map', listMapKeys: ['port', 'protocol'] }),
      set: list(text(), { listType: 'set' }),
      atomicList: list(text()),
      atomicMap: map(text(), { mapType: 'atomic' }),
      atomicStruct: atomicStruct(),
      any: any(),
    },
    { required: ['items'] },
  ),
);

/** Fields of `spec` as a test writes them. */
export interface Spec {
  number?: number | null;
  text?: string;
  map?: Record<string, string>;
  structs?: Record<string, Nested>;
  nested?: Nested;
  pointer?: Nested;
  items?: { name?: string; value?: string; tags?: string[]; inner?: Nested }[];
  ports?: { port: number; protocol?: string; name?: string }[];
  set?: string[];
  atomicList?: string[];
  atomicMap?: Record<string, string>;
  atomicStruct?: { x?: string; y?: number };
  any?: unknown;
}
export interface Nested {
  a?: number;
  b?: string;
  deep?: Record<string, string>;
}

export const things: ResourceDefinition = {
  ...configMaps,
  group: 'test.managed',
  version: 'v1',
  kind: 'Thing',
  listKind: 'ThingList',
  plural: 'things',
  singular: 'thing',
  schema: once(() =>
    kubeObject('test.managed.Thing', {
      spec: describe(spec(), { default: {} }),
      status: describe(nested(), { default: {} }),
    }),
  ),
  strategy: {},
  subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
};

/** An object as it is stored: decoded, with a uid. */
export function stored(fields: { spec?: Spec; status?: Nested; metadata?: object }): KubeObject {
  return decoded({ ...fields, metadata: { name: 'x', namespace: 'default', uid: 'u', ...fields.metadata } });
}

export function decoded(object: object, definition = things): KubeObject {
  const result = decodeObject(definition, structuredClone(object));
  if ('typeError' in result) throw new Error(result.typeError);
  return result.object;
}

/** What is applied: a body, not decoded. */
export const body = (spec?: Spec, more: object = {}): Record<string, unknown> => ({
  apiVersion: 'test.managed/v1',
  kind: 'Thing',
  metadata: { name: 'x' },
  ...(spec === undefined ? {} : { spec }),
  ...more,
});
