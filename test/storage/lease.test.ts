/** Expiry on a clock that the test moves: by the leader only, through the log, void in another term. */
import * as fc from 'fast-check';
import t from 'tap';
import { Deadlines } from '../../storage/lease/deadlines.js';
import { ConsensusError } from '../../raft/node/consensus.js';
import { TransportError } from '../../raft/transport/transport.js';
import {
  decodeLeaseAnswer,
  decodeLeaseQuestion,
  encodeLeaseAnswer,
  encodeLeaseQuestion,
} from '../../storage/server/lease-question.js';
import { WireError } from '../../storage/wire.js';
import { fakeStore, identity, settle } from './fake-store.js';
import { bytes, fails } from './tools.js';

const SECOND = 1000;

async function storeWithLease(ttl = 10) {
  const store = fakeStore();
  const { id } = await store.client.leaseGrant({ ttl });
  await store.client.put({ key: bytes('k'), value: bytes('1'), lease: id });
  const isThere = async () => (await store.client.range({ key: bytes('k') })).count === 1;
  const left = async () => (await store.client.leaseTimeToLive({ id })).ttl;
  return { ...store, id, isThere, left };
}

t.test('a lease ends when its TTL is over, not before', async (t) => {
  const { clock, isThere, left } = await storeWithLease();
  clock.advance(9999);
  await settle();
  t.equal(await isThere(), true);
  t.equal(await left(), 0, 'whole seconds, rounded down');
  clock.advance(1);
  await settle();
  t.equal(await isThere(), false);
  t.equal(await left(), -1);
});

t.test('keep-alive gives the full TTL again, without the log', async (t) => {
  const { clock, client, consensus, id, isThere, left } = await storeWithLease();
  const logged = consensus.entries.length;
  for (let round = 0; round < 5; round++) {
    clock.advance(6 * SECOND);
    t.equal((await client.leaseKeepAlive(id)).ttl, 10);
  }
  clock.advance(4500);
  await settle();
  t.equal(await isThere(), true);
  t.equal(await left(), 5);
  t.equal(consensus.entries.length, logged);
  clock.advance(6 * SECOND);
  await settle();
  t.equal(await isThere(), false);
});

t.test('only the leader expires leases; a new leader gives each its full TTL', async (t) => {
  const { clock, client, consensus, id, isThere, left } = await storeWithLease();
  clock.advance(9 * SECOND);
  consensus.lead(2, false);
  clock.advance(100 * SECOND);
  await settle();
  t.equal(await isThere(), true, 'a follower does nothing');
  await fails(t, client.leaseKeepAlive(id, { timeout: 1 }), 'NoLeader');
  await fails(t, client.leaseTimeToLive({ id }, { timeout: 1 }), 'NoLeader');

  consensus.lead(3);
  t.equal(await left(), 10);
  clock.advance(9 * SECOND);
  await settle();
  t.equal(await isThere(), true);
  clock.advance(SECOND);
  await settle();
  t.equal(await isThere(), false);
});

t.test('an expiry is proposed by the leader itself, in its own term or not at all', async (t) => {
  const { clock, consensus } = await storeWithLease();
  clock.advance(10 * SECOND);
  await settle();
  t.same(consensus.proposed.at(-1), { deadline: Infinity, forward: false });
  t.same(
    consensus.proposed.slice(0, -1).map(({ forward }) => forward),
    [true, true],
    'what clients ask for goes by way of the leader',
  );
});

t.test('a revoke of an earlier term is void', async (t) => {
  const { clock, consensus, isThere, left } = await storeWithLease();
  consensus.hold();
  clock.advance(10 * SECOND);
  await settle();
  // The revoke of term 1 is in the queue; it reaches the log in term 2.
  consensus.lead(2);
  consensus.release();
  await settle();
  t.equal(await isThere(), true);
  t.equal(await left(), 10);
  clock.advance(10 * SECOND);
  await settle();
  t.equal(await isThere(), false, 'the new leader expires it in its own time');
});

t.test('a keep-alive during the revoke waits for its outcome', async (t) => {
  const { clock, client, consensus, id } = await storeWithLease();
  consensus.hold();
  clock.advance(10 * SECOND);
  await settle();
  const renewal = client.leaseKeepAlive(id);
  await settle();
  consensus.release();
  t.equal((await renewal).ttl, 0);
});

t.test('no keep-alive is granted while a revoke may still be applied, however late', async (t) => {
  const { clock, client, consensus, id, isThere } = await storeWithLease();
  consensus.hold();
  clock.advance(10 * SECOND);
  await settle();
  consensus.passDeadlines();
  await settle();
  const renewal = client.leaseKeepAlive(id);
  await fails(t, client.leaseKeepAlive(id, { timeout: 1 }), 'DeadlineExceeded');
  await fails(t, client.leaseKeepAlive(id, { signal: AbortSignal.timeout(1) }), 'Canceled');
  consensus.release();
  t.equal((await renewal).ttl, 0);
  t.equal(await isThere(), false);
});

