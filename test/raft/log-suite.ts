import type { Test } from 'tap';
import { InvariantError } from '../../raft/invariant.js';
import type { RaftLog } from '../../raft/log/log.js';
import { entries, entry, plain } from './entries.js';

/** A log and, where it outlives the process, a way to open it once more. */
export interface LogUnderTest {
  readonly log: RaftLog;
  /** Closes the log and opens it again; undefined for a log in memory. */
  readonly reopen?: () => Promise<RaftLog>;
}

/** The contract of RaftLog, which every implementation keeps. */
export async function logSuite(
  t: Test,
  name: string,
  open: (t: Test) => Promise<LogUnderTest>,
): Promise<void> {
  await t.test(`${name}: a new log is empty and starts at index 1`, async (t) => {
    const { log } = await open(t);

    t.match(log, { firstIndex: 1, lastIndex: 0, durableIndex: 0, residentIndex: 1, baseTerm: 0 });
    t.same(log.hardState, { term: 0, vote: 0n, commit: 0 });
    t.equal(log.term(0), 0, 'the term before the first entry is known');
    t.equal(log.term(1), undefined);
    t.same(log.read(1, 10), []);
  });

  await t.test(
    `${name}: appended entries are readable at once and durable when the promise resolves`,
    async (t) => {
      const { log } = await open(t);

      const appended = log.append(entries(1, 3), { term: 4, vote: 2n ** 64n - 1n, commit: 2 });
      t.same(plain(log.read(1, 3)), plain(entries(1, 3)));
      t.equal(log.lastIndex, 3);
      await appended;

      t.equal(log.durableIndex, 3);
      t.same(log.hardState, { term: 4, vote: 2n ** 64n - 1n, commit: 2 });
    },
  );

  await t.test(`${name}: entries, hard state and terms outlive the log object`, async (t) => {
    const { log, reopen } = await open(t);
    if (reopen === undefined) {
      t.pass('keeps nothing');
      return;
    }
    const written = [...entries(1, 3, 1), ...entries(4, 4, 2), ...entries(5, 9, 7)];
    await log.append(written, { term: 7, vote: 2n ** 64n - 1n, commit: 8 });
    await log.append([{ ...entry(10, 7), type: 'noop' }]);
    await log.append([{ ...entry(11, 8, 0), type: 'configuration' }]);

    const again = await reopen();

    t.match(again, { firstIndex: 1, lastIndex: 11, durableIndex: 11, baseTerm: 0 });
    t.same(again.hardState, { term: 7, vote: 2n ** 64n - 1n, commit: 8 });
    t.same(
      Array.from({ length: 13 }, (_, index) => again.term(index)),
      [0, 1, 1, 1, 2, 7, 7, 7, 7, 7, 7, 8, undefined],
    );
    const read = await readAll(again, 1);
    t.same(plain(read.slice(0, 9)), plain(written));
    t.same(
      read.slice(9).map(({ type, payload }) => [type, payload.length]),
      [
        ['noop', 20],
        ['configuration', 0],
      ],
    );
  });

  await t.test(`${name}: read stops before maxBytes are passed, after one entry at least`, async (t) => {
    const { log } = await open(t);
    await log.append([entry(1, 1, 10), entry(2, 1, 10), entry(3, 1, 10)]);

    const indexes = (maxBytes: number) => log.read(1, 3, maxBytes).map(({ index }) => index);

    t.same(indexes(30), [1, 2, 3]);
    t.same(indexes(29), [1, 2]);
    t.same(indexes(1), [1]);
    t.same(plain(log.read(2, 2)), plain([entry(2, 1, 10)]), 'and at `through`');
    t.same(log.read(3, 2), []);
  });

  await t.test(`${name}: appends are contiguous and of terms that do not fall`, async (t) => {
    const { log } = await open(t);
    await log.append(entries(1, 2, 5));

    t.throws(() => log.append([entry(4, 5)]), InvariantError);
    t.throws(() => log.append([entry(2, 5)]), InvariantError);
    t.throws(() => log.append([entry(3, 4)]), InvariantError);
  });

  await t.test(
    `${name}: truncateSuffix takes entries away, and others take their place (Raft §5.3)`,
    async (t) => {
      const { log, reopen } = await open(t);
      await log.append([...entries(1, 4, 1), ...entries(5, 8, 2)]);

      const truncated = log.truncateSuffix(4);
      t.match(log, { lastIndex: 3, durableIndex: 3 });
      t.equal(log.term(4), undefined);
      const appended = log.append(entries(4, 5, 3));
      t.equal(
        log.durableIndex,
        reopen === undefined ? 5 : 3,
        'the old entries 4 and 5 were durable, the new are not',
      );
      await Promise.all([truncated, appended]);

      const expected = plain([...entries(1, 3, 1), ...entries(4, 5, 3)]);
      t.same(plain(log.read(1, 9)), expected);
      t.equal(log.durableIndex, 5);
      const again = await reopen?.();
      if (again !== undefined) t.same(plain(await readAll(again, 1)), expected);
    },
  );

  await t.test(
    `${name}: an append that was in flight does not make durable what was taken away since`,
    async (t) => {
      const { log, reopen } = await open(t);
      const first = log.append(entries(1, 10, 1));
      await Promise.resolve();
      const truncated = log.truncateSuffix(6);
      await first;

      t.match(log, { lastIndex: 5, durableIndex: 5 });
      await truncated;
      const again = await reopen?.();
      if (again !== undefined) t.equal(again.lastIndex, 5);
    },
  );

  await t.test(
    `${name}: compactPrefix moves the first index and remembers the last term cut away`,
    async (t) => {
      const { log, reopen } = await open(t);
      await log.append([...entries(1, 600, 1), ...entries(601, 605, 2), ...entries(606, 610, 3)]);

      await log.compactPrefix(603);
      await log.compactPrefix(10);

      const check = async (checked: RaftLog) => {
        t.match(checked, { firstIndex: 604, lastIndex: 610, durableIndex: 610, baseTerm: 2 });
        t.same(
          [602, 603, 604, 606].map((index) => checked.term(index)),
          [undefined, 2, 2, 3],
        );
        t.same(plain(await readAll(checked, 604)), plain([...entries(604, 605, 2), ...entries(606, 610, 3)]));
        await t.rejects(async () => await checked.readOld(603, 610), InvariantError);
      };
      await check(log);
      const again = await reopen?.();
      if (again !== undefined) await check(again);
    },
  );

  await t.test(`${name}: a log compacted to its end keeps its place`, async (t) => {
    const { log, reopen } = await open(t);
    await log.append(entries(1, 300, 4));
    await log.compactPrefix(300);

    const last = (await reopen?.()) ?? log;

    t.match(last, { firstIndex: 301, lastIndex: 300, durableIndex: 300, baseTerm: 4 });
    t.equal(last.term(300), 4);
    await last.append([entry(301, 4)]);
    t.same(plain(last.read(301, 301)), plain([entry(301, 4)]));
  });

  await t.test(`${name}: compactPrefix goes no further than what is durable`, async (t) => {
    const { log } = await open(t);
    await log.append(entries(1, 2));

    t.throws(() => log.compactPrefix(3), InvariantError);
  });

  await t.test(`${name}: reset forgets everything and starts after a position`, async (t) => {
    const { log, reopen } = await open(t);
    await log.append(entries(1, 50, 1), { term: 3, vote: 1n, commit: 20 });

    const pending = log.append(entries(51, 60, 1));
    await Promise.resolve();
    const reset = log.reset(1000, 9);
    t.match(log, { firstIndex: 1001, lastIndex: 1000, durableIndex: 1000, residentIndex: 1001, baseTerm: 9 });
    await Promise.all([pending, reset]);
    await log.append([entry(1001, 9)]);

    const last = (await reopen?.()) ?? log;
    t.match(last, { firstIndex: 1001, lastIndex: 1001, baseTerm: 9 });
    t.same(last.hardState, { term: 3, vote: 1n, commit: 20 }, 'the vote is not the snapshot`s to forget');
    t.same(
      [999, 1000, 1001].map((index) => last.term(index)),
      [undefined, 9, 9],
    );
    t.same(plain(await readAll(last, 1001)), plain([entry(1001, 9)]));
  });

  await t.test(`${name}: reset may go back, to a snapshot older than the log`, async (t) => {
    const { log, reopen } = await open(t);
    await log.append(entries(1, 50, 6));
    await log.reset(20, 2);
    await log.append([entry(21, 2)]);

    const last = (await reopen?.()) ?? log;

    t.match(last, { firstIndex: 21, lastIndex: 21, baseTerm: 2 });
    t.same(plain(await readAll(last, 21)), plain([entry(21, 2)]));
  });

  await t.test(`${name}: a payload's own memory stays the caller's`, async (t) => {
    const { log } = await open(t);
    const pool = Buffer.from('one payload of two in shared memory');
    const halves = [pool.subarray(0, 11), pool.subarray(11)] as const;

    await log.append([{ ...entry(1), payload: halves[0] }]);
    await log.append([{ ...entry(2), payload: halves[1] }]);

    t.equal(pool.toString(), 'one payload of two in shared memory', 'neither detached nor changed');
    t.same(
      log.read(1, 2).map(({ payload }) => Buffer.from(payload).toString()),
      halves.map(String),
    );
  });
}

/** Everything from `from` on, on disk or in memory. */
export async function readAll(log: RaftLog, from: number, maxBytes?: number) {
  const read = [];
  for (let next = from; next <= log.lastIndex; next = from + read.length) {
    read.push(...(await log.readOld(next, log.lastIndex, maxBytes)));
  }
  return read;
}
