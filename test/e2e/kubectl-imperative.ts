/**
 * `create` of what has a command of its own beside files (kubectl-create.ts has the rest), in all its flags: what the
 * client makes of them, what the server would make of it, and what is there in the end.
 */
import { dedent } from '../tools/expected-output.js';
import type { Stories, Story, StoryUser } from './client-stories.js';

/** A command, and the object as the server has it, with `resourceVersion` where it stands once it is stored. */
async function creates(user: StoryUser, command: string, reference: string, stored: string): Promise<void> {
  const wanted = dedent(stored);
  const local = await user.run(`create ${command} --dry-run=client -o yaml`);
  user.same([local.code, local.stderr], [0, ''], `create ${command} --dry-run=client`);
  await user.prints(
    `create ${command} --dry-run=server -o yaml`,
    wanted.replace(/\n +resourceVersion: .*/, ''),
  );
  // What the client printed is a manifest.
  await user.prints('create -f -', `${reference} created`, { input: local.stdout });
  const [kind = '', name = ''] = reference.split('/');
  // kubectl 1.32 prints times that are not there, of what it has as a type: not of what it gets.
  const got = wanted.replace(/^.*«1\.32:.*null»\n/gm, '').replace('«1.35: {}»', ' {}');
  await user.prints(`get ${kind} ${name} -o yaml`, got);
}

const roles: Story = async (user) => {
  await creates(
    user,
    'clusterrole readers --verb=get,list --resource=pods,pods/status,deployments.apps --resource-name=a',
    'clusterrole.rbac.authorization.k8s.io/readers',
    `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata:
        creationTimestamp: "«time»"
        name: readers
        resourceVersion: "«number»"
        uid: «uid»
      rules:
      - apiGroups:
        - ""
        resourceNames:
        - a
        resources:
        - pods
        - pods/status
        verbs:
        - get
        - list
      - apiGroups:
        - apps
        resourceNames:
        - a
        resources:
        - deployments
        verbs:
        - get
        - list
    `,
  );
  await creates(
    user,
    'clusterrole summed --aggregation-rule=example.com/part=true,tier=x',
    'clusterrole.rbac.authorization.k8s.io/summed',
    `
      aggregationRule:
        clusterRoleSelectors:
        - matchLabels:
            example.com/part: "true"
            tier: x
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata:
        creationTimestamp: "«time»"
        name: summed
        resourceVersion: "«number»"
        uid: «uid»
      rules: null
    `,
  );
  await creates(
    user,
    'clusterrolebinding readers --clusterrole=readers --user=ann --user=bob --group=team --serviceaccount=roles:robot',
    'clusterrolebinding.rbac.authorization.k8s.io/readers',
    `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata:
        creationTimestamp: "«time»"
        name: readers
        resourceVersion: "«number»"
        uid: «uid»
      roleRef:
        apiGroup: rbac.authorization.k8s.io
        kind: ClusterRole
        name: readers
      subjects:
      - apiGroup: rbac.authorization.k8s.io
        kind: User
        name: ann
      - apiGroup: rbac.authorization.k8s.io
        kind: User
        name: bob
      - apiGroup: rbac.authorization.k8s.io
        kind: Group
        name: team
      - kind: ServiceAccount
        name: robot
        namespace: roles
    `,
  );
  await creates(
    user,
    'role writer --verb=get --verb=patch --resource=deployments.apps/scale --resource=secrets',
    'role.rbac.authorization.k8s.io/writer',
    `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: Role
      metadata:
        creationTimestamp: "«time»"
        name: writer
        namespace: imperative-roles
        resourceVersion: "«number»"
        uid: «uid»
      rules:
      - apiGroups:
        - ""
        resources:
        - secrets
        verbs:
        - get
        - patch
      - apiGroups:
        - apps
        resources:
        - deployments/scale
        verbs:
        - get
        - patch
    `,
  );
  await creates(
    user,
    'rolebinding writers --clusterrole=edit --serviceaccount=default:robot --group=g',
    'rolebinding.rbac.authorization.k8s.io/writers',
    `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: RoleBinding
      metadata:
        creationTimestamp: "«time»"
        name: writers
        namespace: imperative-roles
        resourceVersion: "«number»"
        uid: «uid»
      roleRef:
        apiGroup: rbac.authorization.k8s.io
        kind: ClusterRole
        name: edit
      subjects:
      - apiGroup: rbac.authorization.k8s.io
        kind: Group
        name: g
      - kind: ServiceAccount
        name: robot
        namespace: default
    `,
  );
  await user.fails(
    'create role bad --verb=get --resource=widgets',
    'the server doesn\'t have a resource type "widgets"',
  );
  await user.fails(
    'create clusterrolebinding readers --clusterrole=other',
    'error: failed to create clusterrolebinding: clusterrolebindings.rbac.authorization.k8s.io "readers" already exists',
  );
};

