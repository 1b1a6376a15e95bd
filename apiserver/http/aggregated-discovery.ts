/** All resources in one document (apidiscovery.k8s.io), which newer clients ask for by Accept. */
import type { ResourceDefinition, Subresource } from '../../schemas/definition.js';

export function aggregated(
  groups: ReadonlyMap<string, ReadonlyMap<string, readonly ResourceDefinition[]>>,
  core: boolean,
  version: string,
): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: [...groups]
      .filter(([group]) => (group === '') === core)
      .map(([group, versions]) => ({
        metadata: group === '' ? {} : { name: group },
        versions: [...versions].map(([version, resources]) => ({
          version,
          resources: resources.map(resourceEntry),
          freshness: 'Current',
        })),
      })),
  };
}

function resourceEntry(definition: ResourceDefinition): object {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = definition;
  const subresources = [...definition.subresources].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    resource: plural,
    responseKind: { group: '', version: '', kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(subresources.length === 0
      ? {}
      : { subresources: subresources.map((subresource) => subresourceEntry(subresource, definition)) }),
  };
}

/** Group and version only where they are not the resource's own. */
function subresourceEntry({ name, kind, verbs }: Subresource, own: ResourceDefinition): object {
  const elsewhere = kind !== undefined && (kind.group !== own.group || kind.version !== own.version);
  return {
    subresource: name,
    responseKind: {
      group: elsewhere ? kind.group : '',
      version: elsewhere ? kind.version : '',
      kind: kind?.kind ?? own.kind,
    },
    verbs,
  };
}
