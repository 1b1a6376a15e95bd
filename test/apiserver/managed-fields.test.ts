/** Whose fields become after a plain write: rule by rule, and as recorded from kube-apiserver 1.36.2. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import {
  FieldManager,
  type ManagedFieldsEntry,
  mergeScaleEntries,
  scaleEntries,
} from '../../apiserver/managed-fields/index.js';
import { StatusError } from '../../apiserver/errors.js';
import { applyPatch, isPatchType } from '../../apiserver/patch/index.js';
import { events } from '../../schemas/core/v1/event.js';
import { pods } from '../../schemas/core/v1/pod.js';
import { deployments } from '../../schemas/apps/v1/deployment.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { eventsV1 } from '../../schemas/events/v1/event.js';
import { definitionAt } from '../schemas/pipeline.js';
import type { Exchange } from '../tools/transcript.js';
import { decoded, type Nested, type Spec, stored, things } from './managed-fields-fixture.js';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const TIME_0 = '2026-01-01T00:00:00Z';
const MINUTE_MS = 60_000;
const TIME_1 = '2026-01-01T00:01:00Z';

const fields = new FieldManager(things);
const by = (manager: string, more: { subresource?: string; now?: number } = {}) => ({
  manager,
  subresource: '',
  now: T0,
  ...more,
});

const updateEntry = (manager: string, fieldsV1: unknown, more: object = {}): ManagedFieldsEntry =>
  ({
    manager,
    operation: 'Update',
    apiVersion: 'test.managed/v1',
    time: TIME_0,
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...more,
  }) as ManagedFieldsEntry;

interface State {
  spec?: Spec;
  status?: Nested;
  labels?: Record<string, string>;
}

/** An object whose fields managers own as given, one entry each. */
function owned(state: State, ...entries: readonly ManagedFieldsEntry[]): KubeObject {
  const { labels, ...rest } = state;
  const metadata = { ...(labels && { labels }), ...(entries.length > 0 && { managedFields: entries }) };
  return stored({ ...rest, metadata });
}

const specSet = (entries: readonly ManagedFieldsEntry[], manager: string) =>
  entries.find((entry) => entry.manager === manager)?.fieldsV1?.['f:spec'];

/** What a creation makes the creator's, of `spec`. */
const created = (spec: Spec) =>
  specSet(fields.update(undefined, decoded({ metadata: { name: 'x' }, spec }), by('a')), 'a');

t.test('a creation is compared with an empty object as Go prints it', async (t) => {
  t.same(created({}), undefined, 'structs that are no pointers are there already');
  t.same(created({ number: 1, nested: { b: 'x' } }), { 'f:nested': { 'f:b': {} }, 'f:number': {} });
  t.same(created({ pointer: { b: 'x' } }), { 'f:pointer': { '.': {}, 'f:b': {} } }, 'a pointer is not');
  t.same(created({ pointer: {} }), { 'f:pointer': {} }, 'an empty one is a leaf');
  t.same(
    created({ items: [{ name: 'a', value: 'x' }] }),
    { 'f:items': { 'k:{"name":"a"}': { '.': {}, 'f:name': {}, 'f:value': {} } } },
    'a required list is there as null',
  );
  t.same(
    created({ ports: [{ port: 1, protocol: 'TCP' }] }),
    { 'f:ports': { '.': {}, 'k:{"port":1,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:protocol': {} } } },
    'another list is not',
  );
});

t.test('what is added brings all that is in it, and its containers', async (t) => {
  t.same(created({ structs: { a: { deep: { x: '1' } }, b: {} } }), {
    'f:structs': {
      '.': {},
      'f:a': { '.': {}, 'f:deep': { '.': {}, 'f:x': {} } },
      'f:b': {},
    },
  });
  t.same(created({ set: ['b', 'a'] }), { 'f:set': { '.': {}, 'v:"a"': {}, 'v:"b"': {} } });
  t.same(
    created({ any: { list: [{ a: 1 }], map: { b: null }, empty: {} } }),
    { 'f:any': { '.': {}, 'f:empty': {}, 'f:list': {}, 'f:map': { '.': {}, 'f:b': {} } } },
    'any JSON: objects by member, lists as a whole',
  );
  t.same(
    created({ atomicList: ['a'], atomicMap: { a: 'b' }, atomicStruct: { x: 'y' } }),
    { 'f:atomicList': {}, 'f:atomicMap': {}, 'f:atomicStruct': {} },
    'what is replaced as a whole is a leaf',
  );
});

