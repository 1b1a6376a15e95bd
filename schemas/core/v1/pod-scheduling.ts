/** On which nodes a pod may run. */
import type * as z from 'zod';
import { describe, int32, int64, list, once, struct, text } from '../../fields.js';
import { labelSelector } from '../../meta/v1.js';
import { TAINT_EFFECTS } from './enums.js';

export type NodeSelectorRequirement = z.infer<ReturnType<typeof nodeSelectorRequirement>>;
export type NodeSelectorTerm = z.infer<ReturnType<typeof nodeSelectorTerm>>;
export type NodeSelector = z.infer<ReturnType<typeof nodeSelector>>;
export type NodeAffinity = z.infer<ReturnType<typeof nodeAffinity>>;
export type PodAffinityTerm = z.infer<ReturnType<typeof podAffinityTerm>>;
export type PodAffinity = z.infer<ReturnType<typeof podAffinity>>;
export type Affinity = z.infer<ReturnType<typeof affinity>>;
export type Toleration = z.infer<ReturnType<typeof toleration>>;
export type TopologySpreadConstraint = z.infer<ReturnType<typeof topologySpreadConstraint>>;

const CORE = 'io.k8s.api.core.v1';

export const nodeSelectorRequirement = once(() =>
  struct(
    `${CORE}.NodeSelectorRequirement`,
    {
      key: text({ default: '' }),
      operator: text({
        default: '',
        goType: 'v1.NodeSelectorOperator',
        enum: ['DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn'],
      }),
      values: list(text(), {
        listType: 'atomic',
        description: 'For In and NotIn; one number for Gt and Lt.',
      }),
    },
    { description: 'One condition on a label or field of nodes.', required: ['key', 'operator'] },
  ),
);

export const nodeSelectorTerm = once(() =>
  struct(
    `${CORE}.NodeSelectorTerm`,
    {
      matchExpressions: list(nodeSelectorRequirement(), { listType: 'atomic' }),
      matchFields: list(nodeSelectorRequirement(), { listType: 'atomic' }),
    },
    { description: 'All conditions must hold; an empty term matches no node.', mapType: 'atomic' },
  ),
);

export const nodeSelector = once(() =>
  struct(
    `${CORE}.NodeSelector`,
    {
      nodeSelectorTerms: list(nodeSelectorTerm(), { listType: 'atomic' }),
    },
    { description: 'One of the terms must match.', required: ['nodeSelectorTerms'], mapType: 'atomic' },
  ),
);

export const preferredSchedulingTerm = once(() =>
  struct(
    `${CORE}.PreferredSchedulingTerm`,
    {
      weight: int32({ default: 0 }),
      preference: describe(nodeSelectorTerm(), { default: {} }),
    },
    { description: 'A preference with a weight from 1 to 100.', required: ['weight', 'preference'] },
  ),
);

export const nodeAffinity = once(() =>
  struct(
    `${CORE}.NodeAffinity`,
    {
      requiredDuringSchedulingIgnoredDuringExecution: nodeSelector(),
      preferredDuringSchedulingIgnoredDuringExecution: list(preferredSchedulingTerm(), {
        listType: 'atomic',
      }),
    },
    { description: 'Rules on the labels of nodes.' },
  ),
);

export const podAffinityTerm = once(() =>
  struct(
    `${CORE}.PodAffinityTerm`,
    {
      labelSelector: labelSelector(),
      namespaces: list(text(), {
        listType: 'atomic',
        description: "Where those pods are; the pod's own namespace when there is no selector either.",
      }),
      topologyKey: text({
        default: '',
        description: 'Nodes with the same value of this label are one place.',
      }),
      namespaceSelector: labelSelector(),
      matchLabelKeys: list(text(), {
        listType: 'atomic',
        description: 'Labels in which the other pods must equal this one.',
      }),
      mismatchLabelKeys: list(text(), {
        listType: 'atomic',
        description: 'Labels in which the other pods must differ from this one.',
      }),
    },
    { description: 'Pods to be near to, or away from.', required: ['topologyKey'] },
  ),
);

