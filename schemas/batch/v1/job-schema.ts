/** The structs of Job. */
import type * as z from 'zod';
import { type PodTemplateSpec, podTemplateSpec } from '../../core/v1/pod-template.js';
import type { KubeObject } from '../../definition.js';
import { bool, describe, int32, int64, list, once, struct, text } from '../../fields.js';
import { kubeObject, labelSelector, time } from '../../meta/v1.js';
import type { LabelSelector } from '../../validation/selectors.js';

export type PodFailurePolicy = z.infer<ReturnType<typeof podFailurePolicy>>;
export type PodFailurePolicyRule = z.infer<ReturnType<typeof podFailurePolicyRule>>;
export type SuccessPolicy = z.infer<ReturnType<typeof successPolicy>>;
export type SuccessPolicyRule = z.infer<ReturnType<typeof successPolicyRule>>;

const BATCH = 'io.k8s.api.batch.v1';

const podFailurePolicyOnExitCodesRequirement = once(() =>
  struct(
    `${BATCH}.PodFailurePolicyOnExitCodesRequirement`,
    {
      containerName: text({ description: 'Absent for all containers.' }),
      operator: text({
        default: '',
        goType: 'v1.PodFailurePolicyOnExitCodesOperator',
        enum: ['In', 'NotIn'],
      }),
      values: list(int32(), { listType: 'set', printsNull: true, description: 'In increasing order.' }),
    },
    { description: 'Exit codes of containers.', required: ['operator', 'values'] },
  ),
);

const podFailurePolicyOnPodConditionsPattern = once(() =>
  struct(
    `${BATCH}.PodFailurePolicyOnPodConditionsPattern`,
    {
      type: text({ default: '', goType: 'v1.PodConditionType' }),
      status: text({ default: '', goType: 'v1.ConditionStatus', description: 'True if absent.' }),
    },
    { description: 'A condition of the pod.', required: ['type'] },
  ),
);

const podFailurePolicyRule = once(() =>
  struct(
    `${BATCH}.PodFailurePolicyRule`,
    {
      action: text({
        default: '',
        goType: 'v1.PodFailurePolicyAction',
        enum: ['Count', 'FailIndex', 'FailJob', 'Ignore'],
        description: 'What a failure of this sort does: it ends the job or the index, counts or does not.',
      }),
      onExitCodes: podFailurePolicyOnExitCodesRequirement(),
      onPodConditions: list(podFailurePolicyOnPodConditionsPattern(), { listType: 'atomic' }),
    },
    {
      description: 'What failures of one sort do. One of the two requirements says which they are.',
      required: ['action'],
    },
  ),
);

export const podFailurePolicy = once(() =>
  struct(
    `${BATCH}.PodFailurePolicy`,
    {
      rules: list(podFailurePolicyRule(), {
        listType: 'atomic',
        printsNull: true,
        description: 'The first that fits holds; where none does the failure counts.',
      }),
    },
    { description: 'What failures of pods do, by how they failed.', required: ['rules'] },
  ),
);

const successPolicyRule = once(() =>
  struct(
    `${BATCH}.SuccessPolicyRule`,
    {
      succeededIndexes: text({ description: 'Indexes that count, such as `1,3-5,7`; all if absent.' }),
      succeededCount: int32({ description: 'How many of them must succeed; all if absent.' }),
    },
    { description: 'Indexes that must have succeeded.' },
  ),
);

export const successPolicy = once(() =>
  struct(
    `${BATCH}.SuccessPolicy`,
    {
      rules: list(successPolicyRule(), {
        listType: 'atomic',
        printsNull: true,
        description: 'The first that is met ends the job.',
      }),
    },
    { description: 'When an indexed job has succeeded before all its indexes have.', required: ['rules'] },
  ),
);

export const jobSpec = once(() =>
  struct(
    `${BATCH}.JobSpec`,
    {
      parallelism: int32({ description: 'How many pods run at a time.' }),
      completions: int32({
        description: 'How many pods must succeed; absent where the success of any means that of all.',
      }),
      activeDeadlineSeconds: int64({ description: 'How long the job may run in all.' }),
      podFailurePolicy: podFailurePolicy(),
      successPolicy: successPolicy(),
      backoffLimit: int32({ description: 'How many failures the job survives.' }),
      backoffLimitPerIndex: int32({ description: 'How many failures an index survives.' }),
      maxFailedIndexes: int32({ description: 'How many failed indexes the job survives.' }),
      selector: describe(labelSelector(), {
        description: 'Finds its pods. Generated, unless manualSelector is set.',
      }),
      manualSelector: bool({ description: 'The author takes care that no other job has the same selector.' }),
      template: describe(podTemplateSpec(), {
        default: {},
        description:
          'What its pods look like. They do not restart for ever: restartPolicy is OnFailure or Never.',
      }),
      ttlSecondsAfterFinished: int32({ description: 'How long a finished job is kept; for ever if absent.' }),
      completionMode: text({
        goType: 'v1.CompletionMode',
        enum: ['Indexed', 'NonIndexed'],
        description: 'Indexed gives each pod a number, all of which must succeed.',
      }),
      suspend: bool({ description: 'No pods run while this is set.' }),
      podReplacementPolicy: text({
        goType: 'v1.PodReplacementPolicy',
        enum: ['Failed', 'TerminatingOrFailed'],
        description: 'Whether a pod that is still terminating is replaced.',
      }),
      managedBy: text({ description: 'The controller that runs the job, if it is not the usual one.' }),
    },
    { description: 'The work to be done.', required: ['template'] },
  ),
);