t.test('a default in the schema fills an absent key of an item', async (t) => {
  t.same(created({ ports: [{ port: 1 }] }), {
    'f:ports': { '.': {}, 'k:{"port":1,"protocol":"TCP"}': { '.': {}, 'f:port': {} } },
  });
});

t.test('zero values that Go prints are there before an object is created', async (t) => {
  const event = decoded({ metadata: { name: 'x' }, reason: 'y', reportingComponent: '' }, events);
  events.strategy.defaults?.(event);
  const [entry] = new FieldManager(events).update(undefined, event, by('a'));
  t.same(entry?.fieldsV1, { 'f:reason': {} });
});

t.test("the names and marks of an object are nobody's", async (t) => {
  const metadata = {
    name: 'x',
    namespace: 'default',
    generateName: 'x-',
    uid: 'u',
    generation: 3,
    resourceVersion: '1',
  };
  const [entry, ...others] = fields.update(
    undefined,
    decoded({ metadata: { ...metadata, creationTimestamp: TIME_0, annotations: { a: 'b' } } }),
    by('a'),
  );
  t.same(entry?.fieldsV1, {
    'f:metadata': { 'f:annotations': { '.': {}, 'f:a': {} }, 'f:generateName': {} },
  });
  t.same(others, []);
  t.same(fields.update(undefined, decoded({ metadata }), by('a')).length, 1);
  t.same(
    fields.update(undefined, decoded({ metadata: { name: 'x' } }), by('a')),
    [],
    'who sets nothing has no entry',
  );
});

t.test('an entry is written as Go prints it', async (t) => {
  const [entry] = fields.update(undefined, decoded({ metadata: { name: 'x' }, status: { b: 'x' } }), {
    ...by('a'),
    subresource: 'status',
    now: T0 + 999,
  });
  t.equal(
    JSON.stringify(entry),
    '{"manager":"a","operation":"Update","apiVersion":"test.managed/v1","time":"2026-01-01T00:00:00Z",' +
      '"fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:b":{}}},"subresource":"status"}',
  );
  const [nameless] = fields.update(
    undefined,
    decoded({ metadata: { name: 'x' }, spec: { number: 1 } }),
    by(''),
  );
  t.equal(nameless?.manager, 'unknown');
});

t.test('who writes gains what changed, others lose it', async (t) => {
  const live = owned(
    { spec: { number: 1, text: 'x', map: { a: '1', b: '2' } } },
    updateEntry('a', {
      'f:spec': { 'f:map': { '.': {}, 'f:a': {}, 'f:b': {} }, 'f:number': {}, 'f:text': {} },
    }),
  );
  const next = stored({ spec: { number: 2, text: 'x', map: { a: '1', b: '3', c: '4' } } });
  const entries = fields.update(live, next, by('b', { now: T0 + MINUTE_MS }));
  t.same(entries, [
    updateEntry('a', { 'f:spec': { 'f:map': { '.': {}, 'f:a': {} }, 'f:text': {} } }),
    updateEntry('b', { 'f:spec': { 'f:map': { 'f:b': {}, 'f:c': {} }, 'f:number': {} } }, { time: TIME_1 }),
  ]);
});

