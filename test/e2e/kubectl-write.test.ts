/** kubectl writes: against kube-apiserver 1.36 it prints the same. */
import t from 'tap';
import { kubectlMissing, kubectls } from '../tools/kubectl.js';
import { tell } from './client-stories.js';
import { APPLY } from './kubectl-apply.js';
import { CHANGE } from './kubectl-change.js';
import { CREATE } from './kubectl-create.js';
import { DELETE } from './kubectl-delete.js';
import { SERVER_SIDE } from './kubectl-server-side.js';

const missing = kubectlMissing();
if (missing !== false) t.test('kubectl', { skip: missing }, () => Promise.resolve());

tell(t, kubectls(), { ...CREATE, ...APPLY, ...SERVER_SIDE, ...CHANGE, ...DELETE });
