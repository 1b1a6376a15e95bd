/** What the commands run, in the bundle's larger file. */
export { cluster } from './cluster/index.js';
export { etcd } from './etcd.js';
export { serve } from './serve.js';
