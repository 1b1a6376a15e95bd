/** Rules of create, get, update and dry run, with upstream's texts. */
import t from 'tap';
import type { AdmissionAttributes, AdmissionPlugin } from '../../apiserver/admission/plugin.js';
import { forbidden, StatusError } from '../../apiserver/errors.js';
import type { Allocator } from '../../apiserver/registry/allocator.js';
import { createRegistries } from '../../apiserver/registry/index.js';
import { customResourceDefinitions } from '../../schemas/apiextensions/v1/custom-resource-definition.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { EtcdError } from '../../storage/errors.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import { FIELD_ERRORS_MAX } from '../../schemas/field-error.js';
import { events } from '../../schemas/core/v1/event.js';
import { eventsV1 } from '../../schemas/events/v1/event.js';
import { leases } from '../../schemas/coordination/v1/lease.js';
import { namespaces } from '../../schemas/core/v1/namespace.js';
import { FakeEtcd } from './registry-fake-etcd.js';
import { contextOf, demo, openFixture, startOfTime, widget, widgets } from './registry-fixture.js';

async function refusal(call: Promise<unknown>): Promise<StatusError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const bump = (size: number) => (current: KubeObject | undefined) => {
  if (current === undefined) throw new Error('absent');
  return { ...current, spec: { ...(current['spec'] as object), size } };
};

t.test('create fills in what the server gives, and the answer is what is stored', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  const item = await registry.create(
    demo,
    widget('a', { spec: { tags: ['x'] }, metadata: { labels: { b: '1', a: '2' }, annotations: {} } }),
  );
  const { uid } = item.object.metadata;
  t.match(uid, /^[0-9a-f-]{36}$/);
  t.same(item.object, {
    kind: 'Widget',
    apiVersion: 'example.com/v1',
    metadata: {
      name: 'a',
      namespace: 'demo',
      uid,
      resourceVersion: '2',
      generation: 1,
      creationTimestamp: '2026-01-02T03:04:05Z',
      labels: { a: '2', b: '1' },
      managedFields: [
        {
          manager: 'tester',
          operation: 'Update',
          apiVersion: 'example.com/v1',
          time: '2026-01-02T03:04:05Z',
          fieldsType: 'FieldsV1',
          fieldsV1: {
            'f:metadata': { 'f:annotations': {}, 'f:labels': { '.': {}, 'f:a': {}, 'f:b': {} } },
            'f:spec': { '.': {}, 'f:size': {}, 'f:tags': {} },
          },
        },
      ],
    },
    spec: { tags: ['x'], size: 1 },
  });
  t.equal(item.revision, 2);
  t.equal(item.key, 'demo/a');
  t.equal(item.namespace, 'demo');
  t.equal(item.name, 'a');
  const stored = etcd.valueOf('/registry/example.com/widgets/demo/a') ?? '';
  t.notMatch(stored, /resourceVersion/, 'decision 7: the revision is the resourceVersion');
  t.equal(item.json.toString(), stored.replace(`"uid":"${uid}"`, `"uid":"${uid}","resourceVersion":"2"`));
  t.equal(
    `{${item.json.subarray(item.headerLength).toString()}`,
    `{${item.json.toString().slice('{"kind":"Widget","apiVersion":"example.com/v1",'.length)}`,
    'a list item is the object without its kind',
  );
  const got = await registry.get(demo, 'demo', 'a');
  t.same(got.json.toString(), item.json.toString());
});

t.test('create drops what clients may not set', async (t) => {
  const { widgets: registry } = openFixture();
  const item = await registry.create(
    demo,
    widget('a', {
      status: { size: 7 },
      metadata: {
        uid: 'mine',
        generation: 9,
        creationTimestamp: '1999-01-01T00:00:00Z',
        deletionTimestamp: '1999-01-01T00:00:00Z',
        deletionGracePeriodSeconds: 4,
        selfLink: '/x',
        managedFields: [{ manager: 'me' }],
        finalizers: ['example.com/a'],
      },
    }),
  );
  const { metadata } = item.object;
  t.not(metadata.uid, 'mine');
  t.equal(metadata.generation, 1);
  t.equal(metadata.creationTimestamp, '2026-01-02T03:04:05Z');
  t.same(metadata.finalizers, ['example.com/a']);
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink'] as const) {
    t.notOk(field in metadata, field);
  }
  t.match(metadata.managedFields, [{ manager: 'tester' }], 'what cannot be read counts for nothing');
  t.notOk('status' in item.object);
});

