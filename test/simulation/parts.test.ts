/** What a simulation stands on: chance, events, disks, clocks, the network, the store. */
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import type { HardState } from '../../raft/log/log.js';
import { encodeConfiguration, NO_CONFIGURATION } from '../../raft/core/configuration.js';
import type { Message } from '../../raft/core/messages.js';
import type { TransportHandler } from '../../raft/transport/transport.js';
import { entries, entry, plain } from '../raft/entries.js';
import { logSuite } from '../raft/log-suite.js';
import { random as testRandom } from '../raft/random.js';
import { SkewedClock } from './clock.js';
import { encodeCommand } from './command.js';
import { EventQueue } from './events.js';
import { idOf } from './ids.js';
import { LogDisk } from './log-disk.js';
import { SimulatedLog } from './log.js';
import { newState } from './machine-state.js';
import { SimulatedMachine, type MachineDisk } from './machine.js';
import { GOOD_LINKS, Network } from './network.js';
import { Process } from './process.js';
import { Random } from './random.js';
import { SimulatedTransport } from './transport.js';
import { World } from './world.js';

const HARD_STATE: HardState = { term: 1, vote: 1n, commit: 0 };
const nothing = () => undefined;

function newWorld(seed = 1): World {
  return new World(new Random(seed), { record: false });
}

/** Lets simulated time go on while a test waits for what comes of it. */
function keepRunning(t: Test, world: World): void {
  const state = { isOver: false };
  t.teardown(() => {
    state.isOver = true;
  });
  const run = async () => {
    while (!state.isOver) {
      await world.run(() => state.isOver);
      await new Promise(setImmediate);
    }
  };
  void run();
}

function openLog(process: Process, disk: LogDisk, residentBytesMax = 2 ** 20): SimulatedLog {
  return new SimulatedLog({
    process,
    disk,
    speed: { syncMs: 1 },
    random: process.world.random.fork(),
    residentBytesMax,
    watcher: { appended: nothing, truncated: nothing, reset: nothing },
  });
}

t.test('chance: a seed gives the same again, another one something else, evenly', async (t) => {
  const draw = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 10_000 }, () => random.between(1, 6));
  };
  t.equal(draw(5).join(), draw(5).join());
  t.not(draw(5).join(), draw(6).join());
  for (let face = 1; face <= 6; face += 1) {
    const count = draw(5).filter((each) => each === face).length;
    t.ok(count > 1_500 && count < 1_830, `${face} came ${count} times`);
  }
});

t.test('events come in the order of their time, those of one time as they were made', async (t) => {
  const { seed } = testRandom();
  t.comment(`seed ${seed}`);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (times) => {
      const queue = new EventQueue();
      const made = times.map((time) => queue.add(time, 0, nothing));
      for (const [i, event] of made.entries()) event.cancelled = i % 5 === 4;
      const expected = made
        .filter(({ cancelled }) => !cancelled)
        .sort((a, b) => a.time - b.time || a.sequence - b.sequence);
      const taken = expected.map(() => queue.take());
      return taken.every((event, i) => event === expected[i]) && queue.take() === undefined;
    }),
    { seed },
  );
});

t.test('between two events every promise goes on that can', async (t) => {
  const world = newWorld();
  const seen: string[] = [];
  const chain = async (name: string) => {
    for (let i = 0; i < 5; i += 1) {
      await Promise.resolve();
      seen.push(name);
    }
  };
  world.after(1, () => void chain('a'));
  world.after(1, () => void chain('b'));
  world.after(2, () => void chain('c'));
  await world.run(() => false);
  t.same(seen.join(''), 'aaaaabbbbbccccc');
  t.equal(world.now, 2);
});

await logSuite(t, 'SimulatedLog', async (t) => {
  const world = newWorld();
  keepRunning(t, world);
  const process = new Process(world, 1);
  const disk = new LogDisk();
  const log = openLog(process, disk);
  const reopen = async () => {
    await log.close();
    return openLog(process, disk);
  };
  return { log, reopen };
});

t.test('a crash of the log leaves what was synced, and any number of whole flights after it', async (t) => {
  const survivors = new Set<number>();
  for (let seed = 1; seed <= 60; seed += 1) {
    const world = newWorld(seed);
    const process = new Process(world, 1);
    const disk = new LogDisk();
    const log = openLog(process, disk);
    void log.append(entries(1, 3), HARD_STATE);
    await world.run(() => log.durableIndex === 3);
    for (let first = 4; first < 13; first += 3) {
      void log.append(entries(first, first + 2), { ...HARD_STATE, term: first });
      await Promise.resolve();
    }
    process.kill();
    log.crash();

    const { lastIndex, hardState } = openLog(new Process(world, 1), disk);
    survivors.add(lastIndex);
    t.equal(hardState.term, lastIndex === 3 ? 1 : lastIndex - 2, 'with the hard state of the same flight');
  }
  t.same(
    [...survivors].sort((a, b) => a - b),
    [3, 6, 9, 12],
  );
});

