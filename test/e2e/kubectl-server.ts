/** What kubectl says of the server and of its user. */
import type { Stories, Story } from './client-stories.js';

const discovery: Story = async (user) => {
  const resources = await user.run('api-resources');
  for (const row of [
    /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND$/m,
    /^configmaps +cm +v1 +true +ConfigMap$/m,
    /^namespaces +ns +v1 +false +Namespace$/m,
    /^deployments +deploy +apps\/v1 +true +Deployment$/m,
    /^events +ev +events\.k8s\.io\/v1 +true +Event$/m,
    /^selfsubjectreviews +authentication\.k8s\.io\/v1 +false +SelfSubjectReview$/m,
    /^leases +coordination\.k8s\.io\/v1 +true +Lease$/m,
  ])
    user.matches(resources.stdout, row, 'a row');
  await user.prints(
    'api-resources --api-group=apps -o wide',
    `
      NAME                  SHORTNAMES   APIVERSION   NAMESPACED   KIND                 VERBS                                                        CATEGORIES
      controllerrevisions                apps/v1      true         ControllerRevision   create,delete,deletecollection,get,list,patch,update,watch   
      daemonsets            ds           apps/v1      true         DaemonSet            create,delete,deletecollection,get,list,patch,update,watch   all
      deployments           deploy       apps/v1      true         Deployment           create,delete,deletecollection,get,list,patch,update,watch   all
      replicasets           rs           apps/v1      true         ReplicaSet           create,delete,deletecollection,get,list,patch,update,watch   all
      statefulsets          sts          apps/v1      true         StatefulSet          create,delete,deletecollection,get,list,patch,update,watch   all
    `,
  );
  await user.prints('api-resources --api-group=coordination.k8s.io -o name', 'leases.coordination.k8s.io');
  await user.prints(
    'api-resources --api-group=batch --no-headers --sort-by=kind',
    'cronjobs   cj    batch/v1   true   CronJob\njobs             batch/v1   true   Job',
  );
  user.matches(
    (await user.run('api-resources --namespaced=false -o name')).stdout,
    /^(?![^]*pods)[^]*namespaces\nnodes\n/,
    'those of the cluster',
  );
  user.matches(
    (await user.run('api-resources --verbs=deletecollection -o name')).stdout,
    /^(?![^]*namespaces)[^]*configmaps\n[^]*pods\n/,
    'those with a verb',
  );
  user.matches(
    (await user.run('api-resources --categories=all -o name')).stdout,
    /^pods\n(?:replicationcontrollers\n)?services\n/,
    'those of a category',
  );
  user.matches(
    (await user.run('api-versions')).stdout,
    /^(?:[^]*\n)?apps\/v1\n[^]*coordination\.k8s\.io\/v1\n[^]*\nv1\n$/,
    'in order',
  );
  user.includes(
    (await user.run('cluster-info', { env: { NO_COLOR: '1' } })).stdout,
    user.server.secureUrl,
    'where it is',
  );
  const version = await user.run('version');
  user.matches(
    version.stdout,
    /^Client Version: v1\.3\d\.\d+\nKustomize Version: v5\.\d\.\d\nServer Version: v1\.36\.\S+\n$/,
    'version',
  );
  user.matches(
    JSON.parse((await user.run('version -o json')).stdout) as object,
    { serverVersion: { major: '1', minor: '36', platform: 'linux/amd64' } },
    'version -o json',
  );
  const dump = await user.run('cluster-info dump --namespaces=discovery -o yaml');
  user.same(dump.code, 0, `cluster-info dump (${dump.stderr})`);
  user.matches(
    dump.stdout,
    /kind: NodeList[^]*kind: EventList[^]*kind: DeploymentList[^]*kind: PodList/,
    'all there is',
  );
};

