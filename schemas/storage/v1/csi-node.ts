/** CSINode: the storage drivers that run on a node, which it is named after. */
import { isDeepStrictEqual } from 'node:util';
import { ageColumn, column, nameColumn } from '../../columns.js';
import { internalStruct } from '../../core/v1/internal-form.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { duplicate, type FieldError, invalid, required } from '../../field-error.js';
import { describe, int32, list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { FIELD_IMMUTABLE, invalidEach, validateNotNegative } from '../../validation/metadata.js';
import { byteLength, dns1123Subdomain, nameIs, qualifiedName } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';

const STORAGE = 'io.k8s.api.storage.v1';
const DESCRIPTION = 'The storage drivers that run on a node, which it is named after.';

/** A driver's own name of a node. */
const NODE_ID_BYTES_MAX = 256;

const volumeNodeResources = once(() =>
  struct(
    `${STORAGE}.VolumeNodeResources`,
    { count: int32({ description: 'How many volumes; any number when absent.' }) },
    { description: 'How much of a driver a node can take.' },
  ),
);

const csiNodeDriver = once(() =>
  struct(
    `${STORAGE}.CSINodeDriver`,
    {
      name: text({ default: '', description: 'What the driver is called.' }),
      nodeID: text({ default: '', description: 'What the driver calls the node.' }),
      topologyKeys: list(text(), {
        listType: 'atomic',
        printsNull: true,
        description: 'Labels of the node that say where its volumes can be.',
      }),
      allocatable: volumeNodeResources(),
    },
    { description: 'A driver on the node.', required: ['name', 'nodeID'] },
  ),
);

const csiNodeSpec = once(() =>
  struct(
    `${STORAGE}.CSINodeSpec`,
    {
      drivers: list(csiNodeDriver(), {
        listType: 'map',
        listMapKeys: ['name'],
        patchStrategy: 'merge',
        patchMergeKey: 'name',
        printsNull: true,
        description: 'Each once.',
      }),
    },
    { description: 'The drivers of the node.', required: ['drivers'] },
  ),
);

interface Driver {
  name?: string;
  nodeID?: string;
  topologyKeys?: readonly string[] | null;
  allocatable?: { count?: number };
}
const driversOf = (object: KubeObject): readonly Driver[] =>
  (object['spec'] as { drivers?: Driver[] | null } | undefined)?.drivers ?? [];

function validate(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, driver] of driversOf(object).entries()) {
    const path = `spec.drivers[${i}]`;
    const { name = '' } = driver;
    invalidEach(errors, `${path}.name`, name, dns1123Subdomain(name));
    validateNodeId(errors, driver.nodeID ?? '', `${path}.nodeID`);
    validateNotNegative(errors, `${path}.allocatable.count`, driver.allocatable?.count);
    if (seen.has(name)) errors.push(duplicate(`${path}.name`, name));
    seen.add(name);
    validateTopologyKeys(errors, driver.topologyKeys ?? [], path);
  }
  return errors;
}

function validateNodeId(errors: FieldError[], nodeId: string, field: string): void {
  if (nodeId === '') errors.push(required(field));
  if (byteLength(nodeId) > NODE_ID_BYTES_MAX) {
    errors.push(invalid(field, nodeId, `must be ${NODE_ID_BYTES_MAX} characters or less`));
  }
}

/** Upstream names the driver in place of the key. */
function validateTopologyKeys(errors: FieldError[], keys: readonly string[], field: string): void {
  const seen = new Set<string>();
  for (const key of keys) {
    if (key === '') errors.push(required(field));
    if (seen.has(key)) errors.push(duplicate(field, key));
    seen.add(key);
    invalidEach(errors, field, key, qualifiedName(key));
  }
}

function fixedPart(driver: Driver): Driver {
  const { allocatable: _, ...rest } = driver;
  return rest;
}

function validateUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  // Upstream looks at the spec twice.
  const errors = validate(object);
  for (const before of driversOf(old)) {
    for (const driver of driversOf(object)) {
      if (driver.name !== before.name || isDeepStrictEqual(fixedPart(driver), fixedPart(before))) continue;
      const shown = internalStruct(csiNodeDriver(), { ...fixedPart(driver) });
      errors.push(invalid('spec.drivers', shown, FIELD_IMMUTABLE));
    }
  }
  return errors;
}

const strategy: Strategy = { validate, validateUpdate };

export const csiNodes: ResourceDefinition = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  listKind: 'CSINodeList',
  plural: 'csinodes',
  singular: 'csinode',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'csinodes',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${STORAGE}.CSINode`,
      { spec: describe(csiNodeSpec(), { default: {} }) },
      { description: DESCRIPTION, required: ['spec'] },
    ),
  ),
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    column('Drivers', 'How many drivers there are.', (object) => driversOf(object).length, {
      type: 'integer',
    }),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
};
