/** The binary form of messages: whatever a member can say comes back as it was, and damage never does. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import type { Message, ProposalRefusal } from '../../raft/core/messages.js';
import { InvariantError } from '../../raft/invariant.js';
import { FrameError } from '../../raft/log/codec.js';
import type { LogEntry } from '../../raft/log/log.js';
import { decodeMessage, encodeMessage } from '../../raft/transport/codec.js';
import { FieldWriter } from '../../raft/transport/fields.js';
import { FrameReader, NO_TAIL, openFrame, tailOf } from '../../raft/transport/frames.js';
import { MESSAGE_BYTES_MAX } from '../../raft/transport/limits.js';
import { SendQueue } from '../../raft/transport/send-queue.js';
import { entries } from './entries.js';

/** Plain objects, as the decoder makes. */
const record = <T>(model: { readonly [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;

const number = fc.maxSafeNat();
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const envelope = { from: id, to: id, term: number };
const requestId = record({ session: id, counter: number });
const payload = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

const refusals: readonly ProposalRefusal[] = [
  'not-leader',
  'member-exists',
  'member-not-found',
  'peer-url-exists',
  'not-a-learner',
  'no-voter-left',
  'change-pending',
];

/** Entries that follow a position, in terms that do not fall. */
const appended = record({
  previousIndex: fc.nat(2 ** 50),
  previousTerm: fc.nat(2 ** 50),
  steps: fc.array(
    record({
      termStep: fc.nat(3),
      type: fc.constantFrom('normal' as const, 'noop' as const, 'configuration' as const),
      requestId,
      payload,
    }),
    { maxLength: 5 },
  ),
}).map(({ previousIndex, previousTerm, steps }) => {
  let [index, term] = [previousIndex, previousTerm];
  const list = steps.map(({ termStep, ...rest }): LogEntry => {
    index += 1;
    term += termStep;
    return { format: 1, index, term, ...rest };
  });
  return { previousIndex, previousTerm, entries: list };
});

/** One for each type there is: the compiler asks for those to come. */
const byType: { readonly [Type in Message['type']]: fc.Arbitrary<Extract<Message, { type: Type }>> } = {
  append: record({ ...envelope, commit: number, appended }).map(
    ({ appended: { previousIndex, previousTerm, entries: list }, ...rest }) => ({
      type: 'append' as const,
      ...rest,
      previousIndex,
      previousTerm,
      entries: list,
    }),
  ),
  'append-response': fc.oneof(
    record({ type: fc.constant('append-response' as const), ...envelope, index: number }),
    record({
      type: fc.constant('append-response' as const),
      ...envelope,
      index: number,
      hint: record({ index: number, term: number }),
    }),
  ),
  commit: record({ type: fc.constant('commit' as const), ...envelope, commit: number }),
  heartbeat: record({ type: fc.constant('heartbeat' as const), ...envelope, commit: number, round: number }),
  'heartbeat-response': record({
    type: fc.constant('heartbeat-response' as const),
    ...envelope,
    round: number,
  }),
  vote: record({
    type: fc.constant('vote' as const),
    ...envelope,
    preVote: fc.boolean(),
    lastIndex: number,
    lastTerm: number,
    transfer: fc.boolean(),
  }),
  'vote-response': record({
    type: fc.constant('vote-response' as const),
    ...envelope,
    preVote: fc.boolean(),
    granted: fc.boolean(),
  }),
  propose: record({
    type: fc.constant('propose' as const),
    ...envelope,
    proposals: fc.array(
      record({ type: fc.constantFrom('normal' as const, 'configuration' as const), requestId, payload }),
      { maxLength: 5 },
    ),
  }),
  'proposal-refused': record({
    type: fc.constant('proposal-refused' as const),
    ...envelope,
    requestIds: fc.array(requestId, { maxLength: 5 }),
    reason: fc.constantFrom(...refusals),
  }),
  read: record({ type: fc.constant('read' as const), ...envelope, id: number }),
  'read-response': record({
    type: fc.constant('read-response' as const),
    ...envelope,
    id: number,
    index: number,
  }),
  'timeout-now': record({ type: fc.constant('timeout-now' as const), ...envelope }),
};
const anyMessage: fc.Arbitrary<Message> = fc.oneof(...Object.values<fc.Arbitrary<Message>>(byType));

const bytesOf = (message: Message) => Buffer.concat(encodeMessage(message).buffers);
const decode = (bytes: Buffer) => decodeMessage(openFrame(bytes));
const heartbeat = (round: number): Message => ({
  type: 'heartbeat',
  from: 1n,
  to: 2n,
  term: 1,
  commit: 0,
  round,
});
const append = (list: readonly LogEntry[], to = 2n): Message => ({
  type: 'append',
  from: 1n,
  to,
  term: 9,
  previousIndex: (list[0]?.index ?? 1) - 1,
  previousTerm: 1,
  entries: list,
  commit: 0,
});

for (const [type, arbitrary] of Object.entries<fc.Arbitrary<Message>>(byType)) {
  t.test(`any message of type ${type} comes back as it was, and is as long as it says`, async () => {
    fc.assert(
      fc.property(arbitrary, (message) => {
        const encoded = encodeMessage(message);
        const bytes = Buffer.concat(encoded.buffers);
        assert.equal(bytes.length, encoded.bytes);
        assert.deepEqual(decode(bytes), message);
      }),
      { numRuns: 50 },
    );
  });
}

t.test('a message cut short anywhere, or with a byte more, is refused', async () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const bytes = bytesOf(message);
      for (let length = 0; length < bytes.length; length++)
        assert.throws(() => decode(bytes.subarray(0, length)), FrameError);
      assert.throws(() => decode(Buffer.concat([bytes, Buffer.of(0)])), FrameError);
    }),
    { numRuns: 30 },
  );
});

