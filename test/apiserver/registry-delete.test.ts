/** Rules of deletion: finalizers, grace, propagation, preconditions, namespaces, collections. */
import t from 'tap';
import { StatusError } from '../../apiserver/errors.js';
import type { DeleteOptions, Registry, StoredObject } from '../../apiserver/registry/types.js';
import type { KubeObject, ObjectMeta } from '../../schemas/definition.js';
import { events } from '../../schemas/core/v1/event.js';
import { namespaces } from '../../schemas/core/v1/namespace.js';
import {
  all,
  contextOf,
  demo,
  labelIs,
  nameIsExactly,
  openFixture,
  startOfTime,
  widget,
  widgets,
} from './registry-fixture.js';

async function refusal(call: Promise<unknown>): Promise<StatusError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof StatusError) return error;
  throw new Error(`not refused with a status: ${String(error)}`);
}

const make = (registry: Registry, name: string, metadata: ObjectMeta = {}): Promise<StoredObject> =>
  registry.create(demo, widget(name, { metadata }));

const isGone = async (registry: Registry, name: string): Promise<boolean> =>
  (await registry.get(demo, 'demo', name).catch((error: StatusError) => error.code)) === 404;

/** Gives finalizers to an object by a PUT. */
const finalize = (name: string, finalizers: string[]) => () =>
  widget(name, { spec: { size: 1 }, metadata: { finalizers } });

/** Deleted pods wait for their node, as upstream's do: 30 s unless asked for otherwise. */
const graceful = {
  ...widgets,
  deletionGracePeriod: (object: KubeObject, requested: number | undefined) =>
    (object['spec'] as { tags?: string[] }).tags === undefined ? 0 : (requested ?? 30),
};
const scheduled = { spec: { tags: ['node'] } };

t.test('an object that nothing keeps goes at once', async (t) => {
  const { widgets: registry } = openFixture();
  await make(registry, 'a');
  const { item, removed } = await registry.delete(demo, 'demo', 'a', { gracePeriodSeconds: 30 });
  t.ok(removed);
  t.equal(item.revision, 3);
  t.equal(item.object.metadata.resourceVersion, '3', 'the resourceVersion of the deletion');
  t.notOk('deletionTimestamp' in item.object.metadata);
  t.ok(await isGone(registry, 'a'));
  const error = await refusal(registry.delete(demo, 'demo', 'a'));
  t.equal(error.message, 'widgets.example.com "a" not found');
});

t.test('finalizers keep an object until the last one is removed', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  await make(registry, 'hold', { finalizers: ['example.com/stay', 'example.com/too'] });
  const { item, removed } = await registry.delete(demo, 'demo', 'hold', { gracePeriodSeconds: 30 });
  t.notOk(removed);
  t.match(item.object.metadata, {
    deletionTimestamp: '2026-01-02T03:04:05Z',
    deletionGracePeriodSeconds: 0,
    generation: 2,
    finalizers: ['example.com/stay', 'example.com/too'],
  });
  const before = etcd.revision;
  const again = await registry.delete(demo, 'demo', 'hold');
  t.equal(again.item.revision, item.revision, '#168: nothing changes');
  t.equal(etcd.revision, before);
  const more = await refusal(
    registry.update(demo, 'demo', 'hold', finalize('hold', ['example.com/stay', 'example.com/new'])),
  );
  t.equal(
    more.message,
    'Widget.example.com "hold" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/new"}',
  );
  await registry.update(demo, 'demo', 'hold', finalize('hold', ['example.com/too']));
  t.notOk(await isGone(registry, 'hold'));
  const last = await registry.update(demo, 'demo', 'hold', finalize('hold', []));
  t.match(last.item.object.metadata, {
    deletionTimestamp: '2026-01-02T03:04:05Z',
    deletionGracePeriodSeconds: 0,
  });
  t.notOk('finalizers' in last.item.object.metadata, '#169');
  t.ok(await isGone(registry, 'hold'), '#170');
});

