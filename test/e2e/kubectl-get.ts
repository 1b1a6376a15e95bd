/** `get` in every form, and watches. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Following } from '../tools/following.js';
import type { Stories, Story, StoryUser } from './client-stories.js';

/** m00 … m11, with labels and data to choose by. */
async function twelve(user: StoryUser): Promise<void> {
  const items = Array.from({ length: 12 }, (_, at) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `m${String(at).padStart(2, '0')}`, labels: { at: String(at), odd: String(at % 2) } },
    data: { rank: String(99 - at) },
  }));
  for (const item of items) await user.send('POST', `/api/v1/namespaces/${user.namespace}/configmaps`, item);
}

const forms: Story = async (user) => {
  await twelve(user);
  await user.send('POST', `/api/v1/namespaces/forms/secrets`, {
    metadata: { name: 's' },
    stringData: { a: 'b' },
  });
  const table = (...rows: string[]) =>
    ['NAME   DATA   AGE', ...rows.map((name) => `${name}    1      «age»`)].join('\n');
  await user.prints('get configmap m01', table('m01'));
  await user.prints('get configmap m01 -o wide', table('m01'));
  await user.prints('get configmap m01 --no-headers', 'm01   1     «age»');
  await user.prints('get cm m01 --show-kind', 'NAME            DATA   AGE\nconfigmap/m01   1      «age»');
  await user.prints(
    'get configmap m01 --show-labels -L odd',
    'NAME   DATA   AGE   ODD   LABELS\nm01    1      «age»    1     at=1,odd=1',
  );
  await user.prints(
    'get configmap m01 -o yaml',
    `
      apiVersion: v1
      data:
        rank: "98"
      kind: ConfigMap
      metadata:
        creationTimestamp: "«time»"
        labels:
          at: "1"
          odd: "1"
        name: m01
        namespace: forms
        resourceVersion: "«number»"
        uid: «uid»
    `,
  );
  await user.prints(
    'get configmap m01 m02 -o json',
    `
      {
          "apiVersion": "v1",
          "items": [
              {
                  "apiVersion": "v1",
                  "data": {
                      "rank": "98"
                  },
                  "kind": "ConfigMap",
                  "metadata": {
                      "creationTimestamp": "«time»",
                      "labels": {
                          "at": "1",
                          "odd": "1"
                      },
                      "name": "m01",
                      "namespace": "forms",
                      "resourceVersion": "«number»",
                      "uid": "«uid»"
                  }
              },
      «lines»
          ],
          "kind": "List",
          "metadata": {
              "resourceVersion": ""
          }
      }
    `,
  );
  await user.prints('get configmaps -o name -l at=3', 'configmap/m03');
  await user.prints("get configmap m01 -o jsonpath='{.data.rank}'", '98');
  await user.prints(
    "get configmap m01 -o jsonpath-as-json='{.data}'",
    '[\n    {\n        "rank": "98"\n    }\n]',
  );
  await user.prints("get configmap m01 -o go-template='{{.data.rank}} {{.kind}}'", '98 ConfigMap');
  await user.file('template', '{{range .items}}{{.metadata.name}},{{end}}');
  await user.prints('get configmaps -l odd=1 -o go-template-file=template', 'm01,m03,m05,m07,m09,m11,');
  await user.prints(
    'get configmaps -l odd=1,at!=1 -o custom-columns=N:.metadata.name,R:.data.rank --no-headers',
    'm03   96\nm05   94\nm07   92\nm09   90\nm11   88',
  );
  await user.file('columns', 'NAME RANK\n.metadata.name .data.rank\n');
  await user.prints('get configmap m01 -o custom-columns-file=columns', 'NAME   RANK\nm01    98');
  await user.prints(
    "get configmaps -l 'at in (1,2,3)' --sort-by='{.data.rank}' -o name",
    'configmap/m03\nconfigmap/m02\nconfigmap/m01',
  );
  await user.prints('get configmaps -l at=1 --sort-by=.metadata.creationTimestamp', table('m01'));
  await user.prints('get configmaps --field-selector metadata.name=m05 -o name', 'configmap/m05');
  await user.prints(
    'get configmaps --field-selector metadata.name!=m05 -l odd=1,at!=1 -o name',
    'configmap/m03\nconfigmap/m07\nconfigmap/m09\nconfigmap/m11',
  );
  await user.prints(
    "get configmaps -l 'at notin (0,1,2,3,4,5,6,7,8,9),odd' -o name",
    'configmap/m10\nconfigmap/m11',
  );
  await user.prints("get configmaps -l '!none,at=4' -o name", 'configmap/m04');
  await user.prints(
    'get configmap/m01 secret/s',
    'NAME            DATA   AGE\nconfigmap/m01   1      «age»\n\nNAME       TYPE     DATA   AGE\nsecret/s   Opaque   1      «age»',
  );
  await user.prints(
    'get configmaps,secrets -l at=1',
    'NAME            DATA   AGE\nconfigmap/m01   1      «age»',
  );
  await user.prints(
    'get configmaps -A --field-selector metadata.namespace=forms,metadata.name=m01',
    'NAMESPACE   NAME   DATA   AGE\nforms       m01    1      «age»',
  );
  await user.prints('get configmap.v1. m01 -o name', 'configmap/m01');
  if (user.version !== '1.32') {
    // kubectl 1.32 does not know it.
    await user.prints(
      'get configmap m01 -o kyaml',
      '---\n{\n  apiVersion: "v1",\n  data: {\n    rank: "98",\n  },\n  kind: "ConfigMap",\n  metadata: {\n    creationTimestamp: "«time»",\n    labels: {\n      at: "1",\n      odd: "1",\n    },\n    name: "m01",\n    namespace: "forms",\n    resourceVersion: "«number»",\n    uid: "«uid»",\n  },\n}',
    );
  }
  await user.prints(
    'get --raw /api/v1/namespaces/forms/configmaps/m01',
    '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"m01","namespace":"forms","uid":"«uid»","resourceVersion":"«number»","creationTimestamp":"«time»","labels":{"at":"1","odd":"1"}«some»},"data":{"rank":"98"}}',
  );
  await user.prints('get --raw /healthz', 'ok');
  await user.prints('get --raw /readyz?verbose', '[+]ping ok\n«lines»readyz check passed');
};