t.test("what goes is nobody's any more, and who owns nothing is gone", async (t) => {
  const live = owned(
    { spec: { number: 1, pointer: { b: 'x', deep: { a: '1' } } } },
    updateEntry('a', { 'f:spec': { 'f:pointer': { '.': {}, 'f:b': {}, 'f:deep': { '.': {}, 'f:a': {} } } } }),
    updateEntry('b', { 'f:spec': { 'f:number': {} } }),
  );
  const entries = fields.update(live, stored({ spec: { number: 1 } }), by('c', { now: T0 + MINUTE_MS }));
  t.same(
    entries,
    [updateEntry('b', { 'f:spec': { 'f:number': {} } })],
    'nor does who removes become an owner',
  );
});

t.test('the time of an entry changes only with what its manager gains', async (t) => {
  const live = owned(
    { spec: { number: 1, text: 'x' } },
    updateEntry('a', { 'f:spec': { 'f:number': {}, 'f:text': {} } }),
  );
  const later = by('a', { now: T0 + MINUTE_MS });
  const less = fields.update(live, stored({ spec: { number: 1 } }), later);
  t.same(less, [updateEntry('a', { 'f:spec': { 'f:number': {} } })], 'it lost a field');
  const more = fields.update(live, stored({ spec: { number: 2, text: 'x' } }), later);
  t.same(more, [updateEntry('a', { 'f:spec': { 'f:number': {}, 'f:text': {} } }, { time: TIME_1 })]);
  const same = fields.update(live, stored({ spec: { text: 'x', number: 1 } }), later);
  t.equal(same, live.metadata.managedFields, 'a write that changes nothing gives the entries themselves');
});

t.test('lists and maps that are empty on both sides are a leaf', async (t) => {
  const change = (before: Spec, after: Spec) =>
    specSet(
      fields.update(
        owned({ spec: before }, updateEntry('x', { 'f:y': {} })),
        stored({ spec: after }),
        by('a'),
      ),
      'a',
    );
  t.same(change({ any: {} }, { any: { a: 1 } }), { 'f:any': { 'f:a': {} } });
  t.same(change({ any: { a: 1 } }, { any: {} }), undefined, 'what is in it went; it stayed');
  t.same(change({ any: { a: 1 } }, { any: [1] }), { 'f:any': {} }, 'of another kind');
  t.same(change({ any: [1] }, { any: { a: 1 } }), { 'f:any': { '.': {}, 'f:a': {} } });
  t.same(change({ any: {} }, { any: 'x' }), { 'f:any': {} });
});

t.test('items of a list are told apart by their keys, not by their place', async (t) => {
  const items = [
    { name: 'a', value: '1' },
    { name: 'b', value: '2', tags: ['x', 'y'] },
  ];
  const live = owned({ spec: { items } }, updateEntry('x', { 'f:y': {} }));
  const change = (...next: NonNullable<Spec['items']>) =>
    specSet(fields.update(live, stored({ spec: { items: next } }), by('a')), 'a');
  t.same(change(items[1]!, items[0]!), undefined, 'order alone is nothing');
  t.same(change({ name: 'b', value: '3', tags: ['y', 'z'] }, items[0]!), {
    'f:items': { 'k:{"name":"b"}': { 'f:tags': { 'v:"z"': {} }, 'f:value': {} } },
  });
});

t.test('items of a key that stands twice are compared as one', async (t) => {
  const one = { name: 'a', value: '1' };
  const other = { name: 'a', value: '2' };
  const live = (...items: NonNullable<Spec['items']>) =>
    owned({ spec: { items } }, updateEntry('x', { 'f:y': {} }));
  const change = (before: KubeObject, ...items: NonNullable<Spec['items']>) =>
    specSet(fields.update(before, stored({ spec: { items } }), by('a')), 'a');
  const key = 'k:{"name":"a"}';
  t.same(change(live(one), one, other), { 'f:items': { [key]: {} } }, 'it comes to stand twice');
  t.same(change(live(one, other), one, other), undefined);
  t.same(change(live(one, other), other, one), { 'f:items': { [key]: {} } });
  t.same(
    change(live(one, other), other),
    { 'f:items': { [key]: { '.': {}, 'f:name': {}, 'f:value': {} } } },
    'it stands once again',
  );
  t.same(created({ items: [one, other] }), { 'f:items': { [key]: {} } });
});

