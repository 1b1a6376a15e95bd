/** `delete` in all its forms, what becomes of dependents, and `wait`. */
import type { Stories, Story, StoryUser } from './client-stories.js';

const forced =
  'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.';

const configMap = (name: string, par: number) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, labels: {par: "${par}"}}\n---\n`;

/** Ten of them, in one file. */
async function many(user: StoryUser): Promise<string[]> {
  const names = Array.from({ length: 10 }, (_, at) => `m${at}`);
  await user.file('many.yaml', names.map((name, at) => configMap(name, at % 2)).join(''));
  await user.prints('create -f many.yaml', names.map((name) => `configmap/${name} created`).join('\n'));
  return names;
}

const gone = (user: StoryUser, ...names: string[]) =>
  names.map((name) => `configmap "${name}" ${user.deleted}`).join('\n');

const deletes: Story = async (user) => {
  const absent = (name: string, where = '') =>
    `Error from server (NotFound): ${where}configmaps "${name}" not found`;
  const names = await many(user);
  await user.prints('delete configmap m0', gone(user, 'm0'));
  await user.fails('delete configmap m0', absent('m0'));
  await user.prints('delete configmap m0 --ignore-not-found', '');
  await user.prints('delete configmap m1 --dry-run=server', `${gone(user, 'm1')} (server dry run)`);
  await user.prints('delete configmap m1 --dry-run=client', `${gone(user, 'm1')} (dry run)`);
  await user.prints('delete configmap m1 -o name', 'configmap/m1');
  await user.prints('delete configmap/m2 configmap/m3 --now', gone(user, 'm2', 'm3'));
  await user.prints('delete configmap m4 --wait=false', gone(user, 'm4'));
  await user.prints(
    'delete configmap m5 --grace-period=0 --force',
    gone(user, 'm5').replace('"m5" ', '"m5" force '),
    { stderr: forced },
  );
  await user.prints('delete configmap --field-selector metadata.name=m6', gone(user, 'm6'));
  await user.prints('delete configmap -l par=1', gone(user, 'm7', 'm9'));
  await user.fails(
    'delete -f many.yaml',
    names
      .filter((name) => name !== 'm8')
      .map((name) => absent(name, 'error when deleting "many.yaml": '))
      .join('\n'),
    { stdout: gone(user, 'm8') },
  );
  await user.prints('delete -f many.yaml --ignore-not-found', '');
  await many(user);
  await user.prints('delete configmap --all', gone(user, 'kube-root-ca.crt', ...names));
  await user.prints('delete secret --all', 'No resources found');
  await user.prints('create configmap raw', 'configmap/raw created');
  await user.prints(
    'delete --raw /api/v1/namespaces/deletes/configmaps/raw',
    '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":"raw","kind":"configmaps","uid":"«uid»"}}',
  );
  await user.fails('delete configmap', 'error: resource(s) were provided, but no name was specified');
  await user.fails('delete configmap x --all', 'error: name cannot be provided when a selector is specified');
  await user.fails('delete widget x', 'error: the server doesn\'t have a resource type "widget"');
  await user.fails(
    'delete configmap x --cascade=some',
    'error: invalid cascade value (some). Must be "background", "foreground", or "orphan"',
  );
  await user.fails(
    'delete configmap x --grace-period=0 --now',
    'error: --now and --grace-period cannot be specified together',
  );

  await user.prints('run one --image=x', 'pod/one created');
  await user.prints('create service clusterip one --tcp=80', 'service/one created');
  await user.prints('create deployment one --image=x', 'deployment.apps/one created');
  const all = ['pod "one"', 'service "one"', 'deployment.apps "one"'].map(
    (what) => `${what} ${user.deleted}`,
  );
  await user.prints('delete all --all', all.join('\n'));
};

const finalizers: Story = async (user) => {
  await user.prints('create -f -', 'configmap/held created', {
    input: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.com/hold]}\n',
  });
  await user.fails(
    'delete configmap held --timeout=2s',
    'error: timed out waiting for the condition on configmaps/held',
    {
      stdout: gone(user, 'held'),
    },
  );
  await user.prints('delete configmap held --wait=false', gone(user, 'held'));
  await user.prints(
    "get configmap held -o jsonpath='{.metadata.finalizers} {.metadata.deletionGracePeriodSeconds} {.metadata.deletionTimestamp}'",
    '["example.com/hold"] 0 «time»',
  );
  await user.fails(
    `patch configmap held --type=json -p '[{"op":"add","path":"/metadata/finalizers/-","value":"example.com/more"}]'`,
    'The ConfigMap "held" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/more"}',
  );
  await user.prints('apply -f -', 'configmap/held configured', {
    input: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held}\ndata: {a: b}\n',
    stderr: `Warning: resource configmaps/held is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.
