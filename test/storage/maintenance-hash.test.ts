/** HashKV is etcd's to the byte, and tells a cluster which of its members holds something else. */
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { createRemoteClient } from '../../storage/client/remote/index.js';
import type { EtcdClient } from '../../storage/client/interface.js';
import { Maintenance } from '../../storage/grpc/services.js';
import { crc32c } from '../../storage/maintenance/crc32c.js';
import { Hasher } from '../../storage/maintenance/hasher.js';
import { UNKNOWN_MEMBER } from '../../storage/maintenance/verdict.js';
import { openStore } from '../../storage/open.js';
import type { HashKvResponse } from '../../storage/server/api.js';
import { etcdMissing, startEtcd } from '../tools/real-etcd.js';
import { fakeStore, memoryMachine } from './fake-store.js';
import { Entries } from './machines.js';
import { Cluster } from './store-cluster.js';
import { bytes, del, fails, nested, put, silent, temporaryFolder, txn } from './tools.js';

// The compactor's own timers keep no process alive.
const awake = setInterval(() => undefined, 1000);
t.teardown(() => clearInterval(awake));

t.test('CRC-32C: the check value of RFC 3720, in one piece or several', (t) => {
  t.equal(crc32c(0, Buffer.from('123456789')), 0xe3069283);
  t.equal(crc32c(0, Buffer.alloc(32)), 0x8a9136aa, 'appendix B.4: 32 zeroes');
  t.equal(crc32c(0, Buffer.alloc(32, 0xff)), 0x62a8ab43, 'and 32 ones');
  const all = Buffer.from(Array.from({ length: 100 }, (_, place) => place * 7));
  for (let cut = 0; cut <= 20; cut++) {
    t.equal(crc32c(crc32c(0, all.subarray(0, cut)), all.subarray(cut)), crc32c(0, all), `cut at ${cut}`);
  }
  t.equal(crc32c(5, Buffer.alloc(0)), 5);
  t.end();
});

type HashKv = (revision: number) => Promise<Pick<HashKvResponse, 'hash' | 'compactRevision'> | string>;

/** The text of an error in place of an answer. */
async function tolerant(call: Promise<HashKvResponse>) {
  try {
    const { hash, compactRevision } = await call;
    return { hash, compactRevision };
  } catch (error) {
    if (error instanceof Error) return error.message.replace(/^\d+ [A-Z_]+: /, '');
    throw error;
  }
}

async function hashKvOf(t: Test, address: string): Promise<HashKv> {
  const grpc = await import('@grpc/grpc-js');
  const connection = new grpc.Client(address, grpc.credentials.createInsecure());
  t.teardown(() => connection.close());
  const { path, request, response } = Maintenance.HashKV;
  return (revision) =>
    tolerant(
      new Promise<HashKvResponse>((resolve, reject) => {
        connection.makeUnaryRequest(
          path,
          (message: { revision: number }) => Buffer.from(request.encode(message)),
          (bytes: Buffer) => response.decode(bytes),
          { revision },
          (error, answer) => {
            if (answer === undefined) reject(error ?? new Error('no answer'));
            else resolve(answer);
          },
        );
      }),
    );
}

/** A step of a story, the same to both; the hashes are compared after it. */
type Step = (client: EtcdClient) => Promise<unknown>;

