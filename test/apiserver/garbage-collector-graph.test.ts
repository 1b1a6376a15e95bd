/** The parts of the garbage collector by themselves: what is read of an object, the graph, and the absent owners. */
import t from 'tap';
import {
  ABSENT_OWNERS_MAX,
  AbsentOwners,
} from '../../apiserver/controllers/garbage-collector/absent-owners.js';
import { Graph } from '../../apiserver/controllers/garbage-collector/graph.js';
import { type SeenObject, seen } from '../../apiserver/controllers/garbage-collector/metadata.js';
import type { Followed, Node } from '../../apiserver/controllers/garbage-collector/node.js';
import type { Registry } from '../../apiserver/registry/types.js';
import type { KubeObject, ObjectMeta, OwnerReference } from '../../schemas/definition.js';
import { demo, openFixture, widget } from './registry-fixture.js';

const reference = (uid: string, more: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  name: uid,
  uid,
  ...more,
});

t.test('what is read of an object is what its metadata says, whatever else it holds', async (t) => {
  const { widgets } = openFixture();
  const tricky = '"ownerReferences":[{"uid":"no"}],"deletionTimestamp":"no"}}{\\';
  const read = async (name: string, metadata: ObjectMeta, more: Partial<KubeObject> = {}) =>
    seen(await widgets.create(demo, widget(name, { ...more, metadata })));
  const spec = { notes: { '"metadata":{': tricky, '}': '{' }, tags: ['"ownerReferences":['] };
  const annotated = await read('annotated', { annotations: { a: tricky, b: '\\"' } }, { spec });
  t.match(annotated, { name: 'annotated', namespace: 'demo', owners: [], deleting: false });
  const { object } = await widgets.get(demo, 'demo', 'annotated');
  t.equal(annotated.uid, object.metadata.uid);
  const owners = [reference('u', { blockOwnerDeletion: true })];
  const finalizers = ['foregroundDeletion'];
  const owned = await read('owned', { annotations: { a: tricky }, ownerReferences: owners, finalizers });
  t.match(owned, { owners, finalizers, deleting: false, foreground: false });
  const marked = seen((await widgets.delete(demo, 'demo', 'owned')).item);
  t.match(marked, { owners, deleting: true, foreground: true, orphans: false });
});

t.test('an object that was stored without a uid has none, though its owner has one', (t) => {
  const json = Buffer.from(
    '{"kind":"W","apiVersion":"v1","metadata":{"name":"n","resourceVersion":"7","ownerReferences":[{"uid":"o"}]}}',
  );
  const item = { json, headerLength: json.indexOf('"metadata"'), namespace: '', name: 'n' };
  t.match(seen(item as never), { uid: '', owners: [{ uid: 'o' }] });
  const plain = Buffer.from('{"kind":"W","apiVersion":"v1","metadata":{"name":"n","labels":{"a":"}"}}}');
  t.equal(seen({ ...item, json: plain } as never).uid, '');
  t.end();
});

/** A graph of widgets that collects what it asks to be looked at. */
function openGraph() {
  const work: Node[] = [];
  const graph = new Graph({
    isNamespaced: () => true,
    onWork: (node) => work.push(node),
    onGone: () => undefined,
  });
  const widgets: Followed = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    registry: {} as Registry,
    epoch: 1,
  };
  const object = (
    uid: string,
    owners: OwnerReference[] = [],
    more: Partial<SeenObject> = {},
  ): SeenObject => ({
    uid,
    namespace: 'demo',
    name: uid,
    owners,
    finalizers: [],
    deleting: false,
    foreground: false,
    orphans: false,
    ...more,
  });
  return {
    graph,
    widgets,
    observe: (uid: string, owners: OwnerReference[] = [], more: Partial<SeenObject> = {}) =>
      graph.observe(widgets, object(uid, owners, more)),
    /** Uids of what is to be looked at since the last call. */
    asked: () => work.splice(0).map(({ uid }) => uid),
  };
}

