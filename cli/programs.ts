/** What the commands run, in the bundle's larger file. */
export { apiserver } from './apiserver.js';
export { cluster } from './cluster/index.js';
export { etcd } from './etcd.js';
export { migrate } from './migrate/index.js';
export { serve } from './serve.js';
export { snapshot } from './snapshot/index.js';
