/** Values that must be unique across objects (cluster IPs, node ports), taken and given back with the object's own write. */
import type { KubeObject } from '../../schemas/definition.js';
import type { Compare, RequestOp } from '../../storage/client/interface.js';

/** Compares and operations that join the object's own transaction, so that nothing leaks between two writes. */
export interface Companion {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
}

export interface Allocator {
  /**
   * Fills what is to be allocated in `object` (called after defaults and prepareForCreate or prepareForUpdate, before
   * validation) and says what must be written with it; also gives back what `old` held and `object` no longer does.
   * Called again when the transaction failed because of these compares. Throws StatusError when nothing is left.
   */
  allocate(object: KubeObject, old: KubeObject | undefined): Promise<Companion>;
  /** What must be written when `object` is removed. */
  release(object: KubeObject): Companion;
}
