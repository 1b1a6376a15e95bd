/** get, list and watch. */
import { parseListOptions, parseWatchOptions } from './list-options.js';
import { type Accepted, contentTypes, type MediaType, notStreamable } from './negotiation.js';
import { revision } from './query.js';
import { acceptedShape, listBody, objectBody } from './representation.js';
import type { ResourceRequest } from './resource-request.js';
import { baseHeaders, send } from './respond.js';
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
  acceptedShape(exchange, definition);
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
  // Refused before it is gathered.
  acceptedShape(exchange, definition);
  const options = parseListOptions(exchange.query, definition);
  const found = await registry.list(exchange, namespace, options);
  await send(exchange, 200, await listBody(exchange, found, definition));
}

/** JSON is in lines of its own; of other streams the media type says that they are. */
const streamTypeOf = (media: MediaType): string =>
  media === 'json' ? contentTypes.json : `${contentTypes[media]};stream=watch`;

/** The events as a stream of frames. Ends with the client, the time, the server or the history. */
export async function watch(request: ResourceRequest): Promise<void> {
  const { exchange, server } = request;
  const source = await openWatch(request);
  const { response } = exchange;
  const headers = baseHeaders(exchange, streamTypeOf(source.shape.media));
  if (response.destroyed || exchange.request.method === 'HEAD') {
    source.watcher.close();
    if (!response.destroyed) response.writeHead(200, headers);
    response.end();
    return;
  }
  response.writeHead(200, headers);
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
  const accepted = acceptedShape(exchange, definition);
  const { options, timeoutSeconds } = parseWatchOptions(exchange.query, definition, name);
  const shape = watchShape(exchange, accepted);
  const watcher = await registry.watch(exchange, namespace, options);
  return { watcher, definition, shape, timeoutSeconds };
}

/** Throws StatusError 400 or 406. */
function watchShape({ query }: ResourceRequest['exchange'], { media, shape, version }: Accepted): WatchShape {
  if (media === 'yaml' || shape === 'PartialObjectMetadataList' || shape === 'discovery')
    throw notStreamable();
  return { media, shape, version, includeObject: shape === 'Table' ? parseIncludeObject(query) : 'Metadata' };
}
