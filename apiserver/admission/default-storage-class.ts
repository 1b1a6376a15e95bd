/** DefaultStorageClass: a claim that names no class gets the one that is marked as everybody's. */
import { CLASS_ANNOTATION, specOf } from '../../schemas/core/v1/persistent-volume-claim-update.js';
import { DEFAULT_MARKS } from '../../schemas/storage/v1/storage-class.js';
import { defaultClass } from './default-class.js';
import type { Registries } from './lookup.js';
import type { AdmissionPlugin } from './plugin.js';

export const defaultStorageClass = (registries: Registries): AdmissionPlugin => ({
  name: 'DefaultStorageClass',
  handles: ({ operation, definition: { group, plural }, subresource }) =>
    operation === 'CREATE' && plural === 'persistentvolumeclaims' && group === '' && subresource === '',
  async admit({ object, context }) {
    // An empty name is a choice too: of volumes without a class.
    if (object === undefined || specOf(object).storageClassName !== undefined) return;
    if (object.metadata.annotations?.[CLASS_ANNOTATION] !== undefined) return;
    const classes = registries.table.find('storage.k8s.io', 'v1', 'storageclasses');
    const storageClassName = await defaultClass(classes, DEFAULT_MARKS, context);
    if (storageClassName !== undefined) object['spec'] = { ...specOf(object), storageClassName };
  },
});
