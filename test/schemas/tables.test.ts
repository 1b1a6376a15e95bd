/** What tables show: cells, and how ages are written. */
import * as fc from 'fast-check';
import t from 'tap';
import { humanDuration, translateTimestampSince } from '../../schemas/columns.js';
import { controllerRevisions } from '../../schemas/apps/v1/controller-revision.js';
import { daemonSets } from '../../schemas/apps/v1/daemon-set.js';
import { deployments } from '../../schemas/apps/v1/deployment.js';
import { replicaSets } from '../../schemas/apps/v1/replica-set.js';
import { statefulSets } from '../../schemas/apps/v1/stateful-set.js';
import { cronJobs } from '../../schemas/batch/v1/cron-job.js';
import { jobs } from '../../schemas/batch/v1/job.js';
import { events } from '../../schemas/core/v1/event.js';
import { nodes } from '../../schemas/core/v1/node.js';
import { pods } from '../../schemas/core/v1/pod.js';
import { podTemplates } from '../../schemas/core/v1/pod-template-object.js';
import { replicationControllers } from '../../schemas/core/v1/replication-controller.js';
import { services } from '../../schemas/core/v1/service.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import { differences } from '../tools/transcript.js';
import { facts, skip } from './facts.js';
import { create, definitionAt } from './pipeline.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function cells(definition: ResourceDefinition, object: KubeObject, now = NOW): Record<string, unknown> {
  return Object.fromEntries(definition.columns.map(({ name, cell }) => [name, cell(object, now)]));
}

/** An object as it comes out of the store. */
function stored(definition: ResourceDefinition, body: Record<string, unknown>): KubeObject {
  const { object } = create(definition, body);
  if (object === undefined) throw new Error('not decoded');
  return body['status'] === undefined ? object : { ...object, status: body['status'] };
}

const keyOf = (
  apiVersion: string | undefined,
  kind: string | undefined,
  { name }: { readonly name?: string },
): string => `${apiVersion}/${kind}/${name}`;

t.test('ages have one or two units, coarser the longer they are', (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [-2 * SECOND, '<invalid>'],
    [-SECOND, '0s'],
    [0, '0s'],
    [119_999, '119s'],
    [2 * MINUTE, '2m'],
    [3 * MINUTE + 4 * SECOND, '3m4s'],
    [10 * MINUTE - SECOND, '9m59s'],
    [10 * MINUTE + 5 * SECOND, '10m'],
    [3 * HOUR - SECOND, '179m'],
    [3 * HOUR, '3h'],
    [7 * HOUR + 59 * MINUTE, '7h59m'],
    [8 * HOUR + 59 * MINUTE, '8h'],
    [48 * HOUR - SECOND, '47h'],
    [2 * DAY, '2d'],
    [2 * DAY + 3 * HOUR, '2d3h'],
    [8 * DAY + 3 * HOUR, '8d'],
    [730 * DAY - SECOND, '729d'],
    [730 * DAY, '2y'],
    [730 * DAY + 3 * DAY, '2y3d'],
    [8 * 365 * DAY + 3 * DAY, '8y'],
  ];
  for (const [duration, expected] of cases) t.equal(humanDuration(duration), expected, `${duration} ms`);
  t.equal(translateTimestampSince('2025-12-31T23:59:55Z', NOW), '5s');
  t.equal(translateTimestampSince(null, NOW), '<unknown>');
  t.equal(translateTimestampSince(undefined, NOW), '<unknown>');
  t.end();
});

t.test('an age never says more than has passed, nor less than half of it', (t) => {
  const unit: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY, y: 365 * DAY };
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20 * 365 * 24 * 3600 }), (seconds) => {
      const text = humanDuration(seconds * SECOND);
      const said = [...text.matchAll(/(\d+)([smhdy])/g)].reduce(
        (sum, [, amount, letter = '']) => sum + Number(amount) * (unit[letter] ?? 0),
        0,
      );
      return said <= seconds * SECOND && said * 2 >= seconds * SECOND;
    }),
  );
  t.end();
});

