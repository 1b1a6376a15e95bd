/**
 * Objects and lists in the form that the client asked for. In plain JSON and in protobuf they are joined from the buffers
 * that the watch cache keeps; nothing is parsed or made again.
 */
import type { ResourceDefinition } from '../../schemas/definition.js';
import { StatusError } from '../errors.js';
import { apiVersionOf } from '../registry/canonical.js';
import type { ObjectList, StoredObject } from '../registry/types.js';
import type { Exchange } from './exchange.js';
import { joinedList, prettyList, yamlList, yamlOf } from './list-bodies.js';
import {
  type Accepted,
  collections,
  contentTypes,
  type MediaType,
  negotiate,
  objects,
  objectsInJson,
  type Shape,
} from './negotiation.js';
import { encodedList, encodedObject, encodedPartial, encodedPartialList } from './protobuf-bodies.js';
import { parseQuery } from './query-text.js';
import { type Body, coalesce } from './respond.js';
import {
  isBuiltinGroup,
  type KindName,
  protobufKind,
  type ProtobufKind,
} from './serializers/protobuf-kinds.js';
import {
  columnsJson,
  parseIncludeObject,
  partialJson,
  rowJson,
  type RowOptions,
  type Shown,
  tableHead,
} from './table.js';

/** What the client takes of what a kind can be shown as. Throws StatusError 406. */
export function acceptedShape(exchange: Exchange, kind: KindName): Accepted {
  const { verb } = exchange.info;
  const { accept } = exchange.request.headers;
  const withProtobuf = verb === 'list' || verb === 'watch' ? collections : objects;
  let accepted = negotiate(accept, isBuiltinGroup(kind.group) ? withProtobuf : objectsInJson);
  // Looked up only here, so that a server whose clients speak JSON never reads the table of messages.
  if (accepted.media === 'protobuf' && accepted.shape === 'object' && protobufKind(kind) === undefined) {
    accepted = negotiate(accept, objectsInJson);
  }
  return !accepted.pretty && wantsPretty(exchange) ? { ...accepted, pretty: true } : accepted;
}

/** What Go takes for true. */
const TRUE = /^(?:1|t|T|TRUE|true|True)$/;

/** Asked for, or a person is reading: the user agents that upstream takes for one. */
export function wantsPretty({ request }: Pick<Exchange, 'request'>): boolean {
  const { url = '' } = request;
  // An escape may hide the name.
  if (url.includes('pretty') || url.includes('%')) {
    const mark = url.indexOf('?');
    const pretty = mark === -1 ? null : parseQuery(url.slice(mark + 1)).get('pretty');
    if (pretty !== null && pretty !== '') return TRUE.test(pretty);
  }
  const agent = request.headers['user-agent'];
  return agent !== undefined && /^(?:curl|Wget|Mozilla\/5\.0)/.test(agent);
}

/** Ages in tables count from here. */
const rowOptions = (exchange: Exchange, version: string): RowOptions => ({
  includeObject: parseIncludeObject(exchange.query),
  version,
  now: Date.now(),
});

/** An object of a resource. Throws StatusError 400 or 406. */
export function objectBody(exchange: Exchange, item: StoredObject, definition: Shown): Body {
  const accepted = acceptedShape(exchange, definition);
  const { media, shape, version, pretty } = accepted;
  if (media === 'protobuf') return whole(media, protobufObject(item, definition, accepted));
  if (shape === 'object') {
    if (media === 'yaml') return whole(media, yamlOf(item.json));
    return pretty ? valueBody(accepted, item.object) : whole(media, item.line);
  }
  if (shape === 'PartialObjectMetadataList') throw wrongShape(shape, definition);
  const json =
    shape === 'Table'
      ? tableHead(version, versionOf(item), columnsJson(definition)) +
        `${rowJson(item, definition, rowOptions(exchange, version))}]}`
      : partialJson(item.object.metadata, version);
  return jsonBody(accepted, json);
}

function protobufObject(item: StoredObject, definition: Shown, { shape, version }: Accepted): Buffer {
  // Negotiation has seen to it that there is one, except where it is metadata that is asked for.
  const kind = protobufKind(definition);
  if (shape === 'PartialObjectMetadata') return encodedPartial(item, kind, version);
  if (shape !== 'object' || kind === undefined) throw wrongShape(shape, definition);
  return encodedObject(item, kind);
}

/** `listKind`: of a list. Names what it is as Go does. */
function wrongShape(shape: Shape, { group, kind }: KindName, listKind?: string): StatusError {
  const type = `*${group === '' ? 'core' : (group.split('.')[0] ?? '')}.${listKind ?? kind}`;
  const what = listKind === undefined ? 'not a list' : 'a list';
  const message = `you requested ${shape}, but the requested object is ${what} (${type})`;
  return new StatusError(406, 'NotAcceptable', message);
}

/** An object that no watch cache holds. */
interface PlainObject {
  readonly kind: string;
  readonly apiVersion: string;
}

/**
 * A review or a Status, which is shown as it is, whatever shape is asked for. `resource`: the kind that the path is of, where
 * it is another one.
 */
