/** Reads and writes that controllers share. */
import type { KubeObject } from '../../schemas/definition.js';
import { StatusError } from '../errors.js';
import type { Registry, ResourceTable } from '../registry/types.js';
import type { RequestContext } from '../request.js';

export const coreRegistry = (table: ResourceTable, plural: string): Registry => registryOf(table, '', plural);

export function registryOf(table: ResourceTable, group: string, plural: string): Registry {
  const registry = table.find(group, 'v1', plural);
  if (registry === undefined) throw new Error(`${plural} are not served, which controllers need`);
  return registry;
}

export const hasReason = (error: unknown, ...reasons: readonly string[]): boolean =>
  error instanceof StatusError && reasons.includes(error.reason ?? '');

/** The object as the cache has it, undefined where it has none. */
export async function getCached(
  registry: Registry,
  context: RequestContext,
  namespace: string,
  name: string,
): Promise<KubeObject | undefined> {
  try {
    return (await registry.get(context, namespace, name, { resourceVersion: 0 })).object;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
