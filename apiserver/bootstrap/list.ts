/** Lists of objects that a server makes of itself, and what becomes of those that are there already. */
import type { KubeObject } from '../../schemas/definition.js';

/** Where an update cannot make of the present object what it should be. */
export const REPLACE = Symbol('replace');

export interface BootstrapObject {
  /** Group and plural of its resource, which is served in version v1. */
  readonly group: string;
  readonly plural: string;
  readonly object: KubeObject;
  /**
   * What a present one should be; undefined: as it is; REPLACE: gone, and the wanted one in its place. Absent: whatever is
   * there is left alone. Changes neither argument; the result may share with both.
   */
  readonly reconcile?: (present: KubeObject, wanted: KubeObject) => KubeObject | typeof REPLACE | undefined;
}

export interface BootstrapList {
  /** Of the hook that does it upstream; for the log. */
  readonly name: string;
  /** In the order in which they are made; all that are absent are made together. */
  readonly objects: () => readonly BootstrapObject[];
  /** In whose name the fields are set; absent: `kube-apiserver`. */
  readonly fieldManager?: string;
  /** Looked after again so often; absent: once, when the server starts. */
  readonly everyMs?: number;
}
