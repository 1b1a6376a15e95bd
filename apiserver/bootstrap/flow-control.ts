/**
 * The flow schemas and priority levels that upstream's servers have. Two of each are mandatory and are as they should be
 * within a minute, whatever anybody does; the others only as long as their annotation says so.
 */
import type { KubeObject } from '../../schemas/definition.js';
import { FLOW_CONTROL_GROUP } from '../../schemas/flowcontrol/v1/conditions.js';
import type {
  FlowSchemaSpec,
  ResourceRule,
  Subject,
} from '../../schemas/flowcontrol/v1/flow-schema-schema.js';
import {
  everythingOf,
  EXEMPT,
  groupSubject,
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
} from '../../schemas/flowcontrol/v1/mandatory.js';
import type { PriorityLevelSpec } from '../../schemas/flowcontrol/v1/priority-level-schema.js';
import { deepEqual } from '../registry/deep-equal.js';
import type { BootstrapList, BootstrapObject } from './list.js';

const AUTO_UPDATE = 'apf.kubernetes.io/autoupdate-spec';
const EVERY_MS = 60_000;
const KUBE_SYSTEM = 'kube-system';

const limited = (
  nominalConcurrencyShares: number,
  lendablePercent: number,
  queues: number,
  handSize: number,
): PriorityLevelSpec => ({
  type: 'Limited',
  limited: {
    nominalConcurrencyShares,
    limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } },
    lendablePercent,
  },
});

const suggestedPriorityLevels: Readonly<Record<string, PriorityLevelSpec>> = {
  system: limited(30, 33, 64, 6),
  'node-high': limited(40, 25, 64, 6),
  'leader-election': limited(10, 0, 16, 4),
  'workload-high': limited(40, 50, 128, 6),
  'workload-low': limited(100, 90, 128, 6),
  'global-default': limited(20, 50, 128, 6),
};

const user = (name: string): Subject => ({ kind: 'User', user: { name } });
const systemAccount = (name: string): Subject => ({
  kind: 'ServiceAccount',
  serviceAccount: { namespace: KUBE_SYSTEM, name },
});
const resources = (verbs: readonly string[], group: string, names: readonly string[]): ResourceRule => ({
  verbs,
  apiGroups: [group],
  resources: names,
  namespaces: ['*'],
});

const flow = (
  level: string,
  matchingPrecedence: number,
  distinguisher: 'ByUser' | 'ByNamespace' | undefined,
  rules: NonNullable<FlowSchemaSpec['rules']>,
): FlowSchemaSpec => ({
  priorityLevelConfiguration: { name: level },
  matchingPrecedence,
  ...(distinguisher && { distinguisherMethod: { type: distinguisher } }),
  rules,
});

const LEASES = 'coordination.k8s.io';
const LOCK = ['get', 'create', 'update'];
const NODES = groupSubject('system:nodes');
const KUBE_CONTROLLER_MANAGER = user('system:kube-controller-manager');
const KUBE_SCHEDULER = user('system:kube-scheduler');
const EVERYBODY = [groupSubject('system:unauthenticated'), groupSubject('system:authenticated')];
const HEALTH_PATHS = ['/healthz', '/readyz', '/livez'];

