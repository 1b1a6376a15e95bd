/**
 * The binary form of messages: a frame each (frames.ts). The head is the type, the envelope and the message's own
 * fields; the tail is its entries or proposals, framed as the log frames them, or the ids of refused proposals.
 */
import type { Message, ProposalRefusal, ProposedEntry } from '../core/messages.js';
import { FrameError, packEntries, unpackEntries } from '../log/codec.js';
import type { LogEntry, RequestId } from '../log/log.js';
import { FieldReader, FieldWriter } from './fields.js';
import { type Frame, NO_TAIL, type Tail, tailOf } from './frames.js';

/** Numbers are never used again for anything else. */
const TYPE_NUMBERS: Readonly<Record<Message['type'], number>> = {
  append: 1,
  'append-response': 2,
  commit: 3,
  heartbeat: 4,
  'heartbeat-response': 5,
  vote: 6,
  'vote-response': 7,
  propose: 8,
  'proposal-refused': 9,
  read: 10,
  'read-response': 11,
  'timeout-now': 12,
};
const TYPES = namesByNumber(TYPE_NUMBERS);

const REFUSAL_NUMBERS: Readonly<Record<ProposalRefusal, number>> = {
  'not-leader': 1,
  'member-exists': 2,
  'member-not-found': 3,
  'peer-url-exists': 4,
  'not-a-learner': 5,
  'no-voter-left': 6,
  'change-pending': 7,
};
const REFUSALS = namesByNumber(REFUSAL_NUMBERS);

const REQUEST_ID_BYTES = 16;

/** One message, ready to be written. */
export interface EncodedMessage {
  /** To be written one after the other. */
  readonly buffers: readonly Buffer[];
  readonly bytes: number;
  /** False for entries and proposals, which may be large and whose order among themselves spares retries. */
  readonly urgent: boolean;
}

/** Packed entries by the array that holds them: messages to several followers share it. */
const packed = new WeakMap<readonly LogEntry[], Tail>();

export function encodeMessage(message: Message): EncodedMessage {
  const tail = tailFor(message);
  const start = writeFields(message).seal(tail);
  return {
    buffers: tail === NO_TAIL ? [start] : [start, tail.bytes],
    bytes: start.length + tail.bytes.length,
    urgent: message.type !== 'append' && message.type !== 'propose',
  };
}

/** Payloads are views of the frame. Throws FrameError for what `encodeMessage` cannot have made. */
export function decodeMessage({ head, tail }: Frame): Message {
  const fields = new FieldReader(head);
  const type = TYPES.get(fields.byte());
  const envelope = { from: fields.id(), to: fields.id(), term: fields.number() };
  const message = readMessage(type, envelope, fields, tail);
  fields.end();
  if (tail.length > 0 && !hasTail(message)) throw new FrameError(`bytes follow a message of type ${type}`);
  return message;
}

function writeFields(message: Message): FieldWriter {
  const { type, from, to, term } = message;
  const fields = new FieldWriter().byte(TYPE_NUMBERS[type]).id(from).id(to).number(term);
  switch (type) {
    case 'append':
      return fields.number(message.previousIndex).number(message.previousTerm).number(message.commit);
    case 'append-response': {
      const { index, hint } = message;
      fields.number(index).boolean(hint !== undefined);
      return hint === undefined ? fields : fields.number(hint.index).number(hint.term);
    }
    case 'commit':
      return fields.number(message.commit);
    case 'heartbeat':
      return fields.number(message.commit).number(message.round);
    case 'heartbeat-response':
      return fields.number(message.round);
    case 'vote':
      return fields
        .boolean(message.preVote)
        .boolean(message.transfer)
        .number(message.lastIndex)
        .number(message.lastTerm);
    case 'vote-response':
      return fields.boolean(message.preVote).boolean(message.granted);
    case 'proposal-refused':
      return fields.byte(REFUSAL_NUMBERS[message.reason]);
    case 'read':
      return fields.number(message.id);
    case 'read-response':
      return fields.number(message.id).number(message.index);
    // `propose` and `timeout-now` have none.
    default:
      return fields;
  }
}

