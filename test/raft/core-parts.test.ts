/** The pure helpers of raft/core/, each against the plainest statement of what it must do. */
import {
  array,
  assert,
  bigInt,
  constantFrom,
  dictionary,
  integer,
  property,
  record,
  uniqueArray,
} from 'fast-check';
import t from 'tap';
import { Configurations } from '../../raft/core/configurations.js';
import { FollowerProgress } from '../../raft/core/follower-progress.js';
import { StepLog } from '../../raft/core/log-reader.js';
import { PendingReads } from '../../raft/core/pending-reads.js';
import { COUNTERS_MAX, ProposalWindow, REFUSALS_MAX, SESSIONS_MAX } from '../../raft/core/proposal-window.js';
import { agreedValue, majority, tally } from '../../raft/core/quorum.js';
import { InvariantError } from '../../raft/invariant.js';
import { EMPTY_LOG, LogView } from '../../raft/log/view.js';
import { configurationOf } from './core-cluster.js';
import { entries, entry } from './entries.js';

// ---- quorum.ts

const ids = uniqueArray(bigInt({ min: 1n, max: 9n }), { minLength: 1, maxLength: 7 });
const noIds = constantFrom<bigint[]>([]);

/** More than half of `among` are in favour. */
function isMajority(among: readonly bigint[], inFavour: (id: bigint) => boolean): boolean {
  return among.length === 0 || 2 * among.filter((id) => inFavour(id)).length > among.length;
}

t.test('quorum: an agreed value is one that more than half have reached, in both sets', async (t) => {
  const values = dictionary(integer({ min: 1, max: 9 }).map(String), integer({ min: 0, max: 20 }));
  const agrees = property(ids, ids, constantFrom(true, false), values, (voters, others, joint, reached) => {
    const outgoing = joint ? others : [];
    const valueOf = (id: bigint) => reached[String(id)] ?? 0;
    const agreed = agreedValue({ voters, outgoing }, valueOf);
    const holds = (value: number) =>
      [voters, outgoing].every((set) => isMajority(set, (id) => valueOf(id) >= value));
    return holds(agreed) && !holds(agreed + 1);
  });
  t.doesNotThrow(() => assert(agrees, { numRuns: 500 }));
  t.equal(
    agreedValue({ voters: [], outgoing: [] }, () => 0),
    Infinity,
  );
});

t.test('quorum: a vote is won or lost exactly when the open votes cannot change that', async (t) => {
  const votesOf = dictionary(integer({ min: 1, max: 9 }).map(String), constantFrom(true, false));
  const decides = property(ids, ids, constantFrom(true, false), votesOf, (voters, others, joint, cast) => {
    const outgoing = joint ? others : [];
    const votes = new Map(Object.entries(cast).map(([id, vote]) => [BigInt(id), vote]));
    const wonIf = (open: boolean) =>
      [voters, outgoing].every((set) => isMajority(set, (id) => votes.get(id) ?? open));
    const expected = wonIf(false) ? 'won' : wonIf(true) ? 'pending' : 'lost';
    return tally({ voters, outgoing }, votes) === expected;
  });
  t.doesNotThrow(() => assert(decides, { numRuns: 500 }));
});

t.test('quorum: any two majorities meet', async (t) => {
  const meet = property(integer({ min: 1, max: 100 }), (count) => 2 * majority(count) > count);
  t.doesNotThrow(() => assert(meet));
  t.same([1, 2, 3, 4, 5].map(majority), [1, 2, 2, 3, 3]);
  t.doesNotThrow(() =>
    assert(property(noIds, (none) => tally({ voters: none, outgoing: none }, new Map()) === 'won')),
  );
});

// ---- configurations.ts

t.test('configurations: the newest is in force; those before it come back when it is cut off', async (t) => {
  const of = (...voters: bigint[]) => configurationOf(voters);
  const configurations = new Configurations({ index: 3, configuration: of(1n) });
  configurations.append(5, of(1n, 2n));
  configurations.append(9, of(1n, 2n, 3n));
  t.match(configurations.latest, { index: 9, configuration: { voters: [1n, 2n, 3n] } });

  t.equal(configurations.truncate(10), false, 'nothing lay there');
  t.equal(configurations.truncate(9), true);
  t.equal(configurations.latest.index, 5);
  configurations.append(9, of(1n, 2n, 4n));
  t.equal(configurations.truncate(5), true, 'two at once');
  t.equal(configurations.latest.index, 3);
});

