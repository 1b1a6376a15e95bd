/** What a server makes of itself: bootstrap lists, and the status of flow schemas. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { flowControlList } from '../../apiserver/bootstrap/flow-control.js';
import { bootstrapLists } from '../../apiserver/bootstrap/index.js';
import type { BootstrapList } from '../../apiserver/bootstrap/list.js';
import { uncoveredRules } from '../../apiserver/bootstrap/rbac-covers.js';
import { on, onPaths, type PolicyRule } from '../../apiserver/bootstrap/rbac-rules.js';
import { aggregated } from '../../apiserver/controllers/cluster-role-aggregation.js';
import {
  BootstrapObjects,
  ControllerManager,
  controllersNamed,
  flowSchemaStatus,
  SystemObjects,
  onlyServer,
} from '../../apiserver/controllers/index.js';
import { StatusError } from '../../apiserver/errors.js';
import type { KubeObject } from '../../schemas/definition.js';
import { context, everythingOf, type Fixture, logger, openFixture } from './controllers-fixture.js';

const WAIT_MS_MAX = 20_000;
const AGAIN_MS = 20;
const FLOW_CONTROL = 'flowcontrol.apiserver.k8s.io';
const AUTO_UPDATE = 'apf.kubernetes.io/autoupdate-spec';

async function until(check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${WAIT_MS_MAX} ms: ${check.toString()}`);
    await sleep(5);
  }
}

type Teardown = Parameters<typeof openFixture>[0];

/** With the system's namespaces. */
async function open(t: Teardown): Promise<Fixture> {
  const fixture = await openFixture(t);
  const system = new SystemObjects({
    table: fixture.table,
    logger,
    securePort: 6443,
    cidr: '10.0.0.0/24',
    servers: onlyServer(undefined),
  });
  await system.start();
  await system.stop();
  return fixture;
}

/** Makes the lists once, and looks after them until the test ends. */
async function make(
  t: Teardown,
  { table }: Fixture,
  lists: readonly BootstrapList[] = bootstrapLists,
): Promise<BootstrapObjects> {
  const objects = new BootstrapObjects({ table, logger, lists });
  t.teardown(() => objects.stop());
  await objects.start();
  return objects;
}

async function all({ registry }: Fixture, plural: string, group: string): Promise<KubeObject[]> {
  const { items } = await registry(plural, group).list(context, '', everythingOf);
  return items.map(({ object }) => object);
}
const namesOf = (objects: readonly KubeObject[]): string[] =>
  objects.map(({ metadata: { namespace = '', name = '' } }) =>
    namespace === '' ? name : `${namespace}/${name}`,
  );

const one = async ({ registry }: Fixture, plural: string, name: string): Promise<KubeObject | undefined> => {
  try {
    return (await registry(plural, FLOW_CONTROL).get(context, '', name)).object;
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return undefined;
    throw error;
  }
};

const change = (
  { registry }: Fixture,
  plural: string,
  name: string,
  edit: (object: KubeObject & { spec: Record<string, unknown> }) => void,
) =>
  registry(plural, FLOW_CONTROL).update(context, '', name, (current) => {
    const next = structuredClone(current) as KubeObject & { spec: Record<string, unknown> };
    edit(next);
    return next;
  });

t.test('flow schemas, priority levels and priority classes are upstream’s', async (t) => {
  const fixture = await open(t);
  await make(t, fixture);
  const schemas = await all(fixture, 'flowschemas', FLOW_CONTROL);
  t.same(namesOf(schemas), [
    'catch-all',
    'endpoint-controller',
    'exempt',
    'global-default',
    'kube-controller-manager',
    'kube-scheduler',
    'kube-system-service-accounts',
    'probes',
    'service-accounts',
    'system-leader-election',
    'system-node-high',
    'system-nodes',
    'workload-leader-election',
  ]);
  const levels = await all(fixture, 'prioritylevelconfigurations', FLOW_CONTROL);
  t.same(namesOf(levels), [
    'catch-all',
    'exempt',
    'global-default',
    'leader-election',
    'node-high',
    'system',
    'workload-high',
    'workload-low',
  ]);
  for (const { metadata } of [...schemas, ...levels]) {
    t.equal(metadata.annotations?.[AUTO_UPDATE], 'true', metadata.name ?? '');
    t.match(metadata.managedFields, [{ manager: 'api-priority-and-fairness-config-producer-v1' }]);
  }
  t.match(levels[1], {
    spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  });
  const classes = await all(fixture, 'priorityclasses', 'scheduling.k8s.io');
  t.same(
    classes.map(({ metadata, value }) => [metadata.name, value]),
    [
      ['system-cluster-critical', 2_000_000_000],
      ['system-node-critical', 2_000_001_000],
    ],
  );
});