Warning: Detected changes to resource held which is currently being deleted.`,
  });
  const waiting = await user.watching('wait --for=delete configmap/held --timeout=20s');
  await user.prints(
    `patch configmap held --type=merge -p '{"metadata":{"finalizers":null}}'`,
    'configmap/held patched',
  );
  user.same(await waiting.exited, 0, 'wait --for=delete has seen it go');
  user.includes(waiting.output(), 'configmap/held condition met\n', 'and says so');
};

const pods: Story = async (user) => {
  const pod = (name: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {nodeName: somewhere, containers: [{name: c, image: x}]}\n`;
  await user.prints('create -f -', 'pod/quick created', { input: pod('quick') });
  await user.prints('create -f -', 'pod/slow created', { input: pod('slow') });
  // A pod on a node ends when its kubelet says so.
  const graceful = `pod "slow" ${user.deleted}`;
  await user.fails(
    'delete pod slow --timeout=2s',
    'error: timed out waiting for the condition on pods/slow',
    { stdout: graceful },
  );
  await user.prints("get pod slow -o jsonpath='{.metadata.deletionGracePeriodSeconds}'", '30');
  await user.prints('delete pod slow --grace-period=5 --wait=false', graceful);
  await user.prints("get pod slow -o jsonpath='{.metadata.deletionGracePeriodSeconds}'", '5');
  await user.prints('delete pod slow --now --wait=false', graceful);
  await user.prints("get pod slow -o jsonpath='{.metadata.deletionGracePeriodSeconds}'", '1');
  await user.prints(
    'get pods',
    'NAME    READY   STATUS        RESTARTS   AGE\nquick   0/1     Pending       0          «age»\nslow    0/1     Terminating   0          «age»',
  );
  for (const name of ['slow', 'quick']) {
    await user.prints(`delete pod ${name} --grace-period=0 --force`, `pod "${name}" force ${user.deleted}`, {
      stderr: forced,
    });
  }
  await user.prints('get pods', '', { stderr: 'No resources found in pods namespace.' });
};

const waits: Story = async (user) => {
  await user.prints('create deployment web --image=x', 'deployment.apps/web created');
  const status = (fields: object) =>
    user.send(
      'PATCH',
      '/apis/apps/v1/namespaces/waits/deployments/web/status',
      { status: fields },
      'application/merge-patch+json',
    );
  const available = await user.watching('wait --for=condition=Available deployment/web --timeout=20s');
  const replicas = await user.watching(
    "wait --for=jsonpath='{.status.readyReplicas}'=1 deployment/web --timeout=20s",
  );
  const created = user.run('wait --for=create configmap/late --timeout=20s');
  await status({
    replicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
    conditions: [{ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'it is' }],
  });
  await user.prints('create configmap late', 'configmap/late created');
  for (const each of [available, replicas]) {
    user.same(await each.exited, 0, 'what has come about');
    user.includes(each.output(), 'deployment.apps/web condition met\n', 'is said');
  }
  user.same(await created, { code: 0, stdout: 'configmap/late condition met\n', stderr: '' }, 'a creation');
  await user.prints('wait --for=condition=available deployment --all', 'deployment.apps/web condition met');
  await user.prints("wait --for=jsonpath='{.metadata.name}' configmap/late", 'configmap/late condition met');
  await user.prints('wait --for=delete configmap/none', '');
  await user.fails(
    'wait --for=condition=Available=false deployment/web --timeout=2s',
    'error: timed out waiting for the condition on deployments/web',
  );
  await user.fails(
    'wait --for=condition=Ready deployment/none',
    'Error from server (NotFound): deployments.apps "none" not found',
  );
  await user.fails(
    'wait --for=delete configmap/late --timeout=2s',
    'error: timed out waiting for the condition on configmaps/late',
  );
  await user.fails('wait --for=some configmap/late', 'error: unrecognized condition: "some"');
  await user.prints('wait --for=delete configmap -l x=y', '');
  await user.fails('wait --for=condition=Ready configmap -l x=y', 'error: no matching resources found');
  const deletion = await user.watching('wait --for=delete configmap/late --timeout=20s');
  await user.prints('delete configmap late', gone(user, 'late'));
  user.same(await deletion.exited, 0, 'a deletion');
};

