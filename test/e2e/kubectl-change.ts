/** `patch`, `edit`, `replace`, `label`, `annotate`, `scale` and `set`: changes to what is there. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stories, Story } from './client-stories.js';

const webManifest = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
`;

const modified =
  'the object has been modified; please apply your changes to the latest version and try again';

const patch: Story = async (user) => {
  await user.file('web.yaml', webManifest);
  await user.prints('create -f web.yaml', 'deployment.apps/web created');
  const patched = 'deployment.apps/web patched';
  await user.prints(`patch deployment web -p '{"spec":{"replicas":3}}'`, patched);
  await user.prints(`patch deployment web -p '{"spec":{"replicas":3}}'`, `${patched} (no change)`);
  await user.prints(`patch deployment web -p 'spec: {replicas: 2}'`, patched);
  await user.file('patch.json', '{"spec":{"replicas":4}}');
  await user.prints("patch -f web.yaml --patch-file patch.json -o jsonpath='{.spec.replicas}'", '4');
  // By name, as its schema says.
  const names = "-o jsonpath='{.spec.template.spec.containers[*].name}'";
  const containers = (list: object[]) =>
    JSON.stringify({ spec: { template: { spec: { containers: list } } } });
  await user.prints(
    `patch deployment web -p '${containers([{ name: 'side', image: 's' }])}' ${names}`,
    'side web',
  );
  await user.prints(
    `patch deployment web -p '${containers([{ name: 'web', image: 'x' }])}' ${names}`,
    'side web',
  );
  await user.prints(
    `patch deployment web -p '${containers([{ name: 'side', $patch: 'delete' }])}' ${names}`,
    'web',
  );
  await user.prints(
    `patch deployment web --type=merge -p '${containers([{ name: 'only', image: 'o' }])}' ${names}`,
    'only',
  );
  await user.prints(
    `patch deployment web --type=merge -p '{"spec":{"replicas":null}}' -o jsonpath='{.spec.replicas}'`,
    '1',
  );
  const json = (...operations: object[]) =>
    `patch deployment web --type=json -p '${JSON.stringify(operations)}'`;
  const replicas = { path: '/spec/replicas' };
  await user.prints(
    json({ op: 'test', ...replicas, value: 1 }, { op: 'replace', ...replicas, value: 5 }),
    patched,
  );
  await user.prints(json({ op: 'add', path: '/metadata/labels/a~1b', value: 'c' }), patched);
  await user.prints(
    "get deployment web -o jsonpath='{.spec.replicas} {.metadata.labels}'",
    '5 {"a/b":"c","app":"web"}',
  );
  const rejected = 'The request is invalid: the server rejected our request due to an error in our request';
  await user.fails(json({ op: 'test', ...replicas, value: 1 }), rejected);
  await user.fails(json({ op: 'remove', path: '/spec/minReadySeconds' }), rejected);
  await user.fails(json({ op: 'replace', path: '/spec/none/x', value: 1 }), rejected);

  await user.fails(
    `patch deployment web -p '{"spec":{"replicas":-3}}'`,
    'The Deployment "web" is invalid: spec.replicas: Invalid value: -3: must be greater than or equal to 0',
  );
  await user.fails(
    `patch deployment web -p '{"spec":{"replicas":"x"}}'`,
    'The request is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  );
  await user.fails(
    `patch deployment web -p '{"spec":{"selector":{"matchLabels":{"q":"r"}}}}'`,
    `The Deployment "web" is invalid: 
* spec.template.metadata.labels: Invalid value: {"app":"web"}: \`selector\` does not match template \`labels\`
* spec.selector: Invalid value: {"matchLabels":{"app":"web","q":"r"}}: field is immutable`,
  );
  await user.prints(`patch deployment web -p '{"spec":{"nope":1}}'`, `${patched} (no change)`, {
    stderr: 'Warning: unknown field "spec.nope"',
  });
  await user.fails(
    'patch deployment web -p nope',
    'Error from server (BadRequest): json: cannot unmarshal string into Go value of type map[string]interface {}',
  );
  await user.fails(
    `patch deployment none -p '{"spec":{"replicas":3}}'`,
    'Error from server (NotFound): deployments.apps "none" not found',
  );
  await user.fails(
    `patch deployment web -p '{"metadata":{"resourceVersion":"1"}}'`,
    `Error from server (Conflict): Operation cannot be fulfilled on deployments.apps "web": ${modified}`,
  );
  await user.prints(
    `patch deployment web --dry-run=server -p '{"spec":{"replicas":9}}' -o jsonpath='{.spec.replicas}'`,
    '9',
  );
  await user.prints("get deployment web -o jsonpath='{.spec.replicas}'", '5');
  await user.prints(
    `patch -f web.yaml --local -p '{"spec":{"replicas":7}}' -o jsonpath='{.spec.replicas}'`,
    '7',
  );
};

const subresources: Story = async (user) => {
  await user.prints('create -f -', 'deployment.apps/web created', { input: webManifest });
  const status = (fields: object) =>
    `patch deployment web --subresource=status --type=merge -p '${JSON.stringify({ status: fields })}'`;
  await user.prints(
    status({ replicas: 2, readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 }),
    'deployment.apps/web patched',
  );
  await user.prints(
    'get deployment web',
    `
      NAME   READY   UP-TO-DATE   AVAILABLE   AGE
      web    1/1     2            1           «age»
    `,
  );
  await user.fails(
    status({ availableReplicas: 2 }),
    'The Deployment "web" is invalid: status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas',
  );
  // The other part stays as it is: without a difference there is no change.
  await user.prints(
    `patch deployment web --subresource=status -p '{"spec":{"replicas":8}}'`,
    'deployment.apps/web patched (no change)',
  );
  await user.prints(
    `patch deployment web -p '{"status":{"replicas":8}}'`,
    'deployment.apps/web patched (no change)',
  );
  await user.prints(
    `patch deployment web --subresource=scale --type=merge -p '{"spec":{"replicas":3}}'`,
    'scale.autoscaling/web patched',
  );
  await user.prints(
    'get deployment web --subresource=scale -o yaml',
    `
      apiVersion: autoscaling/v1
      kind: Scale
      metadata:
        creationTimestamp: "«time»"
        name: web
        namespace: subresources
        resourceVersion: "«number»"
        uid: «uid»
      spec:
        replicas: 3
      status:
        replicas: 2
        selector: app=web
    `,
  );
  await user.prints(
    'get deployment web --subresource=scale',
    `
      NAME   DESIRED   AVAILABLE   AGE
      web    3         2           «age»
    `,
  );
  await user.prints(
    "get deployment web --subresource=status -o jsonpath='{.kind} {.status.replicas}'",
    'Deployment 2',
  );
  await user.prints('edit deployment web --subresource=status', 'deployment.apps/web edited', {
    env: { KUBE_EDITOR: 'sed -i s/updatedReplicas:.*/updatedReplicas:\\ 1/' },
  });
  await user.prints("get deployment web -o jsonpath='{.status.updatedReplicas}'", '1');
  const whole = await user.run('get deployment web -o json');
  await user.file('status.json', whole.stdout.replace('"updatedReplicas": 1', '"updatedReplicas": 2'));
  await user.prints('replace -f status.json --subresource=status', 'deployment.apps/web replaced');
  await user.prints("get deployment web -o jsonpath='{.status.updatedReplicas}'", '2');
  await user.prints('create configmap plain', 'configmap/plain created');
  const nothing = 'Error from server (NotFound): the server could not find the requested resource';
  await user.fails('get configmap plain --subresource=status', nothing);
  await user.fails(`patch configmap plain --subresource=scale -p '{}'`, nothing);
};

