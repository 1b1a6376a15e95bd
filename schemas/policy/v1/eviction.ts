/** Eviction: asks for a pod to be deleted, through its `eviction` subresource. */
import { once } from '../../fields.js';
import { deleteOptions, kubeObject } from '../../meta/v1.js';

export const eviction = once(() =>
  kubeObject(
    'io.k8s.api.policy.v1.Eviction',
    { deleteOptions: deleteOptions() },
    { description: 'Deletes the pod of this name if its disruption budget allows.' },
  ),
);