t.test('propagation policies set and clear their finalizers', async (t) => {
  const { widgets: registry } = openFixture();
  const after = async (
    name: string,
    finalizers: string[],
    propagationPolicy: 'Orphan' | 'Foreground' | 'Background',
  ) => {
    await make(registry, name, { finalizers });
    const { item, removed } = await registry.delete(demo, 'demo', name, { propagationPolicy });
    return removed ? 'removed' : item.object.metadata.finalizers;
  };
  t.same(await after('a', [], 'Orphan'), ['orphan'], '#175');
  t.same(await after('b', [], 'Foreground'), ['foregroundDeletion']);
  t.same(await after('c', [], 'Background'), 'removed');
  t.same(await after('d', ['orphan'], 'Background'), 'removed');
  t.same(await after('e', ['orphan', 'example.com/x'], 'Foreground'), [
    'example.com/x',
    'foregroundDeletion',
  ]);
  t.same(await after('f', ['example.com/x'], 'Background'), ['example.com/x']);
});

t.test('orphanDependents is the old way to say it', async (t) => {
  const { widgets: registry } = openFixture();
  await make(registry, 'a');
  const { item } = await registry.delete(demo, 'demo', 'a', { orphanDependents: true });
  t.same(item.object.metadata.finalizers, ['orphan']);
  await make(registry, 'b', { finalizers: ['orphan', 'example.com/x'] });
  const kept = await registry.delete(demo, 'demo', 'b', { orphanDependents: false });
  t.same(kept.item.object.metadata.finalizers, ['example.com/x']);
});

t.test('where a deletion that says nothing leaves the dependents, there is a warning of it', async (t) => {
  const { widgets: registry } = openFixture({}, { ...widgets, orphansByDefault: { warning: 'they stay' } });
  const after = async (name: string, finalizers: string[], options: DeleteOptions) => {
    await make(registry, name, { finalizers });
    const context = contextOf({ namespace: 'demo' });
    const { item, removed } = await registry.delete(context, 'demo', name, options);
    return [removed ? 'removed' : item.object.metadata.finalizers, context.warnings];
  };
  t.same(await after('a', [], {}), [['orphan'], ['they stay']]);
  t.same(await after('b', [], { propagationPolicy: 'Background' }), ['removed', []]);
  t.same(await after('c', [], { propagationPolicy: 'Orphan' }), [['orphan'], []]);
  t.same(await after('d', [], { orphanDependents: false }), ['removed', []]);
  t.same(
    await after('e', ['foregroundDeletion'], {}),
    [['foregroundDeletion'], ['they stay']],
    'what its finalizers say goes before what its kind does',
  );
  await make(registry, 'f');
  await make(registry, 'g');
  const context = contextOf({ namespace: 'demo' });
  await registry.deleteCollection(context, 'demo', all);
  t.same(context.warnings, ['they stay'], 'once for a collection');
  for (const name of ['f', 'g']) {
    t.same((await registry.get(demo, 'demo', name)).object.metadata.finalizers, ['orphan'], name);
  }
});

t.test('a policy may change while the deletion waits', async (t) => {
  const { widgets: registry } = openFixture();
  await make(registry, 'a', { finalizers: ['example.com/x'] });
  const policy = async (propagationPolicy: 'Orphan' | 'Foreground' | 'Background') =>
    (await registry.delete(demo, 'demo', 'a', { propagationPolicy })).item.object.metadata.finalizers;
  t.same(await policy('Foreground'), ['example.com/x', 'foregroundDeletion']);
  t.same(await policy('Orphan'), ['example.com/x', 'orphan']);
  t.same(await policy('Background'), ['example.com/x']);
  const { object } = await registry.get(demo, 'demo', 'a');
  t.equal(object.metadata.generation, 2, 'raised once, by the first');
});

t.test('objects that expire by themselves know no propagation', async (t) => {
  const { widgets: registry } = openFixture({}, events);
  await registry.create(demo, {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name: 'e' },
    involvedObject: { namespace: 'demo' },
  });
  t.ok((await registry.delete(demo, 'demo', 'e', { propagationPolicy: 'Orphan' })).removed);
});

t.test('preconditions', async (t) => {
  const { widgets: registry } = openFixture();
  const { object } = await make(registry, 'a');
  const { uid = '' } = object.metadata;
  t.match((await refusal(registry.delete(demo, 'demo', 'a', { preconditions: { uid: 'x' } }))).toStatus(), {
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on Widget.example.com "a": the UID in the precondition (x) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    details: { name: 'a', group: 'example.com', kind: 'Widget' },
  });
  t.equal(
    (await refusal(registry.delete(demo, 'demo', 'a', { preconditions: { resourceVersion: '1' } }))).message,
    'Operation cannot be fulfilled on Widget.example.com "a": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (2). The object might have been modified',
  );
  t.ok((await registry.delete(demo, 'demo', 'a', { preconditions: { uid, resourceVersion: '2' } })).removed);
});