const edit: Story = async (user) => {
  await user.prints('create configmap settings --from-literal=mode=dark', 'configmap/settings created');
  await user.prints('edit configmap settings', 'configmap/settings edited', {
    env: { KUBE_EDITOR: 'sed -i s/dark/light/' },
  });
  await user.prints("get configmap settings -o jsonpath='{.data.mode}'", 'light');
  await user.prints('edit configmap settings', '', {
    env: { KUBE_EDITOR: 'true' },
    stderr: 'Edit cancelled, no changes made.',
  });
  await user.prints(
    'edit configmap settings --output-patch',
    'Patch: {"data":{"mode":"dark"}}\nconfigmap/settings edited',
    { env: { KUBE_EDITOR: 'sed -i s/light/dark/' } },
  );
  await user.prints('edit configmap settings --save-config', 'configmap/settings edited', {
    env: { KUBE_EDITOR: 'sed -i s/dark/light/' },
  });
  await user.prints(
    'apply view-last-applied configmap settings',
    `
      apiVersion: v1
      data:
        mode: light
      kind: ConfigMap
      metadata:
        annotations: {}
        creationTimestamp: "«time»"
        managedFields:
      «lines»
        name: settings
        namespace: edit
        resourceVersion: "«number»"
        uid: «uid»
    `,
  );
  await user.fails('edit configmap none', 'Error from server (NotFound): configmaps "none" not found');
  await user.fails(
    'edit configmap settings',
    `A copy of your changes has been stored to "«some»"
error: At least one of apiVersion, kind and name was changed`,
    { env: { KUBE_EDITOR: 'sed -i s/name:.settings/name:\\ other/' } },
  );
  await user.prints(
    'edit configmap,secret',
    'configmap/kube-root-ca.crt skipped\nconfigmap/settings edited',
    {
      env: { KUBE_EDITOR: 'sed -i s/mode:.light/mode:\\ dim/' },
    },
  );

  // What is refused is shown again with the reason; what is then left as it was, is given up.
  await user.prints('create -f -', 'deployment.apps/web created', { input: webManifest });
  const reopened = await user.editor(
    'negative',
    `if [ -e again ]; then cp "$1" again; exit 0; fi
touch again
sed -i 's/replicas: .*/replicas: -1/' "$1"`,
  );
  await user.fails(
    'edit deployment web',
    `error: deployments.apps "web" is invalid
A copy of your changes has been stored to "«some»"
error: Edit cancelled, no valid changes were saved.`,
    { env: { KUBE_EDITOR: reopened } },
  );
  user.includes(
    await user.read('again'),
    `# deployments.apps "web" was not valid:
# * spec.replicas: Invalid value: -1: must be greater than or equal to 0
#
apiVersion: apps/v1`,
    'the reason is shown in the editor',
  );
  // Corrected at the second time.
  const corrected = await user.editor(
    'corrected',
    `if [ -e twice ]; then cp "$1" twice; sed -i 's/  nope: 1/  paused: true/' "$1"; exit 0; fi
touch twice
sed -i 's/^spec:/spec:\\n  nope: 1/' "$1"`,
  );
  await user.prints('edit deployment web', 'deployment.apps/web edited', {
    env: { KUBE_EDITOR: corrected },
    stderr: 'error: deployments.apps "web" is invalid',
  });
  user.includes(
    await user.read('twice'),
    `# deployments.apps "web" was not valid:
# * patch: Invalid value: "map[spec:map[nope:1]]": strict decoding error: unknown field "spec.nope"
#`,
    'a field that is not known is a reason too',
  );
  await user.prints("get deployment web -o jsonpath='{.spec.paused}'", 'true');
};

