/** Who runs the controllers: a Lease, by the rules of client-go's leader election, under a clock that the test moves. */
import { setImmediate as turn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ControllerManager, leaseLeadership } from '../../apiserver/controllers/index.js';
import {
  LEASE_DURATION_MS,
  type LeaseClock,
  RENEW_DEADLINE_MS,
  RETRY_MS,
} from '../../apiserver/controllers/lease-leadership.js';
import type { Leadership } from '../../apiserver/controllers/manager.js';
import { serverTimeout } from '../../apiserver/errors.js';
import type { Registry, ResourceTable } from '../../apiserver/registry/types.js';
import { type Fixture, context, logger, openFixture } from './controllers-fixture.js';

const START = Date.parse('2026-01-01T00:00:00Z');
/** Turns of the event loop in which the store in memory has done whatever it was asked. */
const SETTLE_TURNS = 50;

class TestClock implements LeaseClock {
  #now = 0;
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();

  now(): number {
    return this.#now;
  }

  date(): Date {
    return new Date(START + this.#now);
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { until: this.#now + ms, wake };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  /** Lets time pass in steps, and everything happen that it brings about. */
  async pass(ms: number, stepMs = 500): Promise<void> {
    const end = this.#now + ms;
    while (this.#now < end) {
      this.#now = Math.min(end, this.#now + stepMs);
      for (const sleeper of this.#sleepers) if (sleeper.until <= this.#now) sleeper.wake();
      await settle();
    }
  }
}

async function settle(): Promise<void> {
  for (let count = 0; count < SETTLE_TURNS; count++) await turn();
}

interface Candidate {
  readonly clock: TestClock;
  /** How often it has begun to lead. */
  terms(): number;
  isLeading(): boolean;
  stop(): Promise<void>;
  /** The store answers it no more, or again. */
  cut(isCut: boolean): void;
  /** Its writes are not even refused, until they are cut or it is well again. */
  hang(): void;
  /** It does not come to an end when it should: how long it takes to stop leading. */
  readonly lingers: { ended: Promise<void> };
}

function start(t: Test, { table }: Fixture, identity: string, clock = new TestClock()): Candidate {
  const reach = new Reach();
  const leadership: Leadership = leaseLeadership({
    table: throughWire(table, reach),
    identity,
    logger,
    clock,
  });
  const stopping = new AbortController();
  const lingers = { ended: Promise.resolve() };
  let terms = 0;
  let leading = false;
  const running = leadership(async (signal) => {
    terms += 1;
    leading = true;
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await lingers.ended;
    leading = false;
  }, stopping.signal);
  const stop = async () => {
    stopping.abort();
    await running;
  };
  t.teardown(stop);
  return {
    clock,
    terms: () => terms,
    isLeading: () => leading,
    stop,
    cut: (isCut) => reach.become(isCut ? 'cut' : 'well'),
    hang: () => reach.become('hanging'),
    lingers,
  };
}

/** How a candidate reaches the store. */
class Reach {
  state: 'well' | 'cut' | 'hanging' = 'well';
  #change: Promise<void> = Promise.resolve();
  #changed: () => void = () => undefined;

  become(state: Reach['state']): void {
    this.state = state;
    this.#changed();
    this.#change = new Promise((resolve) => (this.#changed = resolve));
  }

  async refuse(): Promise<never> {
    await turn();
    while (this.state === 'hanging') await this.#change;
    throw serverTimeout('etcdserver: no leader');
  }
}

/** A table whose leases can be cut off: writes are refused or hang, reads come from a cache that stands still. */
function throughWire(table: ResourceTable, reach: Reach): ResourceTable {
  const leases = table.find('coordination.k8s.io', 'v1', 'leases') as Registry;
  let kept: Awaited<ReturnType<Registry['get']>> | undefined;
  const wire: Pick<Registry, 'definition' | 'get' | 'create' | 'update'> = {
    definition: leases.definition,
    get: async (...args) => {
      if (reach.state !== 'well' && kept !== undefined) return kept;
      kept = await leases.get(...args);
      return kept;
    },
    create: (...args) => (reach.state === 'well' ? leases.create(...args) : reach.refuse()),
    update: (...args) => (reach.state === 'well' ? leases.update(...args) : reach.refuse()),
  };
  return { ...table, find: () => wire as Registry };
}

async function openCluster(t: Test): Promise<Fixture> {
  const fixture = await openFixture(t);
  await fixture.create('namespaces', '', { metadata: { name: 'kube-system' } });
  return fixture;
}

async function lease({ registry }: Fixture): Promise<Record<string, unknown>> {
  const found = await registry('leases', 'coordination.k8s.io').get(
    context,
    'kube-system',
    'wherry-controller-manager',
  );
  return found.object['spec'] as Record<string, unknown>;
}

t.test('the first takes the lease at once and renews it every two seconds', async (t) => {
  const fixture = await openCluster(t);
  const one = start(t, fixture, 'one');
  await settle();
  t.ok(one.isLeading());
  const taken = {
    holderIdentity: 'one',
    leaseDurationSeconds: LEASE_DURATION_MS / 1000,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:00.000000Z',
    leaseTransitions: 0,
  };
  t.same(await lease(fixture), taken);
  await one.clock.pass(RETRY_MS);
  t.same(await lease(fixture), { ...taken, renewTime: '2026-01-01T00:00:02.000000Z' });
  await one.clock.pass(10 * LEASE_DURATION_MS);
  t.equal(one.terms(), 1, 'it stays the leader');
});

t.test(
  'of two, one leads; the other takes over when the lease has not changed for its duration, not before',
  async (t) => {
    const fixture = await openCluster(t);
    const one = start(t, fixture, 'one');
    await settle();
    const two = start(t, fixture, 'two');
    for (let second = 0; second < 60; second++) {
      await one.clock.pass(1000);
      await two.clock.pass(1000);
      t.same([one.isLeading(), two.isLeading()], [true, false]);
    }
    // As a process that was killed: its lease is renewed no more.
    one.cut(true);
    await two.clock.pass(LEASE_DURATION_MS - 2 * RETRY_MS);
    t.notOk(two.isLeading());
    await one.clock.pass(LEASE_DURATION_MS);
    t.notOk(one.isLeading());
    await two.clock.pass(4 * RETRY_MS);
    t.ok(two.isLeading());
    t.match(await lease(fixture), { holderIdentity: 'two', leaseTransitions: 1 });
  },
);

t.test('who cannot renew stops leading before anybody else may begin, however the clocks run', async (t) => {
  const fixture = await openCluster(t);
  const one = start(t, fixture, 'one');
  const two = start(t, fixture, 'two');
  await settle();
  const [leader, other] = one.isLeading() ? [one, two] : [two, one];
  await other.clock.pass(LEASE_DURATION_MS);
  await leader.clock.pass(RETRY_MS);
  await other.clock.pass(RETRY_MS);
  leader.cut(true);
  let both = 0;
  let changed = false;
  // Its clock is a quarter slower than the other's.
  for (let step = 0; step < 100; step++) {
    await leader.clock.pass(200, 200);
    await other.clock.pass(250, 250);
    if (leader.isLeading() && other.isLeading()) both += 1;
    changed ||= other.isLeading();
  }
  t.equal(both, 0);
  t.ok(changed);
  leader.cut(false);
  await leader.clock.pass(LEASE_DURATION_MS);
  t.same([leader.isLeading(), other.isLeading()], [false, true], 'who comes back finds it held');
});

t.test('an attempt that hangs does not keep a leader that has lost its lease', async (t) => {
  const fixture = await openCluster(t);
  const one = start(t, fixture, 'one');
  await settle();
  one.hang();
  await one.clock.pass(RENEW_DEADLINE_MS - 500);
  t.ok(one.isLeading());
  await one.clock.pass(500);
  t.notOk(one.isLeading());
  one.cut(false);
  await one.clock.pass(RETRY_MS);
  t.ok(one.isLeading(), 'its own lease it takes again at once');
  t.equal(one.terms(), 2);
});

t.test('who stops gives the lease back, once nothing of it runs any more', async (t) => {
  const fixture = await openCluster(t);
  const one = start(t, fixture, 'one');
  await settle();
  const two = start(t, fixture, 'two');
  await settle();
  let finish: () => void = () => undefined;
  one.lingers.ended = new Promise((resolve) => (finish = resolve));
  const stopped = one.stop();
  await two.clock.pass(2 * RETRY_MS);
  t.notOk(two.isLeading(), 'a controller of the first is still at work');
  finish();
  await stopped;
  const released = await lease(fixture);
  t.equal(released['holderIdentity'], undefined);
  t.equal(released['leaseDurationSeconds'], 1);
  await two.clock.pass(RETRY_MS);
  t.ok(two.isLeading());
  t.match(await lease(fixture), { holderIdentity: 'two', leaseTransitions: 1 });
});

t.test('a server that cannot give the lease back stops all the same', async (t) => {
  const fixture = await openCluster(t);
  const one = start(t, fixture, 'one');
  await settle();
  one.cut(true);
  await one.stop();
  t.match(await lease(fixture), { holderIdentity: 'one' });
});

t.test('of many candidates never two lead, whatever happens to the store', async (t) => {
  const fixture = await openCluster(t);
  const clock = new TestClock();
  const candidates = ['a', 'b', 'c'].map((identity) => start(t, fixture, identity, clock));
  let leaders = 0;
  for (let round = 0; round < 60; round++) {
    // Each is cut off for a while in its turn, now and then all of them.
    candidates.forEach((candidate, position) =>
      candidate.cut(Math.floor(round / 12) % 4 === position || round % 20 > 17),
    );
    await clock.pass(1000);
    const leading = candidates.filter((candidate) => candidate.isLeading()).length;
    t.ok(leading <= 1, `second ${round}`);
    leaders += leading;
  }
  t.ok(leaders > 10, 'most of the time somebody leads');
});

t.test('controllers run while this member leads, and are stopped when it no longer does', async (t) => {
  const fixture = await openCluster(t);
  const clock = new TestClock();
  const reach = new Reach();
  const runs: string[] = [];
  const manager = new ControllerManager({
    table: fixture.table,
    logger,
    controllers: [
      {
        name: 'example',
        async run({ signal }) {
          runs.push('began');
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          runs.push('ended');
        },
      },
    ],
    leadership: leaseLeadership({
      table: throughWire(fixture.table, reach),
      identity: 'one',
      logger,
      clock,
    }),
  });
  manager.start();
  await settle();
  t.same(runs, ['began']);
  reach.become('cut');
  await clock.pass(RENEW_DEADLINE_MS);
  t.same(runs, ['began', 'ended']);
  reach.become('well');
  await clock.pass(RETRY_MS);
  await manager.stop();
  t.same(runs, ['began', 'ended', 'began', 'ended']);
});