t.test('what was let go of comes from the disk, later', async (t) => {
  const world = newWorld();
  const log = openLog(new Process(world, 1), new LogDisk(), 1_000);
  void log.append(entries(1, 100));
  await world.run(() => log.durableIndex === 100);
  log.release(100);
  t.ok(log.residentIndex > 90);
  let read: unknown[] = [];
  void log.readOld(5, 8).then((found) => (read = plain(found)));
  await Promise.resolve();
  t.same(read, []);
  await world.run(() => read.length > 0);
  t.same(read, plain(entries(5, 8)));
});

t.test('a failed disk rejects what is in flight and all that comes', async (t) => {
  const log = openLog(new Process(newWorld(), 1), new LogDisk());
  const appended = log.append([entry(1)]);
  log.fail();
  await t.rejects(appended, { code: 'failed' });
  await t.rejects(log.append([entry(2)]), { code: 'failed' });
});

t.test('a paused process gets everything late and in order, a dead one nothing', async (t) => {
  const world = newWorld();
  const process = new Process(world, 1);
  const seen: string[] = [];
  for (const ms of [1, 2, 3, 20]) process.after(ms, () => seen.push(`${ms} at ${world.now}`));
  process.after(1, () => process.pause());
  world.after(10, () => process.resume());
  world.after(15, () => process.kill());
  await world.run(() => false);
  t.same(seen, ['1 at 1', '2 at 10', '3 at 10']);
});

t.test('a clock goes at the rate of its machine, and never back', async (t) => {
  const world = newWorld();
  const rate = { value: 2 };
  const clock = new SkewedClock(new Process(world, 1), rate, world.random);
  const start = clock.now();
  let fired = 0;
  clock.after(100, () => (fired = world.now));
  world.after(80, () => {
    t.ok(Math.abs(clock.now() - start - 160) < 1e-6);
    rate.value = 0.5;
    clock.now();
  });
  world.after(180, () => t.ok(Math.abs(clock.now() - start - 210) < 1e-6));
  await world.run(() => false);
  t.equal(fired, 50);
  t.plan(3);
});

/** Two members that record what they get. */
function pair() {
  const world = newWorld();
  const network = new Network(world, world.random.fork());
  const got: Message[] = [];
  const unreachable: bigint[] = [];
  const start = (member: number) => {
    const transport = new SimulatedTransport(new Process(world, member), network, {
      before: nothing,
      after: nothing,
    });
    transport.setMembers([1, 2].map((each) => ({ id: idOf(each), name: '', peerUrls: [], clientUrls: [] })));
    const handler = {
      receive: (message: Message) => void got.push(message),
      unreachable: (id: bigint) => void unreachable.push(id),
      configuration: () => NO_CONFIGURATION,
    };
    void transport.start(handler as unknown as TransportHandler);
    return transport;
  };
  return { world, network, got, unreachable, first: start(1), second: start(2) };
}

const heartbeat = (round: number): Message => ({
  type: 'heartbeat',
  from: idOf(1),
  to: idOf(2),
  term: 1,
  commit: 0,
  round,
});
const rounds = (messages: readonly Message[]) => messages.map((each) => ('round' in each ? each.round : -1));

t.test('good links bring every message once and in order', async (t) => {
  const { world, got, first } = pair();
  for (let round = 1; round <= 50; round += 1) first.send([heartbeat(round)]);
  await world.run(() => false);
  t.same(
    rounds(got),
    Array.from({ length: 50 }, (_, i) => i + 1),
  );
});

t.test('bad links lose, repeat and reorder', async (t) => {
  const { world, network, got, unreachable, first } = pair();
  network.quality = { ...GOOD_LINKS, loss: 0.2, duplication: 0.2, inOrder: false };
  for (let round = 1; round <= 200; round += 1) first.send([heartbeat(round)]);
  await world.run(() => false);
  const distinct = new Set(rounds(got)).size;
  t.ok(distinct > 130 && distinct < 180, `${distinct} of 200 arrived`);
  t.ok(got.length > distinct + 10, `${got.length} times`);
  t.notSame(
    rounds(got),
    rounds(got).toSorted((a, b) => a - b),
  );
  t.ok(unreachable.length > 10 && unreachable.every((id) => id === idOf(2)), 'and half the losses are told');
});

