/** `pods/eviction`: a deletion that says so in the pod's status first, and that disruption budgets may refuse. */
import type { KubeObject } from '../../schemas/definition.js';
import { badRequest, conflict, internal, StatusError } from '../errors.js';
import type { RequestContext } from '../request.js';
import { stillProcessed } from './disruption-budgets.js';
import { podCondition, withCondition } from './pod-conditions.js';
import type { DeleteOptions, Registry, StoredObject } from './types.js';

/** Times that one eviction starts again because the pod was changed meanwhile; upstream's number. */
const EVICTION_ATTEMPTS_MAX = 20;

/**
 * Asks the budgets that a pod is covered by, and takes the disruption off them. Throws the StatusError 429 that says why
 * the pod must stay. Answers with the name of a budget that does not count the pod because it is not healthy: then it may
 * go only as it was seen.
 */
export type MayDisrupt = (
  context: RequestContext,
  pod: KubeObject,
  options: { readonly dryRun: boolean; readonly now: number },
) => Promise<string | undefined>;

export interface EvictionOptions extends DeleteOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly mayDisrupt: MayDisrupt;
}

/** Throws StatusError 400, 404, 409 and 429. */
export async function evictPod(
  pods: Registry,
  context: RequestContext,
  namespace: string,
  name: string,
  eviction: KubeObject,
  options: EvictionOptions,
): Promise<void> {
  if (eviction.metadata.name !== name) throw badRequest('name in URL does not match name in Eviction object');
  const { mayDisrupt, now, dryRun = false } = options;
  const wanted = options.preconditions?.resourceVersion;
  for (let attempt = 1; ; attempt++) {
    const item = await pods.get(context, namespace, name);
    const counts = countsForBudgets(item.object);
    const uncountedBy = counts ? await mayDisrupt(context, item.object, { dryRun, now }) : undefined;
    // A pod that is not up yet may be by now, and then its budgets have a say.
    const asSeen = !counts && wanted === undefined && !isTerminal(item.object);
    const isBound = asSeen || uncountedBy !== undefined;
    try {
      await markAndDelete(pods, context, item, isBound ? demanding(options, item.revision) : options);
      return;
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason !== 'Conflict') throw error;
      if (uncountedBy !== undefined && wanted === undefined) throw stillProcessed(uncountedBy);
      if (!asSeen || attempt >= EVICTION_ATTEMPTS_MAX) throw error;
    }
  }
}

const phaseOf = (pod: KubeObject) => (pod['status'] as { readonly phase?: string } | undefined)?.phase;

const isTerminal = (pod: KubeObject): boolean =>
  phaseOf(pod) === 'Succeeded' || phaseOf(pod) === 'Failed' || Boolean(pod.metadata.deletionTimestamp);

const countsForBudgets = (pod: KubeObject): boolean => !isTerminal(pod) && phaseOf(pod) !== 'Pending';

const demanding = (options: EvictionOptions, revision: number): EvictionOptions => ({
  ...options,
  preconditions: { ...options.preconditions, resourceVersion: String(revision) },
});

async function markAndDelete(
  pods: Registry,
  context: RequestContext,
  { namespace, name }: StoredObject,
  options: EvictionOptions,
): Promise<void> {
  let deletion: DeleteOptions = options;
  if (options.dryRun !== true) {
    const { item } = await pods.update(context, namespace, name, (pod) => marked(pod, name, options), {
      subresource: 'eviction',
    });
    const { preconditions } = options;
    if (preconditions?.resourceVersion !== undefined) {
      const resourceVersion = String(item.revision);
      deletion = { ...options, preconditions: { ...preconditions, resourceVersion } };
    }
  }
  await pods.delete(context, namespace, name, deletion);
}

/** The pod with the reason of its end. Throws StatusError 409, in the words of a deletion. */
function marked(
  pod: KubeObject | undefined,
  name: string,
  { preconditions, now }: EvictionOptions,
): KubeObject {
  if (pod === undefined) throw internal('an absent pod cannot be evicted');
  const { uid = '', resourceVersion = '' } = pod.metadata;
  const refuse = (why: string) => conflict({ group: '', name: 'Pod' }, name, why);
  if (preconditions?.uid && preconditions.uid !== uid) {
    throw refuse(
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
  }
  if (preconditions?.resourceVersion && preconditions.resourceVersion !== resourceVersion) {
    throw refuse(
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    );
  }
  return withCondition(
    pod,
    podCondition('DisruptionTarget', now, {
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
    }),
  );
}
