import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MemoryLog } from '../../raft/log/memory.js';
import { openSqliteLog } from '../../raft/log/sqlite.js';
import type { ConsensusStatus, ProposalOutcome } from '../../raft/node/consensus.js';
import { PROPOSAL_OVERHEAD_BYTES } from '../../raft/node/proposals.js';
import { APPLY_ENTRIES_MAX } from '../../raft/node/applier.js';
import { Member } from '../../raft/node/member.js';
import type { MemberOptions } from '../../raft/node/options.js';
import { StartRefusedError } from '../../raft/node/start.js';
import { Tail } from '../../raft/node/tail.js';
import { ControlledLog } from './controlled-log.js';
import { entries } from './entries.js';
import { RecordingMachine } from './recording-machine.js';

const FOREVER = { deadline: Infinity };

interface Setup {
  readonly log: ControlledLog;
  readonly machine: RecordingMachine;
  readonly member: Member<string>;
  readonly fatal: unknown[];
}

/** A started member whose disk does nothing from now on but what the test says. */
async function start(options: Partial<MemberOptions<string>> = {}): Promise<Setup> {
  const log = new ControlledLog();
  const machine = new RecordingMachine(log);
  const fatal: unknown[] = [];
  const onFatal = (error: unknown) => fatal.push(error);
  const member = await Member.start({
    clusterId: 1n,
    memberId: 7n,
    session: 9n,
    log,
    stateMachine: machine,
    onFatal,
    ...options,
  });
  log.autoSync = false;
  return { log, machine, member, fatal };
}

/** Lets everything run that can. */
async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise(setImmediate);
}

/** What has become of a promise by now. */
async function now<T>(promise: Promise<T>): Promise<T | 'pending'> {
  await turns();
  return await Promise.race([promise, Promise.resolve('pending' as const)]);
}

t.test('start: a new term and a vote for itself are durable, then a noop (Raft §5.2, §8)', async (t) => {
  const log = new ControlledLog();
  log.autoSync = false;
  const machine = new RecordingMachine(log);
  const options = {
    clusterId: 1n,
    memberId: 7n,
    session: 9n,
    log,
    stateMachine: machine,
    onFatal: () => undefined,
  };

  const starting = Member.start(options);
  t.equal(await now(starting), 'pending');
  t.equal(log.lastIndex, 0, 'it does not lead before its vote is durable');
  log.sync();
  t.equal(await now(starting), 'pending');
  t.match(log.read(1, 1), [{ index: 1, term: 1, type: 'noop' }]);
  t.same(machine.batches, []);
  log.sync();
  const member = await starting;

  t.same(log.durable().hardState, { term: 1, vote: 7n, commit: 0 });
  t.same(machine.applied, { index: 1, term: 1 });
  t.same(member.status(), {
    clusterId: 1n,
    memberId: 7n,
    leaderId: 7n,
    term: 1,
    committed: 1,
    applied: 1,
    isLearner: false,
  });
});

t.test('start: what is durable and not applied is replayed before proposals are taken', async (t) => {
  const before = new ControlledLog();
  await before.append(entries(1, 45, 3), { term: 4, vote: 7n, commit: 10 });
  const log = new ControlledLog(before.durable());
  const machine = new RecordingMachine(log, { index: 20, term: 3 });

  const member = await Member.start({
    clusterId: 1n,
    memberId: 7n,
    session: 9n,
    log,
    stateMachine: machine,
    onFatal: () => undefined,
  });

  t.equal(machine.payloads.length, 25, 'entries 21 to 45, from disk');
  t.match(member.status(), { term: 5, committed: 46, applied: 46 });
  t.match(log.read(46, 46), [{ type: 'noop', term: 5 }]);
  t.same(machine.violations, []);
});

