/**
 * Rules of DeviceClass, ResourceClaim, ResourceClaimTemplate and ResourceSlice that a manifest cannot show, as
 * kube-apiserver 1.36 has them with the features that are on by default.
 */
import t from 'tap';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { deviceClasses } from '../../schemas/resource/v1/device-class.js';
import { resourceClaims } from '../../schemas/resource/v1/resource-claim.js';
import { resourceClaimTemplates } from '../../schemas/resource/v1/resource-claim-template.js';
import { resourceSlices } from '../../schemas/resource/v1/resource-slice.js';
import { create, messages, update } from './pipeline.js';

type Fields = Record<string, unknown>;

const metadata = { name: 'x' };
const SHARE = '01234567-89ab-cdef-0123-456789abcdef';

function stored(definition: ResourceDefinition, spec: unknown, status?: unknown): KubeObject {
  const outcome = create(definition, { metadata, spec });
  if (outcome.object === undefined || outcome.errors.length > 0) throw new Error(JSON.stringify(outcome));
  return status === undefined ? outcome.object : { ...outcome.object, status };
}

const refusals = (definition: ResourceDefinition, spec: unknown): string[] =>
  messages(create(definition, { metadata, spec }));

const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const manyKeys = (count: number, value: unknown): Fields =>
  Object.fromEntries(many(count, (i) => [`a${i}`, value]));

const request = (i: number) => ({ name: `r${i}`, exactly: { deviceClassName: 'c' } });
const claimSpec = { devices: { requests: [request(0), request(1)] } };
const claim = (devices: object) => ({ devices: { requests: [request(0)], ...devices } });
const opaque = (parameters: unknown) => ({ opaque: { driver: 'd', parameters } });

t.test('limits, at the most and one more', (t) => {
  const requests = (count: number) =>
    refusals(resourceClaims, { devices: { requests: many(count, request) } });
  t.same(requests(32), []);
  t.same(requests(33), ['spec.devices.requests: Too many: 33: must have at most 32 items']);

  const possibility = (i: number) => ({ name: `p${i}`, deviceClassName: 'c' });
  const possibilities = (count: number) =>
    refusals(resourceClaims, {
      devices: { requests: [{ name: 'r', firstAvailable: many(count, possibility) }] },
    });
  t.same(possibilities(8), []);
  t.same(possibilities(9), [
    'spec.devices.requests[0].firstAvailable: Too many: 9: must have at most 8 items',
  ]);

  const constraints = (count: number) =>
    refusals(resourceClaims, claim({ constraints: many(count, () => ({ matchAttribute: 'd/a' })) }));
  t.same(constraints(32), []);
  t.same(constraints(33), ['spec.devices.constraints: Too many: 33: must have at most 32 items']);

  const config = (count: number) =>
    refusals(resourceClaims, claim({ config: many(count, () => opaque({ a: 1 })) }));
  t.same(config(32), []);
  t.same(config(33), ['spec.devices.config: Too many: 33: must have at most 32 items']);

  const selectors = (count: number) =>
    refusals(deviceClasses, { selectors: many(count, () => ({ cel: { expression: 'true' } })) });
  t.same(selectors(32), []);
  t.same(selectors(33), ['spec.selectors: Too many: 33: must have at most 32 items']);

  const expression = (bytes: number) =>
    refusals(deviceClasses, { selectors: [{ cel: { expression: 'x'.repeat(bytes) } }] });
  t.same(expression(10_240), []);
  t.same(expression(10_241), [
    'spec.selectors[0].cel.expression: Too long: may not be more than 10240 bytes',
  ]);

  const parameters = (bytes: number) =>
    refusals(deviceClasses, { config: [opaque({ a: 'x'.repeat(bytes - '{"a":""}'.length) })] });
  t.same(parameters(10_240), []);
  t.same(parameters(10_241), [
    'spec.config[0].opaque.parameters: Too long: may not be more than 10240 bytes',
  ]);
  t.end();
});

t.test('a class may keep parameters that are longer than they may be now', (t) => {
  const long = { config: [opaque({ a: 'x'.repeat(20_000) })] };
  const old: KubeObject = { ...stored(deviceClasses, {}), spec: long };
  t.same(messages(update(deviceClasses, old, { metadata, spec: long })), []);
  const other = { config: [...long.config, opaque({ b: 1 })] };
  t.same(messages(update(deviceClasses, old, { metadata, spec: other })), [
    'spec.config[0].opaque.parameters: Too long: may not be more than 10240 bytes',
  ]);
  t.end();
});

