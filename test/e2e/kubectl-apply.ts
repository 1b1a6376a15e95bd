/** Client-side `apply`, `diff` and what else keeps the last applied configuration. */
import type { Stories, Story } from './client-stories.js';

const settings = (mode: string) => `apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {set: one}}
data: {mode: ${mode}}
`;

const web = (image: string, replicas: number) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {set: one}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "${image}", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {set: one}}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;

const missingAnnotation = (what: string) =>
  `Warning: resource ${what} is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.`;

const apply: Story = async (user) => {
  const write = (image: string, replicas: number, mode: string) =>
    user.file('web.yaml', `${web(image, replicas)}---\n${settings(mode)}`);
  const all = (outcome: string) =>
    ['deployment.apps/web', 'service/web', 'configmap/settings']
      .map((name) => `${name} ${outcome}`)
      .join('\n');
  await write('nginx:1', 1, 'dark');
  await user.prints('apply -f web.yaml --dry-run=client', all('created (dry run)'));
  await user.prints('apply -f web.yaml --dry-run=server', all('created (server dry run)'));
  await user.prints('apply -f web.yaml', all('created'));
  await user.prints('apply -f web.yaml', all('unchanged'));
  await user.prints('apply -f web.yaml --dry-run=server', all('unchanged (server dry run)'));
  await user.prints('apply -f web.yaml -o name', 'deployment.apps/web\nservice/web\nconfigmap/settings');

  await write('nginx:2', 3, 'light');
  const changed = 'deployment.apps/web configured\nservice/web unchanged\nconfigmap/settings configured';
  await user.prints('apply -f web.yaml --dry-run=server', changed.replace(/$/gm, ' (server dry run)'));
  await user.prints('apply -f web.yaml', changed);
  const image = '{.spec.replicas} {.spec.template.spec.containers[*].image}';
  await user.prints(`get deployment web -o jsonpath='${image} {.metadata.generation}'`, '3 nginx:2 2');

  // What others have set stays, what is no longer in the file goes, lists are merged by their keys.
  await user.prints(
    `patch deployment web -p '{"spec":{"minReadySeconds":5,"template":{"spec":{"containers":[{"name":"side","image":"s"}]}}}}'`,
    'deployment.apps/web patched',
  );
  await user.file(
    'web.yaml',
    web('nginx:3', 3)
      .replace(/, ports: \[\{containerPort: 80}]/, '')
      .replace(/ {2}replicas: 3\n/, ''),
  );
  await user.prints('apply -f web.yaml', 'deployment.apps/web configured\nservice/web unchanged');
  await user.prints(
    `get deployment web -o jsonpath='${image} {.spec.minReadySeconds} {.spec.template.spec.containers[*].ports}'`,
    // What is merged into a list without an order comes first.
    '1 s nginx:3 5 ',
  );

  await user.prints('create configmap plain --from-literal=a=1', 'configmap/plain created');
  await user.prints('apply -f -', 'configmap/plain configured', {
    input: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {b: "2"}\n',
    stderr: missingAnnotation('configmaps/plain'),
  });
  await user.prints("get configmap plain -o jsonpath='{.data}'", '{"a":"1","b":"2"}');
  await user.fails(
    'apply -f -',
    `Error from server (BadRequest): error when creating "STDIN": Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`,
    {
      input:
        web('x', 1)
          .split('---')[0]
          ?.replace('replicas: 1', 'replicas: many')
          .replace('name: web,', 'name: other,') ?? '',
    },
  );
  await user.fails(
    'apply -f -',
    'The Deployment "web" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable',
    { input: web('nginx:3', 1).split('---')[0]?.replaceAll('app: web', 'app: other') ?? '' },
  );
  await user.fails('apply -f -', 'error: from made-: cannot use generate name with apply', {
    input: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: made-}\n',
  });
  // kubectl says where in the list its containers go, each time that others have some too.
  await user.prints('apply -f web.yaml --force', 'deployment.apps/web configured\nservice/web unchanged');
  await user.prints("get deployment web -o jsonpath='{.metadata.generation}'", '4');
  await user.prints(
    'delete -f web.yaml',
    `deployment.apps "web" ${user.deleted}\nservice "web" ${user.deleted}`,
  );
};