export const weightedPodAffinityTerm = once(() =>
  struct(
    `${CORE}.WeightedPodAffinityTerm`,
    {
      weight: int32({ default: 0 }),
      podAffinityTerm: describe(podAffinityTerm(), { default: {} }),
    },
    { description: 'A preference with a weight from 1 to 100.', required: ['weight', 'podAffinityTerm'] },
  ),
);

export const podAffinity = once(() =>
  struct(
    `${CORE}.PodAffinity`,
    {
      requiredDuringSchedulingIgnoredDuringExecution: list(podAffinityTerm(), { listType: 'atomic' }),
      preferredDuringSchedulingIgnoredDuringExecution: list(weightedPodAffinityTerm(), {
        listType: 'atomic',
      }),
    },
    { description: 'Near to which pods.' },
  ),
);

export const podAntiAffinity = once(() =>
  struct(
    `${CORE}.PodAntiAffinity`,
    {
      requiredDuringSchedulingIgnoredDuringExecution: list(podAffinityTerm(), { listType: 'atomic' }),
      preferredDuringSchedulingIgnoredDuringExecution: list(weightedPodAffinityTerm(), {
        listType: 'atomic',
      }),
    },
    { description: 'Away from which pods.' },
  ),
);

export const affinity = once(() =>
  struct(
    `${CORE}.Affinity`,
    {
      nodeAffinity: nodeAffinity(),
      podAffinity: podAffinity(),
      podAntiAffinity: podAntiAffinity(),
    },
    { description: 'Rules and preferences for where the pod runs.' },
  ),
);

export const toleration = once(() =>
  struct(
    `${CORE}.Toleration`,
    {
      key: text({ omitEmpty: true, description: 'Absent with operator Exists for every taint.' }),
      operator: text({
        omitEmpty: true,
        goType: 'v1.TolerationOperator',
        enum: ['Equal', 'Exists', 'Gt', 'Lt'],
      }),
      value: text({ omitEmpty: true }),
      effect: text({
        omitEmpty: true,
        goType: 'v1.TaintEffect',
        enum: TAINT_EFFECTS.toSorted(),
        description: 'Absent for all effects.',
      }),
      tolerationSeconds: int64({ description: 'How long a NoExecute taint is borne; absent for ever.' }),
    },
    { description: 'A taint of nodes that the pod bears.' },
  ),
);

export const topologySpreadConstraint = once(() =>
  struct(
    `${CORE}.TopologySpreadConstraint`,
    {
      maxSkew: int32({ default: 0, description: 'The most by which places may differ.' }),
      topologyKey: text({
        default: '',
        description: 'Nodes with the same value of this label are one place.',
      }),
      whenUnsatisfiable: text({
        default: '',
        goType: 'v1.UnsatisfiableConstraintAction',
        enum: ['DoNotSchedule', 'ScheduleAnyway'],
      }),
      labelSelector: labelSelector(),
      minDomains: int32({ description: 'How many places there must be before some count as empty.' }),
      nodeAffinityPolicy: text({ goType: 'v1.NodeInclusionPolicy', enum: ['Honor', 'Ignore'] }),
      nodeTaintsPolicy: text({ goType: 'v1.NodeInclusionPolicy', enum: ['Honor', 'Ignore'] }),
      matchLabelKeys: list(text(), {
        listType: 'atomic',
        description: 'Labels of the pod that also select the pods to count.',
      }),
    },
    {
      description: 'Spreads the pods that match evenly over places.',
      required: ['maxSkew', 'topologyKey', 'whenUnsatisfiable'],
    },
  ),
);

export const podSchedulingGate = once(() =>
  struct(
    `${CORE}.PodSchedulingGate`,
    {
      name: text({ default: '' }),
    },
    { description: 'Holds scheduling until it is taken away.', required: ['name'] },
  ),
);

export const podSchedulingGroup = once(() =>
  struct(
    `${CORE}.PodSchedulingGroup`,
    {
      podGroupName: text(),
    },
    {
      description: 'The group the pod is scheduled with.',
      unions: [{ fieldsToDiscriminateBy: { podGroupName: 'PodGroupName' } }],
    },
  ),
);
