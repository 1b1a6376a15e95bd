/** The long forms of the cluster's tests and its measures, each a command of its own (package.json, docs/benchmarks.md). */
import { parseArgs } from 'node:util';
import { random } from '../raft/random.js';
import { ELECTION_TIMEOUT_MS } from '../tools/cluster.js';
import { percentile } from '../tools/statistics.js';
import { runCatchUp } from './cluster-catch-up.js';
import { runElection } from './cluster-election.js';
import { describe, runFaults } from './cluster-faults.js';
import { type GrowthSample, growthFaults, runGrowth } from './cluster-growth.js';
import { runLeaderKills } from './cluster-leader-kills.js';

const help = `node dist/test/e2e/cluster-commands.js COMMAND
  faults        random faults under load     --minutes 10  --size 3
  leader-kills  the leader killed each time  --kills 100
  election      leader election meanwhile    --kills 20
  catch-up      a member that was away       --writes 100000
  growth        writes with compaction       --writes 1000000
A run prints its seed; WHERRY_TEST_SEED takes one.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '10' },
    size: { type: 'string', default: '3' },
    kills: { type: 'string' },
    writes: { type: 'string' },
  },
});

/** Prints what is wrong; the process ends with 1 if anything is. */
function judge(wrong: readonly string[]): void {
  for (const line of wrong) console.log(`WRONG: ${line}`);
  if (wrong.length === 0) console.log('nothing is wrong');
  else process.exitCode = 1;
}

const ms = (value: number): string => `${Math.round(value)} ms`;

async function faults(): Promise<void> {
  const seeded = random();
  console.log(`seed ${seeded.seed}`);
  const onEvent = (line: string) => console.log(line);
  const report = await runFaults({
    ms: Number(values.minutes) * 60_000,
    size: Number(values.size),
    random: seeded,
    onEvent,
  });
  for (const line of describe(report)) console.log(line);
  judge(report.wrong);
}

async function leaderKills(kills: number): Promise<void> {
  const seeded = random();
  console.log(`seed ${seeded.seed}`);
  const onKill = (kill: number, recoveryMs: number) =>
    console.log(`kill ${kill}: writes went on after ${ms(recoveryMs)}`);
  const report = await runLeaderKills({ kills, random: seeded, onKill });
  const timeouts = (value: number) =>
    `${ms(value)}, ${(value / ELECTION_TIMEOUT_MS).toFixed(2)} election time-outs`;
  const { reads, writes, refusals, unknown, keys } = report.counts;
  console.log(`median ${timeouts(percentile(report.recoveryMs, 50))} (aim 2)`);
  console.log(`p99 ${timeouts(percentile(report.recoveryMs, 99))} (aim 3)`);
  console.log(`longest ${timeouts(percentile(report.recoveryMs, 100))}`);
  console.log(
    `${reads} reads, ${writes} writes, ${refusals} refused, ${unknown} of unknown outcome, on ${keys} keys`,
  );
  console.log(
    `${report.watched} changes through each watch; ${report.watchesCut} watches of members that lived on were cut`,
  );
  judge(report.wrong);
}

async function election(kills: number): Promise<void> {
  const { reigns, overlaps, leadsAgainMs } = await runElection(kills);
  for (const { candidate, from, until } of reigns.toSorted((a, b) => a.from - b.from)) {
    const end = Number.isFinite(until) ? `${until - from} ms` : 'to the end';
    console.log(`${new Date(from).toISOString()} ${candidate} led ${end}`);
  }
  console.log(
    `after a kill one led, or led on, within ${ms(percentile(leadsAgainMs, 50))} at the median and ${ms(percentile(leadsAgainMs, 100))} at most`,
  );
  judge(overlaps.map(([one, other]) => `${one.candidate} and ${other.candidate} led at the same time`));
}

async function catchUp(writes: number): Promise<void> {
  const report = await runCatchUp({ writes, valueBytes: 100, snapshotCount: 10_000 });
  console.log(`${writes} writes while it was away, ${Math.round(report.rate)}/s`);
  console.log(`it served ${ms(report.catchUpMs)} after its start, by ${report.snapshots} snapshots`);
  console.log(
    `meanwhile ${report.servedWrites} writes went on: median ${ms(report.servedMsP50)}, slowest ${ms(report.servedMsMax)}`,
  );
  console.log(`its watch was told of ${report.watched} changes`);
  judge(report.wrong);
}

async function growth(writes: number): Promise<void> {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0).padStart(5);
  const samples: GrowthSample[] = [];
  console.log('   writes   per s   of each member: log.db MB, mvcc MB, resident MB');
  await runGrowth(writes, (sample) => {
    samples.push(sample);
    const sizes = sample.members.map(({ log, mvcc, resident }) => `${mb(log)}${mb(mvcc)}${mb(resident)}`);
    const rate = Math.round(sample.rate).toString().padStart(7);
    console.log(`${String(sample.writes).padStart(9)} ${rate}   ${sizes.join('   ')}`);
  });
  judge(growthFaults(samples));
}

switch (positionals[0]) {
  case 'faults':
    await faults();
    break;
  case 'leader-kills':
    await leaderKills(Number(values.kills ?? 100));
    break;
  case 'election':
    await election(Number(values.kills ?? 20));
    break;
  case 'catch-up':
    await catchUp(Number(values.writes ?? 100_000));
    break;
  case 'growth':
    await growth(Number(values.writes ?? 1_000_000));
    break;
  default:
    console.log(help);
    process.exitCode = 2;
}
