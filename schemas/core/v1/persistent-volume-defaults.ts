/** What a persistent volume gets that its author left out. In place. */
import type { PersistentVolume, PersistentVolumeSpec } from './persistent-volume-schema.js';
import { defaultDriver } from './pod-defaults.js';
import { roundToMilli } from './resource-lists.js';

export function defaultPersistentVolume(volume: PersistentVolume): void {
  const spec = (volume.spec ??= {});
  const status = (volume.status ??= {});
  status.phase ||= 'Pending';
  spec.persistentVolumeReclaimPolicy ||= 'Retain';
  spec.volumeMode ??= 'Filesystem';
  defaultVolumeSpec(spec);
}

/** Of specs inside of other objects too. */
export function defaultVolumeSpec(spec: PersistentVolumeSpec): void {
  roundToMilli(spec, 'capacity');
  defaultDriver(spec);
}
