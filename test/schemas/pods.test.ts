/** Pods: defaults, writes through the subresources, tables; recorded exchanges. Texts are those of kube-apiserver 1.36. */
import * as fc from 'fast-check';
import t from 'tap';
import { pods } from '../../schemas/core/v1/pod.js';
import { tagOf } from '../../schemas/core/v1/pod-images.js';
import { specOf, statusOf } from '../../schemas/core/v1/pod-object.js';
import { qosClassOf } from '../../schemas/core/v1/pod-qos.js';
import { podTemplateSpec, validatePodTemplate } from '../../schemas/core/v1/pod-template.js';
import { podTemplateWarnings } from '../../schemas/core/v1/pod-warnings.js';
import { decodeObject, decodeSchema } from '../../schemas/decode.js';
import type { KubeObject } from '../../schemas/definition.js';
import { unifiedDiff } from '../../schemas/validation/unified-diff.js';
import { differences } from '../tools/transcript.js';
import { facts, skip } from './facts.js';
import { create, messages, update } from './pipeline.js';
import { body, created, createdSpec, put, putStatus, withStatus } from './pods-fixture.js';

t.test('defaults: what every pod spec gets', (t) => {
  t.same(created({}, { ports: [{ containerPort: 80 }], livenessProbe: { grpc: { port: 1 } } }), {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'x', namespace: 'demo' },
    spec: {
      containers: [
        {
          name: 'c',
          image: 'i:1',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          resources: {},
          livenessProbe: {
            grpc: { port: 1, service: '' },
            timeoutSeconds: 1,
            periodSeconds: 10,
            successThreshold: 1,
            failureThreshold: 3,
          },
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
    },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  });
  t.end();
});

t.test('defaults: the pull policy follows the tag', (t) => {
  const tags: Readonly<Record<string, string>> = {
    nginx: 'latest',
    'nginx:latest': 'latest',
    'nginx:1.27': '1.27',
    'registry.example.com:5000/team/app': 'latest',
    'registry.example.com:5000/team/app:v1': 'v1',
    [`nginx@sha256:${'a'.repeat(64)}`]: '',
    [`nginx:1@sha256:${'a'.repeat(64)}`]: '1',
    NGINX: '',
    '': '',
  };
  for (const [image, tag] of Object.entries(tags)) t.equal(tagOf(image), tag, image);
  t.equal(createdSpec({}, { image: 'a' }).containers?.[0]?.imagePullPolicy, 'Always');
  t.equal(
    createdSpec({}, { image: 'a', imagePullPolicy: 'Never' }).containers?.[0]?.imagePullPolicy,
    'Never',
  );
  t.end();
});

t.test('defaults: volumes', (t) => {
  const volumes = [
    { name: 'a' },
    { name: 'b', secret: { secretName: 's' } },
    { name: 'c', hostPath: { path: '/x' } },
    { name: 'd', downwardAPI: { items: [{ path: 'p', fieldRef: { fieldPath: 'metadata.name' } }] } },
    { name: 'e', projected: { sources: [{ configMap: { name: 'm' } }] } },
    { name: 'f', iscsi: { targetPortal: 'p', iqn: 'iqn.2024-01.com.example:a', lun: 0 } },
    { name: 'g', image: { reference: 'r' } },
    {
      name: 'h',
      ephemeral: {
        volumeClaimTemplate: {
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      },
    },
  ];
  t.same(createdSpec({ volumes }).volumes, [
    { name: 'a', emptyDir: {} },
    { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
    { name: 'c', hostPath: { path: '/x', type: '' } },
    {
      name: 'd',
      downwardAPI: {
        items: [{ path: 'p', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } }],
        defaultMode: 420,
      },
    },
    { name: 'e', projected: { sources: [{ configMap: { name: 'm' } }], defaultMode: 420 } },
    {
      name: 'f',
      iscsi: { targetPortal: 'p', iqn: 'iqn.2024-01.com.example:a', lun: 0, iscsiInterface: 'default' },
    },
    { name: 'g', image: { reference: 'r', pullPolicy: 'Always' } },
    {
      name: 'h',
      ephemeral: {
        volumeClaimTemplate: {
          metadata: {},
          spec: {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: '1Gi' } },
            volumeMode: 'Filesystem',
          },
        },
      },
    },
  ]);
  t.end();
});

