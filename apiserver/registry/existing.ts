/** Updates that never create. */
import type { KubeObject } from '../../schemas/definition.js';
import type { Update } from './types.js';

/** The update that `change` makes of what is there. For options with `allowCreate: false`. */
export const ofExisting =
  (change: (current: KubeObject) => KubeObject): Update =>
  (current) => {
    if (current === undefined) throw new Error('an update that must not create was asked to');
    return change(current);
  };
