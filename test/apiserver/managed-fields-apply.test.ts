/** Server-side apply, rule by rule: what is merged, what is pruned, who conflicts, and upstream's texts. */
import t from 'tap';
import { StatusError } from '../../apiserver/errors.js';
import { FieldManager, type ManagedFieldsEntry } from '../../apiserver/managed-fields/index.js';
import { LAST_APPLIED } from '../../apiserver/managed-fields/last-applied.js';
import type { KubeObject } from '../../schemas/definition.js';
import { events } from '../../schemas/core/v1/event.js';
import { pods } from '../../schemas/core/v1/pod.js';
import { eventsV1 } from '../../schemas/events/v1/event.js';
import { body, decoded, type Nested, type Spec, stored, things } from './managed-fields-fixture.js';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const TIME_0 = '2026-01-01T00:00:00Z';
const MINUTE_MS = 60_000;
const TIME_1 = '2026-01-01T00:01:00Z';

const fields = new FieldManager(things);

/** One object in the hands of several managers. */
class Story {
  live: KubeObject | undefined;
  #now = T0;

  constructor(start?: { spec?: Spec; status?: Nested; metadata?: object }) {
    if (start !== undefined) this.live = stored(start);
  }

  later(): this {
    this.#now += MINUTE_MS;
    return this;
  }

  apply(manager: string, applied: unknown, more: { force?: boolean; subresource?: string } = {}) {
    const result = fields.apply(this.live, applied, {
      manager,
      subresource: '',
      force: false,
      now: this.#now,
      ...more,
    });
    this.#store(result.object, result.managedFields);
    return result;
  }

  update(manager: string, spec: Spec, metadata: object = {}): void {
    const next = stored({ spec, metadata });
    this.#store(next, fields.update(this.live, next, { manager, subresource: '', now: this.#now }));
  }

  #store(object: object, managedFields: readonly ManagedFieldsEntry[]): void {
    const { metadata, ...rest } = object as KubeObject;
    this.live = stored({ ...rest, metadata: { ...metadata, uid: 'u', managedFields } });
  }

  get spec(): Spec {
    return this.live?.['spec'] as Spec;
  }

  /** manager → what it owns of spec, appliers as `manager`, others as `manager:Update`. */
  get owners(): Record<string, unknown> {
    const entries = (this.live?.metadata.managedFields ?? []) as ManagedFieldsEntry[];
    return Object.fromEntries(
      entries.map(({ manager = '', operation, fieldsV1, subresource = '' }) => [
        `${manager}${operation === 'Update' ? ':Update' : ''}${subresource && `:${subresource}`}`,
        fieldsV1?.['f:spec'] ?? fieldsV1,
      ]),
    );
  }

  /** The Status that an apply is answered. */
  refused(
    manager: string,
    applied: unknown,
    more: { force?: boolean; subresource?: string } = {},
  ): StatusError {
    const before = JSON.stringify(this.live);
    try {
      this.apply(manager, applied, more);
    } catch (error) {
      if (error instanceof StatusError && before === JSON.stringify(this.live)) return error;
      throw error;
    }
    throw new Error('it was applied');
  }
}

const LEAF = {};
const item = (name: string) => `k:{"name":"${name}"}`;

t.test(
  "what is applied is the applier's: leaves, items and members of maps, but not the structs they are in",
  async (t) => {
    const story = new Story();
    story.apply(
      'one',
      body({
        number: 1,
        map: { a: '1' },
        structs: { s: { b: 'x' } },
        nested: { deep: { a: '1' } },
        pointer: {},
        items: [{ name: 'a', inner: { b: 'x' } }],
        set: ['x'],
        ports: [],
        atomicList: [],
        atomicMap: { a: 'b' },
        atomicStruct: {},
        any: { a: { b: [1] }, c: null },
      }),
    );
    t.same(story.owners, {
      one: {
        'f:any': { 'f:a': { '.': LEAF, 'f:b': LEAF }, 'f:c': LEAF },
        'f:atomicList': LEAF,
        'f:atomicMap': LEAF,
        'f:atomicStruct': LEAF,
        'f:items': { [item('a')]: { '.': LEAF, 'f:inner': { 'f:b': LEAF }, 'f:name': LEAF } },
        'f:map': { 'f:a': LEAF },
        'f:nested': { 'f:deep': { 'f:a': LEAF } },
        'f:number': LEAF,
        'f:pointer': LEAF,
        'f:set': { 'v:"x"': LEAF },
        'f:structs': { 'f:s': { '.': LEAF, 'f:b': LEAF } },
      },
    });
    const nothing = new Story();
    nothing.apply('one', body({ number: null, map: {}, items: [], structs: { s: {} } }));
    t.same(
      nothing.owners,
      { one: { 'f:map': LEAF, 'f:number': LEAF, 'f:structs': { 'f:s': LEAF } } },
      "null and an empty object are somebody's, an empty list is not",
    );
  },
);

