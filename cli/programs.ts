/** What the commands run, in the bundle's larger file. */
export { apiserver } from './apiserver.js';
export { cluster } from './cluster/index.js';
export { etcd } from './etcd.js';
export { serve } from './serve.js';
