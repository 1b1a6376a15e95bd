/** Parts of an object with a path of their own. */
import { scaleColumns } from '../../schemas/autoscaling/v1/scale.js';
import type { ResourceDefinition, Subresource } from '../../schemas/definition.js';
import { methodNotAllowed } from '../errors.js';
import { scaleOf } from '../registry/subresources.js';
import type { ScaleChange, StoredObject } from '../registry/types.js';
import { APPLY_PATCH, applyBody } from './apply-handler.js';
import { bodyDecoder, contentType } from './body.js';
import { bodyOf, commandHandlers } from './command-handlers.js';
import { kubeletHandlers } from './kubelet-handlers.js';
import { get } from './read-handlers.js';
import { acceptedShape, objectBody } from './representation.js';
import type { ResourceRequest } from './resource-request.js';
import { send } from './respond.js';
import { matchPath, mustBePatch, patch, patcher, update } from './write-handlers.js';
import { type ParsedWriteOptions, parseWriteOptions } from './write-options.js';

type Handler = (request: ResourceRequest) => Promise<void>;

/** The whole object, of which the path writes a part: `status`, `finalize`. */
const wholeObject: ReadonlyMap<string, Handler> = new Map([
  ['get', get],
  ['update', update],
  ['patch', patch],
]);

/** Throws StatusError 405. */
export function subresourceHandler(
  { group, plural }: ResourceDefinition,
  subresource: Subresource,
  verb: string,
): Handler {
  const { name, kind, scale } = subresource;
  if (scale !== undefined) return verb === 'get' ? getScale : writeScale;
  const path = `${group}/${plural}/${name}`;
  const handler =
    kubeletHandlers.get(path) ?? (kind === undefined ? wholeObject.get(verb) : commandHandlers.get(path));
  if (handler === undefined) throw methodNotAllowed();
  return handler;
}

async function getScale({
  exchange,
  registry,
  namespace,
  name,
  subresource,
}: ResourceRequest): Promise<void> {
  acceptedShape(exchange, scaleShown);
  await sendScale(exchange, await registry.get(exchange, namespace, name), subresource);
}

/** PUT and PATCH: the numbers go into the object they stand for. */
async function writeScale(request: ResourceRequest): Promise<void> {
  const { exchange, registry, namespace, name, subresource } = request;
  if (subresource?.scale === undefined) throw methodNotAllowed();
  const type = contentType(exchange);
  if (exchange.info.verb === 'patch' && type !== APPLY_PATCH) mustBePatch(type);
  acceptedShape(exchange, scaleShown);
  if (type === APPLY_PATCH) {
    const { item } = await applyBody(request);
    return sendScale(exchange, item, subresource);
  }
  const { change, uid, options } = plannedScale(request, subresource);
  const matched: ScaleChange = async (scale) => matchPath(await change(scale), namespace, name);
  const { item } = await registry.updateScale(exchange, namespace, name, matched, {
    ...options,
    ...(uid ? { preconditions: { uid } } : {}),
  });
  await sendScale(exchange, item, subresource);
}

interface PlannedScale {
  readonly change: ScaleChange;
  /** Of the object that is meant, where a PUT says so. */
  readonly uid?: string | undefined;
  readonly options: ParsedWriteOptions;
}

function plannedScale(request: ResourceRequest, subresource: Subresource): PlannedScale {
  const { exchange, body, server } = request;
  const { expected, target } = bodyOf(subresource, request);
  if (exchange.info.verb === 'patch') {
    const options = parseWriteOptions(exchange.query, 'PatchOptions');
    return { change: patcher(request, expected, target, options.fieldValidation), options };
  }
  const options = parseWriteOptions(exchange.query, 'UpdateOptions');
  const decode = bodyDecoder(exchange, body, expected, options.fieldValidation, server.table);
  // Nothing of it is kept, so every attempt can have the same.
  const scale = decode();
  return { change: () => scale, uid: scale.metadata.uid, options };
}

const scaleShown = { group: 'autoscaling', version: 'v1', kind: 'Scale', columns: scaleColumns };

async function sendScale(
  exchange: ResourceRequest['exchange'],
  item: StoredObject,
  subresource: Subresource | undefined,
): Promise<void> {
  if (subresource?.scale === undefined) throw methodNotAllowed();
  const object = scaleOf(item.object, subresource.scale);
  const { key, namespace, name, revision, headerLength } = item;
  const line = Buffer.from(`${JSON.stringify(object)}\n`);
  const json = line.subarray(0, -1);
  const scale: StoredObject = { key, namespace, name, revision, headerLength, object, json, line };
  await send(exchange, 200, objectBody(exchange, scale, scaleShown));
}
