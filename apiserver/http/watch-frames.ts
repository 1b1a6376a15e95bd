/**
 * Watch events as bytes: `{"type":…,"object":…}` and a newline, or their protobuf (protobuf-frames.ts). Made once for each change, type and shape, and shared by
 * all watchers; kept for a few seconds and within a bound, since a watcher that is late can have its frame made again.
 */
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import type { StatusError } from '../errors.js';
import type { StoredObject, WatchEvent, WatchEventType } from '../registry/types.js';
import { frameCacheBytesMax, frameCacheEntriesMax } from './limits.js';
import { protobufBookmarkFrame, protobufErrorFrame, protobufEventFrame } from './protobuf-frames.js';
import {
  bookmarkRowJson,
  columnsJson,
  type IncludeObject,
  partialJson,
  rowJson,
  tableHead,
} from './table.js';

/** How a watch shows its objects. */
export interface WatchShape {
  readonly media: 'json' | 'protobuf';
  readonly shape: 'object' | 'Table' | 'PartialObjectMetadata';
  /** v1 or v1beta1 of meta.k8s.io. */
  readonly version: string;
  readonly includeObject: IncludeObject;
}

/** How long frames are kept for watchers that are late, in milliseconds. */
const keptMilliseconds = 5000;

const newline = 0x0a;
const heads: Readonly<Record<WatchEventType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
};
const closeBrace = 0x7d;

export class WatchFrames {
  /** By item; in it by type and shape, of which one item seldom has two. */
  #frames = new Map<StoredObject, { readonly key: string; readonly frame: Buffer }[]>();
  #bytes = 0;
  #expiry: NodeJS.Timeout | undefined;

  /** `first`: the first event of this watch, whose Table names the columns. */
  frame(event: WatchEvent, definition: ResourceDefinition, shape: WatchShape, first: boolean): Buffer {
    if (event.type === 'BOOKMARK') return bookmarkFrame(event, definition, shape, first);
    const key = frameKey(event.type, shape, first);
    const known = this.#frames.get(event.item);
    if (known !== undefined) {
      for (const entry of known) if (entry.key === key) return entry.frame;
    }
    const frame = eventFrame(event, definition, shape, first);
    this.#keep(event.item, key, frame);
    return frame;
  }

  /** Forgets all frames. */
  clear(): void {
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
    this.#frames.clear();
    this.#bytes = 0;
  }

  #keep(item: StoredObject, key: string, frame: Buffer): void {
    if (this.#bytes + frame.length > frameCacheBytesMax || this.#frames.size >= frameCacheEntriesMax) {
      this.clear();
    }
    const entries = this.#frames.get(item);
    if (entries === undefined) this.#frames.set(item, [{ key, frame }]);
    else entries.push({ key, frame });
    this.#bytes += frame.length;
    this.#expiry ??= setTimeout(() => this.clear(), keptMilliseconds).unref();
  }
}

function frameKey(
  type: WatchEventType,
  { media, shape, version, includeObject }: WatchShape,
  first: boolean,
): string {
  return shape === 'Table'
    ? `${type} ${shape} ${version} ${includeObject} ${first}`
    : `${type} ${media} ${shape} ${version}`;
}

/** The event in which a watch says why it ends. */
export function errorFrame(error: StatusError, media: WatchShape['media']): Buffer {
  const status = error.toStatus();
  if (media === 'protobuf') return protobufErrorFrame(status);
  return Buffer.from(`{"type":"ERROR","object":${JSON.stringify(status)}}\n`);
}

function eventFrame(
  event: WatchEvent,
  definition: ResourceDefinition,
  shape: WatchShape,
  first: boolean,
): Buffer {
  const { type, item } = event;
  if (isProtobuf(shape)) return protobufEventFrame(event, definition, shape);
  if (shape.shape === 'object') return wrap(type, item.json);
  if (shape.shape === 'PartialObjectMetadata') {
    return wrap(type, Buffer.from(partialJson(item.object.metadata, shape.version)));
  }
  const row = rowJson(item, definition, { ...shape, now: Date.now() });
  return wrapTable(type, row, { item, definition, shape, first });
}

/** Tables have no protobuf form. */
const isProtobuf = (
  shape: WatchShape,
): shape is WatchShape & { readonly shape: 'object' | 'PartialObjectMetadata' } =>
  shape.media === 'protobuf' && shape.shape !== 'Table';

interface TableContext {
  readonly item: StoredObject;
  readonly definition: ResourceDefinition;
  readonly shape: WatchShape;
  readonly first: boolean;
}

function wrapTable(
  type: WatchEventType,
  row: string,
  { item, definition, shape, first }: TableContext,
): Buffer {
  const columns = first ? columnsJson(definition) : undefined;
  const head = tableHead(shape.version, { resourceVersion: String(item.revision) }, columns);
  return wrap(type, Buffer.from(`${head}${row}]}`));
}

function wrap(type: WatchEventType, json: Buffer): Buffer {
  const head = heads[type];
  const frame = Buffer.allocUnsafeSlow(head.length + json.length + 2);
  head.copy(frame);
  json.copy(frame, head.length);
  frame[frame.length - 2] = closeBrace;
  frame[frame.length - 1] = newline;
  return frame;
}

/** Of an object that is empty but for where the watch has come, with the zero values its kind always prints. */
function bookmarkFrame(
  event: WatchEvent,
  definition: ResourceDefinition,
  shape: WatchShape,
  first: boolean,
): Buffer {
  const { item, initialEventsEnd } = event;
  const metadata = {
    resourceVersion: String(item.revision),
    ...(initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
  };
  if (isProtobuf(shape)) return protobufBookmarkFrame(item.object, metadata, definition, shape);
  if (shape.shape === 'Table') {
    const row = bookmarkRowJson(item, definition, { ...shape, now: Date.now() });
    return wrapTable('BOOKMARK', row, { item, definition, shape, first });
  }
  const object: KubeObject = { ...item.object, metadata };
  const json = shape.shape === 'object' ? JSON.stringify(object) : partialJson(metadata, shape.version);
  return wrap('BOOKMARK', Buffer.from(json));
}
