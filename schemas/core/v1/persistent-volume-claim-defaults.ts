/** What a claim, or a template of one, gets that its author left out. In place. */
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from './persistent-volume-claim-schema.js';
import { roundToMilli } from './resource-lists.js';

export function defaultClaim(claim: PersistentVolumeClaim): void {
  claim.spec ??= {};
  defaultClaimSpec(claim.spec);
  const status = (claim.status ??= {});
  status.phase ||= 'Pending';
  roundToMilli(status, 'capacity');
  roundToMilli(status, 'allocatedResources');
}

export function defaultClaimSpec(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem';
  if (!spec.resources) return;
  roundToMilli(spec.resources, 'limits');
  roundToMilli(spec.resources, 'requests');
}
