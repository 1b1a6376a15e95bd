/** The structs of PersistentVolume; its sources are a file of their own. */
import type * as z from 'zod';
import { describe, list, once, struct, text } from '../../fields.js';
import { kubeObject, time } from '../../meta/v1.js';
import { accessModes } from './persistent-volume-claim-schema.js';
import { persistentVolumeSources } from './persistent-volume-sources.js';
import { resourceList } from './pod-resources.js';
import { nodeSelector } from './pod-scheduling.js';
import { objectReference } from './references.js';

export type PersistentVolumeSpec = z.infer<ReturnType<typeof persistentVolumeSpec>>;
export type PersistentVolume = z.infer<ReturnType<typeof persistentVolume>>;
export type PersistentVolumeStatus = z.infer<ReturnType<typeof persistentVolumeStatus>>;
export type VolumeNodeAffinity = z.infer<ReturnType<typeof volumeNodeAffinity>>;

const CORE = 'io.k8s.api.core.v1';

export const PERSISTENT_VOLUME_DESCRIPTION = 'Storage of the cluster, for one claim at a time.';
export const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain'];

export const volumeNodeAffinity = once(() =>
  struct(
    `${CORE}.VolumeNodeAffinity`,
    { required: nodeSelector() },
    { description: 'From which nodes the volume can be reached.' },
  ),
);

export const persistentVolumeSpec = once(() =>
  struct(
    `${CORE}.PersistentVolumeSpec`,
    {
      capacity: resourceList({ description: 'How large it is: storage.' }),
      ...persistentVolumeSources(),
      accessModes: accessModes(),
      claimRef: describe(objectReference(), {
        granular: true,
        description: 'The claim that it is bound to, or kept for.',
      }),
      persistentVolumeReclaimPolicy: text({
        omitEmpty: true,
        goType: 'v1.PersistentVolumeReclaimPolicy',
        enum: RECLAIM_POLICIES,
        description: 'What becomes of it when its claim is gone.',
      }),
      storageClassName: text({ omitEmpty: true }),
      mountOptions: list(text(), { listType: 'atomic', description: 'Options of its mounts, unchecked.' }),
      volumeMode: text({ goType: 'v1.PersistentVolumeMode', enum: ['Block', 'Filesystem'] }),
      nodeAffinity: volumeNodeAffinity(),
      volumeAttributesClassName: text({ description: 'The class of what can change in it.' }),
    },
    { description: 'What the volume is and who may have it.' },
  ),
);

const persistentVolumeStatus = once(() =>
  struct(
    `${CORE}.PersistentVolumeStatus`,
    {
      phase: text({
        omitEmpty: true,
        goType: 'v1.PersistentVolumePhase',
        enum: ['Available', 'Bound', 'Failed', 'Pending', 'Released'],
      }),
      message: text({ omitEmpty: true }),
      reason: text({ omitEmpty: true }),
      lastPhaseTransitionTime: time({ description: 'When the phase last changed.' }),
    },
    { description: 'Whether the volume has a claim.' },
  ),
);

export const persistentVolume = once(() =>
  kubeObject(
    `${CORE}.PersistentVolume`,
    {
      spec: describe(persistentVolumeSpec(), { default: {} }),
      status: describe(persistentVolumeStatus(), { default: {} }),
    },
    { description: PERSISTENT_VOLUME_DESCRIPTION },
  ),
);
