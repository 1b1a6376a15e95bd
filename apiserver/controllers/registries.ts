/** Reads and writes that controllers share. */
import type { KubeObject } from '../../schemas/definition.js';
import { StatusError } from '../errors.js';
import type { Registry, ResourceTable, StoredObject } from '../registry/types.js';
import type { RequestContext } from '../request.js';

export const coreRegistry = (table: ResourceTable, plural: string): Registry => registryOf(table, '', plural);

export function registryOf(table: ResourceTable, group: string, plural: string): Registry {
  const registry = table.find(group, 'v1', plural);
  if (registry === undefined) throw new Error(`${plural} are not served, which controllers need`);
  return registry;
}

export const hasReason = (error: unknown, ...reasons: readonly string[]): boolean =>
  error instanceof StatusError && reasons.includes(error.reason ?? '');

/** By the causes in its details. */
export const hasCause = (error: unknown, cause: string): boolean =>
  error instanceof StatusError && (error.details?.causes ?? []).some(({ reason }) => reason === cause);

/** For `catch`: what must not hinder. */
export const ignoring =
  (...reasons: readonly string[]) =>
  (error: unknown): void => {
    if (!hasReason(error, ...reasons)) throw error;
  };

/** The object as the cache has it, undefined where it has none. */
export const getCached = (
  registry: Registry,
  context: RequestContext,
  namespace: string,
  name: string,
): Promise<KubeObject | undefined> => ifThere(registry.get(context, namespace, name, { resourceVersion: 0 }));

/** The same as the store has it now. */
export const getStored = (
  registry: Registry,
  context: RequestContext,
  namespace: string,
  name: string,
): Promise<KubeObject | undefined> => ifThere(registry.get(context, namespace, name));

async function ifThere(reading: Promise<StoredObject>): Promise<KubeObject | undefined> {
  try {
    return (await reading).object;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
