/**
 * Users, roles, permissions and tokens. What etcd 3.4 answers too is compared with a real one (auth-etcd.test.ts); here
 * are the parts, what later versions changed, and what only time or several members show.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import type { JwtOptions } from '../../storage/auth/token-options.js';
import { KeyIntervals } from '../../storage/auth/key-intervals.js';
import { openJwtTokens } from '../../storage/auth/jwt-tokens.js';
import { PasswordHasher } from '../../storage/auth/password.js';
import { AuthTokenError, parseAuthToken } from '../../storage/auth/token-options.js';
import type { Permission } from '../../storage/server/api.js';
import { fakeStore, identity, memoryMachine } from './fake-store.js';
import { Entries, transfer } from './machines.js';
import { stateLines } from './state-hash.js';
import { bytes, fails, nested, put, temporaryFolder, txn, WatchReader } from './tools.js';

type Store = ReturnType<typeof fakeStore>;

const permission = (type: Permission['type'], key: string, end = ''): Permission => ({
  type,
  key: bytes(key),
  rangeEnd: bytes(end),
});
const user = (name: string, noPassword = false) => ({
  name,
  password: noPassword ? '' : `of ${name}`,
  hashedPassword: '',
  noPassword,
});
const authenticate = async ({ auth }: Store, name: string) =>
  (await auth.authenticate({ name, password: `of ${name}` })).token;

/** With root, and ann who may read [a, d), write [b, e) and both from x on; authentication is on. */
async function guarded(t: Test, options: Parameters<typeof fakeStore>[0] = {}) {
  const store = fakeStore(options);
  t.teardown(() => store.close());
  const { auth } = store;
  await Promise.all(['root', 'ann'].map((name) => auth.userAdd(user(name))));
  await auth.userGrantRole({ user: 'root', role: 'root' });
  await auth.roleAdd({ name: 'r' });
  const permissions = [
    permission('read', 'a', 'd'),
    permission('write', 'b', 'e'),
    permission('readwrite', 'x', '\0'),
  ];
  for (const permission of permissions) await auth.roleGrantPermission({ name: 'r', permission });
  await auth.userGrantRole({ user: 'ann', role: 'r' });
  await auth.enable();
  const root = { token: await authenticate(store, 'root') };
  const ann = { token: await authenticate(store, 'ann') };
  return { ...store, root, ann, again: (name: string) => authenticate(store, name) };
}

const key = (name: string) => ({ key: bytes(name) });
const range = (name: string, end: string) => ({ key: bytes(name), rangeEnd: bytes(end) });
const pair = (name: string) => ({ key: bytes(name), value: bytes('v') });

// The range coverage rule: a request may use the union of all that is granted (etcd's unified range permissions).
t.test('key intervals cover what their union holds', (t) => {
  const letters = 'abcdef'.split('');
  // Ranges end at letters and points are letters, so a letter and what follows it are all the places there are.
  const places = letters.flatMap((letter) => [letter, `${letter}+`]);
  const placesOf = (start: string, end: string) => {
    if (end === '') return [start];
    return places.filter((place) => place.slice(0, 1) >= start && (end === '\0' || place.slice(0, 1) < end));
  };
  const span = fc.tuple(fc.constantFrom(...letters), fc.constantFrom('', '', '\0', ...letters));
  fc.assert(
    fc.property(fc.array(span, { maxLength: 6 }), span, (granted, [start, end]) => {
      // What holds no key is covered or not, which makes no difference.
      fc.pre(end === '' || end === '\0' || start < end);
      const union = new Set(granted.flatMap(([start, end]) => placesOf(start, end)));
      const intervals = new KeyIntervals(granted.map(([start, end]) => range(start, end)));
      const asked = placesOf(start, end);
      assert.equal(
        intervals.covers(bytes(start), bytes(end)),
        asked.every((place) => union.has(place)) && (end !== '\0' || granted.some(([, end]) => end === '\0')),
      );
    }),
    { numRuns: 2000 },
  );
  t.pass('for any six ranges and any asked for');
  const bytewise = new KeyIntervals([{ key: Uint8Array.of(0x7f), rangeEnd: Uint8Array.of(0xff) }]);
  t.ok(bytewise.covers(Uint8Array.of(0x80)), 'in the order of bytes');
  t.notOk(bytewise.covers(Uint8Array.of(0xff)));
  const adjacent = new KeyIntervals([key('k'), { key: bytes('k\0'), rangeEnd: bytes('m') }]);
  t.ok(adjacent.covers(bytes('k'), bytes('m')), 'a key and all that follow it');
  t.end();
});

