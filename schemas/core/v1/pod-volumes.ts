/** Volumes and the sources they are filled from; in-tree storage drivers are in pod-volume-drivers.ts. */
import type * as z from 'zod';
import { bool, int32, int64, list, map, once, struct, text } from '../../fields.js';
import { quantity } from '../../meta/scalars.js';
import { labelSelector } from '../../meta/v1.js';
import { persistentVolumeClaimTemplate } from './persistent-volume-claim-schema.js';
import { objectFieldSelector, resourceFieldSelector } from './pod-env.js';
import {
  awsElasticBlockStoreVolumeSource,
  azureDiskVolumeSource,
  azureFileVolumeSource,
  cephFSVolumeSource,
  cinderVolumeSource,
  fcVolumeSource,
  flexVolumeSource,
  flockerVolumeSource,
  gcePersistentDiskVolumeSource,
  gitRepoVolumeSource,
  glusterfsVolumeSource,
  iscsiVolumeSource,
  nfsVolumeSource,
  photonPersistentDiskVolumeSource,
  portworxVolumeSource,
  quobyteVolumeSource,
  rbdVolumeSource,
  scaleIOVolumeSource,
  storageOSVolumeSource,
  vsphereVirtualDiskVolumeSource,
} from './pod-volume-drivers.js';
import { localObjectReference } from './references.js';
import { HOST_PATH_TYPES, PULL_POLICIES } from './enums.js';

export type Volume = z.infer<ReturnType<typeof volume>>;
export type KeyToPath = z.infer<ReturnType<typeof keyToPath>>;
export type DownwardAPIVolumeFile = z.infer<ReturnType<typeof downwardAPIVolumeFile>>;
export type ProjectedVolumeSource = z.infer<ReturnType<typeof projectedVolumeSource>>;
export type VolumeProjection = z.infer<ReturnType<typeof volumeProjection>>;

const CORE = 'io.k8s.api.core.v1';

export const keyToPath = once(() =>
  struct(
    `${CORE}.KeyToPath`,
    {
      key: text({ default: '' }),
      path: text({ default: '' }),
      mode: int32({ description: 'File mode, octal in YAML, decimal in JSON.' }),
    },
    { description: 'A key as a file.', required: ['key', 'path'] },
  ),
);

export const secretVolumeSource = once(() =>
  struct(
    `${CORE}.SecretVolumeSource`,
    {
      secretName: text({ omitEmpty: true }),
      items: list(keyToPath(), { listType: 'atomic', description: 'Absent for all keys.' }),
      defaultMode: int32(),
      optional: bool(),
    },
    { description: 'Keys of a Secret as files.' },
  ),
);

export const configMapVolumeSource = once(() =>
  struct(
    `${CORE}.ConfigMapVolumeSource`,
    {
      name: text({ default: '', omitEmpty: true }),
      items: list(keyToPath(), { listType: 'atomic', description: 'Absent for all keys.' }),
      defaultMode: int32(),
      optional: bool(),
    },
    { description: 'Keys of a ConfigMap as files.' },
  ),
);

export const downwardAPIVolumeFile = once(() =>
  struct(
    `${CORE}.DownwardAPIVolumeFile`,
    {
      path: text({ default: '' }),
      fieldRef: objectFieldSelector(),
      resourceFieldRef: resourceFieldSelector(),
      mode: int32(),
    },
    { description: 'A file with a field of the pod.', required: ['path'] },
  ),
);

export const downwardAPIVolumeSource = once(() =>
  struct(
    `${CORE}.DownwardAPIVolumeSource`,
    {
      items: list(downwardAPIVolumeFile(), { listType: 'atomic' }),
      defaultMode: int32(),
    },
    { description: 'Fields of the pod as files.' },
  ),
);

export const emptyDirVolumeSource = once(() =>
  struct(
    `${CORE}.EmptyDirVolumeSource`,
    {
      medium: text({
        omitEmpty: true,
        goType: 'v1.StorageMedium',
        description: "Absent for the node's disk; Memory for a RAM disk.",
      }),
      sizeLimit: quantity(),
    },
    { description: 'A folder that lives as long as the pod.' },
  ),
);

export const hostPathVolumeSource = once(() =>
  struct(
    `${CORE}.HostPathVolumeSource`,
    {
      path: text({ default: '' }),
      type: text({
        goType: 'v1.HostPathType',
        enum: HOST_PATH_TYPES,
        description: 'What is checked before it is mounted.',
      }),
    },
    { description: 'A file or folder of the node.', required: ['path'] },
  ),
);

export const persistentVolumeClaimVolumeSource = once(() =>
  struct(
    `${CORE}.PersistentVolumeClaimVolumeSource`,
    {
      claimName: text({ default: '' }),
      readOnly: bool({ omitEmpty: true }),
    },
    { description: 'A claim in the same namespace.', required: ['claimName'] },
  ),
);

export const imageVolumeSource = once(() =>
  struct(
    `${CORE}.ImageVolumeSource`,
    {
      reference: text({ omitEmpty: true }),
      pullPolicy: text({
        omitEmpty: true,
        goType: 'v1.PullPolicy',
        enum: PULL_POLICIES,
      }),
    },
    { description: 'The files of an OCI image or artifact.' },
  ),
);

