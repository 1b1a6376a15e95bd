/** Views of a decoded pod and its parts. */
import type { KubeObject } from '../../definition.js';
import type { PodSpec } from './pod-spec.js';
import type { PodStatus } from './pod-status.js';

export const specOf = (pod: KubeObject): PodSpec => pod['spec'] ?? {};
export const statusOf = (pod: KubeObject): PodStatus => pod['status'] ?? {};

/** A copy that lacks some fields. */
export function without<T extends object>(object: T, ...names: (keyof T)[]): Partial<T> {
  const copy: Partial<T> = { ...object };
  for (const name of names) delete copy[name];
  return copy;
}
