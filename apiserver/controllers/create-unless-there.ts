/** Creates what every server of a cluster creates when it starts. */
import type { KubeObject } from '../../schemas/definition.js';
import type { Registry, WriteOptions } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { getStored, hasReason } from './registries.js';

/**
 * Servers that start together make the same objects. Who comes later is told that it exists, or that its address is
 * taken, by the very object that was to be made.
 */
export async function createUnlessThere(
  registry: Registry,
  context: RequestContext,
  object: KubeObject,
  options?: WriteOptions,
): Promise<void> {
  const { name = '', namespace = '' } = object.metadata;
  try {
    await registry.create(context, object, options);
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists', 'Invalid')) throw error;
    if ((await getStored(registry, context, namespace, name)) === undefined) throw error;
  }
}
