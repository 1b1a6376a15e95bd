/** Jobs, and workloads whose revisions are kept apart from them. */
import type { Stories, Story, StoryUser } from './client-stories.js';

const jobs: Story = async (user) => {
  await user.prints('create job one --image=busybox -- date', 'job.batch/one created');
  await user.prints(
    "create cronjob often --image=busybox --schedule='*/5 * * * *' -- date",
    'cronjob.batch/often created',
  );
  await user.prints('create job manual --from=cronjob/often', 'job.batch/manual created');
  await user.prints(
    "get job manual -o jsonpath='{.metadata.ownerReferences[0].kind} {.metadata.annotations} {.spec.template.spec.containers[0].command}'",
    'CronJob {"cronjob.kubernetes.io/instantiate":"manual"} ["date"]',
  );
  await user.prints(
    'get jobs',
    `
      NAME     STATUS    COMPLETIONS   DURATION   AGE
      manual   Running   0/1                      «age»
      one      Running   0/1                      «age»
    `,
  );
  await user.prints(
    'get cronjobs -o wide',
    `
      NAME    SCHEDULE      TIMEZONE   SUSPEND   ACTIVE   LAST SCHEDULE   AGE   CONTAINERS   IMAGES    SELECTOR
      often   */5 * * * *   <none>     False     0        <none>          «age»    often        busybox   <none>
    `,
  );
  await user.prints(
    'describe job one',
    `
      Name:             one
      Namespace:        jobs
      Selector:         batch.kubernetes.io/controller-uid=«uid»
      Labels:           batch.kubernetes.io/controller-uid=«uid»
                        batch.kubernetes.io/job-name=one
                        controller-uid=«uid»
                        job-name=one
      Annotations:      <none>
      Parallelism:      1
      Completions:      1
      Completion Mode:  NonIndexed
      Suspend:          false
      Backoff Limit:    6
      Pods Statuses:    0 Active / 0 Succeeded / 0 Failed
      Pod Template:
        Labels:  batch.kubernetes.io/controller-uid=«uid»
                 batch.kubernetes.io/job-name=one
                 controller-uid=«uid»
                 job-name=one
        Containers:
         one:
          Image:      busybox
          Port:       <none>
          Host Port:  <none>
          Command:
            date
          Environment:   <none>
          Mounts:        <none>
        Volumes:         <none>
        Node-Selectors:  <none>
        Tolerations:     <none>
      Events:            <none>
    `,
  );
  const described = await user.run('describe cronjob often');
  user.includes(
    described.stdout,
    'Schedule:                      */5 * * * *\nConcurrency Policy:            Allow\nSuspend:                       False\n',
    'a cron job',
  );
  await user.fails(
    'create cronjob bad --image=x --schedule=never',
    'error: failed to create cronjob: CronJob.batch "bad" is invalid: spec.schedule: Invalid value: "never": expected exactly 5 fields, found 1: [never]',
  );
  await user.prints(`patch job one -p '{"spec":{"suspend":true}}'`, 'job.batch/one patched');
  // Whoever suspends it would say so in its conditions.
  await user.prints('get job one --no-headers', 'one   Running   0/1         «age»');
  const status = {
    conditions: [
      { type: 'Complete', status: 'True' },
      { type: 'SuccessCriteriaMet', status: 'True' },
    ],
    succeeded: 1,
    startTime: '2026-01-01T00:00:00Z',
    completionTime: '2026-01-01T00:00:05Z',
  };
  await user.send(
    'PATCH',
    '/apis/batch/v1/namespaces/jobs/jobs/manual/status',
    { status },
    'application/merge-patch+json',
  );
  await user.prints('get job manual --no-headers', 'manual   Complete   1/1   5s    «age»');
  await user.prints('wait --for=condition=Complete job/manual', 'job.batch/manual condition met');
  await user.prints('delete job one --cascade=orphan', `job.batch "one" ${user.deleted}`);
  await user.prints('delete cronjob often', `cronjob.batch "often" ${user.deleted}`);
};

const template = (name: string, image: string) => ({
  metadata: { labels: { app: name } },
  spec: { containers: [{ name, image }] },
});

const sets = JSON.stringify({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db' },
      spec: {
        replicas: 2,
        serviceName: 'db',
        selector: { matchLabels: { app: 'db' } },
        template: template('db', 'db:2'),
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent' },
      spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent', 'agent:2') },
    },
    {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name: 'old' },
      spec: { replicas: 1, selector: { app: 'old' }, template: template('old', 'old:1') },
    },
  ],
});

