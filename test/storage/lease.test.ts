/** Expiry on a clock that the test moves: by the leader only, through the log, void in another term. */
import * as fc from 'fast-check';
import t from 'tap';
import { Deadlines } from '../../storage/lease/deadlines.js';
import { fakeStore, settle } from './fake-store.js';
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