t.test('an update may not bring a generateName that a creation may not', async (t) => {
  const { widgets: registry } = openFixture();
  await registry.create(demo, widget('a'));
  const named = (generateName: string) => (current: KubeObject | undefined) => {
    const next = structuredClone(current) as KubeObject;
    next.metadata.generateName = generateName;
    return next;
  };
  const error = await refusal(registry.update(demo, 'demo', 'a', named('A')));
  t.equal(error.code, 422);
  t.match(error.message, 'metadata.generateName: Invalid value: "A": ');
  const { item } = await registry.update(demo, 'demo', 'a', named('a-'));
  t.equal(item.object.metadata.generateName, 'a-');
});

t.test('create refuses', async (t) => {
  const { widgets: registry } = openFixture();
  await registry.create(demo, widget('a'));
  t.test('another namespace than the path', async (t) => {
    const error = await refusal(registry.create(demo, widget('x', { metadata: { namespace: 'other' } })));
    t.equal(error.code, 400);
    t.equal(
      error.message,
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  });
  t.test('a name that is taken', async (t) => {
    const error = await refusal(registry.create(demo, widget('a')));
    t.match(error.toStatus(), {
      code: 409,
      reason: 'AlreadyExists',
      message: 'widgets.example.com "a" already exists',
      details: { name: 'a', group: 'example.com', kind: 'widgets' },
    });
  });
  t.test('a name that is taken by an object on its way out', async (t) => {
    await registry.create(demo, widget('going', { metadata: { finalizers: ['example.com/a'] } }));
    await registry.delete(demo, 'demo', 'going');
    const error = await refusal(registry.create(demo, widget('going')));
    t.equal(error.message, 'object is being deleted: widgets.example.com "going" already exists');
    t.equal(error.reason, 'AlreadyExists');
  });
  t.test('an invalid object, metadata first', async (t) => {
    const error = await refusal(registry.create(demo, widget('Bad', { spec: { size: -1 } })));
    t.match(error.toStatus(), {
      code: 422,
      reason: 'Invalid',
      details: { name: 'Bad', kind: 'Widget', group: 'example.com' },
    });
    t.same(
      error.details?.causes?.map(({ field }) => field),
      ['metadata.name', 'spec.size'],
    );
    t.match(error.message, /^Widget\.example\.com "Bad" is invalid: \[metadata\.name: .*, spec\.size: .*\]$/);
  });
  t.test('a resourceVersion', async (t) => {
    const error = await refusal(registry.create(demo, widget('v', { metadata: { resourceVersion: '3' } })));
    t.equal(error.code, 500);
    t.equal(error.message, 'resourceVersion should not be set on objects to be created');
  });
  t.end();
});

t.test('generateName', async (t) => {
  t.test('appends five characters of the alphabet to at most 58', async (t) => {
    const { widgets: registry } = openFixture();
    const generateName = `${'a'.repeat(60)}-`;
    const item = await registry.create(demo, widget('', { metadata: { generateName } }));
    t.match(item.name, /^a{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    t.equal(item.object.metadata.generateName, generateName);
    t.match(
      item.json.toString(),
      /"metadata":\{"name":"a+.{5}","generateName":"a+-","namespace":"demo","uid":"[^"]+","resourceVersion":"2",/,
    );
  });
  t.test('tries another name when one is taken', async (t) => {
    const suffixes = ['bbbbb', 'bbbbb', 'ccccc'];
    const { widgets: registry } = openFixture({ nameSuffix: () => suffixes.shift() ?? 'none' });
    t.equal((await registry.create(demo, widget('', { metadata: { generateName: 'p-' } }))).name, 'p-bbbbb');
    t.equal((await registry.create(demo, widget('', { metadata: { generateName: 'p-' } }))).name, 'p-ccccc');
  });
  t.test('gives up after eight names', async (t) => {
    let tried = 0;
    const nameSuffix = () => {
      tried += 1;
      return 'bbbbb';
    };
    const { widgets: registry } = openFixture({ nameSuffix });
    const make = () => registry.create(demo, widget('', { metadata: { generateName: 'p-' } }));
    await make();
    tried = 0;
    const error = await refusal(make());
    t.equal(tried, 8);
    t.match(error.toStatus(), {
      code: 409,
      reason: 'AlreadyExists',
      message:
        'widgets.example.com "p-bbbbb" already exists, the server was not able to generate a unique name for the object',
      details: { name: 'p-bbbbb', group: 'example.com', kind: 'widgets', retryAfterSeconds: 1 },
    });
  });
  t.end();
});

t.test('get', async (t) => {
  const { widgets: registry, etcd } = openFixture({ cache: { catchUpMs: 20 } });
  t.match((await refusal(registry.get(demo, 'demo', 'nope'))).toStatus(), {
    code: 404,
    reason: 'NotFound',
    message: 'widgets.example.com "nope" not found',
    details: { name: 'nope', group: 'example.com', kind: 'widgets' },
  });
  await registry.create(demo, widget('a'));
  t.equal((await registry.get(demo, 'demo', 'a', { resourceVersion: 2 })).revision, 2);
  t.match((await refusal(registry.get(demo, 'demo', 'a', { resourceVersion: 9 }))).toStatus(), {
    code: 504,
    message: 'Timeout: Too large resource version: 9, current: 2',
    details: { retryAfterSeconds: 1, causes: [{ reason: 'ResourceVersionTooLarge' }] },
  });
  t.test('an unset resourceVersion sees what others wrote, 0 what is there', async (t) => {
    etcd.immediate = false;
    etcd.write('/registry/example.com/widgets/demo/late', JSON.stringify(widget('late')));
    await refusal(registry.get(demo, 'demo', 'late', { resourceVersion: 0 }));
    const consistent = registry.get(demo, 'demo', 'late');
    setTimeout(() => etcd.flush(), 1);
    t.equal((await consistent).revision, 3);
  });
  t.end();
});

t.test('consistent reads that wait at the same time share rounds', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  await registry.create(demo, widget('a'));
  await registry.get(demo, 'demo', 'a');
  etcd.calls.clear();
  await Promise.all(Array.from({ length: 50 }, () => registry.get(demo, 'demo', 'a')));
  t.ok((etcd.calls.get('currentRevision') ?? 0) <= 2, String(etcd.calls.get('currentRevision')));
});

t.test('a round that the store does not answer keeps no other read waiting', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  await registry.create(demo, widget('a'));
  await registry.get(demo, 'demo', 'a');
  const answers = etcd.currentRevision.bind(etcd);
  etcd.currentRevision = () => new Promise<never>(() => undefined);
  void registry.get(demo, 'demo', 'a');
  await Promise.resolve();
  etcd.currentRevision = answers;
  t.equal((await registry.get(demo, 'demo', 'a')).revision, 2);
});

t.test('a read waits for progress when other resources moved the store on', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  await registry.create(demo, widget('a'));
  await registry.get(demo, 'demo', 'a');
  etcd.write('/registry/other/x', '{}');
  t.equal((await registry.get(demo, 'demo', 'a')).revision, 2);
  t.equal((await registry.list(demo, 'demo', { limit: 0, labels: none, fields: none })).revision, 3);
});

