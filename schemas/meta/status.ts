/** Spec and status are written apart: what a write of one takes from the object as it was. For strategies. */
import type { KubeObject } from '../definition.js';

/** A creation does not say how things are. */
export function startWithoutStatus(object: KubeObject): void {
  object['status'] = {};
}

/** Of writes that are not through `status`. */
export function keepStatus(object: KubeObject, old: KubeObject): void {
  object['status'] = old['status'];
}

/** Of writes through `status`, where those may change metadata. */
export function keepSpec(object: KubeObject, old: KubeObject): void {
  object['spec'] = old['spec'];
}

/** What clients set of metadata, but for managedFields. */
const OWN = ['labels', 'annotations', 'ownerReferences', 'finalizers'] as const;

/** Of writes through `status`, where those leave alone what clients set of metadata too. */
export function keepAllButStatus(object: KubeObject, old: KubeObject): void {
  keepSpec(object, old);
  const { metadata } = object;
  for (const field of OWN) delete metadata[field];
  const { labels, annotations, ownerReferences, finalizers } = old.metadata;
  if (labels) metadata.labels = labels;
  if (annotations) metadata.annotations = annotations;
  if (ownerReferences) metadata.ownerReferences = ownerReferences;
  if (finalizers) metadata.finalizers = finalizers;
}