const replace: Story = async (user) => {
  const plain = (a: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: ${a}}\n`;
  await user.file('plain.yaml', plain('one'));
  await user.fails(
    'replace -f plain.yaml',
    'Error from server (NotFound): error when replacing "plain.yaml": configmaps "plain" not found',
  );
  await user.prints('create -f plain.yaml', 'configmap/plain created');
  await user.file('plain.yaml', plain('two'));
  await user.prints('replace -f plain.yaml --dry-run=server', 'configmap/plain replaced (server dry run)');
  await user.prints('replace -f plain.yaml', 'configmap/plain replaced');
  await user.prints("get configmap plain -o jsonpath='{.data.a}'", 'two');
  await user.prints('replace -f plain.yaml --save-config', 'configmap/plain replaced');
  const old = (await user.run('get configmap plain -o json')).stdout;
  await user.file('old.json', old);
  await user.prints('label configmap plain x=y', 'configmap/plain labeled');
  await user.fails(
    'replace -f old.json',
    `Error from server (Conflict): error when replacing "old.json": Operation cannot be fulfilled on configmaps "plain": ${modified}`,
  );
  await user.prints(
    `replace --force -f plain.yaml`,
    `configmap "plain" ${user.deleted}\nconfigmap/plain replaced`,
  );
  await user.fails(
    'replace -f old.json',
    'Error from server (Conflict): error when replacing "old.json": Operation cannot be fulfilled on configmaps "plain": StorageError: invalid object, Code: 4, Key: /registry/configmaps/replace/plain, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: «uid», UID in object meta: «uid»',
  );
  await user.prints('replace --force -f -', 'configmap/absent replaced', {
    input: plain('x').replace('name: plain', 'name: absent'),
  });
  await user.fails(
    'replace -f -',
    'Error from server (BadRequest): error when replacing "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    { input: plain('5') },
  );
  const raw = await user.file(
    'raw.json',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"plain"},"data":{"raw":"yes"}}',
  );
  await user.run(`replace --raw /api/v1/namespaces/replace/configmaps/plain -f ${raw}`);
  await user.prints("get configmap plain -o jsonpath='{.data}'", '{"raw":"yes"}');
};

const labels: Story = async (user) => {
  for (const name of ['one', 'two'])
    await user.prints(`create configmap ${name}`, `configmap/${name} created`);
  await user.prints('label configmap one x=y', 'configmap/one labeled');
  await user.prints('label configmap one x=y', 'configmap/one not labeled');
  await user.fails('label configmap one x=z', "error: 'x' already has a value (y), and --overwrite is false");
  await user.prints('label configmap one x=z --overwrite', 'configmap/one labeled');
  await user.prints('label configmap one --list', 'x=z');
  await user.prints('label configmap one x-', 'configmap/one unlabeled');
  await user.prints(
    'label configmap one x-',
    'label "x" not found.\nconfigmap/one «1.32:labeled»«1.35:labeled»',
  );
  const all = (done: string) =>
    ['kube-root-ca.crt', 'one', 'two'].map((name) => `configmap/${name} ${done}`).join('\n');
  await user.prints('label configmap --all q=1', all('labeled'));
  await user.prints('label configmap -l q=1 r=2', all('labeled'));
  await user.prints('label configmap --field-selector metadata.name=two s=3', 'configmap/two labeled');
  await user.fails(
    "label configmap one 'bad key=1'",
    `The ConfigMap "one" is invalid: metadata.labels: Invalid value: "bad key": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
  );
  const conflict = `Error from server (Conflict): Operation cannot be fulfilled on configmaps "one": ${modified}`;
  await user.fails('label configmap one t=1 --resource-version=1', conflict);
  await user.prints('label configmap one t=1 --dry-run=server', 'configmap/one labeled (server dry run)');
  await user.prints(
    "label configmap one t=1 --dry-run=client -o jsonpath='{.metadata.labels}'",
    '{"q":"1","r":"2","t":"1"}',
  );
  await user.prints("get configmap one -o jsonpath='{.metadata.labels}'", '{"q":"1","r":"2"}');
  await user.fails('label configmap none a=b', 'Error from server (NotFound): configmaps "none" not found');
  await user.prints(
    'get configmaps -l q --show-labels',
    `
      NAME               DATA   AGE   LABELS
      kube-root-ca.crt   1      «age»   q=1,r=2
      one                0      «age»   q=1,r=2
      two                0      «age»   q=1,r=2,s=3
    `,
  );

  await user.prints('annotate configmap one x=y', 'configmap/one annotated');
  await user.fails(
    'annotate configmap one x=z',
    "error: --overwrite is false but found the following declared annotation(s): 'x' already has a value (y)",
  );
  await user.prints('annotate configmap one x=z --overwrite', 'configmap/one annotated');
  await user.prints('annotate configmap one --list', 'x=z');
  await user.prints('annotate configmap one x-', 'configmap/one annotated');
  await user.prints(
    'annotate configmap one y=1 --dry-run=server',
    'configmap/one annotated (server dry run)',
  );
  await user.prints('annotate configmap --all note=all', all('annotated'));
  await user.fails('annotate configmap one y=1 --resource-version=1', conflict);
  await user.prints("get configmap one -o jsonpath='{.metadata.annotations}'", '{"note":"all"}');
};

