/** From request info to the registry that serves it: what exists, in which scope, with which verbs. */
import type { ResourceDefinition, Subresource, Verb } from '../../schemas/definition.js';
import type { ServiceAccountTokens } from '../auth/service-account-tokens.js';
import { methodNotAllowed, noSuchResource } from '../errors.js';
import type { RequestInfo } from '../request.js';
import type { Registry, ResourceTable } from '../registry/types.js';
import type { Exchange } from './exchange.js';
import type { WatchPump } from './watch-pump.js';

/** What handlers of resource requests share. */
export interface ResourceServer {
  readonly table: ResourceTable;
  readonly pump: WatchPump;
  readonly tokens: ServiceAccountTokens;
}

/** A request whose resource was found. */
export interface ResourceRequest {
  readonly server: ResourceServer;
  readonly exchange: Exchange;
  /** Empty where there is none. */
  readonly body: Buffer;
  readonly registry: Registry;
  readonly definition: ResourceDefinition;
  readonly subresource: Subresource | undefined;
  /** '' for cluster-scoped resources and for requests across all namespaces. */
  readonly namespace: string;
  readonly name: string;
}

/** Whether any resource is served in this group; a path in another one is no API path at all. */
export function knowsGroup(table: ResourceTable, group: string): boolean {
  return group === '' || table.all().some(({ definition }) => definition.group === group);
}

export interface Route {
  readonly registry: Registry;
  readonly subresource: Subresource | undefined;
  readonly namespace: string;
}

/** Throws StatusError 404 or 405. */
export function findRoute(table: ResourceTable, info: RequestInfo): Route {
  const registry = table.find(info.group, info.version, info.resource);
  if (registry === undefined) throw noSuchResource();
  const { definition } = registry;
  const namespace = scopeOf(definition, info);
  if (info.subresource !== '') {
    const subresource = definition.subresources.find(({ name }) => name === info.subresource);
    if (subresource === undefined) throw noSuchResource();
    if (!subresource.verbs.includes(info.verb as Verb)) throw methodNotAllowed();
    return { registry, subresource, namespace };
  }
  if (!definition.verbs.includes(info.verb as Verb) || !fitsPath(definition, info)) throw methodNotAllowed();
  return { registry, subresource: undefined, namespace };
}

/** The namespace to look in. Throws where the path puts a resource in a scope that is not its own. */
function scopeOf(definition: ResourceDefinition, { namespace, name, resource }: RequestInfo): string {
  if (definition.namespaced) {
    if (namespace === '' && name !== '') throw noSuchResource();
    return namespace;
  }
  // Requests for a namespace carry its name as their namespace.
  if (namespace !== '' && (resource !== 'namespaces' || name !== namespace)) throw noSuchResource();
  return '';
}

/** Methods that a collection has and an object has not, and the other way round; all namespaces can only be read. */
function fitsPath({ namespaced }: ResourceDefinition, { verb, name, namespace }: RequestInfo): boolean {
  switch (verb) {
    case 'create':
      return name === '' && (!namespaced || namespace !== '');
    case 'deletecollection':
      return !namespaced || namespace !== '';
    case 'update':
    case 'patch':
      return name !== '';
    default:
      return true;
  }
}
