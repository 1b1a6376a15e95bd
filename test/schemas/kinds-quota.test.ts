/** Rules of LimitRange and ResourceQuota, as kube-apiserver 1.36 has them. */
import t from 'tap';
import { limitRanges } from '../../schemas/core/v1/limit-range.js';
import { resourceQuotas } from '../../schemas/core/v1/resource-quota.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { create, messages, update } from './pipeline.js';

function stored(definition: ResourceDefinition, spec: object): KubeObject {
  const outcome = create(definition, { metadata: { name: 'x' }, spec });
  if (outcome.object === undefined || outcome.errors.length > 0) throw new Error(JSON.stringify(outcome));
  return outcome.object;
}

const limits = (...items: object[]): string[] =>
  messages(create(limitRanges, { metadata: { name: 'x' }, spec: { limits: items } }));

t.test("LimitRange: containers' defaults come from each other, other types have none", (t) => {
  const itemsOf = (...items: object[]) =>
    (stored(limitRanges, { limits: items })['spec'] as { limits: object[] }).limits;
  t.same(itemsOf({ type: 'Container', max: { cpu: '2' }, min: { memory: '1Mi' } }), [
    {
      type: 'Container',
      max: { cpu: '2' },
      min: { memory: '1Mi' },
      default: { cpu: '2' },
      defaultRequest: { cpu: '2', memory: '1Mi' },
    },
  ]);
  t.same(itemsOf({ type: 'Pod', max: { cpu: '1500u' } }), [{ type: 'Pod', max: { cpu: '2m' } }]);
  t.same(itemsOf({ type: 'Container' }), [{ type: 'Container' }]);
  t.end();
});

t.test('LimitRange: a ratio may not be more than the bounds allow', (t) => {
  const ratio = (min: string, max: string, most: string) =>
    limits({ type: 'Pod', min: { cpu: min }, max: { cpu: max }, maxLimitRequestRatio: { cpu: most } });
  const field = 'spec.limits[0].maxLimitRequestRatio[cpu]';
  t.same(ratio('500m', '1', '2'), []);
  t.same(ratio('500m', '1', '3'), [
    `${field}: Invalid value: "3": ratio 3 is greater than max/min = 2.000000`,
  ]);
  t.same(ratio('3', '10', '3500m'), [
    `${field}: Invalid value: "3500m": ratio 3500m is greater than max/min = 3.333333`,
  ]);
  // Too large for Go's thousandths: whole units are compared.
  t.same(ratio('1', '10P', '10P'), []);
  t.same(ratio('0', '1', '9'), []);
  t.end();
});

t.test(
  'LimitRange: a claim must be bounded in storage, and its names need not be those of containers',
  (t) => {
    t.same(limits({ type: 'PersistentVolumeClaim', max: { 'requests.storage': '1Gi' } }), [
      'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
    ]);
    t.same(limits({ type: 'PersistentVolumeClaim', min: { storage: '1Gi' } }), []);
    t.end();
  },
);

t.test('ResourceQuota: bounds may change, scopes may not', (t) => {
  const old = stored(resourceQuotas, { hard: { pods: '1' }, scopes: ['Terminating'] });
  const changed = (spec: object) => messages(update(resourceQuotas, old, { metadata: { name: 'x' }, spec }));
  t.same(changed({ hard: { pods: '2', cpu: '1' }, scopes: ['Terminating'] }), []);
  t.same(changed({ hard: { pods: '1' } }), ['spec.scopes: Invalid value: null: field is immutable']);
  t.same(changed({ hard: { pods: '1' }, scopes: ['NotTerminating'] }), [
    'spec.scopes: Invalid value: ["NotTerminating"]: field is immutable',
  ]);
  t.end();
});

t.test('ResourceQuota: status is what only its own path changes, within the same names', (t) => {
  const old = stored(resourceQuotas, { hard: { pods: '1' } });
  const body = { metadata: { name: 'x' }, spec: { hard: {} }, status: { hard: { pods: '1' } } };
  t.same(update(resourceQuotas, old, body).object?.['status'], {});
  const written = update(resourceQuotas, old, body, 'status');
  t.same(messages(written), []);
  t.match(written.object, { spec: { hard: { pods: '1' } }, status: { hard: { pods: '1' } } });
  const status = { hard: { disk: '1' }, used: { pods: '-1' } };
  t.same(messages(update(resourceQuotas, old, { ...body, status }, 'status')), [
    'status.hard[disk]: Invalid value: "disk": must be a standard resource type or fully qualified',
    'status.hard[disk]: Invalid value: "disk": must be a standard resource for quota',
    'status.used[pods]: Invalid value: "-1": must be greater than or equal to 0',
  ]);
  t.end();
});

t.test(
  'ResourceQuota: huge pages and counts of anything are resources, claims have a scope of their own',
  (t) => {
    const of = (spec: object) => messages(create(resourceQuotas, { metadata: { name: 'x' }, spec }));
    const hard = {
      'requests.hugepages-2Mi': '4Mi',
      'count/deployments.apps': '1',
      'gold.storageclass.storage.k8s.io/requests.storage': '1Gi',
      'requests.nvidia.com/gpu': '2',
    };
    t.same(of({ hard }), []);
    const scopes = ['VolumeAttributesClass'];
    t.same(of({ hard: { 'requests.storage': '1Gi' }, scopes }), []);
    t.same(of({ hard: { pods: '1' }, scopes }), [
      'spec.scopes: Invalid value: ["VolumeAttributesClass"]: unsupported scope applied to resource',
    ]);
    t.end();
  },
);

t.test('ResourceQuota: a table tells limits apart from the rest, each in order', (t) => {
  const status = {
    hard: { pods: '10', 'limits.memory': '2Gi', cpu: '2', 'limits.cpu': '4' },
    used: { cpu: '500m', 'limits.cpu': '1' },
  };
  const object = { ...stored(resourceQuotas, {}), status };
  const cells = resourceQuotas.columns.map(({ cell }) => cell(object, 0));
  t.same(cells, ['x', 'cpu: 500m/2, pods: 0/10', 'limits.cpu: 1/4, limits.memory: 0/2Gi', '<unknown>']);
  t.end();
});