t.test("status is not a plain write's, and spec not that of status", async (t) => {
  const live = owned(
    { spec: { number: 1 }, status: { b: 'x' } },
    updateEntry('a', { 'f:spec': { 'f:number': {} } }),
  );
  const next = stored({ spec: { number: 2 }, status: { b: 'y', deep: { a: '1' } } });
  t.same(fields.update(live, next, by('b')), [updateEntry('b', { 'f:spec': { 'f:number': {} } })]);
  t.same(fields.update(live, next, by('b', { subresource: 'status' })), [
    updateEntry('a', { 'f:spec': { 'f:number': {} } }),
    updateEntry(
      'b',
      { 'f:status': { 'f:b': {}, 'f:deep': { '.': {}, 'f:a': {} } } },
      { subresource: 'status' },
    ),
  ]);
});

t.test('what else a subresource cannot set is data of the resource', async (t) => {
  const meta = { name: 'p', namespace: 'default', uid: 'u' };
  const pod = (containers: object[], more: object = {}, labels = {}) =>
    decoded(
      {
        metadata: { ...meta, labels, managedFields: [updateEntry('x', { 'f:y': {} })] },
        spec: { containers, ...more },
      },
      pods,
    );
  const before = pod([{ name: 'a', image: 'i', resources: { requests: { cpu: '1' } } }]);
  const after = pod(
    [
      {
        name: 'a',
        image: 'j',
        resources: { requests: { cpu: '2' } },
        resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'x' }],
      },
    ],
    { ephemeralContainers: [{ name: 'e' }], nodeName: 'n' },
    { a: 'b' },
  );
  const gained = (subresource: string) =>
    new FieldManager(pods)
      .update(before, after, by('a', { subresource }))
      .find(({ manager }) => manager === 'a')?.fieldsV1;
  t.match(gained('resize'), {
    'f:spec': {
      'f:containers': {
        'k:{"name":"a"}': { 'f:resizePolicy': {}, 'f:resources': { 'f:requests': { 'f:cpu': {} } } },
      },
    },
  });
  t.same(Object.keys(gained('resize') ?? {}), ['f:spec'], 'and nothing else');
  t.same(Object.keys(gained('resize')?.['f:spec'] ?? {}), ['f:containers']);
  t.same(gained('ephemeralcontainers'), {
    'f:spec': {
      'f:ephemeralContainers': { '.': {}, 'k:{"name":"e"}': { '.': {}, 'f:name': {}, 'f:resources': {} } },
    },
  });
  t.same(gained('status'), { 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } } });
  const deployment = decoded(
    { metadata: { ...meta, managedFields: [updateEntry('x', { 'f:y': {} })] } },
    deployments,
  );
  const labelled = decoded(
    { metadata: { ...meta, labels: { a: 'b' }, annotations: { a: 'b' } } },
    deployments,
  );
  t.same(
    new FieldManager(deployments)
      .update(deployment, labelled, by('a', { subresource: 'status' }))
      .find(({ manager }) => manager === 'a')?.fieldsV1,
    { 'f:metadata': { 'f:annotations': { '.': {}, 'f:a': {} } } },
    "labels of a Deployment are not its status's",
  );
});

t.test("a client's own entries count in a plain write", async (t) => {
  const live = owned(
    { spec: { number: 1, text: 'x' } },
    updateEntry('a', { 'f:spec': { 'f:number': {}, 'f:text': {} } }),
  );
  const given = (managedFields: unknown, subresource = '') =>
    fields.update(
      live,
      stored({ spec: { number: 1, text: 'x' }, metadata: { managedFields } }),
      by('b', { subresource }),
    );
  const own = updateEntry('c', { 'f:spec': { 'f:number': {} } });
  t.same(given([own]), [own]);
  t.same(given([own], 'status'), live.metadata.managedFields, 'not through a subresource');
  t.same(given([{ ...own, operation: 'x' }]), live.metadata.managedFields, 'nor those that cannot be read');
  t.same(given([{ ...own, fieldsV1: { nonsense: {} } }]), live.metadata.managedFields);
  t.same(given(undefined), live.metadata.managedFields, 'nor none');
  t.same(given([{ ...own, fieldsV1: {} }]), [], 'an entry of no fields vanishes');
});