t.test('the graph holds who owns or is owned, and nothing that is neither any more', (t) => {
  const { graph, observe } = openGraph();
  for (let i = 0; i < 1000; i++) observe(`alone-${i}`);
  t.equal(graph.size, 0);
  for (let i = 0; i < 1000; i++) observe(`child-${i}`, [reference('owner')]);
  t.equal(graph.size, 1001);
  for (let i = 0; i < 500; i++) observe(`child-${i}`);
  t.equal(graph.size, 501, 'those that are free now are gone');
  for (let i = 500; i < 1000; i++) graph.remove(`child-${i}`);
  t.equal(graph.size, 0, 'and who owns nobody with them');
  observe('waiting', [], { deleting: true, foreground: true });
  t.equal(graph.size, 1);
  graph.remove('waiting');
  t.equal(graph.size, 0);
  t.end();
});

t.test('an owner that nobody has seen is asked for once, its dependents when it has gone', (t) => {
  const { graph, observe, asked } = openGraph();
  observe('a', [reference('owner')]);
  observe('b', [reference('owner')]);
  t.same(asked(), ['owner']);
  observe('owner');
  t.same(asked(), [], 'it is there, as they say');
  observe('a', [reference('owner')]);
  t.same(asked(), [], 'nothing new');
  graph.remove('owner');
  t.same(asked(), ['a', 'b']);
  observe('a', [reference('owner')]);
  t.same(asked(), [], 'what has been looked at is not asked for again');
  observe('c', [reference('owner')]);
  t.same(asked(), ['owner'], 'a new one is');
  t.end();
});

t.test('dependents that name their owner wrongly are looked at by themselves', (t) => {
  const { observe, asked } = openGraph();
  observe('first', [reference('owner', { name: 'wrong' })]);
  t.same(asked(), ['owner']);
  observe('second', [reference('owner')]);
  t.same(asked(), ['second']);
  observe('owner');
  t.same(asked(), ['first']);
  observe('elsewhere', [reference('owner')], { namespace: 'other' });
  t.same(asked(), ['elsewhere']);
  t.end();
});

t.test('who blocks an owner is counted, however it says so', (t) => {
  const { graph, observe, asked } = openGraph();
  const blocking = { blockOwnerDeletion: true };
  observe('a', [reference('owner', blocking)]);
  observe('b', [reference('owner', blocking), reference('owner', { name: 'x' })]);
  observe('owner', [], { deleting: true, foreground: true });
  const owner = graph.get('owner');
  t.equal(owner?.blocking, 2);
  asked();
  observe('a', [reference('owner')]);
  t.same(asked(), []);
  t.equal(owner?.blocking, 1);
  observe('c', [reference('owner', blocking)]);
  t.same(asked(), ['c'], 'who comes late is told, too');
  graph.remove('b');
  observe('c', [reference('owner', { blockOwnerDeletion: false })]);
  t.same(asked(), ['owner']);
  t.equal(owner?.blocking, 0);
  t.end();
});

t.test('after a new watch, what it did not tell of is asked for', (t) => {
  const { graph, widgets, observe, asked } = openGraph();
  observe('owner');
  observe('a', [reference('owner')]);
  observe('owner');
  observe('b', [reference('owner')]);
  asked();
  widgets.epoch += 1;
  observe('b', [reference('owner')]);
  graph.recheck(widgets);
  t.same(asked().sort(), ['a', 'owner']);
  graph.remove('owner');
  t.same(asked().sort(), ['a', 'b']);
  t.end();
});

t.test('objects of a resource that is no longer served are forgotten', (t) => {
  const { graph, widgets, observe, asked } = openGraph();
  observe('owner');
  observe('a', [reference('owner')]);
  observe('owner');
  observe('waiting', [], { deleting: true, orphans: true });
  asked();
  graph.forget(widgets);
  t.equal(graph.size, 0);
  t.end();
});

t.test('absent owners: the latest of them', (t) => {
  const owners = new AbsentOwners();
  const owner = (i: number, name = 'n') => ({
    uid: `u${i}`,
    coordinates: { apiVersion: 'v1', kind: 'K', name },
    namespace: 'demo',
  });
  for (let i = 0; i < ABSENT_OWNERS_MAX; i++) owners.add(owner(i), 'gone');
  t.equal(owners.find(owner(0)), 'gone');
  t.equal(owners.find(owner(0, 'other')), undefined, 'of these coordinates alone');
  owners.add(owner(ABSENT_OWNERS_MAX), 'misplaced');
  t.equal(owners.find(owner(0)), 'gone', 'it was asked for lately');
  t.equal(owners.find(owner(1)), undefined);
  t.equal(owners.find(owner(ABSENT_OWNERS_MAX)), 'misplaced');
  t.end();
});
