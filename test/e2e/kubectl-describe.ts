/** `describe`, `explain`, `events` and what kubectl says of the server itself. */
import type { Stories, Story } from './client-stories.js';

const describe: Story = async (user) => {
  const path = (resource: string) => `/api/v1/namespaces/describe/${resource}`;
  await user.send('POST', path('configmaps'), {
    metadata: { name: 'c', labels: { a: 'b' } },
    data: { k: 'v' },
    binaryData: { bin: '//4=' },
  });
  await user.prints(
    'describe configmap c',
    `
      Name:         c
      Namespace:    describe
      Labels:       a=b
      Annotations:  <none>

      Data
      ====
      k:
      ----
      v


      BinaryData
      ====
      bin: 2 bytes

      Events:  <none>
    `,
  );
  await user.send('POST', path('secrets'), { metadata: { name: 's' }, stringData: { k: 'value' } });
  await user.prints(
    'describe secret s',
    `
      Name:         s
      Namespace:    describe
      Labels:       <none>
      Annotations:  <none>

      Type:  Opaque

      Data
      ====
      k:  5 bytes
    `,
  );
  await user.prints(
    'describe serviceaccount default',
    `
      Name:                default
      Namespace:           describe
      Labels:              <none>
      Annotations:         <none>
      Image pull secrets:  <none>
      «1.32:Mountable secrets:   <none>»
      «1.32:Tokens:              <none>»
      Events:              <none>
    `,
  );
  await user.send('POST', path('services'), {
    metadata: { name: 'svc' },
    spec: { type: 'NodePort', selector: { a: 'b' }, ports: [{ name: 'web', port: 80, targetPort: 'http' }] },
  });
  await user.prints(
    'describe service svc',
    `
      Name:                     svc
      Namespace:                describe
      Labels:                   <none>
      Annotations:              <none>
      Selector:                 a=b
      Type:                     NodePort
      IP Family Policy:         SingleStack
      IP Families:              IPv4
      IP:                       «ip»
      IPs:                      «ip»
      Port:                     web  80/TCP
      TargetPort:               http/TCP
      NodePort:                 web  «number»/TCP
      Endpoints:                «some»
      Session Affinity:         None
      External Traffic Policy:  Cluster
      Internal Traffic Policy:  Cluster
      Events:                   <none>
    `,
  );
  await user.send('POST', '/apis/coordination.k8s.io/v1/namespaces/describe/leases', {
    metadata: { name: 'l' },
    spec: { holderIdentity: 'me', leaseDurationSeconds: 15 },
  });
  await user.prints(
    'describe lease l',
    `
      Name:         l
      Namespace:    describe
      Labels:       <none>
      Annotations:  <none>
      API Version:  coordination.k8s.io/v1
      Kind:         Lease
      Metadata:
        Creation Timestamp:  «time»
        Resource Version:    «number»
        UID:                 «uid»
      Spec:
        Holder Identity:         me
        Lease Duration Seconds:  15
      Events:                    <none>
    `,
  );
  await user.fails('describe configmap none', 'Error from server (NotFound): configmaps "none" not found');
  await user.prints('describe pods', '', { stderr: 'No resources found in describe namespace.' });
  // Quotas and limit ranges would follow, were they served.
  await user.prints(
    'describe namespace describe',
    'Name:         describe\nLabels:       kubernetes.io/metadata.name=describe\nAnnotations:  <none>\nStatus:       Active«lines»',
  );
};