t.test('a creation by apply has one entry, with the time', async (t) => {
  const result = new Story().apply('one', body({ number: 1 }));
  t.same(result.managedFields, [
    {
      manager: 'one',
      operation: 'Apply',
      apiVersion: 'test.managed/v1',
      time: TIME_0,
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:number': {} } },
    },
  ]);
  t.match(result.object, { kind: 'Thing', metadata: { name: 'x' }, spec: { number: 1 } });
  t.notOk(result.unchanged);
});

t.test('scalars and what is atomic are replaced, maps and structs merged, sets united', async (t) => {
  const story = new Story({
    spec: {
      text: 'old',
      map: { a: '1', b: '2' },
      nested: { a: 1, b: 'x' },
      set: ['a', 'b'],
      atomicList: ['a'],
      atomicMap: { a: '1' },
      atomicStruct: { x: 'x', y: 1 },
      any: { a: 1, b: { c: 2 } },
    },
  });
  story.apply(
    'one',
    body({
      text: 'new',
      map: { b: '3', c: '4' },
      nested: { b: 'y' },
      set: ['b', 'c'],
      atomicList: ['b'],
      atomicMap: { b: '2' },
      atomicStruct: { x: 'y' },
      any: { b: { d: 3 } },
    }),
    { force: true },
  );
  t.same(story.spec, {
    text: 'new',
    map: { a: '1', b: '3', c: '4' },
    nested: { a: 1, b: 'y' },
    set: ['a', 'b', 'c'],
    atomicList: ['b'],
    atomicMap: { b: '2' },
    atomicStruct: { x: 'y' },
    any: { a: 1, b: { c: 2, d: 3 } },
  });
});

t.test(
  'items come in the order in which they are applied; the others keep their place among them',
  async (t) => {
    const order = (live: string, applied: string): string => {
      const story = new Story({ spec: { set: live.split('') } });
      story.apply('one', body({ set: applied.split('') }));
      return (story.spec.set ?? []).join('');
    };
    t.equal(order('', 'ba'), 'ba');
    t.equal(order('ab', 'c'), 'abc', 'new items follow');
    t.equal(order('ab', 'ba'), 'ba', 'the applied order');
    t.equal(order('abc', 'ca'), 'bca');
    t.equal(order('1a2b3', 'ba'), '12b3a');
    t.equal(order('1a2b3', 'acb'), '1a2cb3');
    t.equal(order('ab', 'cab'), 'cab');
  },
);

t.test('items of a list are merged by their keys, with the default for an absent one', async (t) => {
  const story = new Story({
    spec: {
      items: [{ name: 'a', value: '1', tags: ['x'] }, { name: 'b' }],
      ports: [{ port: 1, protocol: 'TCP', name: 'p' }],
    },
  });
  story.apply(
    'one',
    body({ items: [{ name: 'a', tags: ['y'] }], ports: [{ port: 1 }, { port: 1, protocol: 'UDP' }] }),
  );
  t.same(story.spec.items, [{ name: 'a', value: '1', tags: ['x', 'y'] }, { name: 'b' }]);
  t.same(story.spec.ports, [
    { name: 'p', protocol: 'TCP', port: 1 },
    { protocol: 'UDP', port: 1 },
  ]);
});

