/** What there is to ask for: every resource that discovery names, with its schema. */
import type { ResourceDefinition } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import { fetchOnce } from './endpoints.js';

export interface Target {
  readonly definition: ResourceDefinition;
  readonly verbs: readonly string[];
  readonly subresources: readonly { readonly name: string; readonly verbs: readonly string[] }[];
}

export interface Catalogue {
  readonly targets: readonly Target[];
  /** Everything that is no resource, as `/` lists it. */
  readonly paths: readonly string[];
}

interface Entry {
  readonly name: string;
  readonly verbs: readonly string[];
}

/** Asks the server. */
export async function readCatalogue(server: string): Promise<Catalogue> {
  const get = async <T>(path: string): Promise<T> =>
    JSON.parse((await fetchOnce(server + path)).body.toString()) as T;
  const { paths } = await get<{ paths: string[] }>('/');
  const targets: Target[] = [];
  for (const path of paths.filter((path) => /^\/(?:api|apis\/[^/]+)\/[^/]+$/.test(path))) {
    const { resources } = await get<{ resources: Entry[] }>(path);
    const [version = '', group = ''] = path.split('/').slice(2).toReversed();
    for (const { name, verbs } of resources.filter(({ name }) => !name.includes('/'))) {
      targets.push({
        definition: definitionOf(group, version, name),
        verbs,
        subresources: resources
          .filter((entry) => entry.name.startsWith(`${name}/`))
          .map((entry) => ({ name: entry.name.slice(name.length + 1), verbs: entry.verbs })),
      });
    }
  }
  return { targets, paths };
}

function definitionOf(group: string, version: string, plural: string): ResourceDefinition {
  const found = builtinResources.find(
    (definition) =>
      definition.group === group && definition.version === version && definition.plural === plural,
  );
  if (found === undefined) throw new Error(`no schema of ${plural}.${version}.${group}`);
  return found;
}

export const groupPath = ({ group, version }: ResourceDefinition): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`;

export const apiVersion = ({ group, version }: ResourceDefinition): string =>
  group === '' ? version : `${group}/${version}`;
