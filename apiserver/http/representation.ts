/**
 * Objects and lists in the form that the client asked for. In plain JSON they are joined from the buffers that the
 * watch cache keeps; nothing is parsed or stringified again.
 */
import type { ResourceDefinition } from '../../schemas/definition.js';
import { StatusError } from '../errors.js';
import type { ObjectList, StoredObject } from '../registry/types.js';
import type { Exchange } from './exchange.js';
import { responseChunkBytes } from './limits.js';
import { type Accepted, negotiate, producedText, type Shape } from './negotiation.js';
import { type Body, coalesce, jsonType } from './respond.js';
import { yamlSerializer } from './serializers/index.js';
import {
  type Columned,
  columnsJson,
  parseIncludeObject,
  partialJson,
  rowJson,
  type RowOptions,
  tableHead,
} from './table.js';

const yamlType = 'application/yaml';

/** What the client takes of what a resource can be shown as. Throws StatusError 406. */
export function acceptedShape(exchange: Exchange): Accepted {
  const accepted = negotiate(exchange.request.headers.accept).find(({ shape }) => shape !== 'discovery');
  if (accepted === undefined)
    throw notAcceptable(`only the following media types are accepted: ${producedText}`);
  return wantsPretty(exchange) && !accepted.pretty ? { ...accepted, pretty: true } : accepted;
}

const notAcceptable = (message: string) => new StatusError(406, 'NotAcceptable', message);

/** Asked for, or a person is reading: the user agents that upstream takes for one. */
function wantsPretty(exchange: Exchange): boolean {
  if (exchange.queryText.includes('pretty')) {
    const pretty = exchange.query.get('pretty');
    if (pretty !== null) return /^(?:1|t|true)$/i.test(pretty);
  }
  const agent = exchange.request.headers['user-agent'];
  return agent !== undefined && /^(?:curl|Wget|Mozilla\/5\.0)/.test(agent);
}

/** Ages in tables count from here. */
const rowOptions = (exchange: Exchange, version: string): RowOptions => ({
  includeObject: parseIncludeObject(exchange.query),
  version,
  now: Date.now(),
});

/** An object of a resource. Throws StatusError 400 or 406. */
export function objectBody(exchange: Exchange, item: StoredObject, definition: Columned): Body {
  const accepted = acceptedShape(exchange);
  if (accepted.shape === 'object') {
    if (accepted.media === 'yaml') return whole(yamlType, encodeYaml(item.json));
    return accepted.pretty ? valueBody(accepted, item.object) : whole(jsonType, item.json);
  }
  if (accepted.shape === 'PartialObjectMetadataList') throw wrongShape(accepted.shape, false);
  const json =
    accepted.shape === 'Table'
      ? tableHead(accepted.version, { resourceVersion: String(item.revision) }, columnsJson(definition)) +
        `${rowJson(item, definition, rowOptions(exchange, accepted.version))}]}`
      : partialJson(item.object.metadata, accepted.version);
  return jsonBody(accepted, json);
}

const wrongShape = (shape: Shape, list: boolean) =>
  notAcceptable(`you requested ${shape}, but the requested object is ${list ? 'a list' : 'not a list'}`);

/** A value that no watch cache holds: a review, a discovery document. */
export function plainBody(exchange: Exchange, value: object): Body {
  return valueBody(acceptedShape(exchange), value);
}

function valueBody({ media, pretty }: Accepted, value: object): Body {
  const json = Buffer.from(
    pretty && media === 'json' ? JSON.stringify(value, null, 2) : JSON.stringify(value),
  );
  return media === 'yaml' ? whole(yamlType, encodeYaml(json)) : whole(jsonType, json);
}

/** JSON made by hand, shown as asked. */
function jsonBody(accepted: Accepted, json: string): Body {
  if (accepted.media === 'json' && !accepted.pretty) return whole(jsonType, Buffer.from(json));
  return valueBody(accepted, JSON.parse(json) as object);
}

const whole = (contentType: string, content: Buffer): Body => ({
  contentType,
  bytes: content.length,
  content,
});

/** Serializers without `encode` are for bodies only; YAML's is for answers too. */
const encodeYaml = (json: Buffer): Buffer => yamlSerializer.encode?.(json) ?? json;

const toYaml = (value: object): Buffer => encodeYaml(Buffer.from(JSON.stringify(value)));

/** A list of a resource. Throws StatusError 400 or 406. */
export function listBody(exchange: Exchange, list: ObjectList, definition: ResourceDefinition): Body {
  const accepted = acceptedShape(exchange);
  const metadata = listMetadata(list);
  switch (accepted.shape) {
    case 'object':
      break;
    case 'Table':
      return shapedList(
        accepted,
        tableHead(accepted.version, metadata, columnsJson(definition)),
        tableRows(list, definition, rowOptions(exchange, accepted.version)),
      );
    case 'PartialObjectMetadataList':
      return shapedList(
        accepted,
        `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${accepted.version}","metadata":${JSON.stringify(metadata)},"items":[`,
        partialItems(list, accepted.version),
      );
    default:
      throw wrongShape(accepted.shape, true);
  }
  const { group, version, listKind } = definition;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  if (accepted.media === 'yaml') return lazy(yamlType, yamlList(apiVersion, listKind, metadata, list));
  if (accepted.pretty) return lazy(jsonType, prettyList(apiVersion, listKind, metadata, list));
  const head = `{"kind":"${listKind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(metadata)},"items":[`;
  return joinedList(Buffer.from(head), list.items);
}

