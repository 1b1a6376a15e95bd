/**
 * Where a persistent volume is. Sources of pods' volumes are the same but for what they name beside them: a persistent
 * volume is in no namespace, so it says in which one a Secret is.
 */
import type * as z from 'zod';
import { bool, int32, list, map, once, struct, text } from '../../fields.js';
import {
  awsElasticBlockStoreVolumeSource,
  azureDiskVolumeSource,
  fcVolumeSource,
  flockerVolumeSource,
  gcePersistentDiskVolumeSource,
  nfsVolumeSource,
  photonPersistentDiskVolumeSource,
  portworxVolumeSource,
  quobyteVolumeSource,
  vsphereVirtualDiskVolumeSource,
} from './pod-volume-drivers.js';
import { hostPathVolumeSource } from './pod-volumes.js';
import { objectReference, secretReference } from './references.js';

const CORE = 'io.k8s.api.core.v1';

const glusterfsPersistentVolumeSource = once(() =>
  struct(
    `${CORE}.GlusterfsPersistentVolumeSource`,
    {
      endpoints: text({ default: '' }),
      path: text({ default: '' }),
      readOnly: bool({ omitEmpty: true }),
      endpointsNamespace: text({ description: "Where the endpoints are; absent: with the volume's claim." }),
    },
    { description: 'A Glusterfs volume.', required: ['endpoints', 'path'] },
  ),
);

const rbdPersistentVolumeSource = once(() =>
  struct(
    `${CORE}.RBDPersistentVolumeSource`,
    {
      monitors: list(text(), { listType: 'atomic' }),
      image: text({ default: '' }),
      fsType: text({ omitEmpty: true }),
      pool: text({ default: 'rbd', omitEmpty: true }),
      user: text({ default: 'admin', omitEmpty: true }),
      keyring: text({ default: '/etc/ceph/keyring', omitEmpty: true }),
      secretRef: secretReference(),
      readOnly: bool({ omitEmpty: true }),
    },
    { description: 'A Ceph block device.', required: ['monitors', 'image'] },
  ),
);

const iscsiPersistentVolumeSource = once(() =>
  struct(
    `${CORE}.ISCSIPersistentVolumeSource`,
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
      secretRef: secretReference(),
      initiatorName: text(),
    },
    { description: 'An iSCSI disk.', required: ['targetPortal', 'iqn', 'lun'] },
  ),
);

const cinderPersistentVolumeSource = once(() =>
  struct(
    `${CORE}.CinderPersistentVolumeSource`,
    {
      volumeID: text({ default: '' }),
      fsType: text({ omitEmpty: true }),
      readOnly: bool({ omitEmpty: true }),
      secretRef: secretReference(),
    },
    { description: 'An OpenStack Cinder volume.', required: ['volumeID'] },
  ),
);

const cephFSPersistentVolumeSource = once(() =>
  struct(
    `${CORE}.CephFSPersistentVolumeSource`,
    {
      monitors: list(text(), { listType: 'atomic' }),
      path: text({ omitEmpty: true }),
      user: text({ omitEmpty: true }),
      secretFile: text({ omitEmpty: true }),
      secretRef: secretReference(),
      readOnly: bool({ omitEmpty: true }),
    },
    { description: 'A Ceph file system.', required: ['monitors'] },
  ),
);

const flexPersistentVolumeSource = once(() =>
  struct(
    `${CORE}.FlexPersistentVolumeSource`,
    {
      driver: text({ default: '' }),
      fsType: text({ omitEmpty: true }),
      secretRef: secretReference(),
      readOnly: bool({ omitEmpty: true }),
      options: map(text()),
    },
    { description: 'A volume of an exec-based driver. Deprecated.', required: ['driver'] },
  ),
);

const azureFilePersistentVolumeSource = once(() =>
  struct(
    `${CORE}.AzureFilePersistentVolumeSource`,
    {
      secretName: text({ default: '' }),
      shareName: text({ default: '' }),
      readOnly: bool({ omitEmpty: true }),
      secretNamespace: text({ printsNull: true }),
    },
    { description: 'An Azure file share.', required: ['secretName', 'shareName'] },
  ),
);

const scaleIOPersistentVolumeSource = once(() =>
  struct(
    `${CORE}.ScaleIOPersistentVolumeSource`,
    {
      gateway: text({ default: '' }),
      system: text({ default: '' }),
      secretRef: secretReference(),
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

const localVolumeSource = once(() =>
  struct(
    `${CORE}.LocalVolumeSource`,
    {
      path: text({ default: '', description: 'Of a folder or of a block device.' }),
      fsType: text({ description: 'What a block device is formatted with.' }),
    },
    { description: 'A disk of a node, which the node affinity names.', required: ['path'] },
  ),
);

const storageOSPersistentVolumeSource = once(() =>
  struct(
    `${CORE}.StorageOSPersistentVolumeSource`,
    {
      volumeName: text({ omitEmpty: true }),
      volumeNamespace: text({ omitEmpty: true }),
      fsType: text({ omitEmpty: true }),
      readOnly: bool({ omitEmpty: true }),
      secretRef: objectReference(),
    },
    { description: 'A StorageOS volume.' },
  ),
);

const csiPersistentVolumeSource = once(() =>
  struct(
    `${CORE}.CSIPersistentVolumeSource`,
    {
      driver: text({ default: '' }),
      volumeHandle: text({ default: '', description: 'What the driver calls the volume.' }),
      readOnly: bool({ omitEmpty: true }),
      fsType: text({ omitEmpty: true }),
      volumeAttributes: map(text(), { description: 'For the driver to read.' }),
      controllerPublishSecretRef: secretReference(),
      nodeStageSecretRef: secretReference(),
      nodePublishSecretRef: secretReference(),
      controllerExpandSecretRef: secretReference(),
      nodeExpandSecretRef: secretReference(),
    },
    { description: 'A volume of a CSI driver.', required: ['driver', 'volumeHandle'] },
  ),
);

/** Fields of the spec, of which exactly one is set. */
export const persistentVolumeSources = () => ({
  gcePersistentDisk: gcePersistentDiskVolumeSource(),
  awsElasticBlockStore: awsElasticBlockStoreVolumeSource(),
  hostPath: hostPathVolumeSource(),
  glusterfs: glusterfsPersistentVolumeSource(),
  nfs: nfsVolumeSource(),
  rbd: rbdPersistentVolumeSource(),
  iscsi: iscsiPersistentVolumeSource(),
  cinder: cinderPersistentVolumeSource(),
  cephfs: cephFSPersistentVolumeSource(),
  fc: fcVolumeSource(),
  flocker: flockerVolumeSource(),
  flexVolume: flexPersistentVolumeSource(),
  azureFile: azureFilePersistentVolumeSource(),
  vsphereVolume: vsphereVirtualDiskVolumeSource(),
  quobyte: quobyteVolumeSource(),
  azureDisk: azureDiskVolumeSource(),
  photonPersistentDisk: photonPersistentDiskVolumeSource(),
  portworxVolume: portworxVolumeSource(),
  scaleIO: scaleIOPersistentVolumeSource(),
  local: localVolumeSource(),
  storageos: storageOSPersistentVolumeSource(),
  csi: csiPersistentVolumeSource(),
});

/** The sources alone, which Go has as a struct inside of the spec. */
export const persistentVolumeSource = once(() =>
  struct(`${CORE}.PersistentVolumeSource`, persistentVolumeSources()),
);
export type PersistentVolumeSource = z.infer<ReturnType<typeof persistentVolumeSource>>;
