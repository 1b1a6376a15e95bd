/** Every resource request: found, then handed to the handler of its verb or subresource. */
import type { Exchange } from './exchange.js';
import { createBindingByBody } from './command-handlers.js';
import { get, list, watch } from './read-handlers.js';
import { findRoute, type ResourceRequest, type ResourceServer } from './resource-request.js';
import { subresourceHandler } from './subresource-handlers.js';
import { create, patch, remove, removeCollection, update } from './write-handlers.js';

type Handler = (request: ResourceRequest) => Promise<void>;

const handlers: ReadonlyMap<string, Handler> = new Map([
  ['get', get],
  ['list', list],
  ['watch', watch],
  ['create', create],
  ['update', update],
  ['patch', patch],
  ['delete', remove],
  ['deletecollection', removeCollection],
]);

/** Throws StatusError. */
export function serveResource(server: ResourceServer, exchange: Exchange, body: Buffer): Promise<void> {
  const request = resourceRequest(server, exchange, body);
  const handler = handlerOf(request);
  const { deprecation } = request.definition;
  if (deprecation !== undefined) exchange.warnings.push(deprecation);
  return handler(request);
}

/** Throws StatusError 404 or 405. */
export function resourceRequest(server: ResourceServer, exchange: Exchange, body: Buffer): ResourceRequest {
  const { registry, subresource, namespace } = findRoute(server.table, exchange.info);
  const { definition } = registry;
  return { server, exchange, body, registry, definition, subresource, namespace, name: exchange.info.name };
}

function handlerOf({ exchange, definition, subresource }: ResourceRequest): Handler {
  const { verb } = exchange.info;
  if (subresource !== undefined) return subresourceHandler(definition, subresource, verb);
  if (definition.group === '' && definition.plural === 'bindings') return createBindingByBody;
  const handler = handlers.get(verb);
  // Verbs without a handler are in no definition, and were 405 before.
  return handler ?? create;
}