const workloads: Story = async (user) => {
  await user.prints(
    'run one --image=nginx --labels=app=web --env=A=b --port=80 -- run it',
    'pod/one created',
  );
  await user.prints(
    'describe pod one',
    `
      Name:             one
      Namespace:        described-workloads
      Priority:         0
      Service Account:  default
      Node:             <none>
      Labels:           app=web
      Annotations:      <none>
      Status:           Pending
      IP:               
      IPs:              <none>
      Containers:
        one:
          Image:      nginx
          Port:       80/TCP
          Host Port:  0/TCP
          Args:
            run
            it
          Environment:
            A:  b
          Mounts:
            /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-«word» (ro)
      Volumes:
        kube-api-access-«word»:
          Type:                    Projected (a volume that contains injected data from multiple sources)
          TokenExpirationSeconds:  3607
          ConfigMapName:           kube-root-ca.crt
          «1.32:ConfigMapOptional:       <nil>»«1.35:Optional:                false»
          DownwardAPI:             true
      QoS Class:                   BestEffort
      Node-Selectors:              <none>
      Tolerations:                 node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
                                   node.kubernetes.io/unreachable:NoExecute op=Exists for 300s
      Events:                      <none>
    `,
  );
  await user.prints('create deployment web --image=nginx:1 --replicas=2', 'deployment.apps/web created');
  const { stdout: uid } = await user.run("get deployment web -o jsonpath='{.metadata.uid}'");
  const labels = { app: 'web', 'pod-template-hash': 'abc' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'nginx', image: 'nginx:1' }] } };
  await user.send('POST', '/apis/apps/v1/namespaces/described-workloads/replicasets', {
    metadata: {
      name: 'web-abc',
      labels,
      annotations: { 'deployment.kubernetes.io/revision': '1' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid, controller: true }],
    },
    spec: { replicas: 2, selector: { matchLabels: labels }, template },
  });
  await user.send('POST', '/api/v1/namespaces/described-workloads/events', {
    metadata: { name: 'web.1' },
    involvedObject: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'web',
      namespace: 'described-workloads',
      uid,
    },
    reason: 'ScalingReplicaSet',
    message: 'Scaled up',
    type: 'Normal',
    source: { component: 'deployment-controller' },
    firstTimestamp: new Date(Date.now() - 60_000).toISOString().replace(/\.\d+Z/, 'Z'),
    lastTimestamp: new Date(Date.now() - 60_000).toISOString().replace(/\.\d+Z/, 'Z'),
    count: 1,
  });
  await user.prints(
    'describe deployment web',
    `
      Name:                   web
      Namespace:              described-workloads
      CreationTimestamp:      «some»
      Labels:                 app=web
      Annotations:            <none>
      Selector:               app=web
      Replicas:               2 desired | 0 updated | 0 total | 0 available | 0 unavailable
      StrategyType:           RollingUpdate
      MinReadySeconds:        0
      RollingUpdateStrategy:  25% max unavailable, 25% max surge
      Pod Template:
        Labels:  app=web
        Containers:
         nginx:
          Image:         nginx:1
          Port:          <none>
          Host Port:     <none>
          Environment:   <none>
          Mounts:        <none>
        Volumes:         <none>
        Node-Selectors:  <none>
        Tolerations:     <none>
      OldReplicaSets:    <none>
      NewReplicaSet:     web-abc (0/2 replicas created)
      Events:
        Type    Reason             Age   From                   Message
        ----    ------             ----  ----                   -------
        Normal  ScalingReplicaSet  «age»   deployment-controller  Scaled up
    `,
  );
  await user.prints(
    'describe replicaset web-abc',
    `
      Name:           web-abc
      Namespace:      described-workloads
      Selector:       app=web,pod-template-hash=abc
      Labels:         app=web
                      pod-template-hash=abc
      Annotations:    deployment.kubernetes.io/revision: 1
      Controlled By:  Deployment/web
      Replicas:       0 current / 2 desired
      Pods Status:    0 Running / 0 Waiting / 0 Succeeded / 0 Failed
      Pod Template:
        Labels:  app=web
                 pod-template-hash=abc
        Containers:
         nginx:
          Image:         nginx:1
          Port:          <none>
          Host Port:     <none>
          Environment:   <none>
          Mounts:        <none>
        Volumes:         <none>
        Node-Selectors:  <none>
        Tolerations:     <none>
      Events:            <none>
    `,
  );
};

