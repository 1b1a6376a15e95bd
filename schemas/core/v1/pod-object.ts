/** Typed views of a decoded pod. */
import type { KubeObject } from '../../definition.js';
import type { PodSpec } from './pod-spec.js';
import type { PodStatus } from './pod-status.js';

export const specOf = (pod: KubeObject): PodSpec => (pod['spec'] ?? {}) as PodSpec;
export const statusOf = (pod: KubeObject): PodStatus => (pod['status'] ?? {}) as PodStatus;
