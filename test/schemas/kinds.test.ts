/** Rules of the kinds other than Pod, with cases of our own. Texts are those that kube-apiserver 1.36 gives. */
import * as fc from 'fast-check';
import t from 'tap';
import { deployments } from '../../schemas/apps/v1/deployment.js';
import { replicaSets } from '../../schemas/apps/v1/replica-set.js';
import { selfSubjectAccessReviews } from '../../schemas/authorization/v1/self-subject-access-review.js';
import { leases } from '../../schemas/coordination/v1/lease.js';
import { validateCidr, validateIP, validateNonSpecialIP } from '../../schemas/core/v1/addresses.js';
import { bindings } from '../../schemas/core/v1/binding.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import { events } from '../../schemas/core/v1/event.js';
import { DATA_BYTES_MAX, decodedLength } from '../../schemas/core/v1/key-values.js';
import { namespaces } from '../../schemas/core/v1/namespace.js';
import { nodes } from '../../schemas/core/v1/node.js';
import { eventsV1, fromStored, toStored } from '../../schemas/events/v1/event.js';
import { secrets } from '../../schemas/core/v1/secret.js';
import { serviceAccounts } from '../../schemas/core/v1/service-account.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import { create, createSubresource, messages, update } from './pipeline.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** An object as it is stored after a create that must succeed. */
function stored(definition: ResourceDefinition, body: Record<string, unknown>): KubeObject {
  const outcome = create(definition, { metadata: { name: 'x' }, ...body });
  if (outcome.object === undefined || outcome.errors.length > 0) throw new Error(JSON.stringify(outcome));
  return outcome.object;
}

const refusals = (definition: ResourceDefinition, body: Record<string, unknown>): string[] =>
  messages(create(definition, { metadata: { name: 'x' }, ...body }));

const updateRefusals = (
  definition: ResourceDefinition,
  old: KubeObject,
  body: Record<string, unknown>,
  subresource?: string,
): string[] => messages(update(definition, old, { metadata: { name: 'x' }, ...body }, subresource));

t.test('Namespace: label, phase and finalizer are set on create, and kept from clients after', (t) => {
  const namespace = stored(namespaces, {
    metadata: { name: 'x', labels: { 'kubernetes.io/metadata.name': 'other', team: 'a' } },
    spec: { finalizers: ['example.com/hold'] },
    status: { phase: 'Terminating' },
  });
  t.same(namespace.metadata.labels, { 'kubernetes.io/metadata.name': 'x', team: 'a' });
  t.same(namespace['spec'], { finalizers: ['example.com/hold', 'kubernetes'] });
  t.same(namespace['status'], { phase: 'Active' });

  const changed = update(namespaces, namespace, {
    metadata: { name: 'x' },
    spec: {},
    status: { phase: 'Terminating' },
  });
  t.same(changed.object?.['spec'], namespace['spec'], 'an update keeps the finalizers');
  t.same(changed.object?.['status'], { phase: 'Active' }, 'and the status');
  const finalized = update(
    namespaces,
    namespace,
    { metadata: { name: 'x' }, spec: { finalizers: [] } },
    'finalize',
  );
  t.same(finalized.object?.['spec'], {}, 'finalize changes the finalizers');
  t.end();
});

t.test('Namespace: unqualified finalizers are refused', (t) => {
  const problem = 'name is neither a standard finalizer name nor is it fully qualified';
  t.same(refusals(namespaces, { spec: { finalizers: ['mine'] } }), [
    `spec.finalizers: Invalid value: "mine": ${problem}`,
  ]);
  const old = stored(namespaces, {});
  const refused = updateRefusals(
    namespaces,
    old,
    { spec: { finalizers: ['kubernetes', 'mine'] } },
    'finalize',
  );
  t.same(refused, [`spec.finalizers[1]: Invalid value: "mine": ${problem}`]);
  t.end();
});