const none = { empty: true, matches: () => true, toString: () => '' };

t.test(
  'errors: an update gathers as many as a body can make, and an answer lists the first of them',
  async (t) => {
    const { widgets: registry } = openFixture({}, configMaps);
    await registry.create(demo, { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } });
    const data = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`!${i}`, '']));
    const change = (current: KubeObject | undefined) => ({ ...(current as KubeObject), data });
    const { code, details } = await refusal(registry.update(demo, 'demo', 'a', change, { dryRun: true }));
    t.equal(code, 422);
    t.equal(details?.causes?.length, FIELD_ERRORS_MAX);
  },
);

t.test('update', async (t) => {
  t.test('writes what changed and raises generation for intent only', async (t) => {
    const { widgets: registry } = openFixture();
    await registry.create(demo, widget('a'));
    const { item, created } = await registry.update(demo, 'demo', 'a', bump(3));
    t.notOk(created);
    t.equal(item.object.metadata.generation, 2);
    t.equal(item.object.metadata.resourceVersion, '3');
    const status = await registry.update(
      demo,
      'demo',
      'a',
      (current) => ({ ...(current as KubeObject), spec: { size: 99 }, status: { size: 3 } }),
      { subresource: 'status' },
    );
    t.equal(status.item.object.metadata.generation, 2);
    t.same(status.item.object['spec'], { size: 3 }, 'a status write ignores spec');
    const main = await registry.update(demo, 'demo', 'a', (current) => ({
      ...(current as KubeObject),
      status: { size: 55 },
      metadata: { ...(current as KubeObject).metadata, labels: { x: 'y' } },
    }));
    t.same(main.item.object['status'], { size: 3 }, 'a main write ignores status');
    t.equal(main.item.object.metadata.generation, 2);
  });
  t.test('generation counts annotations where the definition says so', async (t) => {
    const { widgets: registry } = openFixture({}, { ...widgets, generationCounts: 'annotations' });
    await registry.create(demo, widget('a'));
    const annotate = (annotations: Record<string, string>) => (current: KubeObject | undefined) => ({
      ...(current as KubeObject),
      metadata: { ...(current as KubeObject).metadata, annotations },
    });
    t.equal(
      (await registry.update(demo, 'demo', 'a', annotate({ a: 'b' }))).item.object.metadata.generation,
      2,
    );
    t.equal(
      (await registry.update(demo, 'demo', 'a', annotate({ a: 'b' }))).item.object.metadata.generation,
      2,
    );
  });
  t.test('writes nothing when nothing changed, also when map keys stand in another order', async (t) => {
    const { widgets: registry, etcd } = openFixture();
    await registry.create(demo, widget('a', { metadata: { labels: { a: '1', b: '2' } } }));
    const { item } = await registry.update(demo, 'demo', 'a', () =>
      widget('a', { spec: { size: 1 }, metadata: { labels: { b: '2', a: '1' } } }),
    );
    t.equal(item.revision, 2);
    t.equal(etcd.revision, 2);
  });
  t.test('no change on an old cached object is checked against the store', async (t) => {
    const { widgets: registry, etcd } = openFixture();
    await registry.create(demo, widget('a', { spec: { size: 1 } }));
    await registry.get(demo, 'demo', 'a');
    etcd.immediate = false;
    const key = '/registry/example.com/widgets/demo/a';
    etcd.write(key, (etcd.valueOf(key) ?? '').replace('"size":1', '"size":2'));
    const done = registry.update(demo, 'demo', 'a', () => widget('a', { spec: { size: 1 } }));
    setTimeout(() => etcd.flush(), 1);
    const { item } = await done;
    t.same(item.object['spec'], { size: 1 });
    t.equal(item.revision, 4, 'it had to be written over the other writer');
  });
  t.test('demands of resourceVersion and uid', async (t) => {
    const { widgets: registry } = openFixture();
    const first = await registry.create(demo, widget('a'));
    const put = contextOf({ namespace: 'demo', verb: 'update' });
    const body = (metadata: object) => () => widget('a', { spec: { size: 5 }, metadata });
    t.match((await refusal(registry.update(put, 'demo', 'a', body({ resourceVersion: '1' })))).toStatus(), {
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on widgets.example.com "a": the object has been modified; please apply your changes to the latest version and try again',
    });
    const uid = await refusal(registry.update(put, 'demo', 'a', body({ uid: 'other' })));
    t.equal(uid.code, 409);
    t.equal(
      uid.message,
      `Operation cannot be fulfilled on widgets.example.com "a": StorageError: invalid object, Code: 4, Key: /registry/example.com/widgets/demo/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object meta: ${first.object.metadata.uid}`,
    );
    const patch = contextOf({ namespace: 'demo', verb: 'patch' });
    const changed = await refusal(registry.update(patch, 'demo', 'a', body({ uid: 'other' })));
    t.equal(changed.code, 422);
    t.match(changed.message, 'metadata.uid: Invalid value: "other": field is immutable');
    t.equal(
      (await refusal(registry.update(put, 'demo', 'a', body({ resourceVersion: 'x' })))).message,
      'strconv.ParseUint: parsing "x": invalid syntax',
    );
    t.equal((await registry.update(put, 'demo', 'a', body({ resourceVersion: '2' }))).item.revision, 3);
    t.equal(
      (await registry.update(put, 'demo', 'a', body({ resourceVersion: '0' }))).item.revision,
      3,
      'unconditional',
    );
  });
  t.test('an absent object', async (t) => {
    const { widgets: registry } = openFixture();
    const gone = await refusal(registry.update(demo, 'demo', 'a', () => widget('a')));
    t.equal(gone.message, 'widgets.example.com "a" not found');
    const other = await refusal(
      registry.update(demo, 'demo', 'a', () => widget('a'), { preconditions: { uid: 'u1' } }),
    );
    t.equal(other.code, 409);
    t.match(other.message, /Precondition failed: UID in precondition: u1, UID in object meta: $/);
    const { item, created } = await registry.update(demo, 'demo', 'a', () => widget('a'), {
      allowCreate: true,
    });
    t.ok(created);
    t.equal(item.object.metadata.generation, 1);
  });
  t.test('the name on the URL', async (t) => {
    const { widgets: registry } = openFixture();
    await registry.create(demo, widget('a'));
    const named = (name: string) => refusal(registry.update(demo, 'demo', 'a', () => widget(name)));
    t.equal((await named('b')).message, 'the name of the object (b) does not match the name on the URL (a)');
    t.equal(
      (await named('')).message,
      'the name of the object (a based on URL) was undeterminable: name must be provided',
    );
  });
  t.test('#78: a resource that does not allow unconditional updates', async (t) => {
    const { widgets: registry } = openFixture({}, leases);
    const lease = (metadata: object = {}): KubeObject => ({
      kind: 'Lease',
      apiVersion: 'coordination.k8s.io/v1',
      metadata: { name: 'lock', ...metadata },
    });
    await registry.create(demo, lease());
    const error = await refusal(registry.update(demo, 'demo', 'lock', () => lease()));
    t.match(error.toStatus(), {
      code: 422,
      reason: 'Invalid',
      message:
        'leases.coordination.k8s.io "lock" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
      details: {
        name: 'lock',
        group: 'coordination.k8s.io',
        kind: 'leases',
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: 'Invalid value: 0: must be specified for an update',
            field: 'metadata.resourceVersion',
          },
        ],
      },
    });
  });
  t.test('what the server set stays', async (t) => {
    const { widgets: registry } = openFixture();
    const { object } = await registry.create(demo, widget('a'));
    const { item } = await registry.update(demo, 'demo', 'a', () =>
      widget('a', {
        spec: { size: 2 },
        metadata: { creationTimestamp: null, generation: 77, selfLink: 'x', managedFields: [1] },
      }),
    );
    const { metadata } = item.object;
    t.equal(metadata.uid, object.metadata.uid);
    t.equal(metadata.creationTimestamp, object.metadata.creationTimestamp);
    t.equal(metadata.generation, 2);
    t.notOk('managedFields' in metadata);
  });
  t.test('a finalizer that is no name', async (t) => {
    const { widgets: registry } = openFixture();
    await registry.create(demo, widget('a'));
    const error = await refusal(
      registry.update(demo, 'demo', 'a', () => widget('a', { metadata: { finalizers: ['no good'] } })),
    );
    t.equal(error.code, 422);
    t.same(
      error.details?.causes?.map(({ field }) => field),
      ['metadata.finalizers'],
    );
  });
  t.test('an error found on an old cached object is checked against the store', async (t) => {
    const { widgets: registry, etcd } = openFixture();
    await registry.create(demo, widget('a', { spec: { size: 1 } }));
    await registry.get(demo, 'demo', 'a');
    etcd.immediate = false;
    const key = '/registry/example.com/widgets/demo/a';
    etcd.write(key, (etcd.valueOf(key) ?? '').replace('"size":1', '"size":2'));
    const done = registry.update(demo, 'demo', 'a', () =>
      widget('a', { spec: { size: 4 }, metadata: { resourceVersion: '3' } }),
    );
    setTimeout(() => etcd.flush(), 1);
    t.equal((await done).item.revision, 4);
  });
  t.test('a subresource that only replaces a part is stored as it is', async (t) => {
    const { widgets: registry } = openFixture();
    await registry.create(demo, widget('a'));
    const { item } = await registry.update(demo, 'demo', 'a', bump(-7), { subresource: 'binding' });
    t.same(item.object['spec'], { size: -7 });
    t.equal(item.object.metadata.generation, 1);
  });
  t.end();
});

