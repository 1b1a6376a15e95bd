/** What a PriorityLevelConfiguration consists of. */
import type { KubeObject } from '../../definition.js';
import { describe, int32, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { FLOW_CONTROL, flowStatus } from './conditions.js';

export const PRIORITY_LEVEL_DESCRIPTION =
  'Says how many requests of a level run at once, and what becomes of more.';

export interface Queuing {
  queues?: number;
  handSize?: number;
  queueLengthLimit?: number;
}
export interface LimitResponse {
  readonly type?: string;
  readonly queuing?: Queuing;
}
export interface Limited {
  nominalConcurrencyShares?: number;
  readonly limitResponse?: LimitResponse;
  lendablePercent?: number;
  readonly borrowingLimitPercent?: number;
}
export interface Exempt {
  nominalConcurrencyShares?: number;
  lendablePercent?: number;
}
export interface PriorityLevelSpec {
  readonly type?: string;
  readonly limited?: Limited;
  readonly exempt?: Exempt;
}
export const specOf = (object: KubeObject): PriorityLevelSpec => object['spec'] ?? {};

const shares = () =>
  int32({ description: 'Its part of what the server does at once, beside the other levels.' });
const lendable = () => int32({ description: 'How much of its part others may borrow, 0 to 100.' });

const limitResponse = once(() =>
  struct(
    `${FLOW_CONTROL}.LimitResponse`,
    {
      type: text({ default: '', goType: 'v1.LimitResponseType', description: 'Queue or Reject.' }),
      queuing: struct(
        `${FLOW_CONTROL}.QueuingConfiguration`,
        {
          queues: int32({ default: 0, description: 'How many there are.' }),
          handSize: int32({ default: 0, description: 'How many of them a flow may use.' }),
          queueLengthLimit: int32({ default: 0, description: 'How many requests wait in one.' }),
        },
        { description: 'Queues of a level.' },
      ),
    },
    {
      description: 'What becomes of requests that cannot run now.',
      required: ['type'],
      unions: [{ discriminator: 'type', fieldsToDiscriminateBy: { queuing: 'Queuing' } }],
    },
  ),
);

export const priorityLevelSpec = once(() =>
  struct(
    `${FLOW_CONTROL}.PriorityLevelConfigurationSpec`,
    {
      type: text({ default: '', goType: 'v1.PriorityLevelEnablement', description: 'Exempt or Limited.' }),
      limited: struct(
        `${FLOW_CONTROL}.LimitedPriorityLevelConfiguration`,
        {
          nominalConcurrencyShares: shares(),
          limitResponse: describe(limitResponse(), { default: {} }),
          lendablePercent: lendable(),
          borrowingLimitPercent: int32({
            description: 'How much it may borrow, of its own part; absent: all.',
          }),
        },
        { description: 'A level with limits.' },
      ),
      exempt: struct(
        `${FLOW_CONTROL}.ExemptPriorityLevelConfiguration`,
        { nominalConcurrencyShares: shares(), lendablePercent: lendable() },
        { description: 'A level without limits, whose part others may still borrow.' },
      ),
    },
    {
      description: 'The limits of a level.',
      required: ['type'],
      unions: [{ discriminator: 'type', fieldsToDiscriminateBy: { exempt: 'Exempt', limited: 'Limited' } }],
    },
  ),
);

export const priorityLevelConfiguration = once(() =>
  kubeObject(
    `${FLOW_CONTROL}.PriorityLevelConfiguration`,
    {
      spec: describe(priorityLevelSpec(), { default: {} }),
      status: flowStatus('PriorityLevelConfiguration'),
    },
    { description: PRIORITY_LEVEL_DESCRIPTION },
  ),
);
