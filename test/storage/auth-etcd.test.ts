/** Random changes of users and roles, and calls under them, to a real etcd and to this store: equal answer by answer. */
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import type { CallOptions, RequestOp } from '../../storage/client/interface.js';
import { EtcdError } from '../../storage/errors.js';
import type { Permission } from '../../storage/server/api.js';
import { etcdMissing, startEtcd } from '../tools/real-etcd.js';
import { fakeStore } from './fake-store.js';
import { bytes, text } from './tools.js';

type KvOp =
  | { type: 'range'; key: string; end: string }
  | { type: 'put'; key: string; prevKv: boolean; lease: bigint }
  | { type: 'delete'; key: string; end: string; prevKv: boolean };
type Call =
  | { call: 'enable' | 'disable' | 'userList' | 'roleList' }
  | { call: 'authenticate'; name: string; password: string }
  | { call: 'userAdd'; name: string; password: string; noPassword: boolean }
  | { call: 'userChangePassword'; name: string; password: string }
  | { call: 'userGet' | 'userDelete' | 'roleAdd' | 'roleGet' | 'roleDelete'; name: string }
  | { call: 'userGrantRole' | 'userRevokeRole'; name: string; role: string }
  | { call: 'roleGrantPermission'; name: string; permission: Permission }
  | { call: 'roleRevokePermission'; name: string; key: string; end: string }
  | { call: 'kv'; op: KvOp }
  | { call: 'txn'; compare: { key: string; end: string }; success: KvOp[]; failure: KvOp[] }
  | { call: 'leaseGrant' | 'leaseRevoke'; id: bigint }
  | { call: 'memberRemove' };

/** What a call came to, in words that both sides share. */
type Answer = { readonly error: string; readonly code: number } | { readonly is: unknown };
type Side = (call: Call, token: string | undefined) => Promise<Answer>;

const base64 = (key: string) => Buffer.from(key, 'latin1').toString('base64');
const shortPermission = (type: string, key: string, end: string) => `${type} [${key},${end})`;

