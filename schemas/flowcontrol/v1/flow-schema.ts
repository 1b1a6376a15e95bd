/** FlowSchema: which requests belong to which priority level. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { conditionsOf, FLOW_CONTROL_GROUP, validateConditions } from './conditions.js';
import { FLOW_SCHEMA_DESCRIPTION, flowSchema, specOf } from './flow-schema-schema.js';
import { validateFlowSchema } from './flow-schema-validation.js';

const PRECEDENCE_DEFAULT = 1000;

function defaults(object: KubeObject): void {
  specOf(object).matchingPrecedence ||= PRECEDENCE_DEFAULT;
}

const strategy: Strategy = {
  defaults,
  prepareForCreate(object) {
    object['status'] = {};
  },
  prepareForUpdate(object, old) {
    object['status'] = old['status'];
  },
  validate: validateFlowSchema,
};

/** Through `status` nothing else changes, metadata neither. */
export function keepAllButStatus(object: KubeObject, old: KubeObject): void {
  const { managedFields, resourceVersion } = object.metadata;
  const { managedFields: _, ...metadata } = old.metadata;
  object.metadata = {
    ...metadata,
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(managedFields !== undefined && { managedFields }),
  };
  object['spec'] = old['spec'];
}

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate: keepAllButStatus,
  validateUpdate: validateConditions,
};

export const flowSchemas: ResourceDefinition = {
  group: FLOW_CONTROL_GROUP,
  version: 'v1',
  kind: 'FlowSchema',
  listKind: 'FlowSchemaList',
  plural: 'flowschemas',
  singular: 'flowschema',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'flowschemas',
  description: FLOW_SCHEMA_DESCRIPTION,
  schema: flowSchema,
  strategy,
  subresources: [
    {
      name: 'status',
      verbs: SUBRESOURCE_VERBS,
      strategy: statusStrategy,
      resetFields: ['spec', 'metadata'],
    },
  ],
  columns: [
    nameColumn,
    column(
      'PriorityLevel',
      'Where the requests belong.',
      (object) => specOf(object).priorityLevelConfiguration?.name ?? '',
    ),
    column(
      'MatchingPrecedence',
      'The smaller, the earlier it is looked at.',
      (object) => specOf(object).matchingPrecedence ?? 0,
    ),
    column(
      'DistinguisherMethod',
      'What tells its flows apart.',
      (object) => specOf(object).distinguisherMethod?.type ?? '<none>',
    ),
    ageColumn,
    column(
      'MissingPL',
      'Whether its priority level is absent.',
      (object) => conditionsOf(object).find(({ type }) => type === 'Dangling')?.status ?? '?',
    ),
  ],
  // As they are looked at. Those of the same precedence stay in the order of their names.
  rowOrder: (a, b) => (specOf(a).matchingPrecedence ?? 0) - (specOf(b).matchingPrecedence ?? 0),
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
