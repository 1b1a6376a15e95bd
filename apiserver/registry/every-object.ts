/** Options of lists of every object, in one piece. */
import { everything } from './selectors/index.js';
import type { ListOptions } from './types.js';

/** As the store has them now. */
export const everyObject: ListOptions = { limit: 0, labels: everything, fields: everything };

/** As the cache has them, which may be a little old. */
export const everyObjectAtHand: ListOptions = { ...everyObject, resourceVersion: 0 };