t.test(
  'items of a key that stands twice in the object are replaced by the one that is applied',
  async (t) => {
    const story = new Story({
      spec: { items: [{ name: 'a', value: '1' }, { name: 'b' }, { name: 'a', tags: ['x'] }] },
    });
    story.apply('one', body({ items: [{ name: 'a', value: '3' }] }), { force: true });
    t.same(story.spec.items, [{ name: 'a', value: '3' }, { name: 'b' }]);
    const untouched = new Story({
      spec: {
        items: [
          { name: 'a', value: '1' },
          { name: 'a', value: '2' },
        ],
      },
    });
    untouched.apply('one', body({ items: [{ name: 'c' }] }));
    t.same(untouched.spec.items, [{ name: 'a', value: '1' }, { name: 'a', value: '2' }, { name: 'c' }]);
  },
);

t.test('what an applier gives up is gone, unless others own it', async (t) => {
  const story = new Story();
  story.apply(
    'one',
    body({
      number: 1,
      text: 'x',
      map: { a: '1', b: '2' },
      items: [{ name: 'a', value: '1' }],
      set: ['x', 'y'],
    }),
  );
  story.apply('two', body({ number: 1, items: [{ name: 'a', tags: ['t'] }], set: ['y'] }));
  story.apply('one', body({ map: { b: '2' } }));
  t.same(story.spec, {
    number: 1,
    map: { b: '2' },
    nested: {},
    items: [{ name: 'a', tags: ['t'] }],
    set: ['y'],
  });
  t.same(story.owners['one'], { 'f:map': { 'f:b': LEAF } });
});

t.test('an update owns as much as an applier', async (t) => {
  const story = new Story();
  story.apply('one', body({ pointer: { b: 'x' }, map: { a: '1' } }));
  story.update('two', { pointer: { b: 'x', deep: { k: 'v' } }, map: { a: '1', z: '9' } });
  story.apply('one', body({}));
  t.same(story.spec, { pointer: { deep: { k: 'v' } }, map: { z: '9' }, nested: {} });
});

t.test('what is in an item that goes, goes with it, whoever does not own it', async (t) => {
  const start = { spec: { items: [{ name: 'b', value: 'unowned' }] } };
  const story = new Story(start);
  story.apply('one', body({ items: [{ name: 'a', value: '1' }, { name: 'b' }] }));
  story.apply('one', body({ items: [{ name: 'a' }] }));
  t.same(
    story.spec.items,
    [{ name: 'a' }, { name: 'b', value: 'unowned' }],
    "b was there before, and so somebody's",
  );
  const mine = new Story();
  mine.apply('one', body({ structs: { s: { b: 'x' } }, items: [{ name: 'a' }] }));
  mine.update('two', { structs: { s: { b: 'x' } }, items: [{ name: 'a', value: 'defaulted' }] });
  const entries = ((mine.live?.metadata.managedFields ?? []) as ManagedFieldsEntry[]).filter(
    ({ manager }) => manager === 'one',
  );
  mine.live!.metadata.managedFields = entries;
  mine.apply('one', body({ number: 1 }));
  t.same(mine.spec, { number: 1, nested: {} }, 'a value that nobody owns does not keep its item');
});

t.test('an applier that owns nothing any more is forgotten', async (t) => {
  const story = new Story({ spec: { text: 'x' }, metadata: { managedFields: [] } });
  story.apply('one', body({ number: 1 }));
  story.apply('one', body());
  t.same(story.spec, { text: 'x', nested: {} });
  t.same(Object.keys(story.owners), ['before-first-apply:Update']);
});

