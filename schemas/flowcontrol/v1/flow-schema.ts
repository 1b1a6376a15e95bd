/** FlowSchema: which requests belong to which priority level. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { keepStatus, startWithoutStatus } from '../../meta/status.js';
import { flowControlResource } from './resource.js';
import { conditionsOf } from './conditions.js';
import { FLOW_SCHEMA_DESCRIPTION, flowSchema, specOf } from './flow-schema-schema.js';
import { validateFlowSchema } from './flow-schema-validation.js';

const PRECEDENCE_DEFAULT = 1000;

function defaults(object: KubeObject): void {
  specOf(object).matchingPrecedence ||= PRECEDENCE_DEFAULT;
}

const strategy: Strategy = {
  defaults,
  prepareForCreate: startWithoutStatus,
  prepareForUpdate: keepStatus,
  validate: validateFlowSchema,
};

export const flowSchemas: ResourceDefinition = {
  ...flowControlResource(defaults),
  kind: 'FlowSchema',
  listKind: 'FlowSchemaList',
  plural: 'flowschemas',
  singular: 'flowschema',
  etcdPrefix: 'flowschemas',
  description: FLOW_SCHEMA_DESCRIPTION,
  schema: flowSchema,
  strategy,
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
};
