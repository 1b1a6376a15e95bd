/** The wire form of the v3 API, against the recorded facts and against protobufjs as an independent reader and writer. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import protobuf from 'protobufjs';
import t from 'tap';
import type { ResponseHeader, TxnRequest, WatchEvent } from '../../storage/client/interface.js';
import { define, emptyOf } from '../../storage/grpc/codec/define.js';
import { int64 } from '../../storage/grpc/codec/fields.js';
import { DEPTH_MAX } from '../../storage/grpc/codec/input.js';
import type { Field, MessageType } from '../../storage/grpc/codec/message.js';
import {
  compare,
  rangeRequest,
  rangeResponse,
  requestOp,
  responseOp,
  txnRequest,
  txnResponse,
} from '../../storage/grpc/messages/kv.js';
import { watchRequest, watchResponse } from '../../storage/grpc/messages/watch.js';
import { Health, etcdServices } from '../../storage/grpc/services.js';
import { WireError } from '../../storage/wire.js';
import { declarations, fieldsOf, plainOf } from './grpc-walk.js';
import { bytes } from './tools.js';

const { messages, enums } = declarations();

function factsFile(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, '..', 'shared', 'facts', 'etcd', 'etcd-api.json');
}

interface Facts {
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly messages: Readonly<Record<string, Readonly<Record<string, readonly [number, string, string?]>>>>;
  readonly services: Readonly<
    Record<
      string,
      Readonly<
        Record<string, { clientStream: boolean; serverStream: boolean; request: string; response: string }>
      >
    >
  >;
}

/** What is on the wire but nobody here has a use for. */
const PASSED_OVER = ['etcdserverpb.LeaseGrantResponse.error', 'etcdserverpb.StatusResponse.downgradeInfo'];

const lastPart = (name: string) => name.slice(name.lastIndexOf('.') + 1);

t.test(
  'names, numbers and types are those of the recorded API',
  { skip: existsSync(factsFile()) ? false : 'the recorded facts are not beside this checkout' },
  async (t) => {
    const facts = JSON.parse(readFileSync(factsFile(), 'utf8')) as Facts;
    for (const type of messages.filter(({ name }) => !name.startsWith('grpc.health.'))) {
      const wanted = Object.entries(facts.messages[type.name] ?? { missing: [0, 'message'] as const })
        .filter(([name]) => !PASSED_OVER.includes(`${type.name}.${name}`))
        .map(([name, [number, kind, oneof]]) => `${name} = ${number} ${lastPart(kind)} ${oneof ?? ''}`);
      const declared = fieldsOf(type).map(({ protoName, number, type, oneof }) => {
        return `${protoName} = ${number} ${lastPart(type)} ${oneof === undefined ? '' : `oneof ${oneof}`}`;
      });
      t.same(declared.sort(), wanted.map((line) => line.replace('repeated ', '')).sort(), type.name);
      const repeated = Object.entries(facts.messages[type.name] ?? {})
        .filter(([, [, kind]]) => kind.startsWith('repeated'))
        .map(([name]) => name);
      const lists = fieldsOf(type).filter((field) => field.repeated);
      t.same(lists.map(({ protoName }) => protoName).sort(), repeated.sort(), `${type.name}’s lists`);
    }
    for (const [name, { numbers, protoNames }] of enums) {
      if (name.startsWith('grpc.health.')) continue;
      const declared = [...numbers].map(([value, number]) => [protoNames.get(value), number] as const);
      t.same(Object.fromEntries(declared), facts.enums[name], name);
    }
    for (const service of etcdServices.filter((service) => service !== Health)) {
      const methods = Object.values(service);
      const { service: name } = methods[0] ?? { service: '' };
      const declared = methods.map(({ name, type, request, response }) => [
        name,
        {
          clientStream: type === 'bidi_stream',
          request: lastPart(request.name),
          response: lastPart(response.name),
          serverStream: type !== 'unary',
        },
      ]);
      t.same(Object.fromEntries(declared), facts.services[name], name);
    }
  },
);

