/** What a terminating namespace says of how far its removal got: upstream's conditions, reasons and messages. */
import type { Outcome } from './content.js';

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

type Verdict = readonly [status: 'True' | 'False', reason: string, message: string];

/** In upstream's order. The first two cannot fail where the controller and the API are one process. */
function verdicts(outcome: Outcome): readonly (readonly [type: string, verdict: Verdict])[] {
  return [
    [
      'NamespaceDeletionDiscoveryFailure',
      ['False', 'ResourcesDiscovered', 'All resources successfully discovered'],
    ],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      ['False', 'ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    ],
    ['NamespaceDeletionContentFailure', contentFailure(outcome)],
    ['NamespaceContentRemaining', contentRemaining(outcome)],
    ['NamespaceFinalizersRemaining', finalizersRemaining(outcome)],
  ];
}

function contentFailure({ failures }: Outcome): Verdict {
  if (failures.length === 0) {
    return ['False', 'ContentDeleted', 'All content successfully deleted, may be waiting on finalization'];
  }
  const texts = [...failures].sort().join(', ');
  const message = `Failed to delete all resource types, ${failures.length} remaining: ${texts}`;
  return ['True', 'ContentDeletionFailed', message];
}

function contentRemaining({ remaining }: Outcome): Verdict {
  if (remaining.size === 0) return ['False', 'ContentRemoved', 'All content successfully removed'];
  const texts = [...remaining]
    .map(([resource, count]) => `${resource} has ${count} resource instances`)
    .sort();
  return ['True', 'SomeResourcesRemain', `Some resources are remaining: ${texts.join(', ')}`];
}

function finalizersRemaining({ finalizers }: Outcome): Verdict {
  if (finalizers.size === 0) {
    return ['False', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'];
  }
  const texts = [...finalizers]
    .map(([finalizer, count]) => `${finalizer} in ${count} resource instances`)
    .sort();
  const message = `Some content in the namespace has finalizers remaining: ${texts.join(', ')}`;
  return ['True', 'SomeFinalizersRemain', message];
}

/** Undefined where nothing changes. Conditions of others stay. `now`: RFC 3339. */
export function conditionsAfter(
  before: readonly Condition[],
  outcome: Outcome,
  now: string,
): readonly Condition[] | undefined {
  const after = [...before];
  let changed = false;
  for (const [type, [status, reason, message]] of verdicts(outcome)) {
    const at = after.findIndex((condition) => condition.type === type);
    const known = after[at];
    if (known?.status === status && known.reason === reason && known.message === message) continue;
    changed = true;
    const lastTransitionTime = known?.status === status ? (known.lastTransitionTime ?? now) : now;
    const condition: Condition = { type, status, lastTransitionTime, reason, message };
    if (known === undefined) after.push(condition);
    else after[at] = condition;
  }
  return changed ? after : undefined;
}