t.test('Namespace: the phase follows the deletion', (t) => {
  const active = stored(namespaces, {});
  t.same(updateRefusals(namespaces, active, { status: { phase: 'Terminating' } }, 'status'), [
    'status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
  ]);
  const deletionTimestamp = '2026-01-01T00:00:00Z';
  const dying = { ...active, metadata: { ...active.metadata, deletionTimestamp } };
  t.same(updateRefusals(namespaces, dying, { metadata: { name: 'x', deletionTimestamp } }, 'status'), [
    'status.Phase: Invalid value: "Active": may only be \'Terminating\' if `deletionTimestamp` is not empty',
  ]);
  t.end();
});

t.test('ConfigMap: values are 1 MiB at most, counted in bytes', (t) => {
  const data = (bytes: number) => ({ data: { a: 'é'.repeat(10), b: 'x'.repeat(bytes - 20) } });
  t.same(refusals(configMaps, data(DATA_BYTES_MAX)), []);
  t.same(refusals(configMaps, data(DATA_BYTES_MAX + 1)), [
    '[]: Too long: may not be more than 1048576 bytes',
  ]);
  const half = DATA_BYTES_MAX / 2;
  const both = (bytes: number) => ({
    data: { a: 'x'.repeat(half) },
    binaryData: { b: base64('x'.repeat(bytes)) },
  });
  t.same(refusals(configMaps, both(half)), []);
  t.same(refusals(configMaps, both(half + 1)).length, 1);
  t.end();
});

t.test('the decoded length of base64 is what Buffer says', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array(),
      (bytes) => decodedLength(Buffer.from(bytes).toString('base64')) === bytes.length,
    ),
  );
  t.end();
});

t.test('ConfigMap: keys become file names', (t) => {
  t.same(refusals(configMaps, { data: { '..': 'x' } }), [
    'data[..]: Invalid value: "..": must not be \'..\'',
  ]);
  t.match(refusals(configMaps, { binaryData: { 'a b': '' } }), [
    /^binaryData\[a b\]: Invalid value: "a b": a valid config key/,
  ]);
  t.same(
    refusals(configMaps, { data: JSON.parse('{"__proto__":"x"}') as unknown }),
    [],
    '__proto__ is a key as any other',
  );
  t.end();
});

t.test('ConfigMap: immutable ones do not change', (t) => {
  const old = stored(configMaps, { data: { a: '1' }, immutable: true });
  const problem = 'Forbidden: field is immutable when `immutable` is set';
  t.same(updateRefusals(configMaps, old, { data: { a: '1' }, immutable: true }), []);
  t.same(updateRefusals(configMaps, old, { data: { a: '2' }, binaryData: { b: '' }, immutable: false }), [
    `immutable: ${problem}`,
    `data: ${problem}`,
    `binaryData: ${problem}`,
  ]);
  t.same(
    updateRefusals(configMaps, stored(configMaps, { data: { a: '1' } }), {
      data: { a: '2' },
      immutable: true,
    }),
    [],
  );
  t.end();
});

t.test('Secret: stringData is merged into data and not kept', (t) => {
  const secret = stored(secrets, { data: { a: base64('old'), b: base64('b') }, stringData: { a: 'näw' } });
  t.same(secret['data'], { a: base64('näw'), b: base64('b') });
  t.notOk('stringData' in secret);
  t.equal(secret['type'], 'Opaque');
  const odd = create(secrets, {
    metadata: { name: 'x' },
    stringData: JSON.parse('{"__proto__":"x"}') as unknown,
  });
  t.same(Object.keys(odd.object?.['data'] as object), ['__proto__'], 'no prototype is touched');
  t.end();
});

t.test('Secret: each type asks for its keys', (t) => {
  const type = (name: string, data: Record<string, string> = {}, annotations = {}) =>
    refusals(secrets, { metadata: { name: 'x', annotations }, type: `kubernetes.io/${name}`, data });
  t.same(type('tls', { 'tls.crt': '' }), ['data[tls.key]: Required value']);
  t.same(type('tls', { 'tls.crt': '', 'tls.key': '' }), []);
  t.same(type('basic-auth', { username: '' }), []);
  t.same(type('service-account-token'), [
    'metadata.annotations[kubernetes.io/service-account.name]: Required value',
  ]);
  t.same(type('service-account-token', {}, { 'kubernetes.io/service-account.name': 'sa' }), []);
  t.same(type('dockercfg'), ['data[.dockercfg]: Required value']);
  t.same(type('dockerconfigjson', { '.dockerconfigjson': base64('{}') }), []);
  t.same(type('dockerconfigjson', { '.dockerconfigjson': base64('hello') }), [
    'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character \'h\' looking for beginning of value',
  ]);
  t.match(type('dockerconfigjson', { '.dockerconfigjson': base64('[]') }), [
    /cannot unmarshal array into Go value of type map\[string\]interface \{\}$/,
  ]);
  t.end();
});