t.test('dry run changes nothing', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  const dryRun = { dryRun: true };
  const item = await registry.create(demo, widget('dry'), dryRun);
  t.notOk('resourceVersion' in item.object.metadata, '#156');
  t.equal(item.object.metadata.generation, 1);
  t.equal(etcd.revision, 1);
  await registry.create(demo, widget('a'));
  t.equal((await refusal(registry.create(demo, widget('a'), dryRun))).reason, 'AlreadyExists');
  t.equal((await refusal(registry.create(demo, widget('B'), dryRun))).code, 422);
  const updated = await registry.update(demo, 'demo', 'a', bump(9), dryRun);
  t.same(updated.item.object['spec'], { size: 9 });
  t.equal(updated.item.object.metadata.resourceVersion, '2', '#157');
  const deleted = await registry.delete(demo, 'demo', 'a', dryRun);
  t.ok(deleted.removed);
  t.equal(etcd.revision, 2);
});

t.test('update retries under contention lose nothing', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  await registry.create(demo, widget('a', { spec: { size: 0 } }));
  etcd.beforeTxn = () => new Promise((resolve) => setImmediate(resolve));
  const add = (current: KubeObject | undefined) => {
    const { size = 0 } = (current?.['spec'] ?? {}) as { size?: number };
    return { ...(current as KubeObject), spec: { size: size + 1 } };
  };
  await Promise.all(Array.from({ length: 40 }, () => registry.update(demo, 'demo', 'a', add)));
  const { object } = await registry.get(demo, 'demo', 'a');
  t.same(object['spec'], { size: 40 });
  t.equal(object.metadata.generation, 41);
});

