/**
 * Watch events in protobuf: four bytes of length, the highest first, then meta.v1.WatchEvent {type = 1, object = 2 {raw = 1}}
 * without an envelope. Its raw is the object in one.
 */
import type { KubeObject, ObjectMeta } from '../../schemas/definition.js';
import type { Status } from '../errors.js';
import type { WatchEvent, WatchEventType } from '../registry/types.js';
import { encodedMetadata, encodedObject, encodedPartial } from './protobuf-bodies.js';
import { type KindName, type ProtobufKind, protobufKind } from './serializers/protobuf-kinds.js';
import { BYTES } from './serializers/protobuf-wire.js';
import { putVarint, varintBytes } from './serializers/protobuf-writer.js';

/** Web sockets delimit messages themselves and do without. */
export const frameLengthBytes = 4;

const FIRST = 8 + BYTES;
const SECOND = 16 + BYTES;

type FrameType = WatchEventType | 'ERROR';

const typeField = (type: FrameType): Buffer => Buffer.from([FIRST, type.length, ...Buffer.from(type)]);

const typeFields: Readonly<Record<FrameType, Buffer>> = {
  ADDED: typeField('ADDED'),
  MODIFIED: typeField('MODIFIED'),
  DELETED: typeField('DELETED'),
  BOOKMARK: typeField('BOOKMARK'),
  ERROR: typeField('ERROR'),
};

/** How the object of an event is shown: itself, or its metadata in a version of meta.k8s.io. */
interface ProtobufShape {
  readonly shape: 'object' | 'PartialObjectMetadata';
  readonly version: string;
}

/** Throws EncodeError for an object that somebody stored with a field of another type. */
export function protobufEventFrame(
  { type, item }: WatchEvent,
  definition: KindName,
  { shape, version }: ProtobufShape,
): Buffer {
  const kind = protobufKind(definition);
  if (shape === 'PartialObjectMetadata') return wrap(type, encodedPartial(item, kind, version));
  // What is being changed will not be asked for again.
  return wrap(type, encodedObject(item, mustHave(kind), type === 'ADDED'));
}

/** `empty`: an object in which nothing is set. */
export function protobufBookmarkFrame(
  empty: KubeObject,
  metadata: ObjectMeta,
  definition: KindName,
  { shape, version }: ProtobufShape,
): Buffer {
  const raw =
    shape === 'PartialObjectMetadata'
      ? encodedMetadata(metadata, version)
      : mustHave(protobufKind(definition)).encode({ ...empty, metadata });
  return wrap('BOOKMARK', raw);
}

export const protobufErrorFrame = (status: Status): Buffer =>
  wrap('ERROR', mustHave(protobufKind({ group: '', version: 'v1', kind: 'Status' })).encode(status));

/** Negotiation gives no protobuf of a kind that has none. */
function mustHave(kind: ProtobufKind | undefined): ProtobufKind {
  if (kind === undefined) throw new Error('the kind has no protobuf form');
  return kind;
}

function wrap(type: FrameType, raw: Buffer): Buffer {
  const head = typeFields[type];
  const objectBytes = 1 + varintBytes(raw.length) + raw.length;
  const eventBytes = head.length + 1 + varintBytes(objectBytes) + objectBytes;
  const frame = Buffer.allocUnsafeSlow(frameLengthBytes + eventBytes);
  let at = frame.writeUInt32BE(eventBytes);
  at += head.copy(frame, at);
  frame[at++] = SECOND;
  at = putVarint(frame, at, objectBytes);
  frame[at++] = FIRST;
  at = putVarint(frame, at, raw.length);
  raw.copy(frame, at);
  return frame;
}
