/** Server-side `apply`: who owns which field, what conflicts, and how objects come over from client-side `apply`. */
import type { Stories, Story, StoryUser } from './client-stories.js';

const settings = (data?: Record<string, string>) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data });

const web = (fields: object, container: object = { name: 'web', image: 'nginx:1' }) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      ...fields,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } },
    },
  });

const conflicts = (said: string) => `error: Apply failed with ${said}
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`;

const applied = 'configmap/settings serverside-applied';

/** `manager:operation` of each entry. */
const managersOf = async (user: StoryUser, what: string): Promise<string[]> => {
  const { stdout } = await user.run(
    `get ${what} --show-managed-fields -o jsonpath='{range .metadata.managedFields[*]}{.manager}:{.operation}:{.subresource} {end}'`,
  );
  return stdout.trim().split(' ').sort();
};

const owners: Story = async (user) => {
  const input = settings({ mode: 'dark' });
  await user.prints('apply --server-side -f - --dry-run=server', `${applied} (server dry run)`, { input });
  await user.fails('get configmap settings', 'Error from server (NotFound): configmaps "settings" not found');
  await user.prints('apply --server-side -f -', applied, { input });
  const { stdout: version } = await user.run(
    "get configmap settings -o jsonpath='{.metadata.resourceVersion}'",
  );
  await user.prints('apply --server-side -f -', applied, { input });
  await user.prints("get configmap settings -o jsonpath='{.metadata.resourceVersion}'", version);
  await user.prints(
    'get configmap settings -o yaml --show-managed-fields',
    `
      apiVersion: v1
      data:
        mode: dark
      kind: ConfigMap
      metadata:
        creationTimestamp: "«time»"
        managedFields:
        - apiVersion: v1
          fieldsType: FieldsV1
          fieldsV1:
            f:data:
              f:mode: {}
          manager: kubectl
          operation: Apply
          time: "«time»"
        name: settings
        namespace: owners
        resourceVersion: "«number»"
        uid: «uid»
    `,
  );
  await user.prints('apply --server-side -f -', applied, { input: settings({ mode: 'light', size: 'big' }) });
  await user.prints("get configmap settings -o jsonpath='{.data}'", '{"mode":"light","size":"big"}');
  // What is no longer applied goes, unless somebody else has it too.
  await user.prints('apply --server-side --field-manager=other -f -', applied, {
    input: settings({ mode: 'light' }),
  });
  await user.prints('apply --server-side -f -', applied, { input: settings() });
  await user.prints("get configmap settings -o jsonpath='{.data}'", '{"mode":"light"}');
  user.same(
    await managersOf(user, 'configmap settings'),
    ['other:Apply:'],
    'who owns nothing any more is not kept',
  );
  // To own the map is not to own what is in it.
  await user.prints('apply --server-side -f -', applied, { input: settings({}) });
  await user.prints('apply --server-side --field-manager=other -f -', applied, { input: settings({}) });
  await user.prints("get configmap settings -o jsonpath='{.data}'", '');
  user.same(await managersOf(user, 'configmap settings'), ['kubectl:Apply:', 'other:Apply:'], 'of the map');
};