const lazy = (contentType: string, pieces: Iterable<Buffer>): Body => ({
  contentType,
  bytes: undefined,
  content: coalesce(pieces),
});

function listMetadata({ revision, continueToken, remainingItemCount }: ObjectList): object {
  return {
    resourceVersion: String(revision),
    ...(continueToken === undefined ? {} : { continue: continueToken }),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
  };
}

const comma = 0x2c;
const openBrace = 0x7b;
const tail = Buffer.from(']}');

/**
 * `head`, the items without their kind and apiVersion, `]}`: copied once into buffers of the size in which they are
 * written.
 */
function joinedList(head: Buffer, items: readonly StoredObject[]): Body {
  let bytes = head.length + tail.length + Math.max(0, items.length - 1);
  for (const item of items) bytes += item.json.length - item.headerLength + 1;
  if (bytes > responseChunkBytes) {
    return { contentType: jsonType, bytes, content: joinedPieces(head, items, bytes) };
  }
  const content = Buffer.allocUnsafe(bytes);
  let at = head.copy(content);
  for (let i = 0; i < items.length; i++) {
    if (i > 0) content[at++] = comma;
    at = copyItem(items[i]!, content, at);
  }
  tail.copy(content, at);
  return { contentType: jsonType, bytes, content };
}

/** The header's last byte is the comma after it, in whose place the item's opening brace goes. */
function copyItem({ json, headerLength }: StoredObject, target: Buffer, at: number): number {
  json.copy(target, at, headerLength - 1);
  target[at] = openBrace;
  return at + json.length - headerLength + 1;
}

function* joinedPieces(head: Buffer, items: readonly StoredObject[], bytes: number): Generator<Buffer> {
  let left = bytes;
  let chunk = Buffer.allocUnsafe(responseChunkBytes);
  let at = head.copy(chunk);
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    // With the comma before it and room for the tail.
    const needed = item.json.length - item.headerLength + 2 + tail.length;
    if (at + needed > chunk.length) {
      yield chunk.subarray(0, at);
      left -= at;
      chunk = Buffer.allocUnsafe(Math.max(needed, Math.min(responseChunkBytes, left)));
      at = 0;
    }
    if (i > 0) chunk[at++] = comma;
    at = copyItem(item, chunk, at);
  }
  at += tail.copy(chunk, at);
  yield chunk.subarray(0, at);
}

function* tableRows(
  list: ObjectList,
  definition: ResourceDefinition,
  options: RowOptions,
): Generator<string> {
  for (const item of list.items) yield rowJson(item, definition, options);
}

function* partialItems(list: ObjectList, version: string): Generator<string> {
  for (const { object } of list.items) yield partialJson(object.metadata, version);
}

function shapedList(accepted: Accepted, head: string, items: Iterable<string>): Body {
  if (accepted.media === 'json' && !accepted.pretty) return lazy(jsonType, commaJoined(head, items));
  return jsonBody(accepted, `${head}${[...items].join(',')}]}`);
}

function* commaJoined(head: string, items: Iterable<string>): Generator<Buffer> {
  yield Buffer.from(head);
  let first = true;
  for (const item of items) {
    yield Buffer.from(first ? item : `,${item}`);
    first = false;
  }
  yield tail;
}

/** One item at a time, so that no list is long work. */
function* prettyList(
  apiVersion: string,
  kind: string,
  metadata: object,
  { items }: ObjectList,
): Generator<Buffer> {
  const head = JSON.stringify({ kind, apiVersion, metadata, items: [] }, null, 2);
  if (items.length === 0) {
    yield Buffer.from(head);
    return;
  }
  yield Buffer.from(head.slice(0, head.lastIndexOf('[') + 1));
  let separator = '\n    ';
  for (const { object } of items) {
    const text = JSON.stringify(withoutHeader(object), null, 2).replaceAll('\n', '\n    ');
    yield Buffer.from(`${separator}${text}`);
    separator = ',\n    ';
  }
  yield Buffer.from('\n  ]\n}');
}

function* yamlList(
  apiVersion: string,
  kind: string,
  metadata: object,
  { items }: ObjectList,
): Generator<Buffer> {
  yield Buffer.from(`apiVersion: ${apiVersion}\n${items.length === 0 ? 'items: []\n' : 'items:\n'}`);
  for (const { object } of items) {
    const text = toYaml(withoutHeader(object)).toString().trimEnd().replaceAll('\n', '\n  ');
    // Blank lines of literal blocks stay blank.
    yield Buffer.from(`- ${text.replaceAll(/\n {2}(?=\n|$)/g, '\n')}\n`);
  }
  yield Buffer.from(`kind: ${kind}\n`);
  yield toYaml({ metadata });
}

/** Items of a list do not repeat what the list is of. */
function withoutHeader(object: object): object {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object as Record<string, unknown>;
  return rest;
}