t.test('passwords are kept as hashes that say how they were made', async (t) => {
  const passwords = new PasswordHasher();
  const hash = await passwords.hash('secret');
  t.match(hash, /^\$scrypt\$ln=14,r=8,p=1\$/);
  t.not(await passwords.hash('secret'), hash, 'salted');
  t.equal(await passwords.verify('secret', hash), true);
  t.equal(await passwords.verify('Secret', hash), false);
  t.equal(await passwords.verify('', await passwords.hash('')), true, 'an empty one is one, as in etcd');
  const costs = [
    'ln=17,r=8,p=1',
    'ln=14,r=9,p=1',
    'ln=14,r=8,p=5',
    'ln=16,r=1,p=1',
    'ln=0,r=8,p=1',
    'ln=14,r=0,p=0',
  ];
  const hashes = ['', 'secret', '$2a$10$abcdefghijklmnopqrstuv'];
  for (const foreign of [...hashes, ...costs.map((cost) => hash.replace('ln=14,r=8,p=1', cost))]) {
    t.equal(await passwords.verify('secret', foreign), false, `verifies nothing: ${foreign.slice(0, 20)}`);
  }
  const dearest = hash.replace('ln=14,r=8,p=1', 'ln=16,r=8,p=4');
  t.equal(await passwords.verify('secret', dearest), false, 'the dearest there may be is computed');
  const cheap = '$scrypt$ln=1,r=1,p=1$c2FsdA==$aGFzaA==';
  const running = Array.from({ length: 402 }, () => passwords.verify('x', cheap));
  await fails(t, passwords.verify('x', cheap), 'RequestTooManyRequests', 'two at work and 400 waiting');
  t.same(new Set(await Promise.all(running)), new Set([false]));
  t.equal(await passwords.verify('x', cheap), false, 'and there is room again');
});

t.test('the revision of users and roles: 1 at first, up by one with each change', async (t) => {
  const store = fakeStore();
  t.teardown(() => store.close());
  const { auth } = store;
  const revision = async (options = {}) => (await auth.status(options)).authRevision;
  t.equal(await revision(), 1);
  await auth.userAdd(user('root'));
  await auth.roleAdd({ name: 'r' });
  await auth.roleGrantPermission({ name: 'r', permission: permission('read', 'a') });
  t.equal(await revision(), 4);
  await fails(t, auth.roleAdd({ name: 'r' }), 'RoleAlreadyExist');
  await auth.userGrantRole({ user: 'root', role: 'root' });
  await auth.userGrantRole({ user: 'root', role: 'root' });
  t.equal(await revision(), 5, 'not by what changes nothing');
  await auth.enable();
  const token = await authenticate(store, 'root');
  t.same((await auth.status({ token })).enabled, true);
  t.equal(await revision({ token }), 5, 'not by turning it on');
  await auth.disable({ token });
  t.equal(await revision(), 6, 'by turning it off, so that old identities end');
  t.equal((await store.client.range(key('a'))).header.revision, 1, 'the revision of keys is another');
});