t.test('an empty list, or one empty entry, forgets who set what, and nobody begins anew', async (t) => {
  const live = owned({ spec: { number: 1 } }, updateEntry('a', { 'f:spec': { 'f:number': {} } }));
  for (const managedFields of [[], [{}]]) {
    t.same(fields.update(live, stored({ spec: { number: 2 }, metadata: { managedFields } }), by('b')), []);
  }
  const untracked = owned({ spec: { number: 1 } });
  t.same(fields.update(untracked, stored({ spec: { number: 2 } }), by('b')), [], 'nor on a later write');
});

t.test('entries of a version that is not served are forgotten', async (t) => {
  const live = owned(
    { spec: { number: 1 } },
    updateEntry('a', { 'f:spec': { 'f:number': {} } }, { apiVersion: 'test.managed/v0' }),
    updateEntry('b', { 'f:spec': { 'f:number': {} } }),
  );
  const entries = fields.update(live, stored({ spec: { number: 1, text: 'x' } }), by('c'));
  t.same(
    entries.map(({ manager }) => manager),
    ['b', 'c'],
  );
});

t.test('at another version an object is compared in that version', async (t) => {
  const metadata = { name: 'e', namespace: 'default', uid: 'u' };
  const event = (reason: string, note: string, managedFields: unknown) =>
    decoded({ metadata: { ...metadata, managedFields }, reason, message: note }, events);
  const newer = updateEntry('new', { 'f:note': {}, 'f:reason': {} }, { apiVersion: 'events.k8s.io/v1' });
  const older = updateEntry('old', { 'f:type': {} }, { apiVersion: 'v1' });
  const served = [events, eventsV1];
  const entries = new FieldManager(events, served).update(
    event('a', 'x', [newer, older]),
    event('a', 'y', undefined),
    by('kubelet'),
  );
  t.same(entries, [
    updateEntry('kubelet', { 'f:message': {} }, { apiVersion: 'v1' }),
    { ...newer, fieldsV1: { 'f:reason': {} } },
    older,
  ]);
  const back = new FieldManager(eventsV1, served).update(
    decoded({ metadata: { ...metadata, managedFields: entries }, reason: 'a', note: 'y' }, eventsV1),
    decoded({ metadata, reason: 'b', note: 'z' }, eventsV1),
    by('new'),
  );
  t.same(back, [{ ...newer, fieldsV1: { 'f:note': {}, 'f:reason': {} } }, older]);
});

