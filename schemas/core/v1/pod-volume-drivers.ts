/** Volume sources of storage drivers that were once built in; most are served by CSI drivers today. */
import { bool, int32, list, map, once, struct, text } from '../../fields.js';
import { localObjectReference } from './references.js';

const CORE = 'io.k8s.api.core.v1';

export const gcePersistentDiskVolumeSource = once(() =>
  struct(
    `${CORE}.GCEPersistentDiskVolumeSource`,
    {
      pdName: text({ default: '' }),
      fsType: text({ omitEmpty: true }),
      partition: int32({ omitEmpty: true }),
      readOnly: bool({ omitEmpty: true }),
    },
    { description: 'A Google Compute Engine disk.', required: ['pdName'] },
  ),
);

export const awsElasticBlockStoreVolumeSource = once(() =>
  struct(
    `${CORE}.AWSElasticBlockStoreVolumeSource`,
    {
      volumeID: text({ default: '' }),
      fsType: text({ omitEmpty: true }),
      partition: int32({ omitEmpty: true }),
      readOnly: bool({ omitEmpty: true }),
    },
    { description: 'An AWS EBS volume.', required: ['volumeID'] },
  ),
);

export const gitRepoVolumeSource = once(() =>
  struct(
    `${CORE}.GitRepoVolumeSource`,
    {
      repository: text({ default: '' }),
      revision: text({ omitEmpty: true }),
      directory: text({ omitEmpty: true }),
    },
    { description: 'A git repository, cloned. Deprecated.', required: ['repository'] },
  ),
);

export const nfsVolumeSource = once(() =>
  struct(
    `${CORE}.NFSVolumeSource`,
    {
      server: text({ default: '' }),
      path: text({ default: '' }),
      readOnly: bool({ omitEmpty: true }),
    },
    { description: 'A folder of an NFS server.', required: ['server', 'path'] },
  ),
);

export const iscsiVolumeSource = once(() =>
  struct(
    `${CORE}.ISCSIVolumeSource`,
    {
      targetPortal: text({ default: '' }),
      iqn: text({ default: '' }),
      lun: int32({ default: 0 }),
      iscsiInterface: text({ default: 'default', omitEmpty: true }),
      fsType: text({ omitEmpty: true }),
      readOnly: bool({ omitEmpty: true }),
      portals: list(text(), { listType: 'atomic' }),
      chapAuthDiscovery: bool({ omitEmpty: true }),
      chapAuthSession: bool({ omitEmpty: true }),
      secretRef: localObjectReference(),
      initiatorName: text(),
    },
    { description: 'An iSCSI disk.', required: ['targetPortal', 'iqn', 'lun'] },
  ),
);

export const glusterfsVolumeSource = once(() =>
  struct(
    `${CORE}.GlusterfsVolumeSource`,
    {
      endpoints: text({ default: '' }),
      path: text({ default: '' }),
      readOnly: bool({ omitEmpty: true }),
    },
    { description: 'A Glusterfs volume.', required: ['endpoints', 'path'] },
  ),
);

export const rbdVolumeSource = once(() =>
  struct(
    `${CORE}.RBDVolumeSource`,
    {
      monitors: list(text(), { listType: 'atomic' }),
      image: text({ default: '' }),
      fsType: text({ omitEmpty: true }),
      pool: text({ default: 'rbd', omitEmpty: true }),
      user: text({ default: 'admin', omitEmpty: true }),
      keyring: text({ default: '/etc/ceph/keyring', omitEmpty: true }),
      secretRef: localObjectReference(),
      readOnly: bool({ omitEmpty: true }),
    },
    { description: 'A Ceph block device.', required: ['monitors', 'image'] },
  ),
);

export const flexVolumeSource = once(() =>
  struct(
    `${CORE}.FlexVolumeSource`,
    {
      driver: text({ default: '' }),
      fsType: text({ omitEmpty: true }),
      secretRef: localObjectReference(),
      readOnly: bool({ omitEmpty: true }),
      options: map(text()),
    },
    { description: 'A volume of an exec-based driver. Deprecated.', required: ['driver'] },
  ),
);

export const cinderVolumeSource = once(() =>
  struct(
    `${CORE}.CinderVolumeSource`,
    {
      volumeID: text({ default: '' }),
      fsType: text({ omitEmpty: true }),
      readOnly: bool({ omitEmpty: true }),
      secretRef: localObjectReference(),
    },
    { description: 'An OpenStack Cinder volume.', required: ['volumeID'] },
  ),
);

export const cephFSVolumeSource = once(() =>
  struct(
    `${CORE}.CephFSVolumeSource`,
    {
      monitors: list(text(), { listType: 'atomic' }),
      path: text({ omitEmpty: true }),
      user: text({ omitEmpty: true }),
      secretFile: text({ omitEmpty: true }),
      secretRef: localObjectReference(),
      readOnly: bool({ omitEmpty: true }),
    },
    { description: 'A Ceph file system.', required: ['monitors'] },
  ),
);

