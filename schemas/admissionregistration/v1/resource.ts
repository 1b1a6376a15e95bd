/** What the kinds of this group have in common. */
import type { ResourceDefinition } from '../../definition.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';

export const registrationResource = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  verbs: STANDARD_VERBS,
  subresources: [],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: false,
} as const satisfies Partial<ResourceDefinition>;
