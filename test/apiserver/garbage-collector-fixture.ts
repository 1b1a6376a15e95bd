/** Owners and dependents for tests of the garbage collector, over a store in memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ControllerManager, controllersNamed } from '../../apiserver/controllers/index.js';
import { StatusError } from '../../apiserver/errors.js';
import type { DeleteOptions, StoredObject } from '../../apiserver/registry/types.js';
import type { KubeObject, ObjectMeta, OwnerReference } from '../../schemas/definition.js';
import { context, everythingOf, type Fixture, logger, openFixture } from './controllers-fixture.js';

export const NAMESPACE = 'demo';
const WAIT_MS_MAX = 30_000;

/** Waits until `check` is true; a controller works in its own time. */
export async function until(check: () => Promise<boolean> | boolean, what = check.toString()): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${WAIT_MS_MAX} ms: ${what}`);
    await sleep(3);
  }
}

export const ownedBy = (
  owner: Pick<KubeObject, 'kind' | 'apiVersion' | 'metadata'>,
  more: Partial<OwnerReference> = {},
): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name ?? '',
  uid: owner.metadata.uid ?? '',
  ...more,
});

export interface Garden extends Fixture {
  /** A namespaced object of a core resource in `demo`, or in another namespace. */
  readonly plant: (
    plural: string,
    name: string,
    owners?: readonly OwnerReference[],
    metadata?: ObjectMeta,
  ) => Promise<KubeObject>;
  readonly find: (object: KubeObject) => Promise<KubeObject | undefined>;
  readonly isGone: (object: KubeObject) => Promise<boolean>;
  readonly remove: (object: KubeObject, options?: DeleteOptions) => Promise<StoredObject>;
  readonly change: (object: KubeObject, change: (metadata: ObjectMeta) => void) => Promise<KubeObject>;
  /** All of these resources, as `kind/name`, sorted. */
  readonly all: (...plurals: readonly string[]) => Promise<string[]>;
  /** Begins to run the garbage collector; gives what stops it. */
  readonly collect: () => () => Promise<void>;
}

export async function openGarden(t: Parameters<typeof openFixture>[0]): Promise<Garden> {
  const fixture = await openFixture(t);
  const { table, registry } = fixture;
  for (const name of [NAMESPACE, 'other']) await fixture.create('namespaces', '', { metadata: { name } });
  const registryOf = ({ kind, apiVersion }: KubeObject) => {
    const found = table.findKind(apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '', kind);
    if (found === undefined) throw new Error(`no ${kind}`);
    return found;
  };
  const find = async (object: KubeObject): Promise<KubeObject | undefined> => {
    const { namespace = '', name = '', uid } = object.metadata;
    try {
      const found = (await registryOf(object).get(context, namespace, name)).object;
      return found.metadata.uid === uid ? found : undefined;
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) return undefined;
      throw error;
    }
  };
  return {
    ...fixture,
    plant(plural, name, owners = [], metadata = {}) {
      const namespace = registry(plural).definition.namespaced ? (metadata.namespace ?? NAMESPACE) : '';
      const object = { metadata: { ...metadata, name, ownerReferences: [...owners] }, ...bodies[plural] };
      return fixture.create(plural, namespace, object);
    },
    find,
    isGone: async (object) => (await find(object)) === undefined,
    async remove(object, options = {}) {
      const { namespace = '', name = '' } = object.metadata;
      return (await registryOf(object).delete(context, namespace, name, options)).item;
    },
    async change(object, change) {
      const { namespace = '', name = '' } = object.metadata;
      const { item } = await registryOf(object).update(context, namespace, name, (current) => {
        const next = structuredClone(current) as KubeObject;
        change(next.metadata);
        return next;
      });
      return item.object;
    },
    async all(...plurals) {
      const lists = await Promise.all(
        plurals.map((plural) => registry(plural).list(context, '', everythingOf)),
      );
      return lists.flatMap(({ items }) => items.map(({ object, name }) => `${object.kind}/${name}`)).sort();
    },
    collect() {
      const controllers = controllersNamed(['garbage-collector-controller']);
      const manager = new ControllerManager({ table, logger, controllers });
      manager.start();
      const stop = () => manager.stop();
      t.teardown(stop);
      return stop;
    },
  };
}

const bodies: Readonly<Record<string, object>> = {
  pods: { spec: { containers: [{ name: 'main', image: 'x' }] } },
  services: { spec: { ports: [{ port: 80 }] } },
};
