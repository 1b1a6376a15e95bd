/** IPAddress: an address that belongs to somebody. Its name is the address, so nobody else can have it too. */
import { column, nameColumn } from '../../columns.js';
import { canonicalIPProblems } from '../../core/v1/addresses.js';
import { internalStruct } from '../../core/v1/internal-form.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, invalid, required } from '../../field-error.js';
import { describe, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { FIELD_IMMUTABLE, invalidEach } from '../../validation/metadata.js';
import { dns1123Subdomain, nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import { validateSegment } from './object-reference.js';

const NETWORKING = 'io.k8s.api.networking.v1';
const DESCRIPTION = 'An address that belongs to somebody. Its name is the address.';

const parentReference = once(() =>
  struct(
    `${NETWORKING}.ParentReference`,
    {
      group: text({ omitEmpty: true, description: 'Core when absent.' }),
      resource: text({ omitEmpty: true, description: 'Such as services.' }),
      namespace: text({ omitEmpty: true }),
      name: text({ omitEmpty: true }),
    },
    { description: 'Names an object.', required: ['resource', 'name'] },
  ),
);

const ipAddressSpec = once(() =>
  struct(
    `${NETWORKING}.IPAddressSpec`,
    {
      parentRef: describe(parentReference(), { omitsNull: true, description: 'Whose it is. Never changes.' }),
    },
    { description: 'Whose the address is.', required: ['parentRef'] },
  ),
);

interface ParentReference {
  group?: string;
  resource?: string;
  namespace?: string;
  name?: string;
}
const parentOf = (object: KubeObject): ParentReference | undefined =>
  (object['spec'] as { parentRef?: ParentReference } | undefined)?.parentRef;

function validate(object: KubeObject): FieldError[] {
  const parent = parentOf(object);
  const path = 'spec.parentRef';
  if (parent === undefined) return [required(path)];
  const { group, resource, namespace, name } = parent;
  const errors: FieldError[] = [];
  // The core group is the empty one, so it cannot be demanded.
  if (group) invalidEach(errors, `${path}.group`, group, dns1123Subdomain(group));
  validateSegment(errors, `${path}.resource`, resource);
  validateSegment(errors, `${path}.name`, name);
  if (namespace) invalidEach(errors, `${path}.namespace`, namespace, nameIs.pathSegment(namespace, false));
  return errors;
}

const strategy: Strategy = {
  validate,
  validateUpdate(object, old) {
    const [parent, before] = [parentOf(object), parentOf(old)];
    const fields = ['group', 'resource', 'namespace', 'name'] as const;
    if (fields.every((field) => parent?.[field] === before?.[field])) return [];
    const shown = parent && internalStruct(parentReference(), { ...parent });
    return [invalid('spec.parentRef', shown, FIELD_IMMUTABLE)];
  },
};

function formatParent(object: KubeObject): string {
  const parent = parentOf(object);
  if (parent === undefined) return '<none>';
  const { group, resource = '', namespace, name = '' } = parent;
  const kind = `${resource}${group ? `.${group}` : ''}`.toLowerCase();
  return [kind, ...(namespace ? [namespace] : []), name].join('/');
}

export const ipAddresses: ResourceDefinition = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  listKind: 'IPAddressList',
  plural: 'ipaddresses',
  singular: 'ipaddress',
  shortNames: ['ip'],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'ipaddresses',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${NETWORKING}.IPAddress`,
      { spec: describe(ipAddressSpec(), { default: {} }) },
      { description: DESCRIPTION, required: ['spec'] },
    ),
  ),
  strategy,
  subresources: [],
  columns: [nameColumn, column('ParentRef', 'Whose it is.', formatParent)],
  selectableFields: {},
  validateName: canonicalIPProblems,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