t.test('configurations: a committed one never goes', async (t) => {
  const configurations = new Configurations({ index: 3, configuration: configurationOf([1n]) });
  configurations.append(5, configurationOf([1n, 2n]));
  configurations.append(9, configurationOf([2n]));
  configurations.committed(4);
  configurations.committed(5);
  t.equal(configurations.truncate(6), true);
  t.equal(configurations.latest.index, 5);
  t.throws(() => configurations.truncate(5), InvariantError);
  t.throws(() => configurations.append(5, configurationOf([2n])), InvariantError);
  configurations.reset({ index: 20, configuration: configurationOf([7n]) });
  t.match(configurations.latest, { index: 20, configuration: { voters: [7n] } });
});

// ---- follower-progress.ts

const LIMITS = { messagesMax: 3, bytesMax: 100 };

t.test('progress: a probe sends one append and waits for an answer or a sign of life', async (t) => {
  const progress = new FollowerProgress(10, LIMITS);
  t.match(progress, { state: 'probe', paused: false, match: 0, next: 10 });
  progress.sent(12, 50);
  t.match(progress, { paused: true, next: 10 }, 'what a probe carries is not counted as sent');
  progress.nudge();
  t.equal(progress.paused, false);
  progress.sent(12, 50);
  t.equal(progress.acknowledged(12), true);
  progress.replicate();
  t.match(progress, { state: 'replicate', paused: false, match: 12, next: 13 });
});

t.test('progress: replication stops at so many appends or bytes, at N and N + 1', async (t) => {
  const replicating = () => {
    const progress = new FollowerProgress(1, LIMITS);
    progress.replicate();
    return progress;
  };
  const byCount = replicating();
  for (const last of [1, 2]) byCount.sent(last, 1);
  t.equal(byCount.paused, false);
  byCount.sent(3, 1);
  t.match(byCount, { paused: true, next: 4 });
  byCount.acknowledged(2);
  t.equal(byCount.paused, false, 'one answer stands for all before it');

  const byBytes = replicating();
  byBytes.sent(1, 99);
  t.equal(byBytes.paused, false);
  byBytes.sent(2, 1);
  t.equal(byBytes.paused, true);
  byBytes.acknowledged(1);
  t.equal(byBytes.paused, false);

  const one = replicating();
  one.sent(1, 5000);
  t.equal(one.paused, true, 'one append may exceed it');
  one.acknowledged(1);
  t.equal(one.paused, false);

  const empty = replicating();
  for (let i = 0; i < 10; i += 1) empty.sent(0, 0);
  t.match(empty, { paused: false, next: 1 }, 'an append without entries takes no room');
});

t.test('progress: a sign of life frees one append, so that lost ones hold nothing up for ever', async (t) => {
  const progress = new FollowerProgress(1, LIMITS);
  progress.replicate();
  for (const last of [1, 2, 3]) progress.sent(last, 1);
  progress.nudge();
  t.equal(progress.paused, false);
  progress.nudge();
  progress.sent(4, 1);
  t.equal(progress.paused, true, 'only one, and only while it is held up');
  progress.fetching = true;
  progress.nudge();
  t.equal(progress.paused, true);
});

t.test('progress: a refusal counts if it is about what was last sent', async (t) => {
  const probing = new FollowerProgress(10, LIMITS);
  probing.sent(10, 1);
  t.equal(probing.refused(5, 3), false, 'an old one');
  t.equal(probing.refused(9, 4), true);
  t.match(probing, { next: 5, paused: false });
  t.equal(probing.refused(9, 4), false, 'again');
  t.equal(probing.refused(4, 50), true);
  t.equal(probing.next, 4, 'a hint beyond the refusal leads one back at least');
  probing.acknowledged(2);
  t.equal(probing.refused(3, 0), true);
  t.equal(probing.next, 3, 'never before what is known');

  const replicating = new FollowerProgress(1, LIMITS);
  replicating.acknowledged(5);
  replicating.replicate();
  replicating.sent(6, 1);
  t.equal(replicating.refused(5, 0), false, 'an old one: it has that');
  t.equal(replicating.state, 'replicate');
  t.equal(replicating.refused(6, 0), true);
  t.match(replicating, { state: 'probe', next: 6, match: 5 });

  const waiting = new FollowerProgress(10, LIMITS);
  waiting.awaitSnapshot();
  t.equal(waiting.refused(9, 4), false);
  t.equal(waiting.paused, true);
  waiting.nudge();
  t.equal(waiting.paused, true);
  t.throws(() => waiting.sent(10, 1), InvariantError);
});