/** The same API for protobufjs, which shares no code with ours. */
function oracle(): protobuf.Root {
  const root = new protobuf.Root();
  const place = (name: string) => root.define(name.slice(0, name.lastIndexOf('.')));
  for (const [name, { numbers, protoNames }] of enums) {
    const flat = name.replaceAll('.', '_');
    const values = [...numbers].map(([value, number]) => [protoNames.get(value) ?? '', number] as const);
    root.add(new protobuf.Enum(flat, Object.fromEntries(values)));
  }
  for (const message of messages) {
    const type = new protobuf.Type(lastPart(message.name));
    const oneofs = new Map<string, string[]>();
    for (const { protoName, number, type: kind, repeated, oneof } of fieldsOf(message)) {
      const ref = enums.has(kind) ? kind.replaceAll('.', '_') : kind.includes('.') ? `.${kind}` : kind;
      type.add(new protobuf.Field(protoName, number, ref, repeated ? 'repeated' : undefined));
      if (oneof !== undefined) oneofs.set(oneof, [...(oneofs.get(oneof) ?? []), protoName]);
    }
    for (const [name, members] of oneofs) type.add(new protobuf.OneOf(name, members));
    const namespace = place(message.name);
    if (namespace.get(type.name) === null) namespace.add(type);
  }
  root.resolveAll();
  return root;
}

const NUMBERS = fc.oneof(
  fc.constantFrom(0, 1, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 49, 2 ** 53 - 1),
  fc.maxSafeNat(),
);
const SIGNED = fc.oneof(NUMBERS, fc.maxSafeInteger(), fc.constantFrom(-1, -(2 ** 32), -(2 ** 53) + 1));
const BYTES = fc
  .oneof(fc.uint8Array({ maxLength: 30 }), fc.uint8Array({ minLength: 120, maxLength: 140 }))
  .map((value) => Buffer.from(value));

const scalars: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  bytes: BYTES,
  string: fc.string({ unit: 'grapheme', maxLength: 20 }),
  bool: fc.boolean(),
  uint32: fc.nat(),
  int64: SIGNED,
  uint64: NUMBERS,
  int64Id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint64Id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
};

/** Any message of the type, as protobufjs has it: protobuf's names, 64-bit numbers as text. */
function anyOf(type: MessageType<unknown>, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const { shape } = plainOf(type);
  if (shape.kind === 'union') {
    const variants = shape.variants.filter(({ type }) => depth > 0 || type !== 'txn');
    return fc.oneof(
      ...variants.map(({ protoName, message }) =>
        anyOf(message, depth - 1).map((value) => ({ [protoName]: value })),
      ),
    );
  }
  if (shape.kind !== 'fields') throw new Error('a mapped message has a plain form');
  const required = shape.fields.filter(
    ({ oneof, protoName }) => oneof === undefined && protoName !== 'target',
  );
  const inOneof = shape.fields.filter(({ oneof }) => oneof !== undefined);
  const values = (fields: readonly Field[]) =>
    Object.fromEntries(fields.map((field) => [field.protoName, anyField(field, depth)]));
  const all = fc.record(values(required), { requiredKeys: [] }).map(withoutZeros);
  if (inOneof.length === 0) return all;
  // Compare: the target says which of the oneof is meant.
  return fc.tuple(all, fc.nat(inOneof.length - 1), fc.record(values(inOneof))).map(([rest, index, union]) => {
    const protoName = inOneof[index]?.protoName ?? '';
    return { ...rest, ...(index > 0 && { target: index }), [protoName]: union[protoName] };
  });
}

/** Which our writer leaves out, as proto3 does. */
const withoutZeros = (object: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(object).filter(
      ([, value]) =>
        value !== 0 && value !== '0' && value !== false && value !== '' && (value as Buffer).length !== 0,
    ),
  );

function anyField({ type, repeated }: Field, depth: number): fc.Arbitrary<unknown> {
  const one = (): fc.Arbitrary<unknown> => {
    if (type.kind === 'message') return anyOf(type.message(), depth);
    if (type.kind === 'enum') return fc.constantFrom(...type.enum.numbers.values());
    return (scalars[type.scalar] ?? fc.constant(0)).map((value) =>
      typeof value === 'bigint' || (typeof value === 'number' && type.scalar !== 'uint32')
        ? String(value)
        : value,
    );
  };
  return repeated ? fc.array(one(), { maxLength: 3 }) : one();
}

