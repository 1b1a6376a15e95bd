/** Which groups, versions and resources there are: the documents that every client reads before anything else. */
import { createHash } from 'node:crypto';
import type { ResourceDefinition } from '../../schemas/definition.js';
import type { ResourceTable } from '../registry/types.js';
import { aggregated } from './aggregated-discovery.js';

export interface DiscoveryDocument {
  /** With a newline at its end. */
  readonly json: Buffer;
  /** Quoted, for ETag; of the JSON without the newline. */
  readonly etag: string;
}

/** `apps/v1`, `v1`. */
export const groupVersionOf = ({
  group,
  version,
}: {
  readonly group: string;
  readonly version: string;
}): string => (group === '' ? version : `${group}/${version}`);

/** Definitions by group and then version, groups and versions in the table's order. */
export function groupsOf(table: ResourceTable): Map<string, Map<string, ResourceDefinition[]>> {
  const groups = new Map<string, Map<string, ResourceDefinition[]>>();
  for (const { definition } of table.all()) {
    const versions = groups.get(definition.group) ?? new Map<string, ResourceDefinition[]>();
    groups.set(definition.group, versions);
    const resources = versions.get(definition.version) ?? [];
    versions.set(definition.version, resources);
    resources.push(definition);
  }
  for (const versions of groups.values()) {
    for (const resources of versions.values()) resources.sort((a, b) => (a.plural < b.plural ? -1 : 1));
  }
  return groups;
}

/**
 * All discovery documents, made on first use and again after the table has changed. `serverAddress`: host and port by
 * which clients reach this server.
 */
export class Discovery {
  #documents = new Map<string, DiscoveryDocument | undefined>();

  constructor(
    private readonly table: ResourceTable,
    private readonly serverAddress: () => string,
  ) {
    table.onChange(() => this.#documents.clear());
  }

  /** The legacy document at a path (no trailing slash), undefined where there is none. */
  legacy(path: string): DiscoveryDocument | undefined {
    return this.#cached(path, () => this.#legacy(path));
  }

  /** The aggregated document of `/api` or `/apis`. `version`: v2 or v2beta1. */
  aggregated(path: '/api' | '/apis', version: string): DiscoveryDocument {
    const document = this.#cached(`${path} ${version}`, () =>
      aggregated(groupsOf(this.table), path === '/api', version),
    );
    return document as DiscoveryDocument;
  }

  /** Paths of all legacy documents. */
  paths(): string[] {
    const paths = ['/api', '/apis'];
    for (const [group, versions] of groupsOf(this.table)) {
      const root = group === '' ? '/api' : `/apis/${group}`;
      if (group !== '') paths.push(root);
      for (const version of versions.keys()) paths.push(`${root}/${version}`);
    }
    return paths;
  }

  #cached(key: string, make: () => object | undefined): DiscoveryDocument | undefined {
    if (this.#documents.has(key)) return this.#documents.get(key);
    const value = make();
    // What is not there is not remembered: paths are the client's, and there are as many as it likes.
    if (value === undefined) return undefined;
    const text = JSON.stringify(value);
    const etag = `"${createHash('sha512').update(text).digest('hex').toUpperCase()}"`;
    const document = { json: Buffer.from(`${text}\n`), etag };
    this.#documents.set(key, document);
    return document;
  }

  #legacy(path: string): object | undefined {
    const groups = groupsOf(this.table);
    if (path === '/api') return this.#apiVersions(groups.get(''));
    if (path === '/apis') return groupList(groups);
    const [, prefix, first = '', second, ...rest] = path.split('/');
    if (rest.length > 0) return undefined;
    if (prefix === 'api') {
      const resources = second === undefined ? groups.get('')?.get(first) : undefined;
      // The oldest of these documents has no apiVersion.
      return resources === undefined ? undefined : this.#resourceList(first, resources, {});
    }
    if (prefix !== 'apis' || first === '') return undefined;
    const versions = groups.get(first);
    if (versions === undefined) return undefined;
    if (second === undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(first, versions) };
    const resources = versions.get(second);
    return resources === undefined
      ? undefined
      : this.#resourceList(`${first}/${second}`, resources, { apiVersion: 'v1' });
  }

  #resourceList(
    groupVersion: string,
    resources: readonly ResourceDefinition[],
    header: { readonly apiVersion?: string },
  ): object {
    return {
      kind: 'APIResourceList',
      ...header,
      groupVersion,
      resources: resources.flatMap((definition) => [
        resourceEntry(definition, this.#storedAs(definition)),
        ...subresourceEntries(definition),
      ]),
    };
  }

  /** Resources of several versions or groups share their keys in the store, in the form of the first of them. */
  #storedAs(definition: ResourceDefinition): ResourceDefinition {
    const { etcdPrefix, kind } = definition;
    const first = this.table
      .all()
      .find((registry) => registry.definition.etcdPrefix === etcdPrefix && registry.definition.kind === kind);
    return first?.definition ?? definition;
  }

  #apiVersions(versions: ReadonlyMap<string, unknown> | undefined): object {
    return {
      kind: 'APIVersions',
      versions: [...(versions?.keys() ?? [])],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: this.serverAddress() }],
    };
  }
}

function groupList(groups: ReadonlyMap<string, ReadonlyMap<string, unknown>>): object {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: [...groups].filter(([name]) => name !== '').map(([name, versions]) => apiGroup(name, versions)),
  };
}

function apiGroup(name: string, versions: ReadonlyMap<string, unknown>): object {
  const all = [...versions.keys()].map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: all, preferredVersion: all[0] };
}

function resourceEntry(definition: ResourceDefinition, storedAs: ResourceDefinition): object {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories, virtual } = definition;
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(virtual ? {} : { storageVersionHash: storageVersionHash(storedAs) }),
  };
}

function subresourceEntries({
  plural,
  namespaced,
  kind,
  subresources,
  ...own
}: ResourceDefinition): object[] {
  const sorted = [...subresources].sort((a, b) => (a.name < b.name ? -1 : 1));
  return sorted.map((subresource) => {
    const other = subresource.kind;
    const elsewhere = other !== undefined && groupVersionOf(other) !== groupVersionOf(own);
    return {
      name: `${plural}/${subresource.name}`,
      singularName: '',
      namespaced,
      ...(elsewhere ? { group: other.group, version: other.version } : {}),
      kind: other?.kind ?? kind,
      verbs: subresource.verbs,
    };
  });
}

/**
 * Changes when objects are stored in another version: the first 8 bytes of a SHA-256 over what they are stored as, which is
 * told as upstream stores them.
 */
function storageVersionHash({ group, version, kind, storageVersion = version }: ResourceDefinition): string {
  const hash = createHash('sha256').update(`${group}/${storageVersion}/${kind}`).digest();
  return hash.subarray(0, 8).toString('base64');
}
