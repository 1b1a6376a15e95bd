/** get, list and watch. */
import { StatusError } from '../errors.js';
import { parseListOptions, parseWatchOptions } from './list-options.js';
import { revision } from './query.js';
import { acceptedShape, listBody, objectBody } from './representation.js';
import type { ResourceRequest } from './resource-request.js';
import { baseHeaders, jsonType, send } from './respond.js';
import { parseIncludeObject } from './table.js';
import type { WatchShape } from './watch-frames.js';
import { ResponseWatchStream, type WatchSource } from './watch-stream.js';

/** Also of `status`, which reads as the object does. */
export async function get({
  exchange,
  registry,
  definition,
  namespace,
  name,
}: ResourceRequest): Promise<void> {
  const resourceVersion = exchange.queryText === '' ? undefined : revision(exchange.query);
  const item = await registry.get(
    exchange,
    namespace,
    name,
    resourceVersion === undefined ? undefined : { resourceVersion },
  );
  await send(exchange, 200, objectBody(exchange, item, definition));
}

export async function list({ exchange, registry, definition, namespace }: ResourceRequest): Promise<void> {
  const options = parseListOptions(exchange.query, definition);
  // Refused before it is gathered.
  acceptedShape(exchange);
  const found = await registry.list(exchange, namespace, options);
  await send(exchange, 200, listBody(exchange, found, definition));
}

/** The events as a stream of lines. Ends with the client, the time, the server or the history. */
export async function watch(request: ResourceRequest): Promise<void> {
  const { exchange, server } = request;
  const source = await openWatch(request);
  const { response } = exchange;
  if (response.destroyed || exchange.request.method === 'HEAD') {
    source.watcher.close();
    response.end();
    return;
  }
  response.writeHead(200, baseHeaders(exchange, jsonType));
  response.flushHeaders();
  server.pump.start(new ResponseWatchStream(server.pump, source, response));
}

/** Throws StatusError while it is still an answer of its own and not an event. */
export async function openWatch({
  exchange,
  registry,
  definition,
  namespace,
  name,
}: ResourceRequest): Promise<WatchSource> {
  const { options, timeoutSeconds } = parseWatchOptions(exchange.query, definition, name);
  const shape = watchShape(exchange);
  const watcher = await registry.watch(exchange, namespace, options);
  return { watcher, definition, shape, timeoutSeconds };
}

function watchShape(exchange: ResourceRequest['exchange']): WatchShape {
  const { media, shape, version } = acceptedShape(exchange);
  if (media !== 'json' || shape === 'PartialObjectMetadataList' || shape === 'discovery') {
    throw new StatusError(
      406,
      'NotAcceptable',
      'only the following media types are accepted: application/json, application/json;stream=watch',
    );
  }
  return {
    shape,
    version,
    includeObject: shape === 'Table' ? parseIncludeObject(exchange.query) : 'Metadata',
  };
}
