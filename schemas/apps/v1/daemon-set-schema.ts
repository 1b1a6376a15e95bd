/** The structs of DaemonSet. */
import { podTemplateSpec } from '../../core/v1/pod-template.js';
import { workloadConditions } from '../../core/v1/workload-condition.js';
import type { KubeObject } from '../../definition.js';
import { describe, int32, int64, once, struct, text } from '../../fields.js';
import { intOrString } from '../../meta/scalars.js';
import { kubeObject, labelSelector } from '../../meta/v1.js';
import type { WorkloadSpec } from './workload.js';

const APPS = 'io.k8s.api.apps.v1';

const rollingUpdateDaemonSet = once(() =>
  struct(
    `${APPS}.RollingUpdateDaemonSet`,
    {
      maxUnavailable: describe(intOrString(), {
        description: 'Nodes whose pod may be missing, a number or a percentage.',
      }),
      maxSurge: describe(intOrString(), {
        description: 'Nodes that may have the old and the new pod at a time, a number or a percentage.',
      }),
    },
    { description: 'The pace of a rolling update. One of the two is zero.' },
  ),
);

const daemonSetUpdateStrategy = once(() =>
  struct(
    `${APPS}.DaemonSetUpdateStrategy`,
    {
      type: text({
        omitEmpty: true,
        goType: 'v1.DaemonSetUpdateStrategyType',
        enum: ['OnDelete', 'RollingUpdate'],
        description: 'OnDelete leaves pods as they are until somebody deletes them.',
      }),
      rollingUpdate: rollingUpdateDaemonSet(),
    },
    { description: 'How pods are replaced when the template changes.' },
  ),
);

const daemonSetSpec = once(() =>
  struct(
    `${APPS}.DaemonSetSpec`,
    {
      selector: describe(labelSelector(), { description: 'Finds its pods. Never changes.' }),
      template: describe(podTemplateSpec(), {
        default: {},
        description: 'Every node that its node selector matches gets such a pod.',
      }),
      updateStrategy: describe(daemonSetUpdateStrategy(), { default: {} }),
      minReadySeconds: int32({
        omitEmpty: true,
        description: 'How long a pod is ready before it is available.',
      }),
      revisionHistoryLimit: int32({ description: 'How many old revisions are kept to go back to.' }),
    },
    { description: 'The pods that should be there.', required: ['selector', 'template'] },
  ),
);

const daemonSetStatus = once(() =>
  struct(
    `${APPS}.DaemonSetStatus`,
    {
      currentNumberScheduled: int32({ default: 0, description: 'Nodes that have the pod and should.' }),
      numberMisscheduled: int32({ default: 0, description: 'Nodes that have the pod and should not.' }),
      desiredNumberScheduled: int32({ default: 0, description: 'Nodes that should have the pod.' }),
      numberReady: int32({ default: 0, description: 'Nodes whose pod is ready.' }),
      observedGeneration: int64({
        omitEmpty: true,
        description: 'metadata.generation that this was seen at.',
      }),
      updatedNumberScheduled: int32({
        omitEmpty: true,
        description: 'Nodes whose pod is of the present template.',
      }),
      numberAvailable: int32({
        omitEmpty: true,
        description: 'Nodes whose pod was ready for minReadySeconds.',
      }),
      numberUnavailable: int32({ omitEmpty: true, description: 'Nodes that still lack an available pod.' }),
      collisionCount: int32({ description: 'How often a name for a ControllerRevision was taken.' }),
      conditions: workloadConditions(`${APPS}.DaemonSetCondition`, 'v1.DaemonSetConditionType'),
    },
    {
      description: 'The pods that are there.',
      required: ['currentNumberScheduled', 'numberMisscheduled', 'desiredNumberScheduled', 'numberReady'],
    },
  ),
);

export const daemonSet = once(() =>
  kubeObject(
    `${APPS}.DaemonSet`,
    {
      spec: describe(daemonSetSpec(), { default: {} }),
      status: describe(daemonSetStatus(), { default: {} }),
    },
    { description: 'One pod on every node that it selects.' },
  ),
);

/** What code reads of a DaemonSet. */
export interface DaemonSetSpec extends Omit<WorkloadSpec, 'replicas'> {
  updateStrategy?: DaemonSetUpdateStrategy;
  revisionHistoryLimit?: number;
}
export interface DaemonSetUpdateStrategy {
  type?: string;
  rollingUpdate?: { maxUnavailable?: number | string; maxSurge?: number | string };
}
export interface DaemonSetStatus {
  currentNumberScheduled?: number;
  numberMisscheduled?: number;
  desiredNumberScheduled?: number;
  numberReady?: number;
  observedGeneration?: number;
  updatedNumberScheduled?: number;
  numberAvailable?: number;
  numberUnavailable?: number;
  collisionCount?: number;
}

export const specOf = (object: KubeObject): DaemonSetSpec => object['spec'] ?? {};
export const statusOf = (object: KubeObject): DaemonSetStatus => object['status'] ?? {};
