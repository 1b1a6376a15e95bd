/** `rollout`, as far as no controller is needed: replica sets and statuses are made by hand. */
import type { Stories, Story, StoryUser } from './client-stories.js';

interface Revision {
  readonly number: number;
  readonly image: string;
  readonly cause?: string;
}

/** A revision of the deployment `web`, as its controller would have kept it. */
async function revision(user: StoryUser, uid: string, { number, image, cause }: Revision): Promise<void> {
  const labels = { app: 'web', 'pod-template-hash': `hash${number}` };
  await user.send('POST', `/apis/apps/v1/namespaces/${user.namespace}/replicasets`, {
    metadata: {
      name: `web-${number}`,
      labels,
      annotations: {
        'deployment.kubernetes.io/revision': String(number),
        ...(cause !== undefined && { 'kubernetes.io/change-cause': cause }),
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          name: 'web',
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } },
    },
  });
}

const history: Story = async (user) => {
  await user.prints('create deployment web --image=web:2', 'deployment.apps/web created');
  await user.prints('rollout history deployment/web', 'deployment.apps/web \nNo rollout history found.');
  await user.fails('rollout undo deployment/web', 'error: no rollout history found for deployment "web"');
  const { stdout: uid } = await user.run("get deployment web -o jsonpath='{.metadata.uid}'");
  await user.prints(
    'annotate deployment web deployment.kubernetes.io/revision=2',
    'deployment.apps/web annotated',
  );
  await revision(user, uid, { number: 1, image: 'web:1', cause: 'first' });
  await revision(user, uid, { number: 2, image: 'web:2' });
  await user.prints(
    'rollout history deployment/web',
    `
      deployment.apps/web 
      REVISION  CHANGE-CAUSE
      1         first
      2         <none>
    `,
  );
  await user.prints(
    'rollout history deployment/web --revision=1',
    `
      deployment.apps/web with revision #1
      Pod Template:
        Labels:	app=web
      	pod-template-hash=hash1
        Annotations:	kubernetes.io/change-cause: first
        Containers:
         web:
          Image:	web:1
          Port:	<none>
          Host Port:	<none>
          Environment:	<none>
          Mounts:	<none>
        Volumes:	<none>
        Node-Selectors:	<none>
        Tolerations:	<none>
    `,
  );
  await user.fails(
    'rollout history deployment/web --revision=7',
    'error: unable to find the specified revision',
  );
  await user.prints("rollout history deployment/web -o jsonpath='{.metadata.name},'", 'web-1,web-2,');
  await user.prints(
    'rollout undo deployment/web --dry-run=server',
    'deployment.apps/web rolled back (server dry run)',
  );
  await user.prints('rollout undo deployment/web --to-revision=1', 'deployment.apps/web rolled back');
  await user.prints(
    "get deployment web -o jsonpath='{.spec.template.spec.containers[0].image} {.metadata.annotations}'",
    'web:1 {"deployment.kubernetes.io/revision":"2","kubernetes.io/change-cause":"first"}',
  );
  await user.prints(
    'rollout undo deployment/web --to-revision=1',
    'deployment.apps/web skipped rollback (current template already matches revision 1)',
  );
  await user.fails(
    'rollout undo deployment/web --to-revision=9',
    'error: unable to find specified revision 9 in history',
  );
};

const status: Story = async (user) => {
  const finish = (text: string) => `Waiting for deployment "web" rollout to finish: ${text}...`;
  const set = (fields: object) =>
    user.send(
      'PATCH',
      '/apis/apps/v1/namespaces/status/deployments/web/status',
      { status: fields },
      'application/merge-patch+json',
    );
  await user.prints('create deployment web --image=web --replicas=2', 'deployment.apps/web created');
  await user.prints(
    'rollout status deployment/web --watch=false',
    'Waiting for deployment spec update to be observed...',
  );
  await user.fails(
    'rollout status deployment/web --timeout=2s',
    'error: timed out waiting for the condition',
    {
      stdout: 'Waiting for deployment spec update to be observed...',
    },
  );
  await set({ observedGeneration: 1, replicas: 2, updatedReplicas: 1 });
  await user.prints(
    'rollout status deployment/web --watch=false',
    finish('1 out of 2 new replicas have been updated'),
  );
  await set({ replicas: 3, updatedReplicas: 2 });
  await user.prints(
    'rollout status deployment/web --watch=false',
    finish('1 old replicas are pending termination'),
  );
  await set({ replicas: 2, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1 });
  const watching = user.follow('rollout status deployment/web');
  await watching.until(finish('1 of 2 updated replicas are available'));
  await set({ readyReplicas: 2, availableReplicas: 2 });
  user.same(await watching.exited, 0, 'ends with the rollout');
  user.includes(watching.output(), 'deployment "web" successfully rolled out\n', 'and says so');
  await set({
    conditions: [
      { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'too late' },
    ],
  });
  await user.fails('rollout status deployment/web', 'error: deployment "web" exceeded its progress deadline');
  await user.fails(
    'rollout status deployment/none',
    'Error from server (NotFound): deployments.apps "none" not found',
  );
  await user.fails(
    'rollout status replicaset/none',
    'Error from server (NotFound): replicasets.apps "none" not found',
  );
};

const pause: Story = async (user) => {
  await user.prints('create deployment web --image=web', 'deployment.apps/web created');
  await user.prints('rollout pause deployment/web', 'deployment.apps/web paused');
  await user.fails('rollout pause deployment/web', 'error: deployments.apps "web" is already paused');
  await user.fails(
    'rollout restart deployment/web',
    'error: deployments.apps "web" can\'t restart paused deployment (run rollout resume first)',
  );
  await user.fails('rollout undo deployment/web', 'error: no rollout history found for deployment "web"');
  await user.prints('rollout resume deployment/web', 'deployment.apps/web resumed');
  await user.fails('rollout resume deployment/web', 'error: deployments.apps "web" is not paused');
  await user.prints('rollout restart deployment/web', 'deployment.apps/web restarted');
  await user.prints(
    "get deployment web -o jsonpath='{.spec.template.metadata.annotations} {.metadata.generation}'",
    '{"kubectl.kubernetes.io/restartedAt":"«time»"} 4',
  );
  // Twice within a second would be no change, which kubectl refuses.
  await user.prints('create deployment other --image=web', 'deployment.apps/other created');
  await user.prints('rollout restart deployment -l app=other', 'deployment.apps/other restarted');
  await user.fails('rollout restart service/none', 'Error from server (NotFound): services "none" not found');
};

export const ROLLOUT: Stories = { history, status, pause };
