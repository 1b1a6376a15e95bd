/**
 * `npm run differential -- [--operations N] [--seed S] [--members K] [--self]`: the same random operations to a real
 * etcd and to Wherry, of so many members. `--self`: to two real etcds, which checks the comparison. Exit code 1 if they differ.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { etcdMissing } from '../tools/real-etcd.js';
import { compare, DifferenceError } from './compare.js';
import { startSide } from './stores.js';

/** Milliseconds between two lines of progress. */
const PROGRESS_MS = 10_000;

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  return refuse(`--${name} takes a whole number above 0`);
}

function refuse(reason: string): never {
  console.error(reason);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    members: { type: 'string', default: '1' },
    self: { type: 'boolean', default: false },
  },
});
if (etcdMissing !== false) refuse(`${etcdMissing}: there is nothing to compare with`);
const operations = wholeNumber('operations', values.operations);
const seed = wholeNumber('seed', values.seed ?? String(randomInt(1, 2 ** 31)));
const size = wholeNumber('members', values.members);

// One member: those of etcd 3.4.23 do not stay equal to each other under these operations (seed 181475804, 3 members).
const reference = await startSide('etcd');
const subject = await startSide(values.self ? 'etcd' : 'wherry', { size });
const began = performance.now();
let shown = began;
const counts = new Map<string, { done: number; failed: number }>();
try {
  const progress = (done: number) => {
    if (performance.now() - shown < PROGRESS_MS) return;
    shown = performance.now();
    console.error(`${done} of ${operations}`);
  };
  await compare(reference.side, subject.side, { seed, operations, progress, counts });
  const seconds = (performance.now() - began) / 1000;
  for (const [kind, { done, failed }] of counts) console.log(`${kind}: ${done}, of which failed ${failed}`);
  console.log(`${operations} operations of seed ${seed} in ${seconds.toFixed(0)} s: no difference`);
} catch (error) {
  if (!(error instanceof DifferenceError)) throw error;
  console.log(error.message);
  process.exitCode = 1;
} finally {
  await reference.stop();
  await subject.stop();
}
