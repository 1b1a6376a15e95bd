/** How controllers change what they look after. */
import type { KubeObject } from '../../schemas/definition.js';
import { ofExisting } from '../registry/existing.js';
import type { Registry, StoredObject, UpdateOptions } from '../registry/types.js';
import type { RequestContext } from '../request.js';

/** Whom the changes are attributed to in managedFields. */
const FIELD_MANAGER = 'kube-controller-manager';

/** Which object is meant: none that has come in its place. */
export interface Identity {
  readonly uid?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** Changes this very object. Gives the state it is in then. Throws StatusError 404 and 409. */
export async function change(
  registry: Registry,
  context: RequestContext,
  { uid = '', namespace = '', name = '' }: Identity,
  next: (current: KubeObject) => KubeObject,
  options: UpdateOptions = {},
): Promise<StoredObject> {
  const all = { fieldManager: FIELD_MANAGER, ...options, allowCreate: false, preconditions: { uid } };
  const { item } = await registry.update(context, namespace, name, ofExisting(next), all);
  return item;
}

/** The last one of a terminating object removes it. Throws StatusError 404 and 409. */
export async function removeFinalizer(
  registry: Registry,
  context: RequestContext,
  object: Identity,
  finalizer: string,
): Promise<void> {
  await change(registry, context, object, (current) => {
    const finalizers = (current.metadata.finalizers ?? []).filter((each) => each !== finalizer);
    return { ...current, metadata: { ...current.metadata, finalizers } };
  });
}
