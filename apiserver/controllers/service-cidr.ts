/**
 * The ServiceCIDR controller: says of each range that it is ready, and lets one that is deleted go only once no service
 * has an address that would be of no range then. Whoever takes an address demands that its range is not being deleted
 * (allocation/service-ranges.ts), so what is seen here after a deletion is all that there will be.
 */
import { blockOf, contains, type Block } from '../../schemas/core/v1/addresses.js';
import type { KubeObject } from '../../schemas/definition.js';
import { cidrsOf } from '../../schemas/networking/v1/service-cidr.js';
import { MANAGED_BY_ALLOCATOR } from '../allocation/cluster-ips.js';
import { timestamp } from '../registry/metadata.js';
import { everyObject } from '../registry/every-object.js';
import type { Registry, ResourceTable } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { change, removeFinalizer } from './change.js';
import { controllerContext } from './context.js';
import type { Controller } from './controller.js';
import { follow } from './follow.js';
import { getCached, hasReason, registryOf } from './registries.js';
import { WorkQueue } from './work-queue.js';

const NAME = 'service-cidr-controller';
const GROUP = 'networking.k8s.io';
const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';

const READY = { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' };
const IN_USE = {
  status: 'False',
  reason: 'Terminating',
  message:
    'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
};

interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
}

const isGoing = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;
const finalizersOf = ({ metadata }: KubeObject): readonly string[] => metadata.finalizers ?? [];
const conditionsOf = (cidr: KubeObject): readonly Condition[] =>
  ((cidr['status'] ?? {}) as { conditions?: readonly Condition[] }).conditions ?? [];

const isReady = ({ type }: Condition): boolean => type === 'Ready';

export const serviceCidrController: Controller = {
  name: NAME,
  async run({ table, logger, signal }) {
    const context = controllerContext(NAME, signal);
    /** Deleted, and waiting for addresses to go or for another range. */
    const going = new Set<string>();
    const queue = new WorkQueue({
      signal,
      reconcile: (name) => reconcile(table, { ...context, warnings: [] }, name),
      onError: (name, error) => logger.warn({ err: error, serviceCidr: name }, 'cannot look after the range'),
    });
    const lookAgain = () => {
      for (const name of going) queue.add(name);
    };
    const onError = (error: unknown) => logger.warn({ err: error }, 'cannot watch ranges of addresses');
    await Promise.all([
      follow({
        registry: registryOf(table, GROUP, 'servicecidrs'),
        context,
        onStart: () => going.clear(),
        onEvent({ type, item: { name, object } }) {
          if (type !== 'DELETED' && isGoing(object)) going.add(name);
          else going.delete(name);
          if (type !== 'DELETED') queue.add(name);
          lookAgain();
        },
        onError,
      }),
      follow({
        registry: registryOf(table, GROUP, 'ipaddresses'),
        context,
        onEvent: ({ type }) => type === 'DELETED' && lookAgain(),
        onError,
      }),
    ]);
    await queue.idle();
  },
};

async function reconcile(table: ResourceTable, context: RequestContext, name: string): Promise<boolean> {
  const cidrs = registryOf(table, GROUP, 'servicecidrs');
  const cidr = await getCached(cidrs, context, '', name);
  if (cidr === undefined) return true;
  try {
    if (!isGoing(cidr)) {
      if (!finalizersOf(cidr).includes(FINALIZER)) await change(cidrs, context, cidr.metadata, hold);
      await tell(cidrs, context, cidr, READY);
    } else if (!finalizersOf(cidr).includes(FINALIZER)) return true;
    else if (await isInUse(table, context, cidr)) await tell(cidrs, context, cidr, IN_USE);
    else await removeFinalizer(cidrs, context, cidr.metadata, FINALIZER);
  } catch (error) {
    // Its next event tells what has become of it.
    if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
  }
  return true;
}

/** Whether an address that was given out would be of no range any more. */
async function isInUse(table: ResourceTable, context: RequestContext, cidr: KubeObject): Promise<boolean> {
  const { items: ranges } = await registryOf(table, GROUP, 'servicecidrs').list(context, '', everyObject);
  const { items: addresses } = await registryOf(table, GROUP, 'ipaddresses').list(context, '', everyObject);
  const mine = blocksOf(cidr);
  const others = ranges
    .filter(({ name }) => name !== cidr.metadata.name)
    .flatMap(({ object }) => blocksOf(object));
  return addresses.some(({ name, object }) => {
    const block = blockOf(`${name}/${name.includes(':') ? 128 : 32}`);
    if (block === undefined || !isWithin(mine, block) || isWithin(others, block)) return false;
    return object.metadata.labels?.[MANAGED_BY_ALLOCATOR.key] === MANAGED_BY_ALLOCATOR.value;
  });
}

const blocksOf = (cidr: KubeObject): Block[] =>
  cidrsOf(cidr)
    .map(blockOf)
    .filter((block) => block !== undefined);

const isWithin = (blocks: readonly Block[], block: Block): boolean =>
  blocks.some((outer) => contains(outer, block));

function hold(current: KubeObject): KubeObject {
  const finalizers = [...new Set([...finalizersOf(current), FINALIZER])];
  return { ...current, metadata: { ...current.metadata, finalizers } };
}

/** Says in the status whether addresses are given out, unless it says so already. */
async function tell(
  cidrs: Registry,
  context: RequestContext,
  cidr: KubeObject,
  { status, reason, message }: typeof READY,
): Promise<void> {
  const told = conditionsOf(cidr).find(isReady);
  if (told?.status === status && told.reason === reason) return;
  const ready = { type: 'Ready', status, lastTransitionTime: timestamp(Date.now()), reason, message };
  const next = (current: KubeObject): KubeObject => {
    const others = conditionsOf(current).filter((condition) => !isReady(condition));
    return { ...current, status: { conditions: [...others, ready] } };
  };
  await change(cidrs, context, cidr.metadata, next, { subresource: 'status' });
}
