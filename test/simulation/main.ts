/**
 * `npm run simulate -- --seeds N --steps M [--seed S] [--members K] [--trace]`: simulates whole clusters. Exit code 1
 * if one fails; then it prints the seed and how that one came to it.
 */
import { parseArgs } from 'node:util';
import { runAll, type Job } from './pool.js';
import { simulate } from './simulation.js';
import { Summary } from './summary.js';

/** Events of each simulation, and how many of them, unless said. */
const STEPS = '6000';
const SEEDS = '100';
/** Lines of a trace printed without --trace. */
const LINES = 80;
/** Milliseconds between two lines of progress on a terminal. */
const PROGRESS_MS = 5_000;

function readFlags() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string' },
        steps: { type: 'string' },
        seed: { type: 'string' },
        members: { type: 'string' },
        trace: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(reason: string): never {
  console.error(reason);
  process.exit(2);
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  return refuse(`--${name} takes a whole number above 0`);
}

const values = readFlags();

const steps = wholeNumber('steps', values.steps ?? STEPS);
const members = values.members === undefined ? undefined : wholeNumber('members', values.members);
const first = values.seed === undefined ? 1 : wholeNumber('seed', values.seed);
// A seed alone means that one.
const count = wholeNumber('seeds', values.seeds ?? (values.seed === undefined ? SEEDS : '1'));

function* jobs(): Generator<Job> {
  for (let seed = first; seed < first + count; seed += 1) yield { seed, steps, members };
}

const summary = new Summary();
const begin = performance.now();
let shown = begin;
await runAll(jobs(), (report) => {
  summary.add(report);
  if (!process.stderr.isTTY || performance.now() - shown < PROGRESS_MS) return;
  shown = performance.now();
  console.error(`${summary.seeds} of ${count} seeds`);
});

const { failure } = summary;
if (failure !== undefined || values.trace) {
  const seed = failure?.seed ?? first;
  const { lines, hash, profile } = await simulate({ seed, steps, members, record: true });
  console.log((values.trace ? lines : lines.slice(-LINES)).join('\n'));
  console.log(JSON.stringify(profile));
  console.log(`seed ${seed}, trace ${hash}`);
}
console.log(summary.text(performance.now() - begin));
if (failure !== undefined) {
  console.log(`FAILED: seed ${failure.seed}: ${failure.text}`);
  console.log(`again: npm run simulate -- --seed ${failure.seed} --steps ${steps} --trace`);
  process.exitCode = 1;
}
