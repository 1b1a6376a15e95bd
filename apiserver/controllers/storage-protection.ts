/**
 * What storage is made of and is deleted goes when nothing uses it any more: admission has given each a finalizer
 * (StorageObjectInUseProtection), and these controllers take it away. A claim is used by pods that have a node and have
 * not ended, a volume while it is bound, a class of volume attributes by claims and volumes.
 */
import type { KubeObject } from '../../schemas/definition.js';
import { everyObject } from '../registry/every-object.js';
import type { ResourceTable } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { removeFinalizer } from './change.js';
import { controllerContext } from './context.js';
import type { Controller } from './controller.js';
import { follow } from './follow.js';
import { getCached, ignoring, registryOf } from './registries.js';
import { WorkQueue } from './work-queue.js';

const ENDED = new Set(['Succeeded', 'Failed']);

interface Protection {
  /** As `--controllers` names it, and its service account. */
  readonly name: string;
  readonly account: string;
  readonly group: string;
  readonly plural: string;
  readonly finalizer: string;
  /** Whether it says itself that it is in use. */
  readonly inUse?: (object: KubeObject) => boolean;
  readonly users: readonly Users[];
}

/** Who uses it, of the core group. */
interface Users {
  readonly plural: string;
  readonly uses: (user: KubeObject, name: string) => boolean;
}

interface Pod {
  readonly spec?: {
    readonly nodeName?: string;
    readonly volumes?: readonly {
      readonly name?: string;
      readonly persistentVolumeClaim?: { readonly claimName?: string };
      readonly ephemeral?: object;
    }[];
  };
  readonly status?: { readonly phase?: string };
}

function podUses(pod: KubeObject, claim: string): boolean {
  const { spec: { nodeName = '', volumes = [] } = {}, status: { phase = '' } = {} } = pod as Pod;
  if (nodeName === '' || ENDED.has(phase)) return false;
  return volumes.some(
    ({ name, persistentVolumeClaim, ephemeral }) =>
      persistentVolumeClaim?.claimName === claim ||
      (ephemeral !== undefined && `${pod.metadata.name}-${name}` === claim),
  );
}

interface Claim {
  readonly spec?: { readonly volumeAttributesClassName?: string };
  readonly status?: {
    readonly currentVolumeAttributesClassName?: string;
    readonly modifyVolumeStatus?: { readonly targetVolumeAttributesClassName?: string };
  };
}

function claimUses(claim: KubeObject, name: string): boolean {
  const { spec, status } = claim as Claim;
  return (
    spec?.volumeAttributesClassName === name ||
    status?.currentVolumeAttributesClassName === name ||
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName === name
  );
}

interface Volume {
  readonly spec?: { readonly volumeAttributesClassName?: string };
  readonly status?: { readonly phase?: string };
}

const isBound = (volume: KubeObject): boolean => (volume as Volume).status?.phase === 'Bound';

const volumeUses = (volume: KubeObject, name: string): boolean =>
  (volume as Volume).spec?.volumeAttributesClassName === name;

export const claimProtection = protectionController({
  name: 'persistentvolumeclaim-protection-controller',
  account: 'pvc-protection-controller',
  group: '',
  plural: 'persistentvolumeclaims',
  finalizer: 'kubernetes.io/pvc-protection',
  users: [{ plural: 'pods', uses: podUses }],
});

export const volumeProtection = protectionController({
  name: 'persistentvolume-protection-controller',
  account: 'pv-protection-controller',
  group: '',
  plural: 'persistentvolumes',
  finalizer: 'kubernetes.io/pv-protection',
  inUse: isBound,
  users: [],
});

export const attributesClassProtection = protectionController({
  name: 'volumeattributesclass-protection-controller',
  account: 'volumeattributesclass-protection-controller',
  group: 'storage.k8s.io',
  plural: 'volumeattributesclasses',
  finalizer: 'kubernetes.io/vac-protection',
  users: [
    { plural: 'persistentvolumeclaims', uses: claimUses },
    { plural: 'persistentvolumes', uses: volumeUses },
  ],
});

function protectionController(protection: Protection): Controller {
  const { name: controller, account, group, plural, users } = protection;
  return {
    name: controller,
    async run({ table, logger, signal }) {
      const context = controllerContext(account, signal);
      /** Deleted, and waiting for who uses them. */
      const going = new Set<string>();
      const queue = new WorkQueue({
        signal,
        reconcile: (key) => reconcile(table, { ...context, warnings: [] }, protection, key),
        onError: (key, error) => logger.warn({ err: error, [plural]: key }, 'cannot let a deleted object go'),
      });
      const onError = (error: unknown) =>
        logger.warn({ err: error }, `cannot watch ${plural} or what uses them`);
      await Promise.all([
        follow({
          registry: registryOf(table, group, plural),
          context,
          onStart: () => going.clear(),
          onEvent({ type, item: { namespace, name, object } }) {
            const key = `${namespace}/${name}`;
            if (type === 'DELETED' || object.metadata.deletionTimestamp === undefined) going.delete(key);
            else {
              going.add(key);
              queue.add(key);
            }
          },
          onError,
        }),
        ...users.map((user) =>
          follow({
            registry: registryOf(table, '', user.plural),
            context,
            onEvent() {
              for (const key of going) queue.add(key);
            },
            onError,
          }),
        ),
      ]);
      await queue.idle();
    },
  };
}

async function reconcile(
  table: ResourceTable,
  context: RequestContext,
  { group, plural, finalizer, inUse, users }: Protection,
  key: string,
): Promise<boolean> {
  const registry = registryOf(table, group, plural);
  const [namespace = '', name = ''] = key.split('/');
  const object = await getCached(registry, context, namespace, name);
  const { deletionTimestamp, finalizers = [] } = object?.metadata ?? {};
  if (object === undefined || deletionTimestamp === undefined || !finalizers.includes(finalizer)) return true;
  if (inUse?.(object)) return true;
  for (const { plural: user, uses } of users) {
    const { items } = await registryOf(table, '', user).list(context, namespace, everyObject);
    if (items.some((item) => uses(item.object, name))) return true;
  }
  // Its next event tells what has become of it.
  await removeFinalizer(registry, context, object.metadata, finalizer).catch(
    ignoring('NotFound', 'Conflict'),
  );
  return true;
}
