/** kubectl writes: against kube-apiserver 1.36 it prints the same. */
import t from 'tap';
import { kubectlMissing, kubectls } from '../tools/kubectl.js';
import { tell } from './client-stories.js';
import { APPLY } from './kubectl-apply.js';
import { CHANGE } from './kubectl-change.js';
import { CREATE } from './kubectl-create.js';
import { DELETE } from './kubectl-delete.js';
import { IMPERATIVE } from './kubectl-imperative.js';
import { SERVER_SIDE } from './kubectl-server-side.js';

const missing = kubectlMissing();
if (missing !== false) t.test('kubectl', { skip: missing }, () => Promise.resolve());

/** Where an older kubectl asks in another way, as in kubectl-read.test.ts. */
const older = [
  'config-maps',
  'workloads',
  'namespaces',
  'validation',
  'apply',
  'conflicting',
  'edit',
  'scale',
  'set',
  'waits',
  'cascades',
  'imperative-roles',
  'imperative-networks',
  'autoscale',
];

tell(t, kubectls(), { ...CREATE, ...APPLY, ...SERVER_SIDE, ...CHANGE, ...DELETE, ...IMPERATIVE }, older);