/** Deletions of the compacted revision, keys deleted in the revision that made them, leases, all kinds of lengths. */
const story: readonly Step[] = [
  (client) => client.put({ key: bytes('a'), value: bytes('1') }),
  (client) => client.put({ key: bytes('a'), value: bytes('') }),
  (client) => client.put({ key: bytes('b'), value: Buffer.alloc(300, 'x') }),
  (client) => client.leaseGrant({ id: 7n, ttl: 500 }),
  (client) => client.put({ key: bytes('c'), value: bytes('leased'), lease: 7n }),
  (client) => client.leaseGrant({ id: 2n ** 62n + 1n, ttl: 500 }),
  (client) => client.put({ key: bytes('d\0\xff'), value: Buffer.alloc(70_000, 1), lease: 2n ** 62n + 1n }),
  (client) => client.txn(txn([put('e', '1'), put('f', '2'), put('g', '3')])),
  (client) => client.deleteRange({ key: bytes('a'), rangeEnd: bytes('c') }),
  (client) => client.compact({ revision: 5, physical: true }),
  (client) => client.compact({ revision: 8, physical: true }),
  (client) => client.put({ key: bytes('c'), value: bytes('again') }),
  (client) => client.txn(txn([nested([put('h', '1')]), nested([del('h')])])),
  (client) => client.leaseRevoke(7n),
  (client) => client.put({ key: bytes('a'), value: bytes('back') }),
  (client) => client.deleteRange({ key: bytes('\0'), rangeEnd: bytes('\0') }),
  (client) => client.compact({ revision: 11, physical: true }),
  (client) => client.compact({ revision: 12, physical: true }),
  (client) => client.put({ key: bytes('z'), value: bytes('1') }),
];

t.test('HashKV at every revision, as a real etcd answers it', { skip: etcdMissing }, async (t) => {
  const etcd = await startEtcd();
  const remote = createRemoteClient({ endpoints: [etcd.url], logger: silent });
  const store = await openStore({ dataDir: ':memory:' });
  t.teardown(async () => {
    await remote.close();
    await store.close();
    await etcd.stop();
    await etcd.remove();
  });
  const theirs = await hashKvOf(t, etcd.address);
  for (const [number, step] of story.entries()) {
    await step(remote);
    await step(store.client);
    const { revision } = store.status().header;
    const { compactRevision: compacted } = await store.upkeep.hashKv({ revision: 0 });
    t.equal((await remote.status()).header.revision, revision, `step ${number}`);
    for (let at = 0; at <= revision + 1; at++) {
      const own = await tolerant(store.upkeep.hashKv({ revision: at }));
      const expected = await theirs(at);
      // etcd before 3.6 refuses the compacted revision itself.
      if (at > 0 && at === compacted) t.type(own, 'object');
      else t.same(own, expected, `step ${number}, revision ${at} of ${revision}`);
    }
  }
});

t.test('HashKV: what etcd 3.4.23 answered, where there is none to ask', async (t) => {
  const store = fakeStore();
  const { client, upkeep } = store;
  const hashAt = async (revision: number) => (await upkeep.hashKv({ revision })).hash;
  t.equal(await hashAt(0), 1_084_519_789, 'of nothing');
  await client.put({ key: bytes('a'), value: bytes('1') });
  t.equal(await hashAt(2), 2_587_454_935);
  await client.put({ key: bytes('a'), value: bytes('') });
  t.equal(await hashAt(0), 126_554_164);
  await client.put({ key: bytes('b'), value: Buffer.alloc(300, 'x') });
  t.equal(await hashAt(0), 995_985_059);
  await client.leaseGrant({ id: 7n, ttl: 500 });
  await client.put({ key: bytes('c'), value: bytes('l'), lease: 7n });
  t.equal(await hashAt(0), 3_232_816_974);
  await client.leaseGrant({ id: -9n, ttl: 500 });
  await client.put({ key: bytes('n'), value: bytes('l'), lease: -9n });
  t.equal(await hashAt(0), 3_047_185_933);
  await client.deleteRange({ key: bytes('a'), rangeEnd: bytes('c') });
  t.equal(await hashAt(0), 450_805_285);
  await client.compact({ revision: 5 });
  t.equal(await hashAt(6), 2_583_988_231, 'whether the rows are gone already or not');
  await client.compact({ revision: 7, physical: true });
  t.match(await upkeep.hashKv({ revision: 0 }), {
    hash: 2_527_515_112,
    compactRevision: 7,
    hashRevision: 7,
    header: { revision: 7 },
  });
  t.equal(await hashAt(7), 2_527_515_112, 'at the compacted revision, as in etcd 3.6');
  await fails(t, upkeep.hashKv({ revision: 6 }), 'Compacted');
  await fails(t, upkeep.hashKv({ revision: 8 }), 'FutureRev');
  await client.deleteRange({ key: bytes('\0'), rangeEnd: bytes('\0') });
  await client.compact({ revision: 8, physical: true });
  t.equal(await hashAt(0), 1_084_519_789, 'nothing is left');
  await store.close();
});