const jobCondition = once(() =>
  struct(
    `${BATCH}.JobCondition`,
    {
      type: text({ default: '', goType: 'v1.JobConditionType' }),
      status: text({ default: '', goType: 'v1.ConditionStatus', description: 'True, False or Unknown.' }),
      lastProbeTime: time({ printsNull: true }),
      lastTransitionTime: time({ printsNull: true }),
      reason: text({ omitEmpty: true }),
      message: text({ omitEmpty: true }),
    },
    { description: 'One aspect of its state, such as Complete or Failed.', required: ['type', 'status'] },
  ),
);

export const uncountedTerminatedPods = once(() =>
  struct(
    `${BATCH}.UncountedTerminatedPods`,
    {
      succeeded: list(text({ goType: 'types.UID' }), { listType: 'set' }),
      failed: list(text({ goType: 'types.UID' }), { listType: 'set' }),
    },
    { description: 'Uids of pods that have ended and are in no counter yet.' },
  ),
);

const jobStatus = once(() =>
  struct(
    `${BATCH}.JobStatus`,
    {
      conditions: list(jobCondition(), {
        listType: 'atomic',
        patchStrategy: 'merge',
        patchMergeKey: 'type',
      }),
      startTime: time({ description: 'When its controller first saw it, or it was last resumed.' }),
      completionTime: time({ description: 'When it succeeded.' }),
      active: int32({ omitEmpty: true, description: 'Pods that are pending or running.' }),
      succeeded: int32({ omitEmpty: true }),
      failed: int32({ omitEmpty: true }),
      terminating: int32({ description: 'Pods that are being deleted and have not ended.' }),
      completedIndexes: text({ omitEmpty: true, description: 'Such as `1,3-5,7`.' }),
      failedIndexes: text({ description: 'Of jobs with backoffLimitPerIndex.' }),
      uncountedTerminatedPods: uncountedTerminatedPods(),
      ready: int32({ description: 'Active pods that are ready.' }),
    },
    { description: 'How far it has come.' },
  ),
);

export const job = once(() =>
  kubeObject(
    `${BATCH}.Job`,
    {
      spec: describe(jobSpec(), { default: {} }),
      status: describe(jobStatus(), { default: {} }),
    },
    { description: 'Pods that run until enough of them have succeeded.' },
  ),
);

/** What code reads of a Job. */
export interface JobSpec {
  parallelism?: number;
  completions?: number;
  activeDeadlineSeconds?: number;
  podFailurePolicy?: PodFailurePolicy;
  successPolicy?: SuccessPolicy;
  backoffLimit?: number;
  backoffLimitPerIndex?: number;
  maxFailedIndexes?: number;
  selector?: LabelSelector;
  manualSelector?: boolean;
  template?: PodTemplateSpec;
  ttlSecondsAfterFinished?: number;
  completionMode?: string;
  suspend?: boolean;
  podReplacementPolicy?: string;
  managedBy?: string;
}
export interface JobStatus {
  conditions?: { type?: string; status?: string }[];
  startTime?: string;
  completionTime?: string;
  active?: number;
  succeeded?: number;
  failed?: number;
  terminating?: number;
  completedIndexes?: string;
  failedIndexes?: string;
  uncountedTerminatedPods?: { succeeded?: string[]; failed?: string[] };
  ready?: number;
}

export const specOf = (object: KubeObject): JobSpec => object['spec'] ?? {};
export const statusOf = (object: KubeObject): JobStatus => object['status'] ?? {};

export const isIndexed = ({ completionMode }: JobSpec): boolean => completionMode === 'Indexed';

/** Status of the condition; undefined where there is none of this type. */
export const conditionOf = ({ conditions = [] }: JobStatus, type: string): string | undefined =>
  conditions.find((condition) => condition.type === type)?.status;

export const isTrue = ({ conditions = [] }: JobStatus, type: string): boolean =>
  conditions.some((condition) => condition.type === type && condition.status === 'True');