/** Required messages are written where they were absent, e.g. an empty header: empty properties count as absent. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => [name, bare(item)] as const);
  return Object.fromEntries(
    entries.filter(([, item]) => typeof item !== 'object' || Object.keys(item ?? {}).length > 0),
  );
}

t.test('what protobufjs writes is read, and what is written then protobufjs reads the same', async (t) => {
  const root = oracle();
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
  t.comment(`SEED=${seed}`);
  for (const type of messages) {
    const other = root.lookupType(type.name);
    const read = (octets: Uint8Array) =>
      bare(other.toObject(other.decode(octets), { longs: String, bytes: String }));
    // Which has a test of its own.
    const isInner = hasLessHeader(type);
    const check = fc.property(anyOf(type, 3), (object) => {
      const sent = Buffer.from(other.encode(other.fromObject(object)).finish());
      const message = type.decode(sent);
      const written = type.encode(message);
      if (isInner) return;
      assert.deepEqual(type.decode(written), message);
      assert.deepEqual(read(written), read(sent));
    });
    t.doesNotThrow(() => fc.assert(check, { numRuns: 30, seed }), type.name);
  }
});

/** Inside a transaction less of a header is written than was read. */
function hasLessHeader(type: MessageType<unknown>, seen = new Set<unknown>()): boolean {
  const { shape } = type;
  if (shape.kind === 'mapped') return type.name === 'etcdserverpb.ResponseHeader';
  if (seen.has(type)) return false;
  seen.add(type);
  const inner =
    shape.kind === 'union'
      ? shape.variants.map(({ message }) => message)
      : shape.fields.flatMap(({ type }) => (type.kind === 'message' ? [type.message()] : []));
  return inner.some((type) => hasLessHeader(type, seen));
}

t.test('room is left before a message where it is asked for', async (t) => {
  const encoded = rangeRequest.encode({ key: bytes('k') }, 5);
  t.same([...encoded.subarray(5)], [10, 1, 107]);
});

t.test('numbers beyond 2^53 saturate, negative ones survive', async (t) => {
  const wide = new protobuf.Type('Wide').add(new protobuf.Field('limit', 3, 'int64'));
  new protobuf.Root().add(wide);
  const read = (limit: string) => rangeRequest.decode(wide.encode(wide.fromObject({ limit })).finish()).limit;
  t.equal(read('9223372036854775807'), Number.MAX_SAFE_INTEGER);
  t.equal(read('9007199254740992'), Number.MAX_SAFE_INTEGER);
  t.equal(read('9007199254740991'), Number.MAX_SAFE_INTEGER);
  t.equal(read('-9223372036854775808'), -Number.MAX_SAFE_INTEGER);
  t.equal(read('-1'), -1);
  t.equal(read('-4294967296'), -(2 ** 32));
});

t.test('keys and values are views of what came in', async (t) => {
  const sent = rangeRequest.encode({ key: bytes('some key') });
  t.equal(rangeRequest.decode(sent).key.buffer, sent.buffer);
});

t.test('what is absent: properties that may be are left out, the others have their zero', async (t) => {
  t.same(rangeRequest.decode(Buffer.alloc(0)), { key: Buffer.alloc(0) });
  const header: ResponseHeader = { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 };
  t.same(rangeResponse.decode(Buffer.alloc(0)), { header, kvs: [], more: false, count: 0 });
  t.same(emptyOf(requestOp), { type: 'empty' });
  t.same(emptyOf(watchRequest), { type: 'empty' });
  t.throws(() => emptyOf(responseOp), WireError);
});

t.test('a compare whose value is not its target’s compares with zero', async (t) => {
  const sent = compare.encode({ target: 'mod', key: bytes('k'), result: 'equal', modRevision: 0 });
  t.same(compare.decode(sent), { target: 'mod', key: bytes('k'), result: 'equal', modRevision: 0 });
  // target = LEASE, mod_revision = 5
  const crossed = compare.decode(Buffer.of(16, 4, 48, 5));
  t.same(crossed, { target: 'lease', key: Buffer.alloc(0), result: 'equal', lease: 0n });
});

t.test(
  'within a transaction a header has its revision alone, and none for one within it, as etcd’s',
  async (t) => {
    const header: ResponseHeader = { clusterId: 1n, memberId: 2n, revision: 3, raftTerm: 4 };
    const put = { type: 'put', header } as const;
    const inner = { type: 'txn', header, succeeded: true, responses: [put] } as const;
    const sent = txnResponse.encode({ header, succeeded: true, responses: [put, inner] });
    const none = { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 };
    t.same(txnResponse.decode(sent), {
      header,
      succeeded: true,
      responses: [
        { type: 'put', header: { ...none, revision: 3 } },
        {
          type: 'txn',
          header: none,
          succeeded: true,
          responses: [{ type: 'put', header: { ...none, revision: 3 } }],
        },
      ],
    });
  },
);

