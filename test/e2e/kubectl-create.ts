/** `create`, `run` and `expose`: what is made, and what is said of what cannot be. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Stories, Story, StoryUser } from './client-stories.js';

const configMaps: Story = async (user) => {
  await user.file('greeting', 'hello\n');
  await user.file('both.env', 'x=1\n# a comment\ny=2\n');
  await user.prints(
    'create configmap one --from-literal=a=1 --from-literal=b=2 --dry-run=client -o yaml',
    `
      apiVersion: v1
      data:
        a: "1"
        b: "2"
      kind: ConfigMap
      metadata:
      «1.32:  creationTimestamp: null»
        name: one
    `,
  );
  await user.prints(
    'create configmap one --from-literal=a=1 --dry-run=client',
    'configmap/one created (dry run)',
  );
  await user.prints(
    'create configmap one --from-literal=a=1 --dry-run=server',
    'configmap/one created (server dry run)',
  );
  await user.prints(
    'create configmap one --from-literal=a=1 --dry-run=server -o yaml',
    `
      apiVersion: v1
      data:
        a: "1"
      kind: ConfigMap
      metadata:
        creationTimestamp: "«time»"
        name: one
        namespace: config-maps
        uid: «uid»
    `,
  );
  await user.prints('get configmaps -o name', 'configmap/kube-root-ca.crt');
  await user.prints(
    'create configmap one --from-literal=a=1 --from-literal=b=2 -o json',
    `
      {
          "kind": "ConfigMap",
          "apiVersion": "v1",
          "metadata": {
              "name": "one",
              "namespace": "config-maps",
              "uid": "«uid»",
              "resourceVersion": "«number»",
              "creationTimestamp": "«time»"
          },
          "data": {
              "a": "1",
              "b": "2"
          }
      }
    `,
  );
  await user.prints('create configmap two --from-literal=a=1 -o name', 'configmap/two');
  await user.prints(
    "create configmap three --from-literal=a=1 -o jsonpath='{.data.a} {.metadata.name}'",
    '1 three',
  );
  await user.prints(
    "create configmap four --from-literal=a=1 -o go-template='{{.kind}} {{len .data}}'",
    'ConfigMap 1',
  );
  await user.prints(
    'create configmap five --append-hash --from-literal=a=1',
    'configmap/five-4f79tftb9h created',
  );
  await user.prints('create configmap six --from-env-file=both.env', 'configmap/six created');
  await user.prints(
    'create configmap seven --from-file=greeting --from-file=other=both.env',
    'configmap/seven created',
  );
  await user.prints(
    'get configmap six seven -o custom-columns=NAME:.metadata.name,DATA:.data',
    `
      NAME    DATA
      six     map[x:1 y:2]
      seven   map[greeting:hello
       other:x=1
      # a comment
      y=2
      ]
    `,
  );
  await user.fails(
    'create configmap one --from-literal=a=1',
    'error: failed to create configmap: configmaps "one" already exists',
  );
  await user.fails(
    'create configmap One --from-literal=a=1',
    `error: failed to create configmap: ConfigMap "One" is invalid: metadata.name: Invalid value: "One": ${subdomain}`,
  );
  await user.fails(
    'create configmap one -n nowhere',
    'error: failed to create configmap: namespaces "nowhere" not found',
  );
};

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const secrets: Story = async (user) => {
  const key = join(user.folder, 'tls.key');
  const crt = join(user.folder, 'tls.crt');
  const asked = ['-keyout', key, '-out', crt, '-subj', '/CN=x', '-days', '2', '-nodes'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', ...asked],
    {
      stdio: 'ignore',
    },
  );
  await user.prints('create secret generic plain --from-literal=p=q', 'secret/plain created');
  await user.prints(
    'get secret plain -o yaml',
    `
      apiVersion: v1
      data:
        p: cQ==
      kind: Secret
      metadata:
        creationTimestamp: "«time»"
        name: plain
        namespace: secrets
        resourceVersion: "«number»"
        uid: «uid»
      type: Opaque
    `,
  );
  await user.prints(
    "create secret generic typed --from-literal=p=q --type=my/type -o jsonpath='{.type}'",
    'my/type',
  );
  await user.prints('create secret tls web --cert=tls.crt --key=tls.key', 'secret/web created');
  await user.fails(
    'create secret tls bad --cert=tls.crt --key=tls.crt',
    'error: tls: found a certificate rather than a key in the PEM for the private key',
  );
  const registry = '--docker-server=r.example --docker-username=u --docker-password=p --docker-email=e@x';
  await user.prints(
    `create secret docker-registry pull ${registry} -o go-template='{{index .data ".dockerconfigjson" | base64decode}}'`,
    '{"auths":{"r.example":{"username":"u","password":"p","email":"e@x","auth":"dTpw"}}}',
  );
  await user.prints(
    'get secrets',
    `
      NAME    TYPE                             DATA   AGE
      plain   Opaque                           1      «age»
      pull    kubernetes.io/dockerconfigjson   1      «age»
      typed   my/type                          1      «age»
      web     kubernetes.io/tls                2      «age»
    `,
  );
  await user.fails(
    'create secret generic plain --from-literal=p=q',
    'error: failed to create secret secrets "plain" already exists',
  );
  await user.fails(
    'create secret generic basic --type=kubernetes.io/basic-auth --from-literal=p=q',
    `error: failed to create secret Secret "basic" is invalid: [data[username]: Required value, data[password]: Required value]`,
  );
};

const services: Story = async (user) => {
  await user.prints('create service clusterip cluster --tcp=80:8080 --tcp=443', 'service/cluster created');
  await user.prints(
    'create service clusterip headless --clusterip=None --tcp=80',
    'service/headless created',
  );
  await user.prints('create service nodeport node --tcp=80', 'service/node created');
  await user.prints('create service loadbalancer balanced --tcp=80:8080', 'service/balanced created');
  await user.prints(
    'create service externalname outside --external-name=x.example',
    'service/outside created',
  );
  await user.prints(
    'get services',
    `
      NAME       TYPE           CLUSTER-IP   EXTERNAL-IP   PORT(S)          AGE
      balanced   LoadBalancer   «ip»         <pending>     80:«number»/TCP     «age»
      cluster    ClusterIP      «ip»         <none>        80/TCP,443/TCP   «age»
      headless   ClusterIP      None         <none>        80/TCP           «age»
      node       NodePort       «ip»         <none>        80:«number»/TCP     «age»
      outside    ExternalName   <none>       x.example     <none>           «age»
    `,
  );
  await user.prints(
    "get service cluster -o jsonpath='{.spec.ports}{.spec.selector}'",
    '[{"name":"80-8080","port":80,"protocol":"TCP","targetPort":8080},{"name":"443","port":443,"protocol":"TCP","targetPort":443}]{"app":"cluster"}',
  );
  const { stdout: port } = await user.run("get service node -o jsonpath='{.spec.ports[0].nodePort}'");
  await user.fails(
    `create service nodeport again --tcp=80 --node-port=${port}`,
    `error: failed to create NodePort service: Service "again" is invalid: spec.ports[0].nodePort: Invalid value: ${port}: provided port is already allocated`,
  );
  await user.fails(
    'create service nodeport low --tcp=80 --node-port=80',
    'error: failed to create NodePort service: Service "low" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
  );
  await user.fails(
    'create service clusterip cluster --tcp=80',
    'error: failed to create ClusterIP service: services "cluster" already exists',
  );
};

const workloads: Story = async (user) => {
  await user.prints(
    'create deployment web --image=nginx --replicas=2 --port=80 --dry-run=client -o yaml',
    `
      apiVersion: apps/v1
      kind: Deployment
      metadata:
      «1.32:  creationTimestamp: null»
        labels:
          app: web
        name: web
      spec:
        replicas: 2
        selector:
          matchLabels:
            app: web
        strategy: {}
        template:
          metadata:
      «1.32:      creationTimestamp: null»
            labels:
              app: web
          spec:
            containers:
            - image: nginx
              name: nginx
              ports:
              - containerPort: 80
              resources: {}
      status: {}
    `,
  );
  await user.prints(
    'create deployment web --image=nginx --replicas=2 --port=80',
    'deployment.apps/web created',
  );
  await user.prints(
    'create deployment pair --image=a/b:1 --image=c/d -o yaml',
    `
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        creationTimestamp: "«time»"
        generation: 1
        labels:
          app: pair
        name: pair
        namespace: workloads
        resourceVersion: "«number»"
        uid: «uid»
      spec:
        progressDeadlineSeconds: 600
        replicas: 1
        revisionHistoryLimit: 10
        selector:
          matchLabels:
            app: pair
        strategy:
          rollingUpdate:
            maxSurge: 25%
            maxUnavailable: 25%
          type: RollingUpdate
        template:
          metadata:
      «1.32:      creationTimestamp: null»
            labels:
              app: pair
          spec:
            containers:
            - image: a/b:1
              imagePullPolicy: IfNotPresent
              name: b
              resources: {}
              terminationMessagePath: /dev/termination-log
              terminationMessagePolicy: File
            - image: c/d
              imagePullPolicy: Always
              name: d
              resources: {}
              terminationMessagePath: /dev/termination-log
              terminationMessagePolicy: File
            dnsPolicy: ClusterFirst
            restartPolicy: Always
            schedulerName: default-scheduler
            securityContext: {}
            terminationGracePeriodSeconds: 30
      status: {}
    `,
  );
  await user.prints(
    'create deployment busy --image=busybox --dry-run=server -- sleep 5',
    'deployment.apps/busy created (server dry run)',
  );
  await user.fails(
    'create deployment web --image=nginx',
    'error: failed to create deployment: deployments.apps "web" already exists',
  );
  await user.prints('create serviceaccount robot', 'serviceaccount/robot created');
  await user.fails(
    'create serviceaccount robot',
    'error: failed to create serviceaccount: serviceaccounts "robot" already exists',
  );
  await runs(user);
  await user.prints('expose deployment web --name=front --port=80', 'service/front exposed');
  await user.prints(
    'expose pod one --port=81 --name=lone --dry-run=server',
    'service/lone exposed (server dry run)',
  );
  await user.prints(
    "get service front -o jsonpath='{.spec.selector} {.spec.ports}'",
    '{"app":"web"} [{"port":80,"protocol":"TCP","targetPort":80}]',
  );
  await user.fails(
    'expose deployment web --name=front --port=80',
    'Error from server (AlreadyExists): services "front" already exists',
  );
  await user.prints(
    'get pods,services,deployments,serviceaccounts',
    `
      NAME       READY   STATUS    RESTARTS   AGE
      pod/here   0/1     Pending   0          «age»
      pod/one    0/1     Pending   0          «age»

      NAME            TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE
      service/front   ClusterIP   «ip»         <none>        80/TCP    «age»
      service/one     ClusterIP   «ip»         <none>        80/TCP    «age»

      NAME                   READY   UP-TO-DATE   AVAILABLE   AGE
      deployment.apps/pair   0/1     0            0           «age»
      deployment.apps/web    0/2     0            0           «age»

      NAME                     AGE
      serviceaccount/default   «age»
      serviceaccount/robot     «age»
    `,
  );
};

async function runs(user: StoryUser): Promise<void> {
  await user.prints(
    'run one --image=busybox --restart=Never --labels=a=b,c=d --env=X=1 --port=80 --expose -- sleep 1',
    'service/one created\npod/one created',
  );
  await user.prints(
    "get pod one -o jsonpath='{.metadata.labels} {.spec.restartPolicy} {.spec.containers[0].args} {.spec.containers[0].env} {.status}'",
    '{"a":"b","c":"d"} Never ["sleep","1"] [{"name":"X","value":"1"}] {"phase":"Pending","qosClass":"BestEffort"}',
  );
  await user.prints(
    'run two --image=busybox --command --dry-run=client -o yaml -- sleep 1',
    `
      apiVersion: v1
      kind: Pod
      metadata:
      «1.32:  creationTimestamp: null»
        labels:
          run: two
        name: two
      spec:
        containers:
        - command:
          - sleep
          - "1"
          image: busybox
          name: two
          resources: {}
        dnsPolicy: ClusterFirst
        restartPolicy: Always
      status: {}
    `,
  );
  await user.prints(`run here --image=busybox --overrides='{"spec":{"nodeName":"n1"}}'`, 'pod/here created');
  await user.prints('run two --image=busybox --dry-run=server', 'pod/two created (server dry run)');
  await user.fails('run one --image=busybox', 'Error from server (AlreadyExists): pods "one" already exists');
  await user.fails(
    'run two --image=busybox --restart=Sometimes',
    "error: invalid restart policy: Sometimes\nSee 'kubectl run -h' for help and examples",
  );
  await user.fails(
    'run Two --image=busybox',
    `The Pod "Two" is invalid: 
* metadata.name: Invalid value: "Two": ${subdomain}
* spec.containers[0].name: Invalid value: "Two": ${label}`,
  );
}

const namespaces: Story = async (user) => {
  const name = `made-by-${user.version}`.replace('.', '-');
  await user.prints(
    `create namespace ${name} --dry-run=server`,
    `namespace/${name} created (server dry run)`,
  );
  await user.prints(`create namespace ${name}`, `namespace/${name} created`);
  await user.fails(
    `create namespace ${name}`,
    `Error from server (AlreadyExists): namespaces "${name}" already exists`,
  );
  await user.fails(
    'create namespace Nope',
    `The Namespace "Nope" is invalid: metadata.name: Invalid value: "Nope": ${label}`,
  );
  await user.prints(
    `get namespace ${name} -o yaml`,
    `
      apiVersion: v1
      kind: Namespace
      metadata:
        creationTimestamp: "«time»"
        labels:
          kubernetes.io/metadata.name: ${name}
        name: ${name}
        resourceVersion: "«number»"
        uid: «uid»
      spec:
        finalizers:
        - kubernetes
      status:
        phase: Active
    `,
  );
  await user.prints(`create configmap inside -n ${name}`, 'configmap/inside created');
  await user.prints(`delete namespace ${name} --timeout=30s`, `namespace "${name}" deleted`);
  await user.fails(
    `get configmap inside -n ${name}`,
    `Error from server (NotFound): namespaces "${name}" not found`,
  );
  await user.fails(`get namespace ${name}`, `Error from server (NotFound): namespaces "${name}" not found`);
};

const several = `apiVersion: v1
kind: ConfigMap
metadata: {name: first}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: Bad_Name}
---
# a document of nothing but this

---
apiVersion: v1
kind: ConfigMap
metadata: {name: first}
---
apiVersion: v1
kind: Secret
metadata: {name: last}
stringData: {a: b}
`;

const files: Story = async (user) => {
  await user.file('several.yaml', several);
  await user.fails(
    'create -f several.yaml',
    `Error from server (Invalid): error when creating "several.yaml": ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": ${subdomain}
Error from server (AlreadyExists): error when creating "several.yaml": configmaps "first" already exists`,
    { stdout: 'configmap/first created\nsecret/last created' },
  );
  const list = {
    apiVersion: 'v1',
    kind: 'List',
    items: ['l1', 'l2'].map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })),
  };
  await user.prints('create -f -', 'configmap/l1 created\nconfigmap/l2 created', {
    input: JSON.stringify(list),
  });
  await user.prints('create -f -', 'configmap/made-«word» created', {
    input: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"made-"}}',
  });
  await user.fails('create -f -', 'error: no objects passed to create', { input: '' });
  await user.fails(
    'create -f -',
    'error: error validating "STDIN": error validating data: [apiVersion not set, kind not set]; if you choose to ignore these errors, turn validation off with --validate=false',
    { input: 'x: y' },
  );
  // With validation kubectl looks for custom resource definitions first, which are not served.
  await user.fails(
    'create --validate=false -f -',
    `error: resource mapping not found for name: "x" namespace: "" from "STDIN": no matches for kind "Nope" in version "v1"
ensure CRDs are installed first`,
    { input: '{"apiVersion":"v1","kind":"Nope","metadata":{"name":"x"}}' },
  );
  await user.fails(
    'create --validate=false -f -',
    `error: resource mapping not found for name: "x" namespace: "" from "STDIN": no matches for kind "Nope" in version "example.com/v1"
ensure CRDs are installed first`,
    { input: '{"apiVersion":"example.com/v1","kind":"Nope","metadata":{"name":"x"}}' },
  );
  await user.fails(
    'create -f - -n files',
    'error: the namespace from the provided object "elsewhere" does not match the namespace "files". You must pass \'--namespace=elsewhere\' to perform this operation.',
    { input: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"elsewhere"}}' },
  );
  await user.fails(
    'create -f - -n elsewhere',
    'Error from server (NotFound): error when creating "STDIN": namespaces "elsewhere" not found',
    { input: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}' },
  );
  await user.fails('create -f nowhere.yaml', 'error: the path "nowhere.yaml" does not exist');
  await user.prints('create -f - --save-config', 'configmap/saved created', {
    input: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"saved"}}',
  });
  await user.prints(
    'apply view-last-applied configmap saved -o json',
    '{\n  "apiVersion": "v1",\n  "kind": "ConfigMap",\n  "metadata": {\n    "annotations": {},\n    "name": "saved",\n    "namespace": "files"\n  }\n}',
  );
  const body = await user.file(
    'raw.json',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"raw"}}',
  );
  await user.prints(
    `create --raw /api/v1/namespaces/files/configmaps -f ${body}`,
    '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"raw","namespace":"files","uid":"«uid»","resourceVersion":"«number»","creationTimestamp":"«time»"«lines»}}',
  );
};

const wrongFields = `apiVersion: apps/v1
kind: Deployment
metadata: {name: wrong}
spec:
  nope: 1
  selector: {matchLabels: {app: wrong}}
  template:
    metadata: {labels: {app: wrong}}
    spec: {containers: [{name: c, image: i, imagee: j}]}
`;

const validation: Story = async (user) => {
  await user.file('wrong.yaml', wrongFields);
  const refusal = (doing: string) =>
    `Error from server (BadRequest): error when ${doing} "wrong.yaml": Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.nope", unknown field "spec.template.spec.containers[0].imagee"`;
  const warnings =
    'Warning: unknown field "spec.nope"\nWarning: unknown field "spec.template.spec.containers[0].imagee"';
  for (const strict of ['', ' --validate=strict', ' --validate=true', ' --validate']) {
    await user.fails(`create -f wrong.yaml${strict}`, refusal('creating'));
  }
  await user.fails('apply -f wrong.yaml', refusal('creating'));
  await user.fails('replace -f wrong.yaml', refusal('replacing'));
  const made = 'deployment.apps/wrong created (server dry run)';
  await user.prints('create -f wrong.yaml --validate=warn --dry-run=server', made, { stderr: warnings });
  await user.prints('apply -f wrong.yaml --validate=warn --dry-run=server', made, { stderr: warnings });
  await user.prints('create -f wrong.yaml --validate=ignore --dry-run=server', made);
  await user.prints('create -f wrong.yaml --validate=false', 'deployment.apps/wrong created');
  // Items of a list are checked by kubectl itself, with the OpenAPI document.
  const item = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, nope: 1 };
  await user.fails(
    'create -f -',
    'error: error validating "STDIN": error validating data: ValidationError(ConfigMap): unknown field "nope" in io.k8s.api.core.v1.ConfigMap; if you choose to ignore these errors, turn validation off with --validate=false',
    { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [item] }) },
  );
  const wrongType = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: 1 } };
  await user.fails(
    'create -f -',
    'Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    { input: JSON.stringify(wrongType) },
  );
  // kubectl drops what is there twice when it turns YAML into JSON; a raw request does not.
  const twice = await user.file('twice.json', '{"metadata":{"name":"x"},"data":{"a":"1","a":"2"}}');
  await user.fails(
    `create --raw /api/v1/namespaces/validation/configmaps?fieldValidation=Strict -f ${twice}`,
    'Error from server (BadRequest): ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a"',
  );
};

export const CREATE: Stories = {
  'config-maps': configMaps,
  secrets,
  services,
  workloads,
  namespaces,
  files,
  validation,
};