t.test('another value for what others own is a conflict, with one cause for each field', async (t) => {
  const story = new Story();
  story.update('editor', { number: 1, text: 'x', items: [{ name: 'a', value: '1' }] });
  story.apply('one', body({ map: { k: '1' } }));
  const single = story.refused('two', body({ text: 'y' }));
  t.same(single.toStatus(), {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'Apply failed with 1 conflict: conflict with "editor" using test.managed/v1: .spec.text',
    reason: 'Conflict',
    details: {
      causes: [
        {
          reason: 'FieldManagerConflict',
          message: 'conflict with "editor" using test.managed/v1',
          field: '.spec.text',
        },
      ],
    },
    code: 409,
  });
  const several = story.refused(
    'two',
    body({ number: 2, text: 'y', map: { k: '2' }, items: [{ name: 'a', value: '2' }] }),
  );
  t.equal(
    several.message,
    'Apply failed with 4 conflicts: conflicts with "editor" using test.managed/v1:\n- .spec.number\n- .spec.text\n' +
      '- .spec.items[name="a"].value\nconflicts with "one":\n- .spec.map.k',
    'members of a level before what is below them; an applier without its version',
  );
  t.same(
    several.details?.causes?.map(({ field }) => field),
    ['.spec.number', '.spec.text', '.spec.items[name="a"].value', '.spec.map.k'],
  );
  t.equal(several.details?.causes?.[3]?.message, 'conflict with "one"');
});

t.test('a conflict names the subresource', async (t) => {
  const story = new Story();
  story.apply('one', body({}, { status: { b: 'x' } }), { subresource: 'status' });
  t.same(story.owners, { 'one:status': { 'f:status': { 'f:b': LEAF } } });
  const refused = story.refused('two', body({}, { status: { b: 'y' } }), { subresource: 'status' });
  t.equal(
    refused.message,
    'Apply failed with 1 conflict: conflict with "one" with subresource "status": .status.b',
  );
  story.apply('two', body({ number: 1 }, { status: { b: 'y' } }));
  t.same(story.owners['two'], { 'f:number': LEAF }, 'status is not looked at in a plain apply');
});

t.test('the same value is no conflict: several may own a field', async (t) => {
  const story = new Story();
  story.apply('one', body({ text: 'x', set: ['a'] }));
  story.apply('two', body({ text: 'x', set: ['a', 'b'] }));
  t.same(story.owners, {
    one: { 'f:set': { 'v:"a"': LEAF }, 'f:text': LEAF },
    two: { 'f:set': { 'v:"a"': LEAF, 'v:"b"': LEAF }, 'f:text': LEAF },
  });
  t.equal(story.refused('one', body({ text: 'y' })).code, 409);
});

t.test('force takes over', async (t) => {
  const story = new Story();
  story.update('editor', { number: 1, text: 'x' });
  story.apply('one', body({ text: 'y' }), { force: true });
  t.same(story.spec, { number: 1, text: 'y', nested: {} });
  t.same(story.owners, { one: { 'f:text': LEAF }, 'editor:Update': { 'f:number': LEAF } });
});

t.test('fields that nobody owns are no conflict', async (t) => {
  const story = new Story({ spec: { text: 'x' }, metadata: { managedFields: [] } });
  story.live!.metadata.managedFields = [
    {
      manager: 'a',
      operation: 'Apply',
      apiVersion: 'test.managed/v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:x': {} },
    },
  ];
  story.apply('one', body({ text: 'y' }));
  t.equal(story.spec.text, 'y');
});

t.test('what was there before anything was kept track of belongs to before-first-apply', async (t) => {
  const story = new Story({ spec: { number: 1, text: 'x' } });
  const refused = story.refused('one', body({ number: 2 }));
  t.equal(
    refused.message,
    'Apply failed with 1 conflict: conflict with "before-first-apply" using test.managed/v1: .spec.number',
  );
  story.apply('one', body({ number: 1 }));
  t.same(story.owners, {
    one: { 'f:number': LEAF },
    'before-first-apply:Update': { 'f:number': LEAF, 'f:text': LEAF },
  });
});

t.test('applying what is there already changes nothing, not even the time', async (t) => {
  const story = new Story();
  story.apply('one', body({ number: 1, items: [{ name: 'a' }] }));
  const before = story.live;
  const again = story.later().apply('one', body({ items: [{ name: 'a' }], number: 1 }));
  t.ok(again.unchanged);
  t.equal(again.object, before as object, 'the live object itself');
  t.equal(again.managedFields, before?.metadata.managedFields, 'its entries themselves');
  const joined = story.apply('two', body({ number: 1 }));
  t.notOk(joined.unchanged);
  t.equal(
    joined.managedFields.find(({ manager }) => manager === 'two')?.time,
    undefined,
    'as upstream: no time',
  );
  const left = story.apply('one', body({ items: [{ name: 'a' }] }));
  t.equal(
    left.managedFields.find(({ manager }) => manager === 'one')?.time,
    TIME_0,
    'nothing changed in the object',
  );
  const changed = story.apply('one', body({ items: [{ name: 'b' }] }));
  t.equal(changed.managedFields.find(({ manager }) => manager === 'one')?.time, TIME_1);
});