t.test('start: refused where log and state machine do not belong together', async (t) => {
  const content = async () => {
    const log = new ControlledLog();
    await log.append(entries(1, 5, 2), { term: 2, vote: 7n, commit: 5 });
    return log.durable();
  };
  const begin = async (log: ControlledLog, machine: RecordingMachine) =>
    await Member.start({
      clusterId: 1n,
      memberId: 7n,
      session: 9n,
      log,
      stateMachine: machine,
      onFatal: () => undefined,
    });

  for (const applied of [
    { index: 6, term: 2 },
    { index: 5, term: 1 },
    { index: 0, term: 1 },
  ]) {
    const log = new ControlledLog(await content());
    const error = await begin(log, new RecordingMachine(log, applied)).catch((thrown: unknown) => thrown);
    t.ok(error instanceof StartRefusedError, `stands at ${JSON.stringify(applied)}: ${String(error)}`);
    t.notMatch(String(error), '\n');
    t.ok(log.closed, 'the log is let go');
    t.equal(log.lastIndex, 5, 'and unchanged');
  }

  const lost = await content();
  const log = new ControlledLog({ ...lost, hardState: { ...lost.hardState, commit: 6 } });
  await t.rejects(begin(log, new RecordingMachine(log)), StartRefusedError);
});

t.test('start: after a snapshot install the log starts anew behind it', async (t) => {
  const before = new ControlledLog();
  await before.append(entries(1, 5, 2), { term: 2, vote: 7n, commit: 5 });
  for (const applied of [
    { index: 900, term: 8 },
    { index: 3, term: 1 },
  ]) {
    const log = new ControlledLog(before.durable());
    const machine = new RecordingMachine(log, applied);
    machine.installedSnapshot = true;

    const member = await Member.start({
      clusterId: 1n,
      memberId: 7n,
      session: 9n,
      log,
      stateMachine: machine,
      onFatal: () => undefined,
    });

    t.equal(log.firstIndex, applied.index + 1);
    t.match(member.status(), { term: Math.max(2, applied.term) + 1, applied: applied.index + 1 });
    t.same(machine.payloads, []);
  }
});

t.test('propose: applied once it is durable, with result, index and term; never before', async (t) => {
  const { log, machine, member } = await start();

  const first = member.propose(Buffer.from('a'), FOREVER);
  await turns();
  const second = member.propose(Buffer.from('b'), FOREVER);
  t.equal(await now(first), 'pending');
  t.same(machine.payloads, [], 'nothing is applied that is not on disk');
  log.sync(1);
  t.same(await first, { type: 'applied', result: 'did a', index: 2, term: 1 });
  t.equal(await now(second), 'pending');
  t.same(machine.payloads, ['a']);
  log.sync(1);

  t.same(await second, { type: 'applied', result: 'did b', index: 3, term: 1 });
  t.same(machine.violations, []);
});