t.test('a write of which the store does not say whether it was done is not tried again', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  for (const name of ['a', 'b']) await registry.create(demo, widget(name));
  // Done, and then the answer was lost, as with a leader that is killed.
  const txn = etcd.txn.bind(etcd);
  etcd.txn = async (request) => {
    await txn(request);
    throw EtcdError.of('Timeout');
  };
  const { object } = await registry.get(demo, 'demo', 'a');
  etcd.calls.clear();
  const update = registry.update(demo, 'demo', 'a', () => ({ ...object, spec: { size: 7 } }));
  t.match(await refusal(update), { code: 504 }, 'no conflict with itself');
  t.match(
    await refusal(registry.delete(demo, 'demo', 'b', {})),
    { code: 504 },
    'it did not miss what it removed',
  );
  t.equal(etcd.calls.get('txn'), 2);
  t.equal(etcd.calls.get('range'), undefined);
});

t.test('a write is in the cache before its answer, also where events come late', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  await registry.get(demo, 'demo', 'x').catch(() => undefined);
  etcd.immediate = false;
  const creating = registry.create(demo, widget('a'));
  setTimeout(() => etcd.flush(), 1);
  await creating;
  t.equal((await registry.get(demo, 'demo', 'a', { resourceVersion: 0 })).revision, 2);
});

