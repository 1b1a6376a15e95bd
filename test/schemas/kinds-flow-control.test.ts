/** Rules of FlowSchema and PriorityLevelConfiguration that a manifest cannot show, as kube-apiserver 1.36 has them. */
import t from 'tap';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { flowSchemas } from '../../schemas/flowcontrol/v1/flow-schema.js';
import { priorityLevelConfigurations } from '../../schemas/flowcontrol/v1/priority-level.js';
import { mandatoryFlowSchemas, mandatoryPriorityLevels } from '../../schemas/flowcontrol/v1/mandatory.js';
import { create, messages, update } from './pipeline.js';

type Fields = Record<string, unknown>;

const refusals = (definition: ResourceDefinition, name: string, spec: unknown): string[] =>
  messages(create(definition, { metadata: { name }, spec }));

function stored(definition: ResourceDefinition, name: string, spec: unknown): KubeObject {
  const outcome = create(definition, { metadata: { name }, spec });
  if (outcome.object === undefined || outcome.errors.length > 0) throw new Error(JSON.stringify(outcome));
  return outcome.object;
}

const limited = (more: object) => ({
  type: 'Limited',
  limited: { limitResponse: { type: 'Reject' }, ...more },
});
const queuing = (queues: number, handSize: number) =>
  limited({ limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 1 } } });