t.test('a hash is of its revision, whatever is written and compacted while it is made', async (t) => {
  const store = await openStore({ dataDir: temporaryFolder(t) });
  const { client, upkeep } = store;
  const write = (round: number) =>
    Promise.all(
      Array.from({ length: 500 }, (_, key) =>
        client.put({ key: bytes(`${key}`), value: Buffer.alloc(256, round) }),
      ),
    );
  for (let round = 0; round < 4; round++) await write(round);
  const { revision } = store.status().header;
  const still = await upkeep.hashKv({ revision });
  let hashed = false;
  const hashing = upkeep.hashKv({ revision }).finally(() => (hashed = true));
  let turns = 0;
  const countTurn = () => {
    turns += 1;
    if (!hashed) setImmediate(countTurn);
  };
  countTurn();
  await write(9);
  await client.compact({ revision: store.status().header.revision });
  t.same((await hashing).hash, still.hash);
  t.ok(turns > 2, `it lets others run: ${turns} turns`);
  await fails(t, upkeep.hashKv({ revision }), 'Compacted');
  const aborted = upkeep.hashKv({ revision: 0 }, { signal: AbortSignal.abort() });
  await fails(t, aborted, 'Canceled');
  await store.close();
  await fails(t, upkeep.hashKv({ revision: 0 }), 'Stopped');
});

t.test('Hash is of everything: keys, leases, alarms', async (t) => {
  const store = fakeStore();
  const seen = new Set<number>();
  const isNew = async (what: string) => {
    const { hash, header } = await store.upkeep.hash();
    t.equal(header.revision, store.machine.store.revision);
    t.notOk(seen.has(hash), what);
    seen.add(hash);
  };
  await isNew('of nothing');
  await store.client.put({ key: bytes('a'), value: bytes('1') });
  await isNew('a key');
  await store.client.leaseGrant({ id: 5n, ttl: 10 });
  await isNew('a lease');
  await store.upkeep.alarm({ action: 'activate', memberId: 1n, alarm: 'nospace' });
  await isNew('an alarm');
  await store.client.compact({ revision: 2 });
  await isNew('a compaction');
  const { hash } = await store.upkeep.hash();
  t.ok(seen.has(hash), 'and the same again for the same');
  await store.close();
});

/** Changes a value behind the back of a member that does not run. */
function tamper(file: string): void {
  const db = new Database(file);
  db.exec("UPDATE history SET value = x'00' WHERE sequence = 1");
  db.close();
}

/** Three members that hold some keys; `tampered` has another value than the others. */
async function astray(t: Test, initialCorruptCheck = false) {
  let checks = false;
  const cluster = await Cluster.start(t, () => ({ initialCorruptCheck: checks }));
  await cluster.leader();
  for (const key of 'abc') await cluster.client(1n).put({ key: bytes(key), value: bytes('1') });
  await cluster.settled();
  const leader = await cluster.leader();
  const tampered = await cluster.follower();
  await cluster.stop(tampered);
  tamper(`${cluster.dataDir(tampered)}/member/mvcc-1.db`);
  checks = initialCorruptCheck;
  return { cluster, leader, tampered };
}

