/** managedFields of a write: who set which field last. */
import type { KubeObject } from '../../schemas/definition.js';
import type { ManagedFieldsEntry } from '../managed-fields/index.js';
import type { RequestContext } from '../request.js';
import { deepEqual } from './deep-equal.js';
import { managerName } from './manager-name.js';
import type { Resource } from './resource.js';
import type { UpdateOptions } from './types.js';

/** Sets metadata.managedFields of the new state, unless the write brings its own. After defaults, before admission. */
export function trackFields(
  { fields, now }: Pick<Resource, 'fields' | 'now'>,
  context: RequestContext,
  object: KubeObject,
  old: KubeObject | undefined,
  { fieldManager, fieldsTracked, subresource = '' }: UpdateOptions,
): void {
  if (fieldsTracked === true) return;
  const entries = fields.update(old, object, {
    manager: managerName(context, fieldManager),
    subresource,
    now: now(),
  });
  if (entries.length > 0) object.metadata.managedFields = [...entries];
  else delete object.metadata.managedFields;
}

/** Whether two states of managedFields name the same fields and managers, whenever they were set. */
export function sameButTimes(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && deepEqual(a.map(withoutTime), b.map(withoutTime));
}

function withoutTime(entry: unknown): unknown {
  const { time: _, ...rest } = entry as ManagedFieldsEntry;
  return rest;
}
