/**
 * What members ask each other to find out whether they hold the same.
 *
 *     question = version u8, revision varint
 *     answer   = version u8, type u8, of `hash`: hash varint, compact revision signed varint
 */
import { ByteReader, ByteWriter, WireError } from '../wire.js';

export type HashAnswer =
  | { readonly type: 'hash'; readonly hash: number; readonly compactRevision: number }
  /** It has not applied that revision in time. */
  | { readonly type: 'behind' }
  /** That revision is not there any more. */
  | { readonly type: 'compacted' };

const VERSION = 1;
const ANSWERS = ['hash', 'behind', 'compacted'] as const;

const writer = new ByteWriter();

export function encodeHashQuestion(revision: number): Uint8Array {
  writer.reset();
  writer.byte(VERSION);
  writer.varint(revision);
  return writer.finish();
}

/** @throws WireError */
export function decodeHashQuestion(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  if (reader.byte() !== VERSION) throw new WireError('of an unknown version');
  return reader.varint();
}

export function encodeHashAnswer(answer: HashAnswer): Uint8Array {
  writer.reset();
  writer.byte(VERSION);
  writer.byte(ANSWERS.indexOf(answer.type));
  if (answer.type === 'hash') {
    writer.varint(answer.hash);
    writer.signedVarint(answer.compactRevision);
  }
  return writer.finish();
}

/** @throws WireError */
export function decodeHashAnswer(bytes: Uint8Array): HashAnswer {
  const reader = new ByteReader(bytes);
  if (reader.byte() !== VERSION) throw new WireError('of an unknown version');
  const type = ANSWERS[reader.byte()];
  if (type === undefined) throw new WireError('of an unknown type');
  return type === 'hash' ? { type, hash: reader.varint(), compactRevision: reader.signedVarint() } : { type };
}