const scale: Story = async (user) => {
  await user.prints('create -f -', 'deployment.apps/web created', { input: webManifest });
  await user.prints('scale deployment web --replicas=3', 'deployment.apps/web scaled');
  await user.fails(
    'scale deployment web --replicas=4 --current-replicas=2',
    'error: Expected replicas to be 2, was 3',
  );
  await user.prints('scale deployment web --replicas=4 --current-replicas=3', 'deployment.apps/web scaled');
  await user.fails(
    'scale deployment web --replicas=4 --resource-version=1',
    'error: Expected resource version to be 1, was «number»',
  );
  await user.prints(
    'scale deployment --all --replicas=9 --dry-run=server',
    'deployment.apps/web scaled (server dry run)',
  );
  await user.prints("get deployment web -o jsonpath='{.spec.replicas} {.metadata.generation}'", '4 3');
  await user.fails(
    'scale deployment none --replicas=1',
    '«1.32:error: no objects passed to scale»«1.35:Error from server (NotFound):» deployments.apps "none" not found',
  );
  await user.fails(
    'scale serviceaccount default --replicas=1',
    'Error from server (NotFound): the server could not find the requested resource',
  );
  await user.fails(
    'scale deployment web --replicas=-1',
    'error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0',
  );
  await user.prints('create -f -', 'replicaset.apps/set created', {
    input: webManifest.replace('Deployment', 'ReplicaSet').replace('{name: web,', '{name: set,'),
  });
  await user.prints(
    'scale replicaset/set deployment/web --replicas=2',
    'replicaset.apps/set scaled\ndeployment.apps/web scaled',
  );
  await user.prints(
    'get replicasets',
    `
      NAME   DESIRED   CURRENT   READY   AGE
      set    2         0         0       «age»
    `,
  );
  // Waits until a controller has done it, or whoever writes the status.
  const waiting = user.run('scale deployment web --replicas=1 --timeout=20s');
  const path = '/apis/apps/v1/namespaces/scale/deployments/web';
  while (((await user.send('GET', path)) as { spec: { replicas: number } }).spec.replicas !== 1)
    await sleep(20);
  await user.send(
    'PATCH',
    `${path}/status`,
    { status: { observedGeneration: 99, replicas: 1, updatedReplicas: 1 } },
    'application/merge-patch+json',
  );
  user.same((await waiting).stdout, 'deployment.apps/web scaled\n', 'scale has seen it');
};

