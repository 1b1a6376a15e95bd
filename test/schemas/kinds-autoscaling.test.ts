/** Rules of what bounds and sizes workloads from outside, as kube-apiserver 1.36 has them. */
import t from 'tap';
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