// etcd 3.5 and later, where 3.4 accepts the range, or falls over a missing permission.
t.test('a permission that no key can have is refused, and so is none', async (t) => {
  const { auth, root, ann } = await guarded(t);
  const grant = (permission: Permission | undefined, options: object) =>
    auth.roleGrantPermission({ name: 'r', permission }, options);
  await fails(t, grant(undefined, root), 'PermissionNotGiven');
  await fails(t, grant(undefined, ann), 'PermissionDenied');
  await fails(t, grant(permission('read', 'c', 'a'), root), 'InvalidAuthMgmt');
  await fails(t, grant(permission('read', 'c', 'c'), root), 'InvalidAuthMgmt');
  await fails(t, grant(permission('read', '', '\0'), root), 'InvalidAuthMgmt');
  await grant(permission('write', 'a', 'c'), root);
  await grant(permission('write', 'a', 'b'), root);
  await grant(permission('write', 'a', 'd'), root);
  const { permissions } = await auth.roleGet({ role: 'r' }, ann);
  t.same(
    permissions.slice(0, 4).map(({ type, key, rangeEnd }) => `${type} ${String(key)} ${String(rangeEnd)}`),
    ['write a b', 'write a c', 'write a d', 'write b e'],
    'in order, one for each range',
  );
});

t.test('every part of a transaction is checked, nested ones and branches not taken too', async (t) => {
  const { guardedClient: client, ann } = await guarded(t);
  const op = (name: string, more = {}) => put(name, 'v', more);
  const compare = (name: string) =>
    ({ ...key(name), target: 'version', result: 'equal', version: 0 }) as const;
  t.equal((await client.txn(txn([op('b')], [op('c')], [compare('a')]), ann)).succeeded, true);
  const denied = {
    'a compare is a read': txn([op('b')], [], [compare('d')]),
    'the branch not taken': txn([op('b')], [op('a')], [compare('a')]),
    'a nested transaction': txn([nested([op('a')])]),
    'a nested compare': txn([nested([op('b')], [], [compare('d')])]),
    'the previous value of a put': txn([op('d', { prevKv: true })]),
    'the previous values of a delete': txn([{ type: 'delete', ...range('c', 'e'), prevKv: true }]),
  };
  for (const [what, request] of Object.entries(denied)) {
    await fails(t, client.txn(request, ann), 'PermissionDenied', what);
  }
  await client.txn(txn([{ type: 'delete', ...range('c', 'e') }]), ann);
  await fails(t, client.txn(txn([])), 'UserEmpty', 'nothing at all still needs an identity');
});

// Later versions than 3.4.42, 3.5.28 and 3.6.9 let nobody near these who is no user.
t.test('leases and compaction are for users; keys of a lease for who may read them', async (t) => {
  const { guardedClient: client, checks, root, ann } = await guarded(t);
  await client.leaseGrant({ id: 7n, ttl: 100 }, ann);
  await client.put({ ...pair('b'), lease: 7n }, ann);
  t.equal((await client.leaseTimeToLive({ id: 7n, keys: true }, ann)).keys.length, 1);
  await client.put({ ...pair('k'), lease: 7n }, root);
  await fails(t, client.put({ ...pair('c'), lease: 7n }, ann), 'PermissionDenied', 'it has a key of others');
  await fails(t, client.leaseRevoke(7n, ann), 'PermissionDenied', 'for the same reason');
  await fails(t, client.leaseTimeToLive({ id: 7n, keys: true }, ann), 'PermissionDenied');
  t.equal((await client.leaseTimeToLive({ id: 7n }, ann)).grantedTtl, 100);
  t.equal((await client.leaseKeepAlive(7n, ann)).ttl, 100);
  t.same((await client.leaseLeases(ann)).leases, [7n]);
  const calls = {
    grant: () => client.leaseGrant({ ttl: 100 }),
    keepAlive: () => client.leaseKeepAlive(7n),
    timeToLive: () => client.leaseTimeToLive({ id: 7n }),
    leases: () => client.leaseLeases(),
    revoke: () => client.leaseRevoke(7n),
    compact: () => client.compact({ revision: 1 }),
    status: () => client.status(),
    user: () => checks.requireUser(),
    admin: () => checks.requireAdmin(),
  };
  for (const [what, call] of Object.entries(calls)) await fails(t, call(), 'UserEmpty', what);
  await client.compact({ revision: 1 }, ann);
  await client.status(ann);
  await checks.requireUser(ann);
  await checks.requireAdmin(root);
  await fails(t, checks.requireAdmin(ann), 'PermissionDenied');
  await fails(t, checks.requireUser({ token: 'x.1' }), 'InvalidAuthToken');
  await client.leaseRevoke(7n, root);
});

