/** kubectl reads, and does the rest: against kube-apiserver 1.36 it prints the same. */
import t from 'tap';
import { kubectlMissing, kubectls } from '../tools/kubectl.js';
import { tell } from './client-stories.js';
import { ACCESS } from './kubectl-access.js';
import { CERTIFICATES } from './kubectl-certificates.js';
import { DESCRIBE } from './kubectl-describe.js';
import { EVERYTHING } from './kubectl-everything.js';
import { GET } from './kubectl-get.js';
import { KINDS } from './kubectl-kinds.js';
import { NODES } from './kubectl-nodes.js';
import { QUOTA } from './kubectl-quota.js';
import { ROLLOUT } from './kubectl-rollout.js';
import { SERVER } from './kubectl-server.js';
import { STORAGE } from './kubectl-storage.js';
import { WORKLOAD_RULES } from './kubectl-workload-rules.js';
import { WORKLOADS } from './kubectl-workloads.js';

const missing = kubectlMissing();
if (missing !== false) t.test('kubectl', { skip: missing }, () => Promise.resolve());

/**
 * Where an older kubectl asks in another way, or of another's making: what it knows as types it sends and takes as JSON
 * and not as protobuf, and it waits by a list and a watch where a newer one takes both in one.
 */
const older = [
  'forms',
  'watches',
  'described-workloads',
  'events',
  'status',
  'jobs',
  'drain',
  'without-kubelet',
  'discovery',
  'tokens',
  ...Object.keys(KINDS),
];

tell(
  t,
  kubectls(),
  {
    ...GET,
    ...DESCRIBE,
    ...ROLLOUT,
    ...WORKLOADS,
    ...WORKLOAD_RULES,
    ...NODES,
    ...SERVER,
    ...ACCESS,
    ...CERTIFICATES,
    ...QUOTA,
    ...STORAGE,
    ...KINDS,
  },
  older,
);

tell(t, kubectls().slice(-1), EVERYTHING);
