/** Conditions in a pod's status that the server itself sets. */
import type { KubeObject } from '../../schemas/definition.js';
import { timestamp } from './metadata.js';

/** In Go's order. */
interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly lastProbeTime: string | null;
  readonly lastTransitionTime: string | null;
  readonly reason?: string;
  readonly message?: string;
}

/** A condition that holds from `now` on, in milliseconds since the epoch. */
export const podCondition = (
  type: string,
  now: number,
  more: Pick<PodCondition, 'reason' | 'message'> = {},
): PodCondition => ({
  type,
  status: 'True',
  lastProbeTime: null,
  lastTransitionTime: timestamp(now),
  ...more,
});

interface PodStatus {
  readonly observedGeneration?: number;
  readonly phase?: string;
  readonly conditions?: readonly PodCondition[];
}

/** A copy of the pod with the condition in place of the one of its type, or behind the others. */
export function withCondition(pod: KubeObject, condition: PodCondition): KubeObject {
  const { observedGeneration, phase, conditions: before = [], ...rest } = (pod['status'] ?? {}) as PodStatus;
  const conditions = [...before];
  const at = conditions.findIndex(({ type }) => type === condition.type);
  const present = conditions[at];
  const lastTransitionTime =
    present?.status === condition.status ? present.lastTransitionTime : condition.lastTransitionTime;
  conditions.splice(present === undefined ? conditions.length : at, 1, { ...condition, lastTransitionTime });
  const status = {
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(phase === undefined ? {} : { phase }),
    conditions,
    ...rest,
  };
  return { ...pod, status };
}
