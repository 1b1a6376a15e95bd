/** A small chart's life. helm 4 applies on the server, helm 3 merges on the client. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stories, Story, StoryUser } from './client-stories.js';

const templates = `apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}"}
data: {mode: "{{ .Values.mode }}"}
---
apiVersion: v1
kind: Secret
metadata: {name: "{{ .Release.Name }}"}
stringData: {t: abc}
---
apiVersion: v1
kind: Service
metadata: {name: "{{ .Release.Name }}"}
spec: {selector: {app: x}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ .Release.Name }}"}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: x}}
  template:
    metadata: {labels: {app: x}}
    spec: {containers: [{name: x, image: nginx}]}
`;

async function chart(user: StoryUser): Promise<void> {
  await mkdir(join(user.folder, 'tiny/templates'), { recursive: true });
  await user.file('tiny/Chart.yaml', 'apiVersion: v2\nname: tiny\nversion: 0.1.0\nappVersion: "1"\n');
  await user.file('tiny/values.yaml', 'mode: dark\nreplicas: 1\n');
  await user.file('tiny/templates/all.yaml', templates);
}

/** How helm tells of a release. */
const release = (namespace: string, revision: number, description: string) => `NAME: one
LAST DEPLOYED: «some»
NAMESPACE: ${namespace}
STATUS: deployed
REVISION: ${revision}
«4.1:DESCRIPTION: ${description}»
TEST SUITE: None`;

interface Served {
  readonly items: readonly {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
    readonly type?: string;
  }[];
}

const life: Story = async (user) => {
  await chart(user);
  const path = (resource: string) => `/api/v1/namespaces/life/${resource}`;
  const configMap = async () => ((await user.send('GET', path('configmaps/one'))) as { data: object }).data;
  const deployment = async () =>
    (
      (await user.send('GET', '/apis/apps/v1/namespaces/life/deployments/one')) as {
        spec: { replicas: number };
      }
    ).spec.replicas;
  await user.prints('install one tiny', release('life', 1, 'Install complete'));
  user.same([await configMap(), await deployment()], [{ mode: 'dark' }, 1], 'installed');
  await user.prints(
    'upgrade one tiny --set mode=light,replicas=3',
    `Release "one" has been upgraded. Happy Helming!\n${release('life', 2, 'Upgrade complete')}`,
  );
  user.same([await configMap(), await deployment()], [{ mode: 'light' }, 3], 'upgraded');
  await user.prints(
    'list',
    'NAME	NAMESPACE	REVISION	UPDATED«some»	STATUS  	CHART     	APP VERSION\none 	life     	2       	«some»	deployed	tiny-0.1.0	1          ',
  );
  await user.prints('rollback one 1', 'Rollback was a success! Happy Helming!');
  user.same([await configMap(), await deployment()], [{ mode: 'dark' }, 1], 'rolled back');
  await user.prints(
    'history one',
    'REVISION	UPDATED                 	STATUS    	CHART     	APP VERSION	DESCRIPTION     \n1       	«some»	superseded	tiny-0.1.0	1          	Install complete\n2       	«some»	superseded	tiny-0.1.0	1          	Upgrade complete\n3       	«some»	deployed  	tiny-0.1.0	1          	Rollback to 1   ',
  );
  await user.prints('status one', `«lines»REVISION: 3\n«lines»`);
  await user.prints('get values one --all', 'COMPUTED VALUES:\nmode: dark\nreplicas: 1');
  const manifest = await user.run('get manifest one');
  user.includes(manifest.stdout, 'kind: Deployment', 'the manifest');
  const { items } = (await user.send('GET', `${path('secrets')}?labelSelector=owner%3Dhelm`)) as Served;
  user.same(
    items.map(({ metadata }) => metadata.name),
    [1, 2, 3].map((revision) => `sh.helm.release.v1.one.v${revision}`),
    'kept in secrets',
  );
  await user.fails(
    'install one tiny',
    '«3.17:Error: INSTALLATION FAILED: cannot re-use a name that is still in use»\n«4.1:level=ERROR msg="release name check failed" error="cannot reuse a name that is still in use"»\n«4.1:Error: INSTALLATION FAILED: release name check failed: cannot reuse a name that is still in use»',
  );
  await user.prints('uninstall one', 'release "one" uninstalled');
  for (const resource of ['configmaps', 'secrets', 'services']) {
    const { items } = (await user.send('GET', path(resource))) as Served;
    const names = items.map(({ metadata }) => metadata.name);
    user.same(names, resource === 'configmaps' ? ['kube-root-ca.crt'] : [], `${resource} are gone`);
  }
  await user.prints('list', 'NAME	NAMESPACE	REVISION	UPDATED	STATUS	CHART	APP VERSION');
};