t.test('propose: proposals of one turn are one append, those during a sync the next', async (t) => {
  const { log, machine, member } = await start();
  const names = (from: number, count: number) => Array.from({ length: count }, (_, i) => `p${from + i}`);
  const propose = (list: string[]) => list.map((name) => member.propose(Buffer.from(name), FOREVER));

  const outcomes = propose(names(0, 5));
  await turns();
  outcomes.push(...propose(names(5, 2)));
  await Promise.resolve();
  outcomes.push(...propose(names(7, 2)));
  await turns();
  t.same(log.appends, [1, 5, 4], 'the noop, then each turn');
  log.sync();

  const results = await Promise.all(outcomes);
  t.same(machine.payloads, names(0, 9), 'in order');
  t.same(
    results.map((outcome) => outcome.type === 'applied' && outcome.index),
    [2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
});

t.test('propose: payloads past the limit are rejected', async (t) => {
  const { log, member } = await start({ proposalLimits: { payloadBytesMax: 10, pendingBytesMax: 10_000 } });

  t.same(await member.propose(Buffer.alloc(11), FOREVER), { type: 'rejected', reason: 'too-large' });
  const fits = member.propose(Buffer.alloc(10), FOREVER);
  await turns();
  log.sync();

  t.match(await fits, { type: 'applied' });
});

t.test('propose: pending bytes are bounded, and come free when applied, not when given up', async (t) => {
  const pendingBytesMax = 2 * (100 + PROPOSAL_OVERHEAD_BYTES);
  const { log, member } = await start({ proposalLimits: { payloadBytesMax: 1000, pendingBytesMax } });
  const overloaded = { type: 'rejected', reason: 'overloaded' };
  const abort = new AbortController();

  const first = member.propose(Buffer.alloc(100), { ...FOREVER, signal: abort.signal });
  t.same(await member.propose(Buffer.alloc(101), FOREVER), overloaded, 'one byte past the limit');
  const second = member.propose(Buffer.alloc(100), FOREVER);
  t.same(await member.propose(Buffer.alloc(0), FOREVER), overloaded, 'an empty payload counts too');
  await turns();
  abort.abort();
  t.same(await first, { type: 'unknown', reason: 'aborted' });
  t.same(await member.propose(Buffer.alloc(0), FOREVER), overloaded, 'it is in flight still');
  log.sync();
  t.match(await second, { type: 'applied' });

  t.equal(await now(member.propose(Buffer.alloc(100), FOREVER)), 'pending', 'there is room again');
});

t.test('propose: what was over before it was proposed is rejected and not in the log', async (t) => {
  const { log, member } = await start();
  const abort = new AbortController();

  const past = member.propose(Buffer.from('a'), { deadline: performance.now() });
  const aborted = member.propose(Buffer.from('b'), { ...FOREVER, signal: AbortSignal.abort() });
  const queued = member.propose(Buffer.from('c'), { ...FOREVER, signal: abort.signal });
  abort.abort();

  t.same(await past, { type: 'rejected', reason: 'deadline' });
  t.same(await aborted, { type: 'rejected', reason: 'aborted' });
  t.same(await queued, { type: 'rejected', reason: 'aborted' });
  await turns();
  t.equal(log.lastIndex, 1);
});

t.test('propose: what ends in flight is unknown, and may be applied yet', async (t) => {
  const { log, machine, member } = await start();
  const abort = new AbortController();

  const late = member.propose(Buffer.from('late'), { deadline: performance.now() + 20 });
  const aborted = member.propose(Buffer.from('aborted'), { ...FOREVER, signal: abort.signal });
  const waits = member.propose(Buffer.from('waits'), FOREVER);
  await turns();
  abort.abort();
  t.same(await aborted, { type: 'unknown', reason: 'aborted' });
  t.same(await late, { type: 'unknown', reason: 'deadline' });
  log.sync();

  t.match(await waits, { type: 'applied', index: 4 });
  t.same(machine.payloads, ['late', 'aborted', 'waits']);
});

t.test('propose: deadlines are found in any order', async (t) => {
  const { member } = await start();
  const ended: number[] = [];
  const propose = async (milliseconds: number) => {
    const outcome = await member.propose(Buffer.from('x'), { deadline: performance.now() + milliseconds });
    t.same(outcome, { type: 'unknown', reason: 'deadline' });
    ended.push(milliseconds);
  };

  await Promise.all([90, 30, 120, 60, 30].map(propose));

  t.same(ended, [30, 30, 60, 90, 120]);
});

t.test('apply: in bounded batches, each awaiting that the state machine is ready', async (t) => {
  const { log, machine, member } = await start();
  const count = APPLY_ENTRIES_MAX + 1;
  const all = Promise.all(
    Array.from({ length: count }, (_, i) => member.propose(Buffer.from(`${i}`), FOREVER)),
  );
  await turns();
  machine.hold();
  log.sync();
  t.equal(await now(all), 'pending');
  t.match(member.status(), { committed: count + 1, applied: 1 });

  machine.letGo();
  await all;

  t.same(machine.batches, [1, APPLY_ENTRIES_MAX, 1]);
  t.same(machine.violations, []);
});

t.test('apply: entries that became durable while it was held are applied too', async (t) => {
  const { log, machine, member } = await start();
  const first = member.propose(Buffer.from('a'), FOREVER);
  await turns();
  machine.hold();
  log.sync();
  const second = member.propose(Buffer.from('b'), FOREVER);
  await turns();
  log.sync();
  await turns();
  machine.letGo();

  t.match(await Promise.all([first, second]), [{ index: 2 }, { index: 3 }]);
  t.same(machine.batches, [1, 2]);
});

t.test('apply: syncs that follow closely are all applied', async (t) => {
  const { log, member } = await start();
  const outcomes: Promise<ProposalOutcome<string>>[] = [];
  for (let i = 0; i < 50; i += 1) {
    outcomes.push(member.propose(Buffer.from(`${i}`), FOREVER));
    await turns(1);
  }
  while (log.inFlight > 0) {
    log.sync(1);
    for (let i = 0; i < log.inFlight % 7; i += 1) await Promise.resolve();
  }

  t.equal((await Promise.all(outcomes)).filter(({ type }) => type === 'applied').length, 50);
});

t.test('readIndex: at once when everything committed is applied, else when it is', async (t) => {
  const { log, machine, member } = await start();
  const abort = new AbortController();
  await member.readIndex(FOREVER);

  const proposed = member.propose(Buffer.from('a'), FOREVER);
  await turns();
  await member.readIndex(FOREVER);
  machine.hold();
  log.sync();
  await turns();
  const read = member.readIndex(FOREVER);
  const late = member.readIndex({ deadline: performance.now() + 10 });
  const aborted = member.readIndex({ ...FOREVER, signal: abort.signal });
  abort.abort();
  await t.rejects(aborted, { name: 'ConsensusError', reason: 'aborted' });
  await t.rejects(late, { name: 'ConsensusError', reason: 'deadline' });
  await t.rejects(member.readIndex({ deadline: 0 }), { name: 'ConsensusError', reason: 'deadline' });
  t.equal(await now(read), 'pending');
  machine.letGo();

  await read;
  t.match(await proposed, { type: 'applied' });
  await member.stop();
  await t.rejects(member.readIndex(FOREVER), { name: 'ConsensusError', reason: 'stopped' });
});

t.test('stop: what is in flight is finished, what is not is rejected, and the log is closed', async (t) => {
  const { log, machine, member } = await start();
  const heard: ConsensusStatus[] = [];
  member.onLeadershipChange((status) => heard.push(status));
  member.onLeadershipChange((status) => heard.push(status))();

  const inFlight = member.propose(Buffer.from('in flight'), FOREVER);
  await turns();
  const queued = member.propose(Buffer.from('queued'), FOREVER);
  const stopped = member.stop();
  const after = member.propose(Buffer.from('after'), FOREVER);

  t.same(await queued, { type: 'rejected', reason: 'stopped' });
  t.same(await after, { type: 'rejected', reason: 'stopped' });
  t.equal(await now(stopped), 'pending');
  t.equal(await now(inFlight), 'pending');
  log.sync();
  await Promise.all([stopped, member.stop()]);
  t.match(await inFlight, { type: 'applied', result: 'did in flight' });
  t.same(machine.payloads, ['in flight']);
  t.ok(log.closed);
  t.notOk(machine.hasListener);
  t.match(heard, [{ leaderId: 0n, term: 1 }]);
});

t.test('stop: waits for a state machine that is held', async (t) => {
  const { log, machine, member } = await start();
  const proposed = member.propose(Buffer.from('a'), FOREVER);
  await turns();
  machine.hold();
  log.sync();
  await turns();
  const read = member.readIndex(FOREVER);
  const stopped = member.stop();
  t.equal(await now(stopped), 'pending');
  machine.letGo();

  await stopped;
  t.match(await proposed, { type: 'applied' });
  await read;
});

t.test('a failing disk stops the member: in flight ends unknown, queued and later rejected', async (t) => {
  const { log, machine, member, fatal } = await start();
  const inFlight = member.propose(Buffer.from('a'), FOREVER);
  await turns();
  const queued = member.propose(Buffer.from('b'), FOREVER);
  const error = new Error('the disk is gone');
  log.fail(error);

  t.same(await inFlight, { type: 'unknown', reason: 'stopped' });
  t.same(await queued, { type: 'rejected', reason: 'stopped' });
  t.same(fatal, [error]);
  t.same(await member.propose(Buffer.from('c'), FOREVER), { type: 'rejected', reason: 'stopped' });
  await t.rejects(member.readIndex(FOREVER), { name: 'ConsensusError', reason: 'stopped' });
  t.same(machine.payloads, []);
  t.match(member.status(), { leaderId: 0n });
  await member.stop();
  t.ok(log.closed);
  t.equal(fatal.length, 1, 'told once');
});

t.test('a state machine that throws, or breaks its contract, stops the member', async (t) => {
  const failures: [string, (machine: RecordingMachine) => void][] = [
    ['apply throws', (machine) => (machine.failWith = new Error('no'))],
    ['ready rejects', (machine) => (machine.ready = () => Promise.reject(new Error('no')))],
    ['a result is missing', (machine) => (machine.apply = () => [])],
    ['the position stands still', (machine) => (machine.apply = (list) => list.map(() => 'x'))],
  ];
  for (const [name, sabotage] of failures) {
    const { log, machine, member, fatal } = await start();
    sabotage(machine);
    const first = member.propose(Buffer.from('a'), FOREVER);
    await turns();
    const second = member.propose(Buffer.from('b'), FOREVER);
    await turns();
    log.sync(1);

    const unknown = { type: 'unknown', reason: 'stopped' };
    t.same(await Promise.all([first, second]), [unknown, unknown], name);
    t.equal(fatal.length, 1, name);
    log.sync();
    await member.stop();
    t.same(machine.payloads, [], 'nothing is applied after');
  }
});

t.test('a failure at the start rejects it and lets the log go', async (t) => {
  for (const fails of ['disk', 'machine']) {
    const log = new ControlledLog();
    const machine = new RecordingMachine(log);
    const error = new Error(`${fails} fails`);
    if (fails === 'disk') log.fail(error);
    else machine.failWith = error;
    const onFatal = () => t.fail('there is no member yet');

    const starting = Member.start({
      clusterId: 1n,
      memberId: 7n,
      session: 9n,
      log,
      stateMachine: machine,
      onFatal,
    });

    await t.rejects(starting, error);
    t.ok(log.closed);
  }
});

t.test('cut: the log loses what the state machine keeps durably, but for the tail', async (t) => {
  const tailLimits = { entriesMax: 10, bytesMax: Infinity, cutStep: 5, heldEntriesMax: 100 };
  const { log, machine, member } = await start({ tailLimits });
  log.autoSync = true;
  for (let i = 0; i < 49; i += 1) await member.propose(Buffer.from('x'), FOREVER);

  machine.moveDurable(14, 1);
  t.same(log.compactions, [], 'four entries are not worth a cut');
  machine.moveDurable(15, 1);
  t.same(log.compactions, [5], 'entries after the durable ones do not count');
  machine.moveDurable(50, 1);

  t.same(log.compactions, [5, 40]);
  t.same(log.hardState, { term: 1, vote: 7n, commit: 50 }, 'the commit index goes with it');
});

t.test('cut: past its bytes the tail is cut by bytes, never beyond the durable index', async (t) => {
  const tail = new Tail({ entriesMax: 1000, bytesMax: 800, cutStep: 10, heldEntriesMax: 15 });
  for (let index = 1; index <= 30; index += 1) tail.appended(index, 100);

  t.equal(tail.cutThrough(1, 5, Infinity), 5, 'what is not durable in the state machine stays');
  t.equal(tail.cutThrough(6, 20, 8), 7, 'a follower needs the rest');
  t.equal(tail.cutThrough(8, 30, 8), 15, 'but only so much is kept for it');
  t.equal(tail.cutThrough(16, 30, Infinity), 22, '800 bytes are in the last eight');
  t.equal(tail.cutThrough(23, 30, Infinity), 0, 'nothing more to cut');
});

t.test('on MemoryLog: many proposers, all applied in order', async (t) => {
  const log = new MemoryLog();
  const machine = new RecordingMachine(log);
  const member = await Member.start({
    clusterId: 1n,
    memberId: 7n,
    session: 9n,
    log,
    stateMachine: machine,
    onFatal: (error) => t.fail(String(error)),
  });
  const payloads = Array.from({ length: 1000 }, (_, i) => `${i}`);

  await Promise.all(payloads.map((payload) => member.propose(Buffer.from(payload), FOREVER)));

  t.same(machine.payloads, payloads);
  await member.stop();
});

t.test('on SqliteLog: what was applied is there after a restart with an empty state machine', async (t) => {
  const path = join(folder(t), 'raft.db');
  const run = async (applied = { index: 0, term: 0 }) => {
    const log = await openSqliteLog({ path, residentBytesMax: 1000 });
    const machine = new RecordingMachine(log, applied);
    const onFatal = (error: unknown) => t.fail(String(error));
    const member = await Member.start({
      clusterId: 1n,
      memberId: 7n,
      session: 9n,
      log,
      stateMachine: machine,
      onFatal,
    });
    return { machine, member };
  };
  const payloads = Array.from({ length: 1000 }, (_, i) => `payload ${i}`);

  const first = await run();
  const propose = (payload: string) => first.member.propose(Buffer.from(payload), FOREVER);
  await Promise.all(payloads.map(propose));
  await first.member.stop();
  const second = await run();
  t.same(second.machine.payloads, payloads);
  t.same(second.machine.violations, []);
  t.equal(second.member.status().term, 2);
  await second.member.stop();
  const third = await run(second.machine.applied);

  t.same(third.machine.payloads, []);
  t.match(third.member.status(), { term: 3, applied: 1003 });
  await third.member.stop();
});

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'wherry-member-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