t.test('a node shows readiness, roles and addresses', (t) => {
  const node = stored(nodes, {
    metadata: {
      name: 'n',
      labels: {
        'node-role.kubernetes.io/worker': '',
        'kubernetes.io/role': 'infra',
        'node-role.kubernetes.io/': '',
      },
    },
    spec: { unschedulable: true },
    status: {
      conditions: [{ type: 'Ready', status: 'Unknown' }],
      addresses: [
        { type: 'Hostname', address: 'n' },
        { type: 'InternalIP', address: '10.1.1.1' },
      ],
      nodeInfo: { kubeletVersion: 'v1.36.2', osImage: '' },
    },
  });

  t.match(cells(nodes, node), {
    Status: 'NotReady,SchedulingDisabled',
    Roles: 'infra,worker',
    Version: 'v1.36.2',
    'Internal-IP': '10.1.1.1',
    'External-IP': '<none>',
    'OS-Image': '<unknown>',
  });
  t.end();
});

t.test('rows of pods that have ended say how', (t) => {
  const ended = (phase: string) =>
    pods.rowConditions?.({ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p' }, status: { phase } });
  const completed = { type: 'Completed', status: 'True' };
  t.same(ended('Running'), []);
  t.same(ended('Succeeded'), [
    { ...completed, reason: 'Succeeded', message: 'The pod has completed successfully.' },
  ]);
  t.same(ended('Failed'), [{ ...completed, reason: 'Failed', message: 'The pod failed.' }]);
  t.end();
});

t.test('a service shows where it is reached from outside', (t) => {
  const service = (spec: Record<string, unknown>, ingress: unknown[] = []) =>
    cells(services, {
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { name: 's' },
      spec: { ports: [{ port: 80, protocol: 'TCP', nodePort: 30_000 }], ...spec },
      status: { loadBalancer: { ingress } },
    });

  t.equal(service({ type: 'LoadBalancer' })['External-IP'], '<pending>');
  const ingress = [{ ip: '2.2.2.2' }, { hostname: 'lb.example.com' }, { ip: '1.1.1.1' }];
  const addresses = '1.1.1.1,2.2.2.2,lb.example.com,3.3.3.3';
  t.equal(service({ type: 'LoadBalancer', externalIPs: ['3.3.3.3'] }, ingress)['External-IP'], addresses);
  t.equal(service({ type: 'ClusterIP', externalIPs: ['3.3.3.3'] })['External-IP'], '3.3.3.3');
  t.equal(service({ type: 'NodePort' })['External-IP'], '<none>');
  t.equal(service({ type: 'NodePort' })['Port(s)'], '80:30000/TCP');
  t.equal(service({ type: 'ClusterIP', clusterIPs: ['None'] })['Cluster-IP'], 'None');
  t.equal(service({ type: 'ClusterIP', selector: { b: '2', a: '1' } })['Selector'], 'a=1,b=2');
  t.end();
});

t.test('an event shows the times of whichever form it has', (t) => {
  const event = (fields: Record<string, unknown>) =>
    cells(events, { kind: 'Event', apiVersion: 'v1', metadata: { name: 'e' }, ...fields });
  const at = (seconds: number) => new Date(NOW - seconds * SECOND).toISOString();

  const older = event({
    firstTimestamp: at(90),
    lastTimestamp: at(30),
    count: 3,
    source: { component: 'c', host: 'h' },
  });
  t.match(older, { 'Last Seen': '30s', 'First Seen': '90s', Count: 3, Source: 'c, h' });
  const single = event({ eventTime: at(60), reportingComponent: 'r', involvedObject: { kind: 'Pod' } });
  t.match(single, { 'Last Seen': '60s', 'First Seen': '60s', Count: 1, Source: 'r', Object: 'pod' });
  const series = event({ eventTime: at(60), series: { count: 7, lastObservedTime: at(5) }, message: ' x\n' });
  t.match(series, { 'Last Seen': '5s', 'First Seen': '60s', Count: 7, Message: 'x' });
  t.end();
});

t.test('workloads show counts, containers and selector', (t) => {
  const spec = {
    replicas: 3,
    selector: {
      matchExpressions: [{ key: 'app', operator: 'In', values: ['b', 'a'] }],
      matchLabels: { tier: 'x' },
    },
    template: {
      metadata: { labels: { app: 'a', tier: 'x' } },
      spec: {
        containers: [
          { name: 'c1', image: 'i1' },
          { name: 'c2', image: 'i2' },
        ],
      },
    },
  };
  const status = { replicas: 3, readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 };
  const wide = { Containers: 'c1,c2', Images: 'i1,i2', Selector: 'app in (a,b),tier=x' };

  const deployment = cells(deployments, stored(deployments, { metadata: { name: 'd' }, spec, status }));
  t.match(deployment, { Ready: '1/3', 'Up-to-date': 2, Available: 1, ...wide });
  const replicaSet = cells(replicaSets, stored(replicaSets, { metadata: { name: 'r' }, spec, status }));
  t.match(replicaSet, { Desired: 3, Current: 3, Ready: 1, ...wide });
  t.end();
});

t.test(
  'a stateful set, a daemon set and a replication controller show counts, containers and selector',
  (t) => {
    const template = {
      metadata: { labels: { app: 'a' } },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    const workload = { selector: { matchLabels: { app: 'a' } }, template };
    const wide = { Containers: 'c', Images: 'i' };

    const set = stored(statefulSets, {
      metadata: { name: 's' },
      spec: { ...workload, replicas: 3 },
      status: { replicas: 3, readyReplicas: 2 },
    });
    t.match(cells(statefulSets, set), { Ready: '2/3', ...wide });

    const selecting = {
      ...workload,
      template: { ...template, spec: { ...template.spec, nodeSelector: { b: '2', a: '1' } } },
    };
    const daemons = {
      desiredNumberScheduled: 5,
      currentNumberScheduled: 4,
      numberReady: 3,
      updatedNumberScheduled: 2,
      numberAvailable: 1,
    };
    const daemonSet = stored(daemonSets, { metadata: { name: 'd' }, spec: selecting, status: daemons });
    const counts = { Desired: 5, Current: 4, Ready: 3, 'Up-to-date': 2, Available: 1 };
    t.match(cells(daemonSets, daemonSet), {
      ...counts,
      'Node Selector': 'a=1,b=2',
      ...wide,
      Selector: 'app=a',
    });
    const everywhere = stored(daemonSets, { metadata: { name: 'd' }, spec: workload });
    t.equal(cells(daemonSets, everywhere)['Node Selector'], '<none>');

    const controller = stored(replicationControllers, {
      metadata: { name: 'r' },
      spec: { template, replicas: 2 },
      status: { replicas: 1, readyReplicas: 1 },
    });
    const few = { Desired: 2, Current: 1, Ready: 1 };
    t.match(cells(replicationControllers, controller), { ...few, ...wide, Selector: 'app=a' });
    const podTemplate = stored(podTemplates, { metadata: { name: 'p' }, template });
    t.match(cells(podTemplates, podTemplate), { ...wide, 'Pod Labels': 'app=a' });
    t.end();
  },
);

t.test('a controller revision shows whose it is', (t) => {
  const revision = (ownerReferences: unknown[]) =>
    cells(controllerRevisions, {
      kind: 'ControllerRevision',
      apiVersion: 'apps/v1',
      metadata: { name: 'x', ownerReferences } as KubeObject['metadata'],
      revision: 3,
    });
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'u' };
  t.match(revision([]), { Controller: '<none>', Revision: 3 });
  t.match(revision([owner]), { Controller: '<none>' }, 'an owner that does not manage it');
  t.match(revision([owner, { ...owner, controller: true }]), { Controller: 'statefulset.apps/web' });
  t.match(revision([{ ...owner, apiVersion: 'v1', kind: 'Pod', controller: true }]), {
    Controller: 'pod/web',
  });
  t.end();
});

t.test('a job shows how far it is and how it has ended', (t) => {
  const job = (status: object, spec: object = { completions: 3 }, metadata: object = {}) =>
    cells(jobs, { kind: 'Job', apiVersion: 'batch/v1', metadata: { name: 'j', ...metadata }, spec, status });
  const is = (...types: string[]) => ({ conditions: types.map((type) => ({ type, status: 'True' })) });
  const at = (seconds: number) => new Date(NOW - seconds * SECOND).toISOString();

  t.match(job({}), { Status: 'Running', Completions: '0/3', Duration: '', Selector: '<none>' });
  t.match(job({ succeeded: 1, startTime: at(90) }), { Completions: '1/3', Duration: '90s' });
  t.match(job({ startTime: at(90), completionTime: at(30), ...is('SuccessCriteriaMet', 'Complete') }), {
    Status: 'Complete',
    Duration: '60s',
  });
  t.equal(job(is('FailureTarget'))['Status'], 'FailureTarget');
  t.equal(job(is('FailureTarget', 'Failed'))['Status'], 'Failed');
  t.equal(job(is('Suspended'))['Status'], 'Suspended');
  t.equal(job({ conditions: [{ type: 'Suspended', status: 'False' }] })['Status'], 'Running');
  t.equal(job(is('Suspended'), {}, { deletionTimestamp: at(1) })['Status'], 'Terminating');
  t.equal(job({ succeeded: 1 }, { parallelism: 4 })['Completions'], '1/1 of 4', 'a work queue');
  t.equal(job({}, { parallelism: 1 })['Completions'], '0/1');
  t.end();
});

t.test('a cron job shows its schedule and when it was last due', (t) => {
  const cronJob = (spec: object, status: object = {}) =>
    cells(cronJobs, { kind: 'CronJob', apiVersion: 'batch/v1', metadata: { name: 'c' }, spec, status });
  t.match(cronJob({ schedule: '@daily', suspend: false }), {
    Schedule: '@daily',
    Timezone: '<none>',
    Suspend: 'False',
    Active: 0,
    'Last Schedule': '<none>',
    Selector: '<none>',
  });
  const lastScheduleTime = new Date(NOW - 3 * MINUTE).toISOString();
  const template = { spec: { containers: [{ name: 'c', image: 'i' }] } };
  const zoned = { suspend: true, timeZone: 'UTC', jobTemplate: { spec: { template } } };
  t.match(cronJob(zoned, { active: [{}, {}], lastScheduleTime }), {
    Timezone: 'UTC',
    Suspend: 'True',
    Active: 2,
    'Last Schedule': '3m',
    Containers: 'c',
    Images: 'i',
  });
  t.end();
});

t.test('reading cells and fields changes nothing, and works on an object with nothing in it', (t) => {
  for (const definition of builtinResources) {
    const object: KubeObject = { kind: definition.kind, apiVersion: 'v1', metadata: { name: 'x' } };
    const before = JSON.stringify(object);
    for (const { name, cell } of definition.columns)
      t.doesNotThrow(() => cell(object, NOW), `${definition.plural} ${name}`);
    for (const [field, read] of Object.entries(definition.selectableFields)) {
      t.type(read(object), 'string', `${definition.plural} ${field}`);
    }
    t.equal(JSON.stringify(object), before, definition.plural);
  }
  t.end();
});

t.test('cells equal those of recorded tables', { skip }, (t) => {
  interface Row {
    readonly cells: readonly unknown[];
    readonly object: KubeObject;
  }
  interface Exchange {
    readonly area: string;
    readonly path: string;
    readonly response: {
      readonly body?: { readonly kind?: string; readonly rows?: readonly Row[] } & Partial<KubeObject>;
    };
  }
  const latest = new Map<string, KubeObject>();
  let compared = 0;
  for (const { path, response } of facts('transcript.json') as readonly Exchange[]) {
    const { body } = response;
    const definition = definitionAt(path)?.definition;
    // The last state seen of each object stands for what is stored.
    if (body?.metadata?.name)
      latest.set(keyOf(body.apiVersion, body.kind, body.metadata), body as KubeObject);
    if (definition === undefined || body?.kind !== 'Table') continue;
    const { group, version, kind } = definition;
    for (const row of body.rows ?? []) {
      const apiVersion = group === '' ? version : `${group}/${version}`;
      const object = latest.get(keyOf(apiVersion, kind, row.object.metadata));
      if (object === undefined || definition.plural === 'pods') continue;
      const actual = definition.columns.map(({ cell }) => cell(object, NOW));
      const ages = actual.map((cell, i) => (row.cells[i] === '<age>' ? '<age>' : cell));
      t.same(differences(row.cells, ages), [], `${path} ${row.object.metadata.name}`);
      compared++;
    }
  }
  t.ok(compared >= 10, `${compared} rows were compared`);
  t.end();
});