/** etcd's JSON gateway, which passes a token on. */
function etcdSide(url: string): Side {
  const post = async (path: string, body: object, token: string | undefined) => {
    const headers = token === undefined ? {} : { authorization: token };
    const response = await fetch(`${url}/v3/${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return { ok: response.ok, json: (await response.json()) as Record<string, unknown> };
  };
  const opJson = (op: KvOp) => {
    const key = base64(op.key);
    if (op.type === 'put') {
      return { request_put: { key, value: key, prev_kv: op.prevKv, lease: String(op.lease) } };
    }
    const range = { key, range_end: base64(op.end) };
    return op.type === 'range'
      ? { request_range: range }
      : { request_delete_range: { ...range, prev_kv: op.prevKv } };
  };
  const kvPaths = { range: 'kv/range', put: 'kv/put', delete: 'kv/deleterange' };
  const request = (call: Call): [path: string, body: object] => {
    switch (call.call) {
      case 'kv':
        return [kvPaths[call.op.type], Object.values(opJson(call.op))[0] as object];
      case 'txn': {
        const compare = { key: base64(call.compare.key), range_end: base64(call.compare.end) };
        const exists = { ...compare, target: 'CREATE', result: 'GREATER', create_revision: '0' };
        return [
          'kv/txn',
          { compare: [exists], success: call.success.map(opJson), failure: call.failure.map(opJson) },
        ];
      }
      case 'leaseGrant':
        return ['lease/grant', { ID: String(call.id), TTL: '1000' }];
      case 'leaseRevoke':
        return ['lease/revoke', { ID: String(call.id) }];
      case 'memberRemove':
        return ['cluster/member/remove', { ID: '1' }];
      case 'userAdd':
        return ['auth/user/add', { ...call, options: { no_password: call.noPassword } }];
      case 'userChangePassword':
        return ['auth/user/changepw', call];
      case 'userGrantRole':
        return ['auth/user/grant', { user: call.name, role: call.role }];
      case 'userRevokeRole':
        return ['auth/user/revoke', call];
      case 'roleGet':
      case 'roleDelete':
        return [`auth/role/${call.call === 'roleGet' ? 'get' : 'delete'}`, { role: call.name }];
      case 'roleGrantPermission': {
        const { type, key, rangeEnd } = call.permission;
        const perm = {
          permType: type.toUpperCase(),
          key: base64(text(key)),
          range_end: base64(text(rangeEnd)),
        };
        return ['auth/role/grant', { name: call.name, perm }];
      }
      case 'roleRevokePermission':
        return ['auth/role/revoke', { role: call.name, key: base64(call.key), range_end: base64(call.end) }];
      case 'enable':
      case 'disable':
      case 'authenticate':
        return [`auth/${call.call}`, call];
      default:
        return [`auth/${call.call.replace(/[A-Z]/, (letter) => `/${letter.toLowerCase()}`)}`, call];
    }
  };
  return async (call, token) => {
    const [path, body] = request(call);
    const { ok, json } = await post(path, body, token);
    if (!ok) return { error: json['error'] as string, code: json['code'] as number };
    const list = (name: string) => (json[name] ?? []) as Record<string, string>[];
    switch (call.call) {
      case 'authenticate':
        return { is: json['token'] };
      case 'userList':
        return { is: list('users') };
      case 'roleList':
      case 'userGet':
        return { is: list('roles') };
      case 'roleGet':
        return {
          is: list('perm').map(({ permType = 'READ', key = '', range_end = '' }) =>
            shortPermission(
              permType.toLowerCase(),
              text(Buffer.from(key, 'base64')),
              text(Buffer.from(range_end, 'base64')),
            ),
          ),
        };
      case 'kv':
      case 'txn':
        return { is: Number((json['header'] as Record<string, string>)['revision']) };
      default:
        return { is: 'ok' };
    }
  };
}

/** The same to the services themselves. */
function ownSide({ auth, guardedClient, checks }: ReturnType<typeof fakeStore>): Side {
  const opOf = (op: KvOp): RequestOp => {
    const { key, rangeEnd } = { key: bytes(op.key), rangeEnd: bytes('end' in op ? op.end : '') };
    if (op.type === 'put') return { type: 'put', key, value: key, prevKv: op.prevKv, lease: op.lease };
    return op.type === 'range'
      ? { type: 'range', key, rangeEnd }
      : { type: 'delete', key, rangeEnd, prevKv: op.prevKv };
  };
  const run = async (call: Call, options: CallOptions): Promise<unknown> => {
    switch (call.call) {
      case 'authenticate':
        return (await auth.authenticate(call, options)).token;
      case 'userList':
        return (await auth.userList(options)).users;
      case 'roleList':
        return (await auth.roleList(options)).roles;
      case 'userGet':
        return (await auth.userGet(call, options)).roles;
      case 'roleGet': {
        const { permissions } = await auth.roleGet({ role: call.name }, options);
        return permissions.map(({ type, key, rangeEnd }) => shortPermission(type, text(key), text(rangeEnd)));
      }
      case 'kv': {
        const op = opOf(call.op);
        if (op.type === 'put') return (await guardedClient.put(op, options)).header.revision;
        if (op.type === 'delete') return (await guardedClient.deleteRange(op, options)).header.revision;
        return (await guardedClient.range(op as never, options)).header.revision;
      }
      case 'txn': {
        const { key, end } = call.compare;
        const exists = {
          key: bytes(key),
          rangeEnd: bytes(end),
          result: 'greater',
          target: 'create',
        } as const;
        const request = {
          compare: [{ ...exists, createRevision: 0 }],
          success: call.success.map(opOf),
          failure: call.failure.map(opOf),
        };
        return (await guardedClient.txn(request, options)).header.revision;
      }
      case 'leaseGrant':
        await guardedClient.leaseGrant({ id: call.id, ttl: 1000 }, options);
        break;
      case 'leaseRevoke':
        await guardedClient.leaseRevoke(call.id, options);
        break;
      case 'memberRemove':
        await checks.requireAdmin(options);
        throw EtcdError.of('MemberNotFound');
      case 'enable':
      case 'disable':
        await auth[call.call](options);
        break;
      case 'userAdd':
        await auth.userAdd({ ...call, hashedPassword: '' }, options);
        break;
      case 'userChangePassword':
        await auth.userChangePassword({ ...call, hashedPassword: '' }, options);
        break;
      case 'userGrantRole':
        await auth.userGrantRole({ user: call.name, role: call.role }, options);
        break;
      case 'userRevokeRole':
        await auth.userRevokeRole(call, options);
        break;
      case 'roleDelete':
        await auth.roleDelete({ role: call.name }, options);
        break;
      case 'roleRevokePermission':
        await auth.roleRevokePermission(
          { role: call.name, key: bytes(call.key), rangeEnd: bytes(call.end) },
          options,
        );
        break;
      case 'userDelete':
      case 'roleAdd':
        await auth[call.call](call, options);
        break;
      case 'roleGrantPermission':
        await auth.roleGrantPermission(call, options);
        break;
    }
    return 'ok';
  };
  return async (call, token) => {
    try {
      return { is: await run(call, token === undefined ? {} : { token }) };
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      return { error: error.message, code: error.code };
    }
  };
}

/** Small numbers from a seed, so that a failure can be run again. */
class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }
  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}

const USERS = ['root', 'ann', 'bob', 'nobody', ''] as const;
const ROLES = ['root', 'r', 's', 'none', ''] as const;
/** What is granted: one range for each key, because 3.4 mixes up several that begin with the same key. */
const SPANS: readonly (readonly [string, string])[] = [
  ['a', 'c'],
  ['b', ''],
  ['c', 'e'],
  ['e', '\0'],
];
/** What is asked for. */
const KEYS = ['a', 'b', 'b1', 'c', 'd', 'e', 'f'] as const;
const ENDS = ['', '', 'b', 'c', 'd', 'f', '\0'] as const;
const LEASES = [1n, 2n, 3n] as const;
/** 1 of 8 passwords is wrong. */
const passwordOf = (name: string, dice: Dice) => (dice.below(8) === 0 ? 'wrong' : `of ${name}`);

function kvOp(dice: Dice, lease: boolean): KvOp {
  const key = dice.of(KEYS);
  const end = dice.of(ENDS);
  switch (dice.below(3)) {
    case 0:
      return { type: 'range', key, end };
    case 1:
      // In a transaction 3.4 looks neither at the lease nor at prev_kv, which later versions do.
      return {
        type: 'put',
        key,
        prevKv: lease && dice.below(4) === 0,
        lease: lease && dice.below(4) === 0 ? dice.of(LEASES) : 0n,
      };
    default:
      return { type: 'delete', key, end, prevKv: dice.below(3) === 0 };
  }
}

function anyCall(dice: Dice): Call {
  const name = dice.of(USERS);
  const role = dice.of(ROLES);
  const [key, end] = dice.of(SPANS);
  const kinds: (() => Call)[] = [
    () => ({ call: dice.of(['userList', 'roleList', 'enable'] as const) }),
    () => ({ call: 'authenticate', name, password: passwordOf(name, dice) }),
    () => ({ call: 'userAdd', name, password: `of ${name}`, noPassword: dice.below(4) === 0 }),
    () => ({
      call: dice.of(['userGet', 'userGet', 'userDelete'] as const),
      name: dice.of(USERS.slice(0, 4)),
    }),
    () => ({ call: dice.of(['roleAdd', 'roleGet', 'roleGet', 'roleDelete'] as const), name: role }),
    () => ({ call: dice.of(['userGrantRole', 'userGrantRole', 'userRevokeRole'] as const), name, role }),
    () => ({
      call: 'roleGrantPermission',
      name: role,
      permission: { type: dice.of(['read', 'write', 'readwrite']), key: bytes(key), rangeEnd: bytes(end) },
    }),
    () => ({ call: 'roleRevokePermission', name: role, key, end }),
    () => ({ call: dice.of(['leaseGrant', 'leaseRevoke'] as const), id: dice.of(LEASES) }),
    () => ({ call: 'memberRemove' }),
    () => ({
      call: 'txn',
      compare: { key: dice.of(KEYS), end: dice.of(ENDS) },
      success: [kvOp(dice, false)],
      failure: [kvOp(dice, false)],
    }),
  ];
  return dice.below(2) === 0 ? { call: 'kv', op: kvOp(dice, true) } : dice.of(kinds)();
}

/** Two stores that are told the same, and the tokens that each of them has given. */
class Pair {
  #step = 0;
  /** By who has it; both sides' tokens, which are random. */
  readonly tokens = new Map<string, readonly [string, string]>();

  constructor(
    private readonly t: Test,
    private readonly sides: readonly [Side, Side],
  ) {}

  /** @param who whose token goes with the call; `bad`: one that nobody was given */
  async both(call: Call, who: string | undefined): Promise<void> {
    const tokens = who === undefined ? [] : (this.tokens.get(who) ?? ['bad.1', 'bad.1']);
    const [etcd, own] = await Promise.all(this.sides.map((side, place) => side(call, tokens[place])));
    const name = `${++this.#step} ${JSON.stringify(call, (_name, value) => (typeof value === 'bigint' ? Number(value) : value))} by ${who}`;
    if (
      call.call === 'authenticate' &&
      etcd !== undefined &&
      'is' in etcd &&
      own !== undefined &&
      'is' in own
    ) {
      this.t.match(own.is, /^[A-Za-z]{16}\.\d+$/, name);
      this.tokens.set(call.name, [String(etcd.is), String(own.is)]);
    } else if (JSON.stringify(own) !== JSON.stringify(etcd)) {
      this.t.same(own, etcd, name);
      throw new Error('the two have parted');
    }
  }

  async random(dice: Dice, count: number, people: readonly (string | undefined)[]): Promise<void> {
    for (let left = count; left > 0; left--) {
      const call = anyCall(dice);
      const who = dice.of(people);
      const isOff = people.length === 1;
      if (isOff && call.call === 'enable') continue;
      // 3.4 gives leases to whoever asks; here, as in later versions, only users have them.
      const needsUser = call.call === 'leaseGrant' || call.call === 'leaseRevoke';
      if (!isOff && needsUser && (who === undefined || who === 'bad')) continue;
      await this.both(call, who);
    }
  }
}

t.test('users, roles and permissions behave as in a real etcd', { skip: etcdMissing }, async (t) => {
  const seed = Number(process.env['AUTH_SEED'] ?? randomBytes(4).readUInt32LE());
  t.comment(`AUTH_SEED=${seed}`);
  const dice = new Dice(seed);
  const etcd = await startEtcd({ args: ['--bcrypt-cost', '4'] });
  const store = fakeStore();
  t.teardown(async () => {
    await store.close();
    await etcd.stop('SIGKILL');
    await etcd.remove();
  });
  const pair = new Pair(t, [etcdSide(etcd.url), ownSide(store)]);

  // 3.4 refuses a token while authentication is off, later versions do not look at it: nobody sends one.
  await pair.both({ call: 'enable' }, undefined);
  await pair.random(dice, 80, [undefined]);
  for (let round = 0; round < 2; round++) {
    await pair.both({ call: 'userDelete', name: 'root' }, undefined);
    await pair.both({ call: 'userAdd', name: 'root', password: 'of root', noPassword: false }, undefined);
    await pair.both({ call: 'enable' }, undefined);
    await pair.both({ call: 'userGrantRole', name: 'root', role: 'root' }, undefined);
    await pair.both({ call: 'enable' }, undefined);
    await pair.both({ call: 'authenticate', name: 'root', password: 'of root' }, undefined);
    for (const name of ['ann', 'bob']) {
      await pair.both({ call: 'userAdd', name, password: `of ${name}`, noPassword: false }, 'root');
      await pair.both({ call: 'userChangePassword', name, password: `of ${name}` }, 'root');
      await pair.both({ call: 'authenticate', name, password: `of ${name}` }, undefined);
    }
    await pair.random(dice, 160, ['root', 'root', 'ann', 'bob', 'ann', 'bob', undefined, 'bad']);
    // Whoever has deleted or locked out root has been refused, so root is there.
    await pair.both({ call: 'authenticate', name: 'root', password: 'of root' }, undefined);
    await pair.both({ call: 'disable' }, 'root');
    await pair.random(dice, 30, [undefined]);
    await pair.both({ call: 'disable' }, undefined);
  }
});
