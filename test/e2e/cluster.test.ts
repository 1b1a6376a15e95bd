/**
 * A cluster of real processes, three `wherry serve` on loopback, whose members are killed, stopped and cut off from one
 * another. The long form is `npm run soak:cluster`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { random } from '../raft/random.js';
import { Cluster } from '../tools/cluster.js';
import { describe, runFaults } from './cluster-faults.js';
import { Asker, REQUEST_MS_MAX, UNANSWERED, cutOffLeader, toldOf, valueOf } from './cluster-partitions.js';

const faultSeconds = Number(process.env['WHERRY_CLUSTER_SECONDS'] ?? 25);
const RECONNECT_MS_MAX = 30_000;

t.test('random faults under load', { timeout: (faultSeconds + 120) * 1000 }, async (t) => {
  const seeded = random();
  t.comment(`seed ${seeded.seed}`);
  const report = await runFaults({ ms: faultSeconds * 1000, random: seeded });
  for (const line of describe(report)) t.comment(line);
  if (report.wrong.length > 0) for (const line of report.log) t.comment(line);
  t.same(report.wrong, [], 'the history is linearizable, and no acknowledged write is lost');
  t.ok(report.counts.writes > 50, `${report.counts.writes} writes were acknowledged`);
});

t.test('a minority', { timeout: 180_000 }, async (t) => {
  const cluster = await Cluster.start({ args: ['--controllers='] });
  const asker = new Asker();
  t.teardown(async () => {
    asker.close();
    await cluster.stop();
  });

  await t.test('a leader that is cut off accepts no write and reads nothing old', async (t) => {
    const leader = await cluster.untilLed();
    t.equal((await asker.create(leader, 'cut', 'old')).answer?.status, 201);
    const { attempts, newValueAt } = await cutOffLeader(cluster, asker, 'cut', 'new');
    const accepted = attempts.filter(({ answer }) => answer !== undefined && answer.status < 300);
    t.same(
      accepted.filter(({ what }) => what !== 'read'),
      [],
      'no write was accepted',
    );
    t.same(
      accepted.filter(({ startedAt }) => startedAt > newValueAt),
      [],
      'no read either, once the majority had gone on',
    );
    const told = attempts.filter((attempt) => !accepted.includes(attempt)).map(toldOf);
    t.same(
      told.filter((text) => !UNANSWERED.includes(text)),
      [],
      'every client was told clearly',
    );
    const longest = Math.max(...attempts.map(({ startedAt, endedAt }) => endedAt - startedAt));
    t.ok(longest < REQUEST_MS_MAX, `the longest request took ${Math.round(longest)} ms`);

    cluster.network.heal();
    const deadline = performance.now() + RECONNECT_MS_MAX;
    let read = await asker.read(leader, 'cut');
    while (read.answer?.status !== 200 && performance.now() < deadline) {
      await sleep(100);
      read = await asker.read(leader, 'cut');
    }
    t.ok(['new', 'cut-off'].includes(valueOf(read)?.replace(/-\d+$/, '') ?? ''), 'it heals by itself');
    const values = await Promise.all(
      cluster.members.map(async (member) => valueOf(await asker.read(member, 'cut'))),
    );
    t.equal(new Set(values).size, 1, 'and all agree');
  });

  await t.test('a member that has lost the majority says so, and recovers', async (t) => {
    await cluster.heal();
    const leader = await cluster.untilLed();
    const survivor = cluster.members.find((member) => member !== leader) ?? leader;
    const gone = cluster.members.filter((member) => member !== survivor);
    t.equal((await asker.create(survivor, 'majority', 'one')).answer?.status, 201);
    await Promise.all(gone.map((member) => member.stop('SIGKILL')));
    const attempts = await Promise.all([
      asker.read(survivor, 'majority'),
      asker.list(survivor),
      asker.write(survivor, 'majority', 'two'),
      asker.create(survivor, 'none', 'none'),
    ]);
    for (const attempt of attempts) {
      t.ok(UNANSWERED.includes(toldOf(attempt)), `${attempt.what}: ${toldOf(attempt)}`);
      t.ok(attempt.endedAt - attempt.startedAt < REQUEST_MS_MAX, `${attempt.what} ends in time`);
    }
    await cluster.heal();
    t.equal((await asker.write(survivor, 'majority', 'three')).answer?.status, 200);
    for (const member of cluster.members) {
      t.equal(valueOf(await asker.read(member, 'majority')), 'three', `${member.name} serves again`);
    }
  });
});
