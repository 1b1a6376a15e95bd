/** Rules of claims, volumes and the drivers behind them, as kube-apiserver 1.36 has them. */
import t from 'tap';
import { persistentVolumeClaims } from '../../schemas/core/v1/persistent-volume-claim.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { csiDrivers } from '../../schemas/storage/v1/csi-driver.js';
import { csiNodes } from '../../schemas/storage/v1/csi-node.js';
import { csiStorageCapacities } from '../../schemas/storage/v1/csi-storage-capacity.js';
import { storageClasses } from '../../schemas/storage/v1/storage-class.js';
import { volumeAttributesClasses } from '../../schemas/storage/v1/volume-attributes-class.js';
import { create, messages, update } from './pipeline.js';

type Fields = Record<string, unknown>;

/** As the store has it. */
function stored(definition: ResourceDefinition, body: Fields): KubeObject {
  const { object, errors } = create(definition, body);
  if (object === undefined || errors.length > 0) throw new Error(JSON.stringify(errors));
  return object;
}

const cellsOf = (definition: ResourceDefinition, object: KubeObject): unknown[] =>
  definition.columns.filter(({ name }) => name !== 'Age').map(({ cell }) => cell(object, 0));

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';
const GIBIBYTE = { requests: { storage: '1Gi' } };

const claimBody = (spec: Fields = {}, metadata: Fields = {}): Fields => ({
  metadata: { name: 'x', ...metadata },
  spec: { accessModes: ['ReadWriteOnce'], resources: GIBIBYTE, ...spec },
});
const claim = (spec?: Fields, metadata?: Fields): KubeObject =>
  stored(persistentVolumeClaims, claimBody(spec, metadata));
const bound = (old: KubeObject, status: Fields = {}): KubeObject => ({
  ...old,
  status: { phase: 'Bound', capacity: { storage: '1Gi' }, ...status },
});
const claimRefusals = (old: KubeObject, spec?: Fields, metadata?: Fields): string[] =>
  messages(update(persistentVolumeClaims, old, claimBody(spec, metadata)));

const IMMUTABLE =
  'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
/** Refusals without the diff that the first one carries. */
const firstLines = (refusals: readonly string[]): string[] =>
  refusals.map((text) => text.split('\n')[0] ?? '');

t.test('PersistentVolumeClaim: its spec stays, as a diff of the internal struct says', (t) => {
  const old = claim();
  t.same(claimRefusals(old, { accessModes: ['ReadWriteMany'] }), [
    `${IMMUTABLE}\n@@ -1,6 +1,6 @@\n {\n  "AccessModes": [\n-  "ReadWriteOnce"\n+  "ReadWriteMany"\n  ],\n  "Selector": null,\n  "Resources": {\n`,
  ]);
  t.same(claimRefusals(old, { resources: { requests: { storage: '1048576Ki' } } }), [], 'the same amount');
  t.same(claimRefusals(old, { volumeName: 'pv' }), [], 'a volume is found once');
  t.same(firstLines(claimRefusals(claim({ volumeName: 'pv' }), { volumeName: 'other' })), [IMMUTABLE]);
  t.same(firstLines(claimRefusals(old, { volumeMode: 'Block' })), [
    IMMUTABLE,
    'volumeMode: Invalid value: "Block": field is immutable',
  ]);
  t.same(claimRefusals(old, { accessModes: [] }).slice(0, 2), [
    'spec.accessModes: Required value: at least 1 access mode is required',
    'spec.accessModes: Required value: at least 1 access mode is required',
  ]);
  t.end();
});

t.test('PersistentVolumeClaim: a bound one may grow, and shrink to what has not grown yet', (t) => {
  const sized = (storage: string): Fields => ({ resources: { requests: { storage } } });
  const old = claim();
  t.same(firstLines(claimRefusals(old, sized('2Gi'))), [IMMUTABLE], 'not before it is bound');
  t.same(claimRefusals(bound(old), sized('2Gi')), []);
  const growing = bound(claim(sized('5Gi')));
  t.same(claimRefusals(growing, sized('2Gi')), []);
  t.same(claimRefusals(growing, sized('1Gi')), [
    'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
  ]);
  t.end();
});