t.test('a revoke that fails is tried again', async (t) => {
  const { clock, client, consensus, id, isThere } = await storeWithLease();
  consensus.nextOutcome = { type: 'rejected', reason: 'overloaded' };
  clock.advance(10 * SECOND);
  await settle();
  consensus.nextOutcome = undefined;
  t.equal(await isThere(), true);
  clock.advance(499);
  await settle();
  t.equal(await isThere(), true);
  clock.advance(1);
  await settle();
  t.equal(await isThere(), false);
  t.equal((await client.leaseKeepAlive(id)).ttl, 0);
});

t.test('many leases that end at once all end', async (t) => {
  const { client, clock } = fakeStore();
  for (let count = 0; count < 500; count++) await client.leaseGrant({ ttl: 5 + (count % 3) });
  t.equal((await client.leaseLeases()).leases.length, 500);
  for (let round = 0; round < 40; round++) {
    clock.advance(500);
    await settle();
  }
  t.same((await client.leaseLeases()).leases, []);
});

t.test('leases are listed by the time they have left', async (t) => {
  const { client } = fakeStore();
  for (const [id, ttl] of [
    [1n, 30],
    [2n, 10],
    [3n, 20],
  ] as const) {
    await client.leaseGrant({ id, ttl });
  }
  t.same((await client.leaseLeases()).leases, [2n, 3n, 1n]);
});

t.test('deadlines come in order', (t) => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer(), fc.constant('take' as const))), (steps) => {
      const heap = new Deadlines<number>();
      const model: number[] = [];
      for (const step of steps) {
        if (step === 'take') {
          model.sort((a, b) => a - b);
          if (heap.take() !== model.shift()) return false;
        } else {
          heap.add(step, step);
          model.push(step);
        }
        if (heap.earliest !== Math.min(Infinity, ...model)) return false;
      }
      return true;
    }),
  );
  t.end();
});

t.test('how a proposal can end, as errors', async (t) => {
  const { client, consensus } = fakeStore();
  const put = () => client.put({ key: bytes('a'), value: bytes('1') });
  const rejected = [
    ['no-leader', 'NoLeader'],
    ['not-leader', 'NotLeader'],
    ['overloaded', 'RequestTooManyRequests'],
    ['stopped', 'Stopped'],
    ['too-large', 'RequestTooLarge'],
    ['deadline', 'Timeout'],
    ['aborted', 'Canceled'],
  ] as const;
  for (const [reason, name] of rejected) {
    consensus.nextOutcome = { type: 'rejected', reason };
    await fails(t, put(), name);
  }
  consensus.nextOutcome = undefined;
  const patient = fakeStore({ electionTimeoutMs: 300 });
  const before = performance.now();
  await patient.client.put({ key: bytes('a'), value: bytes('1') });
  const { deadline = 0 } = patient.consensus.proposed.at(-1) ?? {};
  t.ok(
    deadline >= before + 5600 && deadline <= performance.now() + 5600,
    'etcd: 5 s and two election time-outs',
  );
  const unknown = [
    ['snapshot', 'Timeout'],
    ['deadline', 'Timeout'],
    ['stopped', 'Stopped'],
    ['aborted', 'Canceled'],
  ] as const;
  for (const [reason, name] of unknown) {
    consensus.nextOutcome = { type: 'unknown', reason };
    await fails(t, put(), name);
  }
});

/** A leader with a lease, and a follower of the same cluster that has applied the same. */
async function leaderAndFollower() {
  const leader = await storeWithLease();
  const follower = fakeStore({}, identity(2n));
  follower.machine.apply(leader.consensus.entries);
  follower.consensus.lead(1, false);
  follower.consensus.answerAsLeader = (question) => leader.consensus.answer(question);
  return { leader, follower, id: leader.id };
}

t.test('a follower asks the leader, who keeps the time', async (t) => {
  const { leader, follower, id } = await leaderAndFollower();
  leader.clock.advance(6 * SECOND);
  const key = bytes('k');
  t.match(await follower.client.leaseTimeToLive({ id, keys: true }), { ttl: 4, grantedTtl: 10, keys: [key] });
  const { ttl, header } = await follower.client.leaseKeepAlive(id);
  t.equal(ttl, 10);
  t.equal(header.memberId, 2n, 'the header is that of the member that was asked');
  t.equal(await leader.left(), 10);
  t.equal((await follower.client.leaseKeepAlive(5n)).ttl, 0);
  t.match(await follower.client.leaseTimeToLive({ id: 5n, keys: true }), {
    ttl: -1,
    grantedTtl: 0,
    keys: [],
  });
  leader.clock.advance(9999);
  await settle();
  t.equal(await leader.isThere(), true);
});