t.test('the name in a certificate is the user where there is no token', async (t) => {
  const { auth, guardedClient: client, root, ann } = await guarded(t);
  await auth.userAdd(user('cert', true), root);
  await auth.userGrantRole({ user: 'cert', role: 'r' }, root);
  const cert = { certificateName: 'cert' };
  t.equal((await client.range(range('a', 'd'), cert)).count, 0);
  await fails(t, client.range(key('d'), cert), 'PermissionDenied');
  await fails(t, client.range(key('a'), { certificateName: 'stranger' }), 'PermissionDenied');
  await fails(
    t,
    client.range(key('a'), { ...cert, token: 'x.1' }),
    'InvalidAuthToken',
    'a token is heard first',
  );
  t.same((await auth.userGet({ name: 'ann' }, { ...ann, certificateName: 'root' })).roles, ['r']);
  await fails(t, auth.authenticate({ name: 'cert', password: '' }), 'NoPasswordUser');
});

t.test('a hash that the client has made is kept, and verifies if it is of our kind', async (t) => {
  const { auth, root } = await guarded(t);
  const hashedPassword = await new PasswordHasher().hash('mine');
  await auth.userAdd({ ...user('own'), password: '', hashedPassword }, root);
  t.ok((await auth.authenticate({ name: 'own', password: 'mine' })).token);
  const change = { name: 'own', password: '', hashedPassword: '$2a$10$of another kind' };
  await auth.userChangePassword(change, root);
  await fails(t, auth.authenticate({ name: 'own', password: 'mine' }), 'AuthFailed');
});

// What is in the log already is checked by the state that it meets there.
t.test('a permission that was revoked is of no use to what was proposed before', async (t) => {
  const { auth, guardedClient: client, consensus, root, ann } = await guarded(t);
  consensus.hold();
  const revoked = auth.userRevokeRole({ name: 'ann', role: 'r' }, root);
  await new Promise((resolve) => setImmediate(resolve));
  const late = client.put(pair('b'), ann);
  await new Promise((resolve) => setImmediate(resolve));
  consensus.release();
  await revoked;
  await fails(t, late, 'AuthOldRevision', 'the identity is of before');
  await fails(t, client.put(pair('b'), ann), 'PermissionDenied', 'the same token, looked at now');
  t.equal((await client.range(key('b'), root)).count, 0);
  const entries = consensus.entries.length;
  await fails(t, client.put(pair('b')), 'UserEmpty');
  await fails(t, client.put(pair('b'), ann), 'PermissionDenied');
  t.equal(consensus.entries.length, entries, 'what is refused here takes no room in the log');
});

