/**
 * matchLabelKeys and mismatchLabelKeys mean the values that this pod has itself; so when it is made they become
 * requirements of the selectors beside them.
 */
import type { PodSpec } from './pod-spec.js';
import type { PodAffinityTerm } from './pod-scheduling.js';

type Labels = Readonly<Record<string, string>>;
type Selecting = Pick<PodAffinityTerm, 'labelSelector' | 'matchLabelKeys' | 'mismatchLabelKeys'>;

export function mergeLabelKeys(spec: PodSpec, labels: Labels): void {
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) merge(term, labels);
    for (const { podAffinityTerm } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      if (podAffinityTerm) merge(podAffinityTerm, labels);
    }
  }
  for (const constraint of spec.topologySpreadConstraints ?? []) merge(constraint, labels);
}

function merge(
  { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] }: Selecting,
  labels: Labels,
): void {
  if (!labelSelector) return;
  const added = [
    ...requirements(matchLabelKeys, 'In', labels),
    ...requirements(mismatchLabelKeys, 'NotIn', labels),
  ];
  if (added.length > 0) {
    labelSelector.matchExpressions = [...(labelSelector.matchExpressions ?? []), ...added];
  }
}

const requirements = (keys: readonly string[], operator: string, labels: Labels) =>
  keys
    .filter((key) => Object.hasOwn(labels, key))
    .map((key) => ({ key, operator, values: [labels[key] ?? ''] }));