t.test(
  'defaults: requests from limits, ports of the node, the older name of the account: in pods, not in templates',
  (t) => {
    const spec = {
      hostNetwork: true,
      serviceAccount: 'robot',
      containers: [
        {
          name: 'c',
          image: 'i',
          ports: [{ containerPort: 80 }],
          resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } },
        },
      ],
    };
    const pod = createdSpec(spec);
    t.same(pod.containers?.[0]?.resources?.requests, { cpu: '500m', memory: '1Gi' });
    t.equal(pod.containers?.[0]?.ports?.[0]?.hostPort, 80);
    t.equal(pod.serviceAccountName, 'robot');
    t.equal(pod.serviceAccount, 'robot');
    const decoded = decodeSchema<{ spec: typeof pod }>(podTemplateSpec(), { spec });
    t.same('object' in decoded && decoded.object.spec.containers?.[0]?.resources?.requests, { cpu: '500m' });
    t.end();
  },
);

t.test('defaults: amounts finer than a thousandth are rounded up', (t) => {
  const resources = { limits: { cpu: '1500001u', memory: '1Gi' } };
  t.same(createdSpec({}, { resources }).containers?.[0]?.resources?.limits, { cpu: '1501m', memory: '1Gi' });
  t.end();
});

t.test('defaults: what a whole pod requests', (t) => {
  const limits = { cpu: '2', memory: '1Gi' };
  const { resources } = createdSpec({ resources: { limits } }, { resources: { requests: { cpu: '500m' } } });
  t.same(resources, { limits, requests: { cpu: '500m', memory: '1Gi' } });
  t.end();
});

t.test('create: status is the server’s, gates and label keys leave their mark', (t) => {
  const pod = created(
    {
      schedulingGates: [{ name: 'a.b/c' }],
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'z',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: {},
          matchLabelKeys: ['app', 'absent'],
        },
      ],
    },
    {},
    { labels: { app: 'web' } },
  );
  t.same(pod['status'], {
    phase: 'Pending',
    conditions: [
      {
        type: 'PodScheduled',
        status: 'False',
        lastProbeTime: null,
        lastTransitionTime: null,
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ],
    qosClass: 'BestEffort',
  });
  t.same(specOf(pod).topologySpreadConstraints?.[0]?.labelSelector, {
    matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }],
  });
  const outcome = create(pods, { ...body(), status: { phase: 'Running' } });
  t.equal(statusOf(outcome.object as KubeObject).phase, 'Pending');
  t.end();
});

t.test('quality of service follows requests and limits', (t) => {
  const full = { cpu: '1', memory: '1Gi' };
  const of = (...containers: object[]) =>
    qosClassOf({ containers: containers.map((resources) => ({ resources })) as never });
  t.equal(of({}), 'BestEffort');
  t.equal(of({ requests: { cpu: '0' } }), 'BestEffort');
  t.equal(of({ requests: full, limits: full }), 'Guaranteed');
  t.equal(of({ requests: { cpu: '1000m', memory: '1024Mi' }, limits: full }), 'Guaranteed');
  t.equal(of({ requests: full, limits: full }, {}), 'Burstable');
  t.equal(of({ limits: { cpu: '1' }, requests: { cpu: '1' } }), 'Burstable');
  t.equal(of({ requests: { cpu: '500m', memory: '1Gi' }, limits: full }), 'Burstable');
  t.equal(
    qosClassOf({ resources: { requests: full, limits: full }, containers: [{}] }),
    'Guaranteed',
    'of the pod as a whole',
  );
  t.end();
});