const refusals: Story = async (user) => {
  const nothing = { stderr: 'No resources found in refusals namespace.' };
  await user.prints('get secrets', '', nothing);
  await user.prints('get pods -l x=y -o wide', '', nothing);
  await user.prints('get pods -A -l x=y', '', { stderr: 'No resources found' });
  await user.prints('get pods -o name', '');
  await user.prints(
    'get pods -o json',
    '{\n    "apiVersion": "v1",\n    "items": [],\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}',
  );
  await user.prints('create configmap there', 'configmap/there created');
  const absent = (name: string) => `Error from server (NotFound): configmaps "${name}" not found`;
  await user.fails('get configmap none', absent('none'));
  await user.fails('get configmap none -o yaml', absent('none'));
  await user.prints('get configmap none --ignore-not-found', '');
  await user.fails('get configmap none there other', `${absent('none')}\n${absent('other')}`, {
    stdout: 'NAME    DATA   AGE\nthere   0      «age»',
  });
  await user.fails(
    'get configmap there -n nowhere',
    'Error from server (NotFound): namespaces "nowhere" not found',
  );
  await user.prints('get configmaps -n nowhere', '', { stderr: 'No resources found in nowhere namespace.' });
  await user.fails('get widgets', 'error: the server doesn\'t have a resource type "widgets"');
  await user.fails(
    'get widgets.example.com there',
    'error: the server doesn\'t have a resource type "widgets"',
  );
  await user.fails(
    'get --raw /nothing',
    'Error from server (NotFound): the server could not find the requested resource',
  );
  await user.fails(
    'get deployment none --subresource=nothing',
    'Error from server (NotFound): the server could not find the requested resource',
  );
  const unable = (resource: string, label: string, field: string) =>
    `Error from server (BadRequest): Unable to find "${resource}" that match label selector "${label}", field selector "${field}": `;
  await user.fails(
    'get configmaps --field-selector data.a=b',
    `${unable('/v1, Resource=configmaps', '', 'data.a=b')}"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
  await user.fails(
    'get pods --field-selector status.nope=1',
    `${unable('/v1, Resource=pods', '', 'status.nope=1')}field label not supported: status.nope`,
  );
  await user.fails(
    'get pods --field-selector status.phase',
    `${unable('/v1, Resource=pods', '', 'status.phase')}invalid selector: 'status.phase'; can't understand 'status.phase'`,
  );
  await user.fails(
    "get pods -l 'x in ('",
    `${unable('/v1, Resource=pods', 'x in (', '')}unable to parse requirement: found '', expected: ',', ')' or identifier`,
  );
  await user.fails(
    "get pods -l '-x=1'",
    `${unable('/v1, Resource=pods', '-x=1', '')}unable to parse requirement: <nil>: Invalid value: "-x": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
  );
  await user.fails(
    "get pods -l 'x=a b'",
    `${unable('/v1, Resource=pods', 'x=a b', '')}found 'b', expected: ',' or 'end of string'`,
  );
  await user.fails('get pods --raw /api', 'error: arguments may not be passed when --raw is specified');
};

const chunks: Story = async (user) => {
  await twelve(user);
  const all = await user.run('get configmaps -o name --chunk-size=0');
  for (const size of [1, 5, 12, 500]) {
    await user.prints(`get configmaps -o name --chunk-size=${size}`, all.stdout.trimEnd());
  }
  const table = await user.run('get configmaps --no-headers --chunk-size=5');
  user.same(table.stdout.trimEnd().split('\n').length, 13, 'a table in three parts has all rows');
  const { stderr } = await user.run('get configmaps --chunk-size=5 -v=8');
  const requests = [...stderr.matchAll(/\/configmaps\?([^\s"]+)/g)].map(([, query]) =>
    query?.replace(/continue=[^&]+/, 'continue=…'),
  );
  user.same(new Set(requests), new Set(['limit=5', 'continue=…&limit=5']), 'by limit and continue');
  const names = Array.from({ length: 12 }, (_, at) => `m${String(at).padStart(2, '0')}`);
  await user.prints(
    'delete configmaps --all --wait=false',
    ['kube-root-ca.crt', ...names].map((name) => `configmap "${name}" ${user.deleted}`).join('\n'),
  );
};

const watches: Story = async (user) => {
  const path = '/api/v1/namespaces/watches/configmaps';
  const row = (name: string, data: number) => `${name} +${data} +\\d+s\n`;
  await user.prints('create configmap first', 'configmap/first created');
  const tables = await user.watching('get configmaps -w');
  const events = await user.watching('get configmaps -w --output-watch-events');
  const only = await user.watching('get configmaps --watch-only -o name');
  const kept = await user.watching(
    'get configmaps -w --output-watch-events -o jsonpath={.type}:{.object.metadata.name}:{.object.data.a}, -l kept=yes',
  );
  const one = await user.watching('get configmap first -w -o jsonpath={.data.a},');
  const named = await user.watching('get configmaps -w -o name --field-selector metadata.name=second');
  await user.send('POST', path, { metadata: { name: 'second' } });
  await user.send('POST', path, { metadata: { name: 'third', labels: { kept: 'yes' } } });
  await user.prints(`patch configmap first --type=merge -p '{"data":{"a":"1"}}'`, 'configmap/first patched');
  await user.prints('label configmap third kept-', 'configmap/third unlabeled');
  await user.prints('delete configmap first', `configmap "first" ${user.deleted}`);
  await user.prints('delete configmap second', `configmap "second" ${user.deleted}`);

  const sees = async (watch: Following, pattern: RegExp, what: string) => {
    await watch.until(pattern);
    await watch.stop();
    user.matches(watch.printed(), new RegExp(`^${pattern.source}$`), what);
  };
  const present = [row('first', 0), row('kube-root-ca.crt', 1)];
  const rows = [...present, row('second', 0), row('third', 0), row('first', 1), row('third', 0)];
  const gone = [row('first', 1), row('second', 0)];
  await sees(tables, new RegExp(`NAME +DATA +AGE\n${[...rows, ...gone].join('')}`), 'a table that grows');
  const kinds = ['ADDED', 'ADDED', 'ADDED', 'ADDED', 'MODIFIED', 'MODIFIED', 'DELETED', 'DELETED'];
  const marked = [...rows, ...gone].map((line, at) => `${kinds[at]} +${line}`);
  await sees(events, new RegExp(`EVENT +NAME +DATA +AGE\n${marked.join('')}`), 'with the kinds of events');
  const names = ['second', 'third', 'first', 'third', 'first', 'second'].map((name) => `configmap/${name}\n`);
  await sees(only, new RegExp(names.join('')), 'only what comes after');
  await sees(kept, /ADDED:third:,DELETED:third:,/, 'what no longer matches is deleted');
  // The object itself, its change and its end.
  await sees(one, /,1,1,/, 'one object');
  await sees(named, /configmap\/second\nconfigmap\/second\n/, 'of one name');
  // A time-out of the request ends a watch well.
  const ending = await user.run('get configmaps -w --request-timeout=1s');
  user.matches(
    ending.stdout,
    /^NAME +DATA +AGE\nkube-root-ca.crt +1 +\d+s\nthird +0 +\d+s\n$/,
    'what was printed stands',
  );
};

const wide: Story = async (user) => {
  const path = (resource: string) => `/api/v1/namespaces/wide/${resource}`;
  await user.send('POST', path('pods'), {
    metadata: { name: 'ran' },
    spec: {
      nodeName: 'n1',
      initContainers: [{ name: 'i', image: 'x' }],
      containers: [
        { name: 'a', image: 'x' },
        { name: 'b', image: 'x' },
      ],
      readinessGates: [{ conditionType: 'example.com/ready' }],
    },
  });
  const started = new Date(Date.now() - 60_000).toISOString().replace(/\.\d+Z/, 'Z');
  const container = (name: string, ready: boolean, restartCount: number) => ({
    name,
    ready,
    restartCount,
    image: 'x',
    imageID: '',
    state: { running: { startedAt: started } },
  });
  const status = (fields: object) =>
    user.send('PATCH', `${path('pods')}/ran/status`, { status: fields }, 'application/merge-patch+json');
  await status({
    phase: 'Running',
    podIP: '10.1.2.3',
    podIPs: [{ ip: '10.1.2.3' }],
    nominatedNodeName: 'n2',
    conditions: [
      { type: 'Initialized', status: 'True' },
      { type: 'Ready', status: 'True' },
    ],
    initContainerStatuses: [
      { ...container('i', true, 0), state: { terminated: { exitCode: 0, reason: 'Completed' } } },
    ],
    containerStatuses: [container('a', true, 3), container('b', false, 1)],
  });
  await user.prints(
    'get pods -o wide',
    `
      NAME   READY   STATUS    RESTARTS   AGE   IP         NODE   NOMINATED NODE   READINESS GATES
      ran    1/2     Running   4          «age»    10.1.2.3   n1     n2               0/1
    `,
  );
  await status({
    containerStatuses: [
      container('a', true, 0),
      {
        ...container('b', false, 7),
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 1, finishedAt: started } },
      },
    ],
  });
  await user.prints(
    'get pods',
    `
      NAME   READY   STATUS             RESTARTS      AGE
      ran    1/2     CrashLoopBackOff   7 («age» ago)   «age»
    `,
  );
  await user.send('POST', path('services'), {
    metadata: { name: 'svc' },
    spec: {
      selector: { a: 'b' },
      externalIPs: ['1.2.3.4'],
      ports: [
        { port: 80, name: 'a' },
        { port: 53, protocol: 'UDP', name: 'b' },
      ],
    },
  });
  await user.prints(
    'get services -o wide',
    `
      NAME   TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)         AGE   SELECTOR
      svc    ClusterIP   «ip»         1.2.3.4       80/TCP,53/UDP   «age»    a=b
    `,
  );
  await user.send('POST', '/apis/coordination.k8s.io/v1/namespaces/wide/leases', {
    metadata: { name: 'l' },
    spec: { holderIdentity: 'me' },
  });
  await user.prints('get leases', 'NAME   HOLDER   AGE\nl      me       «age»');
  await user.prints('create deployment web --image=x:1', 'deployment.apps/web created');
  await user.prints(
    'get deployments -o wide',
    `
      NAME   READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES   SELECTOR
      web    0/1     0            0           «age»    x            x:1      app=web
    `,
  );
  await user.prints('get all -o name', 'pod/ran\nservice/svc\ndeployment.apps/web');
  await user.prints('get namespace wide', 'NAME   STATUS   AGE\nwide   Active   «age»');
  await user.prints('get pods,deployments -l app=web -o name', 'deployment.apps/web');
};

const kustomize: Story = async (user) => {
  await mkdir(join(user.folder, 'base'));
  await user.file(
    'base/kustomization.yaml',
    'namePrefix: pre-\nlabels: [{pairs: {k: d}, includeSelectors: true}]\nconfigMapGenerator: [{name: gen, literals: [a=b]}]\nresources: [r.yaml]\n',
  );
  await user.file('base/r.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: b}\n');
  await user.prints('apply -k base', 'configmap/pre-gen-4h2mbtbbt6 created\nconfigmap/pre-plain created');
  await user.prints('apply -k base', 'configmap/pre-gen-4h2mbtbbt6 unchanged\nconfigmap/pre-plain unchanged');
  await user.prints(
    'get -k base',
    'NAME                 DATA   AGE\npre-gen-4h2mbtbbt6   1      «age»\npre-plain            1      «age»',
  );
  await user.prints('diff -k base', '');
  await user.prints(
    'delete -k base',
    `configmap "pre-gen-4h2mbtbbt6" ${user.deleted}\nconfigmap "pre-plain" ${user.deleted}`,
  );
};

export const GET: Stories = { forms, refusals, chunks, watches, wide, kustomize };
