/** ResourceSlice: devices that a driver offers. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { timeText } from '../../meta/times.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import { RESOURCE_GROUP } from './device-claim-schema.js';
import { type Device, RESOURCE_SLICE_DESCRIPTION, resourceSlice, specOf } from './resource-slice-schema.js';
import { validateSlice } from './resource-slice-validation.js';

/** Fields of devices and attributes that take effect only with features which are off. */
function dropUnserved(devices: readonly Device[]): void {
  for (const device of devices) {
    delete device.nodeAllocatableResourceMappings;
    for (const attribute of Object.values(device.attributes ?? {})) {
      delete attribute.ints;
      delete attribute.bools;
      delete attribute.strings;
      delete attribute.versions;
    }
  }
}

const strategy: Strategy = {
  defaults(object, now) {
    if (now === undefined) return;
    const time = timeText(now);
    for (const { taints = [] } of specOf(object).devices ?? []) {
      for (const taint of taints) taint.timeAdded ??= time;
    }
  },
  prepareForCreate: (object) => dropUnserved(specOf(object).devices ?? []),
  prepareForUpdate: (object) => dropUnserved(specOf(object).devices ?? []),
  validateCreate: (object) => validateSlice(specOf(object), undefined),
  validateUpdate: (object, old) => validateSlice(specOf(object), specOf(old)),
};

const nodeOf = (object: KubeObject): string => specOf(object).nodeName ?? '';
const driverOf = (object: KubeObject): string => specOf(object).driver ?? '';

export const resourceSlices: ResourceDefinition = {
  group: RESOURCE_GROUP,
  version: 'v1',
  kind: 'ResourceSlice',
  listKind: 'ResourceSliceList',
  plural: 'resourceslices',
  singular: 'resourceslice',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'resourceslices',
  description: RESOURCE_SLICE_DESCRIPTION,
  schema: resourceSlice,
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    column('Node', 'The node where the devices can be used.', nodeOf),
    column('Driver', 'Who offers them.', driverOf),
    column('Pool', 'The pool that it belongs to.', (object) => specOf(object).pool?.name ?? ''),
    ageColumn,
  ],
  selectableFields: { 'spec.nodeName': nodeOf, 'spec.driver': driverOf },
  ownFieldLabels: 'resource.k8s.io/v1, Kind=ResourceSlice',
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
};