t.test('update: images, a shorter deadline and more tolerations may change', (t) => {
  const old = created({
    activeDeadlineSeconds: 100,
    tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }],
  });
  const [container] = specOf(old).containers ?? [];
  const tolerations = [
    { key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 9 },
    { operator: 'Exists' },
  ];
  t.same(
    messages(
      put(old, { containers: [{ ...container, image: 'i:2' }], activeDeadlineSeconds: 50, tolerations }),
    ),
    [],
  );
  t.same(messages(put(old, { activeDeadlineSeconds: 101 })), [
    'spec.activeDeadlineSeconds: Invalid value: 101: must be less than or equal to previous value',
  ]);
  t.same(messages(put(old, { activeDeadlineSeconds: undefined })), [
    'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
  ]);
  t.same(messages(put(old, { tolerations: [] })), [
    'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
  ]);
  t.same(messages(put(old, { containers: [container, { name: 'd', image: 'i' }] })), [
    'spec.containers: Forbidden: pod updates may not add or remove containers',
  ]);
  t.same(messages(put(old, { containers: [{ ...container, image: ' i' }] })), [
    'spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace',
    'spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace',
  ]);
  t.end();
});

t.test('update: anything else is refused with a diff of the spec', (t) => {
  const old = created({}, {});
  const outcome = put(old, { hostname: 'h', nodeSelector: { b: '1', a: '2' } });
  const [message = ''] = messages(outcome);
  t.equal(outcome.errors.length, 1);
  const [intro, ...diff] = message.split('\n');
  t.equal(
    intro,
    'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
  );
  t.same(
    diff.filter((line) => /^[-+]/.test(line)),
    [
      '- "NodeSelector": null,',
      '+ "NodeSelector": {',
      '+  "a": "2",',
      '+  "b": "1"',
      '+ },',
      '- "Hostname": "",',
      '+ "Hostname": "h",',
    ],
  );
  t.equal(diff.filter((line) => line.startsWith('@@')).length, 2);
  t.equal(diff.at(-1), '', 'it ends with a newline');
  t.match(messages(put(old, { containers: [{ ...specOf(old).containers?.[0], command: ['x'] }] })), [
    /^spec: Forbidden: [^]*\+ {3}"Command": \[/,
  ]);
  t.end();
});

/** Applies hunks as `patch` does. */
function applied(before: readonly string[], diff: string): string[] {
  const lines: string[] = [];
  let at = 0;
  for (const line of diff.split('\n').slice(0, -1)) {
    const header = /^@@ -(\d+)(?:,(\d+))? /.exec(line);
    if (header) {
      // An empty range names the line before it.
      const start = Number(header[1]) - (header[2] === '0' ? 0 : 1);
      lines.push(...before.slice(at, start));
      at = start;
    } else {
      if (line[0] !== '-') lines.push(line.slice(1));
      if (line[0] !== '+') at++;
    }
  }
  return [...lines, ...before.slice(at)];
}

t.test('a unified diff turns one text into the other', (t) => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', '{', '}'), { maxLength: 40 });
  fc.assert(
    fc.property(text, text, (before, after) => {
      t.same(applied(before, unifiedDiff(before, after)), after);
    }),
  );
  t.equal(unifiedDiff(['a'], ['a']), '');
  t.equal(unifiedDiff(['a'], ['b']), '@@ -1 +1 @@\n-a\n+b\n');
  t.equal(unifiedDiff([], ['b']), '@@ -0,0 +1 @@\n+b\n');
  t.end();
});

t.test('update: gates only go, and while one holds, the node may be narrowed', (t) => {
  const terms = (...matchExpressions: object[]) => ({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
    },
  });
  const zone = { key: 'zone', operator: 'In', values: ['a'] };
  const disk = { key: 'disk', operator: 'Exists' };
  const old = created({ schedulingGates: [{ name: 'g' }], nodeSelector: { a: '1' }, affinity: terms(zone) });
  t.same(messages(put(old, { schedulingGates: undefined })), []);
  t.same(messages(put(old, { nodeSelector: { a: '1', b: '2' }, affinity: terms(zone, disk) })), []);
  t.same(messages(put(old, { schedulingGates: [{ name: 'h' }] })), [
    "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'h'",
  ]);
  t.match(messages(put(old, { nodeSelector: { a: '2' } })), [
    'spec.nodeSelector: Invalid value: {"a":"2"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
  ]);
  t.match(messages(put(old, { affinity: terms(disk) })), [
    /^spec\.affinity\.nodeAffinity\.requiredDuringSchedulingIgnoredDuringExecution\.nodeSelectorTerms\[0\]: .*: only additions are allowed \(no mutations or deletions\)$/,
  ]);
  t.match(messages(put(old, { affinity: undefined })), [
    /nodeSelectorTerms: Invalid value: \[\]: no additions\/deletions to non-empty/,
  ]);
  t.match(
    messages(put(created({ schedulingGates: [{ name: 'g' }] }), { affinity: terms(zone) })),
    [],
    'where there was none',
  );
  t.match(messages(put(created(), { nodeSelector: { a: '1' } })), [/^spec: Forbidden/], 'without a gate');
  t.end();
});

