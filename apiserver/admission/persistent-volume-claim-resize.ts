/** PersistentVolumeClaimResize: a claim grows only where its class says that its volumes can. */
import { specOf, statusOf } from '../../schemas/core/v1/persistent-volume-claim-update.js';
import { storageClassOf } from '../../schemas/core/v1/storage-columns.js';
import type { KubeObject } from '../../schemas/definition.js';
import { compareQuantities, quantityOf } from '../../schemas/meta/quantity.js';
import { expands } from '../../schemas/storage/v1/storage-class.js';
import { forbidden } from '../errors.js';
import { lookUp, type Registries } from './lookup.js';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.js';

const CLAIMS = { group: '', name: 'persistentvolumeclaims' };
const NOT_BOUND = 'Only bound persistent volume claims can be expanded';
const NOT_EXPANDABLE =
  'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';

const sizeOf = (claim: KubeObject) => quantityOf(specOf(claim).resources?.requests?.['storage']);

export const persistentVolumeClaimResize = (registries: Registries): AdmissionPlugin => ({
  name: 'PersistentVolumeClaimResize',
  handles: ({ operation, definition: { group, plural }, subresource }) =>
    operation === 'UPDATE' && plural === 'persistentvolumeclaims' && group === '' && subresource === '',
  async validate(attributes) {
    const { object, old, name } = attributes;
    if (object === undefined || old === undefined) return;
    if (compareQuantities(sizeOf(object), sizeOf(old)) <= 0) return;
    if (statusOf(old).phase !== 'Bound') throw forbidden(CLAIMS, name, NOT_BOUND);
    if (!(await mayGrow(registries, attributes, storageClassOf(object), storageClassOf(old)))) {
      throw forbidden(CLAIMS, name, NOT_EXPANDABLE);
    }
  },
});

async function mayGrow(
  { table }: Registries,
  { context }: AdmissionAttributes,
  name: string | undefined,
  before: string | undefined,
): Promise<boolean> {
  const classes = table.find('storage.k8s.io', 'v1', 'storageclasses');
  if (!name || name !== before || classes === undefined) return false;
  const found = await lookUp(classes, context, '', name);
  return found !== undefined && expands(found);
}