t.test('fields that are not known are passed over, groups too', async (t) => {
  const unknown = Buffer.concat([
    Buffer.of(0xf8, 0x06, 0x80, 0x01), // 111: varint
    Buffer.of(0xfa, 0x06, 2, 1, 2), // 111: bytes
    Buffer.of(0xf9, 0x06, 1, 2, 3, 4, 5, 6, 7, 8), // 111: 64 bits
    Buffer.of(0xfd, 0x06, 1, 2, 3, 4), // 111: 32 bits
    Buffer.of(0xfb, 0x06, 0xfb, 0x06, 8, 1, 0xfc, 0x06, 0xfc, 0x06), // 111: a group in a group
    Buffer.of(10, 1, 107),
  ]);
  t.same(rangeRequest.decode(unknown), { key: bytes('k') });
});

t.test('numbers of an enum without a name: for the validation where it has an error for them', async (t) => {
  t.same(rangeRequest.decode(Buffer.of(10, 1, 107, 40, 9)).sortOrder, '9');
  t.throws(() => compare.decode(Buffer.of(8, 9)), WireError);
});

t.test('bytes that are no message are a WireError, whatever they are', async (t) => {
  const malformed: readonly (readonly [string, number[]])[] = [
    ['ends within a tag', [0x80]],
    ['ends within a number', [24, 0x80]],
    ['ends within bytes', [10, 2, 107]],
    ['is longer than 2^32', [10, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    ['a varint of eleven bytes', [24, ...Array.from({ length: 10 }, () => 0x80), 0]],
    ['field 0', [0, 0]],
    ['a wire type that is none', [0xfe, 0x06]],
    ['another wire type than the field’s', [8, 1]],
    ['a group that ends without a beginning', [0xfc, 0x06]],
    ['a group without an end', [0xfb, 0x06]],
    ['ends within 64 bits', [0xf9, 0x06, 1]],
  ];
  for (const [what, octets] of malformed) {
    t.throws(() => rangeRequest.decode(Buffer.from(octets)), WireError, what);
  }
  // A message's length that runs past the one around it, though not past the end of all.
  t.throws(() => txnRequest.decode(Buffer.of(10, 2, 26, 3, 1, 1, 1)), WireError);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...messages), (octets, type) => {
      try {
        type.decode(octets);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
    }),
    { numRuns: 5000 },
  );
});

t.test('transactions are read as deep as the limit, and no deeper', async (t) => {
  const nested = (levels: number): TxnRequest => ({
    compare: [],
    success: levels === 0 ? [] : [{ type: 'txn', ...nested(levels - 1) }],
    failure: [],
  });
  const levelsMax = DEPTH_MAX / 2;
  t.same(txnRequest.decode(txnRequest.encode(nested(levelsMax))), nested(levelsMax));
  t.throws(() => txnRequest.decode(txnRequest.encode(nested(levelsMax + 1))), WireError);
});

t.test('events that many watchers are handed are encoded once', async (t) => {
  const header: ResponseHeader = { clusterId: 1n, memberId: 2n, revision: 3, raftTerm: 4 };
  let reads = 0;
  const kv = { createRevision: 2, modRevision: 3, version: 1, lease: 0n, key: bytes('k') };
  const counted: WatchEvent = {
    type: 'put',
    kv: {
      ...kv,
      get value() {
        reads += 1;
        return bytes('v');
      },
    },
  };
  const events = [counted];
  const first = watchResponse.encode({ header, watchId: 0, events });
  const before = reads;
  const second = watchResponse.encode({ header, watchId: 1, events });
  t.equal(reads, before);
  t.same(watchResponse.decode(second).events, watchResponse.decode(first).events);
  t.equal(watchResponse.decode(second).watchId, 1);
});

t.test('what cannot be written is an invariant, and leaves the writer as it was', async (t) => {
  const holder = define<{ readonly count: number }>('test.Holder', { count: int64(1) });
  t.throws(() => holder.encode({ count: 2 ** 53 }), /safe integers/);
  t.same([...holder.encode({ count: 300 })], [8, 0xac, 2]);
});