t.test('admission runs after defaults and around validation, with what each operation has', async (t) => {
  const seen: string[] = [];
  const note = (phase: string, { operation, object, old, subresource, name }: AdmissionAttributes) => {
    const size = (of: KubeObject | undefined) =>
      JSON.stringify((of?.['spec'] as { size?: number } | undefined)?.size);
    seen.push(
      `${phase} ${operation} ${name}${subresource && `/${subresource}`} ${size(object)} ${size(old)}`,
    );
  };
  const plugin: AdmissionPlugin = {
    name: 'test',
    handles: ({ definition }) => definition.plural === 'widgets',
    admit: (attributes) => note('admit', attributes),
    validate: async (attributes) => {
      note('validate', attributes);
      await Promise.resolve();
      const { object } = attributes;
      const { size } = (object?.['spec'] ?? {}) as { size?: number };
      if (size === 13) throw forbidden({ group: '', name: 'widgets' }, attributes.name, 'bad luck');
    },
  };
  const { widgets: registry } = openFixture({ admission: [plugin] });
  await registry.create(demo, widget('a'));
  await registry.update(demo, 'demo', 'a', bump(2));
  t.equal(
    (await refusal(registry.update(demo, 'demo', 'a', bump(13)))).message,
    'widgets "a" is forbidden: bad luck',
  );
  await registry.delete(demo, 'demo', 'a');
  t.same(seen, [
    'admit CREATE a 1 undefined',
    'validate CREATE a 1 undefined',
    'admit UPDATE a 2 1',
    'validate UPDATE a 2 1',
    'admit UPDATE a 13 2',
    'validate UPDATE a 13 2',
    'admit DELETE a undefined 2',
    'validate DELETE a undefined 2',
  ]);
});

t.test('an allocator joins the write, is asked again when its value was taken, and gives back', async (t) => {
  const slot = (n: number) => `/slots/${n}`;
  let next = 1;
  const allocator: Allocator = {
    allocate(object) {
      const spec = (object['spec'] ??= {}) as { slot?: number };
      if (spec.slot !== undefined) return Promise.resolve({ compare: [], success: [] });
      const n = (spec.slot = next++);
      const key = Buffer.from(slot(n));
      return Promise.resolve({
        compare: [{ key, target: 'mod', result: 'equal', modRevision: 0 }],
        success: [{ type: 'put', key, value: Buffer.from('x') }],
      });
    },
    release(object) {
      const { slot: n = 0 } = (object['spec'] ?? {}) as { slot?: number };
      return { compare: [], success: [{ type: 'delete', key: Buffer.from(slot(n)) }] };
    },
  };
  const { widgets: registry, etcd } = openFixture({
    allocators: new Map([['example.com/widgets', allocator]]),
  });
  etcd.write(slot(1), 'taken');
  const { object } = await registry.create(demo, widget('a'));
  t.match(object['spec'], { slot: 2 });
  t.equal(etcd.valueOf(slot(2)), 'x');
  t.equal(
    (await refusal(registry.create(demo, widget('a')))).reason,
    'AlreadyExists',
    'not mistaken for a taken value',
  );
  await registry.delete(demo, 'demo', 'a');
  t.equal(etcd.valueOf(slot(2)), undefined);
});

t.test('objects with a time to live share leases', async (t) => {
  let now = startOfTime;
  const { widgets: registry, etcd } = openFixture({ now: () => now }, events);
  const event = (name: string): KubeObject => ({
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name },
    involvedObject: { namespace: 'demo' },
  });
  await registry.create(demo, event('e1'));
  await registry.create(demo, event('e2'));
  t.same([...etcd.leases.values()], [3660]);
  now += 61_000;
  await registry.create(demo, event('e3'));
  t.equal(etcd.leases.size, 2);
  t.not(etcd.kvOf('/registry/events/demo/e3')?.lease, etcd.kvOf('/registry/events/demo/e1')?.lease);
  t.equal(etcd.kvOf('/registry/events/demo/e2')?.lease, etcd.kvOf('/registry/events/demo/e1')?.lease);
  etcd.leases.clear();
  await registry.create(demo, event('e4'));
  t.equal(etcd.leases.size, 1, 'a lease that the store lost is replaced');
});

