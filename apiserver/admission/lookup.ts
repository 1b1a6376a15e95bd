/** How plugins look objects up: from the cache first, and at the store before an absence counts. */
import type { KubeObject } from '../../schemas/definition.js';
import { StatusError } from '../errors.js';
import type { RequestContext } from '../request.js';
import type { Registry, ResourceTable } from '../registry/types.js';

/** What plugins need of the registries; the table may be filled after the plugins are made. */
export interface Registries {
  readonly table: ResourceTable;
}

export function coreRegistry({ table }: Registries, plural: string): Registry {
  const registry = table.find('', 'v1', plural);
  if (registry === undefined) throw new Error(`${plural} are not served, which admission needs`);
  return registry;
}

export const isNotFound = (error: unknown): boolean => error instanceof StatusError && error.code === 404;

/** The object, or undefined where the store itself says that there is none. */
export async function lookUp(
  registry: Registry,
  context: RequestContext,
  namespace: string,
  name: string,
): Promise<KubeObject | undefined> {
  return (
    (await getOrUndefined(registry, context, namespace, name, { resourceVersion: 0 })) ??
    (await getOrUndefined(registry, context, namespace, name, {}))
  );
}

async function getOrUndefined(
  registry: Registry,
  context: RequestContext,
  namespace: string,
  name: string,
  options: { readonly resourceVersion?: number },
): Promise<KubeObject | undefined> {
  try {
    return (await registry.get(context, namespace, name, options)).object;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