const authorization: Story = async (user) => {
  await user.prints('auth can-i create deployments', 'yes');
  await user.prints('auth can-i get pods --subresource=log', 'yes');
  await user.prints('auth can-i get pods/one', 'yes');
  await user.prints('auth can-i get /healthz', 'yes');
  await user.prints("auth can-i '*' '*' -A", 'yes');
  await user.prints('auth can-i get configmaps -q', '');
  await user.prints('auth can-i list widgets', 'yes', {
    stderr: "Warning: the server doesn't have a resource type 'widgets'\n",
  });
  await user.prints('auth can-i get nodes', 'yes', {
    stderr: "Warning: resource 'nodes' is not namespace scoped\n",
  });
  user.matches(
    (await user.run('auth can-i --list')).stdout,
    /^Resources +Non-Resource URLs +Resource Names +Verbs\n(?:[^]*\n)?\*\.\* +\[\] +\[\] +\[\*\]\n +\[\*\] +\[\] +\[\*\]\n/,
    'everything',
  );
  const whoami = await user.run('auth whoami');
  user.matches(
    whoami.stdout,
    /^ATTRIBUTE +VALUE\nUsername +wherry:admin\nGroups +\[system:masters system:authenticated\]\nExtra: authentication\.kubernetes\.io\/credential-id +\[X509SHA256=[0-9a-f]{64}\]\n$/,
    'the certificate',
  );
  await user.prints(
    'auth whoami -o yaml',
    `
      apiVersion: authentication.k8s.io/v1
      kind: SelfSubjectReview
      metadata:
        creationTimestamp: "«time»"
      status:
        userInfo:
          extra:
            authentication.kubernetes.io/credential-id:
            - X509SHA256=«word»
          groups:
          - system:masters
          - system:authenticated
          username: wherry:admin
    `,
  );
};

const config: Story = async (user) => {
  await user.prints(
    'config view',
    `
      apiVersion: v1
      clusters:
      - cluster:
          certificate-authority-data: DATA+OMITTED
          server: ${user.server.secureUrl}
        name: wherry
      contexts:
      - context:
          cluster: wherry
          namespace: config
          user: wherry
        name: wherry
      current-context: wherry
      kind: Config
      «1.32:preferences: {}»
      users:
      - name: wherry
        user:
          client-certificate-data: DATA+OMITTED
          client-key-data: DATA+OMITTED
    `,
  );
  await user.prints('config current-context', 'wherry');
  await user.prints(
    'config get-contexts',
    'CURRENT   NAME     CLUSTER   AUTHINFO   NAMESPACE\n*         wherry   wherry    wherry     config',
  );
  await user.fails('config use-context none', 'error: no context exists with the name: "none"');
  await user.prints('config set-context --current --namespace=default', 'Context "wherry" modified.');
  await user.prints('get service kubernetes -o name', 'service/kubernetes');
  await user.fails(
    'get services --client-certificate=none --client-key=none',
    `Error in configuration: 
«1.32:* client-cert-data and client-cert are both specified for wherry. client-cert-data will override.»
«1.32:* client-key-data and client-key are both specified for wherry; client-key-data will override»
* unable to read client-cert none for wherry due to open none: no such file or directory
* unable to read client-key none for wherry due to open none: no such file or directory`,
  );
  await user.fails(
    `get services --server=${user.server.secureUrl} --certificate-authority= --insecure-skip-tls-verify=true --client-certificate= --username= --user=none`,
    'error: auth info "none" does not exist',
  );
  // Without any credentials.
  await user.file(
    'bare',
    `apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nclusters: [{name: a, cluster: {server: "${user.server.secureUrl}", insecure-skip-tls-verify: true}}]\nusers: [{name: a, user: {token: wrong}}]\n`,
  );
  await user.fails(
    'get services --kubeconfig=bare',
    'error: You must be logged in to the server (Unauthorized)',
  );
};

const proxy: Story = async (user) => {
  await user.prints('create configmap seen --from-literal=a=b', 'configmap/seen created');
  const running = user.follow('proxy --port=0');
  await running.until(/127\.0\.0\.1:\d+/);
  const url = `http://${/127\.0\.0\.1:\d+/.exec(running.output())?.[0]}`;
  const path = '/api/v1/namespaces/proxy/configmaps';
  const answer = await fetch(`${url}${path}/seen`);
  user.matches(await answer.json(), { data: { a: 'b' } }, 'an object');
  const made = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"metadata":{"name":"made"}}',
  });
  user.same(made.status, 201, 'a creation');
  const abort = new AbortController();
  const watch = await fetch(`${url}${path}?watch=1&resourceVersion=0`, { signal: abort.signal });
  let text = '';
  for await (const chunk of watch.body ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.includes('"made"')) break;
  }
  user.matches(text, /^\{"type":"ADDED","object":\{"kind":"ConfigMap"/, 'a watch');
  abort.abort();
  await running.stop();
};

export const SERVER: Stories = { discovery, authorization, config, proxy };