t.test('a password that changes while it is looked at opens nothing', async (t) => {
  const { auth, consensus, root } = await guarded(t);
  const before = consensus.proposed.length;
  consensus.hold();
  const change = auth.userChangePassword({ ...user('ann'), password: 'new' }, root);
  const proposals = async (count: number) => {
    while (consensus.proposed.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  await proposals(before + 1);
  const late = auth.authenticate({ name: 'ann', password: 'of ann' });
  // Both are in the log, the change in front.
  await proposals(before + 2);
  consensus.release();
  await change;
  await fails(t, late, 'AuthFailed');
  t.ok((await auth.authenticate({ name: 'ann', password: 'new' })).token);
});

t.test('simple tokens live as long as they are used, and no longer than their user', async (t) => {
  const { auth, guardedClient: client, clock, machine, root, ann, again } = await guarded(t);
  const read = (options: object) => client.range(key('a'), options);
  for (let use = 0; use < 3; use++) {
    clock.advance(299_000);
    await read(ann);
    await auth.userList(root);
  }
  clock.advance(300_000);
  await fails(t, read(ann), 'InvalidAuthToken', '300 s after its last use');
  const second = { token: await again('ann') };
  const third = { token: await again('ann') };
  const newRoot = { token: await again('root') };
  await read(second);
  await auth.userChangePassword({ ...user('ann'), password: 'new' }, newRoot);
  await fails(t, read(second), 'InvalidAuthToken', 'all of who has another password');
  await fails(t, read(third), 'InvalidAuthToken');
  await auth.disable(newRoot);
  t.equal((await read(second)).count, 0, 'while authentication is off a token means nothing');
  await auth.enable();
  await fails(t, read(newRoot), 'InvalidAuthToken', 'turning it off ends them all');
  await fails(t, read({ token: `abc.${machine.applied.index + 1000}` }), 'InvalidAuthToken', 'of the future');
});

t.test('watches: who may not read is told why, one after another; who may goes on', async (t) => {
  const { auth, client, guardedClient, root, ann } = await guarded(t);
  const reasonFor = async (request: object, options: object) => {
    const stream = guardedClient.watch(options);
    const reader = new WatchReader(stream);
    stream.create(request as never);
    const { watchId, created, canceled, cancelReason } = await reader.next();
    stream.close();
    t.same([watchId, created, canceled], [-1, true, true]);
    return cancelReason;
  };
  const denied = 'rpc error: code = PermissionDenied desc = etcdserver: permission denied';
  t.equal(await reasonFor(key('d'), ann), denied);
  t.equal(await reasonFor(range('a', '\0'), ann), denied, 'nor all keys from one that is allowed');
  t.equal(await reasonFor(key(''), ann), denied, 'no key means the first one');
  t.equal(
    await reasonFor(key('a'), {}),
    'rpc error: code = InvalidArgument desc = etcdserver: user name is empty',
  );
  t.equal(
    await reasonFor(key('a'), { token: 'x.1' }),
    'rpc error: code = Unauthenticated desc = etcdserver: invalid auth token',
  );

  const stream = guardedClient.watch(ann);
  const reader = new WatchReader(stream);
  stream.create(range('a', 'd'));
  t.equal((await reader.next()).created, true);
  await auth.userRevokeRole({ name: 'ann', role: 'r' }, root);
  await client.put(pair('a'));
  t.equal((await reader.next()).events.length, 1, 'as in etcd, a watch outlives the permission');
  stream.create(key('a'));
  t.equal((await reader.next()).cancelReason, denied, 'a new one does not');
  stream.close();
});

t.test('a token that only the log knows yet holds the order of what a stream is asked', async (t) => {
  const store = await guarded(t);
  let identify: (value: undefined) => void = () => undefined;
  const waiting = new Promise<undefined>((resolve) => (identify = resolve));
  const later = fakeStore({
    tokens: {
      issue: async () => 'token',
      verify: () => waiting.then(() => ({ user: 'root', authRevision: undefined })),
      applied: () => undefined,
      installed: () => undefined,
    },
  });
  t.teardown(() => later.close());
  await later.auth.userAdd(user('root'));
  await later.auth.userGrantRole({ user: 'root', role: 'root' });
  await later.auth.enable();
  const stream = later.guardedClient.watch({ token: 'token' });
  const reader = new WatchReader(stream);
  stream.create({ ...key('a'), watchId: 5 });
  stream.cancel(5);
  stream.create({ ...key('b'), watchId: 5 });
  stream.requestProgress();
  identify(undefined);
  const told = [await reader.next(), await reader.next(), await reader.next(), await reader.next()];
  t.same(
    told.map(({ watchId, created, canceled }) => [watchId, created ?? canceled]),
    [
      [5, true],
      [5, true],
      [5, true],
      [-1, undefined],
    ],
  );
  t.equal(told[1]?.canceled, true);
  stream.close();
  await store.auth.userList(store.root);
});

t.test('what runs in this process asks nobody, and a learner refuses before all', async (t) => {
  const { auth, client, guardedClient, consensus, clock, history, ann } = await guarded(t);
  await client.put({ ...pair('k'), lease: (await client.leaseGrant({ ttl: 2 })).id });
  t.equal((await client.range(key('k'))).count, 1);
  consensus.lead(2);
  clock.advance(2_500);
  while ((await client.range(key('k'))).count > 0) await new Promise((resolve) => setImmediate(resolve));
  t.ok(history, 'a lease that has expired is revoked by the leader');
  consensus.isLearner = true;
  await fails(t, guardedClient.put(pair('b')), 'NotSupportedForLearner');
  for (const call of [
    auth.userList(ann),
    auth.enable(),
    auth.authenticate(user('ann')),
    auth.roleAdd(user('x')),
  ]) {
    await fails(t, call, 'NotSupportedForLearner');
  }
  t.equal((await guardedClient.range({ ...key('a'), serializable: true }, ann)).count, 0);
  await fails(t, guardedClient.range({ ...key('a'), serializable: true }), 'UserEmpty');
});

t.test('a snapshot carries users and roles; a restart finds them', async (t) => {
  const { db, machine } = memoryMachine();
  const entries = new Entries();
  const changes = [
    { type: 'user-add', name: 'root', password: 'hash', noPassword: false },
    { type: 'user-grant-role', name: 'root', role: 'root' },
    { type: 'role-add', name: 'r\u{1f511}' },
    { type: 'role-add', name: 'r\uffee' },
    { type: 'role-grant-permission', name: 'r\uffee', permission: permission('write', 'a', '\0') },
    { type: 'user-grant-role', name: 'root', role: 'r\u{1f511}' },
    { type: 'user-grant-role', name: 'root', role: 'r\uffee' },
    { type: 'enable' },
  ] as const;
  for (const change of changes) entries.add({ type: 'auth', change });
  entries.applyTo(machine);
  const other = memoryMachine(identity(2n));
  await transfer(machine, other.machine);
  const { auth } = other.machine;
  t.same([auth.enabled, auth.revision], [true, 8]);
  t.same(auth.user('root'), {
    password: 'hash',
    noPassword: false,
    roles: ['root', 'r\uffee', 'r\u{1f511}'],
  });
  t.same(auth.roleNames(), ['r\uffee', 'r\u{1f511}'], 'in the order of their UTF-8 bytes');
  t.same(auth.role('r\uffee'), [permission('write', 'a', '\0')]);
  entries.add({
    type: 'auth',
    change: { type: 'role-delete', name: 'r\uffee' },
    caller: { type: 'trusted' },
  });
  entries.applyTo(machine);
  entries.applyTo(other.machine);
  t.same(other.machine.auth.user('root')?.roles, ['root', 'r\u{1f511}'], 'and goes on from there');
  t.ok(stateLines(db).includes('root hash 0'), 'the hash of a state has them');
  await Promise.all([machine.close(), other.machine.close()]);
});

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = (key: typeof rsa.privateKey) =>
  Buffer.from(key.export({ type: key.type === 'public' ? 'spki' : 'pkcs8', format: 'pem' }));
const jwt = (method: string, privateKey?: Buffer, publicKey?: Buffer): JwtOptions => ({
  type: 'jwt',
  method,
  ttlSeconds: 60,
  ...(privateKey && { privateKey }),
  ...(publicKey && { publicKey }),
});

t.test('signed tokens: each method, and nobody else’s', async (t) => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed = generateKeyPairSync('ed25519');
  const claim = { user: 'ann', authRevision: 7 };
  const kinds = [
    jwt('RS256', pem(rsa.privateKey), pem(rsa.publicKey)),
    jwt('PS512', pem(rsa.privateKey)),
    jwt('ES256', pem(ec.privateKey), pem(ec.publicKey)),
    jwt('EdDSA', pem(ed.privateKey)),
    jwt('HS256', Buffer.from('a secret of some length, known to all members')),
  ];
  const tokens: string[] = [];
  for (const options of kinds) {
    const provider = await openJwtTokens(options);
    const token = await provider.issue(claim);
    t.match(await provider.verify(token), claim, options.method);
    t.notOk(provider.verify(token) instanceof Promise, 'remembered: at once');
    tokens.push(token);
  }
  const reader = await openJwtTokens(jwt('RS256', undefined, pem(rsa.publicKey)));
  const [rs256 = '', ...others] = tokens;
  t.match(await reader.verify(rs256), claim, 'the public key is enough to read');
  await fails(t, reader.issue(claim), 'VerifyOnly');
  for (const token of [...others, `${rs256}x`, 'x', '']) t.equal(await reader.verify(token), undefined);
  const [header = '', payload = ''] = rs256.split('.');
  t.same(JSON.parse(Buffer.from(header, 'base64url').toString()).alg, 'RS256');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  t.match(claims, { username: 'ann', revision: 7, exp: Number }, 'the claims are etcd’s');
  const late = await openJwtTokens({ ...jwt('PS512', pem(rsa.privateKey)), ttlSeconds: -1 });
  t.equal(await late.verify(await late.issue(claim)), undefined, 'expired');
});

t.test('signed tokens end with each change of users and roles, but root can go on', async (t) => {
  const tokens = await openJwtTokens(jwt('RS256', pem(rsa.privateKey)));
  const { auth, guardedClient: client, consensus, root, ann, again } = await guarded(t, { tokens });
  t.equal((await client.range(key('a'), ann)).count, 0);
  const before = consensus.entries.length;
  await again('ann');
  t.equal(consensus.entries.length, before, 'and take no room in the log');
  await auth.roleAdd({ name: 's' }, root);
  await fails(t, client.range(key('a'), ann), 'AuthOldRevision');
  await fails(t, client.put(pair('b'), root), 'AuthOldRevision');
  await fails(t, client.status(ann), 'AuthOldRevision');
  await auth.roleDelete({ role: 's' }, root);
  await client.put(pair('b'), { token: await again('ann') });
  await auth.userDelete({ name: 'ann' }, root);
  await fails(t, client.range(key('a'), ann), 'AuthOldRevision');
});

t.test('--auth-token', async (t) => {
  const folder = temporaryFolder(t);
  const file = (name: string, content: Buffer) => {
    fs.writeFileSync(path.join(folder, name), content);
    return path.join(folder, name);
  };
  const privateKey = file('key', pem(rsa.privateKey));
  const publicKey = file('pub', pem(rsa.publicKey));
  t.same(parseAuthToken('simple'), { type: 'simple' });
  t.same(parseAuthToken(`jwt,pub-key=${publicKey},priv-key=${privateKey},sign-method=RS256,ttl=1h10m`), {
    ...jwt('RS256', pem(rsa.privateKey), pem(rsa.publicKey)),
    ttlSeconds: 4200,
  });
  t.match(parseAuthToken(`jwt,pub-key=${publicKey},sign-method=RS256`), { ttlSeconds: 300 });
  const wrong = {
    '': /neither simple nor jwt/,
    'simple,ttl=1m': /neither simple nor jwt/,
    jwt: /needs sign-method/,
    'jwt,sign-method': /not name=value/,
    'jwt,sign-method=RS256,colour=red': /unknown option colour/,
    'jwt,sign-method=RS256,ttl=soon': /no duration/,
    'jwt,sign-method=RS256,ttl=0s': /no duration/,
    [`jwt,sign-method=RS256,pub-key=${folder}/none`]: /cannot read a key/,
  };
  for (const [text, message] of Object.entries(wrong)) {
    t.throws(() => parseAuthToken(text), { name: 'AuthTokenError', message }, text);
  }
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const unfit = {
    'no such method': jwt('none', pem(rsa.privateKey)),
    'no key': jwt('RS256'),
    'a public key for a shared secret': jwt('HS256', undefined, pem(rsa.publicKey)),
    'not a pair': jwt('RS256', pem(rsa.privateKey), pem(other.publicKey)),
    'of another kind': jwt('ES256', pem(rsa.privateKey)),
    'no key at all': jwt('RS256', Buffer.from('hello')),
  };
  for (const [what, options] of Object.entries(unfit)) {
    await t.rejects(openJwtTokens(options), AuthTokenError, what);
  }
});