const refusals: Story = async (user) => {
  await chart(user);
  await user.prints(
    'template one tiny --show-only templates/all.yaml',
    '---\n# Source: tiny/templates/all.yaml\napiVersion: v1\nkind: Secret\n«lines»',
  );
  const tried = await user.run('install one tiny --dry-run=server');
  user.includes(tried.stdout, 'kind: Deployment', 'a dry run on the server');
  user.same(
    ((await user.send('GET', '/api/v1/namespaces/refused/secrets')) as Served).items,
    [],
    'leaves nothing',
  );
  await user.fails(
    'upgrade one tiny',
    '«3.17:Error: UPGRADE FAILED: "one" has no deployed releases»«4.1:Error: UPGRADE FAILED: "one" has no deployed releases»',
  );
  const installed = await user.run('upgrade --install one tiny');
  user.includes(
    installed.stdout,
    'Release "one" does not exist. Installing it now.\nNAME: one\n',
    'upgrade --install',
  );
  // What another made is not helm's.
  await user.send('POST', '/api/v1/namespaces/refused/configmaps', { metadata: { name: 'two' } });
  const taken = await user.run('install two tiny');
  user.same(taken.code, 1, 'what is there already');
  user.includes(
    taken.stderr,
    'ConfigMap "two" in namespace "refused" exists and cannot be imported into the current release: invalid ownership metadata',
    'is not taken over',
  );
  const wrong = await user.run('upgrade one tiny --set replicas=-1');
  user.same(wrong.code, 1, 'what is invalid');
  user.includes(
    wrong.stderr,
    'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    'is refused in the words of the server',
  );
  const waited = user.run('upgrade one tiny --set mode=dim --wait --timeout=20s');
  const path = '/apis/apps/v1/namespaces/refused/deployments/one';
  // The controller's part: a replica set, and a status that says that all is well.
  const { metadata } = (await user.send('GET', path)) as { metadata: { uid: string; generation: number } };
  await user.send(
    'PATCH',
    `${path}/status`,
    {
      status: {
        observedGeneration: metadata.generation,
        replicas: 1,
        updatedReplicas: 1,
        readyReplicas: 1,
        availableReplicas: 1,
        conditions: [
          { type: 'Available', status: 'True' },
          { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
        ],
      },
    },
    'application/merge-patch+json',
  );
  const labels = { app: 'x' };
  await user.send('POST', '/apis/apps/v1/namespaces/refused/replicasets', {
    metadata: {
      name: 'one-1',
      labels,
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'Deployment', name: 'one', uid: metadata.uid, controller: true },
      ],
    },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'x', image: 'nginx', resources: {} }] },
      },
    },
  });
  await user.send(
    'PATCH',
    '/apis/apps/v1/namespaces/refused/replicasets/one-1/status',
    { status: { observedGeneration: 1, replicas: 1, readyReplicas: 1, availableReplicas: 1 } },
    'application/merge-patch+json',
  );
  const { code, stderr } = await waited;
  user.same(code, 0, `--wait sees it ready (${stderr})`);
};

export const HELM: Stories = { life, refused: refusals };
