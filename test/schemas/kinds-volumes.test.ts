/** Rules of persistent volumes and their attachments to nodes, as kube-apiserver 1.36 has them. */
import t from 'tap';
import { persistentVolumes } from '../../schemas/core/v1/persistent-volume.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { volumeAttachments } from '../../schemas/storage/v1/volume-attachment.js';
import { create, messages, requester, update } from './pipeline.js';

type Fields = Record<string, unknown>;

/** As the store has it. */
function stored(definition: ResourceDefinition, body: Fields): KubeObject {
  const { object, errors } = create(definition, body);
  if (object === undefined || errors.length > 0) throw new Error(JSON.stringify(errors));
  return object;
}

const cellsOf = (definition: ResourceDefinition, object: KubeObject): unknown[] =>
  definition.columns.filter(({ name }) => name !== 'Age').map(({ cell }) => cell(object, 0));

const volumeBody = (source: Fields, spec: Fields = {}, metadata: Fields = {}): Fields => ({
  metadata: { name: 'x', ...metadata },
  spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...source, ...spec },
});
const NFS = { nfs: { server: 's', path: '/p' } };
const CSI = { csi: { driver: 'd.example.com', volumeHandle: 'h' } };
const volume = (source: Fields = NFS, spec?: Fields): KubeObject =>
  stored(persistentVolumes, volumeBody(source, spec));
const refusals = (source: Fields, spec?: Fields, metadata?: Fields): string[] =>
  messages(create(persistentVolumes, volumeBody(source, spec, metadata)));
const updateRefusals = (old: KubeObject, source: Fields, spec?: Fields): string[] =>
  messages(update(persistentVolumes, old, volumeBody(source, spec)));
const secretRef = { name: 'n', namespace: 'ns' };