t.test('of more than ten managers by update the oldest become one', async (t) => {
  const at = (i: number) => `2026-01-01T00:00:${String(10 + i)}Z`;
  const entries = Array.from({ length: 10 }, (_, i) =>
    updateEntry(`m${i}`, { 'f:spec': { 'f:map': { [`f:${i}`]: {} } } }, { time: at(i) }),
  );
  const applier = updateEntry('a', { 'f:spec': { 'f:text': {} } }, { operation: 'Apply' });
  const map = Object.fromEntries(entries.map((_, i) => [String(i), 'x']));
  const live = owned({ spec: { map, text: 'x' } }, applier, ...entries);
  const next = fields.update(
    live,
    stored({ spec: { map, text: 'x', number: 1 } }),
    by('new', { now: T0 + MINUTE_MS }),
  );
  t.same(
    next.map(({ manager }) => manager),
    ['a', 'ancient-changes', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9', 'new'],
  );
  t.same(
    next[1],
    updateEntry('ancient-changes', { 'f:spec': { 'f:map': { 'f:0': {}, 'f:1': {} } } }, { time: at(1) }),
  );
  const again = fields.update(
    owned({ spec: { map, text: 'x', number: 1 } }, ...next),
    stored({ spec: { map, text: 'x', number: 1, set: ['a'] } }),
    by('newer', { now: T0 + MINUTE_MS }),
  );
  t.same(
    again.find(({ manager }) => manager === 'ancient-changes')?.fieldsV1,
    { 'f:spec': { 'f:map': { 'f:0': {}, 'f:1': {}, 'f:2': {} } } },
    'and go on to',
  );
  t.equal(again.filter(({ operation }) => operation === 'Update').length, 10);
});

t.test('fields may be called what every object inherits', async (t) => {
  const map = JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}') as Record<string, string>;
  t.same(created({ map }), {
    'f:map': { '.': {}, 'f:__proto__': {}, 'f:constructor': {}, 'f:toString': {} },
  });
  const live = owned(
    { spec: { map: { x: '1' } } },
    updateEntry('a', { 'f:spec': { 'f:map': { 'f:constructor': {} } } }),
  );
  const entries = fields.update(live, stored({ spec: { map: { x: '2' } } }), by('b'));
  t.same(specSet(entries, 'a'), { 'f:map': { 'f:constructor': {} } }, 'what is inherited is not there');
  t.equal(({} as Record<string, unknown>)['a'], undefined);
  t.same(created({ structs: { a: {} } }), { 'f:structs': { '.': {}, 'f:a': {} } });
  const structs = owned({ spec: { structs: { a: { b: '1' } } } }, updateEntry('x', { 'f:y': {} }));
  const inherited = JSON.parse('{"__proto__":{"b":"x"},"constructor":{"b":"x"},"a":{"b":"1"}}') as Record<
    string,
    Nested
  >;
  t.same(
    specSet(fields.update(structs, stored({ spec: { structs: inherited } }), by('b')), 'b'),
    { 'f:structs': { 'f:__proto__': { '.': {}, 'f:b': {} }, 'f:constructor': { '.': {}, 'f:b': {} } } },
    'they are added as any other',
  );
});

t.test('who owns the replicas owns those of the Scale, and the other way round', async (t) => {
  const at = { 'apps/v1': 'spec.replicas' };
  const entry = (manager: string, fieldsV1: unknown, more: object = {}) =>
    updateEntry(manager, fieldsV1, { apiVersion: 'apps/v1', ...more });
  const parent = [
    entry('applier', { 'f:spec': { 'f:replicas': {} } }, { operation: 'Apply' }),
    entry('creator', { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } }),
    entry('other', { 'f:spec': { 'f:paused': {} } }),
  ];
  const scale = scaleEntries(parent, at);
  const replicas = { 'f:spec': { 'f:replicas': {} } };
  t.same(scale, [
    { ...parent[0], apiVersion: 'autoscaling/v1' },
    { ...entry('creator', replicas), apiVersion: 'autoscaling/v1' },
  ]);
  const scaled = new FieldManager(deployments).update(
    {
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { uid: 'u', managedFields: scale },
      spec: { replicas: 1 },
    },
    { kind: 'Scale', apiVersion: 'autoscaling/v1', metadata: { uid: 'u' }, spec: { replicas: 2 } },
    by('scaler', { subresource: 'scale' }),
  );
  t.same(scaled, [{ ...entry('scaler', replicas), apiVersion: 'autoscaling/v1', subresource: 'scale' }]);
  const { time: _, ...timeless } = entry('scaler', replicas, { subresource: 'scale' });
  t.same(mergeScaleEntries(parent, scaled, 'apps/v1', at), [
    timeless,
    entry('creator', { 'f:spec': { 'f:paused': {} } }),
    entry('other', { 'f:spec': { 'f:paused': {} } }),
  ]);
  t.same(
    mergeScaleEntries(parent, scale, 'apps/v1', at)[0],
    parent[0],
    'an applier keeps them where it is the owner',
  );
  t.same(
    scaleEntries([entry('old', replicas, { apiVersion: 'apps/v1beta1' })], at),
    [],
    'other versions have no part',
  );
  t.same(scaleEntries([{ operation: 'x' }], at), []);
});

