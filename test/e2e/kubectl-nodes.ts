/** Nodes, and what is done with pods on them: where a kubelet would be asked, that there is none. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stories, Story, StoryUser } from './client-stories.js';

/** Nodes have no namespace: each story has one of its own. */
async function node(user: StoryUser): Promise<string> {
  const name = `node-${user.namespace}`;
  const made = await user.run('create -f -', {
    input: `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}, labels: {a: b}}\n`,
  });
  user.same(made.stdout, `node/${name} created\n`, 'a node');
  return name;
}

const bare = (name: string, on: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {nodeName: ${on}, containers: [{name: c, image: x}]}\n`;

/** Asked again and again without kubectl, whose every start costs a tenth of a second of processor. */
async function untilDeleted(user: StoryUser, pod: string): Promise<void> {
  const path = `/api/v1/namespaces/${user.namespace}/pods/${pod}`;
  for (;;) {
    const { metadata } = (await user.send('GET', path)) as { metadata: { deletionTimestamp?: string } };
    if (metadata.deletionTimestamp !== undefined) return;
    await sleep(10);
  }
}

const nodes: Story = async (user) => {
  const name = await node(user);
  const now = new Date().toISOString().replace(/\.\d+Z/, 'Z');
  const head = 'NAME         STATUS                     ROLES    AGE   VERSION';
  await user.prints(
    `get node ${name}`,
    'NAME         STATUS    ROLES    AGE   VERSION\nnode-nodes   Unknown   <none>   «age»    ',
  );
  await user.prints(`cordon ${name}`, `node/${name} cordoned`);
  await user.prints(`cordon ${name}`, `node/${name} already cordoned`);
  await user.send(
    'PATCH',
    `/api/v1/nodes/${name}/status`,
    {
      status: {
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            reason: 'KubeletReady',
            message: 'ready',
            lastHeartbeatTime: now,
            lastTransitionTime: now,
          },
        ],
        addresses: [
          { type: 'InternalIP', address: '10.9.8.7' },
          { type: 'Hostname', address: name },
        ],
        nodeInfo: {
          kubeletVersion: 'v1.36.2',
          osImage: 'Some Linux',
          kernelVersion: '6.1',
          containerRuntimeVersion: 'cri://1',
        },
        capacity: { cpu: '4', memory: '8Gi', pods: '110' },
        allocatable: { cpu: '4', memory: '7Gi', pods: '110' },
      },
    },
    'application/merge-patch+json',
  );
  await user.prints(`label node ${name} node-role.kubernetes.io/worker=`, `node/${name} labeled`);
  await user.prints(
    `get node ${name}`,
    `${head}\nnode-nodes   Ready,SchedulingDisabled   worker   «age»    v1.36.2`,
  );
  await user.prints(
    `get node ${name} -o wide`,
    `NAME         STATUS                     ROLES    AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE     KERNEL-VERSION   CONTAINER-RUNTIME
node-nodes   Ready,SchedulingDisabled   worker   «age»    v1.36.2   10.9.8.7      <none>        Some Linux   6.1              cri://1`,
  );
  await user.prints(`taint node ${name} k=v:NoSchedule`, `node/${name} tainted`);
  await user.fails(
    `taint node ${name} k=v:NoSchedule`,
    `error: node ${name} already has k taint(s) with same effect(s) and --overwrite is false`,
  );
  await user.prints(`taint node ${name} k=w:NoSchedule --overwrite`, `node/${name} modified`);
  await user.prints(
    `get node ${name} -o jsonpath='{.spec.taints[?(@.key=="k")]}'`,
    '{"effect":"NoSchedule","key":"k","value":"w"}',
  );
  await user.prints(`taint node ${name} k:NoSchedule-`, `node/${name} untainted`);
  await user.fails(`taint node ${name} k:NoSchedule-`, 'error: taint "k:NoSchedule" not found');
  await user.fails(
    `taint node ${name} k=v:Sometimes`,
    "error: invalid taint effect: Sometimes, unsupported taint effect\nSee 'kubectl taint -h' for help and examples",
  );
  await user.prints('create -f -', 'pod/here created', { input: bare('here', name) });
  await user.prints(
    `describe node ${name}`,
    `
      Name:               node-nodes
      Roles:              worker
      Labels:             a=b
                          node-role.kubernetes.io/worker=
      Annotations:        <none>
      CreationTimestamp:  «some»
      Taints:             node.kubernetes.io/not-ready:NoSchedule
      Unschedulable:      true
      Lease:              Failed to get lease: leases.coordination.k8s.io "node-nodes" not found
      Conditions:
        Type    Status  LastHeartbeatTime                 LastTransitionTime                Reason         Message
        ----    ------  -----------------                 ------------------                ------         -------
        Ready   True    «some» +0000   «some» +0000   KubeletReady   ready
      Addresses:
        InternalIP:  10.9.8.7
        Hostname:    node-nodes
      Capacity:
        cpu:     4
        memory:  8Gi
        pods:    110
      Allocatable:
        cpu:     4
        memory:  7Gi
        pods:    110
      System Info:
        Machine ID:                 
        System UUID:                
        Boot ID:                    
        Kernel Version:             6.1
        OS Image:                   Some Linux
        Operating System:           
        Architecture:               
        Container Runtime Version:  cri://1
        Kubelet Version:            v1.36.2
        Kube-Proxy Version:         
      Non-terminated Pods:          (1 in total)
        Namespace                   Name    CPU Requests  CPU Limits  Memory Requests  Memory Limits  Age
        ---------                   ----    ------------  ----------  ---------------  -------------  ---
        nodes                       here    0 (0%)        0 (0%)      0 (0%)           0 (0%)         «age»
      Allocated resources:
        (Total limits may be over 100 percent, i.e., overcommitted.)
        Resource           Requests  Limits
        --------           --------  ------
        cpu                0 (0%)    0 (0%)
        memory             0 (0%)    0 (0%)
        ephemeral-storage  0 (0%)    0 (0%)
      Events:              <none>
    `,
  );
  await user.prints(`uncordon ${name}`, `node/${name} uncordoned`);
  await user.prints(`uncordon ${name}`, `node/${name} already uncordoned`);
  await user.fails('cordon none', 'Error from server (NotFound): nodes "none" not found');
  await user.prints(`get pods --field-selector spec.nodeName=${name} -o name`, 'pod/here');
  await user.prints('delete pod here --now --wait=false', `pod "here" ${user.deleted}`);
  await user.prints(`delete node ${name}`, `node "${name}" deleted`);
};