t.test('update: the status stays, and mirror pods stay mirrors', (t) => {
  const old = withStatus(created(), { phase: 'Running', qosClass: 'BestEffort' });
  const { object } = update(pods, old, { ...old, status: { phase: 'Failed' } });
  t.same(object?.['status'], old['status']);
  const annotations = { 'kubernetes.io/config.mirror': 'x' };
  t.same(messages(update(pods, old, { ...old, metadata: { ...old.metadata, annotations } })), [
    'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
    'metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation',
  ]);
  t.end();
});

t.test('status: is written apart from the spec', (t) => {
  const old = created(
    { restartPolicy: 'Never' },
    {},
    { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u' }] },
  );
  const outcome = update(
    pods,
    old,
    {
      ...old,
      metadata: { ...old.metadata, ownerReferences: [] },
      spec: {},
      status: { phase: 'Running', podIP: '10.1.2.3' },
    },
    'status',
  );
  t.same(messages(outcome), []);
  t.same(outcome.object?.['spec'], old['spec']);
  t.same(outcome.object?.metadata.ownerReferences, old.metadata.ownerReferences);
  t.same(outcome.object?.['status'], {
    phase: 'Running',
    podIP: '10.1.2.3',
    podIPs: [{ ip: '10.1.2.3' }],
    qosClass: 'BestEffort',
  });
  t.end();
});

t.test('status: addresses, conditions and transitions make sense', (t) => {
  const old = withStatus(created({ restartPolicy: 'Never' }), {
    phase: 'Running',
    qosClass: 'BestEffort',
    containerStatuses: [{ name: 'c', state: { terminated: { exitCode: 1 } } }],
  });
  const problems = (status: object): string[] => messages(putStatus(old, status));
  t.same(problems({ containerStatuses: [{ name: 'c', state: { running: {} } }] }), [
    'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
  ]);
  t.same(
    messages(
      putStatus(
        { ...old, spec: { ...specOf(old), restartPolicy: 'OnFailure' } },
        { containerStatuses: [{ name: 'c', state: { running: {} } }] },
      ),
    ),
    [],
  );
  t.same(problems({ qosClass: 'Guaranteed' }), [
    'status.qosClass: Invalid value: "Guaranteed": field is immutable',
  ]);
  t.same(problems({ podIPs: [{ ip: '1.2.3' }] }), [
    'status.podIPs[0]: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ]);
  t.same(problems({ podIPs: [{ ip: '1.2.3.4' }, { ip: '::1' }] }), []);
  t.same(problems({ podIPs: [{ ip: '1.2.3.4' }, { ip: '1.2.3.4' }] }), [
    'status.podIPs: Invalid value: [{"ip":"1.2.3.4"},{"ip":"1.2.3.4"}]: may specify no more than one IP for each IP family',
    'status.podIPs[1]: Duplicate value: {"ip":"1.2.3.4"}',
  ]);
  t.same(problems({ hostIP: '1.1.1.1', hostIPs: [{ ip: '2.2.2.2' }] }), [
    'status.hostIPs[0].ip: Invalid value: "2.2.2.2": must be equal to `hostIP`',
  ]);
  t.match(problems({ conditions: [{ type: 'a b', status: 'True' }] }), [
    /^metadata\.conditions\[0\]\.Type: Invalid value: "a b"/,
  ]);
  t.match(problems({ nominatedNodeName: 'A' }), [/^status\.nominatedNodeName: Invalid value: "A"/]);
  t.same(problems({ resourceClaimStatuses: [{ name: 'r' }] }), [
    'status.resourceClaimStatuses[0].name: Invalid value: "r": must match the name of an entry in `spec.resourceClaims`',
  ]);
  t.match(
    problems({
      containerStatuses: [{ name: 'c', state: { terminated: {} }, user: { linux: { uid: -1, gid: 0 } } }],
    }),
    [
      /^status\.containerStatuses\[0\]\.linux\.uid: Invalid value: -1: must be between 0 and 4294967295, inclusive$/,
    ],
  );
  t.end();
});

t.test('ephemeralcontainers: are added, and stay', (t) => {
  const old = created();
  const debug = { name: 'debug', image: 'busybox' };
  const first = put(old, { ephemeralContainers: [debug], hostname: 'ignored' }, 'ephemeralcontainers');
  t.same(messages(first), []);
  const stored = first.object as KubeObject;
  t.equal(specOf(stored).hostname, undefined, 'nothing else is written');
  t.match(specOf(stored).ephemeralContainers, [{ name: 'debug', imagePullPolicy: 'Always' }]);
  t.same(messages(put(stored, { ephemeralContainers: [] }, 'ephemeralcontainers')), [
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n',
  ]);
  t.same(messages(put(stored, { ephemeralContainers: [{ ...debug, tty: true }] }, 'ephemeralcontainers')), [
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be changed\n',
  ]);
  t.same(
    messages(
      put(
        old,
        {
          ephemeralContainers: [
            { ...debug, name: 'c', ports: [{ containerPort: 1 }], targetContainerName: 'z' },
          ],
        },
        'ephemeralcontainers',
      ),
    ),
    [
      'spec.ephemeralContainers[0].name: Duplicate value: "c"',
      'spec.ephemeralContainers[0].targetContainerName: Not found: "z"',
      'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
    ],
  );
  t.same(messages(create(pods, body({ ephemeralContainers: [debug] }))), [
    'spec.ephemeralContainers: Forbidden: cannot be set on create',
  ]);
  t.end();
});

t.test('resize: cpu and memory of containers, within their quality of service', (t) => {
  const resources = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } };
  const old = created({}, { resources });
  const resize = (next: object, change: object = {}) =>
    put(old, { containers: [{ ...specOf(old).containers?.[0], resources: next }], ...change }, 'resize');
  const more = { limits: { cpu: '2', memory: '2Gi' }, requests: { cpu: '1', memory: '1Gi' } };
  const outcome = resize(more, { hostname: 'ignored' });
  t.same(messages(outcome), []);
  t.same(specOf(outcome.object as KubeObject), {
    ...specOf(old),
    containers: [{ ...specOf(old).containers?.[0], resources: more }],
  });
  t.same(
    messages(
      resize({
        ...resources,
        limits: { cpu: '1', memory: '512Mi' },
        requests: { cpu: '500m', memory: '256Mi' },
      }),
    ),
    [
      'spec.containers[0].resources.limits[memory]: Forbidden: memory limits cannot be decreased unless resizePolicy is RestartContainer',
    ],
  );
  t.same(messages(resize({ limits: resources.limits, requests: resources.limits })), [
    'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
  ]);
  t.match(messages(resize({ requests: { cpu: '500m', memory: '1Gi' } })), [
    'spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed',
  ]);
  t.match(
    messages(
      resize({ limits: { ...resources.limits, 'ephemeral-storage': '1Gi' }, requests: resources.requests }),
    ),
    ['spec: Forbidden: only cpu and memory resources are mutable'],
  );
  t.end();
});

t.test('deletion: a pod that runs nowhere goes at once', (t) => {
  const grace = (spec: object, status: object, requested?: number): number | undefined =>
    pods.deletionGracePeriod?.({ ...created(), spec, status }, requested);
  t.equal(grace({ terminationGracePeriodSeconds: 30 }, {}), 0);
  t.equal(grace({ terminationGracePeriodSeconds: 30 }, {}, 5), 0);
  const spec = { nodeName: 'n', terminationGracePeriodSeconds: 30 };
  t.equal(grace(spec, { phase: 'Running' }), 30);
  t.equal(grace(spec, { phase: 'Running' }, 5), 5);
  t.equal(grace(spec, { phase: 'Running' }, 0), 0);
  t.equal(grace(spec, { phase: 'Running' }, -1), 1);
  t.equal(grace(spec, { phase: 'Succeeded' }), 0);
  t.equal(grace(spec, { phase: 'Failed' }, 5), 0);
  t.end();
});

t.test('field selectors read what is there, and zero values of what is not', (t) => {
  const read = (pod: KubeObject) =>
    Object.fromEntries(Object.entries(pods.selectableFields).map(([name, of]) => [name, of(pod)]));
  t.same(read({ kind: 'Pod', apiVersion: 'v1', metadata: {} }), {
    'spec.nodeName': '',
    'spec.restartPolicy': '',
    'spec.schedulerName': '',
    'spec.serviceAccountName': '',
    'spec.hostNetwork': 'false',
    'status.phase': '',
    'status.podIP': '',
    'status.nominatedNodeName': '',
  });
  t.match(
    read(
      withStatus(created({ nodeName: 'n', hostNetwork: true }), {
        phase: 'Running',
        podIPs: [{ ip: '1.2.3.4' }],
      }),
    ),
    {
      'spec.nodeName': 'n',
      'spec.restartPolicy': 'Always',
      'spec.hostNetwork': 'true',
      'status.phase': 'Running',
      'status.podIP': '1.2.3.4',
    },
  );
  t.end();
});

/** Ready, Status and Restarts of a pod, as kubectl prints them. */
function row(status: object, spec: object = {}, metadata: object = {}): unknown[] {
  const pod = { ...created(spec, {}, metadata), status };
  Object.assign(pod.metadata, metadata);
  return pods.columns.slice(1, 4).map((column) => column.cell(pod, Date.parse('2024-01-01T01:00:00Z')));
}

t.test('table: what keeps a pod from running is its status', (t) => {
  const running = { running: { startedAt: '2024-01-01T00:00:00Z' } };
  const waiting = (reason: string) => ({ waiting: { reason } });
  const ended = (terminated: object) => ({ terminated });
  const init = {
    initContainers: [
      { name: 'a', image: 'i' },
      { name: 'b', image: 'i' },
    ],
  };
  const sidecar = { initContainers: [{ name: 's', image: 'i', restartPolicy: 'Always' }] };
  const ofInit = (...states: object[]) => ({
    phase: 'Pending',
    initContainerStatuses: states.map((state, i) => ({ name: 'ab'[i], state })),
  });
  const of = (state: object, more: object = {}) => ({
    phase: 'Running',
    containerStatuses: [{ name: 'c', state, ...more }],
  });
  t.same(row({ phase: 'Pending' }), ['0/1', 'Pending', '0']);
  t.same(row({ phase: 'Failed', reason: 'Evicted' }), ['0/1', 'Evicted', '0']);
  t.same(row(of(running, { ready: true })), ['1/1', 'Running', '0']);
  t.same(
    row(
      of(waiting('CrashLoopBackOff'), {
        restartCount: 3,
        lastState: ended({ exitCode: 1, finishedAt: '2024-01-01T00:55:00Z' }),
      }),
    ),
    ['0/1', 'CrashLoopBackOff', '3 (5m ago)'],
  );
  t.same(row(of(ended({ exitCode: 2 }))), ['0/1', 'ExitCode:2', '0']);
  t.same(row(of(ended({ exitCode: 2, signal: 9 }))), ['0/1', 'Signal:9', '0']);
  t.same(row(of(ended({ exitCode: 0, reason: 'Completed' }))), ['0/1', 'Completed', '0']);
  t.same(
    row({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
    }),
    ['0/1', 'SchedulingGated', '0'],
  );
  t.same(row(ofInit(ended({ exitCode: 0 }), waiting('PodInitializing')), init), ['0/1', 'Init:1/2', '0']);
  t.same(row(ofInit(waiting('ErrImagePull')), init), ['0/1', 'Init:ErrImagePull', '0']);
  t.same(row(ofInit(ended({ exitCode: 7 })), init), ['0/1', 'Init:ExitCode:7', '0']);
  t.same(row(ofInit(ended({ exitCode: 7, reason: 'Error' })), init), ['0/1', 'Init:Error', '0']);
  t.same(
    row(
      {
        phase: 'Running',
        initContainerStatuses: [{ name: 's', started: true, ready: true, state: running, restartCount: 2 }],
        containerStatuses: [{ name: 'c', ready: true, state: running }],
      },
      sidecar,
    ),
    ['2/2', 'Running', '2'],
  );
  const two = {
    phase: 'Running',
    containerStatuses: [
      { name: 'c', state: ended({ exitCode: 0, reason: 'Completed' }) },
      { name: 'd', ready: true, state: running },
    ],
  };
  t.same(row(two), ['1/1', 'NotReady', '0']);
  t.same(row({ ...two, conditions: [{ type: 'Ready', status: 'True' }] }), ['1/1', 'Running', '0']);
  const deleted = { deletionTimestamp: '2024-01-01T00:00:00Z' };
  t.same(row(of(running, { ready: true }), {}, deleted), ['1/1', 'Terminating', '0']);
  t.same(row({ phase: 'Succeeded' }, {}, deleted), ['0/1', 'Succeeded', '0']);
  t.same(row({ phase: 'Running', reason: 'NodeLost' }, {}, deleted), ['0/1', 'Unknown', '0']);
  t.end();
});

t.test('table: the wide columns', (t) => {
  const wide = (pod: KubeObject) =>
    pods.columns.filter(({ priority }) => priority === 1).map(({ cell }) => cell(pod, 0));
  t.same(wide(created()), ['<none>', '<none>', '<none>', '<none>']);
  const pod = withStatus(
    created({ nodeName: 'n', readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] }),
    {
      podIPs: [{ ip: '1.2.3.4' }],
      nominatedNodeName: 'm',
      conditions: [
        { type: 'a', status: 'True' },
        { type: 'b', status: 'False' },
      ],
    },
  );
  t.same(wide(pod), ['1.2.3.4', 'n', 'm', '1/2']);
  t.end();
});

