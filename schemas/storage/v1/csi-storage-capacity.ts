/** CSIStorageCapacity: how much storage of a class there is in a part of the cluster. */
import { isDeepStrictEqual } from 'node:util';
import { column, nameColumn } from '../../columns.js';
import { deprecatedNodeLabel } from '../../core/v1/pod-warnings.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, invalid } from '../../field-error.js';
import { describe, once, text } from '../../fields.js';
import { quantity } from '../../meta/scalars.js';
import { kubeObject, labelSelector } from '../../meta/v1.js';
import {
  FIELD_IMMUTABLE,
  invalidEach,
  NOT_NEGATIVE,
  validateLabelSelector,
} from '../../validation/metadata.js';
import { dns1123Subdomain, nameIs } from '../../validation/names.js';
import { type LabelSelector, shownSelector } from '../../validation/selectors.js';
import { STANDARD_VERBS } from '../../verbs.js';

const DESCRIPTION = 'How much storage of a class there is in a part of the cluster.';

interface Capacity {
  nodeTopology?: LabelSelector;
  storageClassName?: string;
  capacity?: string;
}
const read = (object: KubeObject) => object as Capacity;

function validate(object: KubeObject): FieldError[] {
  const { nodeTopology, storageClassName = '', capacity } = read(object);
  const errors = validateLabelSelector(nodeTopology, 'nodeTopology');
  invalidEach(errors, 'storageClassName', storageClassName, dns1123Subdomain(storageClassName));
  if (capacity?.startsWith('-')) errors.push(invalid('capacity', capacity, NOT_NEGATIVE));
  return errors;
}

/** What the driver was asked with stays; its answer changes. */
function validateUpdate(object: KubeObject, oldObject: KubeObject): FieldError[] {
  const [now, old] = [read(object), read(oldObject)];
  const errors: FieldError[] = [];
  if (!isDeepStrictEqual(now.nodeTopology, old.nodeTopology)) {
    errors.push(invalid('nodeTopology', shownSelector(now.nodeTopology) ?? null, FIELD_IMMUTABLE));
  }
  if (now.storageClassName !== old.storageClassName) {
    errors.push(invalid('storageClassName', now.storageClassName ?? '', FIELD_IMMUTABLE));
  }
  return errors;
}

function warnings(object: KubeObject): string[] {
  const { nodeTopology = {} } = read(object);
  const found: string[] = [];
  for (const [i, { key = '' }] of (nodeTopology.matchExpressions ?? []).entries()) {
    const why = deprecatedNodeLabel(key);
    if (why !== undefined) found.push(`nodeTopology.matchExpressions[${i}].key: ${key} is ${why}`);
  }
  for (const key of Object.keys(nodeTopology.matchLabels ?? {}).sort()) {
    const why = deprecatedNodeLabel(key);
    if (why !== undefined) found.push(`nodeTopology.matchLabels.${key}: ${why}`);
  }
  return found;
}

// Upstream looks at a new one twice.
const strategy: Strategy = { validate, validateCreate: validate, validateUpdate, warnings };

export const csiStorageCapacities: ResourceDefinition = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  listKind: 'CSIStorageCapacityList',
  plural: 'csistoragecapacities',
  singular: 'csistoragecapacity',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'csistoragecapacities',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      'io.k8s.api.storage.v1.CSIStorageCapacity',
      {
        nodeTopology: describe(labelSelector(), { description: 'The nodes that can reach the storage.' }),
        storageClassName: text({ default: '', description: 'Never changes.' }),
        capacity: quantity({ description: 'What is left; unknown when absent.' }),
        maximumVolumeSize: quantity({ description: 'The largest volume that can be made.' }),
      },
      { description: DESCRIPTION, required: ['storageClassName'] },
    ),
  ),
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    column('Created At', 'When it was created.', (object) => object.metadata.creationTimestamp ?? null, {
      type: 'date',
    }),
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: false,
};
