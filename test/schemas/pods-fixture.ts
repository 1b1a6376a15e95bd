/** Pods to change in one place, and what the server says to the change. */
import { pods } from '../../schemas/core/v1/pod.js';
import { specOf } from '../../schemas/core/v1/pod-object.js';
import type { PodSpec } from '../../schemas/core/v1/pod-spec.js';
import type { PodStatus } from '../../schemas/core/v1/pod-status.js';
import type { KubeObject } from '../../schemas/definition.js';
import { create, messages, type Outcome, update } from './pipeline.js';

/** A body with one container; `change` replaces fields of the spec, `container` of the container. */
export const body = (change: object = {}, container: object = {}, metadata: object = {}) => ({
  metadata: { name: 'x', namespace: 'demo', ...metadata },
  spec: { containers: [{ name: 'c', image: 'i:1', ...container }], ...change },
});

/** Refusals of a create with that spec. */
export const ofSpec = (change: object, metadata: object = {}): string[] =>
  messages(create(pods, body(change, {}, metadata)));
/** Refusals of a create with that container. */
export const ofContainer = (container: object, change: object = {}): string[] =>
  messages(create(pods, body(change, container)));

export function created(change: object = {}, container: object = {}, metadata: object = {}): KubeObject {
  const outcome = create(pods, body(change, container, metadata));
  if (outcome.object === undefined || outcome.errors.length > 0) throw new Error(JSON.stringify(outcome));
  return outcome.object;
}

export const createdSpec = (change: object = {}, container: object = {}): PodSpec =>
  specOf(created(change, container));

/** A PUT of the stored pod with fields of its spec replaced; undefined takes a field away. */
export function put(old: KubeObject, change: object, subresource?: string): Outcome {
  const next = structuredClone(old);
  Object.assign(specOf(next), change);
  return update(pods, old, JSON.parse(JSON.stringify(next)), subresource);
}

/** A PUT of its status. */
export const putStatus = (old: KubeObject, status: PodStatus | object): Outcome =>
  update(pods, old, JSON.parse(JSON.stringify({ ...old, status })), 'status');

/** The stored pod with that status. */
export const withStatus = (pod: KubeObject, status: object): KubeObject => ({
  ...structuredClone(pod),
  status,
});
