/** What both kinds of this group have in common. */
import type { ResourceDefinition, Strategy } from '../../definition.js';
import { keepAllButStatus } from '../../meta/status.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { FLOW_CONTROL_GROUP, validateConditions } from './conditions.js';

/** `defaults` are the kind's own. */
export const flowControlResource = (defaults: NonNullable<Strategy['defaults']>) =>
  ({
    group: FLOW_CONTROL_GROUP,
    version: 'v1',
    shortNames: [],
    categories: [],
    namespaced: false,
    verbs: STANDARD_VERBS,
    subresources: [
      {
        name: 'status',
        verbs: SUBRESOURCE_VERBS,
        strategy: { defaults, prepareForUpdate: keepAllButStatus, validateUpdate: validateConditions },
        resetFields: ['spec', 'metadata'],
      },
    ],
    selectableFields: {},
    validateName: nameIs.dns1123Subdomain,
    generation: true,
    allowUnconditionalUpdate: true,
    allowCreateOnUpdate: false,
  }) as const satisfies Partial<ResourceDefinition>;
