/** ResourceClaim: asks for devices, and says which were given. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import { internalStruct } from '../../core/v1/internal-form.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { invalid } from '../../field-error.js';
import { keepAllButStatus, keepStatus, startWithoutStatus } from '../../meta/status.js';
import { FIELD_IMMUTABLE } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { allocatedIds, deviceId, validateClaimStatus } from './claim-status-validation.js';
import {
  defaultClaimSpec,
  defaultTolerations,
  RESOURCE_GROUP,
  type ResourceClaimSpec,
  resourceClaimSpec,
} from './device-claim-schema.js';
import { requestNamesOf, validateDeviceClaim } from './device-claim-validation.js';
import {
  RESOURCE_CLAIM_DESCRIPTION,
  resourceClaim,
  type ResourceClaimStatus,
} from './resource-claim-schema.js';

const specOf = (object: KubeObject): ResourceClaimSpec => object['spec'] ?? {};
const statusOf = (object: KubeObject): ResourceClaimStatus => object['status'] ?? {};

function defaults(object: KubeObject): void {
  defaultClaimSpec(specOf(object));
  for (const { tolerations } of statusOf(object).allocation?.devices?.results ?? []) {
    defaultTolerations(tolerations);
  }
}

const strategy: Strategy = {
  defaults,
  prepareForCreate: startWithoutStatus,
  prepareForUpdate: keepStatus,
  validateCreate: (object) => validateDeviceClaim(specOf(object).devices ?? {}, 'spec.devices'),
  validateUpdate(object, old) {
    const spec = internalStruct(resourceClaimSpec(), specOf(object));
    if (JSON.stringify(spec) === JSON.stringify(internalStruct(resourceClaimSpec(), specOf(old)))) return [];
    return [invalid('spec', spec, FIELD_IMMUTABLE)];
  },
};

/** What drivers said of devices goes when these are given back: who gives them back may not know of it. */
function dropGivenBack(object: KubeObject, old: KubeObject): void {
  const { devices, ...status } = statusOf(object);
  if (devices === undefined) return;
  const now = allocatedIds(status);
  const before = allocatedIds(statusOf(old));
  const kept = devices.filter((device) => {
    const id = deviceId(device);
    return now.has(id) || !before.has(id);
  });
  object['status'] = { ...status, ...(kept.length > 0 && { devices: kept }) };
}

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate(object, old) {
    keepAllButStatus(object, old);
    dropGivenBack(object, old);
  },
  validateUpdate: (object, old) =>
    validateClaimStatus(statusOf(object), statusOf(old), {
      names: requestNamesOf(specOf(object).devices ?? {}),
      isDeleted: object.metadata.deletionTimestamp !== undefined,
    }),
};

function stateOf(object: KubeObject): string {
  const { allocation, reservedFor = [] } = statusOf(object);
  const isDeleted = object.metadata.deletionTimestamp !== undefined;
  const states = isDeleted ? ['deleted'] : [];
  if (allocation !== undefined) states.push('allocated', ...(reservedFor.length > 0 ? ['reserved'] : []));
  else if (!isDeleted) states.push('pending');
  return states.join(',');
}

export const resourceClaims: ResourceDefinition = {
  group: RESOURCE_GROUP,
  version: 'v1',
  kind: 'ResourceClaim',
  listKind: 'ResourceClaimList',
  plural: 'resourceclaims',
  singular: 'resourceclaim',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'resourceclaims',
  description: RESOURCE_CLAIM_DESCRIPTION,
  schema: resourceClaim,
  strategy,
  subresources: [
    {
      name: 'status',
      verbs: SUBRESOURCE_VERBS,
      strategy: statusStrategy,
      resetFields: ['metadata', 'spec'],
    },
  ],
  columns: [nameColumn, column('State', 'Whether devices were given, and are in use.', stateOf), ageColumn],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
};
