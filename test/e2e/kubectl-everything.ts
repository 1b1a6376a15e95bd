/**
 * Every kind that is served, from a manifest of test/fixtures/manifests: created, listed, described and deleted, each in
 * one command for all of them. On a server of its own, since webhooks, policies and API services are among them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ResourceDefinition } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import { facts, skip } from '../schemas/facts.js';
import { repository } from '../tools/wherry.js';
import type { Stories, Story, StoryUser } from './client-stories.js';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
}

const folder = join(repository, 'test', 'fixtures', 'manifests');

const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'x', image: 'x' }] } };

/** Kinds that have no file there, or one that asks for other objects or has a name that no pattern finds. */
const others: Readonly<Record<string, object>> = {
  ConfigMap: { data: { a: 'b' } },
  Secret: { stringData: { a: 'b' } },
  ServiceAccount: {},
  Namespace: {},
  Node: {},
  Pod: { spec: template.spec },
  Service: { spec: { ports: [{ port: 80 }] } },
  Event: { involvedObject: { kind: 'Pod', name: 'x', namespace: 'everything' }, reason: 'Some' },
  Deployment: { spec: { selector: { matchLabels: { app: 'x' } }, template } },
  ReplicaSet: { spec: { selector: { matchLabels: { app: 'x' } }, template } },
  Lease: { spec: { holderIdentity: 'me' } },
  ClusterRole: { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  Role: { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  ClusterRoleBinding: { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'x' } },
  RoleBinding: { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'x' } },
  StorageClass: { provisioner: 'example.com/disk' },
  PriorityClass: { value: 7 },
};

const apiVersionOf = ({ group, version }: ResourceDefinition) =>
  group === '' ? version : `${group}/${version}`;

const written = readdirSync(folder)
  .filter((file) => file.endsWith('-good.yaml'))
  .map((file) => parse(readFileSync(join(folder, file), 'utf8')) as Manifest);

const listed = builtinResources.filter(({ verbs }) => verbs.includes('list'));
const created = listed.filter(({ verbs }) => verbs.includes('create'));

/** By what they do to other requests: these come when the others have gone. */
const meddles = ({ group, plural }: ResourceDefinition) =>
  /^(?:admission|api)registration\.k8s\.io$/.test(group) || /^(?:limitranges|resourcequotas)$/.test(plural);

/** Told apart from what a server makes of itself by its label; nothing keeps it from going. */
function manifestOf(resource: ResourceDefinition): Manifest {
  const { kind, singular } = resource;
  const apiVersion = apiVersionOf(resource);
  const plain = others[kind];
  const body =
    plain === undefined
      ? written.find((each) => each.apiVersion === apiVersion && each.kind === kind)
      : { apiVersion, kind, metadata: { name: `some-${singular}` }, ...plain };
  if (body === undefined) throw new Error(`no manifest of ${apiVersion} ${kind}`);
  return { ...body, metadata: { ...body.metadata, labels: { story: 'everything' }, finalizers: [] } };
}

/** As kubectl takes it, whatever other groups and versions have of the same name. */
const argumentOf = ({ plural, version, group }: ResourceDefinition) => `${plural}.${version}.${group}`;

/** The heads of tables, one for each kind in turn. */
function heads(resources: readonly ResourceDefinition[], wide: boolean): string[][] {
  const columns = facts('table-columns.json') as Record<
    string,
    readonly { readonly name: string; readonly priority: number }[]
  >;
  return resources.map((resource) => {
    const { group, plural } = resource;
    const path = `/${group === '' ? 'api' : 'apis'}/${apiVersionOf(resource)}/${plural}`;
    const names = (columns[path] ?? []).filter(({ priority }) => wide || priority === 0);
    return ['Namespace', ...names.map(({ name }) => name)].map((name) => name.toUpperCase());
  });
}

