/**
 * What the garbage collector writes. Each write names the uid that it means, and what is decided from a state of the
 * object also its resourceVersion, so that it does nothing to an object that has become another.
 */
import type { OwnerReference } from '../../../schemas/definition.js';
import { conflict } from '../../errors.js';
import type { DeleteOptions, Registry, StoredObject } from '../../registry/types.js';
import type { RequestContext } from '../../request.js';
import { change } from '../change.js';

export interface Target {
  readonly registry: Registry;
  readonly context: RequestContext;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

export type Policy = NonNullable<DeleteOptions['propagationPolicy']>;

/** Deletes the object if it is still in this state. Throws StatusError 404 and 409. */
export async function deleteObject(
  target: Target,
  { revision }: StoredObject,
  propagationPolicy: Policy,
): Promise<void> {
  const { registry, context, uid, namespace, name } = target;
  const preconditions = { uid, resourceVersion: String(revision) };
  await registry.delete(context, namespace, name, { propagationPolicy, preconditions });
}

/** Takes references to these owners away, from this state of the object where one is given. Throws StatusError 404 and 409. */
export async function removeReferences(
  target: Target,
  owners: ReadonlySet<string>,
  state?: StoredObject,
): Promise<void> {
  await changeReferences(target, state, (references) => references.filter(({ uid }) => !owners.has(uid)));
}

/** Makes no owner wait for this object any more. Gives the state it is in then. Throws StatusError 404 and 409. */
export function unblockOwners(target: Target, state: StoredObject): Promise<StoredObject> {
  return changeReferences(target, state, (references) =>
    references.map((each) =>
      each.blockOwnerDeletion === true ? { ...each, blockOwnerDeletion: false } : each,
    ),
  );
}

async function changeReferences(
  target: Target,
  state: StoredObject | undefined,
  next: (references: readonly OwnerReference[]) => OwnerReference[],
): Promise<StoredObject> {
  const { registry, context } = target;
  return change(registry, context, target, (object) => {
    const { definition } = registry;
    if (state !== undefined && object.metadata.resourceVersion !== String(state.revision)) {
      throw conflict({ group: definition.group, name: definition.plural }, target.name);
    }
    const ownerReferences = next(object.metadata.ownerReferences ?? []);
    return { ...object, metadata: { ...object.metadata, ownerReferences } };
  });
}
