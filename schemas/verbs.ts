/** The verbs most resources and subresources have, in the order discovery lists them. */
import type { Verb } from './definition.js';

export const STANDARD_VERBS: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

/** Of `status`, `scale` and other subresources that are read and written. */
export const SUBRESOURCE_VERBS: readonly Verb[] = ['get', 'patch', 'update'];

/** Of kinds that are questions and of subresources that are commands. */
export const CREATE_ONLY: readonly Verb[] = ['create'];

/** Of `proxy`: all methods are passed on. */
export const PROXY_VERBS: readonly Verb[] = ['create', 'delete', 'get', 'patch', 'update'];