const messageOf = (applied: unknown, live?: KubeObject) => {
  try {
    fields.apply(live, applied, { manager: 'one', subresource: '', force: false, now: T0 });
  } catch (error) {
    if (error instanceof StatusError) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error('it was applied');
};

t.test('what is no object of the kind is refused', async (t) => {
  const json = 'error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal';
  t.equal(messageOf([]), `400 ${json} array into Go value of type map[string]interface {}`);
  t.equal(messageOf('x'), `400 ${json} string into Go value of type map[string]interface {}`);
  t.equal(messageOf(null), '400 invalid object type: /, Kind=');
  t.equal(messageOf({ kind: 'Thing' }), '400 invalid object type: /, Kind=Thing');
  t.equal(messageOf({ kind: 1, apiVersion: true }), '400 invalid object type: /, Kind=');
  t.equal(messageOf(body({}, { kind: 'Pod' })), '400 invalid object type: test.managed/v1, Kind=Pod');
  t.equal(messageOf(body({}, { apiVersion: 'v1' })), '400 invalid object type: /v1, Kind=Thing');
  t.equal(messageOf(body({}, { apiVersion: 'a/b/c' })), '400 invalid object type: /, Kind=');
  t.equal(messageOf(body({}, { metadata: { managedFields: [] } })), '400 metadata.managedFields must be nil');
});

t.test("what does not fit the schema is refused in upstream's words", async (t) => {
  const typed = (spec: object, more: object = {}) => {
    const text = messageOf(body(spec, more));
    const prefix = '500 failed to create typed patch object (/x; test.managed/v1, Kind=Thing): ';
    t.ok(text.startsWith(prefix), text);
    return text.slice(prefix.length);
  };
  t.equal(typed({}, { speck: 1 }), '.speck: field not declared in schema');
  t.equal(typed({ number: 'x' }), '.spec.number: expected numeric (int or float), got string');
  t.equal(typed({ text: 8080 }), '.spec.text: expected string, got &value.valueUnstructured{Value:8080}');
  t.equal(
    typed({ text: [1, 'a'] }),
    '.spec.text: expected string, got &value.valueUnstructured{Value:[]interface {}{1, "a"}}',
  );
  t.equal(
    typed({ map: { a: 1234567 } }),
    '.spec.map.a: expected string, got &value.valueUnstructured{Value:1.234567e+06}',
  );
  t.equal(typed({ map: 'x' }), '.spec.map: expected map, got &{x}');
  t.equal(
    typed({ nested: [{ b: null, a: true }] }),
    '.spec.nested: expected map, got &{[map[a:true b:<nil>]]}',
  );
  t.equal(typed({ items: { a: 1.5 } }), '.spec.items: expected list, got &{map[a:1.5]}');
  t.equal(
    typed({ atomicList: ['a', 1] }),
    '.spec.atomicList[1]: expected string, got &value.valueUnstructured{Value:1}',
  );
  t.equal(
    typed({ items: [{ name: 'a', bogus: 1 }] }),
    '.spec.items[name="a"].bogus: field not declared in schema',
  );
  t.equal(
    typed({ items: [{ name: 'a' }, { name: 'a' }] }),
    '.spec.items: duplicate entries for key [name="a"]',
  );
  t.equal(
    typed({ ports: [{ port: 1 }, { port: 1, protocol: 'TCP' }] }),
    '.spec.ports: duplicate entries for key [port=1,protocol="TCP"]',
  );
  t.equal(typed({ set: ['a', 'a'] }), '.spec.set: duplicate entries for key [="a"]');
  t.equal(
    typed({ items: [null] }),
    '.spec.items: element 0: associative list with keys may not have a null element',
  );
  t.equal(
    typed({ items: ['a'] }),
    '.spec.items: element 0: associative list with keys may not have non-map elements',
  );
  t.equal(
    typed({ set: [null] }),
    ".spec.set: element 0: associative list without keys has an element that's an explicit null",
  );
  t.equal(
    typed({ set: [{}] }),
    ".spec.set: element 0: associative list without keys has an element that's a map type",
  );
  t.equal(
    typed({ set: [[]] }),
    '.spec.set: element 0: not supported: associative list with lists as elements',
  );
  t.equal(
    typed({ number: 'x', nested: { a: true } }),
    'errors:\n  .spec.number: expected numeric (int or float), got string\n  .spec.nested.a: expected numeric (int or float), got bool',
  );
  t.equal(
    messageOf(body({ number: 'x' } as never, { metadata: { name: 'n', namespace: 's' } })).slice(0, 72),
    '500 failed to create typed patch object (s/n; test.managed/v1, Kind=Thin',
  );
});

t.test(
  'an object that nobody kept track of and whose schema it does not fit is refused as it is',
  async (t) => {
    const live = {
      ...body({ set: [null] as never }),
      metadata: { name: 'x', uid: 'u' },
    } as unknown as KubeObject;
    t.match(
      messageOf(body({ number: 1 }), live),
      /^500 failed to create typed live object \(\/x; test\.managed\/v1, Kind=Thing\): \.spec\.set: element 0: associative list without keys has an element that's an explicit null$/,
    );
  },
);

t.test('one message does not list problems without end', async (t) => {
  const set = Array.from({ length: 50_000 }, () => 1);
  t.ok(messageOf(body({ atomicList: set as never })).length < 200_000);
});

t.test('entries of the live object that cannot be read are told', async (t) => {
  const live = stored({ spec: {}, metadata: { managedFields: [{ manager: 'a' }] } });
  t.equal(
    messageOf(body({}), live),
    '500 failed to decode managed fields: operation must be `Apply` or `Update`',
  );
});

t.test('a list whose items have no keys, of a pod', async (t) => {
  const manager = new FieldManager(pods);
  const applied = (containers: unknown) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers },
  });
  const write = { manager: 'one', subresource: '', force: false, now: T0 };
  const { managedFields } = manager.apply(
    undefined,
    applied([{ image: 'i', ports: [{ containerPort: 80 }] }]),
    write,
  );
  t.same(managedFields[0]?.fieldsV1, {
    'f:spec': {
      'f:containers': {
        'k:{"name":""}': {
          '.': {},
          'f:image': {},
          'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
        },
      },
    },
  });
  t.throws(
    () => manager.apply(undefined, applied([{ name: 'a', resources: { limits: { cpu: [] } } }]), write),
    {
      message:
        'failed to create typed patch object (default/p; /v1, Kind=Pod): .spec.containers[name="a"].resources.limits.cpu: expected any scalar, got &{[]}',
    },
  );
});