const conflicting: Story = async (user) => {
  await user.prints('apply --server-side --field-manager=first -f -', applied, {
    input: settings({ mode: 'dark', size: 'big' }),
  });
  const one = { input: settings({ mode: 'light' }) };
  await user.fails(
    'apply --server-side -f -',
    conflicts('1 conflict: conflict with "first": .data.mode'),
    one,
  );
  await user.fails(
    'apply --server-side -f - --dry-run=server',
    conflicts('1 conflict: conflict with "first": .data.mode'),
    one,
  );
  await user.fails(
    'apply --server-side -f -',
    conflicts('2 conflicts: conflicts with "first":\n- .data.mode\n- .data.size'),
    {
      input: settings({ mode: 'light', size: 'small' }),
    },
  );
  await user.prints(
    'apply --server-side --force-conflicts -f - --dry-run=server',
    `${applied} (server dry run)`,
    one,
  );
  await user.prints("get configmap settings -o jsonpath='{.data.mode}'", 'dark');
  await user.prints('apply --server-side --force-conflicts -f -', applied, one);
  await user.prints("get configmap settings -o jsonpath='{.data}'", '{"mode":"light","size":"big"}');
  await user.prints(
    "get configmap settings --show-managed-fields -o jsonpath='{range .metadata.managedFields[*]}{.manager} {.fieldsV1}{end}'",
    'first {"f:data":{"f:size":{}}}kubectl {"f:data":{"f:mode":{}}}',
  );
  // The same value is no conflict, and makes two owners.
  await user.prints('apply --server-side --field-manager=second -f -', applied, one);
  user.same(
    await managersOf(user, 'configmap settings'),
    ['first:Apply:', 'kubectl:Apply:', 'second:Apply:'],
    'three',
  );
  await user.fails(
    'apply --server-side --field-manager=first -f -',
    conflicts('2 conflicts: conflicts with "kubectl":\n- .data.mode\nconflicts with "second":\n- .data.mode'),
    {
      input: settings({ mode: 'dim', size: 'big' }),
    },
  );

  // Those who do not apply are named with the version that they used.
  await user.prints(
    `patch configmap settings --type=merge -p '{"data":{"size":"huge"}}'`,
    'configmap/settings patched',
  );
  await user.fails(
    'apply --server-side --field-manager=first -f -',
    conflicts('1 conflict: conflict with "kubectl-patch" using v1: .data.size'),
    {
      input: settings({ size: 'tiny' }),
    },
  );
  await user.prints('annotate configmap settings note=x', 'configmap/settings annotated');
  await user.prints('label configmap settings l=x --field-manager=labeller', 'configmap/settings labeled');
  user.same(
    (await managersOf(user, 'configmap settings')).filter((owner) => owner.endsWith(':Update:')),
    ['kubectl-annotate:Update:', 'kubectl-patch:Update:', 'labeller:Update:'],
    'each command is a manager',
  );
  await user.fails(
    'apply --server-side --force-conflicts=false --field-manager= -f -',
    'The PatchOptions "" is invalid: fieldManager: Required value: is required for apply patch',
    one,
  );
  await user.fails(
    'apply --force-conflicts -f -',
    'error: --force-conflicts only works with --server-side',
    one,
  );
  await user.fails(
    'apply --server-side --force -f -',
    'error: --force cannot be used with --server-side',
    one,
  );
};

const workload: Story = async (user) => {
  const done = 'deployment.apps/web serverside-applied';
  await user.prints('apply --server-side -f -', done, { input: web({ replicas: 1 }) });
  // Scaling takes the number over; who applies without it leaves it be.
  await user.prints('scale deployment web --replicas=5', 'deployment.apps/web scaled');
  await user.fails(
    'apply --server-side -f -',
    conflicts('1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas'),
    { input: web({ replicas: 1 }) },
  );
  await user.prints('apply --server-side -f -', done, { input: web({}) });
  await user.prints("get deployment web -o jsonpath='{.spec.replicas}'", '5');
  // Lists are owned by item.
  await user.prints('apply --server-side --field-manager=sidecar -f -', done, {
    input: web({}, { name: 'side', image: 's' }),
  });
  await user.prints("get deployment web -o jsonpath='{.spec.template.spec.containers[*].name}'", 'web side');
  await user.prints('set image deployment/web web=nginx:2', 'deployment.apps/web image updated');
  await user.fails(
    'apply --server-side -f -',
    conflicts(
      '1 conflict: conflict with "kubectl-set" using apps/v1: .spec.template.spec.containers[name="web"].image',
    ),
    { input: web({}) },
  );
  await user.prints('apply --server-side --force-conflicts -f -', done, { input: web({}) });
  await user.prints('apply --server-side --field-manager=sidecar -f -', done, { input: web({}) });
  await user.prints(
    "get deployment web -o jsonpath='{.spec.template.spec.containers[*].name} {.metadata.generation}'",
    'web 6',
  );
  await user.fails(
    'apply --server-side -f -',
    'Error from server: failed to create typed patch object (workload/web; apps/v1, Kind=Deployment): .spec.nope: field not declared in schema',
    { input: web({ nope: 1 }) },
  );
  await user.fails(
    'apply --server-side --force-conflicts -f -',
    'The Deployment "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    { input: web({ replicas: -1 }) },
  );
  // The status is another part, with owners of its own.
  const status = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    status: { replicas: 2 },
  };
  await user.prints('apply --server-side --subresource=status --field-manager=controller -f -', done, {
    input: JSON.stringify(status),
  });
  user.same(
    (await managersOf(user, 'deployment web')).includes('controller:Apply:status'),
    true,
    'of the status',
  );
  await user.prints("get deployment web -o jsonpath='{.status.replicas} {.spec.replicas}'", '2 5');
};