t.test('extended resources have a domain that is not Kubernetes’ own', (t) => {
  for (const [name, good] of [
    ['example.com/gpu', true],
    ['gpu', false],
    ['kubernetes.io/gpu', false],
    ['requests.example.com/gpu', false],
    ['example.com/a b', false],
  ] as const) {
    t.equal(refusals(deviceClasses, { extendedResourceName: name }).length === 0, good, name);
  }
  t.end();
});

t.test('what a claim asks for never changes, nor what its template says', (t) => {
  const old = stored(resourceClaims, claimSpec);
  const changed = { devices: { requests: [request(0)] } };
  t.same(messages(update(resourceClaims, old, { metadata, spec: claimSpec })), []);
  t.same(messages(update(resourceClaims, old, { metadata, spec: changed })), [
    'spec: Invalid value: {"Devices":{"Requests":[{"Name":"r0","Exactly":{"DeviceClassName":"c","Selectors":null,"AllocationMode":"ExactCount","Count":1,"AdminAccess":null,"Tolerations":null,"Capacity":null},"FirstAvailable":null}],"Constraints":null,"Config":null}}: field is immutable',
  ]);
  const template = (labels: object) => ({ metadata: { labels }, spec: { devices: {} } });
  const oldTemplate = stored(resourceClaimTemplates, template({ a: 'b' }));
  const rewrite = (spec: object) => messages(update(resourceClaimTemplates, oldTemplate, { metadata, spec }));
  t.same(rewrite(template({ a: 'b' })), []);
  t.same(rewrite(template({ a: 'c' })), [
    'spec: Invalid value: {"labels":{"a":"c"},"Spec":{"Devices":{"Requests":null,"Constraints":null,"Config":null}}}: field is immutable',
  ]);
  t.end();
});

const result = (more: object = {}) => ({ request: 'r0', driver: 'd', pool: 'p', device: 'dev-0', ...more });
const allocation = (...results: object[]) => ({ devices: { results } });
const pod = (uid: string) => ({ resource: 'pods', name: 'p', uid });

/** A write of the status over a claim with another one. */
function writeStatus(old: unknown, status: unknown, more: object = {}) {
  const before = stored(resourceClaims, claimSpec, old);
  Object.assign(before.metadata, more);
  return update(resourceClaims, before, { metadata: { ...metadata, ...more }, spec: {}, status }, 'status');
}