t.test('a precondition that fails on an old cached object is checked against the store', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  await make(registry, 'a');
  await registry.get(demo, 'demo', 'a');
  etcd.immediate = false;
  const key = '/registry/example.com/widgets/demo/a';
  etcd.write(key, (etcd.valueOf(key) ?? '').replace('"size":1', '"size":2'));
  setTimeout(() => etcd.flush(), 1);
  const { removed, item } = await registry.delete(demo, 'demo', 'a', {
    preconditions: { resourceVersion: '3' },
  });
  t.ok(removed);
  t.same(item.object['spec'], { size: 2 });
});

t.test('grace periods', async (t) => {
  let now = startOfTime;
  const { widgets: registry } = openFixture({ now: () => now }, graceful);
  t.test('#171: a period of 0 marks the object and removes it', async (t) => {
    await make(registry, 'free');
    const { item, removed } = await registry.delete(demo, 'demo', 'free', { gracePeriodSeconds: 5 });
    t.ok(removed);
    t.match(item.object.metadata, {
      generation: 2,
      deletionTimestamp: '2026-01-02T03:04:05Z',
      deletionGracePeriodSeconds: 0,
    });
    t.ok(await isGone(registry, 'free'));
  });
  t.test('a running period may only be shortened', async (t) => {
    await registry.create(demo, widget('busy', scheduled));
    const first = await registry.delete(demo, 'demo', 'busy');
    t.notOk(first.removed);
    t.match(first.item.object.metadata, {
      generation: 2,
      deletionTimestamp: '2026-01-02T03:04:35Z',
      deletionGracePeriodSeconds: 30,
    });
    now += 2000;
    const same = await registry.delete(demo, 'demo', 'busy');
    t.equal(same.item.revision, first.item.revision);
    const longer = await registry.delete(demo, 'demo', 'busy', { gracePeriodSeconds: 60 });
    t.equal(longer.item.revision, first.item.revision);
    const shorter = await registry.delete(demo, 'demo', 'busy', { gracePeriodSeconds: 10 });
    t.match(shorter.item.object.metadata, {
      generation: 2,
      deletionTimestamp: '2026-01-02T03:04:15Z',
      deletionGracePeriodSeconds: 10,
    });
    const forced = await registry.delete(demo, 'demo', 'busy', { gracePeriodSeconds: 0 });
    t.ok(forced.removed);
    t.ok(await isGone(registry, 'busy'));
  });
  t.test('a negative period is the shortest', async (t) => {
    await registry.create(demo, widget('neg', scheduled));
    const { item } = await registry.delete(demo, 'demo', 'neg', { gracePeriodSeconds: -7 });
    t.equal(item.object.metadata.deletionGracePeriodSeconds, 1);
  });
  t.test('a period of more than 292 years comes around, as in Go', async (t) => {
    await registry.create(demo, widget('long', scheduled));
    const { item } = await registry.delete(demo, 'demo', 'long', { gracePeriodSeconds: 2 ** 63 });
    t.equal(item.object.metadata.deletionGracePeriodSeconds, Number.MAX_SAFE_INTEGER);
    t.ok(Date.parse(item.object.metadata.deletionTimestamp ?? '') > 0);
    const shorter = await registry.delete(demo, 'demo', 'long', { gracePeriodSeconds: 2 });
    t.equal(shorter.item.object.metadata.deletionGracePeriodSeconds, 2);
  });
  t.test('no finalizers, but a period: an update does not remove the object', async (t) => {
    await registry.create(demo, widget('slow', scheduled));
    await registry.delete(demo, 'demo', 'slow');
    await registry.update(demo, 'demo', 'slow', (current) => ({
      ...(current as KubeObject),
      spec: { tags: ['x'], size: 2 },
    }));
    t.notOk(await isGone(registry, 'slow'));
  });
  t.test('finalizers outlast the period', async (t) => {
    await registry.create(
      demo,
      widget('both', { ...scheduled, metadata: { finalizers: ['example.com/x'] } }),
    );
    await registry.delete(demo, 'demo', 'both', { gracePeriodSeconds: 0 });
    t.notOk(await isGone(registry, 'both'));
    await registry.update(demo, 'demo', 'both', finalize('both', []));
    t.ok(await isGone(registry, 'both'));
  });
  t.end();
});

