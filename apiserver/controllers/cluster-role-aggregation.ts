/** The cluster role aggregation controller: fills the roles that are made of others, such as `admin`, `edit` and `view`. */
import type { KubeObject } from '../../schemas/definition.js';
import { RBAC_GROUP } from '../../schemas/rbac/v1/rules.js';
import { type LabelSelector, selectorMatches } from '../../schemas/validation/selectors.js';
import { deepEqual } from '../registry/deep-equal.js';
import { everyObjectAtHand } from '../registry/every-object.js';
import type { Registry } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { controllerContext } from './context.js';
import type { Controller } from './controller.js';
import { follow } from './follow.js';
import { hasReason } from './registries.js';
import { WorkQueue } from './work-queue.js';

const NAME = 'clusterrole-aggregation-controller';
/** A change of one role may concern any other, so they are looked at together. */
const EVERY_ROLE = '*';

interface ClusterRole extends KubeObject {
  readonly rules?: readonly object[] | null;
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] };
}

export const clusterRoleAggregation: Controller = {
  name: NAME,
  async run({ table, logger, signal }) {
    const registry = table.find(RBAC_GROUP, 'v1', 'clusterroles');
    if (registry === undefined) throw new Error('clusterroles are not served');
    const context = controllerContext(NAME, signal);
    const onError = (error: unknown) => logger.warn({ err: error }, 'cannot aggregate cluster roles');
    const queue = new WorkQueue({
      signal,
      reconcile: () => aggregateAll(registry, context),
      onError: (_, error) => onError(error),
    });
    let synced = false;
    await follow({
      registry,
      context,
      onStart: () => (synced = false),
      onSynced: () => {
        synced = true;
        queue.add(EVERY_ROLE);
      },
      onEvent: () => synced && queue.add(EVERY_ROLE),
      onError,
    });
    await queue.idle();
  },
};

/** Writes each role whose rules are not those of its parts. Resolves with true, as nothing is left to do. */
async function aggregateAll(registry: Registry, context: RequestContext): Promise<boolean> {
  const { items } = await registry.list(context, '', everyObjectAtHand);
  const roles = items.map(({ object }) => object as ClusterRole);
  const changed = aggregated(roles);
  await Promise.all(
    roles.map(async ({ kind, apiVersion, metadata: { name = '', uid = '' } }) => {
      const rules = changed.get(name);
      if (rules === undefined) return;
      try {
        // With the uid, so that a role which has gone meanwhile does not come again.
        const applied = { kind, apiVersion, metadata: { name, uid }, rules };
        await registry.apply(context, '', name, applied, { fieldManager: NAME, force: true });
      } catch (error) {
        if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
      }
    }),
  );
  return true;
}

/**
 * The rules of the roles that must change, by name. A role that is made of others may be a part of a third, so this goes
 * on until nothing changes; with a circle, for as many rounds as there are roles to fill.
 */
export function aggregated(roles: readonly ClusterRole[]): ReadonlyMap<string, readonly object[]> {
  const present = new Map(roles.map((role) => [role.metadata.name ?? '', role.rules ?? []]));
  const toFill = roles.filter(({ aggregationRule }) => aggregationRule !== undefined);
  const changed = new Map<string, readonly object[]>();
  for (let round = 0, isSteady = false; !isSteady && round < toFill.length; round++) {
    isSteady = true;
    for (const role of toFill) {
      const name = role.metadata.name ?? '';
      const rules = rulesOfParts(role, roles, present);
      if (deepEqual(rules, present.get(name))) continue;
      isSteady = false;
      present.set(name, rules);
      changed.set(name, rules);
    }
  }
  return changed;
}

/** By the order of selectors, then of names; each rule once. */
function rulesOfParts(
  role: ClusterRole,
  roles: readonly ClusterRole[],
  present: ReadonlyMap<string, readonly object[]>,
): readonly object[] {
  const rules = new Map<string, object>();
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    for (const { metadata } of roles) {
      if (metadata.name === role.metadata.name || !selectorMatches(selector, metadata.labels)) continue;
      for (const rule of present.get(metadata.name ?? '') ?? []) {
        const key = JSON.stringify(rule);
        if (!rules.has(key)) rules.set(key, rule);
      }
    }
  }
  return [...rules.values()];
}