const set: Story = async (user) => {
  await user.prints('create -f -', 'deployment.apps/web created', { input: webManifest });
  await user.prints('create configmap settings --from-literal=mode=dark', 'configmap/settings created');
  await user.prints('set image deployment/web web=x:1', 'deployment.apps/web image updated');
  await user.prints('set image deployment/web web=x:1', '');
  await user.fails('set image deployment/web none=x', 'error: unable to find container named "none"');
  await user.prints("set image deployment --all '*=y'", 'deployment.apps/web image updated');
  await user.prints(
    'set image deployment/web web=z --dry-run=server',
    'deployment.apps/web image updated (server dry run)',
  );
  await user.prints('set env deployment/web A=1 B=2', 'deployment.apps/web env updated');
  await user.prints('set env deployment/web --list', '# Deployment web, container web\nA=1\nB=2');
  await user.prints('set env deployment/web A-', 'deployment.apps/web env updated');
  await user.prints('set env deployment/web --from=configmap/settings', 'deployment.apps/web env updated', {
    stderr: 'Warning: key mode transferred to MODE',
  });
  await user.prints(
    'set env deployment/web --list',
    '# Deployment web, container web\nB=2\n# MODE from configmap settings, key mode',
  );
  await user.prints(
    'set resources deployment/web --limits=cpu=100m,memory=1Gi --requests=cpu=50m',
    'deployment.apps/web resource requirements updated',
  );
  await user.prints(
    "get deployment web -o jsonpath='{.spec.template.spec.containers[0].resources}'",
    '{"limits":{"cpu":"100m","memory":"1Gi"},"requests":{"cpu":"50m"}}',
  );
  await user.fails(
    'set resources deployment/web --requests=cpu=500m',
    'error: failed to patch resources update to pod template Deployment.apps "web" is invalid: spec.template.spec.containers[0].resources.requests: Invalid value: "500m": must be less than or equal to cpu limit of 100m',
  );
  await user.prints('set serviceaccount deployment/web robot', 'deployment.apps/web serviceaccount updated');
  await user.prints('create service clusterip web --tcp=80', 'service/web created');
  await user.prints('set selector service/web a=b', 'service/web selector updated');
  await user.prints("get service web -o jsonpath='{.spec.selector}'", '{"a":"b"}');
  await user.prints(
    "get deployment web -o jsonpath='{.spec.template.spec.containers[0].image} {.spec.template.spec.serviceAccountName} {.metadata.generation}'",
    'y robot 8',
  );
  await user.prints('run lone --image=nginx', 'pod/lone created');
  await user.prints('set image pod/lone lone=nginx:2', 'pod/lone image updated');
  await user.fails(
    'set env pod/lone A=1',
    `error: failed to patch env update to pod template: Pod "lone" is invalid: spec: Forbidden: pod updates may not change fields other than \`spec.containers[*].image\`,\`spec.initContainers[*].image\`,\`spec.activeDeadlineSeconds\`,\`spec.tolerations\` (only additions to existing tolerations),\`spec.terminationGracePeriodSeconds\` (allow it to be set to 1 if it was previously negative)
@@ -98,7 +98,13 @@
    "WorkingDir": "",
    "Ports": null,
    "EnvFrom": null,
-   "Env": null,
+   "Env": [
+    {
+     "Name": "A",
+     "Value": "1",
+     "ValueFrom": null
+    }
+   ],
    "Resources": {
     "Limits": null,
     "Requests": null,`,
  );
};

export const CHANGE: Stories = { patch, subresources, edit, replace, labels, scale, set };