t.test(
  'a cut takes one direction, also of what is on its way; a narrow way takes large messages',
  async (t) => {
    const { world, network, got, first, second } = pair();
    first.send([heartbeat(1)]);
    network.cut(1, 2);
    first.send([heartbeat(2)]);
    second.send([{ type: 'heartbeat-response', from: idOf(2), to: idOf(1), term: 1, round: 3 }]);
    await world.run(() => false);
    t.same(rounds(got), [3]);
    network.healAll();
    network.narrow(1, 2);
    const append = {
      type: 'append',
      from: idOf(1),
      to: idOf(2),
      term: 1,
      previousIndex: 0,
      previousTerm: 0,
    } as const;
    first.send([
      { ...append, entries: [entry(1)], commit: 0 },
      { ...append, entries: [], commit: 0 },
      heartbeat(4),
    ]);
    await world.run(() => false);
    t.same(
      got.slice(1).map(({ type }) => type),
      ['append', 'heartbeat'],
    );
  },
);

function openMachine(
  disk: MachineDisk,
  world: World,
  crashPoint: (place: string) => void = nothing,
): SimulatedMachine {
  return new SimulatedMachine({
    process: new Process(world, 1),
    disk,
    times: { checkpointMs: 10, snapshotMs: 1, busyChance: 0 },
    random: world.random.fork(),
    watcher: { applying: nothing, reached: nothing, installing: nothing },
    crashPoint,
  });
}

/** Entry `index` writes its own index to key k. */
const writing = (index: number) => ({
  ...entry(index),
  payload: encodeCommand({ id: index, kind: 'write', key: 'k', value: String(index) }),
});

t.test('a crash takes the store back to any state that was not synced, and no further', async (t) => {
  const left = new Set<number>();
  for (let seed = 1; seed <= 60; seed += 1) {
    const world = newWorld(seed);
    const disk = { state: newState(encodeConfiguration(NO_CONFIGURATION)) };
    const machine = openMachine(disk, world);
    machine.apply([writing(1), writing(2)]);
    await world.run(() => machine.durable.index === 2);
    machine.apply([writing(3)]);
    machine.apply([writing(4), writing(5)]);
    machine.crash();

    const again = openMachine(disk, world);
    left.add(again.applied.index);
    t.equal(again.get('k'), String(again.applied.index));
  }
  t.same(
    [...left].sort((a, b) => a - b),
    [2, 3, 5],
  );
});

t.test(
  'a snapshot is taken in whole, and a crash during its installation leaves the one state or the other',
  async (t) => {
    const world = newWorld();
    const source = openMachine({ state: newState(encodeConfiguration(NO_CONFIGURATION)) }, world);
    source.apply([writing(1), writing(2), writing(3)]);
    for (const crashes of [false, true]) {
      const disk = { state: newState(encodeConfiguration(NO_CONFIGURATION)) };
      let installed: boolean | 'crashed' = false;
      const machine = openMachine(disk, world, (place) => {
        if (crashes && place === 'snapshot durable') installed = 'crashed';
      });
      const install = async () => {
        const snapshot = await source.snapshot();
        const { index, term, configuration, size } = snapshot;
        const header = { index, term, configuration, size, from: 2n, senderTerm: 1 };
        const staged = await machine.stage({ ...header, content: snapshot.read() });
        t.equal(machine.applied.index, 0, 'nothing happens before it is installed');
        await staged.install();
        installed = true;
        await snapshot.release();
      };
      void install();
      await world.run(() => installed !== false);
      t.equal(machine.applied.index, crashes ? 0 : 3);
      if (crashes) machine.crash();
      const again = openMachine(disk, world);
      t.match(again, { applied: { index: 3, term: 1 }, installedSnapshot: true });
      t.equal(again.get('k'), '3');
      again.apply([writing(4)]);
      t.notOk(again.installedSnapshot, 'from then on it is its own');
    }
    await world.run(() => source.snapshotsOut === 0);
    t.equal(source.snapshotsOut, 0);
  },
);

t.test('a transfer that breaks fails on both sides', async (t) => {
  const { world, network, first } = pair();
  network.quality = { ...GOOD_LINKS, breakChance: 1 };
  const machine = openMachine({ state: newState(encodeConfiguration(NO_CONFIGURATION)) }, world);
  machine.apply([writing(1)]);
  let outcome = '';
  const receiver = new SimulatedTransport(new Process(world, 2), network, {
    before: nothing,
    after: nothing,
  });
  const handler = {
    receiveSnapshot: ({ content }: { content: AsyncIterable<Uint8Array> }) =>
      (async () => {
        for await (const chunk of content) t.ok(chunk.length > 0);
      })(),
  };
  void receiver.start(handler as unknown as TransportHandler);
  const send = async () => {
    await first.sendSnapshot(idOf(2), 1, await machine.snapshot(), new AbortController().signal);
  };
  send().then(
    () => (outcome = 'sent'),
    (error: { reason: string }) => (outcome = error.reason),
  );
  await world.run(() => outcome !== '');
  t.equal(outcome, 'refused');
});