export const flockerVolumeSource = once(() =>
  struct(
    `${CORE}.FlockerVolumeSource`,
    {
      datasetName: text({ omitEmpty: true }),
      datasetUUID: text({ omitEmpty: true }),
    },
    { description: 'A Flocker volume.' },
  ),
);

export const fcVolumeSource = once(() =>
  struct(
    `${CORE}.FCVolumeSource`,
    {
      targetWWNs: list(text(), { listType: 'atomic' }),
      lun: int32(),
      fsType: text({ omitEmpty: true }),
      readOnly: bool({ omitEmpty: true }),
      wwids: list(text(), { listType: 'atomic' }),
    },
    { description: 'A Fibre Channel disk.' },
  ),
);

export const azureFileVolumeSource = once(() =>
  struct(
    `${CORE}.AzureFileVolumeSource`,
    {
      secretName: text({ default: '' }),
      shareName: text({ default: '' }),
      readOnly: bool({ omitEmpty: true }),
    },
    { description: 'An Azure file share.', required: ['secretName', 'shareName'] },
  ),
);

export const vsphereVirtualDiskVolumeSource = once(() =>
  struct(
    `${CORE}.VsphereVirtualDiskVolumeSource`,
    {
      volumePath: text({ default: '' }),
      fsType: text({ omitEmpty: true }),
      storagePolicyName: text({ omitEmpty: true }),
      storagePolicyID: text({ omitEmpty: true }),
    },
    { description: 'A vSphere disk.', required: ['volumePath'] },
  ),
);

export const quobyteVolumeSource = once(() =>
  struct(
    `${CORE}.QuobyteVolumeSource`,
    {
      registry: text({ default: '' }),
      volume: text({ default: '' }),
      readOnly: bool({ omitEmpty: true }),
      user: text({ omitEmpty: true }),
      group: text({ omitEmpty: true }),
      tenant: text({ omitEmpty: true }),
    },
    { description: 'A Quobyte volume.', required: ['registry', 'volume'] },
  ),
);

export const azureDiskVolumeSource = once(() =>
  struct(
    `${CORE}.AzureDiskVolumeSource`,
    {
      diskName: text({ default: '' }),
      diskURI: text({ default: '' }),
      cachingMode: text({
        default: 'ReadWrite',
        goType: 'v1.AzureDataDiskCachingMode',
        enum: ['None', 'ReadOnly', 'ReadWrite'],
      }),
      fsType: text({ default: 'ext4' }),
      readOnly: bool({ default: false }),
      kind: text({
        default: 'Shared',
        goType: 'v1.AzureDataDiskKind',
        enum: ['Dedicated', 'Managed', 'Shared'],
      }),
    },
    { description: 'An Azure disk.', required: ['diskName', 'diskURI'] },
  ),
);

export const photonPersistentDiskVolumeSource = once(() =>
  struct(
    `${CORE}.PhotonPersistentDiskVolumeSource`,
    {
      pdID: text({ default: '' }),
      fsType: text({ omitEmpty: true }),
    },
    { description: 'A Photon disk.', required: ['pdID'] },
  ),
);

export const portworxVolumeSource = once(() =>
  struct(
    `${CORE}.PortworxVolumeSource`,
    {
      volumeID: text({ default: '' }),
      fsType: text({ omitEmpty: true }),
      readOnly: bool({ omitEmpty: true }),
    },
    { description: 'A Portworx volume.', required: ['volumeID'] },
  ),
);

export const scaleIOVolumeSource = once(() =>
  struct(
    `${CORE}.ScaleIOVolumeSource`,
    {
      gateway: text({ default: '' }),
      system: text({ default: '' }),
      secretRef: localObjectReference(),
      sslEnabled: bool({ omitEmpty: true }),
      protectionDomain: text({ omitEmpty: true }),
      storagePool: text({ omitEmpty: true }),
      storageMode: text({ default: 'ThinProvisioned', omitEmpty: true }),
      volumeName: text({ omitEmpty: true }),
      fsType: text({ default: 'xfs', omitEmpty: true }),
      readOnly: bool({ omitEmpty: true }),
    },
    { description: 'A ScaleIO volume.', required: ['gateway', 'system', 'secretRef'] },
  ),
);

export const storageOSVolumeSource = once(() =>
  struct(
    `${CORE}.StorageOSVolumeSource`,
    {
      volumeName: text({ omitEmpty: true }),
      volumeNamespace: text({ omitEmpty: true }),
      fsType: text({ omitEmpty: true }),
      readOnly: bool({ omitEmpty: true }),
      secretRef: localObjectReference(),
    },
    { description: 'A StorageOS volume.' },
  ),
);
