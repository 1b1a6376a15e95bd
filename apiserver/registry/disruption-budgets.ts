/**
 * Budgets at work: whether a pod may be evicted, and one disruption less for the next. How many are left is counted
 * elsewhere, by a controller that watches the pods; until it has seen this one go, the budget's status names it.
 */
import type { KubeObject } from '../../schemas/definition.js';
import {
  type BudgetStatus,
  budgetSpec,
  budgetStatus,
} from '../../schemas/policy/v1/pod-disruption-budget.js';
import type { Condition } from '../../schemas/validation/conditions.js';
import { selectorMatches } from '../../schemas/validation/selectors.js';
import { forbidden, internal, notFound, StatusError } from '../errors.js';
import type { MayDisrupt } from './eviction.js';
import { timestamp } from './metadata.js';
import { everyObject } from './every-object.js';
import type { Registry } from './types.js';

/** Pods that a budget's status may name, beyond which its controller is taken to be away. */
const DISRUPTED_PODS_MAX = 2000;
const RETRY_SECONDS = 10;

const budgetKind = { group: 'policy', name: 'poddisruptionbudget' };
const budgetResource = { group: 'policy', name: 'poddisruptionbudgets' };

const refused = (why: string, retryAfterSeconds?: number): StatusError =>
  new StatusError(
    429,
    'TooManyRequests',
    "Cannot evict pod as it would violate the pod's disruption budget.",
    {
      causes: [{ reason: 'DisruptionBudget', message: why }],
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    },
  );

/** The budget's numbers are behind what it is about. */
export const stillProcessed = (name: string): StatusError =>
  refused(`The disruption budget ${name} is still being processed by the server.`, RETRY_SECONDS);

function isReady(pod: KubeObject): boolean {
  const status = (pod['status'] ?? {}) as { readonly conditions?: readonly Condition[] };
  return (status.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True');
}

/** Whether a pod that serves nothing may go without being counted. */
function maySkip(budget: KubeObject): boolean {
  if (budgetSpec(budget).unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = budgetStatus(budget);
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function whyNone(name: string, status: BudgetStatus): string {
  const { currentHealthy = 0, desiredHealthy = 0, conditions = [] } = status;
  const none = `The disruption budget ${name} does not allow evicting pods currently`;
  const said = conditions.find(({ type }) => type === 'DisruptionAllowed');
  const { reason, message = '' } = said?.status === 'False' ? said : {};
  // Then the numbers are not to be relied on.
  if (message !== '' && reason === 'SyncFailed') return `${none} because it failed sync: ${message}`;
  if (currentHealthy <= desiredHealthy) {
    return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  }
  return message === '' ? none : `${none} (${reason ?? ''}): ${message}`;
}

/** The status once the pod is taken off it. Throws StatusError 403 and 429. */
function decremented(budget: KubeObject, podName: string, now: number): BudgetStatus {
  const { name = '', generation = 0 } = budget.metadata;
  const status = budgetStatus(budget);
  const { observedGeneration = 0, disruptionsAllowed = 0, disruptedPods = {}, conditions = [] } = status;
  if (observedGeneration < generation) throw stillProcessed(name);
  if (disruptionsAllowed < 0) throw forbidden(budgetKind, name, 'pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > DISRUPTED_PODS_MAX) {
    const why = 'DisruptedPods map too big - too many evictions not confirmed by PDB controller';
    throw forbidden(budgetKind, name, why);
  }
  if (disruptionsAllowed === 0) throw refused(whyNone(name, status));
  const left = disruptionsAllowed - 1;
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0 } = status;
  return {
    ...(observedGeneration === 0 ? {} : { observedGeneration }),
    disruptedPods: { ...disruptedPods, [podName]: timestamp(now) },
    disruptionsAllowed: left,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    ...(left > 0 && conditions.length === 0
      ? {}
      : { conditions: left > 0 ? conditions : withNoneLeft(conditions, observedGeneration, now) }),
  };
}

/** Says that no disruption is left, in place of what was said before, or behind the others. */
function withNoneLeft(
  conditions: readonly Condition[],
  observedGeneration: number,
  now: number,
): Condition[] {
  const at = conditions.findIndex(({ type }) => type === 'DisruptionAllowed');
  const before = conditions[at];
  const lastTransitionTime = before?.status === 'False' ? before.lastTransitionTime : timestamp(now);
  const condition: Condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    ...(observedGeneration === 0 ? {} : { observedGeneration }),
    lastTransitionTime: lastTransitionTime ?? null,
    reason: 'InsufficientPods',
    message: '',
  };
  return before === undefined ? [...conditions, condition] : conditions.with(at, condition);
}

/** Asks the budgets of a registry. */
export const budgetsOf =
  (budgets: Registry): MayDisrupt =>
  async (context, pod, { dryRun, now }) => {
    const { namespace = '', name: podName = '', labels } = pod.metadata;
    const { items } = await budgets.list(context, namespace, everyObject);
    const [item, another] = items.filter(({ object }) =>
      selectorMatches(budgetSpec(object).selector, labels),
    );
    if (item === undefined) return undefined;
    if (another !== undefined) {
      throw internal(
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      );
    }
    const { name, object: budget } = item;
    if (!isReady(pod) && maySkip(budget)) return name;
    if (dryRun) {
      decremented(budget, podName, now);
      return undefined;
    }
    await budgets.update(
      context,
      namespace,
      name,
      (current) => {
        if (current === undefined) throw notFound(budgetResource, name);
        return { ...current, status: decremented(current, podName, now) };
      },
      { subresource: 'status', fieldManager: 'kube-apiserver' },
    );
    return undefined;
  };