t.test('templates: labels, annotations and spec are checked under their paths', (t) => {
  const decoded = decodeSchema<object>(podTemplateSpec(), {
    metadata: { labels: { 'a b': '' }, annotations: { 'c d': '' } },
    spec: {
      containers: [{ name: 'c', image: ' padded ' }],
      ephemeralContainers: [{ name: 'e', image: 'i' }],
    },
  });
  const template = 'object' in decoded ? decoded.object : {};
  const errors = validatePodTemplate(template, 'spec.template').map(({ field }) => field);
  t.same(errors.slice(0, 2), ['spec.template.labels', 'spec.template.annotations']);
  t.ok(errors.includes('spec.template.spec.restartPolicy'), 'before the defaults');
  t.notOk(errors.includes('spec.template.spec.containers[0].image'), 'padding is for pods only');
  t.equal(errors.at(-1), 'spec.template.spec.ephemeralContainers');
  t.end();
});

t.test('warnings: what is allowed and most likely not meant', (t) => {
  const warnings = (spec: object, container: object = {}, metadata: object = {}) =>
    pods.strategy.warnings?.(created(spec, container, metadata));
  t.same(warnings({}), []);
  t.match(warnings({}, {}, { name: 'a.b' }), [
    /^metadata\.name: this is used in the Pod's hostname, .*: \[must not contain dots\]$/,
  ]);
  t.same(
    warnings(
      {},
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
          { name: 'A', value: '$(A)3' },
        ],
      },
    ),
    ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'],
  );
  t.same(warnings({}, { ports: [{ containerPort: 1 }, { containerPort: 1, name: 'x' }] }), [
    'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
  ]);
  t.same(
    warnings({
      nodeSelector: { 'beta.kubernetes.io/os': 'linux' },
      volumes: [{ name: 'v', gitRepo: { repository: 'r' } }],
    }),
    [
      'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
      'spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+',
    ],
  );
  t.same(warnings({}, { resources: { requests: { memory: '100m' } } }), [
    'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
  ]);
  t.same(podTemplateWarnings({ spec: { terminationGracePeriodSeconds: -1 } }, 'spec.template'), [
    'spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
  ]);
  t.end();
});

