/**
 * ResourceQuota: what an object uses is charged to the quotas of its namespace before it is stored, and refused where
 * there is not enough left. A charge is a compare-and-swap of the quota's status, so that servers which charge at the
 * same time never grant more than there is. What is charged for an object that is not stored after all comes back with
 * the controller's next count.
 */
import { quotaStatusOf } from '../../schemas/core/v1/resource-quota.js';
import type { KubeObject } from '../../schemas/definition.js';
import { addQuantities, compareQuantities, formatQuantity } from '../../schemas/meta/quantity.js';
import { systemContext } from '../controllers/context.js';
import { StatusError, forbidden } from '../errors.js';
import {
  type Amounts,
  amountIn,
  difference,
  ofNames,
  printed,
  toAmounts,
  type Usage,
} from '../quota/amounts.js';
import { counts, isCounted, isInScopes, omissions, usageOf } from '../quota/usage.js';
import { everyObjectAtHand } from '../registry/every-object.js';
import { ofExisting } from '../registry/existing.js';
import type { Registry } from '../registry/types.js';
import type { Registries } from './lookup.js';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.js';

const FIELD_MANAGER = 'kube-apiserver';
/** Core resources whose updates may use more than before. */
const GROWING = new Set(['persistentvolumeclaims', 'services']);

function handles({ operation, definition, subresource, namespace }: AdmissionAttributes): boolean {
  if (namespace === '' || !isCounted(definition)) return false;
  const { group, plural } = definition;
  if (operation === 'CREATE') return subresource === '';
  if (operation !== 'UPDATE' || group !== '') return false;
  return subresource === '' ? GROWING.has(plural) : plural === 'pods' && subresource === 'resize';
}

export function resourceQuota(registries: Registries): AdmissionPlugin {
  /** The last charge of each namespace: those of one server wait for each other and do not collide at the store. */
  const charging = new Map<string, Promise<void>>();
  return {
    name: 'ResourceQuota',
    handles,
    async validate(attributes) {
      const quotas = registries.table.find('', 'v1', 'resourcequotas');
      if (quotas === undefined) return;
      const { namespace } = attributes;
      const { items } = await quotas.list(attributes.context, namespace, everyObjectAtHand);
      if (items.length === 0) return;
      const charges = chargesOf(
        attributes,
        items.map(({ object }) => object),
      );
      if (charges.length === 0 || attributes.dryRun) return;
      const turn = (charging.get(namespace) ?? Promise.resolve())
        .catch(() => undefined)
        .then(() => chargeAll(quotas, attributes, charges));
      charging.set(namespace, turn);
      try {
        await turn;
      } finally {
        if (charging.get(namespace) === turn) charging.delete(namespace);
      }
    },
  };
}

interface Charge {
  readonly quota: string;
  readonly delta: Usage;
}

/** What the write costs, of each quota that counts it. Throws StatusError 403 where one has not enough left. */
function chargesOf(attributes: AdmissionAttributes, quotas: readonly KubeObject[]): Charge[] {
  const { definition, object, old } = attributes;
  if (object === undefined) return [];
  const matching = quotas
    .filter((quota) => isInScopes(definition, object, quota))
    .map((quota) => ({ quota, counted: countedBy(attributes, quota) }))
    .filter(({ counted }) => counted.length > 0);
  if (matching.length === 0) return [];
  for (const { quota, counted } of matching) {
    const { name = '' } = quota.metadata;
    const problem = omissions(definition, object, counted);
    if (problem !== undefined) throw refusal(attributes, `failed quota: ${name}: ${problem}`);
    const { used = {} } = quotaStatusOf(quota);
    if (counted.some((resource) => !Object.hasOwn(used, resource))) {
      const why = `status unknown for quota: ${name}, resources: ${counted.toSorted().join(',')}`;
      throw refusal(attributes, why);
    }
  }
  const before = old === undefined ? new Map() : usageOf(definition, old);
  const delta = difference(usageOf(definition, object), before);
  const charges: Charge[] = [];
  for (const { quota, counted } of matching) {
    const own = ofNames(delta, new Set(counted));
    if (own.size === 0) continue;
    charged(attributes, quota, own);
    charges.push({ quota: quota.metadata.name ?? '', delta: own });
  }
  return charges;
}

const countedBy = ({ definition }: AdmissionAttributes, quota: KubeObject): string[] =>
  Object.keys(quotaStatusOf(quota).hard ?? {}).filter((resource) => counts(definition, resource));

/** What is used of the quota with the charge. Throws StatusError 403 where that is more than there is. */
function charged(attributes: AdmissionAttributes, quota: KubeObject, delta: Usage): Amounts {
  const { hard = {}, used = {} } = quotaStatusOf(quota);
  const after: Record<string, string> = { ...used };
  const exceeded: string[] = [];
  for (const [resource, amount] of delta) {
    if (!Object.hasOwn(hard, resource)) continue;
    const sum = addQuantities(amountIn(used, resource), amount);
    after[resource] = formatQuantity(sum);
    // Who uses less than before is let through, however little there is.
    if (amount.value > 0n && compareQuantities(sum, amountIn(hard, resource)) > 0) exceeded.push(resource);
  }
  if (exceeded.length === 0) return after;
  const asked = printed(toAmounts(delta), exceeded);
  const amounts = `requested: ${asked}, used: ${printed(used, exceeded)}, limited: ${printed(hard, exceeded)}`;
  throw refusal(attributes, `exceeded quota: ${quota.metadata.name ?? ''}, ${amounts}`);
}

const refusal = ({ definition: { group, plural }, name }: AdmissionAttributes, why: string): StatusError =>
  forbidden({ group, name: plural }, name, why);

/** One after the other; where one refuses, those before it get back what they gave. */
async function chargeAll(
  quotas: Registry,
  attributes: AdmissionAttributes,
  charges: readonly Charge[],
): Promise<void> {
  const done: Charge[] = [];
  try {
    for (const charge of charges) {
      await write(quotas, attributes, charge.quota, (quota) => charged(attributes, quota, charge.delta));
      done.push(charge);
    }
  } catch (error) {
    for (const { quota: name, delta } of done) {
      await write(quotas, attributes, name, (quota) =>
        charged(attributes, quota, difference(new Map(), delta)),
      ).catch(() => undefined);
    }
    throw error;
  }
}

/** A quota that is gone, or no longer has a status to charge to, costs nothing. */
async function write(
  quotas: Registry,
  { namespace, context: { signal } }: AdmissionAttributes,
  name: string,
  usedAfter: (quota: KubeObject) => Amounts,
): Promise<void> {
  const context = systemContext('system:apiserver', ['system:masters'], signal);
  const update = ofExisting((quota) => ({
    ...quota,
    status: { ...quotaStatusOf(quota), used: usedAfter(quota) },
  }));
  const options = { subresource: 'status', allowCreate: false, fieldManager: FIELD_MANAGER };
  try {
    await quotas.update(context, namespace, name, update, options);
  } catch (error) {
    if (!(error instanceof StatusError && error.code === 404)) throw error;
  }
}
