/** Registries over a store in memory, with the admission plugins and allocators that the server has. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { defaultAdmission } from '../../apiserver/admission/index.js';
import type { AdmissionPlugin } from '../../apiserver/admission/plugin.js';
import { defaultAllocators } from '../../apiserver/allocation/index.js';
import { systemContext } from '../../apiserver/controllers/context.js';
import { StatusError } from '../../apiserver/errors.js';
import { createRegistries, type Registries, type RegistriesOptions } from '../../apiserver/registry/index.js';
import { everything } from '../../apiserver/registry/selectors/index.js';
import type { Registry, ResourceTable } from '../../apiserver/registry/types.js';
import { builtinResources } from '../../schemas/index.js';
import type { KubeObject } from '../../schemas/definition.js';
import type { EtcdClient } from '../../storage/client/interface.js';
import { openStore } from '../../storage/open.js';

export const logger = pino({ level: 'silent' });
export const context = systemContext('tester', ['system:masters'], new AbortController().signal);
export const everythingOf = { limit: 0, labels: everything, fields: everything };

export interface Fixture {
  readonly client: EtcdClient;
  readonly table: ResourceTable;
  readonly registries: Registries;
  readonly registry: (plural: string, group?: string) => Registry;
  /** Creates an object of a core resource and gives it back as it is stored. */
  readonly create: (plural: string, namespace: string, object: object) => Promise<KubeObject>;
  readonly get: (plural: string, namespace: string, name: string) => Promise<KubeObject>;
  readonly names: (plural: string, namespace: string) => Promise<string[]>;
}

/** `t.teardown` closes it. */
export async function openFixture(
  t: { teardown(close: () => Promise<void>): void },
  options: Pick<RegistriesOptions, 'now'> = {},
): Promise<Fixture> {
  const store = await openStore({ dataDir: ':memory:' });
  const { client } = store;
  const admission: AdmissionPlugin[] = [];
  const later = {
    get table() {
      return registries.table;
    },
  };
  const registries = createRegistries({
    client,
    definitions: builtinResources,
    admission,
    allocators: defaultAllocators({ client, registries: later }),
    ...options,
  });
  admission.push(...defaultAdmission(registries));
  t.teardown(async () => {
    registries.close();
    await store.close();
  });
  const { table } = registries;
  const registry = (plural: string, group = ''): Registry => {
    const found = table.find(group, 'v1', plural);
    if (found === undefined) throw new Error(`no ${plural}`);
    return found;
  };
  return {
    client,
    table,
    registries,
    registry,
    async create(plural, namespace, object) {
      const { kind } = registry(plural).definition;
      const given = { kind, apiVersion: 'v1', metadata: {}, ...structuredClone(object) } as KubeObject;
      if (namespace !== '') given.metadata.namespace = namespace;
      return (await registry(plural).create(context, given)).object;
    },
    get: async (plural, namespace, name) => (await registry(plural).get(context, namespace, name)).object,
    async names(plural, namespace) {
      const { items } = await registry(plural).list(context, namespace, everythingOf);
      return items.map(({ name }) => name);
    },
  };
}

/** The StatusError that `promise` rejects with. */
export async function refusal(promise: Promise<unknown>): Promise<StatusError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const WAIT_MS_MAX = 20_000;

/** Waits until `check` is true; a controller works in its own time. */
export async function until(check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${WAIT_MS_MAX} ms: ${check.toString()}`);
    await sleep(5);
  }
}

export async function exists(
  { get }: Fixture,
  plural: string,
  namespace: string,
  name: string,
): Promise<boolean> {
  return get(plural, namespace, name).then(
    () => true,
    (error: unknown) => {
      if (error instanceof StatusError && error.code === 404) return false;
      throw error;
    },
  );
}
