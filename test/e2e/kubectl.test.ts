/** The real kubectl, of every version that is here, against the real command. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type CommandResult, kubectlMissing, kubectls, run } from '../tools/kubectl.js';
import { startWherry, temporaryFolder } from '../tools/wherry.js';

const deployment = (replicas: number, image: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
spec:
  replicas: ${replicas}
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: ${image}
          ports:
            - containerPort: 80
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - port: 80
`;

const missing = kubectlMissing();
if (missing !== false) t.test('kubectl', { skip: missing }, () => Promise.resolve());

for (const { version, path } of kubectls()) {
  t.test(`kubectl ${version}`, { timeout: 180_000 }, async (t) => {
    const server = await startWherry();
    const folder = await temporaryFolder('kubectl');
    t.teardown(async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });
    // A home of its own, so that no discovery cache of another server is used.
    const env = { KUBECONFIG: server.kubeconfig, HOME: folder, KUBECTL_EXTERNAL_DIFF: 'diff -u' };
    const kubectl = (args: string, input?: string): Promise<CommandResult> =>
      run(path, args.split(' '), { env, ...(input === undefined ? {} : { input }) });
    const succeeds = async (args: string, expected: RegExp | string, input?: string): Promise<string> => {
      const result = await kubectl(args, input);
      t.equal(result.code, 0, `kubectl ${args} (${result.stderr.trim()})`);
      if (typeof expected === 'string') t.equal(result.stdout.trim(), expected, `kubectl ${args} prints`);
      else t.match(result.stdout, expected, `kubectl ${args} prints`);
      return result.stdout;
    };
    const manifest = join(folder, 'web.yaml');
    const apply = async (replicas: number, image: string): Promise<void> =>
      writeFile(manifest, deployment(replicas, image));

    await t.test('create', async () => {
      await succeeds('create namespace shop', 'namespace/shop created');
      await succeeds('config set-context --current --namespace=shop', /modified/);
      await succeeds('create configmap settings --from-literal=mode=dark', 'configmap/settings created');
      await succeeds('create secret generic token --from-literal=t=abc', 'secret/token created');
      await succeeds('create serviceaccount robot', 'serviceaccount/robot created');
      await succeeds('create deployment plain --image=nginx --replicas=2', 'deployment.apps/plain created');
      await succeeds('create service clusterip plain --tcp=80:8080', 'service/plain created');
      await succeeds('run one --image=busybox --restart=Never', 'pod/one created');
      await succeeds('get secret token -o jsonpath={.data.t}', 'YWJj');
      await succeeds('get deployment plain -o jsonpath={.spec.replicas}', '2');
      await succeeds('get pod one -o jsonpath={.spec.restartPolicy}', 'Never');
      const again = await kubectl('create configmap settings --from-literal=mode=dark');
      t.equal(again.code, 1);
      t.match(again.stderr, /configmaps "settings" already exists/);
      const twice = await kubectl('create namespace shop');
      t.match(twice.stderr, /Error from server \(AlreadyExists\): namespaces "shop" already exists/);
    });

    await t.test('apply, twice, with a change', async () => {
      await apply(1, 'nginx:1.27');
      await succeeds(`apply -f ${manifest}`, /deployment.apps\/web created\nservice\/web created/);
      await succeeds(`apply -f ${manifest}`, /deployment.apps\/web unchanged\nservice\/web unchanged/);
      await apply(3, 'nginx:1.28');
      const changes = await kubectl(`diff -f ${manifest}`);
      t.equal(changes.code, 1, `diff says that there are differences (${changes.stderr})`);
      t.match(changes.stdout, /-\s+replicas: 1\n\+\s+replicas: 3/);
      await succeeds(`apply -f ${manifest}`, /deployment.apps\/web configured\nservice\/web unchanged/);
      await succeeds(
        'get deployment web -o jsonpath={.spec.replicas}/{.spec.template.spec.containers[*].image}/{.metadata.generation}',
        '3/nginx:1.28/2',
      );
      const settled = await kubectl(`diff -f ${manifest}`);
      t.equal(settled.code, 0, `diff finds nothing (${settled.stdout}${settled.stderr})`);
      const wrong = deployment(1, 'x').replace('replicas: 1', 'replicas: many');
      const refused = await kubectl('apply -f -', wrong);
      t.equal(refused.code, 1);
      t.match(refused.stderr, /spec\.replicas/);
    });

    await t.test('get in every form', async () => {
      await succeeds('get deployments', /NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\n/);
      await succeeds('get deployments -o wide', /CONTAINERS\s+IMAGES\s+SELECTOR\n(.*\n)*web\s+0\/3\s+0\s+0/);
      await succeeds(
        'get configmap settings -o yaml',
        /^apiVersion: v1\ndata:\n {2}mode: dark\nkind: ConfigMap\n/,
      );
      await succeeds('get configmap settings -o json', /"mode": "dark"/);
      await succeeds('get deployments -o name', /deployment.apps\/plain\ndeployment.apps\/web/);
      await succeeds('get pods', /NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\none\s+0\/1\s+Pending\s+0/);
      await succeeds(
        'get services -o wide',
        /web\s+ClusterIP\s+10\.0\.0\.\d+\s+<none>\s+80\/TCP\s+\S+\s+app=web/,
      );
      await succeeds('get all', /pod\/one(.*\n)*.*service\/web(.*\n)*.*deployment.apps\/web/);
      await succeeds('get namespaces', /default\s+Active(.*\n)*shop\s+Active/);
      await succeeds('get configmaps,secrets -A', /shop\s+configmap\/settings\s+1/);
      await succeeds('get deployments -l app=web -o name', 'deployment.apps/web');
      await succeeds('get pods --field-selector status.phase=Pending -o name', 'pod/one');
      const absent = await kubectl('get configmap nope');
      t.equal(absent.code, 1);
      t.equal(absent.stderr.trim(), 'Error from server (NotFound): configmaps "nope" not found');
    });

    await t.test('get -w shows a change as it happens', async () => {
      const watching = kubectl('get configmap settings -w --output-watch-events --request-timeout=4s');
      await sleep(1500);
      await succeeds('annotate configmap settings seen=yes', 'configmap/settings annotated');
      const { stdout } = await watching;
      t.match(stdout, /ADDED\s+settings\s+1\s.*\n(.*\n)*MODIFIED\s+settings\s+1/);
    });

    await t.test('describe and explain', async () => {
      await succeeds(
        'describe configmap settings',
        /Name:\s+settings\nNamespace:\s+shop\n(.*\n)*mode:\n----\ndark/,
      );
      await succeeds('describe deployment web', /Replicas:\s+3 desired/);
      await succeeds('describe service web', /Type:\s+ClusterIP/);
      await succeeds('describe pod one', /Status:\s+Pending/);
      await succeeds('describe namespace shop', /Status:\s+Active/);
      await succeeds('explain deployment.spec.strategy', /KIND:\s+Deployment\nVERSION:\s+(apps\/)?v1/);
      await succeeds('explain pod --recursive', /terminationGracePeriodSeconds\s+<integer>/);
    });

    await t.test('patch, edit, scale, label, annotate', async () => {
      const patch = (type: string, body: string) =>
        run(path, ['patch', 'configmap', 'settings', `--type=${type}`, '-p', body], { env });
      t.equal((await patch('merge', '{"data":{"a":"1"}}')).code, 0);
      t.equal((await patch('strategic', '{"data":{"b":"2"}}')).code, 0);
      t.equal((await patch('json', '[{"op":"remove","path":"/data/a"}]')).code, 0);
      await succeeds('get configmap settings -o jsonpath={.data}', '{"b":"2","mode":"dark"}');
      // kubectl edit sends the difference that the editor made as a patch.
      const edited = await run(path, ['edit', 'configmap', 'settings'], {
        env: { ...env, KUBE_EDITOR: 'sed -i s/dark/light/' },
      });
      t.equal(edited.code, 0, edited.stderr);
      await succeeds('get configmap settings -o jsonpath={.data.mode}', 'light');
      await succeeds('scale deployment web --replicas=5', 'deployment.apps/web scaled');
      await succeeds('get deployment web -o jsonpath={.spec.replicas}', '5');
      await succeeds('set image deployment/web web=nginx:1.29', 'deployment.apps/web image updated');
      await succeeds('label deployment web tier=front', 'deployment.apps/web labeled');
      await succeeds('label deployment web tier-', 'deployment.apps/web unlabeled');
      await succeeds('annotate deployment web note=hello', 'deployment.apps/web annotated');
      const again = await kubectl('label deployment web app=other');
      t.match(again.stderr, /'app' already has a value/);
    });

    await t.test('api-resources, auth and version', async () => {
      await succeeds('api-resources', /deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/);
      await succeeds('api-versions', /coordination.k8s.io\/v1/);
      await succeeds('auth can-i create deployments', 'yes');
      await succeeds('auth whoami', /Username/);
      await succeeds('version', /Server Version: v1\.36/);
      await succeeds('cluster-info', /is running at/);
    });

    await t.test('wait and delete', async () => {
      await succeeds(
        'wait --for=jsonpath={.data.mode}=light configmap/settings --timeout=10s',
        /condition met/,
      );
      const waiting = kubectl('wait --for=delete configmap/settings --timeout=20s');
      await sleep(700);
      await succeeds('delete configmap settings', /configmap "settings" deleted/);
      t.equal((await waiting).code, 0, 'wait --for=delete returns when it is gone');
      await succeeds('delete pod one', /pod "one" deleted/);
      await succeeds(`delete -f ${manifest}`, /deployment.apps "web" deleted/);
      await succeeds('create configmap left --from-literal=a=b', /created/);
      await succeeds('delete namespace shop --timeout=30s', /namespace "shop" deleted/);
      const gone = await kubectl('get configmap left -n shop');
      t.match(gone.stderr, /NotFound/, 'what was in the namespace went with it');
    });
  });
}
