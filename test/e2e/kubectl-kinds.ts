/** `api-resources` and `explain` of every kind: all that a published 1.36 says of those that are served, and nothing else. */
import { builtinResources } from '../../schemas/index.js';
import type { ResourceDefinition } from '../../schemas/definition.js';
import { facts, skip } from '../schemas/facts.js';
import { explainedFields, type PublishedSchema, type PublishedSchemas } from '../tools/explained.js';
import type { Stories, Story, StoryUser } from './client-stories.js';

interface Discovered {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly verbs: readonly string[];
  readonly categories?: readonly string[];
}

/** As recorded: by path, the groups and the resources of each version. */
interface Discovery {
  readonly '/apis': {
    readonly groups: readonly { readonly preferredVersion: { readonly groupVersion: string } }[];
  };
  readonly [path: string]: unknown;
}

const pathOf = (groupVersion: string) => (groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`);
const groupVersionOf = ({ group, version }: ResourceDefinition) =>
  group === '' ? version : `${group}/${version}`;

/** What is served, by `group/version` and name, so that those who add a kind need not add it here. */
const served = new Set(builtinResources.map((resource) => `${groupVersionOf(resource)} ${resource.plural}`));

/** The rows of `api-resources -o wide`, as kubectl sorts them: of each group its preferred version. */
function recordedRows(): string[][] {
  const discovery = facts('legacy-discovery.json') as Discovery;
  const versions = [
    'v1',
    ...discovery['/apis'].groups.map(({ preferredVersion }) => preferredVersion.groupVersion),
  ];
  return versions
    .sort((a, b) => (groupOf(a) < groupOf(b) ? -1 : 1))
    .flatMap((groupVersion) => {
      const { resources = [] } = (discovery[pathOf(groupVersion)] ?? {}) as {
        resources?: readonly Discovered[];
      };
      return resources
        .filter(({ name }) => served.has(`${groupVersion} ${name}`))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, shortNames = [], namespaced, kind, verbs, categories = [] }) => [
          name,
          shortNames.join(','),
          groupVersion,
          String(namespaced),
          kind,
          verbs.join(','),
          categories.join(','),
        ]);
    });
}

const groupOf = (groupVersion: string) => (groupVersion.includes('/') ? groupVersion : '');

/** As kubectl prints it: each column as wide as its widest cell and three spaces, the last as it is. */
function table(rows: readonly (readonly string[])[]): string {
  const width = (at: number) => Math.max(...rows.map((row) => row[at]?.length ?? 0)) + 3;
  const widths = rows[0]?.map((_, at) => width(at)) ?? [];
  return rows
    .map((row) =>
      row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join(''),
    )
    .join('\n');
}

const HEAD = ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND', 'VERBS', 'CATEGORIES'];

const resources: Story = async (user) => {
  const rows = recordedRows();
  const preferred = new Set(rows.map(([name, , groupVersion]) => `${groupVersion} ${name}`));
  const others = [...served].filter((name) => !preferred.has(name));
  user.same(
    others,
    ['autoscaling/v1 horizontalpodautoscalers'],
    'all that is served, but for an older version',
  );
  await user.prints('api-resources -o wide', table([HEAD, ...rows]));
  await user.prints('api-resources', table([HEAD, ...rows].map((row) => row.slice(0, 5))));
  const full = (name = '', groupVersion = '') =>
    groupVersion.includes('/') ? `${name}.${groupVersion.split('/')[0]}` : name;
  for (const namespaced of ['true', 'false']) {
    await user.prints(
      `api-resources --namespaced=${namespaced} -o name`,
      rows
        .filter((row) => row[3] === namespaced)
        .map(([name, , groupVersion]) => full(name, groupVersion))
        .join('\n'),
    );
  }
};

/** How the kubectl that is not asked for all of them is asked: kinds whose document has something of its own. */
const SAMPLE = [
  'bindings',
  'customresourcedefinitions',
  'deployments',
  'horizontalpodautoscalers',
  'tokenreviews',
];

const explainsAtATime = 4;

const explains: Story = async (user) => {
  const schemas = facts('schemas.json') as PublishedSchemas;
  const asked = builtinResources.filter(({ plural }) => user.newest || SAMPLE.includes(plural));
  const left = [...asked];
  const one = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await explain(user, schemas, next);
  };
  await Promise.all(Array.from({ length: explainsAtATime }, one));
};

async function explain(
  user: StoryUser,
  schemas: PublishedSchemas,
  resource: ResourceDefinition,
): Promise<void> {
  const { group, version, kind, plural } = resource;
  const schema = Object.values(schemas).find(({ 'x-kubernetes-group-version-kind': kinds }) =>
    kinds?.some((each) => each.group === group && each.version === version && each.kind === kind),
  );
  // `events.events.k8s.io` would be read as a field of events.
  const what = `explain ${plural} --api-version=${groupVersionOf(resource)}`;
  const head = `${group === '' ? '' : `GROUP:      ${group}\n`}KIND:       ${kind}\nVERSION:    ${version}\n\nDESCRIPTION:\n`;
  for (const recursive of [true, false]) {
    const command = recursive ? `${what} --recursive` : what;
    const { code, stdout, stderr } = await user.run(command);
    user.same([code, stderr], [0, ''], command);
    user.same(stdout.startsWith(head), true, `${command}: its kind`);
    const [about = '', fields = ''] = stdout.slice(head.length).split('FIELDS:\n');
    user.matches(about, /^ {4}\w/, `${command}: what it is`);
    user.same(
      fields.split('\n').filter((line) => (recursive ? line !== '' : /^ {2}\S/.test(line))),
      explainedFields(schemas, schema ?? {}, recursive),
      `${command}: every published field`,
    );
  }
}

/** The form before it, from the document of OpenAPI 2 as protobuf; its types are other words, its names are the same. */
const olderExplains: Story = async (user) => {
  const schemas = facts('schemas.json') as PublishedSchemas;
  const fieldNames = (lines: readonly string[], spaces: number) =>
    lines.flatMap((line) => {
      const [, indentation = '', name] = /^( *)(\S+)\t</.exec(line) ?? [];
      return name === undefined ? [] : [`${indentation.length / spaces} ${name}`];
    });
  for (const plural of ['pods', 'poddisruptionbudgets', 'ingresses', 'leases']) {
    const resource = builtinResources.find((each) => each.plural === plural);
    const schema: PublishedSchema | undefined = Object.values(schemas).find(
      ({ 'x-kubernetes-group-version-kind': kinds }) => kinds?.some(({ kind }) => kind === resource?.kind),
    );
    const command = `explain ${plural} --output=plaintext-openapiv2 --recursive`;
    const { code, stdout, stderr } = await user.run(command);
    user.same([code, stderr], [0, ''], command);
    user.same(
      fieldNames(stdout.split('\n'), 3),
      fieldNames(explainedFields(schemas, schema ?? {}, true), 2),
      `${command}: every published field`,
    );
  }
};

/** None where what was recorded is not there. */
export const KINDS: Stories =
  skip === false
    ? {
        'kinds-resources': resources,
        'kinds-explained': explains,
        'kinds-explained-before': olderExplains,
      }
    : {};
