/** create, update, patch, delete and deletecollection. */
import { goQuote } from '../../schemas/go-quote.js';
import { addAll } from '../../schemas/add-all.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { badRequest, notFound, StatusError } from '../errors.js';
import {
  applyPatch,
  isPatchType,
  markedPatch,
  type PatchTarget,
  patchedKindProblem,
  patchedObjectInvalid,
  patchStrictErrors,
} from '../patch/index.js';
import type { StoredObject } from '../registry/types.js';
import { APPLY_PATCH, applyObject } from './apply-handler.js';
import {
  bodyDecoder,
  contentType,
  decodeFields,
  mustBeReadable,
  deleteOptionsOfBody,
  type Expected,
  expectedOf,
} from './body.js';
import type { Exchange } from './exchange.js';
import { parseListOptions } from './list-options.js';
import { acceptedShape, listBody, objectBody, plainBody } from './representation.js';
import type { ResourceRequest } from './resource-request.js';
import { send } from './respond.js';
import {
  deleteOptionsOfQuery,
  type FieldValidation,
  type ParsedDeleteOptions,
  parseWriteOptions,
} from './write-options.js';

export async function create(request: ResourceRequest): Promise<void> {
  const { exchange, registry, definition, namespace, body, server } = request;
  acceptedShape(exchange, definition);
  mustBeReadable(exchange);
  const options = parseWriteOptions(exchange.query, 'CreateOptions');
  const object = bodyDecoder(exchange, body, expectedOf(definition), options.fieldValidation, server.table)();
  matchNamespace(object, namespace);
  const item = await registry.create(exchange, object, options);
  await send(exchange, 201, objectBody(exchange, item, definition));
}

/** Of the object, or through `status` or `finalize`, whose bodies are whole objects too. */
export async function update(request: ResourceRequest): Promise<void> {
  const { exchange, registry, definition, namespace, name, body, server, subresource } = request;
  acceptedShape(exchange, definition);
  const options = parseWriteOptions(exchange.query, 'UpdateOptions');
  const decode = bodyDecoder(exchange, body, expectedOf(definition), options.fieldValidation, server.table);
  let first: KubeObject | undefined = matchPath(decode(), namespace, name);
  const { uid } = first.metadata;
  const change = (): KubeObject => {
    const object = first ?? matchPath(decode(), namespace, name);
    first = undefined;
    return object;
  };
  const { item, created } = await registry.update(exchange, namespace, name, change, {
    ...options,
    subresource: subresource?.name ?? '',
    allowCreate: subresource === undefined && definition.allowCreateOnUpdate,
    ...(uid === undefined || uid === '' ? {} : { preconditions: { uid } }),
  });
  await send(exchange, created ? 201 : 200, objectBody(exchange, item, definition));
}

export async function patch(request: ResourceRequest): Promise<void> {
  const { exchange, registry, definition, namespace, name, subresource } = request;
  const type = contentType(exchange);
  if (type === APPLY_PATCH) return applyObject(request);
  mustBePatch(type);
  acceptedShape(exchange, definition);
  const options = parseWriteOptions(exchange.query, 'PatchOptions');
  const apply = patcher(request, expectedOf(definition), definition, options.fieldValidation);
  const { item } = await registry.update(
    exchange,
    namespace,
    name,
    (current) => {
      if (current === undefined) throw notFound({ group: definition.group, name: definition.plural }, name);
      return matchPath(apply(current), namespace, name);
    },
    { ...options, subresource: subresource?.name ?? '', allowCreate: false },
  );
  await send(exchange, 200, objectBody(exchange, item, definition));
}

/** Upstream's routes are found by the media type of a patch, before anything else is looked at. Throws StatusError 415. */
export function mustBePatch(type: string): void {
  if (isPatchType(type)) return;
  throw new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}

/**
 * Gives a function from the current object to the patched one, decoded and free to be changed. Warnings are added by
 * its first run.
 */
export function patcher(
  { exchange, body, server }: ResourceRequest,
  expected: Expected,
  target: PatchTarget,
  fieldValidation: FieldValidation,
): (current: KubeObject) => KubeObject {
  const type = contentType(exchange);
  const isRegistered = (group: string, version: string, kind: string) =>
    server.table
      .all()
      .some(
        ({ definition }) =>
          definition.group === group && definition.version === version && definition.kind === kind,
      );
  let warnings: string[] | undefined = exchange.warnings;
  return (current) => {
    const refuse = (problem: string) => patchedObjectInvalid(problem, type, body, current, target);
    // The result shares parts with the current object, which others read.
    const patched = structuredClone(applyPatch(type, body, current, target));
    const kindProblem = patchedKindProblem(patched, { ...expected, isRegistered });
    if (kindProblem !== undefined) throw refuse(kindProblem);
    const decoded = decodeFields(
      { object: patched, marked: markedPatch(type, body, current, target) },
      expected,
    );
    if ('typeError' in decoded) throw refuse(decoded.typeError);
    if (fieldValidation === 'Ignore') return decoded.object;
    const unknown = decoded.unknownFields.map((field) => `unknown field ${goQuote(field)}`);
    const problems = [...patchStrictErrors(type, body), ...unknown];
    if (fieldValidation === 'Strict' && problems.length > 0) {
      throw refuse(`strict decoding error: ${problems.join(', ')}`);
    }
    if (warnings !== undefined) addAll(warnings, problems);
    warnings = undefined;
    return decoded.object;
  };
}

/** An object without a namespace takes the path's; one of another namespace is refused. */
export function matchNamespace(object: KubeObject, namespace: string): void {
  const { metadata } = object;
  const own = metadata.namespace ?? '';
  if (own === namespace) return;
  if (namespace === '') delete metadata.namespace;
  else if (own === '') metadata.namespace = namespace;
  else {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}

/** Gives the object back if it is the one that the path names. Throws StatusError 400. */
export function matchPath(object: KubeObject, namespace: string, name: string): KubeObject {
  matchNamespace(object, namespace);
  const own = object.metadata.name ?? '';
  if (own === '') {
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (own !== name) {
    throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
  }
  return object;
}

export async function remove(request: ResourceRequest): Promise<void> {
  const { exchange, registry, definition, namespace, name, body } = request;
  acceptedShape(exchange, definition);
  const options = deleteOptions(exchange, body);
  const { item, removed } = await registry.delete(exchange, namespace, name, options);
  if (removed && !definition.returnsDeletedObject) {
    await send(exchange, 200, plainBody(exchange, deletedStatus(item, definition), definition));
    return;
  }
  const status = !removed && options.acceptedWhileWaiting ? 202 : 200;
  await send(exchange, status, objectBody(exchange, item, definition));
}

/** A body's options count, and only without one the query's. */
const deleteOptions = (exchange: Exchange, body: Buffer): ParsedDeleteOptions =>
  body.length > 0 ? deleteOptionsOfBody(exchange, body) : deleteOptionsOfQuery(exchange.query);

function deletedStatus({ name, object }: StoredObject, { group, plural }: ResourceDefinition) {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(group === '' ? {} : { group }), kind: plural, uid: object.metadata.uid },
  };
}

export async function removeCollection(request: ResourceRequest): Promise<void> {
  const { exchange, registry, definition, namespace, body } = request;
  acceptedShape(exchange, definition);
  const options = parseListOptions(exchange.query, definition);
  const found = await registry.deleteCollection(exchange, namespace, options, deleteOptions(exchange, body));
  await send(exchange, 200, await listBody(exchange, found, definition));
}
