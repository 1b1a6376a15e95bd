/** Objects, lists and metadata in protobuf, made of what stored objects keep in that encoding. */
import { setImmediate } from 'node:timers/promises';
import type { ObjectMeta } from '../../schemas/definition.js';
import type { StoredObject } from '../registry/types.js';
import { encodedListBytesKept, encodingMillisecondsMax, responseChunkBytes } from './limits.js';
import { writeMessage, written } from './serializers/protobuf-encode.js';
import { Envelope, ENVELOPE_END, type ProtobufKind } from './serializers/protobuf-kinds.js';
import { BYTES } from './serializers/protobuf-wire.js';
import { putVarint, varintBytes } from './serializers/protobuf-writer.js';

const METADATA = 8 + BYTES;
const META_GROUP = 'meta.k8s.io';

/** The object in its envelope. Throws EncodeError for one that somebody stored with a field of another type. */
export const encodedObject = (item: StoredObject, kind: ProtobufKind, keep = true): Buffer =>
  item.encodedBy?.(kind, keep) ?? kind.encode(item.object);

/**
 * The message of a PartialObjectMetadata. An object's message begins with its metadata too, so it is cut from there.
 * `kind`: undefined where the object has no protobuf form.
 */
function metadataMessage(item: StoredObject, kind: ProtobufKind | undefined, keep: boolean): Buffer {
  if (kind === undefined) return metadataAlone(item.object.metadata);
  const message = kind.messageIn(encodedObject(item, kind, keep));
  let at = 1;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = message[at++]!;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return message.subarray(0, at + length);
  }
}

const metadataAlone = (metadata: ObjectMeta): Buffer =>
  written((writer) => {
    writeMessage(writer, 'meta.v1.ObjectMeta', metadata);
    writer.length(0);
    writer.tag(METADATA);
  });

const partialEnvelopes = new Map<string, Envelope>();

function partialEnvelope(version: string): Envelope {
  let envelope = partialEnvelopes.get(version);
  if (envelope === undefined) {
    envelope = new Envelope(`${META_GROUP}/${version}`, 'PartialObjectMetadata');
    partialEnvelopes.set(version, envelope);
  }
  return envelope;
}

function wrapPartial(message: Buffer, version: string): Buffer {
  return partialEnvelope(version).around((writer) => writer.raw(message));
}

/** `version`: v1 or v1beta1 of meta.k8s.io. Throws EncodeError. */
export const encodedPartial = (item: StoredObject, kind: ProtobufKind | undefined, version: string): Buffer =>
  wrapPartial(metadataMessage(item, kind, true), version);

/** Of metadata that no object has: a bookmark's. */
export const encodedMetadata = (metadata: ObjectMeta, version: string): Buffer =>
  wrapPartial(metadataAlone(metadata), version);

export interface EncodedList {
  readonly bytes: number;
  readonly pieces: Iterable<Buffer>;
}

interface ListParts {
  readonly envelope: Envelope;
  readonly metadata: object;
  readonly items: readonly StoredObject[];
  readonly messageOf: (item: StoredObject, keep: boolean) => Buffer;
  /** meta.k8s.io/v1beta1 numbers the fields of its list the other way round. */
  readonly itemsFirst?: boolean;
}

/** `kind`: of the items. */
export const encodedList = (
  apiVersion: string,
  listKind: string,
  list: { readonly metadata: object; readonly items: readonly StoredObject[] },
  kind: ProtobufKind,
): Promise<EncodedList> =>
  assemble({
    ...list,
    envelope: new Envelope(apiVersion, listKind),
    messageOf: (item, keep) => kind.messageIn(encodedObject(item, kind, keep)),
  });

export const encodedPartialList = (
  version: string,
  list: { readonly metadata: object; readonly items: readonly StoredObject[] },
  kind: ProtobufKind | undefined,
): Promise<EncodedList> =>
  assemble({
    ...list,
    envelope: new Envelope(`${META_GROUP}/${version}`, 'PartialObjectMetadataList'),
    messageOf: (item, keep) => metadataMessage(item, kind, keep),
    itemsFirst: version === 'v1beta1',
  });

/**
 * A message's length stands in front of it, so all items are encoded before the first byte is sent; long lists give other
 * work its turn meanwhile. Long lists are not kept either: they would push everything else out, themselves included.
 */
async function assemble({
  envelope,
  metadata,
  items,
  messageOf,
  itemsFirst = false,
}: ListParts): Promise<EncodedList> {
  let json = 0;
  for (const item of items) json += item.json.length;
  const keep = json <= encodedListBytesKept;
  const itemTag = (itemsFirst ? 8 : 16) + BYTES;
  const listMeta = written((writer) => {
    writeMessage(writer, 'meta.v1.ListMeta', metadata);
    writer.length(0);
    writer.tag((itemsFirst ? 16 : 8) + BYTES);
  });
  let length = listMeta.length;
  const messages: Buffer[] = [];
  let turn = performance.now();
  for (const item of items) {
    const message = messageOf(item, keep);
    messages.push(message);
    length += 1 + varintBytes(message.length) + message.length;
    if (performance.now() - turn < encodingMillisecondsMax) continue;
    await setImmediate();
    turn = performance.now();
  }
  const lengthBytes = Buffer.allocUnsafe(varintBytes(length));
  putVarint(lengthBytes, 0, length);
  const head = Buffer.concat([envelope.head, lengthBytes, ...(itemsFirst ? [] : [listMeta])]);
  const tail = Buffer.concat([...(itemsFirst ? [listMeta] : []), ENVELOPE_END]);
  const bytes = envelope.head.length + lengthBytes.length + length + ENVELOPE_END.length;
  return { bytes, pieces: joined({ head, messages, itemTag, tail }, bytes) };
}

interface Assembled {
  readonly head: Buffer;
  readonly messages: readonly Buffer[];
  /** One byte. */
  readonly itemTag: number;
  readonly tail: Buffer;
}

/** In buffers of the size in which they are written. `bytes`: of all together. */
function* joined({ head, messages, itemTag, tail }: Assembled, bytes: number): Generator<Buffer> {
  let left = bytes;
  let chunk = Buffer.allocUnsafe(Math.min(responseChunkBytes, bytes));
  let at = head.copy(chunk);
  for (const message of messages) {
    const needed = 1 + varintBytes(message.length) + message.length + tail.length;
    if (at + needed > chunk.length) {
      yield chunk.subarray(0, at);
      left -= at;
      chunk = Buffer.allocUnsafe(Math.max(needed, Math.min(responseChunkBytes, left)));
      at = 0;
    }
    chunk[at++] = itemTag;
    at = putVarint(chunk, at, message.length);
    at += message.copy(chunk, at);
  }
  at += tail.copy(chunk, at);
  yield chunk.subarray(0, at);
}