/** Texts are our own; that there are some, and where, is not. */
const explain: Story = async (user) => {
  const explained = await user.prints(
    'explain configmap',
    `
      KIND:       ConfigMap
      VERSION:    v1

      DESCRIPTION:
          «some»
          
      FIELDS:
        apiVersion	<string>
          «some»

        binaryData	<map[string]string>
          «some»

        data	<map[string]string>
          «some»

        immutable	<boolean>
          «some»

        kind	<string>
          «some»

        metadata	<ObjectMeta>
          «some»

    `,
  );
  user.same(explained.includes('<no description>'), false, 'every field is explained');
  await user.prints(
    'explain deployments.spec.strategy --api-version=apps/v1',
    `
    GROUP:      apps
    KIND:       Deployment
    VERSION:    v1

    FIELD: strategy <DeploymentStrategy>


    DESCRIPTION:
        «lines»
    FIELDS:
      rollingUpdate	<RollingUpdateDeployment>
        «lines»
      type	<string>
      enum: Recreate, RollingUpdate
        «lines»
  `,
  );
  await user.prints(
    'explain pods.spec.containers.ports.containerPort',
    `
    KIND:       Pod
    VERSION:    v1

    FIELD: containerPort <integer>


    DESCRIPTION:
        «lines»
  `,
  );
  await user.prints(
    'explain services.spec.type',
    `
    KIND:       Service
    VERSION:    v1

    FIELD: type <string>
    ENUM:
        ClusterIP
        ExternalName
        LoadBalancer
        NodePort

    DESCRIPTION:
        «lines»
  `,
  );
  const recursive = await user.run('explain pod --recursive');
  user.includes(
    recursive.stdout,
    '          exec\t<ExecAction>\n            command\t<[]string>',
    'to the depth',
  );
  user.includes(recursive.stdout, '    containers\t<[]Container> -required-\n', 'what is required');
  await user.prints(
    'explain event --api-version=events.k8s.io/v1',
    'GROUP:      events.k8s.io\nKIND:       Event\nVERSION:    v1\n«lines»reportingController\t<string>\n«lines»',
  );
  await user.prints(
    'explain lease.spec --recursive',
    'GROUP:      coordination.k8s.io\nKIND:       Lease\nVERSION:    v1\n\nFIELD: spec <LeaseSpec>\n«lines»FIELDS:\n  acquireTime\t<string>\n  holderIdentity\t<string>\n  leaseDurationSeconds\t<integer>\n  leaseTransitions\t<integer>\n  preferredHolder\t<string>\n  renewTime\t<string>\n  strategy\t<string>',
  );
  await user.fails('explain pod.spec.nope', 'error: field "nope" does not exist', {
    stdout: 'KIND:       Pod\nVERSION:    v1\n',
  });
  await user.fails('explain widget', 'the server doesn\'t have a resource type "widget"');
  await user.fails(
    'explain deployment --api-version=apps/v9',
    'error: couldn\'t find resource for "apps/v9, Resource=deployments"',
  );
  // Its template is for the older document, which kubectl takes as protobuf.
  await user.prints(
    'explain configmap.data --output=plaintext-openapiv2',
    'KIND:     ConfigMap\nVERSION:  v1\n\nFIELD:    data <map[string]string>\n\nDESCRIPTION:\n«lines»',
  );
};

