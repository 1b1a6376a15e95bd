/** Managed fields and server-side apply: who set which field of an object, and merging by that. */
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import type { Applied, FieldWrite, ManagedFieldsEntry } from './types.js';

export type { Applied, FieldsV1, FieldWrite, ManagedFieldsEntry } from './types.js';

/** One resource's keeper of managedFields. */
export class FieldManager {
  constructor(private readonly definition: ResourceDefinition) {}

  /**
   * managedFields after a plain write. `next` is decoded and defaulted; on create there is no live object. Never throws:
   * entries that cannot be read are forgotten, as upstream does.
   */
  update(live: KubeObject | undefined, next: KubeObject, write: FieldWrite): readonly ManagedFieldsEntry[] {
    throw new Error(`${this.definition.kind} ${live === next} ${write.manager}`);
  }

  /**
   * Server-side apply. `applied` is the parsed body, JSON of no known type; on create there is no live object.
   * @throws StatusError with upstream's texts: 400, 409 with a cause for each conflict, 500.
   */
  apply(
    live: KubeObject | undefined,
    applied: unknown,
    write: FieldWrite & { readonly force: boolean },
  ): Applied {
    throw new Error(`${this.definition.kind} ${live === applied} ${write.manager}`);
  }
}