t.test('#22: one object in two groups', async (t) => {
  const { registries, widgets: core, etcd } = openFixture({}, events);
  const newer = registries.register(eventsV1);
  await core.create(demo, {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name: 'ev1', namespace: 'demo' },
    involvedObject: { kind: 'Pod', namespace: 'demo', name: 'p' },
    reason: 'Started',
    message: 'it started',
    type: 'Normal',
  });
  const shown = await newer.get(demo, 'demo', 'ev1');
  t.match(shown.object, {
    kind: 'Event',
    apiVersion: 'events.k8s.io/v1',
    metadata: { name: 'ev1', resourceVersion: '2' },
    regarding: { kind: 'Pod', name: 'p' },
    note: 'it started',
  });
  t.match(
    shown.json.toString(),
    /^\{"kind":"Event","apiVersion":"events\.k8s\.io\/v1","metadata":\{"name":"ev1",/,
  );
  const label = (current: KubeObject | undefined): KubeObject => ({
    ...(current as KubeObject),
    metadata: { ...(current as KubeObject).metadata, labels: { a: 'b' } },
  });
  const { item } = await newer.update(demo, 'demo', 'ev1', label);
  t.match(item.object, {
    apiVersion: 'events.k8s.io/v1',
    note: 'it started',
    metadata: { labels: { a: 'b' } },
  });
  t.equal(
    (await newer.update(demo, 'demo', 'ev1', label)).item.revision,
    item.revision,
    'no change, no write',
  );
  const stored = JSON.parse(etcd.valueOf('/registry/events/demo/ev1') ?? '') as KubeObject;
  t.match(stored, { apiVersion: 'v1', message: 'it started', metadata: { labels: { a: 'b' } } });
  t.match((await core.get(demo, 'demo', 'ev1')).object, {
    apiVersion: 'v1',
    metadata: { labels: { a: 'b' } },
  });
  const refused = await refusal(
    newer.create(demo, {
      kind: 'Event',
      apiVersion: 'events.k8s.io/v1',
      metadata: { name: 'x' },
      type: 'Normal',
    }),
  );
  t.match(refused.message, 'eventTime: Required value', 'rules of create alone');
});

t.test('values that others wrote are read', async (t) => {
  const {
    widgets: registry,
    etcd,
    errors,
  } = openFixture({
    decodeValue: (value) => (value[0] === 0x6b ? widget('from-protobuf', { spec: { size: 8 } }) : undefined),
  });
  const prefix = '/registry/example.com/widgets/demo/';
  etcd.write(
    `${prefix}a`,
    `${JSON.stringify({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { uid: 'u', name: 'a' }, spec: {} })}\n`,
  );
  etcd.write(`${prefix}b`, 'k8s\0...');
  etcd.write(`${prefix}c`, 'not json');
  etcd.write(
    `${prefix}d`,
    `{"kind":"Widget","apiVersion":"example.com/v1","metadata":{"name":"d","uid":"a\\"b\\\\"},"spec":{"size":1}}\n`,
  );
  const { items } = await registry.list(demo, 'demo', { limit: 0, labels: none, fields: none });
  t.same(
    items.map(({ json }) => json.toString()),
    [
      '{"kind":"Widget","apiVersion":"example.com/v1","metadata":{"name":"a","namespace":"demo","uid":"u","resourceVersion":"2"},"spec":{}}',
      '{"kind":"Widget","apiVersion":"example.com/v1","metadata":{"name":"b","namespace":"demo","resourceVersion":"3"},"spec":{"size":8}}',
      '{"kind":"Widget","apiVersion":"example.com/v1","metadata":{"name":"d","uid":"a\\"b\\\\","resourceVersion":"5"},"spec":{"size":1}}',
    ],
  );
  t.equal(errors.length, 1);
  t.match(errors[0], /the value of \/registry\/example\.com\/widgets\/demo\/c is not an object/);
});

t.test('definitions are read as kube-apiserver keeps them, in v1beta1', async (t) => {
  const etcd = new FakeEtcd();
  const registries = createRegistries({
    client: etcd,
    definitions: [customResourceDefinitions],
    admission: [],
  });
  t.teardown(() => registries.close());
  const names = { plural: 'tabs', singular: 'tab', kind: 'Tab', listKind: 'TabList' };
  const schema = { openAPIV3Schema: { type: 'object' } };
  const clientConfig = { url: 'https://example.com' };
  const column = { name: 'Size', type: 'integer' };
  const write = (name: string, spec: object) => {
    const header = { kind: 'CustomResourceDefinition', apiVersion: 'apiextensions.k8s.io/v1beta1' };
    const value = { ...header, metadata: { name, uid: 'u' }, spec, status: { storedVersions: ['v1'] } };
    etcd.write(`/registry/apiextensions.k8s.io/customresourcedefinitions/${name}`, JSON.stringify(value));
  };
  write('a', {
    group: 'a.example',
    version: 'v2',
    names,
    scope: 'Cluster',
    validation: schema,
    subresources: { status: {} },
    additionalPrinterColumns: [{ ...column, JSONPath: '.size' }],
    selectableFields: [{ jsonPath: '.size' }],
    versions: [
      { name: 'v2', served: true, storage: false },
      { name: 'v1', served: true, storage: true, deprecated: true, deprecationWarning: 'use v2' },
    ],
    conversion: { strategy: 'Webhook', webhookClientConfig: clientConfig, conversionReviewVersions: ['v1'] },
    preserveUnknownFields: false,
  });
  write('b', { group: 'a.example', version: 'v1', names, conversion: { strategy: 'None' } });
  const registry = registries.table.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
  const read = async (name: string) => (await registry?.get(demo, '', name))?.object;

  const shared = {
    schema,
    subresources: { status: {} },
    additionalPrinterColumns: [{ ...column, jsonPath: '.size' }],
    selectableFields: [{ jsonPath: '.size' }],
  };
  t.same(await read('a'), {
    kind: 'CustomResourceDefinition',
    apiVersion: 'apiextensions.k8s.io/v1',
    metadata: { name: 'a', uid: 'u', resourceVersion: '2' },
    spec: {
      group: 'a.example',
      names,
      scope: 'Cluster',
      versions: [
        { name: 'v2', served: true, storage: false, ...shared },
        {
          name: 'v1',
          served: true,
          storage: true,
          deprecated: true,
          deprecationWarning: 'use v2',
          ...shared,
        },
      ],
      conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } },
    },
    status: { storedVersions: ['v1'] },
  });
  t.same((await read('b'))?.['spec'], {
    group: 'a.example',
    names,
    versions: [{ name: 'v1', served: true, storage: true }],
    conversion: { strategy: 'None' },
  });
});