t.test('PersistentVolume: what each source must have', (t) => {
  const cases: readonly (readonly [source: Fields, ...refusals: string[]])[] = [
    [{}, 'spec: Required value: must specify a volume type'],
    [{ hostPath: {} }, 'spec.hostPath.path: Required value'],
    [{ gcePersistentDisk: {} }, 'spec.persistentDisk.pdName: Required value'],
    [
      { awsElasticBlockStore: { volumeID: 'v', partition: 256 } },
      'spec.awsElasticBlockStore.partition: Invalid value: 256: must be between 1 and 255, inclusive',
    ],
    [
      { glusterfs: { endpoints: 'e', path: 'p', endpointsNamespace: '' } },
      'spec.glusterfs.endpointsNamespace: Invalid value: "": if the endpointnamespace is set, it must be a valid namespace name',
    ],
    [{ glusterfs: {} }, 'spec.glusterfs.endpoints: Required value', 'spec.glusterfs.path: Required value'],
    [{ flocker: {} }, 'spec.flocker: Required value: one of datasetName and datasetUUID is required'],
    [{ nfs: { server: 's', path: 'p' } }, 'spec.nfs.path: Invalid value: "p": must be an absolute path'],
    [{ rbd: {} }, 'spec.rbd.monitors: Required value', 'spec.rbd.image: Required value'],
    [
      { quobyte: { registry: 'a', volume: 'v' } },
      'spec.quobyte.registry: Invalid value: "a": must be a host:port pair or multiple pairs separated by commas',
    ],
    [{ cephfs: { path: '/' } }, 'spec.cephfs.monitors: Required value'],
    [{ cinder: {} }, 'spec.cinder.volumeID: Required value'],
    [
      { cinder: { volumeID: 'v', secretRef: {} } },
      'spec.cinder.secretRef.name: Required value',
      'spec.cinder.secretRef.namespace: Required value',
    ],
    [
      { fc: { targetWWNs: ['w'] } },
      'spec.fc.lun: Required value: lun is required if targetWWNs is specified',
    ],
    [{ flexVolume: {} }, 'spec.flexVolume.driver: Required value'],
    [
      { azureFile: { secretNamespace: '' } },
      'spec.azureFile.secretName: Required value',
      'spec.azureFile.shareName: Required value',
      'spec.azureFile.secretNamespace: Required value',
    ],
    [{ vsphereVolume: {} }, 'spec.vsphereVolume.volumePath: Required value'],
    [{ photonPersistentDisk: {} }, 'spec.photonPersistentDisk.pdID: Required value'],
    [{ portworxVolume: {} }, 'spec.portworxVolume.volumeID: Required value'],
    [
      { azureDisk: { diskName: 'd', diskURI: 'u', kind: 'Managed' } },
      'spec.azureDisk.diskURI: Unsupported value: "u": supported values: "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"',
    ],
    [{ scaleIO: { gateway: 'g', system: 's' } }, 'spec.scaleIO.volumeName: Required value'],
    [
      { storageos: { secretRef: { name: 'n' } } },
      'spec.storageos.volumeName: Required value',
      'spec.storageos.secretRef.namespace: Required value',
    ],
    [
      { csi: { controllerPublishSecretRef: {}, nodeStageSecretRef: {} } },
      'spec.csi.driver: Required value',
      `spec.csi.driver: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
      'spec.csi.volumeHandle: Required value',
      'spec.csi.controllerPublishSecretRef.name: Required value',
      'spec.csi.controllerPublishSecretRef.namespace: Required value',
    ],
  ];
  for (const [source, ...expected] of cases) t.same(refusals(source), expected, JSON.stringify(source));
  t.end();
});

t.test('PersistentVolume: an iSCSI disk is told of less than in a pod', (t) => {
  const disk = (fields: Fields): Fields => ({ iscsi: { targetPortal: 'p', iqn: 'iqn', ...fields } });
  t.same(refusals(disk({ iqn: 'x', initiatorName: 'y', secretRef: {} })), [
    'spec.iscsi.iqn: Invalid value: "x": must be valid format',
    'spec.iscsi.secretRef.name: Required value',
    'spec.iscsi.initiatorname: Invalid value: "y": must be valid format',
  ]);
  const good = { iqn: 'eui.0123456789abcdef', initiatorName: 'eui.0123456789abcdef' };
  const name = 'n'.repeat(62);
  t.same(refusals(disk({ ...good, secretRef }), {}, { name }), [], '64 characters');
  t.same(refusals(disk({ ...good, secretRef }), {}, { name: `${name}n` }), [
    'spec.iscsi.targetportal: Invalid value: "p": Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.',
  ]);
  t.end();
});

t.test('PersistentVolume: sources get the defaults that they have in pods', (t) => {
  const sourceOf = (source: Fields, name: string): unknown => (volume(source)['spec'] as Fields)[name];
  t.same(sourceOf({ rbd: { monitors: ['m'], image: 'i' } }, 'rbd'), {
    monitors: ['m'],
    image: 'i',
    pool: 'rbd',
    user: 'admin',
    keyring: '/etc/ceph/keyring',
  });
  t.same(sourceOf({ hostPath: { path: '/a' } }, 'hostPath'), { path: '/a', type: '' });
  t.same(sourceOf({ azureDisk: { diskName: 'd', diskURI: 'https://u' } }, 'azureDisk'), {
    diskName: 'd',
    diskURI: 'https://u',
    cachingMode: 'ReadWrite',
    fsType: 'ext4',
    readOnly: false,
    kind: 'Shared',
  });
  t.same(sourceOf({ scaleIO: { gateway: 'g', system: 's', volumeName: 'v', secretRef } }, 'scaleIO'), {
    gateway: 'g',
    system: 's',
    volumeName: 'v',
    secretRef,
    storageMode: 'ThinProvisioned',
    fsType: 'xfs',
  });
  t.same(sourceOf({ azureFile: { secretName: 's', shareName: 'h' } }, 'azureFile'), {
    secretName: 's',
    shareName: 'h',
    secretNamespace: null,
  });
  t.end();
});

t.test('PersistentVolume: where it is stays, as a diff of the internal struct says', (t) => {
  const old = volume();
  const [refusal = '', ...others] = updateRefusals(old, { nfs: { server: 's', path: '/q' } });
  t.same(others, []);
  t.equal(
    refusal,
    `spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n@@ -5,7 +5,7 @@\n  "Glusterfs": null,\n  "NFS": {\n   "Server": "s",\n-  "Path": "/p",\n+  "Path": "/q",\n   "ReadOnly": false\n  },\n  "RBD": null,\n`,
  );
  t.same(
    updateRefusals(old, NFS, {
      capacity: { storage: '2Gi' },
      claimRef: { namespace: 'n', name: 'c' },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'other',
      mountOptions: ['ro'],
      accessModes: ['ReadOnlyMany'],
    }),
    [],
    'all else may change',
  );
  t.same(updateRefusals(old, NFS, { volumeMode: 'Block' }), [
    'volumeMode: Invalid value: "Block": field is immutable',
  ]);
  t.same(
    updateRefusals(old, NFS, { accessModes: [] }),
    ['spec.accessModes: Required value', 'spec.accessModes: Required value'],
    'the spec is looked at twice',
  );
  t.end();
});

t.test('PersistentVolume: the Secret for expansions may come later, once', (t) => {
  const withSecret = { csi: { ...CSI.csi, controllerExpandSecretRef: secretRef } };
  t.same(updateRefusals(volume(CSI), withSecret), []);
  const IMMUTABLE = /^spec\.persistentvolumesource: Forbidden: spec\.persistentvolumesource is immutable/;
  t.match(updateRefusals(volume(withSecret), CSI), [IMMUTABLE]);
  const staged = { csi: { ...CSI.csi, nodeStageSecretRef: secretRef } };
  t.match(updateRefusals(volume(CSI), staged), [IMMUTABLE], 'others not');
  t.end();
});

t.test('PersistentVolume: its nodes are chosen once, but for new names of labels', (t) => {
  const on = (key: string, ...values: string[]): Fields => ({
    nodeAffinity: {
      required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values }] }] },
    },
  });
  const old = volume(NFS, on('failure-domain.beta.kubernetes.io/zone', 'a'));
  t.same(updateRefusals(volume(), NFS, on('zone', 'a')), [], 'from none');
  t.same(updateRefusals(old, NFS, on('topology.kubernetes.io/zone', 'a')), []);
  const shown = (key: string, value: string): string =>
    `{"Required":{"NodeSelectorTerms":[{"MatchExpressions":[{"Key":"${key}","Operator":"In","Values":["${value}"]}],"MatchFields":null}]}}`;
  const immutable = (text: string): string =>
    `nodeAffinity: Invalid value: ${text}: field is immutable, except for updating from beta label to GA`;
  t.same(updateRefusals(old, NFS, on('topology.kubernetes.io/zone', 'b')), [
    immutable(shown('topology.kubernetes.io/zone', 'b')),
  ]);
  t.same(updateRefusals(old, NFS, on('topology.kubernetes.io/region', 'a')), [
    immutable(shown('topology.kubernetes.io/region', 'a')),
  ]);
  t.same(updateRefusals(old, NFS), [immutable('null')]);
  t.same(refusals(NFS, { nodeAffinity: {} }), [
    'spec.nodeAffinity.required: Required value: must specify required node constraints',
  ]);
  // One of before there was a rule for values.
  const bad = on('zone', 'a b');
  const kept = { ...old, spec: { ...(old['spec'] as Fields), ...bad } };
  t.same(updateRefusals(kept, NFS, bad), []);
  t.equal(refusals(NFS, bad).length, 1);
  t.end();
});

t.test('PersistentVolume: the class of what can change is not left again', (t) => {
  const old = volume(CSI, { volumeAttributesClassName: 'gold' });
  t.same(updateRefusals(old, CSI, { volumeAttributesClassName: 'silver' }), []);
  t.same(updateRefusals(old, CSI), [
    'spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden',
  ]);
  t.end();
});

const AT = Date.parse('2026-01-02T03:04:05.678Z');

t.test('PersistentVolume: its phase begins as Pending and has the time of its last change', (t) => {
  const { strategy, subresources } = persistentVolumes;
  const made = { ...volume(), status: { phase: 'Bound', reason: 'x' } };
  void strategy.prepareForCreate?.(made, requester, AT);
  const pending = { phase: 'Pending', lastPhaseTransitionTime: '2026-01-02T03:04:05Z' };
  t.same(made.status, pending);

  const status = subresources.find(({ name }) => name === 'status')?.strategy;
  const old: KubeObject = { ...volume(), status: pending };
  const after = (next: Fields): unknown => {
    const object: KubeObject = { ...volume(CSI), status: next };
    status?.prepareForUpdate?.(object, old, AT + 1000);
    t.same(object['spec'], old['spec'], 'the spec stays');
    return object['status'];
  };
  const moved = { phase: 'Bound', lastPhaseTransitionTime: '2026-01-02T03:04:06Z' };
  t.same(after({ phase: 'Bound' }), moved);
  t.same(after({ ...pending, phase: 'Bound' }), moved, 'a time that was sent along');
  const own = { phase: 'Bound', lastPhaseTransitionTime: '2020-01-01T00:00:00Z' };
  t.same(after(own), own, "the client's own");
  t.same(after({ phase: 'Pending', message: 'm' }), { ...pending, message: 'm' }, 'kept');

  const put: KubeObject = { ...volume(), status: { phase: 'Bound' } };
  strategy.prepareForUpdate?.(put, old, AT + 1000);
  t.same(put['status'], pending, 'through status only');
  t.end();
});

t.test('PersistentVolume: warnings', (t) => {
  const warnings = (source: Fields, spec?: Fields, metadata?: Fields): string[] | undefined =>
    persistentVolumes.strategy.warnings?.(stored(persistentVolumes, volumeBody(source, spec, metadata)));
  t.same(warnings(NFS), []);
  const annotations = {
    'volume.beta.kubernetes.io/mount-options': 'ro',
    'volume.beta.kubernetes.io/storage-class': 'fast',
  };
  const nodeAffinity = {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'beta.kubernetes.io/os', operator: 'Exists' }] }],
    },
  };
  t.same(
    warnings(
      { rbd: { monitors: ['m'], image: 'i' } },
      { persistentVolumeReclaimPolicy: 'Recycle', nodeAffinity },
      { annotations },
    ),
    [
      'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
      'metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since v1.31; use "mountOptions" attribute instead',
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      'spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
      'spec.rbd: deprecated in v1.28, non-functional in v1.31+',
    ],
  );
  t.same(warnings({ storageos: { volumeName: 'v' } }), [
    'spec.storageOS: deprecated in v1.22, non-functional in v1.25+',
  ]);
  t.end();
});

t.test('PersistentVolume: its row', (t) => {
  const object = volume(CSI, {
    accessModes: ['ReadWriteMany', 'ReadOnlyMany'],
    claimRef: { namespace: 'demo', name: 'data' },
    storageClassName: 'fast',
    volumeAttributesClassName: 'gold',
  });
  const bound = { ...object, status: { phase: 'Bound', reason: 'Why' } };
  t.same(cellsOf(persistentVolumes, bound), [
    'x',
    '1Gi',
    'ROX,RWX',
    'Retain',
    'Bound',
    'demo/data',
    'fast',
    'gold',
    'Why',
    'Filesystem',
  ]);
  const free = volume();
  const going = { ...free, metadata: { ...free.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  t.same(cellsOf(persistentVolumes, going).slice(3), [
    'Retain',
    'Terminating',
    '',
    '',
    '<unset>',
    '',
    'Filesystem',
  ]);
  t.end();
});

const attachmentBody = (spec: Fields = {}, status?: Fields): Fields => ({
  metadata: { name: 'x' },
  spec: { attacher: 'd.example.com', source: { persistentVolumeName: 'pv' }, nodeName: 'n', ...spec },
  ...(status && { status }),
});

t.test('VolumeAttachment: a volume inside of it is of a CSI driver, and nobody claims it', (t) => {
  const inline = (spec: Fields): string[] =>
    messages(create(volumeAttachments, attachmentBody({ source: { inlineVolumeSpec: spec } })));
  const ours = { ...CSI, accessModes: ['ReadWriteOnce'] };
  t.same(inline(ours), []);
  t.same(inline({ ...ours, volumeMode: 'Filesystem', persistentVolumeReclaimPolicy: 'Retain' }), []);
  const at = 'spec.source.inlineVolumeSpec';
  const notInline = 'Forbidden: may not be specified in the context of inline volumes';
  t.same(
    inline({
      ...NFS,
      claimRef: { name: 'c' },
      capacity: { storage: '1' },
      persistentVolumeReclaimPolicy: 'Delete',
      nodeAffinity: {},
      storageClassName: 'fast',
      volumeMode: 'Block',
    }),
    [
      `${at}.claimRef: ${notInline}`,
      `${at}.capacity: ${notInline}`,
      `${at}.csi: Required value: has to be specified in the context of inline volumes`,
      `${at}.accessModes: Required value`,
      `${at}.persistentVolumeReclaimPolicy: Forbidden: may only be Retain in the context of inline volumes`,
      `${at}.nodeAffinity: ${notInline}`,
      `${at}.storageClassName: ${notInline}`,
      `${at}.volumeMode: Forbidden: may not specify volumeMode other than Filesystem in the context of inline volumes`,
    ],
  );
  const { object } = create(
    volumeAttachments,
    attachmentBody({ source: { inlineVolumeSpec: { hostPath: { path: '/a' } } } }),
  );
  t.match(object?.['spec'], { source: { inlineVolumeSpec: { hostPath: { type: '' } } } }, 'defaults');
  t.notMatch(object?.['spec'], { source: { inlineVolumeSpec: { volumeMode: 'Filesystem' } } });
  t.end();
});

t.test('VolumeAttachment: its spec stays, and names of before the present rules too', (t) => {
  const old = stored(volumeAttachments, attachmentBody());
  const put = (spec?: Fields): string[] => messages(update(volumeAttachments, old, attachmentBody(spec)));
  t.same(put(), []);
  t.same(put({ nodeName: 'm' }), [
    'spec: Invalid value: {"Attacher":"d.example.com","Source":{"PersistentVolumeName":"pv","InlineVolumeSpec":null},"NodeName":"m"}: field is immutable',
  ]);
  const odd = { attacher: 'a_b' };
  const before = { ...old, spec: { ...(old['spec'] as Fields), ...odd } };
  t.same(messages(update(volumeAttachments, before, attachmentBody(odd))), []);
  t.equal(messages(create(volumeAttachments, attachmentBody(odd))).length, 1);
  t.end();
});

t.test('VolumeAttachment: its status, which is all that is written through `status`', (t) => {
  const old = stored(volumeAttachments, attachmentBody({}, { attached: true }));
  t.same(old['status'], { attached: false }, 'a creation does not say it');
  const { object, errors } = update(
    volumeAttachments,
    old,
    {
      metadata: { name: 'x', labels: { a: 'b' } },
      spec: { nodeName: 'other' },
      status: {
        attached: true,
        attachmentMetadata: { path: '/dev/sdb' },
        attachError: { message: 'slow', errorCode: 4 },
      },
    },
    'status',
  );
  t.same(errors, []);
  t.same(object?.['spec'], old['spec']);
  t.same(object?.metadata.labels, undefined);
  t.same(object?.['status'], {
    attached: true,
    attachmentMetadata: { path: '/dev/sdb' },
    attachError: { time: null, message: 'slow', errorCode: 4 },
  });
  t.same(cellsOf(volumeAttachments, object as KubeObject), ['x', 'd.example.com', 'pv', 'n', true]);

  const status = (fields: Fields): string[] => [
    ...new Set(messages(update(volumeAttachments, old, attachmentBody({}, fields), 'status'))),
  ];
  t.same(status({ attachmentMetadata: { k: 'v'.repeat(256 * 1024 - 1) } }), []);
  t.same(status({ attachError: { message: 'm'.repeat(1024) } }), []);
  t.same(
    status({
      attachmentMetadata: { k: 'v'.repeat(256 * 1024) },
      attachError: { message: 'm'.repeat(1025) },
      detachError: { errorCode: -1 },
    }),
    [
      'status.attachmentMetadata: Too long: may not be more than 262144 bytes',
      'status.attachError.message: Too long: may not be more than 262144 bytes',
      'status.detachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive',
    ],
  );
  t.end();
});
