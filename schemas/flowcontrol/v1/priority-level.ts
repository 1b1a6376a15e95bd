/** PriorityLevelConfiguration: how many requests of a level run at once, and what becomes of more. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy, TableColumn } from '../../definition.js';
import { keepStatus, startWithoutStatus } from '../../meta/status.js';
import { flowControlResource } from './resource.js';
import {
  PRIORITY_LEVEL_DESCRIPTION,
  priorityLevelConfiguration,
  type Queuing,
  specOf,
} from './priority-level-schema.js';
import { validatePriorityLevel } from './priority-level-validation.js';

const DEFAULT_SHARES = 30;
const DEFAULT_QUEUES = 64;
const DEFAULT_HAND_SIZE = 8;
const DEFAULT_QUEUE_LENGTH = 50;

function defaults(object: KubeObject): void {
  const { exempt, limited } = specOf(object);
  if (exempt !== undefined) {
    exempt.nominalConcurrencyShares ??= 0;
    exempt.lendablePercent ??= 0;
  }
  if (limited === undefined) return;
  limited.nominalConcurrencyShares ??= DEFAULT_SHARES;
  limited.lendablePercent ??= 0;
  const { queuing } = limited.limitResponse ?? {};
  if (queuing === undefined) return;
  queuing.handSize ||= DEFAULT_HAND_SIZE;
  queuing.queues ||= DEFAULT_QUEUES;
  queuing.queueLengthLimit ||= DEFAULT_QUEUE_LENGTH;
}

const strategy: Strategy = {
  defaults,
  prepareForCreate: startWithoutStatus,
  prepareForUpdate: keepStatus,
  validate: validatePriorityLevel,
};

const NONE = '<none>';

const queuingColumn = (name: string, description: string, field: keyof Queuing): TableColumn =>
  column(name, description, (object) => specOf(object).limited?.limitResponse?.queuing?.[field] ?? NONE);

export const priorityLevelConfigurations: ResourceDefinition = {
  ...flowControlResource(defaults),
  kind: 'PriorityLevelConfiguration',
  listKind: 'PriorityLevelConfigurationList',
  plural: 'prioritylevelconfigurations',
  singular: 'prioritylevelconfiguration',
  etcdPrefix: 'prioritylevelconfigurations',
  description: PRIORITY_LEVEL_DESCRIPTION,
  schema: priorityLevelConfiguration,
  strategy,
  columns: [
    nameColumn,
    column('Type', 'Whether it has limits.', (object) => specOf(object).type ?? ''),
    column(
      'NominalConcurrencyShares',
      'Its part of what the server does at once.',
      (object) => specOf(object).limited?.nominalConcurrencyShares ?? NONE,
    ),
    queuingColumn('Queues', 'How many queues it has.', 'queues'),
    queuingColumn('HandSize', 'How many of them a flow may use.', 'handSize'),
    queuingColumn('QueueLengthLimit', 'How many requests wait in one queue.', 'queueLengthLimit'),
    ageColumn,
  ],
};