async function lives(user: StoryUser, resources: readonly ResourceDefinition[]): Promise<void> {
  const manifests = resources.map(manifestOf);
  const made = await user.run('create -f -', {
    input: manifests.map((manifest) => JSON.stringify(manifest)).join('\n'),
  });
  user.same(made.code, 0, `create (${made.stderr})`);
  const references = resources.map(
    ({ singular, group }, at) =>
      `${group === '' ? singular : `${singular}.${group}`}/${manifests[at]?.metadata.name}`,
  );
  user.same(
    made.stdout.trimEnd().split('\n'),
    references.map((reference) => `${reference} created`),
    'all are created',
  );

  const all = resources.map(argumentOf).join();
  for (const [form, wide] of [
    ['', false],
    [' -o wide', true],
  ] as const) {
    const { code, stdout, stderr } = await user.run(`get ${all} -A -l story=everything${form}`);
    user.same([code, stderr.replace(/^Warning: .*\n/gm, '')], [0, ''], `get${form} of each kind`);
    const tables = stdout.trimEnd().split('\n\n');
    if (skip === false) {
      user.same(
        tables.map((table) => table.split('\n', 1)[0]?.trimEnd().split(/ {3,}/)),
        heads(resources, wide),
        `get${form}: the published columns`,
      );
    }
    const rows = tables.map((table) => table.split('\n').slice(1));
    for (const [at, reference] of references.entries()) {
      const [row = '', ...more] = rows[at] ?? [];
      // A table of events has no names.
      const name = resources[at]?.kind === 'Event' && !wide ? 'pod/x' : reference;
      user.same([row.split(/ +/).includes(name), more], [true, []], `get${form}: ${reference}`);
    }
  }

  const described = await user.run(`describe ${all} -A -l story=everything`);
  user.same(
    [described.code, described.stderr.replace(/^Warning: .*\n/gm, '')],
    [0, ''],
    'describe of each kind',
  );
  for (const { kind, metadata } of manifests) {
    user.matches(described.stdout, new RegExp(`^Name: +${metadata.name}$`, 'm'), `describe: the ${kind}`);
  }

  const deleted = await user.run(`delete ${all} -A -l story=everything --timeout=60s`);
  user.same(deleted.code, 0, `delete (${deleted.stderr})`);
  user.same(deleted.stdout.trimEnd().split('\n').length, resources.length, 'delete of each kind');
  const left = await user.run(`get ${all} -A -l story=everything`);
  user.same([left.code, left.stdout], [0, ''], 'nothing is left');
}

const everything: Story = async (user) => {
  // Events are served in two groups, and autoscalers in two versions, from one store: the first of each.
  const stores = created.map(({ etcdPrefix }) => etcdPrefix);
  const once = created.filter(({ etcdPrefix }, at) => stores.indexOf(etcdPrefix) === at);
  await lives(
    user,
    once.filter((resource) => !meddles(resource)),
  );
  await lives(user, once.filter(meddles));
};

const all: Story = async (user) => {
  await user.prints('create deployment web --image=x', 'deployment.apps/web created');
  await user.prints('run one --image=x', 'pod/one created');
  await user.prints(
    'get all -A --field-selector metadata.namespace=all',
    `
      NAMESPACE   NAME      READY   STATUS    RESTARTS   AGE
      all         pod/one   0/1     Pending   0          «age»

      NAMESPACE   NAME                  READY   UP-TO-DATE   AVAILABLE   AGE
      all         deployment.apps/web   0/1     0            0           «age»
    `,
  );
  const { stdout } = await user.run('get all -A -o name');
  user.includes(stdout, 'service/kubernetes\n', 'in all namespaces');
  // What a new server has of each kind.
  const every = listed.map(argumentOf).join();
  for (const form of ['', ' -o wide', ' -o name', ' -o yaml']) {
    const { code, stderr } = await user.run(`get ${every} -A${form}`);
    user.same([code, stderr.replace(/^Warning: .*\n/gm, '')], [0, ''], `get of everything${form}`);
  }
};

export const EVERYTHING: Stories = { everything, all };
