/** DeviceClass: devices that are alike to those who ask for them. */
import { addAll } from '../../add-all.js';
import { ageColumn, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, invalid } from '../../field-error.js';
import { describe, list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { nameIs, qualifiedName } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import { validateItems } from './collections.js';
import { deviceSelectors, opaqueConfiguration, RESOURCE, RESOURCE_GROUP } from './device-claim-schema.js';
import { validateConfiguration, validateSelectors } from './device-claim-validation.js';
import { DEVICE_CONFIG_MAX } from './limits.js';
import type * as z from 'zod';

const DESCRIPTION = 'Devices that are alike to those who ask for them.';

const deviceClassSpec = once(() =>
  struct(
    `${RESOURCE}.DeviceClassSpec`,
    {
      selectors: deviceSelectors('Which devices belong to it; all must hold.'),
      config: list(
        struct(
          `${RESOURCE}.DeviceClassConfiguration`,
          { opaque: opaqueConfiguration() },
          { description: 'Configuration of devices.' },
        ),
        { listType: 'atomic', description: 'For the drivers of the devices.' },
      ),
      extendedResourceName: text({
        description: 'The resource by which containers ask for such a device without a claim.',
      }),
    },
    { description: 'Which devices, and how they are configured.' },
  ),
);

type Spec = z.infer<ReturnType<typeof deviceClassSpec>>;
const specOf = (object: KubeObject): Spec => object['spec'] ?? {};

const NATIVE_PREFIX = 'kubernetes.io/';
const REQUESTS_PREFIX = 'requests.';

/** Of a domain that is not Kubernetes' own, and good as the name of a quota. */
const isExtendedResource = (name: string): boolean =>
  name.includes('/') &&
  !name.includes(NATIVE_PREFIX) &&
  !name.startsWith(REQUESTS_PREFIX) &&
  qualifiedName(`${REQUESTS_PREFIX}${name}`).length === 0;

function validateSpec({ selectors, config, extendedResourceName }: Spec, isStored: boolean): FieldError[] {
  const errors = validateSelectors(selectors, 'spec.selectors');
  const rule = ({ opaque }: NonNullable<Spec['config']>[number], path: string) =>
    validateConfiguration(opaque, `${path}.opaque`, isStored);
  addAll(errors, validateItems(config, DEVICE_CONFIG_MAX, 'spec.config', rule));
  if (extendedResourceName !== undefined && !isExtendedResource(extendedResourceName)) {
    const why = 'must be a valid extended resource name';
    errors.push(invalid('spec.extendedResourceName', extendedResourceName, why));
  }
  return errors;
}

const strategy: Strategy = {
  validateCreate: (object) => validateSpec(specOf(object), false),
  validateUpdate(object, old) {
    const spec = specOf(object);
    return validateSpec(spec, JSON.stringify(spec.config) === JSON.stringify(specOf(old).config));
  },
};

export const deviceClasses: ResourceDefinition = {
  group: RESOURCE_GROUP,
  version: 'v1',
  kind: 'DeviceClass',
  listKind: 'DeviceClassList',
  plural: 'deviceclasses',
  singular: 'deviceclass',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'deviceclasses',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${RESOURCE}.DeviceClass`,
      { spec: describe(deviceClassSpec(), { default: {} }) },
      { description: DESCRIPTION, required: ['spec'] },
    ),
  ),
  strategy,
  subresources: [],
  columns: [nameColumn, ageColumn],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
};