t.test('a second start writes nothing', async (t) => {
  const fixture = await open(t);
  await (await make(t, fixture)).stop();
  const before = await fixture.client.currentRevision();
  await (await make(t, fixture)).stop();
  t.equal(await fixture.client.currentRevision(), before);
});

t.test('a deleted flow schema comes again, mandatory or not', async (t) => {
  const fixture = await open(t);
  await make(t, fixture, [{ ...flowControlList, everyMs: AGAIN_MS }]);
  for (const name of ['probes', 'catch-all']) {
    const before = await fixture.registry('flowschemas', FLOW_CONTROL).delete(context, '', name);
    await until(async () => (await one(fixture, 'flowschemas', name)) !== undefined);
    const after = await one(fixture, 'flowschemas', name);
    t.not(after?.metadata.uid, before.item.object.metadata.uid, name);
  }
});

t.test('a changed spec is set right where its annotation says so', async (t) => {
  const fixture = await open(t);
  await make(t, fixture);
  await change(fixture, 'flowschemas', 'probes', ({ spec }) => (spec['matchingPrecedence'] = 7));
  await change(fixture, 'flowschemas', 'system-nodes', ({ metadata, spec }) => {
    metadata.annotations = { [AUTO_UPDATE]: 'false' };
    spec['matchingPrecedence'] = 8;
  });
  await change(fixture, 'flowschemas', 'global-default', ({ metadata, spec }) => {
    metadata.annotations = {};
    spec['matchingPrecedence'] = 9;
  });
  await change(fixture, 'flowschemas', 'kube-scheduler', ({ metadata }) => (metadata.annotations = {}));
  await change(fixture, 'prioritylevelconfigurations', 'exempt', ({ spec }) => {
    spec['exempt'] = { nominalConcurrencyShares: 3, lendablePercent: 4 };
  });
  await make(t, fixture);
  const seen = async (name: string) => {
    const schema = await one(fixture, 'flowschemas', name);
    const { matchingPrecedence } = (schema?.['spec'] ?? {}) as { matchingPrecedence?: number };
    return [matchingPrecedence, schema?.metadata.annotations?.[AUTO_UPDATE]];
  };
  t.same(await seen('probes'), [2, 'true']);
  t.same(await seen('system-nodes'), [8, 'false']);
  t.same(await seen('global-default'), [9, 'false'], 'changed by somebody before anybody said whose it is');
  t.same(await seen('kube-scheduler'), [800, 'true'], 'never changed');
  t.match(await one(fixture, 'prioritylevelconfigurations', 'exempt'), {
    spec: { exempt: { nominalConcurrencyShares: 3, lendablePercent: 4 } },
  });
});

t.test('what is refused keeps nothing else from being made, and is tried again', async (t) => {
  const fixture = await open(t);
  const configMap = (namespace: string) => ({
    group: '',
    plural: 'configmaps',
    object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', namespace } },
  });
  const list: BootstrapList = { name: 'test', objects: () => [configMap('later'), configMap('default')] };
  const objects = new BootstrapObjects({ table: fixture.table, logger, lists: [list, flowControlList] });
  t.teardown(() => objects.stop());
  const done = objects.start();
  await until(async () => (await one(fixture, 'flowschemas', 'catch-all')) !== undefined);
  t.same(await fixture.names('configmaps', ''), ['a'], 'the other one of the list, and the next list');
  await fixture.create('namespaces', '', { metadata: { name: 'later' } });
  await done;
  t.same(await fixture.names('configmaps', 'later'), ['a']);
});

t.test('the status of a flow schema says whether its level exists', async (t) => {
  const fixture = await open(t);
  const manager = new ControllerManager({ table: fixture.table, logger, controllers: [flowSchemaStatus] });
  manager.start();
  t.teardown(() => manager.stop());
  const object = {
    kind: 'FlowSchema',
    apiVersion: `${FLOW_CONTROL}/v1`,
    metadata: { name: 'a' },
    spec: { priorityLevelConfiguration: { name: 'b' } },
  };
  await fixture.registry('flowschemas', FLOW_CONTROL).create(context, object);
  const condition = async () => {
    const { conditions = [] } = ((await one(fixture, 'flowschemas', 'a'))?.['status'] ?? {}) as {
      conditions?: { status: string; reason: string; message: string }[];
    };
    return conditions[0];
  };
  await until(async () => (await condition())?.status === 'True');
  t.match(await condition(), {
    type: 'Dangling',
    reason: 'NotFound',
    message:
      'This FlowSchema references the PriorityLevelConfiguration object named "b" but there is no such object',
  });
  const level = {
    kind: 'PriorityLevelConfiguration',
    apiVersion: `${FLOW_CONTROL}/v1`,
    metadata: { name: 'b' },
    spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
  };
  await fixture.registry('prioritylevelconfigurations', FLOW_CONTROL).create(context, level);
  await until(async () => (await condition())?.status === 'False');
  t.match(await condition(), {
    reason: 'Found',
    message: 'This FlowSchema references the PriorityLevelConfiguration object named "b" and it exists',
  });
});