export function plainBody(exchange: Exchange, value: PlainObject, resource?: KindName): Body {
  const kind = kindOf(value);
  return valueBody(acceptedShape(exchange, resource ?? kind), value, () => protobufKind(kind));
}

function kindOf({ apiVersion, kind }: PlainObject): KindName {
  const slash = apiVersion.indexOf('/');
  return { group: apiVersion.slice(0, Math.max(slash, 0)), version: apiVersion.slice(slash + 1), kind };
}

/** `kindOf`: where it can be asked for in protobuf. JSON ends with a newline but where it is indented, as Go's does. */
export function valueBody(
  { media, pretty }: Accepted,
  value: object,
  kindOf?: () => ProtobufKind | undefined,
): WholeBody {
  const kind = media === 'protobuf' ? kindOf?.() : undefined;
  if (kind !== undefined) return whole('protobuf', kind.encode(value));
  if (media === 'yaml') return whole(media, yamlOf(Buffer.from(JSON.stringify(value))));
  return whole(
    'json',
    Buffer.from(pretty && media === 'json' ? JSON.stringify(value, null, 2) : `${JSON.stringify(value)}\n`),
  );
}

/** JSON made by hand, shown as asked. */
function jsonBody(accepted: Accepted, json: string): Body {
  if (accepted.media === 'json' && !accepted.pretty) return whole('json', Buffer.from(`${json}\n`));
  return valueBody(accepted, JSON.parse(json) as object);
}

type WholeBody = Body & { readonly content: Buffer };

const whole = (media: MediaType, content: Buffer): WholeBody => ({
  contentType: contentTypes[media],
  bytes: content.length,
  content,
});

/** A list of a resource. Throws StatusError 400 or 406. */
export function listBody(exchange: Exchange, list: ObjectList, definition: Listed): Body | Promise<Body> {
  const accepted = acceptedShape(exchange, definition);
  const { media, shape, version, pretty } = accepted;
  const metadata = listMetadata(list);
  if (media === 'protobuf') return protobufList(list, metadata, definition, accepted);
  switch (shape) {
    case 'object':
      break;
    case 'Table':
      return shapedList(
        accepted,
        tableHead(version, metadata, columnsJson(definition)),
        tableRows(list, definition, rowOptions(exchange, version)),
      );
    case 'PartialObjectMetadataList':
      return shapedList(
        accepted,
        `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(metadata)},"items":[`,
        partialItems(list, version),
      );
    default:
      throw wrongShape(shape, definition, definition.listKind);
  }
  const head = { kind: definition.listKind, apiVersion: apiVersionOf(definition), metadata };
  if (media === 'yaml') return lazy(media, yamlList(head, list.items));
  if (pretty) return lazy(media, prettyList(head, list.items));
  return joinedList(head, list.items);
}

export type Listed = Shown & Pick<ResourceDefinition, 'listKind'>;

async function protobufList(
  { items }: ObjectList,
  metadata: object,
  definition: Listed,
  { shape, version }: Accepted,
): Promise<Body> {
  const kind = protobufKind(definition);
  const list = { metadata, items };
  if (shape !== 'PartialObjectMetadataList' && (shape !== 'object' || kind === undefined)) {
    throw wrongShape(shape, definition, definition.listKind);
  }
  const { bytes, pieces } =
    shape === 'object' && kind !== undefined
      ? await encodedList(apiVersionOf(definition), definition.listKind, list, kind)
      : await encodedPartialList(version, list, kind);
  return { contentType: contentTypes.protobuf, bytes, content: pieces };
}

const lazy = (media: MediaType, pieces: Iterable<Buffer>): Body => ({
  contentType: contentTypes[media],
  bytes: undefined,
  content: coalesce(pieces),
});

/** What is in no store has no resourceVersion. */
const versionOf = ({ revision }: { readonly revision: number }): object =>
  revision === 0 ? {} : { resourceVersion: String(revision) };

function listMetadata(list: ObjectList): object {
  const { continueToken, remainingItemCount } = list;
  return {
    ...versionOf(list),
    ...(continueToken === undefined ? {} : { continue: continueToken }),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
  };
}

function* tableRows(list: ObjectList, definition: Shown, options: RowOptions): Generator<string> {
  const { rowOrder } = definition;
  const items =
    rowOrder === undefined ? list.items : [...list.items].sort((a, b) => rowOrder(a.object, b.object));
  for (const item of items) yield rowJson(item, definition, options);
}

function* partialItems(list: ObjectList, version: string): Generator<string> {
  for (const { object } of list.items) yield partialJson(object.metadata, version);
}

function shapedList(accepted: Accepted, head: string, items: Iterable<string>): Body {
  if (accepted.media === 'json' && !accepted.pretty) return lazy('json', commaJoined(head, items));
  return jsonBody(accepted, `${head}${[...items].join(',')}]}`);
}

function* commaJoined(head: string, items: Iterable<string>): Generator<Buffer> {
  yield Buffer.from(head);
  let first = true;
  for (const item of items) {
    yield Buffer.from(first ? item : `,${item}`);
    first = false;
  }
  yield Buffer.from(']}\n');
}