t.test('Secret: the type never changes, immutable ones nothing', (t) => {
  const old = stored(secrets, { data: { a: base64('1') }, immutable: true });
  t.same(updateRefusals(secrets, old, { data: {}, type: 'example.com/x', immutable: true }), [
    'type: Invalid value: "example.com/x": field is immutable',
    'data: Forbidden: field is immutable when `immutable` is set',
  ]);
  t.same(refusals(secrets, { data: { a: base64('x'.repeat(DATA_BYTES_MAX + 1)) } }), [
    'data: Too long: may not be more than 1048576 bytes',
  ]);
  t.end();
});

t.test('ServiceAccount: references to secrets keep their names only', (t) => {
  const account = stored(serviceAccounts, { secrets: [{ name: 's', namespace: 'other', kind: 'Secret' }] });
  t.same(account['secrets'], [{ name: 's' }]);
  const annotations = { 'kubernetes.io/enforce-mountable-secrets': 'true' };
  t.match(serviceAccounts.strategy.warnings?.({ ...account, metadata: { name: 'x', annotations } }), [
    /deprecated in v1\.32/,
  ]);
  t.end();
});

t.test('TokenRequest: lasts ten minutes at least', (t) => {
  const token = (spec: object) => createSubresource(serviceAccounts, 'token', { spec });
  t.match(token({}).object, {
    spec: { expirationSeconds: 3600, boundObjectRef: null },
    status: { token: '' },
  });
  t.same(messages(token({ expirationSeconds: 599 })), [
    'spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
  ]);
  t.same(messages(token({ expirationSeconds: 600 })), []);
  t.same(messages(token({ expirationSeconds: 2 ** 32 })), []);
  t.same(messages(token({ expirationSeconds: 2 ** 32 + 1 })), [
    'spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
  ]);
  t.end();
});

t.test('Event: the older form may be in default for what has no namespace', (t) => {
  const mismatch = (namespace: string) =>
    `involvedObject.namespace: Invalid value: "${namespace}": does not match event.namespace`;
  const event = (namespace: string, fields: object) =>
    messages(create(events, { metadata: { name: 'e' }, ...fields }, namespace));
  t.same(event('default', { involvedObject: { kind: 'Node' } }), []);
  t.same(event('demo', { involvedObject: { kind: 'Node' } }), [mismatch('')]);
  t.same(event('demo', { involvedObject: { namespace: 'demo' } }), []);
  t.end();
});

t.test('Event: the newer form says who, what and why', (t) => {
  const eventTime = '2026-01-01T00:00:00.000000Z';
  const involvedObject = { namespace: 'demo' };
  t.same(
    refusals(events, { eventTime, involvedObject }).filter((text) => text.endsWith('Required value')),
    [
      'reportingComponent: Required value',
      'reportingInstance: Required value',
      'action: Required value',
      'reason: Required value',
    ],
  );
  const full = {
    eventTime,
    involvedObject,
    reportingComponent: 'example.com/c',
    reportingInstance: 'i',
    action: 'a',
    reason: 'r',
  };
  t.same(refusals(events, full), []);
  t.same(refusals(events, { ...full, reason: 'r'.repeat(128), message: 'm'.repeat(1024) }), []);
  t.same(refusals(events, { ...full, reason: 'r'.repeat(129), message: 'm'.repeat(1025) }), [
    'reason: Invalid value: "": can have at most 128 characters',
    'message: Invalid value: "": can have at most 1024 characters',
  ]);
  t.end();
});