const annotated = (text: string, more: object = {}) => ({ annotations: { [LAST_APPLIED]: text, ...more } });

t.test('kubectl takes over from its own apply in the client without a conflict', async (t) => {
  const lastApplied = JSON.stringify(body({ text: 'x', map: { a: '1' } }));
  const story = new Story();
  story.update(
    'kubectl-client-side-apply',
    { text: 'x', map: { a: '1' }, number: 1 },
    annotated(lastApplied),
  );
  const applied = body({ text: 'y', map: { a: '2' } });
  t.equal(story.refused('other', applied).code, 409, 'no other manager does');
  const both = story.refused('kubectl', body({ text: 'y', number: 2 }));
  t.match(
    both.message,
    /^Apply failed with 1 conflict: .*: \.spec\.number$/,
    'what the annotation does not hold is one',
  );
  story.apply('kubectl', applied);
  t.same(story.spec, { text: 'y', map: { a: '2' }, number: 1, nested: {} });
  t.equal(
    story.live?.metadata.annotations?.[LAST_APPLIED],
    '{"apiVersion":"test.managed/v1","kind":"Thing","metadata":{"name":"x"},"spec":{"map":{"a":"2"},"text":"y"}}\n',
    'and the annotation says so, as Go prints it',
  );
  const again = story.apply('kubectl', applied);
  t.ok(again.unchanged);
});

