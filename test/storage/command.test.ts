import * as fc from 'fast-check';
import t from 'tap';
import { decodeCommand, encodeCommand, type Command } from '../../storage/command.js';
import { WireError } from '../../storage/wire.js';
import { memoryMachine } from './fake-store.js';
import { bytes as bytesOf } from './tools.js';

const bytes = fc.uint8Array({ maxLength: 20 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const number = fc.oneof(fc.nat(200), fc.integer({ min: -1, max: 2 ** 53 - 2 }));
const put = fc.record({
  key: bytes,
  value: fc.oneof(bytes, fc.uint8Array({ minLength: 60_000, maxLength: 140_000 })),
  lease: fc.oneof(fc.constant(0n), int64),
  prevKv: fc.boolean(),
  ignoreValue: fc.boolean(),
  ignoreLease: fc.boolean(),
});
const del = fc.record({ key: bytes, rangeEnd: bytes, prevKv: fc.boolean() });
const range = fc.record({
  key: bytes,
  rangeEnd: bytes,
  limit: number,
  revision: number,
  sortOrder: fc.constantFrom('none', 'ascend', 'descend'),
  sortTarget: fc.constantFrom('key', 'version', 'create', 'mod', 'value'),
  keysOnly: fc.boolean(),
  countOnly: fc.boolean(),
  minModRevision: number,
  maxModRevision: number,
  minCreateRevision: number,
  maxCreateRevision: number,
});
const compare = fc.oneof(
  ...(['version', 'createRevision', 'modRevision'] as const).map((field) =>
    fc.record({
      target: fc.constant(field.replace('Revision', '')),
      result: fc.constantFrom('equal', 'greater', 'less', 'not-equal'),
      key: bytes,
      rangeEnd: bytes,
      [field]: number,
    }),
  ),
  fc.record({
    target: fc.constant('value'),
    result: fc.constant('less'),
    key: bytes,
    rangeEnd: bytes,
    value: bytes,
  }),
  fc.record({
    target: fc.constant('lease'),
    result: fc.constant('less'),
    key: bytes,
    rangeEnd: bytes,
    lease: int64,
  }),
);
const typed = <T extends object>(type: string, of: fc.Arbitrary<T>) =>
  of.map((fields) => ({ type, ...fields }));
const { txn } = fc.letrec((tie) => ({
  op: fc.oneof(
    { maxDepth: 3 },
    typed('put', put),
    typed('range', range),
    typed('delete', del),
    typed('txn', tie('txn') as fc.Arbitrary<object>),
  ),
  txn: fc.record({
    compare: fc.array(compare, { maxLength: 3 }),
    success: fc.array(tie('op'), { maxLength: 3 }),
    failure: fc.array(tie('op'), { maxLength: 3 }),
  }),
}));
const name = fc.string({ unit: 'binary' });
const authChange = fc.oneof(
  fc.constantFrom({ type: 'enable' }, { type: 'disable' }),
  fc.record({ type: fc.constant('user-add'), name, password: name, noPassword: fc.boolean() }),
  fc.record({ type: fc.constant('user-change-password'), name, password: name }),
  fc.record({ type: fc.constantFrom('user-delete', 'role-add', 'role-delete'), name }),
  fc.record({ type: fc.constantFrom('user-grant-role', 'user-revoke-role'), name, role: name }),
  fc.record({
    type: fc.constant('role-grant-permission'),
    name,
    permission: fc.record({
      type: fc.constantFrom('read', 'write', 'readwrite'),
      key: bytes,
      rangeEnd: bytes,
    }),
  }),
  fc.record({ type: fc.constant('role-revoke-permission'), name, key: bytes, rangeEnd: bytes }),
  fc.record({ type: fc.constant('authenticate'), name, token: name, authRevision: fc.nat() }),
);
const alarmRequest = fc.record({
  action: fc.constantFrom('get', 'activate', 'deactivate'),
  memberId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  alarm: fc.constantFrom('none', 'nospace', 'corrupt'),
});
const body = fc.oneof(
  fc.record({ type: fc.constant('put'), request: put }),
  fc.record({ type: fc.constant('delete'), request: del }),
  fc.record({ type: fc.constant('txn'), request: txn }),
  fc.record({ type: fc.constant('compact'), revision: number }),
  fc.record({ type: fc.constant('lease-grant'), id: int64, ttl: number }),
  fc.record({ type: fc.constant('lease-revoke'), id: int64, term: fc.nat() }),
  fc.record({ type: fc.constant('auth'), change: authChange }),
  fc.record({ type: fc.constant('alarm'), request: alarmRequest }),
) as unknown as fc.Arbitrary<Command>;
const caller = fc.oneof(
  fc.constant({ type: 'trusted' }),
  fc.record({ type: fc.constant('user'), user: fc.string({ minLength: 1 }), authRevision: fc.nat() }),
);
const command = fc.oneof(
  body,
  fc.tuple(body, caller).map(([body, caller]) => ({ ...body, caller })),
);

/** Views of any kind of byte array compare by content. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

t.test('a command is read as it was written', (t) => {
  fc.assert(
    fc.property(command, (command) => {
      t.same(plain(decodeCommand(encodeCommand(command))), plain(command));
      return t.passing();
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('keys and values are views of the payload', (t) => {
  const payload = encodeCommand({
    type: 'put',
    request: { key: Buffer.from('k'), value: Buffer.alloc(5000) },
  });
  const decoded = decodeCommand(payload);
  t.ok(decoded.type === 'put' && decoded.request.value.buffer === payload.buffer);
  t.end();
});

t.test('what no encoder wrote is refused', (t) => {
  const request = { key: Buffer.from('key'), value: Buffer.from('value'), lease: 5n };
  const payload = encodeCommand({ type: 'put', request });
  for (let length = 0; length < payload.length; length++) {
    t.throws(() => decodeCommand(payload.subarray(0, length)), WireError, `cut after ${length} bytes`);
  }
  t.throws(() => decodeCommand(Buffer.concat([payload, Buffer.of(0)])), WireError, 'with more behind it');
  t.throws(() => decodeCommand(Buffer.of(2, 0)), /version 2/);
  t.throws(() => decodeCommand(Buffer.of(1, 99)), WireError, 'of an unknown type');
  t.end();
});

t.test('a command that could not be written leaves nothing behind', (t) => {
  const empty = { compare: [], success: [{ type: 'empty' as const }], failure: [] };
  t.throws(() => encodeCommand({ type: 'txn', request: empty }), WireError);
  t.same(decodeCommand(encodeCommand({ type: 'compact', revision: 7 })), { type: 'compact', revision: 7 });
  t.end();
});

const entryOf = (index: number, payload: Uint8Array, type: 'normal' | 'noop' | 'configuration' = 'normal') =>
  ({ format: 1, index, term: 3, type, requestId: { session: 1n, counter: index }, payload }) as const;
const putOf = (key: string) =>
  encodeCommand({ type: 'put', request: { key: bytesOf(key), value: bytesOf(key) } });

t.test('what could not be read again is refused when it is written', (t) => {
  const key = bytesOf('k');
  const withCompare = (change: object): Command => {
    const compare = { key, target: 'mod', result: 'equal', modRevision: 1, ...change } as never;
    return { type: 'txn', request: { compare: [compare], success: [], failure: [] } };
  };
  t.throws(() => encodeCommand(withCompare({ result: 'about' })), WireError);
  t.throws(() => encodeCommand(withCompare({ target: 'colour' })), WireError);
  t.throws(() => encodeCommand({ type: 'defragment' } as never), WireError);
  t.end();
});

t.test('the machine: entries that are no commands only move the position', (t) => {
  const { machine } = memoryMachine();
  const results = machine.apply([
    entryOf(1, new Uint8Array(), 'noop'),
    entryOf(2, putOf('a')),
    entryOf(3, bytesOf('not a command'), 'configuration'),
  ]);
  t.same(
    results.map((result) => result !== undefined),
    [false, true, false],
  );
  t.same(machine.applied, { index: 3, term: 3 });
  t.equal(machine.store.revision, 2);
  t.end();
});

t.test('the machine: a batch that fails changes nothing, and is the last', (t) => {
  const { db, machine } = memoryMachine();
  machine.apply([entryOf(1, putOf('a'))]);
  t.throws(() => machine.apply([entryOf(2, putOf('b')), entryOf(3, bytesOf('garbage'))]), WireError);
  const [applied] = db.prepare('SELECT applied_index FROM metadata').raw().get() as [number];
  t.equal(applied, 1);
  t.equal(db.prepare('SELECT count(*) FROM history').pluck().get(), 1);
  t.throws(() => machine.apply([entryOf(2, putOf('b'))]), /after a failed apply/);
  t.end();
});

t.test('the machine: entries come without gaps', (t) => {
  const { machine } = memoryMachine();
  t.throws(() => machine.apply([entryOf(2, putOf('a'))]), /applied after 0/);
  t.end();
});