t.test('a message with any bit flipped is refused, and nothing else is read in its place', async () => {
  fc.assert(
    fc.property(anyMessage, fc.nat(), (message, position) => {
      const bytes = bytesOf(message);
      const bit = position % (bytes.length * 8);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));

      assert.throws(() => decode(bytes), FrameError);
      const reader = new FrameReader();
      const read = () => reader.push(bytes).map(decodeMessage);
      // A longer length waits for bytes that never come; anything else is noticed.
      try {
        assert.deepEqual(read(), []);
      } catch (error) {
        assert.ok(error instanceof FrameError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

t.test('messages come out whole and in order however the stream is cut', async () => {
  fc.assert(
    fc.property(
      fc.array(anyMessage, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 400 })),
      (messages, cuts) => {
        let rest = Buffer.concat(messages.map(bytesOf));
        const reader = new FrameReader();
        const read: Message[] = [];
        for (const cut of [...cuts, rest.length]) {
          read.push(...reader.push(rest.subarray(0, cut)).map(decodeMessage));
          rest = rest.subarray(cut);
        }
        assert.deepEqual(read, messages);
      },
    ),
    { numRuns: 200 },
  );
});

t.test('a sound frame with senseless fields is refused', async (t) => {
  const head = (type: number) => new FieldWriter().byte(type).id(1n).id(2n).number(3);
  const sealed = (fields: FieldWriter, tail = NO_TAIL) => Buffer.concat([fields.seal(tail), tail.bytes]);
  const refused = (bytes: Buffer, message: RegExp) =>
    t.throws(() => decode(bytes), { name: 'FrameError', message });

  refused(sealed(head(0)), /no known type/);
  refused(sealed(head(200)), /no known type/);
  refused(sealed(head(10)), /cut short/);
  refused(sealed(head(10).number(1).byte(0)), /follow the last field/);
  refused(sealed(head(10).number(1), tailOf(Buffer.of(1))), /bytes follow/);
  refused(sealed(head(7).byte(2).byte(0)), /no boolean/);
  refused(sealed(head(10).id(2n ** 53n)), /exceeds 2\^53/);
  refused(sealed(head(9).byte(99)), /no known reason/);
  refused(bytesOf(append([...entries(1, 2), ...entries(4, 4)])), /not in order/);
  refused(bytesOf(append([...entries(1, 1, 5), ...entries(2, 2, 4)])), /not in order/);
  const noop = {
    format: 1,
    index: 0,
    term: 0,
    type: 'noop',
    requestId: { session: 1n, counter: 1 },
    payload: Buffer.of(),
  } as const;
  const asProposal = { type: 'propose', from: 1n, to: 2n, term: 1, proposals: [noop as never] } as const;
  refused(bytesOf(asProposal), /no proposal/);
});

t.test(
  'a frame may be as large as the limit and no larger, and costs only what has arrived of it',
  async (t) => {
    const prefix = (tailBytes: number) => {
      const bytes = Buffer.alloc(10);
      bytes.writeUInt32LE(tailBytes, 4);
      return bytes;
    };

    t.same(new FrameReader().push(prefix(MESSAGE_BYTES_MAX)), []);
    t.throws(() => new FrameReader().push(prefix(MESSAGE_BYTES_MAX + 1)), FrameError);
    t.throws(() => tailOf(Buffer.alloc(MESSAGE_BYTES_MAX + 1)), InvariantError);
  },
);

t.test('entries are packed once for all followers they go to', async (t) => {
  const list = entries(1, 3);

  const [, first] = encodeMessage(append(list, 2n)).buffers;
  const [, second] = encodeMessage(append(list, 3n)).buffers;

  t.ok(first !== undefined && first === second);
});

t.test('what is small and urgent goes ahead of entries; each keeps its order', async (t) => {
  const queue = new SendQueue();
  const waiting = [append(entries(1, 1)), heartbeat(1), append(entries(2, 2)), heartbeat(2)].map(
    encodeMessage,
  );
  for (const message of waiting) queue.push(message);
  const total = waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  const decoded = (buffers: readonly Buffer[]) =>
    new FrameReader()
      .push(Buffer.concat(buffers))
      .map(decodeMessage)
      .map((message) => (message.type === 'append' ? `append ${message.previousIndex + 1}` : message.type));

  const first = queue.take(1);
  const second = queue.take(first.bytes + 1);
  const last = queue.take(total);

  t.same(decoded(first.buffers), ['heartbeat'], 'one message even if it is more than there is room for');
  t.same(decoded(second.buffers), ['heartbeat', 'append 1'], 'as many as are needed to fill the room');
  t.same(decoded(last.buffers), ['append 2']);
  t.equal(first.bytes + second.bytes + last.bytes, total);
  t.equal(queue.bytes, 0);
});
