/**
 * What a member that does not lead asks about a lease, since only the leader keeps time.
 *
 *     question = version u8, type u8, lease id i64
 *     answer   = version u8, type u8, of `times`: seconds left varint, seconds granted varint
 */
import { ByteReader, ByteWriter, WireError } from '../wire.js';

export interface LeaseQuestion {
  /** `renew`: give it its full TTL again. `read`: say how much is left. */
  readonly type: 'renew' | 'read';
  readonly id: bigint;
}

export type LeaseAnswer =
  | { readonly type: 'times' /** Seconds. */; readonly remaining: number; readonly granted: number }
  | { readonly type: 'unknown-lease' }
  /** The member that was asked does not lead, or cannot confirm that it does. */
  | { readonly type: 'not-leader' };

const VERSION = 1;
const QUESTIONS = ['renew', 'read'] as const;
const ANSWERS = ['times', 'unknown-lease', 'not-leader'] as const;

const writer = new ByteWriter();

export function encodeLeaseQuestion({ type, id }: LeaseQuestion): Uint8Array {
  writer.reset();
  writer.byte(VERSION);
  writer.byte(QUESTIONS.indexOf(type));
  writer.int64(id);
  return writer.finish();
}

/** @throws WireError */
export function decodeLeaseQuestion(bytes: Uint8Array): LeaseQuestion {
  const reader = new ByteReader(bytes);
  const type = typeFrom(QUESTIONS, reader);
  return { type, id: reader.int64() };
}

export function encodeLeaseAnswer(answer: LeaseAnswer): Uint8Array {
  writer.reset();
  writer.byte(VERSION);
  writer.byte(ANSWERS.indexOf(answer.type));
  if (answer.type === 'times') {
    writer.varint(answer.remaining);
    writer.varint(answer.granted);
  }
  return writer.finish();
}

/** @throws WireError */
export function decodeLeaseAnswer(bytes: Uint8Array): LeaseAnswer {
  const reader = new ByteReader(bytes);
  const type = typeFrom(ANSWERS, reader);
  return type === 'times' ? { type, remaining: reader.varint(), granted: reader.varint() } : { type };
}

function typeFrom<T>(types: readonly T[], reader: ByteReader): T {
  if (reader.byte() !== VERSION) throw new WireError('of an unknown version');
  const type = types[reader.byte()];
  if (type === undefined) throw new WireError('of an unknown type');
  return type;
}
