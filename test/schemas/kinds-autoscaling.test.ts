/** Rules of what bounds and sizes workloads from outside, as kube-apiserver 1.36 has them. */
import t from 'tap';
import { fromStored, toStored } from '../../schemas/autoscaling/v1/horizontal-pod-autoscaler-conversion.js';
import { horizontalPodAutoscalersV1 } from '../../schemas/autoscaling/v1/horizontal-pod-autoscaler.js';
import { horizontalPodAutoscalers } from '../../schemas/autoscaling/v2/horizontal-pod-autoscaler.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { runtimeClasses } from '../../schemas/node/v1/runtime-class.js';
import { podDisruptionBudgets } from '../../schemas/policy/v1/pod-disruption-budget.js';
import { create, messages, update } from './pipeline.js';

type Fields = Record<string, unknown>;

const metadata = { name: 'x' };

/** An object as it comes out of the store. */
function stored(definition: ResourceDefinition, fields: Fields): KubeObject {
  const { object, errors } = create(definition, { metadata, ...fields });
  if (object === undefined || errors.length > 0) throw new Error(JSON.stringify(errors));
  return fields['status'] === undefined ? object : { ...object, status: fields['status'] };
}

const cells = (definition: ResourceDefinition, object: KubeObject): unknown[] =>
  definition.columns.slice(0, -1).map(({ cell }) => cell(object, 0));

t.test('PodDisruptionBudget: the spec and the status are written apart from each other', (t) => {
  const selector = { matchLabels: { a: 'b' } };
  const old = stored(podDisruptionBudgets, {
    spec: { selector, maxUnavailable: 1 },
    status: { disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 },
  });
  const both = { metadata, spec: { selector, minAvailable: 2 }, status: { expectedPods: 9 } };

  const changed = update(podDisruptionBudgets, old, both);
  t.same(messages(changed), []);
  t.same(changed.object?.['spec'], { minAvailable: 2, selector });
  t.same(changed.object?.['status'], old['status']);

  const counted = update(podDisruptionBudgets, old, both, 'status');
  t.same(messages(counted), []);
  t.same(counted.object?.['spec'], old['spec']);
  t.match(counted.object?.['status'], { expectedPods: 9, disruptionsAllowed: 0 });
  t.end();
});

