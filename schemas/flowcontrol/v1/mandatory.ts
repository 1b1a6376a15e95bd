/** Objects that every server has and whose specs nobody may change. */
import type { FlowSchemaSpec, Rules, Subject } from './flow-schema-schema.js';
import type { PriorityLevelSpec } from './priority-level-schema.js';

/** The one level that limits nothing, and the one flow schema that comes first. */
export const EXEMPT = 'exempt';
/** What takes the requests that nothing else takes. */
export const CATCH_ALL = 'catch-all';

const ALL = ['*'];

export const groupSubject = (name: string): Subject => ({ kind: 'Group', group: { name } });

/** Every request that the subjects make. */
export const everythingOf = (subjects: readonly Subject[]): Rules => ({
  subjects,
  resourceRules: [{ verbs: ALL, apiGroups: ALL, resources: ALL, clusterScope: true, namespaces: ALL }],
  nonResourceRules: [{ verbs: ALL, nonResourceURLs: ALL }],
});

export const mandatoryFlowSchemas: ReadonlyMap<string, FlowSchemaSpec> = new Map([
  [
    EXEMPT,
    {
      priorityLevelConfiguration: { name: EXEMPT },
      matchingPrecedence: 1,
      rules: [everythingOf([groupSubject('system:masters')])],
    },
  ],
  [
    CATCH_ALL,
    {
      priorityLevelConfiguration: { name: CATCH_ALL },
      matchingPrecedence: 10_000,
      distinguisherMethod: { type: 'ByUser' },
      rules: [everythingOf([groupSubject('system:unauthenticated'), groupSubject('system:authenticated')])],
    },
  ],
]);

export const mandatoryPriorityLevels: ReadonlyMap<string, PriorityLevelSpec> = new Map([
  [EXEMPT, { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }],
  [
    CATCH_ALL,
    {
      type: 'Limited',
      limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' }, lendablePercent: 0 },
    },
  ],
]);
