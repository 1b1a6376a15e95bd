/** The structs of StatefulSet. */
import {
  persistentVolumeClaim,
  type PersistentVolumeClaim,
} from '../../core/v1/persistent-volume-claim-schema.js';
import { podTemplateSpec } from '../../core/v1/pod-template.js';
import { workloadConditions } from '../../core/v1/workload-condition.js';
import type { KubeObject } from '../../definition.js';
import { describe, int32, int64, list, once, struct, text } from '../../fields.js';
import { intOrString } from '../../meta/scalars.js';
import { kubeObject, labelSelector } from '../../meta/v1.js';
import type { WorkloadSpec, WorkloadStatus } from './workload.js';

const APPS = 'io.k8s.api.apps.v1';

const rollingUpdateStatefulSetStrategy = once(() =>
  struct(
    `${APPS}.RollingUpdateStatefulSetStrategy`,
    {
      partition: int32({ description: 'Pods with a number below this keep the old template.' }),
      maxUnavailable: describe(intOrString(), {
        description:
          'Pods that may be missing during an update, a number or a percentage. Not in effect: dropped.',
      }),
    },
    { description: 'The pace of a rolling update.' },
  ),
);

const statefulSetUpdateStrategy = once(() =>
  struct(
    `${APPS}.StatefulSetUpdateStrategy`,
    {
      type: text({
        omitEmpty: true,
        goType: 'v1.StatefulSetUpdateStrategyType',
        enum: ['OnDelete', 'RollingUpdate'],
        description: 'OnDelete leaves pods as they are until somebody deletes them.',
      }),
      rollingUpdate: rollingUpdateStatefulSetStrategy(),
    },
    { description: 'How pods are replaced when the template changes.' },
  ),
);

const retention = () =>
  text({
    omitEmpty: true,
    goType: 'v1.PersistentVolumeClaimRetentionPolicyType',
    description: 'Retain or Delete.',
  });

const statefulSetPersistentVolumeClaimRetentionPolicy = once(() =>
  struct(
    `${APPS}.StatefulSetPersistentVolumeClaimRetentionPolicy`,
    { whenDeleted: retention(), whenScaled: retention() },
    { description: 'What becomes of the claims of pods that go.' },
  ),
);

const statefulSetOrdinals = once(() =>
  struct(
    `${APPS}.StatefulSetOrdinals`,
    { start: int32({ default: 0, description: 'Number of the first pod.' }) },
    { description: 'How the pods are numbered.' },
  ),
);

const statefulSetSpec = once(() =>
  struct(
    `${APPS}.StatefulSetSpec`,
    {
      replicas: int32({ description: 'How many pods there should be; 1 if absent.' }),
      selector: describe(labelSelector(), { description: 'Finds its pods. Never changes.' }),
      template: describe(podTemplateSpec(), {
        default: {},
        description: 'What its pods look like, which are called after the object and their number.',
      }),
      volumeClaimTemplates: list(persistentVolumeClaim(), {
        listType: 'atomic',
        description: 'Each pod gets a claim of its own from each of them, and keeps it. Never changes.',
      }),
      serviceName: text({
        default: '',
        description: 'The headless service that gives the pods their names.',
      }),
      podManagementPolicy: text({
        omitEmpty: true,
        goType: 'v1.PodManagementPolicyType',
        enum: ['OrderedReady', 'Parallel'],
        description: 'OrderedReady starts and stops one pod after the other.',
      }),
      updateStrategy: describe(statefulSetUpdateStrategy(), { default: {} }),
      revisionHistoryLimit: int32({ description: 'How many old revisions are kept to go back to.' }),
      minReadySeconds: int32({
        omitEmpty: true,
        description: 'How long a pod is ready before it is available.',
      }),
      persistentVolumeClaimRetentionPolicy: statefulSetPersistentVolumeClaimRetentionPolicy(),
      ordinals: statefulSetOrdinals(),
    },
    { description: 'The pods that should be there.', required: ['selector', 'template'] },
  ),
);

const statefulSetStatus = once(() =>
  struct(
    `${APPS}.StatefulSetStatus`,
    {
      observedGeneration: int64({
        omitEmpty: true,
        description: 'metadata.generation that this was seen at.',
      }),
      replicas: int32({ default: 0 }),
      readyReplicas: int32({ omitEmpty: true }),
      currentReplicas: int32({ omitEmpty: true, description: 'Pods of currentRevision.' }),
      updatedReplicas: int32({ omitEmpty: true, description: 'Pods of updateRevision.' }),
      currentRevision: text({
        omitEmpty: true,
        description: 'The ControllerRevision that an update replaces.',
      }),
      updateRevision: text({
        omitEmpty: true,
        description: 'The ControllerRevision of the present template.',
      }),
      collisionCount: int32({ description: 'How often a name for a ControllerRevision was taken.' }),
      conditions: workloadConditions(`${APPS}.StatefulSetCondition`, 'v1.StatefulSetConditionType'),
      availableReplicas: int32({ default: 0, description: 'Pods ready for minReadySeconds.' }),
    },
    { description: 'The pods that are there.', required: ['replicas'] },
  ),
);

export const statefulSet = once(() =>
  kubeObject(
    `${APPS}.StatefulSet`,
    {
      spec: describe(statefulSetSpec(), { default: {} }),
      status: describe(statefulSetStatus(), { default: {} }),
    },
    { description: 'Pods with names and storage of their own, which they keep when they are replaced.' },
  ),
);

/** What code reads of a StatefulSet. */
export interface StatefulSetSpec extends WorkloadSpec {
  volumeClaimTemplates?: PersistentVolumeClaim[];
  serviceName?: string;
  podManagementPolicy?: string;
  updateStrategy?: StatefulSetUpdateStrategy;
  revisionHistoryLimit?: number;
  persistentVolumeClaimRetentionPolicy?: { whenDeleted?: string; whenScaled?: string };
  ordinals?: { start?: number };
}
export interface StatefulSetUpdateStrategy {
  type?: string;
  rollingUpdate?: { partition?: number; maxUnavailable?: number | string };
}
export interface StatefulSetStatus extends WorkloadStatus {
  currentReplicas?: number;
  updatedReplicas?: number;
  collisionCount?: number;
}

export const specOf = (object: KubeObject): StatefulSetSpec => object['spec'] ?? {};
export const statusOf = (object: KubeObject): StatefulSetStatus => object['status'] ?? {};