t.test('between the mark and the removal another writer', async (t) => {
  t.test('changes the object: it goes all the same', async (t) => {
    const { widgets: registry, etcd } = openFixture({}, graceful);
    await make(registry, 'a');
    const key = '/registry/example.com/widgets/demo/a';
    etcd.beforeTxn = ({ success }) => {
      if (success[0]?.type !== 'delete') return;
      etcd.beforeTxn = undefined;
      etcd.write(key, (etcd.valueOf(key) ?? '').replace('"size":1', '"size":2'));
    };
    const preconditions = { resourceVersion: '2' };
    t.ok((await registry.delete(demo, 'demo', 'a', { preconditions })).removed);
    t.equal(etcd.valueOf(key), undefined);
  });
  t.test('removes it', async (t) => {
    const { widgets: registry, etcd } = openFixture({}, graceful);
    await make(registry, 'a');
    etcd.beforeTxn = ({ success }) => {
      if (success[0]?.type !== 'delete') return;
      etcd.beforeTxn = undefined;
      etcd.write('/registry/example.com/widgets/demo/a', undefined);
    };
    t.ok((await registry.delete(demo, 'demo', 'a')).removed);
  });
  t.end();
});

t.test('a deletion that another writer overtakes starts again from what is there', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  await make(registry, 'a');
  const key = '/registry/example.com/widgets/demo/a';
  etcd.beforeTxn = () => {
    etcd.beforeTxn = undefined;
    etcd.write(key, (etcd.valueOf(key) ?? '').replace('"uid"', '"finalizers":["example.com/x"],"uid"'));
  };
  const { removed, item } = await registry.delete(demo, 'demo', 'a');
  t.notOk(removed);
  t.same(item.object.metadata.finalizers, ['example.com/x']);
});