t.test('a field called __proto__ is a field', async (t) => {
  const { widgets: registry } = openFixture();
  const spec = JSON.parse('{"notes":{"__proto__":"x"},"size":1}') as object;
  const item = await registry.create(demo, widget('a', { spec }));
  t.match(item.json.toString(), '"notes":{"__proto__":"x"}');
  const { item: same } = await registry.update(demo, 'demo', 'a', () =>
    widget('a', { spec: JSON.parse('{"size":1,"notes":{"__proto__":"x"}}') as object }),
  );
  t.equal(same.revision, item.revision);
});

t.test('cluster-scoped objects have no namespace', async (t) => {
  const { widgets: registry, etcd } = openFixture({}, namespaces);
  const item = await registry.create(contextOf(), {
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: { name: 'temp', namespace: 'odd' },
  });
  t.equal(item.key, 'temp');
  t.equal(item.namespace, '');
  t.notOk('namespace' in item.object.metadata);
  t.ok(etcd.valueOf('/registry/namespaces/temp'));
});

t.test('the table changes at run time', async (t) => {
  const { registries, widgets: registry } = openFixture();
  let changes = 0;
  const stop = registries.table.onChange(() => {
    changes += 1;
  });
  const added = registries.register(configMaps);
  t.equal(registries.table.find('', 'v1', 'configmaps'), added);
  t.equal(registries.table.findKind('', 'ConfigMap'), added);
  t.same(
    registries.table.all().map(({ definition }) => definition.plural),
    ['widgets', 'configmaps'],
  );
  const replaced = registries.register(widgets);
  t.not(replaced, registry);
  t.equal(registries.table.all()[0], replaced, 'in its place');
  registries.unregister(configMaps);
  t.equal(registries.table.find('', 'v1', 'configmaps'), undefined);
  t.equal(changes, 3);
  stop();
  registries.register(configMaps);
  t.equal(changes, 3);
});

t.test('kinds that are never stored only answer', async (t) => {
  const names = { plural: 'reviews', kind: 'Review', namespaced: false };
  const reviews: ResourceDefinition = { ...widgets, ...names, verbs: ['create'], virtual: true };
  const answers = new Map([
    ['example.com/reviews', (_: unknown, object: KubeObject) => ({ ...object, status: { allowed: true } })],
  ]);
  const { widgets: registry, etcd } = openFixture({ answers }, reviews);
  const item = await registry.create(contextOf(), {
    kind: 'Review',
    apiVersion: 'example.com/v1',
    metadata: {},
    spec: { size: 1 },
  });
  const { metadata, ...rest } = item.object;
  t.same(rest, {
    kind: 'Review',
    apiVersion: 'example.com/v1',
    spec: { size: 1 },
    status: { allowed: true },
  });
  t.match(metadata, { managedFields: [{ manager: 'tester', operation: 'Update' }] });
  t.same(Object.keys(metadata), ['managedFields']);
  t.equal(etcd.revision, 1);
  t.equal((await refusal(registry.get(contextOf(), '', 'x'))).code, 405);
});