t.test('status: what was given is of the claim, and does not change', (t) => {
  t.same(messages(writeStatus({}, { allocation: allocation(result()) })), []);
  const wrong = result({
    request: 'nobody',
    driver: '',
    pool: '',
    device: 'Dev',
    shareID: 'abc',
    bindingConditions: ['a'],
    bindingFailureConditions: ['a'],
  });
  const path = 'status.allocation.devices.results[0]';
  const lines = messages(writeStatus({}, { allocation: allocation(wrong) }));
  t.same(
    lines.map((line) => line.slice(0, 120)),
    [
      `${path}.request: Invalid value: "nobody": must be the name of a request in the claim or the name of a reques`,
      `${path}.driver: Required value`,
      `${path}.driver: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric ch`,
      `${path}.pool: Required value`,
      `${path}.device: Invalid value: "Dev": a lowercase RFC 1123 label must consist of lower case alphanumeric cha`,
      `${path}.bindingFailureConditions[0]: Invalid value: "a": bindingFailureConditions must not overlap with bind`,
      `${path}.shareID: Invalid value: "abc": error validating uid: invalid UUID length: 3`,
    ].map((line) => line.slice(0, 120)),
  );
  const given = { allocation: allocation(result()) };
  t.same(messages(writeStatus(given, given)), []);
  t.match(messages(writeStatus(given, { allocation: allocation(result({ device: 'dev-1' })) })), [
    /^status.allocation: Invalid value: \{"Devices":\{"Results":\[\{"Request":"r0",.*\}: field is immutable$/,
  ]);
  t.same(messages(writeStatus(given, {})), [], 'given back');
  t.end();
});

t.test('status: shares are told apart by an id of theirs', (t) => {
  const share = (shareID: string) =>
    messages(writeStatus({}, { allocation: allocation(result({ shareID })) }));
  const path = 'status.allocation.devices.results[0].shareID';
  t.same(share(SHARE), []);
  t.same(share(SHARE.replaceAll('-', '_')), [
    `${path}: Invalid value: "${SHARE.replaceAll('-', '_')}": error validating uid: invalid UUID format`,
  ]);
  t.match(share(SHARE.toUpperCase()), [/uid must be in RFC 4122 normalized form/]);
  t.end();
});

t.test('status: configuration comes from the class or from the claim', (t) => {
  const config = (more: object) => ({ allocation: { devices: { config: [{ ...opaque({}), ...more }] } } });
  const path = 'status.allocation.devices.config[0]';
  t.same(messages(writeStatus({}, config({ source: 'FromClass', requests: ['r0'] }))), []);
  t.same(messages(writeStatus({}, config({}))), [`${path}.source: Required value`]);
  t.match(messages(writeStatus({}, config({ source: 'FromMe', requests: ['r2'] }))), [
    `${path}.source: Unsupported value: "FromMe": supported values: "FromClaim", "FromClass"`,
    /requests\[0\]: Invalid value: "r2": must be the name of a request in the claim/,
  ]);
  t.end();
});

t.test('status: it is reserved for those who are named, as long as it is not being deleted', (t) => {
  const given = { allocation: allocation(result()) };
  t.same(messages(writeStatus({}, { reservedFor: [pod('1')] })), [
    'status.reservedFor: Forbidden: may not be specified when `allocated` is not set',
  ]);
  t.same(messages(writeStatus(given, { ...given, reservedFor: [{}, pod('1'), pod('1')] })), [
    'status.reservedFor[0].resource: Required value',
    'status.reservedFor[0].name: Required value',
    'status.reservedFor[0].uid: Required value',
    'status.reservedFor[2]: Duplicate value: "1"',
  ]);
  const reserved = (count: number) =>
    messages(writeStatus(given, { ...given, reservedFor: many(count, (i) => pod(String(i))) }));
  t.same(reserved(256), []);
  t.same(reserved(257), ['status.reservedFor: Too many: 257: must have at most 256 items']);
  const going = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  const old = { ...given, reservedFor: [pod('1'), pod('2')] };
  t.same(messages(writeStatus(old, { ...given, reservedFor: [pod('1')] }, going)), []);
  t.same(messages(writeStatus(old, { ...given, reservedFor: [pod('1'), pod('3')] }, going)), [
    'status.reservedFor: Forbidden: new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
  ]);
  t.end();
});

t.test('status: drivers say how devices are that were given', (t) => {
  const given = { allocation: allocation(result(), result({ device: 'dev-1', shareID: SHARE })) };
  const condition = (type: string) => ({
    type,
    status: 'True',
    reason: 'Fine',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
  const device = (more: object = {}) => ({ driver: 'd', pool: 'p', device: 'dev-0', ...more });
  const write = (...devices: object[]) => messages(writeStatus(given, { ...given, devices }));
  const network = { interfaceName: 'eth0', ips: ['192.0.2.5/24', '2001:db8::5/64'], hardwareAddress: 'a' };
  t.same(
    write(
      device({ conditions: [condition('Ready')], data: { a: 1 }, networkData: network }),
      device({ device: 'dev-1', shareID: SHARE }),
    ),
    [],
  );
  t.same(write(device({ device: 'dev-2' }), device(), device()), [
    'status.devices[0]: Invalid value: d/p/dev-2: must be an allocated device in the claim',
    'status.devices[2]: Duplicate value: "d/p/dev-0"',
  ]);
  t.same(write(device({ device: 'dev-1' })), [
    'status.devices[0]: Invalid value: d/p/dev-1: must be an allocated device in the claim',
  ]);
  const path = 'status.devices[0]';
  t.same(
    write(
      device({
        conditions: [{ ...condition('Ready'), status: 'Perhaps', reason: '' }],
        data: ['a'],
        networkData: { ...network, interfaceName: 'x'.repeat(257), ips: ['192.0.2.5', '2001:DB8::5/64'] },
      }),
    ),
    [
      `${path}.conditions[0].status: Unsupported value: "Perhaps": supported values: "False", "True", "Unknown"`,
      `${path}.conditions[0].reason: Required value: must be set`,
      `${path}.data: Invalid value: "<value omitted>": must be a valid JSON object`,
      `${path}.networkData.interfaceName: Too long: may not be more than 256 bytes`,
      `${path}.networkData.ips[0]: Invalid value: "192.0.2.5": must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)`,
      `${path}.networkData.ips[1]: Invalid value: "2001:DB8::5/64": must be in canonical form ("2001:db8::5/64")`,
    ],
  );
  t.same(write(device({ conditions: many(9, (i) => condition(`C${i}`)) })), [
    `${path}.conditions: Too many: 9: must have at most 8 items`,
  ]);
  t.end();
});

t.test('status: what drivers said goes with the devices, and metadata stays', (t) => {
  const devices = [{ driver: 'd', pool: 'p', device: 'dev-0' }];
  const old = { allocation: allocation(result()), devices };
  const outcome = writeStatus(old, { devices });
  t.same(messages(outcome), []);
  t.same(outcome.object?.['status'], {});
  const before = stored(resourceClaims, claimSpec, {});
  before.metadata.labels = { a: 'b' };
  const body = { metadata: { ...metadata, labels: { c: 'd' }, finalizers: ['example.com/x'] }, status: old };
  const written = update(resourceClaims, before, body, 'status').object;
  t.same(written?.metadata.labels, { a: 'b' });
  t.equal(written?.metadata.finalizers, undefined);
  t.same(written?.['spec'], before['spec']);
  const plain = update(resourceClaims, before, { metadata, spec: claimSpec, status: old }).object;
  t.same(plain?.['status'], {}, 'a plain write leaves the status');
  t.end();
});

const sliceSpec = (more: object = {}) => ({
  driver: 'd',
  pool: { name: 'p', resourceSliceCount: 1 },
  nodeName: 'n',
  ...more,
});
const devicesOf = (count: number, more: object = {}) => many(count, (i) => ({ name: `d${i}`, ...more }));

t.test('slices: limits, at the most and one more', (t) => {
  const slice = (more: object) => refusals(resourceSlices, sliceSpec(more));
  const taints = [{ key: 'a', effect: 'NoSchedule' }];
  t.same(slice({ devices: devicesOf(128) }), []);
  t.same(slice({ devices: devicesOf(129) }), ['spec.devices: Too many: 129: must have at most 128 items']);
  t.same(slice({ devices: devicesOf(64, { taints }) }), []);
  t.same(slice({ devices: devicesOf(65, { taints }) }), [
    'spec.devices: Too many: 65: must have at most 64 items',
  ]);
  const device = (more: object) => slice({ devices: devicesOf(1, more) });
  const path = 'spec.devices[0]';
  const bool = { bool: true };
  t.same(device({ attributes: manyKeys(31, bool), capacity: { m: { value: '1' } } }), []);
  t.same(device({ attributes: manyKeys(32, bool), capacity: { m: { value: '1' } } }), [
    `${path}: Invalid value: 33: the total number of attributes and capacities must not exceed 32`,
  ]);
  t.same(device({ attributes: { a: { string: 'x'.repeat(64) } } }), []);
  t.same(device({ attributes: { a: { string: 'x'.repeat(65) } } }), [
    `${path}.attributes[a].string: Too long: may not be more than 64 bytes`,
  ]);
  t.same(device({ attributes: { ['x'.repeat(32)]: bool } }), []);
  t.same(device({ attributes: { ['x'.repeat(33)]: bool } }), [
    `${path}.attributes[${'x'.repeat(33)}]: Too long: may not be more than 32 bytes`,
  ]);
  const long = 'x'.repeat(200);
  t.same(device({ attributes: { [long]: bool } }), [
    `${path}.attributes[${'x'.repeat(47)}...${'x'.repeat(46)}]: Too long: may not be more than 32 bytes`,
  ]);
  const taint = (i: number) => ({ key: `k${i}`, effect: 'None' });
  t.same(device({ taints: many(16, taint) }), []);
  t.same(device({ taints: many(17, taint) }), [`${path}.taints: Too many: 17: must have at most 16 items`]);
  const consumed = (i: number) => ({ counterSet: `s${i}`, counters: { m: { value: '1' } } });
  t.same(device({ consumesCounters: many(2, consumed) }), []);
  t.same(device({ consumesCounters: many(3, consumed) }), [
    `${path}.consumesCounters: Too many: 3: must have at most 2 items`,
  ]);
  const set = (i: number) => ({ name: `s${i}`, counters: manyKeys(32, { value: '1' }) });
  t.same(slice({ sharedCounters: many(8, set) }), []);
  t.same(slice({ sharedCounters: many(9, set) }), [
    'spec.sharedCounters: Too many: 9: must have at most 8 items',
  ]);
  t.same(slice({ sharedCounters: [{ name: 's', counters: manyKeys(33, { value: '1' }) }] }), [
    'spec.sharedCounters[0].counters: Too many: 33: must have at most 32 items',
  ]);
  t.end();
});

t.test('slices: where devices can be used is said once', (t) => {
  const { nodeName: _, ...nowhere } = sliceSpec();
  const place = (more: object) => refusals(resourceSlices, { ...nowhere, ...more });
  const one = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] };
  t.same(place({ allNodes: true }), []);
  t.same(place({ nodeSelector: { nodeSelectorTerms: [term] } }), []);
  t.same(place({}), [`spec: Required value: ${one}`]);
  t.same(place({ nodeName: '', allNodes: false, perDeviceNodeSelection: false }), [
    'spec.nodeName: Invalid value: "": must be either unset or set to a non-empty string',
    'spec.allNodes: Invalid value: false: must be either unset or set to true',
    'spec.perDeviceNodeSelection: Invalid value: false: must be either unset or set to true',
    `spec: Required value: ${one}`,
  ]);
  t.match(place({ nodeSelector: { nodeSelectorTerms: [term, term] } }), [
    /^spec.nodeSelector.nodeSelectorTerms: Invalid value: .*: must have exactly one node selector term$/,
  ]);
  const device = (more: object) => place({ perDeviceNodeSelection: true, devices: [{ name: 'd', ...more }] });
  const each =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  t.same(device({ allNodes: true }), []);
  t.same(device({}), [`spec.devices[0]: Required value: ${each}`]);
  t.same(device({ nodeName: 'n', allNodes: true }), [
    `spec.devices[0]: Invalid value: "{\`nodeName\`, \`allNodes\`}": ${each}`,
  ]);
  t.end();
});

t.test('slices: pool, driver and node stay', (t) => {
  const old = stored(resourceSlices, sliceSpec());
  const spec = { ...sliceSpec({ driver: 'e', nodeName: 'm' }), pool: { name: 'q', resourceSliceCount: 1 } };
  t.same(messages(update(resourceSlices, old, { metadata, spec })), [
    'spec.pool.name: Invalid value: "q": field is immutable',
    'spec.driver: Invalid value: "e": field is immutable',
    'spec.nodeName: Invalid value: "m": field is immutable',
  ]);
  t.end();
});

t.test('slices: a taint that was there is not looked at again', (t) => {
  const devices = devicesOf(1, { taints: [{ key: 'a', effect: 'Later' }] });
  const old: KubeObject = { ...stored(resourceSlices, sliceSpec()), spec: sliceSpec({ devices }) };
  t.same(messages(update(resourceSlices, old, { metadata, spec: sliceSpec({ devices }) })), []);
  const more = devicesOf(1, {
    taints: [
      { key: 'a', effect: 'Later' },
      { key: 'b', effect: 'None' },
    ],
  });
  t.same(messages(update(resourceSlices, old, { metadata, spec: sliceSpec({ devices: more }) })), [
    'spec.devices[0].taints[0].effect: Unsupported value: "Later": supported values: "NoExecute", "NoSchedule", "None"',
  ]);
  t.end();
});

t.test('slices: a taint is as old as the write that brought it', (t) => {
  const object = stored(
    resourceSlices,
    sliceSpec({ devices: devicesOf(1, { taints: [{ key: 'a', effect: 'None' }] }) }),
  );
  resourceSlices.strategy.defaults?.(object, Date.parse('2026-01-02T03:04:05.678Z'));
  t.match(object['spec'], { devices: [{ taints: [{ timeAdded: '2026-01-02T03:04:05Z' }] }] });
  resourceSlices.strategy.defaults?.(object, Date.parse('2027-01-01T00:00:00Z'));
  t.match(object['spec'], { devices: [{ taints: [{ timeAdded: '2026-01-02T03:04:05Z' }] }] });
  t.end();
});

t.test('cells', (t) => {
  const cells = (definition: ResourceDefinition, object: KubeObject): unknown[] =>
    definition.columns.filter(({ name }) => name !== 'Age').map(({ cell }) => cell(object, 0));
  const given = { allocation: allocation(result()) };
  const state = (status: object, more: object = {}) => {
    const object = stored(resourceClaims, claimSpec, status);
    Object.assign(object.metadata, more);
    return cells(resourceClaims, object)[1];
  };
  const going = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  t.equal(state({}), 'pending');
  t.equal(state(given), 'allocated');
  t.equal(state({ ...given, reservedFor: [pod('1')] }), 'allocated,reserved');
  t.equal(state({}, going), 'deleted');
  t.equal(state(given, going), 'deleted,allocated');
  t.same(cells(resourceSlices, stored(resourceSlices, sliceSpec())), ['x', 'n', 'd', 'p']);
  t.same(cells(deviceClasses, stored(deviceClasses, {})), ['x']);
  t.same(cells(resourceClaimTemplates, stored(resourceClaimTemplates, { spec: { devices: {} } })), ['x']);
  t.end();
});