function readMessage(
  type: Message['type'] | undefined,
  envelope: { readonly from: bigint; readonly to: bigint; readonly term: number },
  fields: FieldReader,
  tail: Buffer,
): Message {
  switch (type) {
    case 'append': {
      const previous = { previousIndex: fields.number(), previousTerm: fields.number() };
      const commit = fields.number();
      const entries = unpackEntries(tail);
      checkContiguous(entries, previous);
      return { type, ...envelope, ...previous, commit, entries };
    }
    case 'append-response': {
      const index = fields.number();
      if (!fields.boolean()) return { type, ...envelope, index };
      return { type, ...envelope, index, hint: { index: fields.number(), term: fields.number() } };
    }
    case 'commit':
      return { type, ...envelope, commit: fields.number() };
    case 'heartbeat':
      return { type, ...envelope, commit: fields.number(), round: fields.number() };
    case 'heartbeat-response':
      return { type, ...envelope, round: fields.number() };
    case 'vote': {
      const kind = { preVote: fields.boolean(), transfer: fields.boolean() };
      return { type, ...envelope, ...kind, lastIndex: fields.number(), lastTerm: fields.number() };
    }
    case 'vote-response':
      return { type, ...envelope, preVote: fields.boolean(), granted: fields.boolean() };
    case 'propose':
      return { type, ...envelope, proposals: unpackEntries(tail).map(proposalOf) };
    case 'proposal-refused': {
      const reason = REFUSALS.get(fields.byte());
      if (reason === undefined) throw new FrameError('a refusal has no known reason');
      return { type, ...envelope, reason, requestIds: unpackRequestIds(tail) };
    }
    case 'read':
      return { type, ...envelope, id: fields.number() };
    case 'read-response':
      return { type, ...envelope, id: fields.number(), index: fields.number() };
    case 'timeout-now':
      return { type, ...envelope };
    default:
      throw new FrameError('a message is of no known type');
  }
}

function hasTail({ type }: Message): boolean {
  return type === 'append' || type === 'propose' || type === 'proposal-refused';
}

function tailFor(message: Message): Tail {
  switch (message.type) {
    case 'append':
      return message.entries.length === 0 ? NO_TAIL : packedOnce(message.entries);
    case 'propose':
      return tailOf(packEntries(message.proposals.map(entryOf)));
    case 'proposal-refused':
      return tailOf(packRequestIds(message.requestIds));
    default:
      return NO_TAIL;
  }
}

function packedOnce(entries: readonly LogEntry[]): Tail {
  let tail = packed.get(entries);
  if (tail === undefined) {
    tail = tailOf(packEntries(entries));
    packed.set(entries, tail);
  }
  return tail;
}

/** What a follower would take for a defect of its own log is refused here. */
function checkContiguous(
  entries: readonly LogEntry[],
  previous: { readonly previousIndex: number; readonly previousTerm: number },
): void {
  let { previousIndex: index, previousTerm: term } = previous;
  for (const entry of entries) {
    if (entry.index !== index + 1 || entry.term < term) throw new FrameError('entries are not in order');
    ({ index, term } = entry);
  }
}

/** A proposal has no place in a log yet. */
function entryOf(proposal: ProposedEntry): LogEntry {
  return { format: 1, index: 0, term: 0, ...proposal };
}

function proposalOf({ index, term, type, requestId, payload }: LogEntry): ProposedEntry {
  if (index !== 0 || term !== 0 || type === 'noop') throw new FrameError('an entry is no proposal');
  return { type, requestId, payload };
}

function packRequestIds(ids: readonly RequestId[]): Buffer {
  const bytes = Buffer.allocUnsafe(ids.length * REQUEST_ID_BYTES);
  for (const [at, { session, counter }] of ids.entries()) {
    bytes.writeBigUInt64LE(session, at * REQUEST_ID_BYTES);
    bytes.writeBigUInt64LE(BigInt(counter), at * REQUEST_ID_BYTES + 8);
  }
  return bytes;
}

function unpackRequestIds(bytes: Buffer): RequestId[] {
  const fields = new FieldReader(bytes);
  const ids: RequestId[] = [];
  while (!fields.atEnd) ids.push({ session: fields.id(), counter: fields.number() });
  return ids;
}

function namesByNumber<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
): ReadonlyMap<number, Name> {
  return new Map(Object.entries<number>(numbers).map(([name, number]) => [number, name as Name]));
}