const migration: Story = async (user) => {
  const input = settings({ mode: 'dark' });
  await user.prints('apply -f -', 'configmap/settings created', { input });
  user.same(
    await managersOf(user, 'configmap settings'),
    ['kubectl-client-side-apply:Update:'],
    'from the client',
  );
  await user.fails(
    'apply --server-side --field-manager=stranger -f -',
    conflicts('1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.mode'),
    {
      input: settings({ mode: 'light' }),
    },
  );
  // What client-side apply had is kubectl's, by patching managedFields.
  await user.prints('apply --server-side -f -', applied, { input });
  user.same(
    await managersOf(user, 'configmap settings'),
    ['kubectl-last-applied:Apply:', 'kubectl:Apply:'],
    'from the server',
  );
  await user.prints('apply --server-side -f -', applied, { input: settings({ mode: 'light' }) });
  await user.prints("get configmap settings -o jsonpath='{.data.mode}'", 'light');
  // And back, for a while: the annotation has been kept.
  await user.prints(
    'apply view-last-applied configmap settings -o json',
    '{\n  "apiVersion": "v1",\n  "data": {\n    "mode": "light"\n  },\n  "kind": "ConfigMap",\n  "metadata": {\n    "name": "settings",\n    "namespace": "migration"\n  }\n}',
  );
  await user.prints('apply -f -', 'configmap/settings configured', { input: settings({ mode: 'dim' }) });
  await user.prints("get configmap settings -o jsonpath='{.data.mode}'", 'dim');
};

const differences: Story = async (user) => {
  await user.prints('apply --server-side -f -', applied, { input: settings({ mode: 'dark' }) });
  await user.prints('diff --server-side -f -', '', { input: settings({ mode: 'dark' }) });
  await user.prints(
    'diff --server-side -f -',
    `
      diff -u -N «some»/v1.ConfigMap.differences.settings «some»/v1.ConfigMap.differences.settings
      --- «some»
      +++ «some»
      @@ -1,6 +1,6 @@
       apiVersion: v1
       data:
      -  mode: dark
      +  mode: light
       kind: ConfigMap
       metadata:
         creationTimestamp: "«time»"
    `,
    { code: 1, input: settings({ mode: 'light' }) },
  );
  const shown = await user.run('diff --server-side --show-managed-fields --field-manager=other -f -', {
    input: settings({ mode: 'dark' }),
  });
  user.same(shown.code, 1, 'another owner is a difference');
  user.includes(shown.stdout, '+    manager: other\n', 'of managedFields');
  await user.fails(
    'diff --server-side --field-manager=other -f -',
    `W«some» Object (/v1, Kind=ConfigMap: settings) keeps changing, diffing without lock
Error from server (Conflict): Apply failed with 1 conflict: conflict with "kubectl": .data.mode`,
    {
      code: 2,
      input: settings({ mode: 'light' }),
    },
  );
};

const applySets: Story = async (user) => {
  const env = { KUBECTL_APPLYSET: 'true' };
  const named = (name: string) => settings({ a: 'b' }).replace('"settings"', JSON.stringify(name));
  await user.file('two.json', named('one') + named('two'));
  await user.file('one.json', named('one'));
  const set = '-n apply-sets --server-side --prune --applyset=secret/members';
  const done = (...names: string[]) => names.map((name) => `configmap/${name} serverside-applied`).join('\n');
  await user.prints(`apply -f two.json ${set}`, done('one', 'two'), { env });
  await user.prints(
    "get secret members -o jsonpath='{.metadata.annotations}'",
    '{"applyset.kubernetes.io/additional-namespaces":"","applyset.kubernetes.io/contains-group-kinds":"ConfigMap","applyset.kubernetes.io/tooling":"«some»"}',
  );
  await user.prints(`apply -f one.json ${set}`, `${done('one')}\nconfigmap/two pruned`, { env });
  await user.prints('get configmaps -o name', 'configmap/kube-root-ca.crt\nconfigmap/one');
};

export const SERVER_SIDE: Stories = {
  owners,
  conflicting,
  workload,
  migration,
  differences,
  'apply-sets': applySets,
};