const owned = (kind: string, name: string, owner: { kind: string; name: string; uid: string }) => {
  const labels = { owner: owner.name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'x' }] } };
  return {
    apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1',
    kind,
    metadata: {
      name,
      labels,
      ownerReferences: [{ apiVersion: 'apps/v1', ...owner, controller: true, blockOwnerDeletion: true }],
    },
    spec: kind === 'Pod' ? template.spec : { replicas: 0, selector: { matchLabels: labels }, template },
  };
};

/** A deployment with a replica set with a pod, as its controllers would have made them. */
async function family(user: StoryUser, name: string): Promise<void> {
  const make = async (path: string, body: object) =>
    ((await user.send('POST', path.replace('*', user.namespace), body)) as { metadata: { uid: string } })
      .metadata.uid;
  await user.prints(`create deployment ${name} --image=x`, `deployment.apps/${name} created`);
  const { stdout: uid } = await user.run(`get deployment ${name} -o jsonpath='{.metadata.uid}'`);
  const set = owned('ReplicaSet', `${name}-1`, { kind: 'Deployment', name, uid });
  const setUid = await make('/apis/apps/v1/namespaces/*/replicasets', set);
  await make(
    '/api/v1/namespaces/*/pods',
    owned('Pod', `${name}-1-a`, { kind: 'ReplicaSet', name: `${name}-1`, uid: setUid }),
  );
}

const cascades: Story = async (user) => {
  const nothing = { stderr: 'No resources found in cascades namespace.' };
  await family(user, 'back');
  await user.prints('delete deployment back', `deployment.apps "back" ${user.deleted}`);
  const collected = await user.run('wait --for=delete replicaset/back-1 pod/back-1-a --timeout=20s');
  user.same(collected.code, 0, 'dependents are collected');
  await user.prints('get deployments,replicasets,pods', '', nothing);

  // The deployment is the last to go, so that there is nothing when kubectl has waited for it.
  await family(user, 'fore');
  await user.prints('delete deployment fore --cascade=foreground', `deployment.apps "fore" ${user.deleted}`);
  await user.prints('get deployments,replicasets,pods', '', nothing);

  await family(user, 'left');
  await user.prints('delete deployment left --cascade=orphan', `deployment.apps "left" ${user.deleted}`);
  await user.prints("get replicaset left-1 -o jsonpath='{.metadata.ownerReferences}'", '');
  await user.prints("get pod left-1-a -o jsonpath='{.metadata.ownerReferences[0].name}'", 'left-1');
  await user.prints(
    'delete replicaset left-1 --cascade=background',
    `replicaset.apps "left-1" ${user.deleted}`,
  );
  await user.run('wait --for=delete pod/left-1-a --timeout=20s');
  await user.prints('get replicasets,pods', '', nothing);
};

export const DELETE: Stories = { deletes, finalizers, pods, waits, cascades };