const events: Story = async (user) => {
  const ago = (minutes: number) =>
    new Date(Date.now() - minutes * 60_000).toISOString().replace(/\.\d+Z/, 'Z');
  const event = (name: string, kind: string, fields: object) => ({
    metadata: { name },
    involvedObject: { apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1', kind, name: 'web', namespace: 'events' },
    type: 'Normal',
    ...fields,
  });
  const path = '/api/v1/namespaces/events/events';
  await user.send(
    'POST',
    path,
    event('e1', 'Deployment', {
      reason: 'Scaled',
      message: 'up',
      source: { component: 'me' },
      firstTimestamp: ago(20),
      lastTimestamp: ago(11),
      count: 3,
    }),
  );
  await user.send(
    'POST',
    path,
    event('e2', 'Pod', {
      type: 'Warning',
      reason: 'Failed',
      message: 'pull',
      source: { component: 'kubelet', host: 'n1' },
      firstTimestamp: ago(5),
      lastTimestamp: ago(5),
      count: 1,
    }),
  );
  await user.send('POST', '/apis/events.k8s.io/v1/namespaces/events/events', {
    metadata: { name: 'e3' },
    regarding: { apiVersion: 'v1', kind: 'Pod', name: 'other', namespace: 'events' },
    type: 'Normal',
    reason: 'Bound',
    note: 'to n1',
    action: 'Binding',
    eventTime: ago(2).replace('Z', '.000000Z'),
    reportingController: 'example.com/scheduler',
    reportingInstance: 'one',
  });
  const rows = [
    '11m (x3 over 20m)   Normal    Scaled   Deployment/web   up',
    '«age»                  Warning   Failed   Pod/web          pull',
    '«age»                Normal    Bound    Pod/other        to n1',
  ];
  const head = 'LAST SEEN           TYPE      REASON   OBJECT           MESSAGE';
  await user.prints('events', [head, ...rows].join('\n'));
  await user.prints('events --no-headers', rows.join('\n'));
  await user.prints(
    'events --for=deployment/web',
    'LAST SEEN           TYPE     REASON   OBJECT           MESSAGE\n11m (x3 over 20m)   Normal   Scaled   Deployment/web   up',
  );
  await user.prints(
    'events --types=Warning',
    'LAST SEEN   TYPE      REASON   OBJECT    MESSAGE\n«age»   Warning   Failed   Pod/web   pull',
  );
  await user.prints(
    'events -A --for=pod/other',
    'NAMESPACE   LAST SEEN   TYPE     REASON   OBJECT      MESSAGE\nevents      «age»   Normal   Bound    Pod/other   to n1',
  );
  await user.fails('events --types=Some', 'error: valid --types are Normal or Warning');
  await user.prints('events -n nowhere', '', { stderr: 'No events found in nowhere namespace.' });
  await user.prints(
    'get events --sort-by=.metadata.name',
    `
      LAST SEEN   TYPE      REASON   OBJECT           MESSAGE
      «age»         Normal    Scaled   deployment/web   up
      «age»         Warning   Failed   pod/web          pull
      «age»         Normal    Bound    pod/other        to n1
    `,
  );
  await user.prints(
    'get events -o wide --field-selector involvedObject.name=web,type=Warning',
    `
      LAST SEEN   TYPE      REASON   OBJECT    SUBOBJECT   SOURCE        MESSAGE   FIRST SEEN   COUNT   NAME
      «age»         Warning   Failed   pod/web               kubelet, n1   pull      «age»           1       e2
    `,
  );
  await user.prints('get events.events.k8s.io e3 -o jsonpath={.note}/{.regarding.name}', 'to n1/other');
  const watching = user.follow('events -w --for=pod/web');
  await watching.until('pull');
  await user.send(
    'POST',
    path,
    event('e4', 'Pod', {
      reason: 'Pulled',
      message: 'at last',
      source: {},
      firstTimestamp: ago(0),
      lastTimestamp: ago(0),
      count: 1,
    }),
  );
  await watching.until('at last');
  user.matches(
    await watching.stop(),
    /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+ +Warning +Failed +Pod\/web +pull\n\S+ +Normal +Pulled +Pod\/web +at last\n$/,
    'events -w',
  );
  const described = await user.run('describe event e1');
  user.includes(
    described.stdout,
    'Involved Object:\n  API Version:   apps/v1\n  Kind:          Deployment\n  Name:          web\n',
    'an event',
  );
  await user.prints('delete event e1', `event "e1" ${user.deleted}`);
};

export const DESCRIBE: Stories = { describe, 'described-workloads': workloads, explain, events };
