/**
 * The resource quota controller: says in each quota's status what it grants and what the objects of its namespace use.
 * Servers charge what they create to the same status, so a count is only written over the state that was there before it
 * began, and begins when nothing has been charged for a moment: what was charged is stored by then, and is counted.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { quotaSpecOf, quotaStatusOf } from '../../schemas/core/v1/resource-quota.js';
import type { KubeObject } from '../../schemas/definition.js';
import { type Quantity, quantityOf } from '../../schemas/meta/quantity.js';
import { sameAmounts } from '../../schemas/core/v1/resource-lists.js';
import { type Amounts, addTo, ofNames, toAmounts } from '../quota/amounts.js';
import { counts, isCounted, isInScopes, usageOf } from '../quota/usage.js';
import { everyObject } from '../registry/every-object.js';
import { ofExisting } from '../registry/existing.js';
import type { Registry, ResourceTable, WatchEvent } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { controllerContext } from './context.js';
import type { Controller } from './controller.js';
import { follow } from './follow.js';
import { coreRegistry, getCached, hasReason } from './registries.js';
import { WorkQueue } from './work-queue.js';

const NAME = 'resourcequota-controller';
const FIELD_MANAGER = 'kube-controller-manager';
const WORKERS = 5;
/** How often everything is counted, whatever happens. Upstream's interval. */
const COUNT_EVERY_MS = 300_000;
/** From a charge to a count that finds out whether its object was stored. */
const COUNT_AFTER_CHARGE_MS = 5_000;
/** What was charged is stored after so long. */
const SETTLE_MS = 100;

export const resourceQuotaController: Controller = {
  name: NAME,
  async run({ table, logger, signal }) {
    const context = controllerContext(NAME, signal);
    const quotas = coreRegistry(table, 'resourcequotas');
    const queue = new WorkQueue({
      signal,
      workers: WORKERS,
      reconcile: (key) => reconcile({ table, context, quotas, watch }, key),
      onError: (quota, error) => logger.warn({ err: error, quota }, 'cannot count what a quota grants'),
    });
    const onError = (error: unknown) => logger.warn({ err: error }, 'cannot watch what quotas count');
    /** Keys of the quotas that there are. */
    const known = new Set<string>();
    const addAll = (namespace: string) => {
      for (const key of known) if (namespace === '' || key.startsWith(`${namespace}/`)) queue.add(key);
    };
    // What went before the watch began was maybe counted.
    const onSynced = () => addAll('');
    /** Kinds are followed from when a quota first counts them. */
    const followed = new Map<Registry, Promise<void>>();
    const watch = (registry: Registry): void => {
      if (followed.has(registry)) return;
      const onEvent = ({ type, item }: WatchEvent) => {
        if (type === 'DELETED' || (type === 'MODIFIED' && mayShrink(registry))) addAll(item.namespace);
      };
      followed.set(registry, follow({ registry, context, onEvent, onSynced, onError }));
    };
    const delayed = new Set<string>();
    const countLater = async (key: string): Promise<void> => {
      if (delayed.has(key)) return;
      delayed.add(key);
      await queue.addAfter(key, COUNT_AFTER_CHARGE_MS);
      delayed.delete(key);
    };
    const timer = setInterval(() => addAll(''), COUNT_EVERY_MS).unref();
    await follow({
      registry: quotas,
      context,
      onStart: () => known.clear(),
      onEvent({ type, item: { key, object } }) {
        if (type === 'DELETED') known.delete(key);
        else {
          known.add(key);
          if (isOutdated(object)) queue.add(key);
          else void countLater(key);
        }
      },
      onError,
    });
    clearInterval(timer);
    await Promise.all(followed.values());
    await queue.idle();
  },
};

/** Objects that come to use less without going: pods that end, services and claims that change. */
const mayShrink = ({ definition: { group, plural } }: Registry): boolean =>
  group === '' && ['persistentvolumeclaims', 'pods', 'services'].includes(plural);

const isOutdated = (quota: KubeObject): boolean =>
  quotaStatusOf(quota).used === undefined || !sameAmounts(quotaSpecOf(quota).hard, quotaStatusOf(quota).hard);

interface Parts {
  readonly table: ResourceTable;
  readonly context: RequestContext;
  readonly quotas: Registry;
  /** From now on the quota hears of what goes. */
  readonly watch: (registry: Registry) => void;
}

/** False: something was charged meanwhile, so what was counted may lack it. */
async function reconcile(parts: Parts, key: string): Promise<boolean> {
  const { quotas, context } = parts;
  const [namespace = '', name = ''] = key.split('/');
  const found = await getCached(quotas, context, namespace, name);
  if (found === undefined) return true;
  // A quota that grants nothing yet is charged nothing.
  if (quotaStatusOf(found).used !== undefined) await sleep(SETTLE_MS, undefined, { signal: context.signal });
  const used = await count(parts, namespace, found);
  const { hard = {} } = quotaSpecOf(found);
  const status = quotaStatusOf(found);
  if (status.used !== undefined && sameAmounts(hard, status.hard) && sameAmounts(used, status.used))
    return true;
  const { resourceVersion } = found.metadata;
  const update = ofExisting((current) => ({
    ...current,
    metadata: { ...current.metadata, ...(resourceVersion && { resourceVersion }) },
    status: { hard, used },
  }));
  const options = { subresource: 'status', allowCreate: false, fieldManager: FIELD_MANAGER };
  try {
    await quotas.update({ ...context, warnings: [] }, namespace, name, update, options);
  } catch (error) {
    if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
    return hasReason(error, 'NotFound');
  }
  return true;
}

/** What the namespace's objects use of what the quota grants. */
async function count(
  { table, context, watch }: Parts,
  namespace: string,
  quota: KubeObject,
): Promise<Amounts> {
  const names = Object.keys(quotaSpecOf(quota).hard ?? {});
  const total = new Map<string, Quantity>();
  const seen = new Set<string>();
  for (const registry of table.all()) {
    const { definition } = registry;
    const counted = isCounted(definition) ? names.filter((name) => counts(definition, name)) : [];
    const kind = `${definition.group}/${definition.plural}`;
    // Of a kind in several versions the first is enough: the objects are the same.
    if (counted.length === 0 || seen.has(kind)) continue;
    seen.add(kind);
    for (const name of counted) total.set(name, total.get(name) ?? quantityOf('0'));
    watch(registry);
    const wanted = new Set(counted);
    const { items } = await registry.list(context, namespace, everyObject);
    for (const { object } of items) {
      if (!isInScopes(definition, object, quota)) continue;
      addTo(total, ofNames(usageOf(definition, object), wanted));
    }
  }
  return toAmounts(total);
}