const drain: Story = async (user) => {
  const name = await node(user);
  await user.prints(`drain ${name}`, `node/${name} cordoned\nnode/${name} drained`);
  await user.prints('create -f -', 'pod/lone created', { input: bare('lone', name) });
  const needsForce = `cannot delete cannot delete Pods that declare no controller (use --force to override): drain/lone`;
  await user.fails(
    `drain ${name}`,
    `error: unable to drain node "${name}" due to error: ${needsForce}, continuing command...
There are pending nodes to be drained:
 ${name}
${needsForce}`,
    { stdout: `node/${name} already cordoned` },
  );
  await user.prints(
    `drain ${name} --force --dry-run=server`,
    `node/${name} already cordoned (server dry run)\nevicting pod drain/lone (server dry run)\nnode/${name} drained (server dry run)`,
    {
      stderr: 'Warning: deleting Pods that declare no controller: drain/lone',
    },
  );
  // Evicted, it goes on until its kubelet has ended it: here somebody else does.
  const draining = user.run(`drain ${name} --force --timeout=20s`);
  await untilDeleted(user, 'lone');
  await user.send('DELETE', '/api/v1/namespaces/drain/pods/lone?gracePeriodSeconds=0');
  const drained = await draining;
  user.same(
    [drained.code, drained.stdout],
    [0, `node/${name} already cordoned\nevicting pod drain/lone\npod/lone evicted\nnode/${name} drained\n`],
    'drained',
  );
  await user.prints('create -f -', 'pod/lone created', { input: bare('lone', name) });
  const deleting = user.run(`drain ${name} --force --disable-eviction --timeout=20s`);
  await untilDeleted(user, 'lone');
  await user.send('DELETE', '/api/v1/namespaces/drain/pods/lone?gracePeriodSeconds=0');
  user.same((await deleting).code, 0, 'without evictions too');
  await user.fails('drain none', 'Error from server (NotFound): nodes "none" not found');
};