const diff: Story = async (user) => {
  await user.file('settings.yaml', settings('dark'));
  const created = await user.run('diff -f settings.yaml');
  user.same(created.code, 1, 'what is not there differs');
  user.includes(created.stdout, '+data:\n+  mode: dark\n+kind: ConfigMap\n', 'as all that is new');
  await user.prints('apply -f settings.yaml', 'configmap/settings created');
  await user.prints('diff -f settings.yaml', '');
  await user.file('settings.yaml', settings('light'));
  await user.prints(
    'diff -f settings.yaml',
    `
      diff -u -N «some»/v1.ConfigMap.diff.settings «some»/v1.ConfigMap.diff.settings
      --- «some»
      +++ «some»
      @@ -1,6 +1,6 @@
       apiVersion: v1
       data:
      -  mode: dark
      +  mode: light
       kind: ConfigMap
       metadata:
         annotations:
    `,
    { code: 1 },
  );
  // Secrets are not shown, only that they differ.
  await user.prints('create secret generic hidden --from-literal=a=b --save-config', 'secret/hidden created');
  const secret = await user.run('diff -f -', {
    input: 'apiVersion: v1\nkind: Secret\nmetadata: {name: hidden}\ndata: {a: eHh4}\n',
  });
  user.same(secret.code, 1, 'the secret differs');
  user.includes(secret.stdout, "-  a: '*** (before)'\n+  a: '*** (after)'\n", 'in what is not shown');
  await user.fails(
    'diff -f -',
    "The ConfigMap \"settings\" is invalid: metadata.labels: Invalid value: \"-\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    { input: settings('light').replace('set: one', '"-": one'), code: 2 },
  );
  const pruned = await user.run('diff -f - --prune -l set=one --prune-allowlist=core/v1/ConfigMap', {
    input: settings('light').replace('name: settings', 'name: fresh'),
  });
  user.same(pruned.code, 1, 'what would be pruned differs');
  user.includes(pruned.stdout, '-kind: ConfigMap\n', 'as all that is gone');
  await user.prints("get configmap settings -o jsonpath='{.data.mode}'", 'dark');
};

const lastApplied: Story = async (user) => {
  await user.prints('create configmap plain --from-literal=a=b', 'configmap/plain created');
  await user.file('plain.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: c}\n');
  await user.fails(
    'apply set-last-applied -f plain.yaml',
    'error: no last-applied-configuration annotation found on resource: plain, to create the annotation, run the command with --create-annotation',
  );
  await user.prints(
    'apply set-last-applied -f plain.yaml --create-annotation --dry-run=server',
    'configmap/plain configured (server dry run)',
  );
  await user.prints('apply set-last-applied -f plain.yaml --create-annotation', 'configmap/plain configured');
  await user.prints(
    'apply view-last-applied configmap plain',
    `
      apiVersion: v1
      data:
        a: c
      kind: ConfigMap
      metadata:
        name: plain
        namespace: last-applied
    `,
  );
  await user.prints('apply set-last-applied -f plain.yaml', 'set-last-applied plain: no changes required.');
  await user.prints('apply edit-last-applied configmap plain', 'configmap/plain edited', {
    env: { KUBE_EDITOR: await user.editor('rename', 'sed -i "s/^  a:/  b:/" $1') },
  });
  await user.prints('apply edit-last-applied configmap plain', '', {
    env: { KUBE_EDITOR: 'true' },
    stderr: 'Edit cancelled, no changes made.',
  });
  await user.prints(
    'apply view-last-applied -f plain.yaml -o json',
    '{\n  "apiVersion": "v1",\n  "data": {\n    "b": "c"\n  },\n  "kind": "ConfigMap",\n  "metadata": {\n    "name": "plain",\n    "namespace": "last-applied"\n  }\n}',
  );
  // b was applied, as the annotation now says, and is no longer.
  await user.prints('apply -f plain.yaml', 'configmap/plain configured');
  await user.prints("get configmap plain -o jsonpath='{.data}'", '{"a":"c"}');
  await user.fails(
    'apply view-last-applied configmap none',
    'Error from server (NotFound): configmaps "none" not found',
  );
};

const prune: Story = async (user) => {
  await user.file('all.yaml', `${web('nginx', 1)}---\n${settings('dark')}`);
  await user.file('less.yaml', web('nginx', 1));
  const kinds = ['core/v1/ConfigMap', 'core/v1/Service', 'apps/v1/Deployment'].map(
    (kind) => `--prune-allowlist=${kind}`,
  );
  const less = 'deployment.apps/web unchanged\nservice/web unchanged';
  await user.prints(
    'apply -f all.yaml',
    'deployment.apps/web created\nservice/web created\nconfigmap/settings created',
  );
  await user.prints('create configmap bystander --from-literal=a=b', 'configmap/bystander created');
  await user.prints('label configmap bystander set=one', 'configmap/bystander labeled');
  await user.prints(
    `apply --prune -l set=one -f less.yaml ${kinds.join(' ')} --dry-run=server`,
    `${less.replace(/$/gm, ' (server dry run)')}\nconfigmap/settings pruned (server dry run)`,
  );
  await user.prints(
    `apply --prune -l set=one -f less.yaml ${kinds.join(' ')}`,
    `${less}\nconfigmap/settings pruned`,
  );
  await user.prints('get configmaps -o name', 'configmap/bystander\nconfigmap/kube-root-ca.crt');
  await user.prints('apply -f all.yaml', `${less}\nconfigmap/settings created`);
  await user.prints(
    'apply --prune --all -f less.yaml --prune-allowlist=core/v1/ConfigMap',
    `${less}\nconfigmap/settings pruned`,
  );
  await user.fails(
    'apply --prune -f less.yaml',
    'error: all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector',
  );
};

export const APPLY: Stories = { apply, diff, 'last-applied': lastApplied, prune };