t.test('a stored pod is never changed by a write that is under way', (t) => {
  const old = created({}, { resources: { limits: { cpu: '1' } } });
  const before = JSON.stringify(old);
  for (const subresource of [undefined, 'status', 'ephemeralcontainers', 'resize']) {
    // A patch leaves what it does not touch as it is in the cache, so the two share their parts.
    const body = { ...old, metadata: { ...old.metadata }, spec: { ...specOf(old) } };
    const decoded = decodeObject(pods, body);
    if ('typeError' in decoded) throw new Error(decoded.typeError);
    const strategy = pods.subresources.find(({ name }) => name === subresource)?.strategy ?? pods.strategy;
    strategy.defaults?.(decoded.object);
    strategy.prepareForUpdate?.(decoded.object, old, 0);
    decoded.object.metadata.labels = { a: 'b' };
  }
  t.equal(JSON.stringify(old), before);
  t.end();
});

interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly body?: Record<string, unknown>;
  readonly response: {
    readonly status: number;
    readonly body?: KubeObject & { details?: { causes?: unknown[] }; message?: string };
  };
}

/** What admission adds before validation. */
function withoutAdmission(pod: KubeObject): KubeObject {
  const { metadata, ...rest } = structuredClone(pod);
  const spec = specOf(rest as KubeObject) as Record<string, unknown>;
  const isOwn = ({ name }: { name: string }): boolean => !name.startsWith('kube-api-access-');
  const strip = (holder: Record<string, unknown>, key: string): void => {
    const own = ((holder[key] ?? []) as { name: string }[]).filter(isOwn);
    if (own.length > 0) holder[key] = own;
    else delete holder[key];
  };
  for (const name of ['tolerations', 'priority', 'preemptionPolicy', 'serviceAccount', 'serviceAccountName'])
    delete spec[name];
  strip(spec, 'volumes');
  for (const container of spec['containers'] as Record<string, unknown>[]) strip(container, 'volumeMounts');
  const { name = '', namespace = '', labels = {} } = metadata;
  return { ...rest, metadata: { name, namespace, labels } };
}

