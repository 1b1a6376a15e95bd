/** Metadata in writes of a status. */
import type { KubeObject } from '../definition.js';

/** What clients set of metadata, but for managedFields. */
const OWN = ['labels', 'annotations', 'ownerReferences', 'finalizers'] as const;

/** Takes the metadata that clients set from `old`: a write of the status does not change it. */
export function keepMetadata({ metadata }: KubeObject, old: KubeObject): void {
  for (const field of OWN) delete metadata[field];
  const { labels, annotations, ownerReferences, finalizers } = old.metadata;
  if (labels) metadata.labels = labels;
  if (annotations) metadata.annotations = annotations;
  if (ownerReferences) metadata.ownerReferences = ownerReferences;
  if (finalizers) metadata.finalizers = finalizers;
}
