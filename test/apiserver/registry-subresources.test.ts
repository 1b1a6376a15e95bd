/** scale and binding, which are written in kinds of their own. */
import t from 'tap';
import { StatusError } from '../../apiserver/errors.js';
import { bindPod, scaleOf, scaleUpdate } from '../../apiserver/registry/subresources.js';
import type { KubeObject, ScalePaths } from '../../schemas/definition.js';
import { contextOf, demo, openFixture, startOfTime, widget, widgets } from './registry-fixture.js';

const paths: ScalePaths = {
  specReplicas: 'spec.size',
  statusReplicas: 'status.size',
  selector: () => 'app=widget',
};
const resource = { group: 'example.com', name: 'widgets' };
const scale = { subresource: 'scale' };
const pods = { ...widgets, group: '', plural: 'pods', kind: 'Pod' };

async function refusal(call: Promise<unknown>): Promise<StatusError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof StatusError) return error;
  throw new Error(`not refused with a status: ${String(error)}`);
}

t.test('#183: the Scale of an object has its identity, its numbers and its selector', async (t) => {
  const { widgets: registry } = openFixture();
  const { object } = await registry.create(
    demo,
    widget('w', { spec: { size: 2 }, metadata: { labels: { a: 'b' } } }),
  );
  t.same(scaleOf(object, paths), {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name: 'w',
      namespace: 'demo',
      uid: object.metadata.uid,
      resourceVersion: '2',
      creationTimestamp: '2026-01-02T03:04:05Z',
    },
    spec: { replicas: 2 },
    status: { replicas: 0, selector: 'app=widget' },
  });
  const zero = scaleOf(
    { ...object, spec: { size: 0 }, status: { size: 3 } },
    { ...paths, selector: () => '' },
  );
  t.same([zero['spec'], zero['status']], [{}, { replicas: 3 }]);
});

t.test('a write to scale', async (t) => {
  const { widgets: registry } = openFixture();
  await registry.create(demo, widget('w', { spec: { size: 2, tags: ['x'] } }));
  const body =
    (spec: object, metadata: object = {}) =>
    () =>
      ({
        kind: 'Scale',
        apiVersion: 'autoscaling/v1',
        metadata: { name: 'w', ...metadata },
        spec,
      }) as KubeObject;
  const write = (change: () => KubeObject) =>
    registry.update(demo, 'demo', 'w', scaleUpdate(resource, paths, change), scale);
  const { item } = await write(body({ replicas: 5 }));
  t.same(item.object['spec'], { size: 5, tags: ['x'] }, 'only the number changes');
  t.equal(item.object.metadata.generation, 2);
  t.match((await refusal(write(body({ replicas: -1 })))).toStatus(), {
    code: 422,
    message:
      'Scale.autoscaling "w" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    details: { name: 'w', group: 'autoscaling', kind: 'Scale', causes: [{ field: 'spec.replicas' }] },
  });
  t.equal(
    (await refusal(write(body({ replicas: 1 }, { resourceVersion: '1' })))).message,
    'Operation cannot be fulfilled on widgets.example.com "w": the object has been modified; please apply your changes to the latest version and try again',
    '#186',
  );
  t.equal(
    (await refusal(write(body({ replicas: 1 }, { name: 'other' })))).message,
    'the name of the object (other) does not match the name on the URL (w)',
  );
  t.match((await refusal(write(body({ replicas: 1 }, { uid: 'other' })))).toStatus(), {
    code: 409,
    message:
      /^Operation cannot be fulfilled on widgets\/scale.example.com "w": Precondition failed: UID in precondition: other, UID in object meta: /,
    details: { name: 'w', group: 'example.com', kind: 'widgets/scale' },
  });
  t.same((await write(body({}, { resourceVersion: '3' }))).item.object['spec'], { size: 0, tags: ['x'] });
  t.equal(
    (await refusal(registry.update(demo, 'demo', 'nope', scaleUpdate(resource, paths, body({})), scale)))
      .code,
    404,
    '#181',
  );
});

t.test('binding', async (t) => {
  const { widgets: registry } = openFixture({}, pods);
  const pod = (name: string, more: Partial<KubeObject> = {}) => widget(name, { kind: 'Pod', ...more });
  const binding = (
    name: string,
    target: object = { kind: 'Node', name: 'node-a' },
    metadata: object = {},
  ): KubeObject => ({
    kind: 'Binding',
    apiVersion: 'v1',
    metadata: { name, ...metadata },
    target,
  });
  const bind = (name: string, body = binding(name), dryRun = false) =>
    bindPod(registry, contextOf({ namespace: 'demo' }), 'demo', name, body, { now: startOfTime, dryRun });
  await registry.create(demo, pod('p'));
  await bind('p', binding('p'), true);
  t.equal((await registry.get(demo, 'demo', 'p')).revision, 2, 'a dry run binds nothing');
  await bind('p', binding('p', undefined, { annotations: { by: 'me' }, labels: { zone: 'z1' } }));
  const { object } = await registry.get(demo, 'demo', 'p');
  t.match(object, {
    metadata: { generation: 1, annotations: { by: 'me' }, labels: { zone: 'z1' } },
    spec: { nodeName: 'node-a' },
    status: {
      conditions: [
        {
          type: 'PodScheduled',
          status: 'True',
          lastProbeTime: null,
          lastTransitionTime: '2026-01-02T03:04:05Z',
        },
      ],
    },
  });
  t.match((await refusal(bind('p'))).toStatus(), {
    code: 409,
    reason: 'Conflict',
    message: 'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "node-a"',
    details: { name: 'p', kind: 'pods/binding' },
  });
  await registry.create(demo, pod('gated', { spec: { schedulingGates: [{ name: 'g' }] } }));
  t.match((await refusal(bind('gated'))).message, 'pod gated has non-empty .spec.schedulingGates');
  await registry.create(demo, pod('going', { metadata: { finalizers: ['example.com/x'] } }));
  await registry.delete(demo, 'demo', 'going');
  t.match((await refusal(bind('going'))).message, 'pod going is being deleted, cannot be assigned to a host');
  t.equal((await refusal(bind('nope'))).message, 'pods "nope" not found'.replace('nope', 'nope'), 'absent');
  t.equal(
    (await refusal(bind('gated', binding('other')))).message,
    'name in URL does not match name in Binding object',
  );
  t.equal((await refusal(bind('gated', binding('gated', {})))).message, 'target.name: Required value');
  t.equal(
    (await refusal(bind('gated', binding('gated', { kind: 'Pod' })))).message,
    '[target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>", target.name: Required value]',
  );
  await registry.create(demo, pod('again'));
  t.equal((await refusal(bind('again', binding('again', undefined, { uid: 'other' })))).code, 409);
});