t.test('the mandatory objects are valid as they are, and may not change', (t) => {
  for (const [name, spec] of mandatoryFlowSchemas) {
    t.same(refusals(flowSchemas, name, spec), [], name);
    const changed = { ...spec, matchingPrecedence: 77 };
    const [message = ''] = refusals(flowSchemas, name, changed);
    t.match(message, /^spec: Invalid value: \{"PriorityLevelConfiguration":\{"Name":"/);
    t.ok(message.endsWith(`}: spec of '${name}' must equal the fixed value`), message);
    t.match(
      message,
      '"ResourceRules":[{"Verbs":["*"],"APIGroups":["*"],"Resources":["*"],"ClusterScope":true,',
    );
  }
  for (const [name, spec] of mandatoryPriorityLevels) {
    t.same(refusals(priorityLevelConfigurations, name, spec), [], name);
  }
  t.same(refusals(priorityLevelConfigurations, 'catch-all', limited({ nominalConcurrencyShares: 6 })), [
    'spec: Invalid value: {"Type":"Limited","Limited":{"NominalConcurrencyShares":6,"LimitResponse":{"Type":"Reject","Queuing":null},"LendablePercent":0,"BorrowingLimitPercent":null},"Exempt":null}: spec of \'catch-all\' must equal the fixed value',
  ]);
  t.end();
});

t.test('of the level `exempt` the field `exempt` may change, within bounds', (t) => {
  const exempt = (fields: object) => ({ type: 'Exempt', exempt: fields });
  const change = exempt({ nominalConcurrencyShares: 5, lendablePercent: 50 });
  t.same(refusals(priorityLevelConfigurations, 'exempt', change), []);
  const wrong = exempt({ nominalConcurrencyShares: -1, lendablePercent: -1 });
  t.same(refusals(priorityLevelConfigurations, 'exempt', wrong), [
    'spec.exempt.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer',
    'spec.exempt.lendablePercent: Invalid value: -1: must be between 0 and 100, inclusive',
  ]);
  t.same(refusals(priorityLevelConfigurations, 'other', { ...change, limited: {} }).slice(0, 2), [
    "spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'",
    'spec.limited: Forbidden: must be nil if the type is not Limited',
  ]);
  t.end();
});

t.test('a type goes with its own field', (t) => {
  const level = (spec: object) => refusals(priorityLevelConfigurations, 'a', spec);
  const path = 'spec.limited.limitResponse';
  t.same(level({ type: 'Limited' }), [
    'spec.limited: Required value: must not be empty when type is Limited',
  ]);
  t.same(level({ type: 'Free' }), [
    'spec.type: Unsupported value: "Free": supported values: "Exempt", "Limited"',
  ]);
  t.same(level(limited({ limitResponse: { type: 'Queue' } })), [
    `${path}.queuing: Required value: must not be empty if limited.limitResponse.type is Limited`,
  ]);
  t.same(level(limited({ limitResponse: { type: 'Reject', queuing: {} } })), [
    `${path}.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited`,
  ]);
  t.same(level(limited({ limitResponse: {} })), [
    `${path}.type: Unsupported value: "": supported values: "Queue", "Reject"`,
  ]);
  t.end();
});

t.test('queues and hands are no more than a hash of 60 bits can deal', (t) => {
  const level = (queues: number, handSize: number) =>
    refusals(priorityLevelConfigurations, 'a', queuing(queues, handSize));
  const path = 'spec.limited.limitResponse.queuing';
  t.same(level(10_000_000, 2), []);
  t.same(level(10_000_001, 2), [
    `${path}.queues: Invalid value: 10000001: must not be greater than 10000000`,
  ]);
  t.same(level(512, 8), [
    `${path}.handSize: Invalid value: 8: required entropy bits of deckSize 512 and handSize 8 should not be greater than 60`,
  ]);
  t.same(level(-1, -1), [
    `${path}.queues: Invalid value: -1: must be positive`,
    `${path}.handSize: Invalid value: -1: must be positive`,
  ]);
  t.end();
});

t.test('precedence is from 2 to 10000, and 1000 by itself', (t) => {
  const spec = (matchingPrecedence: number) => ({
    priorityLevelConfiguration: { name: 'a' },
    matchingPrecedence,
  });
  t.match(stored(flowSchemas, 'a', spec(0)), { spec: { matchingPrecedence: 1000 } });
  t.same(refusals(flowSchemas, 'a', spec(10_000)), []);
  t.same(refusals(flowSchemas, 'a', spec(10_001)), [
    'spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000',
  ]);
  t.same(refusals(flowSchemas, 'a', spec(-1)), [
    'spec.matchingPrecedence: Invalid value: -1: must be a positive value',
  ]);
  t.same(refusals(flowSchemas, 'a', {}), [
    'spec.priorityLevelConfiguration.name: Required value: must reference a priority level',
  ]);
  t.end();
});

t.test('status is written through its subresource only, and nothing else is', (t) => {
  const status = { conditions: [{ type: 'Dangling', status: 'True' }] };
  for (const [definition, spec] of [
    [flowSchemas, { priorityLevelConfiguration: { name: 'a' } }],
    [priorityLevelConfigurations, limited({})],
  ] as const) {
    const old = stored(definition, 'a', spec);
    const body = { metadata: { name: 'a', labels: { a: 'b' } }, spec: {}, status };
    const plain = update(definition, old, { ...body, spec }).object;
    t.same(plain?.['status'], {}, definition.kind);
    t.same(plain?.metadata.labels, { a: 'b' });
    const through = update(definition, old, body, 'status').object;
    t.match(through?.['status'], status);
    t.same(through?.['spec'], old['spec']);
    t.equal(through?.metadata.labels, undefined);
    const twice = { ...body, status: { conditions: [{ type: 'a' }, { type: 'a' }, {}] } };
    t.same(messages(update(definition, old, twice, 'status')), [
      'status.conditions[1].type: Duplicate value: "a"',
      'status.conditions[2].type: Required value: must not be empty',
    ]);
  }
  t.end();
});

t.test('cells', (t) => {
  const cells = (definition: ResourceDefinition, object: KubeObject): unknown[] =>
    definition.columns.filter(({ name }) => name !== 'Age').map(({ cell }) => cell(object, 0));
  const flow = stored(flowSchemas, 'a', { priorityLevelConfiguration: { name: 'b' } });
  t.same(cells(flowSchemas, flow), ['a', 'b', 1000, '<none>', '?']);
  (flow['spec'] as Fields)['distinguisherMethod'] = { type: 'ByUser' };
  flow['status'] = { conditions: [{ type: 'Dangling', status: 'False' }] };
  t.same(cells(flowSchemas, flow), ['a', 'b', 1000, 'ByUser', 'False']);
  const level = (name: string, spec: object) =>
    cells(priorityLevelConfigurations, stored(priorityLevelConfigurations, name, spec));
  const none = '<none>';
  t.same(level('exempt', { type: 'Exempt' }), ['exempt', 'Exempt', none, none, none, none]);
  t.same(level('a', limited({})), ['a', 'Limited', 30, none, none, none]);
  t.same(level('a', queuing(8, 4)), ['a', 'Limited', 30, 8, 4, 1]);
  t.end();
});
