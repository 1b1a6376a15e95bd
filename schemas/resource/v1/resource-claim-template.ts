/** ResourceClaimTemplate: what the claims look like that are made for pods. */
import { addAll } from '../../add-all.js';
import { ageColumn, nameColumn } from '../../columns.js';
import { internalStruct } from '../../core/v1/internal-form.js';
import type { KubeObject, ObjectMeta, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, forbidden, invalid } from '../../field-error.js';
import { describe, once, struct } from '../../fields.js';
import { kubeObject, objectMeta } from '../../meta/v1.js';
import { FIELD_IMMUTABLE, validateAnnotations, validateLabels } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import {
  defaultClaimSpec,
  RESOURCE,
  RESOURCE_GROUP,
  type ResourceClaimSpec,
  resourceClaimSpec,
} from './device-claim-schema.js';
import { validateDeviceClaim } from './device-claim-validation.js';

const DESCRIPTION = 'What the claims look like that are made for pods.';

const templateSpec = once(() =>
  struct(
    `${RESOURCE}.ResourceClaimTemplateSpec`,
    {
      metadata: describe(objectMeta(), { default: {}, description: 'Labels and annotations of the claims.' }),
      spec: describe(resourceClaimSpec(), { default: {} }),
    },
    { description: 'The claims. Never changes.', required: ['spec'] },
  ),
);

interface TemplateSpec {
  readonly metadata?: ObjectMeta;
  readonly spec?: ResourceClaimSpec;
}
const specOf = (object: KubeObject): TemplateSpec => object['spec'] ?? {};

/** Of metadata only what every claim may have. */
function validateTemplateMetadata(metadata: ObjectMeta, path: string): FieldError[] {
  const { labels, annotations, ...others } = metadata;
  const errors = validateLabels(labels, `${path}.labels`);
  addAll(errors, validateAnnotations(annotations, `${path}.annotations`));
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined && value !== null) errors.push(forbidden(`${path}.${name}`, 'cannot be set'));
  }
  return errors;
}

/** As Go prints it: metadata is embedded. */
const printed = ({ metadata, spec }: TemplateSpec) => ({
  ...metadata,
  Spec: internalStruct(resourceClaimSpec(), { ...spec }),
});

const strategy: Strategy = {
  defaults: (object) => defaultClaimSpec(specOf(object).spec ?? {}),
  validateCreate(object) {
    const { metadata = {}, spec = {} } = specOf(object);
    return [
      ...validateTemplateMetadata(metadata, 'spec.metadata'),
      ...validateDeviceClaim(spec.devices ?? {}, 'spec.spec.devices'),
    ];
  },
  validateUpdate(object, old) {
    const spec = printed(specOf(object));
    if (JSON.stringify(spec) === JSON.stringify(printed(specOf(old)))) return [];
    return [invalid('spec', spec, FIELD_IMMUTABLE)];
  },
};

export const resourceClaimTemplates: ResourceDefinition = {
  group: RESOURCE_GROUP,
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  listKind: 'ResourceClaimTemplateList',
  plural: 'resourceclaimtemplates',
  singular: 'resourceclaimtemplate',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'resourceclaimtemplates',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${RESOURCE}.ResourceClaimTemplate`,
      { spec: describe(templateSpec(), { default: {} }) },
      { description: DESCRIPTION, required: ['spec'] },
    ),
  ),
  strategy,
  subresources: [],
  columns: [nameColumn, ageColumn],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
};