t.test('a question is asked again until there is a leader, within the time of the caller', async (t) => {
  const { leader, follower, id } = await leaderAndFollower();
  const { client, consensus } = follower;
  const failures: Error[] = [
    new ConsensusError('no-leader'),
    new TransportError('unreachable', ''),
    new TransportError('refused', ''),
  ];
  consensus.answerAsLeader = (question) => {
    const failure = failures.shift();
    return failure === undefined ? leader.consensus.answer(question) : Promise.reject(failure);
  };
  t.equal((await client.leaseKeepAlive(id)).ttl, 10);
  t.same(failures, []);

  consensus.answerAsLeader = () => Promise.reject(new ConsensusError('no-leader'));
  await fails(t, client.leaseKeepAlive(id, { timeout: 120 }), 'NoLeader');
  const abort = new AbortController();
  const waiting = client.leaseKeepAlive(id, { signal: abort.signal });
  setTimeout(() => abort.abort(), 10);
  await fails(t, waiting, 'Canceled');
  const ends = [
    ['timeout', 'DeadlineExceeded'],
    ['aborted', 'Canceled'],
    ['closed', 'Stopped'],
  ] as const;
  for (const [reason, name] of ends) {
    consensus.answerAsLeader = () => Promise.reject(new TransportError(reason, ''));
    await fails(t, client.leaseKeepAlive(id, { timeout: 1000 }), name);
  }
});

t.test('who cannot confirm that it leads gives nobody more time', async (t) => {
  const { leader, follower, id } = await leaderAndFollower();
  leader.clock.advance(6 * SECOND);
  leader.consensus.readFailure = 'deadline';
  await fails(t, leader.client.leaseKeepAlive(id, { timeout: 100 }), 'DeadlineExceeded');
  follower.consensus.answerAsLeader = (question) =>
    leader.consensus.answer(question).catch(() => Promise.reject(new TransportError('refused', '')));
  await fails(t, follower.client.leaseKeepAlive(id, { timeout: 100 }), 'NoLeader');
  leader.consensus.readFailure = undefined;
  t.equal(await leader.left(), 4);
});

t.test('a leader that is replaced while a keep-alive waits for a revoke leaves it to the next', async (t) => {
  const { leader, id } = await leaderAndFollower();
  leader.consensus.hold();
  leader.clock.advance(10 * SECOND);
  await settle();
  const renewal = leader.client.leaseKeepAlive(id);
  await settle();
  const asked: Uint8Array[] = [];
  leader.consensus.answerAsLeader = async (question) => {
    asked.push(question);
    return encodeLeaseAnswer({ type: 'times', remaining: 10, granted: 10 });
  };
  leader.consensus.lead(2, false);
  leader.consensus.release();
  t.equal((await renewal).ttl, 10, 'the revoke of the old term is void');
  t.equal(asked.length, 1);
  t.equal(leader.clock.now(), 10 * SECOND);
  leader.consensus.lead(3);
  t.equal(await leader.left(), 10, 'it did not prolong it itself');
});

t.test('questions and answers are read as they were written, and nothing else is', (t) => {
  const id = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const seconds = fc.nat(9_000_000_000);
  const question = fc.record({ type: fc.constantFrom('renew' as const, 'read' as const), id });
  const answer = fc.oneof(
    fc.record({ type: fc.constant('times' as const), remaining: seconds, granted: seconds }),
    fc.record({ type: fc.constantFrom('unknown-lease' as const, 'not-leader' as const) }),
  );
  fc.assert(
    fc.property(question, answer, fc.uint8Array({ maxLength: 12 }), (question, answer, noise) => {
      t.same(decodeLeaseQuestion(encodeLeaseQuestion(question)), question);
      t.same(decodeLeaseAnswer(encodeLeaseAnswer(answer)), answer);
      for (const decode of [decodeLeaseQuestion, decodeLeaseAnswer]) {
        try {
          decode(noise);
        } catch (error) {
          t.ok(error instanceof WireError);
        }
      }
    }),
    { numRuns: 50 },
  );
  t.throws(() => decodeLeaseQuestion(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0, 0)), /unknown version/);
  t.end();
});

t.test('a question that nobody here answers is refused', async (t) => {
  const { consensus } = fakeStore();
  await t.rejects(consensus.answer(Uint8Array.of(200, 1)), /kind 200/);
  await t.rejects(consensus.answer(new Uint8Array()), /kind/);
});
