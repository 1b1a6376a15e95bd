/** The structs of PersistentVolumeClaim, and of the templates from which claims are made. */
import type * as z from 'zod';
import { describe, list, map, once, struct, text } from '../../fields.js';
import { kubeObject, labelSelector, objectMeta, time } from '../../meta/v1.js';
import { resourceList, volumeResourceRequirements } from './pod-resources.js';
import { typedLocalObjectReference } from './references.js';

export type PersistentVolumeClaimSpec = z.infer<ReturnType<typeof persistentVolumeClaimSpec>>;
export type PersistentVolumeClaimTemplate = z.infer<ReturnType<typeof persistentVolumeClaimTemplate>>;
export type PersistentVolumeClaim = z.infer<ReturnType<typeof persistentVolumeClaim>>;

const CORE = 'io.k8s.api.core.v1';

export const accessModes = () =>
  list(
    text({
      goType: 'v1.PersistentVolumeAccessMode',
      enum: ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'],
    }),
    { listType: 'atomic' },
  );

const typedObjectReference = once(() =>
  struct(
    `${CORE}.TypedObjectReference`,
    {
      apiGroup: text({ printsNull: true }),
      kind: text({ default: '' }),
      name: text({ default: '' }),
      namespace: text(),
    },
    { description: 'An object, maybe in another namespace.', required: ['kind', 'name'] },
  ),
);

export const persistentVolumeClaimSpec = once(() =>
  struct(
    `${CORE}.PersistentVolumeClaimSpec`,
    {
      accessModes: accessModes(),
      selector: labelSelector(),
      resources: describe(volumeResourceRequirements(), { default: {} }),
      volumeName: text({ omitEmpty: true }),
      storageClassName: text(),
      volumeMode: text({ goType: 'v1.PersistentVolumeMode', enum: ['Block', 'Filesystem'] }),
      dataSource: describe(typedLocalObjectReference(), { description: 'What the volume is filled from.' }),
      dataSourceRef: typedObjectReference(),
      volumeAttributesClassName: text(),
    },
    { description: 'What a claim asks of a volume.' },
  ),
);

export const persistentVolumeClaimTemplate = once(() =>
  struct(
    `${CORE}.PersistentVolumeClaimTemplate`,
    {
      metadata: describe(objectMeta(), { default: {} }),
      spec: describe(persistentVolumeClaimSpec(), { default: {} }),
    },
    { description: 'A claim that is made for the pod and goes with it.', required: ['spec'] },
  ),
);

const persistentVolumeClaimCondition = once(() =>
  struct(
    `${CORE}.PersistentVolumeClaimCondition`,
    {
      type: text({ default: '', goType: 'v1.PersistentVolumeClaimConditionType' }),
      status: text({ default: '', goType: 'v1.ConditionStatus', description: 'True, False or Unknown.' }),
      lastProbeTime: time({ printsNull: true }),
      lastTransitionTime: time({ printsNull: true }),
      reason: text({ omitEmpty: true }),
      message: text({ omitEmpty: true }),
    },
    { description: 'One aspect of its state, such as a resize under way.', required: ['type', 'status'] },
  ),
);

const modifyVolumeStatus = once(() =>
  struct(
    `${CORE}.ModifyVolumeStatus`,
    {
      targetVolumeAttributesClassName: text({ omitEmpty: true, description: 'The class it is moving to.' }),
      status: text({
        default: '',
        goType: 'v1.PersistentVolumeClaimModifyVolumeStatus',
        enum: ['InProgress', 'Infeasible', 'Pending'],
      }),
    },
    { description: 'How far a change of the volume attributes class has come.', required: ['status'] },
  ),
);

const persistentVolumeClaimStatus = once(() =>
  struct(
    `${CORE}.PersistentVolumeClaimStatus`,
    {
      phase: text({
        omitEmpty: true,
        goType: 'v1.PersistentVolumeClaimPhase',
        enum: ['Bound', 'Lost', 'Pending'],
      }),
      accessModes: accessModes(),
      capacity: resourceList({ description: 'What the volume really has.' }),
      conditions: list(persistentVolumeClaimCondition(), {
        listType: 'map',
        listMapKeys: ['type'],
        patchStrategy: 'merge',
        patchMergeKey: 'type',
      }),
      allocatedResources: resourceList({
        description: 'What is reserved, more than capacity during a resize.',
      }),
      allocatedResourceStatuses: map(
        text({
          goType: 'v1.ClaimResourceStatus',
          enum: [
            'ControllerResizeInProgress',
            'ControllerResizeInfeasible',
            'NodeResizeInProgress',
            'NodeResizeInfeasible',
            'NodeResizePending',
          ],
        }),
        { mapType: 'granular', description: 'Where a resize of each resource stands.' },
      ),
      currentVolumeAttributesClassName: text(),
      modifyVolumeStatus: modifyVolumeStatus(),
    },
    { description: 'The volume that the claim has got.' },
  ),
);

export const persistentVolumeClaim = once(() =>
  kubeObject(
    `${CORE}.PersistentVolumeClaim`,
    {
      spec: describe(persistentVolumeClaimSpec(), { default: {} }),
      status: describe(persistentVolumeClaimStatus(), { default: {} }),
    },
    {
      description: 'Asks for storage, and is bound to a volume that has it.',
      kind: { group: '', version: 'v1', kind: 'PersistentVolumeClaim' },
    },
  ),
);