const suggestedFlowSchemas: Readonly<Record<string, FlowSchemaSpec>> = {
  'system-nodes': flow('system', 500, 'ByUser', [everythingOf([NODES])]),
  'system-node-high': flow('node-high', 400, 'ByUser', [
    {
      subjects: [NODES],
      resourceRules: [
        { ...resources(['*'], '', ['nodes', 'nodes/status']), clusterScope: true },
        resources(['*'], LEASES, ['leases']),
      ],
    },
  ]),
  probes: flow(EXEMPT, 2, undefined, [
    { subjects: EVERYBODY, nonResourceRules: [{ verbs: ['get'], nonResourceURLs: HEALTH_PATHS }] },
  ]),
  'system-leader-election': flow('leader-election', 100, 'ByUser', [
    {
      subjects: [KUBE_CONTROLLER_MANAGER, KUBE_SCHEDULER, systemAccount('*')],
      resourceRules: [resources(LOCK, LEASES, ['leases'])],
    },
  ]),
  'workload-leader-election': flow('leader-election', 200, 'ByUser', [
    {
      subjects: [systemAccount('*')],
      resourceRules: [resources(LOCK, '', ['endpoints', 'configmaps']), resources(LOCK, LEASES, ['leases'])],
    },
  ]),
  'endpoint-controller': flow('workload-high', 150, 'ByUser', [
    {
      subjects: [
        KUBE_CONTROLLER_MANAGER,
        systemAccount('endpoint-controller'),
        systemAccount('endpointslicemirroring-controller'),
      ],
      resourceRules: [resources(LOCK, '', ['endpoints'])],
    },
  ]),
  'kube-controller-manager': flow('workload-high', 800, 'ByNamespace', [
    everythingOf([KUBE_CONTROLLER_MANAGER]),
  ]),
  'kube-scheduler': flow('workload-high', 800, 'ByNamespace', [everythingOf([KUBE_SCHEDULER])]),
  'kube-system-service-accounts': flow('workload-high', 900, 'ByNamespace', [
    everythingOf([systemAccount('*')]),
  ]),
  'service-accounts': flow('workload-low', 9000, 'ByUser', [
    everythingOf([groupSubject('system:serviceaccounts')]),
  ]),
  'global-default': flow('global-default', 9900, 'ByUser', [everythingOf(EVERYBODY)]),
};

type Reconcile = NonNullable<BootstrapObject['reconcile']>;

/** Whether the spec is the server's. Where nobody has said so it is as long as nobody has changed it. */
function isAutoUpdated({ metadata }: KubeObject): boolean {
  const value = metadata.annotations?.[AUTO_UPDATE];
  if (value === 'true' || value === 'false') return value === 'true';
  return metadata.generation === 1;
}

/** What the annotation and the spec should be; undefined where both are so. */
function reconciled(present: KubeObject, spec: object, isAuto: boolean): KubeObject | undefined {
  const { annotations = {} } = present.metadata;
  const annotation = String(isAuto);
  const keepsSpec = !isAuto || deepEqual(present['spec'], spec);
  if (keepsSpec && annotations[AUTO_UPDATE] === annotation) return undefined;
  return {
    ...present,
    metadata: { ...present.metadata, annotations: { ...annotations, [AUTO_UPDATE]: annotation } },
    ...(keepsSpec ? {} : { spec: structuredClone(spec) }),
  };
}

const reconcileSuggested: Reconcile = (present, wanted) =>
  reconciled(present, wanted['spec'] as object, isAutoUpdated(present));
const reconcileMandatory: Reconcile = (present, wanted) =>
  reconciled(present, wanted['spec'] as object, true);
/** What the level `exempt` lends to others is the administrator's to say. */
const reconcileExempt: Reconcile = (present, wanted) => {
  const { exempt } = (present['spec'] ?? {}) as PriorityLevelSpec;
  return reconciled(present, { ...(wanted['spec'] as object), ...(exempt && { exempt }) }, true);
};

const KINDS = {
  flowschemas: 'FlowSchema',
  prioritylevelconfigurations: 'PriorityLevelConfiguration',
} as const;

const made =
  (plural: keyof typeof KINDS, reconcile: (name: string) => Reconcile) =>
  ([name, spec]: readonly [string, object]): BootstrapObject => ({
    group: FLOW_CONTROL_GROUP,
    plural,
    object: {
      kind: KINDS[plural],
      apiVersion: `${FLOW_CONTROL_GROUP}/v1`,
      metadata: { name, annotations: { [AUTO_UPDATE]: 'true' } },
      spec,
    },
    reconcile: reconcile(name),
  });

const mandatory = () => reconcileMandatory;
const suggested = () => reconcileSuggested;

export const flowControlList: BootstrapList = {
  name: 'priority-and-fairness-config-producer',
  fieldManager: 'api-priority-and-fairness-config-producer-v1',
  everyMs: EVERY_MS,
  objects: () => [
    ...Object.entries(suggestedPriorityLevels).map(made('prioritylevelconfigurations', suggested)),
    ...[...mandatoryPriorityLevels].map(
      made('prioritylevelconfigurations', (name) => (name === EXEMPT ? reconcileExempt : reconcileMandatory)),
    ),
    ...Object.entries(suggestedFlowSchemas).map(made('flowschemas', suggested)),
    ...[...mandatoryFlowSchemas].map(made('flowschemas', mandatory)),
  ],
};
