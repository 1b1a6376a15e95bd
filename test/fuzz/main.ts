/**
 * `npm run fuzz -- [--requests N] [--seed S] [--only I] [--large SHARE]`: malformed requests of every kind to a server of
 * its own. An interrupt (Ctrl-C) ends it early, with a report of what was done. Exit code 1 if an answer, or what is left
 * of the server, is not as it must be.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { fuzz } from './run.js';
import { describe } from './report.js';

const REQUESTS = '100000';
const PROGRESS_MS = 10_000;
/** Characters of a finding that are shown when it is found; the report at the end shows more. */
const LINE_MAX = 200;

function refuse(reason: string): never {
  console.error(reason);
  process.exit(2);
}

function wholeNumber(name: string, text: string, low = 1): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= low) return number;
  return refuse(`--${name} takes a whole number from ${low}`);
}

function readFlags() {
  try {
    return parseArgs({
      options: {
        requests: { type: 'string', default: REQUESTS },
        seed: { type: 'string' },
        only: { type: 'string' },
        large: { type: 'string' },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

const values = readFlags();
const seed = wholeNumber('seed', values.seed ?? String(randomInt(1, 2 ** 31)));
const requests = values.only === undefined ? wholeNumber('requests', values.requests) : 1;
const first = values.only === undefined ? 0 : wholeNumber('only', values.only, 0);
console.log(`seed ${seed}`);
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
let shown = performance.now();
const report = await fuzz({
  seed,
  requests,
  first,
  signal: interrupted.signal,
  ...(values.large === undefined ? {} : { largeShare: Number(values.large) }),
  onFinding({ problem, command }) {
    console.error(`found: ${problem.slice(0, LINE_MAX)}\n  ${command.slice(0, LINE_MAX)}`);
  },
  onProgress(done) {
    if (performance.now() - shown < PROGRESS_MS) return;
    shown = performance.now();
    console.error(`${done} of ${requests}`);
  },
});
console.log(describe(report));
if (report.findings.kinds > 0) {
  console.log(`FAILED with seed ${seed}`);
  process.exitCode = 1;
}