t.test('the leader finds the member that differs, and raises CORRUPT for it', async (t) => {
  const { cluster, leader, tampered } = await astray(t);
  t.same(await cluster.store(leader).upkeep.corruption.check(), [], 'who does not answer is not accused');
  await cluster.open(tampered);
  await cluster.settled();
  const others = [1n, 2n, 3n].filter((id) => id !== leader);
  for (const id of others) {
    t.same(await cluster.store(id).upkeep.corruption.check(), [], 'only the leader looks');
  }
  t.same(await cluster.store(leader).upkeep.corruption.check(), [tampered]);
  await cluster.settled();
  for (const id of [1n, 2n, 3n]) {
    t.same(cluster.store(id).upkeep.alarms(), [{ memberId: tampered, alarm: 'corrupt' }]);
    await fails(t, cluster.client(id).put({ key: bytes('x'), value: bytes('') }), 'Corrupt');
  }
  t.same(await cluster.store(leader).upkeep.corruption.check(), [], 'raised once');
});

t.test('where the leader is the one that differs, the others know', async (t) => {
  const { cluster, leader, tampered } = await astray(t);
  await cluster.open(tampered);
  await cluster.settled();
  await cluster.store(leader).consensus.transferLeadership(tampered, { deadline: performance.now() + 5000 });
  t.equal(await cluster.leader(leader), tampered);
  t.same(await cluster.store(tampered).upkeep.corruption.check(), [tampered]);
});

t.test('two of three cannot say who of them it is', async (t) => {
  const { cluster, leader, tampered } = await astray(t);
  await cluster.open(tampered);
  await cluster.settled();
  const third = [1n, 2n, 3n].find((id) => id !== leader && id !== tampered) as bigint;
  await cluster.stop(third);
  t.same(await cluster.store(leader).upkeep.corruption.check(), [UNKNOWN_MEMBER]);
  t.same(cluster.store(leader).upkeep.alarms(), [{ memberId: 0n, alarm: 'corrupt' }]);
});

t.test('a compaction brings the check about by itself', async (t) => {
  const { cluster, leader, tampered } = await astray(t);
  await cluster.open(tampered);
  await cluster.settled();
  await cluster.client(leader).put({ key: bytes('d'), value: bytes('1') });
  await cluster.client(leader).compact({ revision: 2 });
  while (cluster.store(leader).upkeep.alarms().length === 0) await delay(5);
  t.same(cluster.store(leader).upkeep.alarms(), [{ memberId: tampered, alarm: 'corrupt' }]);
});

t.test('InitialCorruptCheck: a member that differs does not start; one that does not, does', async (t) => {
  const { cluster, leader, tampered } = await astray(t, true);
  await t.rejects(cluster.open(tampered), {
    name: 'DataDirCorruptError',
    message: `${cluster.dataDir(tampered)}: what it holds is not what the other members hold`,
  });
  const sound = [1n, 2n, 3n].find((id) => id !== leader && id !== tampered) as bigint;
  await cluster.stop(sound);
  await cluster.open(sound);
  t.equal((await cluster.client(sound).range({ key: bytes('a') })).count, 1);
});

t.test('a snapshot that takes the state’s place while it is hashed has the hash begin again', async (t) => {
  const machineWith = (...keys: string[]) => {
    const { machine } = memoryMachine();
    const entries = new Entries();
    for (const key of keys) entries.put(key, '1');
    entries.applyTo(machine);
    return machine;
  };
  const [before, after] = [machineWith('a'), machineWith('a', 'b', 'c')];
  let present = before;
  let looks = 0;
  const state = {
    /** Looked at before a hash, and then at the begin of each turn. */
    get isOpen() {
      looks += 1;
      if (looks === 2) present = after;
      return true;
    },
    get store() {
      return present.store;
    },
    get history() {
      return present.history;
    },
    get compactor() {
      return present.compactor;
    },
    get hashRows() {
      return present.hashRows;
    },
  };
  const unused = (error: Error) => t.fail(error.message);
  const hash = await new Hasher(state, unused).hashKv(2);
  t.same(hash, await new Hasher(after, unused).hashKv(2));
  t.match(hash, { hashRevision: 2, currentRevision: 4 });
  await Promise.all([before.close(), after.close()]);
});
