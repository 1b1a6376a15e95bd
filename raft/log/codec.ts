/**
 * The binary form of entries, as they travel to the log's worker and lie on disk. Little-endian.
 *
 * ```
 * frame: length of body u32 | index u64 | term u64 | body
 * body:  format u8 | type u8 | requestId.session u64 | requestId.counter u64 | payload
 * ```
 *
 * The body is the BLOB in the database; index and term are columns beside it. A frame's checksum covers all of it
 * but the length, so that a body that turns up under another index or term is noticed too.
 */
import { crc32 } from 'node:zlib';
import { invariant } from '../invariant.js';
import type { EntryType, LogEntry } from './log.js';

/** Version of the body's encoding. */
const FORMAT = 1;
const FRAME_HEADER_BYTES = 20;
const BODY_HEADER_BYTES = 18;
const TWO_32 = 2 ** 32;

/** The type's number is its position. Append only. */
const TYPES: readonly EntryType[] = ['normal', 'noop', 'configuration'];

/** One entry as the database keeps it: its columns, and the body undecoded. */
export interface Frame {
  readonly index: number;
  readonly term: number;
  readonly checksum: number;
  readonly body: Buffer;
}

/** Thrown by the decoders on bytes that `packEntries` and `packFrame` cannot have made. */
export class FrameError extends Error {
  override name = 'FrameError';
}

/**
 * Entries one after the other in `target`, which is of just that size: memory of its own, which may be transferred to
 * another thread, when absent.
 */
export function packEntries(
  entries: readonly LogEntry[],
  target: Buffer = Buffer.allocUnsafeSlow(packedBytes(entries)),
): Buffer {
  let offset = 0;
  for (const entry of entries) offset = writeEntry(target, offset, entry);
  return target;
}

/** What `packEntries` needs. */
export function packedBytes(entries: readonly LogEntry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += FRAME_HEADER_BYTES + BODY_HEADER_BYTES + entry.payload.length;
  return bytes;
}

/** The entries in `bytes`. Payloads are views of `bytes`, not copies. */
export function unpackEntries(bytes: Uint8Array): LogEntry[] {
  return mapFrames(bytes, (source, offset, end) =>
    decodeFrame(readNumber(source, offset + 4), readNumber(source, offset + 12), bodyOf(source, offset, end)),
  );
}

/** Splits `bytes` into frames without decoding them, each with the checksum of what it holds. */
export function unpackFrames(bytes: Uint8Array): Frame[] {
  return mapFrames(bytes, (source, offset, end) => ({
    index: readNumber(source, offset + 4),
    term: readNumber(source, offset + 12),
    checksum: crc32(source.subarray(offset + 4, end)),
    body: bodyOf(source, offset, end),
  }));
}

function mapFrames<T>(bytes: Uint8Array, map: (source: Buffer, offset: number, end: number) => T): T[] {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mapped: T[] = [];
  let offset = 0;
  while (offset < source.length) {
    if (source.length - offset < FRAME_HEADER_BYTES) throw new FrameError('frame header cut short');
    const end = offset + FRAME_HEADER_BYTES + source.readUInt32LE(offset);
    if (end > source.length) throw new FrameError('frame cut short');
    mapped.push(map(source, offset, end));
    offset = end;
  }
  return mapped;
}

function bodyOf(source: Buffer, offset: number, end: number): Buffer {
  return source.subarray(offset + FRAME_HEADER_BYTES, end);
}

/** Bytes of payload in a body. */
export function payloadBytes(body: Uint8Array): number {
  return body.length - BODY_HEADER_BYTES;
}

/** The frame of a row read back, its checksum verified. */
export function packFrame({ index, term, checksum, body }: Frame): Buffer {
  const target = Buffer.allocUnsafe(FRAME_HEADER_BYTES + body.length);
  writeFrameHeader(target, 0, { length: body.length, index, term });
  target.set(body, FRAME_HEADER_BYTES);
  if (crc32(target.subarray(4)) !== checksum)
    throw new FrameError(`checksum of entry ${index} does not match`);
  return target;
}

function decodeFrame(index: number, term: number, body: Buffer): LogEntry {
  if (body.length < BODY_HEADER_BYTES) throw new FrameError(`entry ${index} is cut short`);
  if (body[0] !== FORMAT) throw new FrameError(`entry ${index} has format ${body[0]}`);
  const type = TYPES[body[1] ?? 0];
  if (type === undefined) throw new FrameError(`entry ${index} has type ${body[1]}`);
  const requestId = { session: body.readBigUInt64LE(2), counter: readNumber(body, 10) };
  return { format: FORMAT, index, term, type, requestId, payload: body.subarray(BODY_HEADER_BYTES) };
}

function writeEntry(target: Buffer, offset: number, entry: LogEntry): number {
  const { index, term, type, requestId, payload } = entry;
  const body = writeFrameHeader(target, offset, { length: BODY_HEADER_BYTES + payload.length, index, term });
  target[body] = FORMAT;
  target[body + 1] = TYPES.indexOf(type);
  target.writeBigUInt64LE(requestId.session, body + 2);
  writeNumber(target, body + 10, requestId.counter);
  target.set(payload, body + BODY_HEADER_BYTES);
  return body + BODY_HEADER_BYTES + payload.length;
}

function writeFrameHeader(
  target: Buffer,
  offset: number,
  header: { length: number; index: number; term: number },
): number {
  target.writeUInt32LE(header.length, offset);
  writeNumber(target, offset + 4, header.index);
  writeNumber(target, offset + 12, header.term);
  return offset + FRAME_HEADER_BYTES;
}

function writeNumber(target: Buffer, offset: number, value: number): void {
  invariant(
    Number.isSafeInteger(value) && value >= 0,
    `${value} in a log entry is no unsigned integer below 2^53`,
  );
  target.writeUInt32LE(value % TWO_32, offset);
  target.writeUInt32LE(Math.floor(value / TWO_32), offset + 4);
}

function readNumber(source: Buffer, offset: number): number {
  const value = source.readUInt32LE(offset + 4) * TWO_32 + source.readUInt32LE(offset);
  if (!Number.isSafeInteger(value)) throw new FrameError('a number in a log entry exceeds 2^53');
  return value;
}