t.test('PersistentVolumeClaim: a class is chosen once, in the annotation or in the field', (t) => {
  t.same(claimRefusals(claim(), { storageClassName: 'fast' }), []);
  t.same(firstLines(claimRefusals(claim({ storageClassName: 'fast' }), { storageClassName: 'slow' })), [
    IMMUTABLE,
  ]);
  const annotations = { [CLASS_ANNOTATION]: 'fast' };
  const annotated = claim({}, { annotations });
  t.same(claimRefusals(annotated, { storageClassName: 'fast' }), [], 'moved');
  t.same(claimRefusals(annotated, { storageClassName: 'fast' }, { annotations }), [], 'in both');
  t.same(firstLines(claimRefusals(annotated, { storageClassName: 'slow' }, { annotations })), [IMMUTABLE]);
  t.same(claimRefusals(annotated, {}, { annotations: { [CLASS_ANNOTATION]: 'slow' } }), [
    `metadata.annotations.${CLASS_ANNOTATION}: Invalid value: "slow": field is immutable`,
  ]);
  t.same(persistentVolumeClaims.strategy.warnings?.(annotated), [
    `metadata.annotations[${CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead`,
  ]);
  t.end();
});

t.test('PersistentVolumeClaim: the class of what can change is not left once it has been reached', (t) => {
  const gold = claim({ volumeAttributesClassName: 'gold' });
  t.same(firstLines(claimRefusals(gold, { volumeAttributesClassName: 'silver' })), [IMMUTABLE]);
  t.same(claimRefusals(bound(gold), { volumeAttributesClassName: 'silver' }), []);
  t.same(claimRefusals(bound(gold), {}), []);
  const reached = bound(gold, { currentVolumeAttributesClassName: 'gold' });
  const why = (what: string) =>
    `spec.volumeAttributesClassName: Forbidden: update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`;
  t.same(claimRefusals(reached, {}), [why('nil')]);
  t.same(claimRefusals(reached, { volumeAttributesClassName: '' }), [why('empty string')]);
  t.same(claimRefusals(reached, { volumeAttributesClassName: 'silver' }), []);
  t.end();
});

t.test('PersistentVolumeClaim: both fields name the same source', (t) => {
  const sources = (spec: Fields, old?: KubeObject): unknown[] => {
    const { object } = old
      ? update(persistentVolumeClaims, old, claimBody(spec))
      : create(persistentVolumeClaims, claimBody(spec));
    const { dataSource, dataSourceRef } = (object?.['spec'] ?? {}) as Fields;
    return [dataSource, dataSourceRef];
  };
  const other = { kind: 'PersistentVolumeClaim', name: 'other' };
  const custom = { apiGroup: 'example.com', kind: 'Image', name: 'i' };
  const printed = { apiGroup: null, ...other };
  t.same(sources({ dataSource: other }), [printed, printed]);
  t.same(sources({ dataSourceRef: custom }), [custom, custom]);
  t.same(sources({ dataSource: custom }), [undefined, undefined], 'the former field names no such kinds');
  t.same(sources({ dataSource: custom }, claim({ dataSourceRef: custom })), [custom, custom]);
  t.same(sources({ dataSourceRef: { ...other, namespace: 'far' } }), [undefined, undefined], 'feature off');
  t.end();
});