t.test('recorded creates: stored or refused as they were', { skip }, (t) => {
  let compared = 0;
  for (const { method, path, body, response } of facts('transcript.json') as Exchange[]) {
    const isCreate = method === 'POST' && /\/namespaces\/demo\/pods(\?|$)/.test(path);
    if (!isCreate || response.status === 403 || path.includes('Strict')) continue;
    compared++;
    const outcome = create(pods, body);
    const name = body?.['metadata'] === undefined ? '' : (body['metadata'] as { name: string }).name;
    if (response.status === 201) {
      t.same(messages(outcome), [], name);
      t.same(
        differences(
          withoutAdmission(response.body as KubeObject),
          withoutAdmission(outcome.object as KubeObject),
        ),
        [],
        name,
      );
    } else if (outcome.typeError === undefined) {
      t.same(
        outcome.errors.map(({ reason, message, field }) => ({ reason, message, field })),
        response.body?.details?.causes,
        name,
      );
    } else
      t.equal(
        `Pod in version "v1" cannot be handled as a Pod: ${outcome.typeError}`,
        response.body?.message,
        name,
      );
  }
  t.ok(compared >= 18, `${compared} exchanges`);
  t.end();
});

t.test('recorded updates: refused with the recorded diff', { skip }, (t) => {
  const exchanges = facts('transcript.json') as Exchange[];
  const stored = exchanges.find(
    ({ method, path, response }) =>
      method === 'PATCH' && path.endsWith('/pods/ok') && response.status === 200,
  );
  const text = JSON.stringify(stored?.response.body)
    .replaceAll('<ts>', '2024-01-01T00:00:00Z')
    .replaceAll('<x>', '12345');
  const decoded = decodeObject(pods, JSON.parse(text));
  if ('typeError' in decoded) throw new Error(decoded.typeError);
  let compared = 0;
  for (const { method, path, body, response } of exchanges) {
    if (method !== 'PATCH' || !path.endsWith('/pods/ok') || response.status !== 422) continue;
    compared++;
    const outcome = put(decoded.object, body?.['spec'] as object);
    t.same(
      outcome.errors.map(({ reason, message, field }) => ({ reason, message, field })),
      response.body?.details?.causes,
    );
  }
  t.equal(compared, 2);
  t.end();
});