t.test("what the annotation holds and the object does not is not kubectl's", async (t) => {
  const refusedWith = (annotation: string) => {
    const story = new Story();
    story.update('csa', { text: 'x' }, annotated(annotation));
    return story.refused('kubectl', body({ text: 'y' })).message;
  };
  const conflict = 'Apply failed with 1 conflict: conflict with "csa" using test.managed/v1: .spec.text';
  t.equal(refusedWith(JSON.stringify(body({ text: 'z' }))), conflict, 'another value');
  t.equal(refusedWith(JSON.stringify(body({ number: 1 }))), conflict, 'another field');
  t.equal(refusedWith('{'), conflict, 'no JSON');
  t.equal(
    refusedWith(JSON.stringify(body({ text: 'x' }, { apiVersion: 'v1' }))),
    conflict,
    'another version',
  );
  t.equal(refusedWith(JSON.stringify(body({ text: 1 } as never))), conflict, 'another type');
});

t.test(
  'the annotation is kept up only where there is one, without itself, and while there is room',
  async (t) => {
    const story = new Story();
    story.apply('kubectl', body({ text: 'x' }));
    t.equal(story.live?.metadata.annotations, undefined);
    const metadata = { name: 'x', ...annotated('old', { a: '<b>' }) };
    story.apply('kubectl', body({ text: 'x' }, { metadata }));
    t.equal(
      story.live?.metadata.annotations?.[LAST_APPLIED],
      '{"apiVersion":"test.managed/v1","kind":"Thing","metadata":{"annotations":{"a":"\\u003cb\\u003e"},"name":"x"},"spec":{"text":"x"}}\n',
    );
    story.apply('other', body({ number: 1 }));
    t.match(story.live?.metadata.annotations?.[LAST_APPLIED], /"text":"x"/, 'others leave it as it is');
    story.apply('kubectl', body({ text: 'x'.repeat(256 * 1024) }, { metadata }));
    t.same(Object.keys(story.live?.metadata.annotations ?? {}), ['a'], 'it went where it was too large');
  },
);

t.test('an object of another version is applied to, and its entries are those of that version', async (t) => {
  const served = [events, eventsV1];
  const metadata = { name: 'e', namespace: 'default', uid: 'u' };
  const write = { manager: 'one', subresource: '', force: false, now: T0 };
  const newer = new FieldManager(eventsV1, served).apply(
    undefined,
    { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata, note: 'n', reason: 'r' },
    write,
  );
  const live = decoded(
    { metadata: { ...metadata, managedFields: newer.managedFields }, message: 'n', reason: 'r' },
    events,
  );
  const older = new FieldManager(events, served);
  const applied = { apiVersion: 'v1', kind: 'Event', metadata, reason: 'r' };
  t.throws(() => older.apply(live, { ...applied, reason: 's' }, { ...write, manager: 'two' }), {
    message: 'Apply failed with 1 conflict: conflict with "one": .reason',
  });
  const result = older.apply(live, applied, write);
  t.notMatch(result.object, { message: 'n' }, 'what it applied as a note is given up as a message');
  t.same(
    result.managedFields.map(({ apiVersion, fieldsV1 }) => [apiVersion, fieldsV1]),
    [['v1', { 'f:reason': {} }]],
  );
});

t.test('members may be called what every object inherits', async (t) => {
  const map = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>;
  const story = new Story({ spec: { map: { x: '1' } } });
  story.apply('one', body({ map, any: JSON.parse('{"__proto__":{"polluted":1}}') }));
  t.equal(JSON.stringify(story.spec.map), '{"x":"1","__proto__":"a","constructor":"b"}');
  t.equal(({} as Record<string, unknown>)['polluted'], undefined);
  story.apply('one', body({}));
  t.equal(JSON.stringify(story.spec.map), '{"x":"1"}');
});