const policies: Story = async (user) => {
  const budget = (name: string, spec: string) => `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  creationTimestamp: "«time»"
  generation: 1
  name: ${name}
  namespace: imperative-policies
  resourceVersion: "«number»"
  uid: «uid»
spec:
${spec}
status:
  currentHealthy: 0
  desiredHealthy: 0
  disruptionsAllowed: 0
  expectedPods: 0
`;
  await creates(
    user,
    'poddisruptionbudget half --selector=app=x --min-available=50%',
    'poddisruptionbudget.policy/half',
    budget('half', '  minAvailable: 50%\n  selector:\n    matchLabels:\n      app: x'),
  );
  await creates(
    user,
    'pdb one --selector=app=x,tier=back --max-unavailable=1',
    'poddisruptionbudget.policy/one',
    budget('one', '  maxUnavailable: 1\n  selector:\n    matchLabels:\n      app: x\n      tier: back'),
  );
  await user.fails(
    'create pdb bad --selector=app=x --min-available=101%',
    'error: failed to create poddisruptionbudgets: PodDisruptionBudget.policy "bad" is invalid: spec.minAvailable: Invalid value: "101%": must not be greater than 100%',
  );
  await creates(
    user,
    "priorityclass low --value=-5 --description='not soon' --preemption-policy=Never",
    'priorityclass.scheduling.k8s.io/low',
    `
      apiVersion: scheduling.k8s.io/v1
      description: not soon
      kind: PriorityClass
      metadata:
        creationTimestamp: "«time»"
        generation: 1
        name: low
        resourceVersion: "«number»"
        uid: «uid»
      preemptionPolicy: Never
      value: -5
    `,
  );
  await creates(
    user,
    'quota rest --hard=pods=10,limits.cpu=500m --scopes=NotTerminating,NotBestEffort',
    'resourcequota/rest',
    `
      apiVersion: v1
      kind: ResourceQuota
      metadata:
        creationTimestamp: "«time»"
        name: rest
        namespace: imperative-policies
        resourceVersion: "«number»"
        uid: «uid»
      spec:
        hard:
          limits.cpu: 500m
          pods: "10"
        scopes:
        - NotTerminating
        - NotBestEffort
      status:«lines»
    `,
  );
  await user.fails(
    'create quota bad --hard=pods=x',
    "error: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  );
  await user.fails(
    'create quota bad --hard=cpu=1 --scopes=BestEffort',
    'error: failed to create quota: ResourceQuota "bad" is invalid: spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
  );
};

const networks: Story = async (user) => {
  await creates(
    user,
    "ingress web --class=outer --default-backend=front:http --annotation=a=b --rule=a.example/x*=front:80 --rule=b.example/=back:8080,tls=cert --rule='*.c.example/p=back:http,tls'",
    'ingress.networking.k8s.io/web',
    `
      apiVersion: networking.k8s.io/v1
      kind: Ingress
      metadata:
        annotations:
          a: b
        creationTimestamp: "«time»"
        generation: 1
        name: web
        namespace: imperative-networks
        resourceVersion: "«number»"
        uid: «uid»
      spec:
        defaultBackend:
          service:
            name: front
            port:
              name: http
        ingressClassName: outer
        rules:
        - host: a.example
          http:
            paths:
            - backend:
                service:
                  name: front
                  port:
                    number: 80
              path: /x
              pathType: Prefix
        - host: b.example
          http:
            paths:
            - backend:
                service:
                  name: back
                  port:
                    number: 8080
              path: /
              pathType: Exact
        - host: '*.c.example'
          http:
            paths:
            - backend:
                service:
                  name: back
                  port:
                    name: http
              path: /p
              pathType: Exact
        tls:
        - hosts:
          - b.example
          secretName: cert
        - hosts:
          - '*.c.example'
      status:
        loadBalancer: {}
    `,
  );
  await user.fails(
    'create ingress bad --rule=a_b.example/=front:80',
    `error: failed to create ingress: Ingress.networking.k8s.io "bad" is invalid: spec.rules[0].host: Invalid value: "a_b.example": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
  );
  const service = (name: string, spec: string) => `
apiVersion: v1
kind: Service
metadata:
  creationTimestamp: "«time»"
  labels:
    app: ${name}
  name: ${name}
  namespace: imperative-networks
  resourceVersion: "«number»"
  uid: «uid»
spec:
${spec.replaceAll('NAME', name)}
status:
  loadBalancer: {}
`;
  const addresses = `  internalTrafficPolicy: Cluster
  ipFamilies:
  - IPv4
  ipFamilyPolicy: SingleStack`;
  const rest = (type: string) => `  selector:
    app: NAME
  sessionAffinity: None
  type: ${type}`;
  await creates(
    user,
    'service clusterip inner --tcp=80:8080 --tcp=443',
    'service/inner',
    service(
      'inner',
      `  clusterIP: «ip»
  clusterIPs:
  - «ip»
${addresses}
  ports:
  - name: 80-8080
    port: 80
    protocol: TCP
    targetPort: 8080
  - name: "443"
    port: 443
    protocol: TCP
    targetPort: 443
${rest('ClusterIP')}`,
    ),
  );
  await creates(
    user,
    'service nodeport node --tcp=80 --node-port=31234',
    'service/node',
    service(
      'node',
      `  clusterIP: «ip»
  clusterIPs:
  - «ip»
  externalTrafficPolicy: Cluster
${addresses}
  ports:
  - name: "80"
    nodePort: 31234
    port: 80
    protocol: TCP
    targetPort: 80
${rest('NodePort')}`,
    ),
  );
  await creates(
    user,
    'service loadbalancer outer --tcp=80:http',
    'service/outer',
    service(
      'outer',
      `  allocateLoadBalancerNodePorts: true
  clusterIP: «ip»
  clusterIPs:
  - «ip»
  externalTrafficPolicy: Cluster
${addresses}
  ports:
  - name: 80-http
    nodePort: «number»
    port: 80
    protocol: TCP
    targetPort: http
${rest('LoadBalancer')}`,
    ),
  );
  await creates(
    user,
    'service externalname away --external-name=x.example --tcp=80',
    'service/away',
    service(
      'away',
      `  externalName: x.example
  ports:
  - name: "80"
    port: 80
    protocol: TCP
    targetPort: 80
${rest('ExternalName')}`,
    ),
  );
  await user.fails(
    'create service clusterip apart --clusterip=192.168.0.1 --tcp=80',
    'error: failed to create ClusterIP service: Service "apart" is invalid: spec.clusterIPs: Invalid value: ["192.168.0.1"]: failed to allocate IP 192.168.0.1: the provided network does not match the current range',
  );
};

const podTemplate = (name: string, indentation: string, restart: string) =>
  `spec:
  containers:
  - command:
    - date
    - -u
    image: busybox
    imagePullPolicy: Always
    name: ${name}
    resources: {}
    terminationMessagePath: /dev/termination-log
    terminationMessagePolicy: File
  dnsPolicy: ClusterFirst
  restartPolicy: ${restart}
  schedulerName: default-scheduler
  securityContext: {}
  terminationGracePeriodSeconds: 30`
    .split('\n')
    .map((line) => indentation + line)
    .join('\n');

const work: Story = async (user) => {
  await creates(
    user,
    "cronjob often --image=busybox --schedule='*/15 * * * *' --restart=Never",
    'cronjob.batch/often',
    `
apiVersion: batch/v1
kind: CronJob
metadata:
  creationTimestamp: "«time»"
  generation: 1
  name: often
  namespace: imperative-work
  resourceVersion: "«number»"
  uid: «uid»
spec:
  concurrencyPolicy: Allow
  failedJobsHistoryLimit: 1
  jobTemplate:
    metadata:
«1.32:      creationTimestamp: null»
      name: often
    spec:
      template:
        metadata:«1.35: {}»
«1.32:          creationTimestamp: null»
${podTemplate('often', '        ', 'Never').replace('          - command:\n            - date\n            - -u\n            image', '          - image')}
  schedule: '*/15 * * * *'
  successfulJobsHistoryLimit: 3
  suspend: false
status: {}
`,
  );
  await user.prints('create job now --from=cronjob/often --dry-run=server -o name', 'job.batch/now');
  await user.prints('create job now --from=cronjob/often', 'job.batch/now created');
  await user.prints(
    "get job now -o jsonpath='{.metadata.ownerReferences[0].kind}/{.metadata.ownerReferences[0].name} {.metadata.ownerReferences[0].controller} {.metadata.annotations} {.spec.template.spec.restartPolicy}'",
    'CronJob/often true {"cronjob.kubernetes.io/instantiate":"manual"} Never',
  );
  await user.fails(
    'create job now --from=cronjob/often',
    'error: failed to create job: jobs.batch "now" already exists',
  );
  await user.fails(
    'create job other --from=cronjob/none',
    'Error from server (NotFound): cronjobs.batch "none" not found',
  );
  await user.fails(
    'create job bad --image=busybox --dry-run=server -n nowhere',
    'error: failed to create job: namespaces "nowhere" not found',
  );
};

const accounts: Story = async (user) => {
  await creates(
    user,
    'serviceaccount robot',
    'serviceaccount/robot',
    `
      apiVersion: v1
      kind: ServiceAccount
      metadata:
        creationTimestamp: "«time»"
        name: robot
        namespace: imperative-accounts
        resourceVersion: "«number»"
        uid: «uid»
    `,
  );
  await creates(
    user,
    'namespace imperative-other',
    'namespace/imperative-other',
    `
      apiVersion: v1
      kind: Namespace
      metadata:
        creationTimestamp: "«time»"
        labels:
          kubernetes.io/metadata.name: imperative-other
        name: imperative-other
        resourceVersion: "«number»"
        uid: «uid»
      spec:
        finalizers:
        - kubernetes
      status:
        phase: Active
    `,
  );
  await creates(
    user,
    'secret docker-registry pull --docker-server=r.example --docker-username=u --docker-password=p',
    'secret/pull',
    `
      apiVersion: v1
      data:
        .dockerconfigjson: ${Buffer.from('{"auths":{"r.example":{"username":"u","password":"p","auth":"dTpw"}}}').toString('base64')}
      kind: Secret
      metadata:
        creationTimestamp: "«time»"
        name: pull
        namespace: imperative-accounts
        resourceVersion: "«number»"
        uid: «uid»
      type: kubernetes.io/dockerconfigjson
    `,
  );
  await creates(
    user,
    'secret generic plain --from-literal=b=2 --from-literal=a=1 --type=example.com/mine',
    'secret/plain',
    `
      apiVersion: v1
      data:
        a: MQ==
        b: Mg==
      kind: Secret
      metadata:
        creationTimestamp: "«time»"
        name: plain
        namespace: imperative-accounts
        resourceVersion: "«number»"
        uid: «uid»
      type: example.com/mine
    `,
  );
};

const autoscale: Story = async (user) => {
  await user.prints('create deployment web --image=x', 'deployment.apps/web created');
  const scaler = 'horizontalpodautoscaler.autoscaling/';
  await user.prints('autoscale deployment web --min=2 --max=5 --dry-run=server -o name', `${scaler}web`);
  await user.prints('autoscale deployment web --min=2 --max=5', `${scaler}web autoscaled`);
  await user.prints(
    'get hpa web -o yaml',
    `
      apiVersion: autoscaling/v2
      kind: HorizontalPodAutoscaler
      metadata:
        creationTimestamp: "«time»"
        name: web
        namespace: autoscale
        resourceVersion: "«number»"
        uid: «uid»
      spec:
        maxReplicas: 5
        metrics:
        - resource:
            name: cpu
            target:
              averageUtilization: 80
              type: Utilization
          type: Resource
        minReplicas: 2
        scaleTargetRef:
          apiVersion: apps/v1
          kind: Deployment
          name: web
      status:
        currentMetrics: null
        desiredReplicas: 0
    `,
  );
  if (user.version === '1.35') {
    await user.prints(
      'autoscale deployment web --max=5 --cpu=70% --memory=500Mi --name=two',
      `${scaler}two autoscaled`,
    );
  } else {
    await user.prints(
      'autoscale deployment web --max=5 --cpu-percent=70 --name=two',
      `${scaler}two autoscaled`,
    );
  }
  const memory = user.version === '1.35' ? ', memory: <unknown>/500Mi' : '';
  const targets = ['TARGETS', `cpu: <unknown>/70%${memory}`, 'cpu: <unknown>/80%'];
  const width = Math.max(...targets.map((target) => target.length));
  const [head, two, web] = targets.map((target) => target.padEnd(width));
  await user.prints(
    'get hpa',
    `
      NAME   REFERENCE        ${head}   MINPODS   MAXPODS   REPLICAS   AGE
      two    Deployment/web   ${two}   1         5         0          «age»
      web    Deployment/web   ${web}   2         5         0          «age»
    `,
  );
  await user.fails(
    'autoscale deployment none --max=2',
    'Error from server (NotFound): deployments.apps "none" not found',
  );
  await user.fails(
    'autoscale service kubernetes -n default --max=2',
    'error: cannot autoscale a Service: could not find scale subresource for /v1, Resource=services in discovery information',
  );
};

export const IMPERATIVE: Stories = {
  'imperative-roles': roles,
  'imperative-policies': policies,
  'imperative-networks': networks,
  'imperative-work': work,
  'imperative-accounts': accounts,
  autoscale,
};
