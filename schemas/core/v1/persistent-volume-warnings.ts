/** What is allowed in persistent volumes and is on its way out. */
import type { KubeObject } from '../../definition.js';
import { CLASS_ANNOTATION } from './persistent-volume-claim-update.js';
import type { PersistentVolumeSpec } from './persistent-volume-schema.js';
import { deprecatedNodeLabel } from './pod-warnings.js';

const DEPRECATED_ANNOTATIONS = [
  [CLASS_ANNOTATION, 'deprecated since v1.8; use "storageClassName" attribute instead'],
  ['volume.beta.kubernetes.io/mount-options', 'deprecated since v1.31; use "mountOptions" attribute instead'],
] as const;

const DEPRECATED_SOURCES = [
  ['cephfs', 'cephfs: deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO: deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'storageOS: deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs: deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'rbd: deprecated in v1.28, non-functional in v1.31+'],
] as const;

export function volumeWarnings({ metadata }: KubeObject, spec: PersistentVolumeSpec): string[] {
  const warnings: string[] = [];
  for (const [name, warning] of DEPRECATED_ANNOTATIONS) {
    if (metadata.annotations?.[name] !== undefined)
      warnings.push(`metadata.annotations[${name}]: ${warning}`);
  }
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
    const instead = 'Instead, the recommended approach is to use dynamic provisioning.';
    warnings.push(`spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. ${instead}`);
  }
  for (const [i, term] of (spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).entries()) {
    for (const [j, { key = '' }] of (term.matchExpressions ?? []).entries()) {
      const warning = deprecatedNodeLabel(key);
      if (warning === undefined) continue;
      const field = `spec.nodeAffinity.required.nodeSelectorTerms[${i}].matchExpressions[${j}].key`;
      warnings.push(`${field}: ${key} is ${warning}`);
    }
  }
  for (const [name, warning] of DEPRECATED_SOURCES) {
    if (spec[name]) warnings.push(`spec.${warning}`);
  }
  return warnings;
}