t.test(
  'progress: match never falls, next stays above it, a new state forgets what was on its way',
  async (t) => {
    const step = record({
      type: constantFrom('sent', 'acknowledged', 'refused', 'probe', 'replicate', 'snapshot', 'nudge'),
      index: integer({ min: 0, max: 30 }),
      hint: integer({ min: 0, max: 30 }),
    });
    const holds = property(array(step), (steps) => {
      const progress = new FollowerProgress(5, LIMITS);
      for (const { type, index, hint } of steps) {
        const { match } = progress;
        if (type === 'sent' && !progress.paused) progress.sent(index, 10);
        if (type === 'acknowledged') progress.acknowledged(index);
        if (type === 'refused') progress.refused(index, hint);
        if (type === 'probe') progress.probe(hint);
        if (type === 'replicate') progress.replicate();
        if (type === 'snapshot') progress.awaitSnapshot();
        if (type === 'nudge') progress.nudge();
        if (progress.match < match || progress.next <= progress.match) return false;
        if (type === 'replicate' && progress.paused) return false;
      }
      return true;
    });
    t.doesNotThrow(() => assert(holds, { numRuns: 500 }));
  },
);

// ---- log-reader.ts

function viewOf(...terms: readonly number[]): LogView {
  const view = new LogView(EMPTY_LOG, Infinity);
  view.append(terms.map((term, position) => entry(position + 1, term)));
  return view;
}

t.test('step log: a step sees its own changes, which the durable log follows before the next', async (t) => {
  const view = viewOf(1, 1, 2);
  const log = new StepLog(view);
  log.begin();
  log.truncate(3);
  t.equal(log.lastIndex, 2);
  t.equal(log.term(3), undefined);
  for (const index of [3, 4]) log.append(entry(index, 5));
  t.match(log, { firstIndex: 1, lastIndex: 4, lastTerm: 5 });
  t.same(
    [0, 1, 2, 3, 4, 5].map((index) => log.term(index)),
    [0, 1, 1, 5, 5, undefined],
  );
  t.ok(log.matches(4, 5));
  t.notOk(log.matches(5, 5));

  const changes = log.end();
  t.match(changes, { reset: undefined, truncateFrom: 3, entries: [{ index: 3 }, { index: 4 }] });
  t.throws(() => log.begin(), InvariantError, 'the durable log has not followed');
  view.truncateSuffix(3);
  view.append(changes.entries);
  log.begin();
  t.same(log.end(), { reset: undefined, truncateFrom: undefined, entries: [] });
});

t.test('step log: reset leaves the position of the snapshot alone', async (t) => {
  const log = new StepLog(viewOf(1, 1, 2));
  log.begin();
  log.reset(7, 3);
  t.match(log, { firstIndex: 8, lastIndex: 7, lastTerm: 3, residentIndex: 8 });
  t.same(
    [6, 7, 8].map((index) => log.term(index)),
    [undefined, 3, undefined],
  );
  log.append(entry(8, 3));
  t.match(log.end(), { reset: { index: 7, term: 3 }, entries: [{ index: 8 }] });
});

t.test(
  'step log: reads reach from memory into the step, by so many bytes and one entry at least',
  async (t) => {
    const view = new LogView({ firstIndex: 1, lastIndex: 4, terms: [{ term: 1, from: 0 }] }, Infinity);
    view.append(entries(5, 6));
    const log = new StepLog(view);
    log.begin();
    log.append(entry(7));
    log.append(entry(8));
    t.equal(log.residentIndex, 5);
    t.equal(log.read(4, 1000), undefined, 'on disk only');
    const read = (from: number, maxBytes: number) => log.read(from, maxBytes)?.map(({ index }) => index);
    t.same(read(5, 1000), [5, 6]);
    t.same(read(5, 20), [5]);
    t.same(read(5, 1), [5]);
    t.same(read(7, 40), [7, 8]);
    t.same(read(7, 39), [7]);
    t.same(read(8, 0), [8]);
  },
);

t.test('step log: what cannot be is refused', async (t) => {
  const begun = () => {
    const log = new StepLog(viewOf(1, 2));
    log.begin();
    return log;
  };
  t.throws(() => begun().append(entry(4, 2)), InvariantError, 'a gap');
  t.throws(() => begun().append(entry(3, 1)), InvariantError, 'a falling term');
  t.throws(() => begun().truncate(3), InvariantError, 'nothing there');
  t.throws(() => begun().truncate(0), InvariantError, 'compacted');
  const changed = begun();
  changed.append(entry(3, 2));
  t.throws(() => changed.truncate(3), InvariantError, 'in another order');
  t.throws(() => changed.reset(9, 9), InvariantError);
});