t.test('through binding and the like, whose bodies are of another kind, nothing throws', async (t) => {
  const binding = { kind: 'Binding', apiVersion: 'v1', metadata: { name: 'p' }, target: { name: 'n' } };
  t.same(
    new FieldManager(pods)
      .update(undefined, binding, by('scheduler', { subresource: 'binding' }))
      .map((one) => one.fieldsV1),
    [{ 'f:target': {} }],
  );
});

/** A recorded object with values in place of the placeholders for generated ones. */
function concrete<T>(recorded: T): T {
  const text = JSON.stringify(recorded)
    .replaceAll('"<ts>"', `"${TIME_0}"`)
    .replaceAll('"<ip>"', '"10.0.0.1"')
    .replaceAll('"<uid>"', '"u"')
    .replaceAll('"<resourceVersion>"', '"1"');
  return JSON.parse(text) as T;
}

const withoutTimes = (entries: readonly unknown[] | undefined) =>
  (entries ?? []).map((entry) => ({ ...(entry as ManagedFieldsEntry), time: undefined }));

/** The new state that a recorded request asks for, as it is before admission. */
function proposed(
  definition: ResourceDefinition,
  { body, contentType }: Exchange,
  live: KubeObject | undefined,
): KubeObject {
  const asked =
    live !== undefined && isPatchType(contentType ?? '')
      ? applyPatch(contentType ?? '', Buffer.from(JSON.stringify(body)), live, definition)
      : typeof body === 'string'
        ? (parse(body) as object)
        : body;
  const object = decoded(asked as object, definition);
  definition.strategy.defaults?.(object);
  return object;
}

t.test('managedFields are those that kube-apiserver answered', async (t) => {
  const file = new URL('../../../test/fixtures/transcript.json', import.meta.url);
  const exchanges = JSON.parse(readFileSync(file, 'utf8')) as Exchange[];
  const objects = new Map<string, KubeObject>();
  let compared = 0;
  for (const [row, exchange] of exchanges.entries()) {
    const { pathname, searchParams } = new URL(exchange.path, 'http://x');
    const found = definitionAt(pathname);
    const answer = concrete(exchange.response.body) as KubeObject | undefined;
    const answered = exchange.response.status < 300 && answer?.kind === found?.definition.kind;
    if (found === undefined || found.definition.virtual || answer?.metadata === undefined) continue;
    const { definition, subresource = '' } = found;
    const path = subresource === '' ? pathname : pathname.slice(0, -subresource.length - 1);
    const key = exchange.method === 'POST' ? `${path}/${answer.metadata.name}` : path;
    const live = objects.get(key);
    const write = { manager: searchParams.get('fieldManager') ?? 'transcript', subresource, now: T0 };
    const manager = new FieldManager(definition);
    const label = `#${row} ${exchange.method} ${exchange.path}`;
    if (exchange.contentType?.startsWith('application/apply-patch') === true) {
      const apply = () =>
        manager.apply(live, parse(exchange.body as string), {
          ...write,
          force: searchParams.get('force') === 'true',
        });
      if (answered)
        t.same(withoutTimes(apply().managedFields), withoutTimes(answer.metadata.managedFields), label);
      else if (row === 100 || row === 106 || row === 107) {
        t.throws(apply, { message: (answer as unknown as { message: string }).message }, label);
        try {
          apply();
        } catch (error) {
          t.same(error instanceof StatusError && error.toStatus(), answer, label);
        }
      }
      compared++;
    } else if (
      answered &&
      exchange.accept === undefined &&
      ['POST', 'PUT', 'PATCH'].includes(exchange.method)
    ) {
      const next = proposed(definition, exchange, live);
      const entries = manager.update(live, next, write);
      t.same(withoutTimes(entries), withoutTimes(answer.metadata.managedFields), label);
      compared++;
    }
    if (answered && exchange.accept === undefined && !searchParams.has('dryRun')) objects.set(key, answer);
  }
  t.ok(compared > 60, `${compared} writes compared`);
});