t.test('namespaces', async (t) => {
  const { widgets: registry, etcd } = openFixture({}, namespaces);
  const context = contextOf();
  const namespace = (): KubeObject => ({
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: { name: 'temp', labels: { team: 'b' } },
  });
  await registry.create(context, namespace());
  const { item, removed } = await registry.delete(context, '', 'temp');
  t.notOk(removed);
  t.match(item.object, {
    metadata: { deletionTimestamp: '2026-01-02T03:04:05Z', labels: { team: 'b' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Terminating' },
  });
  t.notOk('deletionGracePeriodSeconds' in item.object.metadata, '#7');
  const waiting = await registry.delete(context, '', 'temp');
  t.equal(waiting.item.revision, item.revision);
  const touched = await registry.update(context, '', 'temp', namespace);
  t.equal(touched.item.revision, item.revision, 'an update does not remove it while its content is there');
  const finalized = await registry.update(
    context,
    '',
    'temp',
    () => ({ kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'temp' }, spec: {} }),
    { subresource: 'finalize' },
  );
  t.match(finalized.item.object, {
    metadata: { labels: { 'kubernetes.io/metadata.name': 'temp' } },
    status: { phase: 'Terminating' },
  });
  t.same(finalized.item.object['spec'], {}, '#9');
  t.equal(etcd.valueOf('/registry/namespaces/temp'), undefined, '#10');
});

t.test(
  'namespaces have preconditions in words of their own, and take orphanDependents: false for foreground',
  async (t) => {
    const { widgets: registry } = openFixture({}, namespaces);
    const context = contextOf();
    const { object } = await registry.create(context, {
      kind: 'Namespace',
      apiVersion: 'v1',
      metadata: { name: 'n' },
    });
    const remove = (preconditions: { uid?: string; resourceVersion?: string }) =>
      refusal(registry.delete(context, '', 'n', { preconditions }));
    const { uid = '' } = object.metadata;
    t.match((await remove({ uid: 'x' })).toStatus(), {
      code: 409,
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on namespaces "n": Precondition failed: UID in precondition: x, UID in object meta: ${uid}`,
      details: { name: 'n', kind: 'namespaces' },
    });
    t.equal(
      (await remove({ resourceVersion: '1' })).message,
      'Operation cannot be fulfilled on namespaces "n": Precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: 2',
    );
    const { item } = await registry.delete(context, '', 'n', { orphanDependents: false });
    t.same(item.object.metadata.finalizers, ['foregroundDeletion']);
  },
);

t.test('an update of a living namespace without finalizers keeps it', async (t) => {
  const { widgets: registry } = openFixture({}, namespaces);
  const context = contextOf();
  await registry.create(context, { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'n' } });
  const { item } = await registry.update(
    context,
    '',
    'n',
    (current) => ({ ...(current as KubeObject), spec: {} }),
    { subresource: 'finalize' },
  );
  t.same(item.object['spec'], {});
  const first = await registry.delete(context, '', 'n');
  t.notOk(first.removed, 'the first deletion only marks it');
  t.ok((await registry.delete(context, '', 'n')).removed);
});

t.test('collections', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  for (let i = 0; i < 100; i++) await make(registry, `w${i}`, { labels: { odd: String(i % 2) } });
  await make(registry, 'hold', { finalizers: ['example.com/x'], labels: { odd: '1' } });
  const before = etcd.revision;
  const dry = await registry.deleteCollection(
    demo,
    'demo',
    { ...all, labels: labelIs('odd', '1') },
    { dryRun: true },
  );
  t.equal(dry.items.length, 51, '#158');
  t.equal(etcd.revision, before);
  const one = await registry.deleteCollection(demo, 'demo', { ...all, fields: nameIsExactly('w5') });
  t.same(
    one.items.map(({ name }) => name),
    ['w5'],
    '#178',
  );
  t.equal(one.items[0]?.revision, 7, 'as it was');
  const odd = await registry.deleteCollection(demo, 'demo', { ...all, labels: labelIs('odd', '1') });
  t.equal(odd.items.length, 50);
  const left = await registry.list(demo, 'demo', all);
  t.equal(left.items.length, 51);
  t.ok(left.items.find(({ name }) => name === 'hold')?.object.metadata.deletionTimestamp);
});

t.test('a page of a collection', async (t) => {
  const { widgets: registry } = openFixture();
  for (let i = 0; i < 5; i++) await make(registry, `w${i}`);
  const first = await registry.deleteCollection(demo, 'demo', { ...all, limit: 2 });
  t.same(
    first.items.map(({ name }) => name),
    ['w0', 'w1'],
  );
  t.equal(first.remainingItemCount, 3);
  const { continueToken = '' } = first;
  const second = await registry.deleteCollection(demo, 'demo', { ...all, limit: 2, continueToken });
  t.same(
    second.items.map(({ name }) => name),
    ['w2', 'w3'],
  );
  const left = await registry.list(demo, 'demo', all);
  t.same(
    left.items.map(({ name }) => name),
    ['w4'],
  );
});

t.test('a collection goes by a policy, and each pod with its own grace', async (t) => {
  const { widgets: registry } = openFixture({}, graceful);
  await registry.create(demo, widget('bound', scheduled));
  await make(registry, 'free');
  await make(registry, 'held', { finalizers: ['example.com/x'] });
  await registry.deleteCollection(demo, 'demo', all, { propagationPolicy: 'Foreground' });
  const left = await registry.list(demo, 'demo', all);
  t.same(
    left.items.map(({ name, object: { metadata } }) => [
      name,
      metadata.deletionGracePeriodSeconds,
      metadata.finalizers,
    ]),
    [
      ['bound', 30, ['foregroundDeletion']],
      ['free', 0, ['foregroundDeletion']],
      ['held', 0, ['example.com/x', 'foregroundDeletion']],
    ],
  );
});

t.test('what others delete meanwhile does not fail a collection', async (t) => {
  const { widgets: registry, etcd } = openFixture();
  for (let i = 0; i < 3; i++) await make(registry, `w${i}`);
  etcd.beforeTxn = () => {
    etcd.beforeTxn = undefined;
    for (let i = 0; i < 3; i++) etcd.write(`/registry/example.com/widgets/demo/w${i}`, undefined);
  };
  t.equal((await registry.deleteCollection(demo, 'demo', all)).items.length, 3);
});
