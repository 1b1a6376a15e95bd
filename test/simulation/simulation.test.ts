/** Whole clusters under a seed: a short form of `npm run simulate`, and that a seed gives the same again. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { random } from '../raft/random.js';
import { plantedBugs } from './bugs/index.js';
import { runAll, type Job, type Report } from './pool.js';
import type { Profile } from './profile.js';
import { simulate } from './simulation.js';

const STEPS = 5_000;
const FIXED_SEEDS = 150;
const NEW_SEEDS = 50;

function jobs(first: number, count: number): Job[] {
  return Array.from({ length: count }, (_, i) => ({ seed: first + i, steps: STEPS, members: undefined }));
}

t.test('seeds that are always tried, and some that are new', async (t) => {
  const firstNew = 1_000_000 + (random().seed % 1_000_000_000);
  t.comment(`seeds 1 to ${FIXED_SEEDS} and ${firstNew} to ${firstNew + NEW_SEEDS - 1}, ${STEPS} steps`);
  const reports: Report[] = [];

  await runAll([...jobs(1, FIXED_SEEDS), ...jobs(firstNew, NEW_SEEDS)], (report) => reports.push(report));

  for (const { seed, failure } of reports) {
    if (failure !== undefined) t.fail(`npm run simulate -- --seed ${seed} --steps ${STEPS}: ${failure}`);
  }
  t.equal(reports.length, FIXED_SEEDS + NEW_SEEDS);
  const total = (what: string) => reports.reduce((sum, { counts }) => sum + (counts.get(what) ?? 0), 0);
  t.ok(total('write applied') > 1_000, 'the clusters work');
  for (const what of ['elections', 'snapshots installed', 'membership: replace', 'fault: crash of all']) {
    t.ok(total(what) > 10, `${what}: ${total(what)}`);
  }
});

t.test('the same seed gives the same, event by event; another one something else', async (t) => {
  const first = await simulate({ seed: 11, steps: STEPS });
  const again = await simulate({ seed: 11, steps: STEPS, record: true });
  const other = await simulate({ seed: 12, steps: STEPS });

  t.equal(again.hash, first.hash);
  t.equal(again.steps, first.steps);
  t.same([...again.counts], [...first.counts]);
  t.not(other.hash, first.hash);
});

t.test('where nothing goes wrong one leader is elected and everything is applied', async (t) => {
  const quiet = (profile: Profile): Profile => ({
    ...profile,
    host: { ...profile.host, electionSpread: 1, crashPoints: { chance: 0, afterSending: {} } },
    clients: { ...profile.clients, deadlineMs: { min: 5_000, max: 6_000 } },
    operator: { ...profile.operator, changeMs: Infinity, transferMs: Infinity },
    faults: { ...profile.faults, meanMs: Infinity, usualLinks: { ...profile.faults.usualLinks, ...calm } },
  });
  for (const members of [1, 3, 5]) {
    const { counts, failure, checkedOperations } = await simulate({
      seed: members,
      steps: STEPS,
      members,
      change: quiet,
    });

    t.equal(failure, undefined);
    t.equal(counts.get('elections'), 1, `${members} members`);
    t.ok(checkedOperations > 100);
    const kinds = [...counts.keys()].filter((what) => /rejected|unknown|ended/.test(what));
    const avoidable = kinds.filter((what) => !/aborted|not-leader/.test(what));
    t.same(avoidable, []);
  }
});

const calm = { loss: 0, duplication: 0, delayMs: 0.5, holdUpChance: 0, breakChance: 0, inOrder: true };

t.test('a failure is had again from its seed, with a trace to read', async (t) => {
  const bug = plantedBugs.find(({ name }) => name === 'takes a forwarded proposal twice');
  t.ok(bug);
  if (bug === undefined) return;
  const takeOut = bug.plant();
  t.teardown(takeOut);
  let seed = 1;
  let first = await simulate({ seed, steps: STEPS, change: bug.surroundings });
  while (first.failure === undefined && seed < 50) {
    seed += 1;
    first = await simulate({ seed, steps: STEPS, change: bug.surroundings });
  }

  const again = await simulate({ seed, steps: STEPS, change: bug.surroundings, record: true });

  t.match(first.failure, /^member \d+ commits command \d+ a second time/);
  t.equal(again.failure, first.failure);
  t.equal(again.hash, first.hash);
  t.match(again.lines.at(-1), `FAILED: ${first.failure}`);
  const text = again.lines.join('\n');
  t.match(text, /^ +\d+\.\d{3} {2}member \d+ +leads term \d+$/m);
  t.match(text, /gets append from \d+, term \d+: \d+ of term \d+ after \d+\/\d+, committed \d+/);
  t.match(text, /is asked by client \d+ to write k\d+ to v\d+/);
});

t.test('the command prints what was done; a wrong flag ends it with 2', async (t) => {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [main, '--seeds', '4', '--steps', '1000']);
  t.match(stdout, /^4 seeds, .* simulated hours, .* events, .* s of real time$/m);
  t.match(stdout, /^operations checked [\d,]+$/m);
  t.match(stdout, /^faults:$/m);
  await t.rejects(run(process.execPath, [main, '--seeds', 'many']), { code: 2 });
  await t.rejects(run(process.execPath, [main, '--sedes', '1']), { code: 2 });
});