const RBAC = 'rbac.authorization.k8s.io';
const AUTO_UPDATE_ROLE = 'rbac.authorization.kubernetes.io/autoupdate';
type Role = KubeObject & { rules: { verbs: string[]; resources: string[] }[] };

t.test('default roles and bindings carry their mark, and each binding has its role', async (t) => {
  const fixture = await open(t);
  await make(t, fixture);
  const roles = await all(fixture, 'clusterroles', RBAC);
  const bindings = await all(fixture, 'clusterrolebindings', RBAC);
  const namespaceRoles = await all(fixture, 'roles', RBAC);
  const namespaceBindings = await all(fixture, 'rolebindings', RBAC);
  for (const { metadata } of [...roles, ...bindings, ...namespaceRoles, ...namespaceBindings]) {
    t.match(metadata, {
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
      annotations: { [AUTO_UPDATE_ROLE]: 'true' },
    });
  }
  const names = new Set([...namesOf(roles), ...namesOf(namespaceRoles)]);
  const refOf = ({ metadata, roleRef }: KubeObject): string => {
    const { name } = roleRef as { name: string };
    return metadata.namespace === undefined ? name : `${metadata.namespace}/${name}`;
  };
  t.same(
    [...bindings, ...namespaceBindings].map(refOf).filter((name) => !names.has(name)),
    [],
  );
  const controllers = namesOf(roles).filter((name) => name.startsWith('system:controller:'));
  for (const name of controllers) {
    t.match(
      bindings.find((binding) => binding.metadata.name === name),
      {
        subjects: [
          {
            kind: 'ServiceAccount',
            name: name.slice('system:controller:'.length),
            namespace: 'kube-system',
          },
        ],
      },
    );
  }
  t.match(
    bindings.find(({ metadata }) => metadata.name === 'cluster-admin'),
    { subjects: [{ kind: 'Group', apiGroup: RBAC, name: 'system:masters' }] },
  );
  t.match(
    roles.find(({ metadata }) => metadata.name === 'cluster-admin'),
    {
      rules: [
        { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
        { verbs: ['*'], nonResourceURLs: ['*'] },
      ],
    },
  );
});

t.test(
  'a default role gets back what it lacks, keeps what it has more, and is left alone on request',
  async (t) => {
    const fixture = await open(t);
    await make(t, fixture);
    const roles = fixture.registry('clusterroles', RBAC);
    const edit = (name: string, change: (role: Role) => void) =>
      roles.update(context, '', name, (current) => {
        const next = structuredClone(current) as Role;
        change(next);
        return next;
      });
    const rulesOf = async (name: string) =>
      ((await roles.get(context, '', name)).object as Role).rules.map(({ verbs, resources }) => [
        verbs,
        resources,
      ]);
    await edit('system:kube-dns', ({ metadata, rules }) => {
      metadata.labels = {};
      rules[0] = { ...rules[0], verbs: ['watch', 'delete'], resources: ['services'] };
    });
    await edit('system:kube-aggregator', ({ metadata, rules }) => {
      metadata.annotations = { [AUTO_UPDATE_ROLE]: 'false' };
      rules.length = 0;
    });
    const bindings = fixture.registry('clusterrolebindings', RBAC);
    await bindings.update(context, '', 'system:kube-dns', (current) => ({
      ...(current as KubeObject),
      subjects: [{ kind: 'User', apiGroup: RBAC, name: 'me' }],
    }));
    await bindings.delete(context, '', 'system:node');
    const other = await bindings.delete(context, '', 'system:discovery');
    const { uid: _, resourceVersion: _version, ...metadata } = other.item.object.metadata;
    const roleRef = { apiGroup: RBAC, kind: 'ClusterRole', name: 'cluster-admin' };
    await bindings.create(context, { ...other.item.object, metadata, roleRef });
    await make(t, fixture);
    t.same(await rulesOf('system:kube-dns'), [
      [['watch', 'delete'], ['services']],
      [['list'], ['endpoints']],
      [['watch'], ['endpoints']],
      [['list'], ['services']],
    ]);
    t.match((await roles.get(context, '', 'system:kube-dns')).object.metadata.labels, {
      'kubernetes.io/bootstrapping': 'rbac-defaults',
    });
    t.same(await rulesOf('system:kube-aggregator'), []);
    t.match((await bindings.get(context, '', 'system:kube-dns')).object['subjects'], [
      { kind: 'User', name: 'me' },
      { kind: 'ServiceAccount', name: 'kube-dns', namespace: 'kube-system' },
    ]);
    t.match((await bindings.get(context, '', 'system:discovery')).object, {
      roleRef: { name: 'system:discovery' },
      subjects: [{ name: 'system:authenticated' }],
    });
    t.ok(await bindings.get(context, '', 'system:node'), 'deleted, and there again after a start');
  },
);

t.test('uncovered rules: what `*`, subresources of everything, names and paths allow', (t) => {
  const rule = (verbs: string, groups: string, resources: string, names?: string[]) =>
    on(verbs, groups, resources, names);
  const lacks = (present: PolicyRule[], wanted: PolicyRule) => uncoveredRules(present, [wanted]).length;
  t.equal(lacks([], rule('get list', 'apps extensions', 'a b')), 8);
  t.equal(lacks([rule('*', '*', '*')], rule('get list', 'core', 'pods pods/log')), 0);
  t.equal(lacks([rule('get', '*', '*/scale')], rule('get', 'apps', 'deployments/scale')), 0);
  t.equal(lacks([rule('get', '*', '*/scale')], rule('get', 'apps', 'deployments')), 1);
  t.equal(lacks([rule('get', 'core', 'pods', ['a'])], rule('get', 'core', 'pods', ['a', 'b'])), 1);
  t.equal(lacks([rule('get', 'core', 'pods', ['a'])], rule('get', 'core', 'pods')), 1);
  t.equal(lacks([rule('get', 'core', 'pods')], rule('get', 'core', 'pods', ['a'])), 0);
  t.equal(lacks([onPaths('get', '/api/*')], onPaths('get', '/api/v1 /apis /api/*')), 1);
  t.equal(lacks([rule('*', '*', '*')], onPaths('get', '/api')), 1);
  t.end();
});

t.test('a role that is made of others has their rules, by name and each once', async (t) => {
  const fixture = await open(t);
  const manager = new ControllerManager({
    table: fixture.table,
    logger,
    controllers: controllersNamed(['clusterrole-aggregation-controller']),
  });
  manager.start();
  t.teardown(() => manager.stop());
  await make(t, fixture);
  const roles = fixture.registry('clusterroles', RBAC);
  const rulesOf = async (name: string) => ((await roles.get(context, '', name)).object as Role).rules ?? [];
  const size = async () =>
    Promise.all(['view', 'edit', 'admin'].map(async (name) => (await rulesOf(name)).length));
  await until(async () => JSON.stringify(await size()) === '[11,25,27]');
  t.same((await rulesOf('admin')).slice(0, 25), await rulesOf('edit'));
  const custom = {
    kind: 'ClusterRole',
    apiVersion: `${RBAC}/v1`,
    metadata: { name: 'custom', labels: { [`${RBAC}/aggregate-to-view`]: 'true' } },
    rules: [on('get', 'example.com', 'things')],
  };
  await roles.create(context, structuredClone(custom));
  await until(async () => JSON.stringify(await size()) === '[12,26,28]');
  t.match((await rulesOf('view'))[0], { resources: ['things'] });
  await roles.delete(context, '', 'custom');
  await until(async () => JSON.stringify(await size()) === '[11,25,27]');
});

t.test('roles that are made of each other end with the rules of all', (t) => {
  const role = (name: string, of: string, labels: Record<string, string>, rules: object[] = []) => ({
    kind: 'ClusterRole',
    apiVersion: `${RBAC}/v1`,
    metadata: { name, labels },
    rules,
    ...(of !== '' && { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [of]: 'y' } }] } }),
  });
  const parts = [
    role('a', 'a', { b: 'y' }),
    role('b', 'b', { a: 'y' }),
    role('c', '', { a: 'y' }, [{ verbs: ['get'] }]),
  ];
  t.same(
    [...aggregated(parts)],
    [
      ['a', [{ verbs: ['get'] }]],
      ['b', [{ verbs: ['get'] }]],
    ],
  );
  t.end();
});