export const csiVolumeSource = once(() =>
  struct(
    `${CORE}.CSIVolumeSource`,
    {
      driver: text({ default: '' }),
      readOnly: bool(),
      fsType: text(),
      volumeAttributes: map(text()),
      nodePublishSecretRef: localObjectReference(),
    },
    { description: 'A volume that a CSI driver makes for the pod.', required: ['driver'] },
  ),
);

export const ephemeralVolumeSource = once(() =>
  struct(
    `${CORE}.EphemeralVolumeSource`,
    {
      volumeClaimTemplate: persistentVolumeClaimTemplate(),
    },
    { description: 'A claim that is made for the pod and goes with it.' },
  ),
);

export const secretProjection = once(() =>
  struct(
    `${CORE}.SecretProjection`,
    {
      name: text({ default: '', omitEmpty: true }),
      items: list(keyToPath(), { listType: 'atomic' }),
      optional: bool(),
    },
    { description: 'Keys of a Secret as files.' },
  ),
);

export const configMapProjection = once(() =>
  struct(
    `${CORE}.ConfigMapProjection`,
    {
      name: text({ default: '', omitEmpty: true }),
      items: list(keyToPath(), { listType: 'atomic' }),
      optional: bool(),
    },
    { description: 'Keys of a ConfigMap as files.' },
  ),
);

export const downwardAPIProjection = once(() =>
  struct(
    `${CORE}.DownwardAPIProjection`,
    {
      items: list(downwardAPIVolumeFile(), { listType: 'atomic' }),
    },
    { description: 'Fields of the pod as files.' },
  ),
);

export const serviceAccountTokenProjection = once(() =>
  struct(
    `${CORE}.ServiceAccountTokenProjection`,
    {
      audience: text({ omitEmpty: true }),
      expirationSeconds: int64(),
      path: text({ default: '' }),
    },
    { description: "A token of the pod's service account, renewed before it expires.", required: ['path'] },
  ),
);

export const clusterTrustBundleProjection = once(() =>
  struct(
    `${CORE}.ClusterTrustBundleProjection`,
    {
      name: text(),
      signerName: text(),
      labelSelector: labelSelector(),
      path: text({ default: '' }),
      optional: bool(),
    },
    { description: 'Certificates of a signer, or of one bundle.', required: ['path'] },
  ),
);

export const podCertificateProjection = once(() =>
  struct(
    `${CORE}.PodCertificateProjection`,
    {
      signerName: text({ omitEmpty: true }),
      keyType: text({ omitEmpty: true }),
      maxExpirationSeconds: int32(),
      credentialBundlePath: text({ omitEmpty: true }),
      keyPath: text({ omitEmpty: true }),
      certificateChainPath: text({ omitEmpty: true }),
      userAnnotations: map(text()),
    },
    { description: 'A key and a certificate for the pod.', required: ['signerName', 'keyType'] },
  ),
);

export const volumeProjection = once(() =>
  struct(
    `${CORE}.VolumeProjection`,
    {
      secret: secretProjection(),
      downwardAPI: downwardAPIProjection(),
      configMap: configMapProjection(),
      serviceAccountToken: serviceAccountTokenProjection(),
      clusterTrustBundle: clusterTrustBundleProjection(),
      podCertificate: podCertificateProjection(),
    },
    { description: 'One source of a projected volume; exactly one field is set.' },
  ),
);

export const projectedVolumeSource = once(() =>
  struct(
    `${CORE}.ProjectedVolumeSource`,
    {
      sources: list(volumeProjection(), { listType: 'atomic' }),
      defaultMode: int32(),
    },
    { description: 'Several sources in one folder.' },
  ),
);

export const volume = once(() =>
  struct(
    `${CORE}.Volume`,
    {
      name: text({ default: '' }),
      hostPath: hostPathVolumeSource(),
      emptyDir: emptyDirVolumeSource(),
      gcePersistentDisk: gcePersistentDiskVolumeSource(),
      awsElasticBlockStore: awsElasticBlockStoreVolumeSource(),
      gitRepo: gitRepoVolumeSource(),
      secret: secretVolumeSource(),
      nfs: nfsVolumeSource(),
      iscsi: iscsiVolumeSource(),
      glusterfs: glusterfsVolumeSource(),
      persistentVolumeClaim: persistentVolumeClaimVolumeSource(),
      rbd: rbdVolumeSource(),
      flexVolume: flexVolumeSource(),
      cinder: cinderVolumeSource(),
      cephfs: cephFSVolumeSource(),
      flocker: flockerVolumeSource(),
      downwardAPI: downwardAPIVolumeSource(),
      fc: fcVolumeSource(),
      azureFile: azureFileVolumeSource(),
      configMap: configMapVolumeSource(),
      vsphereVolume: vsphereVirtualDiskVolumeSource(),
      quobyte: quobyteVolumeSource(),
      azureDisk: azureDiskVolumeSource(),
      photonPersistentDisk: photonPersistentDiskVolumeSource(),
      projected: projectedVolumeSource(),
      portworxVolume: portworxVolumeSource(),
      scaleIO: scaleIOVolumeSource(),
      storageos: storageOSVolumeSource(),
      csi: csiVolumeSource(),
      ephemeral: ephemeralVolumeSource(),
      image: imageVolumeSource(),
    },
    { description: 'A named volume of a pod, from exactly one source.', required: ['name'] },
  ),
);