t.test('PersistentVolumeClaim: its status', (t) => {
  const old = claim();
  const status = (fields: Fields): string[] =>
    messages(update(persistentVolumeClaims, old, { ...claimBody(), status: fields }, 'status'));
  t.same(
    status({ phase: 'Bound', capacity: { storage: '1Gi' }, allocatedResources: { 'example.com/x': '1' } }),
    [],
  );
  t.same(
    status({
      capacity: { storage: '-1' },
      allocatedResourceStatuses: { storage: 'Growing', cpu: 'NodeResizePending' },
      allocatedResources: { storage: '-2', memory: '1', 'a b': '1' },
    }),
    [
      'status.capacity[storage]: Invalid value: "-1": must be greater than or equal to 0',
      'status.allocatedResourceStatus: Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
      'status.allocatedResourceStatus: Unsupported value: "cpu": supported values: "storage"',
      'status.allocatedResources[storage]: Invalid value: "-2": must be greater than or equal to 0',
      'status.allocatedResources: Unsupported value: "memory": supported values: "storage"',
      `status.allocatedResources: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    ],
  );
  const { object } = update(persistentVolumeClaims, old, claimBody({ volumeName: 'pv' }), 'status');
  t.same(object?.['spec'], old['spec'], 'nothing else');
  t.end();
});

t.test('PersistentVolumeClaim: its row', (t) => {
  const fresh = claim({ storageClassName: 'fast' });
  t.same(cellsOf(persistentVolumeClaims, fresh), [
    'x',
    'Pending',
    '',
    '',
    '',
    'fast',
    '<unset>',
    'Filesystem',
  ]);
  const accessModes = ['ReadWriteOncePod', 'ReadWriteMany', 'ReadOnlyMany', 'ReadWriteOnce'];
  const full = bound(claim({ volumeName: 'pv', volumeAttributesClassName: 'gold' }), { accessModes });
  t.same(cellsOf(persistentVolumeClaims, full), [
    'x',
    'Bound',
    'pv',
    '1Gi',
    'RWO,ROX,RWX,RWOP',
    '',
    'gold',
    'Filesystem',
  ]);
  const going = { ...fresh, metadata: { ...fresh.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  t.equal(cellsOf(persistentVolumeClaims, going)[1], 'Terminating');
  t.end();
});

t.test('CSIDriver: what volumes it has, and whether they are attached, stays', (t) => {
  const body = (spec: Fields): Fields => ({ metadata: { name: 'd' }, spec });
  const old = stored(csiDrivers, body({}));
  const changed = (spec: Fields) => update(csiDrivers, old, body(spec));
  t.same(messages(changed({ attachRequired: false, volumeLifecycleModes: ['Ephemeral'] })), [
    'spec.attachedRequired: Invalid value: false: field is immutable',
    'spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable',
  ]);
  t.same(messages(changed({ podInfoOnMount: true, fsGroupPolicy: 'None' })), []);
  t.equal(changed({}).object?.metadata.generation, undefined, 'a new one has no generation');
  t.equal(changed({ podInfoOnMount: true }).object?.metadata.generation, 1);

  const warned = [
    'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes',
  ];
  const tokens = stored(csiDrivers, body({ tokenRequests: [{ audience: 'a' }, { audience: 'b' }] }));
  const warnings = (object: KubeObject, before?: KubeObject) =>
    csiDrivers.strategy.warnings?.(object, before);
  t.same(warnings(tokens), warned);
  t.same(warnings(tokens, old), warned);
  t.same(warnings(tokens, tokens), []);
  t.same(cellsOf(csiDrivers, tokens), ['d', true, false, false, 'a,b', false, 'Persistent']);
  t.equal(cellsOf(csiDrivers, old)[4], '<unset>');
  t.end();
});

t.test('CSINode: drivers come and go, and only how much a node can take changes', (t) => {
  const body = (...drivers: Fields[]): Fields => ({ metadata: { name: 'n' }, spec: { drivers } });
  const driver = { name: 'd', nodeID: 'i', allocatable: { count: 1 } };
  const old = stored(csiNodes, body(driver));
  const refusals = (...drivers: Fields[]) => messages(update(csiNodes, old, body(...drivers)));
  t.same(refusals({ ...driver, allocatable: { count: 2 } }, { name: 'e', nodeID: 'i' }), []);
  t.same(refusals(), []);
  t.same(refusals({ ...driver, nodeID: 'j' }), [
    'spec.drivers: Invalid value: {"Name":"d","NodeID":"j","TopologyKeys":null,"Allocatable":null}: field is immutable',
  ]);
  const long = (length: number) =>
    messages(create(csiNodes, body({ name: 'd', nodeID: 'x'.repeat(length) })));
  t.same(long(256), []);
  t.match(long(257), [/nodeID: Invalid value: "x+": must be 256 characters or less$/]);
  t.same(cellsOf(csiNodes, old), ['n', 1]);
  t.end();
});

t.test('CSIStorageCapacity: the answer changes, the question does not', (t) => {
  const body = (fields: Fields): Fields => ({ metadata: { name: 'c' }, storageClassName: 'fast', ...fields });
  const old = stored(csiStorageCapacities, body({ capacity: '1Gi' }));
  const refusals = (fields: Fields) => messages(update(csiStorageCapacities, old, body(fields)));
  t.same(refusals({ capacity: '2Gi', maximumVolumeSize: '1Gi' }), []);
  t.same(refusals({ storageClassName: 'slow', nodeTopology: { matchLabels: { a: 'b' } } }), [
    'nodeTopology: Invalid value: {"matchLabels":{"a":"b"}}: field is immutable',
    'storageClassName: Invalid value: "slow": field is immutable',
  ]);
  const matchExpressions = [{ key: 'beta.kubernetes.io/os', operator: 'Exists' }];
  const zone = 'failure-domain.beta.kubernetes.io/zone';
  const nodeTopology = { matchExpressions, matchLabels: { [zone]: 'a', b: 'c' } };
  t.same(csiStorageCapacities.strategy.warnings?.(stored(csiStorageCapacities, body({ nodeTopology }))), [
    'nodeTopology.matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
    `nodeTopology.matchLabels.${zone}: deprecated since v1.17; use "topology.kubernetes.io/zone" instead`,
  ]);
  const made = { ...old, metadata: { name: 'c', creationTimestamp: '2026-01-01T00:00:00Z' } };
  t.same(cellsOf(csiStorageCapacities, made), ['c', '2026-01-01T00:00:00Z']);
  t.end();
});

t.test('VolumeAttributesClass: nothing of it changes', (t) => {
  const body = { metadata: { name: 'gold' }, driverName: 'd.example.com', parameters: { iops: '1' } };
  const old = stored(volumeAttributesClasses, body);
  const changed = { ...body, driverName: 'e', parameters: {} };
  t.same(messages(update(volumeAttributesClasses, old, changed)), [
    'driverName: Forbidden: updates to driverName are forbidden.',
    'parameters: Forbidden: updates to parameters are forbidden.',
    'parameters: Required value: must contain at least one key/value pair',
  ]);
  t.same(cellsOf(volumeAttributesClasses, old), ['gold', 'd.example.com']);
  t.end();
});

t.test('StorageClass: terms that say the same are told of as often as upstream does, to a bound', (t) => {
  const term = (...values: string[]) => ({ matchLabelExpressions: [{ key: 'zone', values }] });
  const refused = (...allowedTopologies: Fields[]) =>
    messages(create(storageClasses, { metadata: { name: 's' }, provisioner: 'x', allowedTopologies }));
  const duplicate = (i: number) => `allowedTopologies[${i}].matchLabelExpressions: Duplicate value: ""`;
  t.same(refused(term('a', 'b'), term('b', 'a'), term('c')), [duplicate(1)]);
  t.same(refused(term('a'), term('a'), term('a')), [duplicate(1), duplicate(2), duplicate(2)]);
  t.equal(refused(...Array.from({ length: 100_000 }, () => ({ matchLabelExpressions: [] }))).length, 1000);
  t.end();
});
