/** The structs of Deployment. */
import { podTemplateSpec } from '../../core/v1/pod-template.js';
import type { KubeObject } from '../../definition.js';
import { bool, describe, int32, int64, list, once, struct, text } from '../../fields.js';
import { intOrString } from '../../meta/scalars.js';
import { kubeObject, labelSelector, time } from '../../meta/v1.js';
import type { WorkloadSpec, WorkloadStatus } from './workload.js';

const APPS = 'io.k8s.api.apps.v1';

const rollingUpdateDeployment = once(() =>
  struct(
    `${APPS}.RollingUpdateDeployment`,
    {
      maxUnavailable: describe(intOrString(), {
        description: 'Pods that may be missing, a number or a percentage.',
      }),
      maxSurge: describe(intOrString(), {
        description: 'Pods that may be too many, a number or a percentage.',
      }),
    },
    { description: 'The pace of a rolling update.' },
  ),
);

const deploymentStrategy = once(() =>
  struct(
    `${APPS}.DeploymentStrategy`,
    {
      type: text({
        omitEmpty: true,
        enum: ['Recreate', 'RollingUpdate'],
        description: 'Recreate removes the old pods first.',
      }),
      rollingUpdate: rollingUpdateDeployment(),
    },
    { description: 'How old pods are replaced by new ones.' },
  ),
);

const deploymentSpec = once(() =>
  struct(
    `${APPS}.DeploymentSpec`,
    {
      replicas: int32({ description: 'How many pods there should be; 1 if absent.' }),
      selector: describe(labelSelector(), { description: 'Finds its pods. Never changes.' }),
      template: describe(podTemplateSpec(), { default: {} }),
      strategy: describe(deploymentStrategy(), { default: {}, patchStrategy: 'retainKeys' }),
      minReadySeconds: int32({
        omitEmpty: true,
        description: 'How long a pod is ready before it is available.',
      }),
      revisionHistoryLimit: int32({ description: 'How many old ReplicaSets are kept to go back to.' }),
      paused: bool({ omitEmpty: true, description: 'Changes of the template wait.' }),
      progressDeadlineSeconds: int32({
        description: 'After this long without progress it counts as failed.',
      }),
    },
    { description: 'The pods that should be there.', required: ['selector', 'template'] },
  ),
);

const deploymentCondition = once(() =>
  struct(
    `${APPS}.DeploymentCondition`,
    {
      type: text({ default: '' }),
      status: text({ default: '', description: 'True, False or Unknown.' }),
      lastUpdateTime: time({ printsNull: true }),
      lastTransitionTime: time({ printsNull: true }),
      reason: text({ omitEmpty: true }),
      message: text({ omitEmpty: true }),
    },
    { description: 'One aspect of its state.', required: ['type', 'status'] },
  ),
);

const deploymentStatus = once(() =>
  struct(
    `${APPS}.DeploymentStatus`,
    {
      observedGeneration: int64({
        omitEmpty: true,
        description: 'metadata.generation that this was seen at.',
      }),
      replicas: int32({ omitEmpty: true }),
      updatedReplicas: int32({ omitEmpty: true, description: 'Pods made from the present template.' }),
      readyReplicas: int32({ omitEmpty: true }),
      availableReplicas: int32({ omitEmpty: true, description: 'Pods ready for minReadySeconds.' }),
      unavailableReplicas: int32({ omitEmpty: true, description: 'Pods that are still missing.' }),
      terminatingReplicas: int32(),
      conditions: list(deploymentCondition(), {
        listType: 'map',
        listMapKeys: ['type'],
        patchStrategy: 'merge',
        patchMergeKey: 'type',
      }),
      collisionCount: int32({ description: 'How often a name for a ReplicaSet was taken.' }),
    },
    { description: 'The pods that are there.' },
  ),
);

export const deployment = once(() =>
  kubeObject(
    `${APPS}.Deployment`,
    {
      spec: describe(deploymentSpec(), { default: {} }),
      status: describe(deploymentStatus(), { default: {} }),
    },
    { description: 'Like pods that are replaced gradually when their template changes.' },
  ),
);

/** What code reads of a Deployment. */
export interface DeploymentSpec extends WorkloadSpec {
  strategy?: DeploymentStrategy;
  revisionHistoryLimit?: number;
  progressDeadlineSeconds?: number;
}
export interface DeploymentStrategy {
  type?: string;
  rollingUpdate?: { maxUnavailable?: number | string; maxSurge?: number | string };
}
export interface DeploymentStatus extends WorkloadStatus {
  updatedReplicas?: number;
  unavailableReplicas?: number;
  collisionCount?: number;
}

export const specOf = (object: KubeObject): DeploymentSpec => object['spec'] ?? {};
export const statusOf = (object: KubeObject): DeploymentStatus => object['status'] ?? {};