/** Statuses of budgets are a controller's: here somebody says how many pods may go. */
const budgets: Story = async (user) => {
  const name = await node(user);
  const patchStatus = (path: string, status: object) =>
    user.send('PATCH', `${path}/status`, { status }, 'application/merge-patch+json');
  const pod = '/api/v1/namespaces/budgets/pods/kept';
  const budget = '/apis/policy/v1/namespaces/budgets/poddisruptionbudgets/one';
  await user.prints('create -f -', 'pod/kept created', {
    input: bare('kept', name).replace('{name: kept}', '{name: kept, labels: {app: kept}}'),
  });
  await user.prints(
    'create pdb one --selector=app=kept --min-available=1',
    'poddisruptionbudget.policy/one created',
  );
  await patchStatus(pod, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] });
  const counts = { observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 };
  await patchStatus(budget, { ...counts, disruptionsAllowed: 0 });
  await user.prints(
    'get pdb',
    'NAME   MIN AVAILABLE   MAX UNAVAILABLE   ALLOWED DISRUPTIONS   AGE\none    1               N/A               0                     «age»',
  );
  await user.prints(
    'describe pdb one',
    `
      Name:           one
      Namespace:      budgets
      Min available:  1
      Selector:       app=kept
      Status:
          Allowed disruptions:  0
          Current:              1
          Desired:              1
          Total:                1
      Events:                   <none>
    `,
  );
  const refused = "Cannot evict pod as it would violate the pod's disruption budget.";
  const late = 'error when evicting pods/"kept" -n "budgets": global timeout reached: 1s';
  const forced = 'Warning: deleting Pods that declare no controller: budgets/kept';
  await user.fails(
    `drain ${name} --force --timeout=1s`,
    `${forced}
error when evicting pods/"kept" -n "budgets" (will retry after 5s): ${refused}
There are pending pods in node "${name}" when an error occurred: ${late}
pod/kept
error: unable to drain node "${name}" due to error: ${late}, continuing command...
There are pending nodes to be drained:
 ${name}
${late}`,
    { stdout: `node/${name} cordoned\nevicting pod budgets/kept\nevicting pod budgets/kept` },
  );
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'kept' } };
  await user.file('eviction.json', JSON.stringify(eviction));
  await user.fails(
    `create --raw ${pod}/eviction -f eviction.json`,
    `Error from server (TooManyRequests): ${refused}`,
  );

  await patchStatus(budget, { ...counts, currentHealthy: 2, disruptionsAllowed: 1 });
  const draining = user.run(`drain ${name} --force --timeout=20s`);
  await untilDeleted(user, 'kept');
  await user.send('DELETE', `${pod}?gracePeriodSeconds=0`);
  user.same(
    await draining,
    {
      code: 0,
      stdout: `node/${name} already cordoned\nevicting pod budgets/kept\npod/kept evicted\nnode/${name} drained\n`,
      stderr: `${forced}\n`,
    },
    'one may go',
  );
  await user.prints("get pdb one -o jsonpath='{.status.disruptionsAllowed}'", '0');
};

const withoutKubelet: Story = async (user) => {
  const unassigned = 'Error from server (BadRequest): pod lone does not have a host assigned';
  await user.prints('run lone --image=x', 'pod/lone created');
  await user.prints('logs lone', '');
  await user.prints('logs lone -f --tail=5 --timestamps', '');
  await user.fails('exec lone -- ls', unassigned);
  await user.fails('cp lone:/x y', unassigned);
  await user.fails(
    'attach lone',
    `«1.35:All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.»
If you don't see a command prompt, try pressing enter.
${unassigned}`,
  );
  await user.fails(
    'port-forward pod/lone 0:80',
    'error: unable to forward port because pod is not running. Current status=Pending',
  );
  await user.fails(
    'logs none',
    'error: error from server (NotFound): pods "none" not found in namespace "without-kubelet"',
  );
  await user.fails('exec none -- ls', 'Error from server (NotFound): pods "none" not found');
  await user.prints('create deployment web --image=x', 'deployment.apps/web created');
  await user.fails(
    'exec deployment/web --pod-running-timeout=100ms -- ls',
    'error: timed out waiting for the condition',
  );
  const name = await node(user);
  await user.prints('create -f -', 'pod/placed created', { input: bare('placed', name) });
  const unreachable = 'Error from server: no preferred addresses found; known addresses: []';
  await user.fails('logs placed', unreachable);
  await user.fails('exec placed -- ls', unreachable);
  await user.fails(
    'get --raw /api/v1/namespaces/without-kubelet/pods/none/log',
    'Error from server (NotFound): pods "none" not found',
  );
  await user.fails('top pod', 'error: Metrics API not available');
  await user.fails('top node', 'error: Metrics API not available');
};

const debug: Story = async (user) => {
  const legacy =
    '--profile=legacy is deprecated and will be removed in the future. It is recommended to explicitly specify a profile, for example "--profile=general".';
  await user.prints('run one --image=x', 'pod/one created');
  await user.prints('debug one --image=busybox -c tools', '', { stderr: legacy });
  await user.prints(
    'debug one --image=busybox --profile=general -c more --target=one',
    'Targeting container "one". If you don\'t see processes from this container it may be because the container runtime doesn\'t support this feature.',
  );
  await user.prints(
    "get pod one -o jsonpath='{range .spec.ephemeralContainers[*]}{.name}:{.image}:{.targetContainerName} {end}'",
    'tools:busybox: more:busybox:one ',
  );
  await user.prints('debug one --image=busybox --copy-to=copy -c tools', '', { stderr: legacy });
  await user.prints("get pod copy -o jsonpath='{.spec.containers[*].name}'", 'one tools');
  const name = await node(user);
  await user.prints(
    `debug node/${name} --image=busybox --profile=general`,
    `Creating debugging pod node-debugger-${name}-«word» with container debugger on node ${name}.`,
  );
  await user.prints(
    `get pods -o jsonpath='{.items[?(@.spec.nodeName=="${name}")].spec.hostNetwork}'`,
    'true',
  );
};

export const NODES: Stories = { nodes, drain, budgets, 'without-kubelet': withoutKubelet, debug };
