/** Parts of an object with a path of their own. */
import type { KubeObject, Subresource } from '../../schemas/definition.js';
import { methodNotAllowed } from '../errors.js';
import { bindPod, scaleOf, scaleUpdate } from '../registry/subresources.js';
import { bodyDecoder, type Expected, expectedOf, expectedOfSchema } from './body.js';
import { askKubelet, kubeletSubresources } from './kubelet-handlers.js';
import { get } from './read-handlers.js';
import { acceptedShape, plainBody } from './representation.js';
import type { ResourceRequest } from './resource-request.js';
import { send, sendJson } from './respond.js';
import { matchNamespace, patch, patcher, update } from './write-handlers.js';
import { parseWriteOptions } from './write-options.js';

type Handler = (request: ResourceRequest) => Promise<void>;

/** The whole object, of which the path writes a part: `status`, `finalize`. */
const wholeObject: ReadonlyMap<string, Handler> = new Map([
  ['get', get],
  ['update', update],
  ['patch', patch],
]);

/** Throws StatusError 405. */
export function subresourceHandler(subresource: Subresource, verb: string): Handler {
  const { name, kind, scale } = subresource;
  if (scale !== undefined) return verb === 'get' ? getScale : writeScale;
  if (name === 'binding' && verb === 'create') return createBinding;
  if (kubeletSubresources.has(name)) return askKubelet;
  const handler = kind === undefined ? wholeObject.get(verb) : undefined;
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
  const { object } = await registry.get(exchange, namespace, name);
  await sendScale(exchange, object, subresource);
}

/** PUT and PATCH: the numbers go into the object they stand for. */
async function writeScale(request: ResourceRequest): Promise<void> {
  const { exchange, registry, namespace, name, subresource } = request;
  if (subresource?.scale === undefined) throw methodNotAllowed();
  acceptedShape(exchange);
  const patching = exchange.info.verb === 'patch';
  const options = parseWriteOptions(exchange.query, patching ? 'PatchOptions' : 'UpdateOptions');
  const { expected, target } = bodyOf(subresource, request);
  const change = patching
    ? patcher(request, expected, target, options.fieldValidation)
    : bodyDecoder(exchange, request.body, expected, options.fieldValidation, request.server.table);
  const { item } = await registry.update(exchange, namespace, name, scaleUpdate(subresource.scale, change), {
    ...options,
    subresource: subresource.name,
    allowCreate: false,
  });
  await sendScale(exchange, item.object, subresource);
}

async function sendScale(
  exchange: ResourceRequest['exchange'],
  object: KubeObject,
  subresource: Subresource | undefined,
): Promise<void> {
  if (subresource?.scale === undefined) throw methodNotAllowed();
  await send(exchange, 200, plainBody(exchange, scaleOf(object, subresource.scale)));
}

/** The kind of a subresource's bodies. */
function bodyOf(subresource: Subresource, { definition }: ResourceRequest) {
  const kind = subresource.kind ?? definition;
  const schema = subresource.schema ?? definition.schema;
  const expected: Expected =
    subresource.kind === undefined ? expectedOf(definition) : expectedOfSchema(kind, schema);
  return { expected, target: { group: kind.group, version: kind.version, kind: kind.kind, schema } };
}

/** `pods/{name}/binding`. */
async function createBinding(request: ResourceRequest): Promise<void> {
  const { subresource } = request;
  if (subresource === undefined) throw methodNotAllowed();
  await bind(request, bodyOf(subresource, request).expected, request.name);
}

/** `bindings`: as above, with the pod's name in the body. Its registry stores nothing, that of pods does. */
export const createBindingByBody: Handler = (request) =>
  bind(request, expectedOf(request.definition), undefined);

async function bind(request: ResourceRequest, expected: Expected, name: string | undefined): Promise<void> {
  const { exchange, body, namespace, server } = request;
  acceptedShape(exchange);
  const { dryRun, fieldValidation } = parseWriteOptions(exchange.query, 'CreateOptions');
  const binding = bodyDecoder(exchange, body, expected, fieldValidation, server.table)();
  matchNamespace(binding, namespace);
  const pods = server.table.find('', 'v1', 'pods');
  if (pods === undefined) throw methodNotAllowed();
  const pod = name ?? binding.metadata.name ?? '';
  await bindPod(pods, exchange, namespace, pod, binding, { dryRun, now: Date.now() });
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
  await sendJson(exchange, 201, Buffer.from(JSON.stringify(status)));
}