/** A revision as the controllers of stateful and daemon sets keep it: a patch. */
async function revision(user: StoryUser, kind: string, name: string, number: number): Promise<void> {
  const { stdout: uid } = await user.run(`get ${kind} ${name} -o jsonpath='{.metadata.uid}'`);
  await user.send('POST', `/apis/apps/v1/namespaces/${user.namespace}/controllerrevisions`, {
    metadata: {
      name: `${name}-${number}`,
      labels: { app: name },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind, name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    data: { spec: { template: { ...template(name, `${name}:${number}`), $patch: 'replace' } } },
    revision: number,
  });
}

const others: Story = async (user) => {
  await user.prints(
    'create -f -',
    'statefulset.apps/db created\ndaemonset.apps/agent created\nreplicationcontroller/old created',
    { input: sets },
  );
  await user.prints(
    'get statefulsets,daemonsets,replicationcontrollers -o wide',
    `
      NAME                  READY   AGE   CONTAINERS   IMAGES
      statefulset.apps/db   0/2     «age»    db           db:2

      NAME                   DESIRED   CURRENT   READY   UP-TO-DATE   AVAILABLE   NODE SELECTOR   AGE   CONTAINERS   IMAGES    SELECTOR
      daemonset.apps/agent   0         0         0       0            0           <none>          «age»    agent        agent:2   app=agent

      NAME                        DESIRED   CURRENT   READY   AGE   CONTAINERS   IMAGES   SELECTOR
      replicationcontroller/old   1         0         0       «age»    old          old:1    app=old
    `,
  );
  await user.prints(
    'scale statefulset/db replicationcontroller/old --replicas=3',
    'statefulset.apps/db scaled\nreplicationcontroller/old scaled',
  );
  await user.fails(
    'scale daemonset/agent --replicas=3',
    'Error from server (NotFound): the server could not find the requested resource',
  );
  const described = await user.run('describe statefulset db');
  user.includes(
    described.stdout,
    'Replicas:           3 desired | 0 total\nUpdate Strategy:    RollingUpdate\n  Partition:        0\n',
    'a stateful set',
  );
  user.includes(
    (await user.run('describe daemonset agent')).stdout,
    'Annotations:    deprecated.daemonset.template.generation: 1\n',
    'a daemon set',
  );
  user.includes(
    (await user.run('describe replicationcontroller old')).stdout,
    'Replicas:     0 current / 3 desired\n',
    'a replication controller',
  );

  for (const [kind, name] of [
    ['StatefulSet', 'db'],
    ['DaemonSet', 'agent'],
  ] as const) {
    const what = `${kind.toLowerCase()}.apps/${name}`;
    await user.prints(`rollout history ${kind}/${name}`, `${what} \nNo rollout history found.`);
    for (const number of [1, 2]) await revision(user, kind, name, number);
    await user.prints(
      `rollout history ${kind}/${name}`,
      `${what} \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>`,
    );
    await user.prints(`rollout undo ${kind}/${name} --to-revision=1`, `${what} rolled back`);
    await user.prints(
      `get ${kind} ${name} -o jsonpath='{.spec.template.spec.containers[*].image}'`,
      `${name}:1`,
    );
    await user.prints(`rollout restart ${kind}/${name}`, `${what} restarted`);
  }
  await user.fails('rollout pause statefulset/db', 'error: statefulsets.apps "db" pausing is not supported');
  await user.prints(
    'get controllerrevisions',
    `
    NAME      CONTROLLER             REVISION   AGE
    agent-1   daemonset.apps/agent   1          «age»
    agent-2   daemonset.apps/agent   2          «age»
    db-1      statefulset.apps/db    1          «age»
    db-2      statefulset.apps/db    2          «age»
  `,
  );
  await user.send(
    'PATCH',
    '/apis/apps/v1/namespaces/others/statefulsets/db/status',
    {
      status: {
        observedGeneration: 9,
        replicas: 3,
        readyReplicas: 3,
        updatedReplicas: 3,
        currentReplicas: 3,
        updateRevision: 'a',
        currentRevision: 'a',
      },
    },
    'application/merge-patch+json',
  );
  await user.prints(
    'rollout status statefulset/db',
    'partitioned roll out complete: 3 new pods have been updated...',
  );
  await user.send(
    'PATCH',
    '/apis/apps/v1/namespaces/others/daemonsets/agent/status',
    { status: { observedGeneration: 9, desiredNumberScheduled: 2, updatedNumberScheduled: 1 } },
    'application/merge-patch+json',
  );
  await user.prints(
    'rollout status daemonset/agent --watch=false',
    'Waiting for daemon set "agent" rollout to finish: 1 out of 2 new pods have been updated...',
  );
  await user.prints(
    'get all -o name',
    'replicationcontroller/old\ndaemonset.apps/agent\nstatefulset.apps/db',
  );
};

const classes: Story = async (user) => {
  await user.prints('apply -f -', 'storageclass.storage.k8s.io/story-fast created', {
    input:
      'apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: story-fast, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}\nprovisioner: example.com/disk\n',
  });
  await user.prints(
    'get storageclasses',
    `
      NAME                   PROVISIONER        RECLAIMPOLICY   VOLUMEBINDINGMODE   ALLOWVOLUMEEXPANSION   AGE
      story-fast (default)   example.com/disk   Delete          Immediate           false                  «age»
    `,
  );
  await user.fails(
    `patch storageclass story-fast -p '{"provisioner":"other"}'`,
    'The StorageClass "story-fast" is invalid: provisioner: Forbidden: updates to provisioner are forbidden.',
  );
  const described = await user.run('describe storageclass story-fast');
  user.includes(described.stdout, 'Name:            story-fast\nIsDefaultClass:  Yes\n', 'the default');
  user.includes(
    described.stdout,
    'ReclaimPolicy:         Delete\nVolumeBindingMode:     Immediate\n',
    'with defaults',
  );
  await user.prints('delete storageclass story-fast', 'storageclass.storage.k8s.io "story-fast" deleted');
};

export const WORKLOADS: Stories = { jobs, others, classes };
