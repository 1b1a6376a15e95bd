/** StorageObjectInUseProtection: what storage is made of goes only when nothing uses it any more; a controller says when. */
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.js';

/** By resource, in the group that it is of. */
const FINALIZERS: Readonly<Record<string, readonly [group: string, finalizer: string]>> = {
  persistentvolumes: ['', 'kubernetes.io/pv-protection'],
  persistentvolumeclaims: ['', 'kubernetes.io/pvc-protection'],
  volumeattributesclasses: ['storage.k8s.io', 'kubernetes.io/vac-protection'],
};

function finalizerOf({ operation, definition, subresource }: AdmissionAttributes): string | undefined {
  if (operation !== 'CREATE' || subresource !== '') return undefined;
  if (!Object.hasOwn(FINALIZERS, definition.plural)) return undefined;
  const [group, finalizer] = FINALIZERS[definition.plural] ?? [];
  return group === definition.group ? finalizer : undefined;
}

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: (attributes) => finalizerOf(attributes) !== undefined,
  admit(attributes) {
    const { metadata } = attributes.object ?? {};
    const finalizer = finalizerOf(attributes);
    if (metadata === undefined || finalizer === undefined || metadata.finalizers?.includes(finalizer)) return;
    metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
  },
};