t.test('PodDisruptionBudget: counts of the status are not negative, conditions are complete', (t) => {
  const old = stored(podDisruptionBudgets, { spec: {} });
  const good = {
    type: 'DisruptionAllowed',
    status: 'True',
    lastTransitionTime: '2026-01-01T00:00:00Z',
    reason: 'SufficientPods',
    message: '',
  };
  const status = (fields: Fields) =>
    messages(update(podDisruptionBudgets, old, { metadata, status: fields }, 'status'));

  t.same(status({ conditions: [good], disruptedPods: { p: '2026-01-01T00:00:00Z' } }), []);
  t.same(
    status({
      disruptionsAllowed: -1,
      currentHealthy: -2,
      desiredHealthy: -3,
      expectedPods: -4,
      conditions: [
        good,
        { ...good, reason: '0k', message: 'x'.repeat(32 * 1024 + 1), observedGeneration: -1 },
        { type: 'a b' },
        { ...good, type: 'Long', reason: 'R'.repeat(1025) },
      ],
    }),
    [
      'status.conditions[1].type: Duplicate value: "DisruptionAllowed"',
      'status.conditions[1].observedGeneration: Invalid value: -1: must be greater than or equal to zero',
      `status.conditions[1].reason: Invalid value: "0k": a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')`,
      'status.conditions[1].message: Too long: may not be more than 32768 bytes',
      `status.conditions[2].type: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      'status.conditions[2].status: Unsupported value: "": supported values: "False", "True", "Unknown"',
      'status.conditions[2].lastTransitionTime: Required value: must be set',
      'status.conditions[2].reason: Required value: must be set',
      'status.conditions[3].reason: Too long: may not be more than 1024 bytes',
      'status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0',
      'status.currentHealthy: Invalid value: -2: must be greater than or equal to 0',
      'status.desiredHealthy: Invalid value: -3: must be greater than or equal to 0',
      'status.expectedPods: Invalid value: -4: must be greater than or equal to 0',
    ],
  );
  t.end();
});

t.test('PodDisruptionBudget: values of a selector that were stored unchecked may stay', (t) => {
  const selecting = (value: string) => ({
    selector: { matchExpressions: [{ key: 'a', operator: 'In', values: [value] }] },
  });
  const checked = stored(podDisruptionBudgets, { spec: selecting('b') });
  const unchecked: KubeObject = { ...checked, spec: selecting('a b') };
  const after = (old: KubeObject) =>
    update(podDisruptionBudgets, old, { metadata, spec: selecting('a b') }).errors.map(({ field }) => field);
  t.same(after(checked), ['spec.selector.matchExpressions[0].values[0]']);
  t.same(after(unchecked), []);
  t.end();
});

t.test('PodDisruptionBudget: a row shows the limit that is set', (t) => {
  const spec = { maxUnavailable: '20%' };
  const fresh = stored(podDisruptionBudgets, { spec });
  t.same(cells(podDisruptionBudgets, fresh), ['x', 'N/A', '20%', 0]);
  const counted = stored(podDisruptionBudgets, {
    spec: { minAvailable: 2 },
    status: { disruptionsAllowed: 3 },
  });
  t.same(cells(podDisruptionBudgets, counted), ['x', '2', 'N/A', 3]);
  t.end();
});

t.test('RuntimeClass: the handler stays, the rest may change', (t) => {
  const old = stored(runtimeClasses, { handler: 'runsc', overhead: { podFixed: { memory: '120Mi' } } });
  const after = (fields: Fields) =>
    messages(update(runtimeClasses, old, { metadata, handler: 'runsc', ...fields }));
  t.same(after({ scheduling: { nodeSelector: { sandbox: 'gvisor' } } }), []);
  t.same(after({ handler: 'kata' }), ['handler: Invalid value: "kata": field is immutable']);
  t.same(cells(runtimeClasses, old), ['x', 'runsc']);
  t.end();
});

t.test('RuntimeClass: amounts finer than a thousandth are rounded up, as of pods', (t) => {
  const { object } = create(runtimeClasses, {
    metadata,
    handler: 'kata',
    overhead: { podFixed: { cpu: '100u' } },
  });
  t.same(object?.['overhead'], { podFixed: { cpu: '1m' } });
  t.end();
});

t.test('RuntimeClass: labels of nodes that are no longer to be used', (t) => {
  const object = stored(runtimeClasses, {
    handler: 'kata',
    scheduling: { nodeSelector: { 'beta.kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'arm64' } },
  });
  t.same(runtimeClasses.strategy.warnings?.(object), [
    'scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/os" instead',
  ]);
  t.end();
});

const scaleTargetRef = { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' };
const aiming = (metrics: Fields[], more: Fields = {}): Fields => ({
  spec: { scaleTargetRef, maxReplicas: 3, metrics, ...more },
});
const CPU = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
};
const METRICS: Fields[] = [
  {
    type: 'Object',
    object: {
      describedObject: { kind: 'Ingress', name: 'i', apiVersion: 'networking.k8s.io/v1' },
      target: { type: 'Value', value: '10' },
      metric: { name: 'hits' },
    },
  },
  {
    type: 'Pods',
    pods: {
      metric: { name: 'rps', selector: { matchLabels: { a: '<b>' } } },
      target: { type: 'AverageValue', averageValue: '2' },
    },
  },
  { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } },
  {
    type: 'ContainerResource',
    containerResource: {
      name: 'cpu',
      target: { type: 'Utilization', averageUtilization: 5 },
      container: 'c',
    },
  },
  {
    type: 'External',
    external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '30' } },
  },
  CPU,
];
const SEEN: Fields[] = [
  {
    type: 'Object',
    object: {
      metric: { name: 'hits' },
      current: { value: '7' },
      describedObject: { kind: 'Ingress', name: 'i' },
    },
  },
  { type: 'Pods', pods: { metric: { name: 'rps' }, current: { averageValue: '1' } } },
  { type: 'External', external: { metric: { name: 'queue' }, current: { value: '0', averageValue: '9' } } },
  {
    type: 'Resource',
    resource: { name: 'cpu', current: { averageValue: '20m', averageUtilization: 40 } },
  },
];

t.test('HorizontalPodAutoscaler: v1 keeps in annotations what it has no fields for', (t) => {
  const behavior = { scaleUp: { selectPolicy: 'Min' } };
  const conditions = [
    { type: 'AbleToScale', status: 'True', lastTransitionTime: null, reason: 'Ready', message: 'a & b' },
  ];
  const fresh = stored(horizontalPodAutoscalers, aiming(METRICS, { behavior }));
  const object: KubeObject = {
    ...fresh,
    metadata: { ...fresh.metadata, annotations: { mine: '1' } },
    status: { currentReplicas: 2, desiredReplicas: 3, currentMetrics: SEEN, conditions },
  };

  const shown = fromStored(object);
  t.equal(shown.apiVersion, 'autoscaling/v1');
  t.same(shown['spec'], {
    scaleTargetRef,
    minReplicas: 1,
    maxReplicas: 3,
    targetCPUUtilizationPercentage: 60,
  });
  t.same(shown['status'], {
    currentReplicas: 2,
    desiredReplicas: 3,
    currentCPUUtilizationPercentage: 40,
  });
  const prefix = 'autoscaling.alpha.kubernetes.io/';
  const annotations = shown.metadata.annotations ?? {};
  t.same(Object.keys(annotations), [
    ...['behavior', 'conditions', 'current-metrics', 'metrics'].map((name) => prefix + name),
    'mine',
  ]);
  t.match(
    annotations[`${prefix}metrics`],
    '"pods":{"metricName":"rps","targetAverageValue":"2","selector":{"matchLabels":{"a":"\\u003cb\\u003e"}}}',
  );
  t.equal(
    annotations[`${prefix}behavior`],
    '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Min","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15},{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null},"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Max","Policies":[{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null}}',
  );
  t.match(annotations[`${prefix}conditions`], '"message":"a \\u0026 b"');
  t.same(toStored(shown), object, 'and nothing is lost on the way back');
  t.end();
});

t.test('HorizontalPodAutoscaler: defaults stand where Go prints them', (t) => {
  const { object } = create(horizontalPodAutoscalers, { metadata, spec: { maxReplicas: 3, scaleTargetRef } });
  t.same(Object.keys(object?.['spec'] as object), [
    'scaleTargetRef',
    'minReplicas',
    'maxReplicas',
    'metrics',
  ]);
  t.end();
});

t.test('HorizontalPodAutoscaler: what annotations of v1 say is looked at', (t) => {
  const key = 'autoscaling.alpha.kubernetes.io/metrics';
  const metricsOf = (annotation: string): unknown => {
    const { object } = create(horizontalPodAutoscalersV1, {
      metadata: { ...metadata, annotations: { [key]: annotation } },
      spec: { scaleTargetRef, maxReplicas: 3 },
    });
    return object && (toStored(object)['spec'] as Fields)['metrics'];
  };
  const usual = [
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
  ];
  for (const nonsense of ['', '{', 'null', '{}', '[1]', '[{"type":1}]', '[{"type":"Pods","pods":7}]']) {
    t.same(metricsOf(nonsense), usual, nonsense);
  }
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const nested = create(horizontalPodAutoscalersV1, {
    metadata: { ...metadata, annotations: { 'autoscaling.alpha.kubernetes.io/behavior': deep } },
    spec: { scaleTargetRef, maxReplicas: 3 },
  });
  t.equal(nested.object?.metadata.annotations, undefined, 'however deep');
  t.same(metricsOf('[{"type":"Resource","resource":{"name":"memory","targetAverageUtilization":5}}]'), [
    {
      type: 'Resource',
      resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 5 } },
    },
  ]);
  t.end();
});

t.test('HorizontalPodAutoscaler: a new one of v1 has no status, whatever its annotations say', (t) => {
  const { object } = create(horizontalPodAutoscalersV1, {
    metadata: {
      ...metadata,
      annotations: { 'autoscaling.alpha.kubernetes.io/conditions': '[{"type":"A","status":"True"}]' },
    },
    spec: { scaleTargetRef, maxReplicas: 3 },
    status: { currentReplicas: 5, desiredReplicas: 5, currentCPUUtilizationPercentage: 9 },
  });
  t.same(object?.['status'], { currentReplicas: 0, desiredReplicas: 0 });
  t.equal(object?.metadata.annotations, undefined);
  t.end();
});

for (const definition of [horizontalPodAutoscalers, horizontalPodAutoscalersV1]) {
  t.test(`HorizontalPodAutoscaler ${definition.version}: what an update may keep`, (t) => {
    const old = stored(definition, aiming([]));
    const after = (from: KubeObject, spec: Fields, subresource?: string): string[] =>
      messages(
        update(definition, from, { ...from, spec: { ...(from['spec'] as Fields), ...spec } }, subresource),
      );
    const noGroup = { ...scaleTargetRef, apiVersion: 'v1' };
    t.same(after(old, { maxReplicas: 9 }), []);
    t.same(after(old, { scaleTargetRef: noGroup }), [
      'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
    ]);
    t.same(after(old, { scaleTargetRef: { ...noGroup, kind: 'ReplicationController' } }), []);
    const ungrouped: KubeObject = { ...old, spec: { ...(old['spec'] as Fields), scaleTargetRef: noGroup } };
    t.same(after(ungrouped, { maxReplicas: 9 }), [], 'it was so before');

    const zero = 'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1';
    const unfit =
      'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas';
    t.same(after(old, { minReplicas: 0 }), [zero, unfit]);
    const none: KubeObject = { ...old, spec: { ...(old['spec'] as Fields), minReplicas: 0 } };
    t.same(after(none, { maxReplicas: 9 }), [unfit]);

    const status = { currentReplicas: -1, desiredReplicas: -2 };
    const counted = update(definition, old, { ...old, spec: {}, status }, 'status');
    t.same(messages(counted), [
      'status.currentReplicas: Invalid value: -1: must be greater than or equal to 0',
      'status.desiredReplicas: Invalid value: -2: must be greater than or equal to 0',
    ]);
    t.same(counted.object?.['spec'], old['spec'], 'the spec is not written with the status');
    t.end();
  });
}

t.test('HorizontalPodAutoscaler: a row shows what was seen and what is aimed at, in both versions', (t) => {
  const targets = (metrics: Fields[], currentMetrics: Fields[] = []) => {
    const status = { desiredReplicas: 1, currentReplicas: 2, currentMetrics };
    const object = stored(horizontalPodAutoscalers, { ...aiming(metrics), status });
    const row = cells(horizontalPodAutoscalers, object);
    t.same(cells(horizontalPodAutoscalersV1, fromStored(object)), row);
    t.same(row.toSpliced(2, 1), ['x', 'Deployment/web', '1', 3, 2]);
    return row[2];
  };
  t.equal(targets([]), 'cpu: <unknown>/80%');
  t.equal(targets([CPU], SEEN.slice(-1)), 'cpu: 40%/60%');
  t.equal(targets(METRICS.slice(0, 2), SEEN), '7/10, 1/2');
  t.equal(targets(METRICS.slice(2, 5)), 'memory: <unknown>/1Gi, cpu: <unknown>/5% + 1 more...');
  t.equal(targets(METRICS.slice(4, 5), SEEN.slice(2, 3)), '9/30 (avg)');
  t.end();
});