t.test('step log: bisection by term finds what a search from the end finds', async (t) => {
  const terms = array(integer({ min: 1, max: 6 }), { maxLength: 20 }).map((list) =>
    list.toSorted((a, b) => a - b),
  );
  const small = integer({ min: 0, max: 22 });
  const finds = property(terms, small, integer({ min: 0, max: 7 }), (list, index, term) => {
    const log = new StepLog(viewOf(...list));
    let expected = Math.min(index, list.length);
    while (expected > 0 && (list[expected - 1] ?? 0) > term) expected -= 1;
    return log.newestWithTermAtMost(index, term) === expected;
  });
  t.doesNotThrow(() => assert(finds, { numRuns: 500 }));
});

// ---- proposal-window.ts

t.test('window: each proposal is new once, in any order', async (t) => {
  const asked = array(
    record({ session: bigInt({ min: 1n, max: 3n }), counter: integer({ min: 1, max: 20 }) }),
  );
  const once = property(asked, (requestIds) => {
    const window = new ProposalWindow();
    const seen = new Set<string>();
    return requestIds.every(({ session, counter }) => {
      const key = `${session}/${counter}`;
      const expected = !seen.has(key);
      seen.add(key);
      return window.isNew({ session, counter }) === expected;
    });
  });
  t.doesNotThrow(() => assert(once, { numRuns: 500 }));
});

t.test('window: a gap that stays is given up once so many are known behind it', async (t) => {
  const window = new ProposalWindow();
  for (let counter = 2; counter <= COUNTERS_MAX + 1; counter += 1) window.isNew({ session: 1n, counter });
  t.equal(window.isNew({ session: 1n, counter: 1 }), true, 'not yet');

  const full = new ProposalWindow();
  for (let counter = 2; counter <= COUNTERS_MAX + 2; counter += 1) full.isNew({ session: 1n, counter });
  t.equal(full.isNew({ session: 1n, counter: 1 }), false);
  t.equal(full.isNew({ session: 1n, counter: COUNTERS_MAX + 2 }), false, 'the newest are still known');
  t.equal(full.isNew({ session: 1n, counter: COUNTERS_MAX + 3 }), true);
});

t.test('window: of so many sessions the least used is forgotten', async (t) => {
  const window = new ProposalWindow();
  for (let session = 1n; session <= BigInt(SESSIONS_MAX); session += 1n)
    window.isNew({ session, counter: 1 });
  t.equal(window.isNew({ session: 1n, counter: 1 }), false);
  t.equal(window.isNew({ session: 5000n, counter: 1 }), true, 'one more');
  t.equal(window.isNew({ session: 1n, counter: 1 }), false, 'used lately');
  t.equal(window.isNew({ session: 2n, counter: 1 }), true, 'forgotten');
  window.clear();
  t.equal(window.isNew({ session: 1n, counter: 1 }), true);
});

t.test('window: refusals are remembered, up to so many', async (t) => {
  const window = new ProposalWindow();
  t.equal(window.refusal({ session: 1n, counter: 1 }), undefined);
  for (let counter = 1; counter <= REFUSALS_MAX + 1; counter += 1) {
    window.refuse({ session: 1n, counter }, 'not-leader');
  }
  t.equal(window.refusal({ session: 1n, counter: 1 }), undefined);
  t.equal(window.refusal({ session: 1n, counter: 2 }), 'not-leader');
  t.equal(window.refusal({ session: 2n, counter: 2 }), undefined);
  window.clear();
  t.equal(window.refusal({ session: 1n, counter: 2 }), undefined);
});

// ---- pending-reads.ts

t.test('reads: a confirmed round answers its questions and all before, once', async (t) => {
  const reads = new PendingReads();
  t.ok(reads.isEmpty);
  for (const id of [1, 2, 3]) reads.add({ from: 9n, id }, id, id * 10);
  t.same(reads.confirmed(0), []);
  t.match(reads.confirmed(2), [
    { from: 9n, id: 1, index: 10 },
    { id: 2, index: 20 },
  ]);
  t.same(reads.confirmed(2), []);
  t.notOk(reads.isEmpty);
  t.match(reads.confirmed(Infinity), [{ id: 3 }]);
  t.ok(reads.isEmpty);
});

t.test('reads: early ones wait apart until they can be asked', async (t) => {
  const reads = new PendingReads();
  reads.addEarly({ from: 1n, id: 1 });
  t.notOk(reads.isEmpty);
  t.same(reads.confirmed(Infinity), []);
  t.same(reads.takeEarly(), [{ from: 1n, id: 1 }]);
  t.same(reads.takeEarly(), []);
  reads.addEarly({ from: 1n, id: 2 });
  reads.add({ from: 1n, id: 3 }, 1, 1);
  reads.clear();
  t.ok(reads.isEmpty);
});