t.test('Event of events.k8s.io: is a core/v1 Event under other names', (t) => {
  const event = stored(eventsV1, {
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'example.com/c',
    reportingInstance: 'i',
    action: 'a',
    reason: 'r',
    regarding: { namespace: 'demo', name: 'p' },
    note: 'n',
    type: 'Normal',
  });
  const core = toStored(event);
  t.match(core, {
    apiVersion: 'v1',
    involvedObject: { name: 'p' },
    message: 'n',
    reportingComponent: 'example.com/c',
    firstTimestamp: null,
  });
  t.same(fromStored(core), event, 'there and back');
  t.same(refusals(eventsV1, { regarding: { namespace: 'demo' }, deprecatedCount: 1, type: 'Odd' }), [
    'eventTime: Required value',
    'type: Invalid value: "": has invalid value: Odd',
    'count: Invalid value: "": needs to be unset',
  ]);
  t.same(updateRefusals(eventsV1, event, { ...event, note: 'm', series: { count: 1 } }), [
    'series.count: Invalid value: "": should be at least 2',
    'series.lastObservedTime: Required value',
    'message: Invalid value: "m": field is immutable',
  ]);
  t.end();
});

t.test('Node: podCIDR and podCIDRs agree, and new nodes are tainted', (t) => {
  const spec = (given: object) => stored(nodes, { spec: given })['spec'];
  const taints = [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }];
  t.same(spec({ podCIDR: '10.1.0.0/24' }), { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'], taints });
  t.same(spec({ podCIDRs: ['10.1.0.0/24', 'fd00::/64'] }), {
    podCIDR: '10.1.0.0/24',
    podCIDRs: ['10.1.0.0/24', 'fd00::/64'],
    taints,
  });
  t.same(spec({ podCIDR: '10.2.0.0/24', podCIDRs: ['10.1.0.0/24'] }), {
    podCIDR: '10.2.0.0/24',
    podCIDRs: ['10.2.0.0/24'],
    taints,
  });
  t.same(spec({ taints }), { taints }, 'the taint is not added twice');
  t.end();
});

t.test('Node: taints, ranges and amounts are checked', (t) => {
  t.same(
    refusals(nodes, {
      spec: {
        taints: [
          { key: 'k', value: 'v', effect: 'NoExecute' },
          { key: 'k', effect: 'NoExecute' },
        ],
      },
    }),
    [
      'metadata.taints[1]: Duplicate value: {"Key":"k","Value":"","Effect":"NoExecute","TimeAdded":null}: taints must be unique by key and effect pair',
    ],
  );
  t.same(refusals(nodes, { spec: { taints: [{ key: 'k' }] } }), [
    'metadata.taints[0].effect: Required value',
  ]);
  t.same(refusals(nodes, { spec: { podCIDRs: ['10.1.0.0/24', '10.2.0.0/24'] } }), [
    'spec.podCIDRs: Invalid value: ["10.1.0.0/24","10.2.0.0/24"]: may specify no more than one CIDR for each IP family',
  ]);
  t.same(refusals(nodes, { spec: { podCIDR: '10.1.0.0' } }), [
    'spec.podCIDRs[0]: Invalid value: "10.1.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ]);
  t.same(
    refusals(nodes, { status: { capacity: { cpu: '-1' } } }).at(0),
    'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
  );
  t.end();
});

t.test('Node: what was set once stays, and status is written apart', (t) => {
  const old = stored(nodes, { spec: { podCIDR: '10.1.0.0/24', providerID: 'p' } });
  t.same(updateRefusals(nodes, old, { spec: { podCIDR: '10.2.0.0/24', providerID: 'q', externalID: 'e' } }), [
    'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
    'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    'spec.externalID: Forbidden: may not be updated',
  ]);
  const status = {
    capacity: { cpu: '4' },
    addresses: [
      { type: 'Hostname', address: 'n' },
      { type: 'Hostname', address: 'n' },
    ],
  };
  const written = update(nodes, old, { metadata: { name: 'x' }, status }, 'status');
  t.same(messages(written), ['status.addresses[1]: Duplicate value: {"Type":"Hostname","Address":"n"}']);
  t.match(written.object, { spec: old['spec'], status: { allocatable: { cpu: '4' } } });
  const main = update(nodes, old, { metadata: { name: 'x' }, spec: old['spec'], status });
  t.same(main.object?.['status'], old['status'], 'a main write keeps the status');
  t.end();
});

t.test('Lease: durations are positive, and a preferred holder needs a strategy', (t) => {
  t.same(refusals(leases, { spec: { leaseDurationSeconds: 1, leaseTransitions: 0 } }), []);
  t.same(
    refusals(leases, { spec: { leaseDurationSeconds: 0, leaseTransitions: -1, preferredHolder: 'p' } }),
    [
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
      'spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined',
    ],
  );
  t.same(refusals(leases, { spec: { strategy: 'Odd' } }), [
    'spec.strategy.strategy: Unsupported value: "Odd": supported values: "OldestEmulationVersion"',
  ]);
  t.same(refusals(leases, { spec: { strategy: 'OldestEmulationVersion', preferredHolder: 'p' } }), []);
  t.equal(leases.allowUnconditionalUpdate, false);
  t.equal(leases.allowCreateOnUpdate, true);
  t.end();
});

t.test('Binding: a node is named', (t) => {
  t.same(refusals(bindings, {}), ['target.name: Required value']);
  t.same(refusals(bindings, { target: { kind: 'Pod', name: 'n' } }), [
    'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"',
  ]);
  t.end();
});

t.test('SelfSubjectAccessReview: asks one question and has no name', (t) => {
  const review = (spec: object, metadata = {}) =>
    messages(create(selfSubjectAccessReviews, { metadata, spec }));
  t.same(review({ resourceAttributes: { verb: 'get' } }), []);
  t.same(review({ resourceAttributes: {}, nonResourceAttributes: {} }), [
    'spec.nonResourceAttributes: Invalid value: {"Path":"","Verb":""}: cannot be specified in combination with resourceAttributes',
  ]);
  t.same(review({ resourceAttributes: {} }, { name: 'x' }), [
    'metadata: Invalid value: {"name":"x"}: must be empty',
  ]);
  t.end();
});

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const selector = { matchLabels: { app: 'a' } };

t.test('Deployment: the default is a rolling update by a quarter', (t) => {
  const spec = (given: object) => stored(deployments, { spec: { selector, template, ...given } })['spec'];
  t.match(spec({}), {
    replicas: 1,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  });
  t.match(spec({ replicas: 0, strategy: { rollingUpdate: { maxSurge: 0 } } }), {
    replicas: 0,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: 0 } },
  });
  t.same((spec({ strategy: { type: 'Recreate' } }) as { strategy: unknown }).strategy, { type: 'Recreate' });
  t.end();
});

t.test('Deployment: the strategy makes sense', (t) => {
  const refused = (strategy: object) => refusals(deployments, { spec: { selector, template, strategy } });
  const rolling = (rollingUpdate: object) => refused({ rollingUpdate });
  const field = 'spec.strategy.rollingUpdate';
  t.same(rolling({ maxUnavailable: 0, maxSurge: '0%' }), [
    `${field}.maxUnavailable: Invalid value: 0: may not be 0 when \`maxSurge\` is 0`,
  ]);
  t.same(rolling({ maxUnavailable: '101%' }), [
    `${field}.maxUnavailable: Invalid value: "101%": must not be greater than 100%`,
  ]);
  t.same(rolling({ maxUnavailable: '100%', maxSurge: '101%' }), []);
  t.same(rolling({ maxSurge: -1 }), [
    `${field}.maxSurge: Invalid value: -1: must be greater than or equal to 0`,
  ]);
  t.match(rolling({ maxSurge: 'many' }), [/maxSurge: Invalid value: "many": a valid percent string must be/]);
  t.same(refused({ type: 'Recreate', rollingUpdate: {} }), [
    `${field}: Forbidden: may not be specified when strategy \`type\` is 'Recreate'`,
  ]);
  t.same(refused({ type: 'Odd' }), [
    'spec.strategy: Unsupported value: {"Type":"Odd","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"',
  ]);
  t.end();
});

t.test('Deployment: the deadline is after minReadySeconds', (t) => {
  const spec = { selector, template, minReadySeconds: 600 };
  t.same(refusals(deployments, { spec }), [
    'spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds',
  ]);
  t.same(refusals(deployments, { spec: { ...spec, progressDeadlineSeconds: 601 } }), []);
  t.end();
});

for (const definition of [deployments, replicaSets]) {
  t.test(`${definition.kind}: the selector finds the pods of the template`, (t) => {
    const refused = (spec: object) => refusals(definition, { spec: { template, ...spec } });
    const labels =
      'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`';
    t.same(refused({}), ['spec.selector: Required value', labels]);
    t.same(refused({ selector: {} }), [
      'spec.selector: Invalid value: {}: empty selector is invalid for deployment',
    ]);
    t.same(refused({ selector: { matchLabels: { app: 'b' } } }), [labels]);
    t.match(refused({ selector: { matchLabels: { app: 'b c' } } }), [
      /^spec\.selector\.matchLabels: Invalid value: "b c": a valid label must be/,
      'spec.selector: Invalid value: {"matchLabels":{"app":"b c"}}: invalid label selector',
    ]);
    t.same(
      refused({ selector, template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } }),
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    );
    t.end();
  });

  t.test(`${definition.kind}: the selector never changes, status and spec are written apart`, (t) => {
    const old = stored(definition, { spec: { selector, template } });
    const wider = { metadata: { labels: { app: 'a', b: 'c' } }, spec: template.spec };
    const other = { matchLabels: { app: 'a', b: 'c' } };
    t.same(updateRefusals(definition, old, { spec: { selector: other, template: wider } }), [
      'spec.selector: Invalid value: {"matchLabels":{"app":"a","b":"c"}}: field is immutable',
    ]);
    const main = update(definition, old, {
      metadata: { name: 'x' },
      spec: { selector, template, replicas: 3 },
      status: { replicas: 9 },
    });
    t.same(main.errors, []);
    t.same(main.object?.['status'], old['status']);
    const status = update(
      definition,
      old,
      {
        metadata: { name: 'x' },
        spec: { selector: other, template },
        status: { replicas: 2, readyReplicas: 2 },
      },
      'status',
    );
    t.same(status.errors, []);
    t.same(status.object?.['spec'], old['spec']);
    t.end();
  });

  t.test(`${definition.kind}: reported counts fit together`, (t) => {
    const old = stored(definition, { spec: { selector, template } });
    const refused = (status: object) =>
      updateRefusals(definition, old, { spec: { selector, template }, status }, 'status');
    t.same(refused({ replicas: 1, readyReplicas: 2, availableReplicas: 3 }), [
      'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
      'status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas',
      'status.availableReplicas: Invalid value: 3: cannot be greater than readyReplicas',
    ]);
    t.same(
      refused({ replicas: -1 }).at(0),
      'status.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
    t.end();
  });

  t.test(`${definition.kind}: scale names its numbers and selector`, (t) => {
    const scale = definition.subresources.find(({ name }) => name === 'scale')?.scale;
    t.match(scale, { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas' });
    t.equal(scale?.selector(stored(definition, { spec: { selector, template } })), 'app=a');
    t.same(
      messages(createSubresource(definition, 'scale', { metadata: { name: 'x' }, spec: { replicas: -1 } })),
      ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    );
    t.same(
      createSubresource(definition, 'scale', { spec: { replicas: 0 } }).object?.['spec'],
      {},
      'Go leaves out 0',
    );
    t.end();
  });

  t.test(`${definition.kind}: a name that is no DNS label is warned about`, (t) => {
    const object = stored(definition, { metadata: { name: 'a.b' }, spec: { selector, template } });
    t.match(definition.strategy.warnings?.(object), [
      'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
    ]);
    t.same(definition.strategy.warnings?.(object, object), []);
    t.end();
  });
}

t.test('Deployment: a status write keeps labels, and the collision count does not fall', (t) => {
  const created = stored(deployments, {
    metadata: { name: 'x', labels: { a: '1' } },
    spec: { selector, template },
  });
  const old = { ...created, status: { collisionCount: 2 } };
  const written = update(
    deployments,
    old,
    { metadata: { name: 'x', labels: { a: '2' } }, status: { collisionCount: 1 } },
    'status',
  );
  t.same(written.object?.metadata.labels, { a: '1' });
  t.same(messages(written), ['status.collisionCount: Invalid value: 1: cannot be decremented']);
  t.end();
});

t.test('addresses and ranges are told from what only looks like one', (t) => {
  const ok = (errors: readonly unknown[]) => errors.length === 0;
  for (const ip of ['10.0.0.1', '::1', 'fd00::1']) t.ok(ok(validateIP(ip, 'f')), ip);
  for (const ip of ['', '10.0.0', '10.0.0.256', 'fe80::1%eth0', 'x']) {
    t.match(
      validateIP(ip, 'f'),
      [{ message: /must be a valid IP address, \(e\.g\. 10\.9\.8\.7 or 2001:db8::ffff\)$/ }],
      ip,
    );
  }
  t.match(validateIP('010.0.0.1', 'f'), [{ message: /must not have leading 0s$/ }]);
  for (const cidr of ['10.0.0.0/8', '::/0', '1.2.3.4/32']) t.ok(ok(validateCidr(cidr, 'f')), cidr);
  for (const cidr of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/08', 'fd00::/129', '10.0.0.0/8/8', '10.0.0.0/'])
    t.notOk(ok(validateCidr(cidr, 'f')), cidr);
  const special = ['0.0.0.0', '::', '127.0.0.1', '::1', '169.254.1.1', 'fe80::1', '224.0.0.5', 'ff02::1'];
  for (const ip of special) t.notOk(ok(validateNonSpecialIP(ip, 'f')), ip);
  for (const ip of ['10.0.0.1', '1.0.0.0', '::2', 'fd00::1', '::1:1'])
    t.ok(ok(validateNonSpecialIP(ip, 'f')), ip);
  t.end();
});

t.test('writing back what was read changes nothing', (t) => {
  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const once = { spec: { ...template.spec, restartPolicy: 'Never' } };
  const workload = { spec: { selector: { matchLabels: { app: 'a' } }, template } };
  const bodies: Readonly<Record<string, Record<string, unknown>>> = {
    configmaps: {},
    leases: {},
    namespaces: {},
    serviceaccounts: {},
    roles: {},
    clusterroles: {},
    priorityclasses: {},
    deployments: workload,
    controllerrevisions: { data: { a: 1 } },
    clusterrolebindings: { roleRef: { kind: 'ClusterRole', name: 'a' } },
    events: { involvedObject: { namespace: 'demo' } },
    nodes: { spec: { podCIDR: '10.1.0.0/24' } },
    daemonsets: workload,
    jobs: { metadata: { name: 'x', uid: '1' }, spec: { template: once } },
    cronjobs: { spec: { schedule: '@daily', jobTemplate: { spec: { template: once } } } },
    pods: { spec: template.spec },
    podtemplates: { template },
    replicasets: workload,
    rolebindings: { roleRef: { kind: 'Role', name: 'a' } },
    replicationcontrollers: { spec: { selector: { app: 'a' }, template } },
    secrets: { stringData: { a: 'b' } },
    storageclasses: { provisioner: 'example.com/driver' },
    statefulsets: { spec: { ...workload.spec, serviceName: 'a' } },
    services: { spec: { ports: [{ port: 80 }], clusterIP: '10.0.0.9' } },
  };
  const eventsV1Body = {
    eventTime: '2026-11-22T10:00:00.000000Z',
    reportingController: 'example.com/controller',
    reportingInstance: 'one',
    action: 'Watching',
    reason: 'Tested',
    type: 'Normal',
    regarding: { namespace: 'demo' },
  };
  for (const definition of builtinResources) {
    // One plural in two groups.
    const body = definition.group === 'events.k8s.io' ? eventsV1Body : bodies[definition.plural];
    // The others are written back in manifests.test.ts.
    if (body === undefined) continue;
    const object = stored(definition, body);
    const read = { ...object, metadata: { ...object.metadata, resourceVersion: '1' } };
    const again = update(definition, read, read);
    t.same(again, { object: read, errors: [] }, definition.plural);
    const { strategy } = definition;
    t.same(strategy.warnings?.(read, read) ?? [], [], `${definition.plural} without a warning`);
  }
  t.end();
});
