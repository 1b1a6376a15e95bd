/** A thread that runs simulations, one after the other, as the parent asks for them. */
import { parentPort } from 'node:worker_threads';
import { simulate } from './simulation.js';
import type { Job, Report } from './pool.js';

/** What the code under test leaves unhandled counts against the seed that runs. */
let stray: string | undefined;
process.on('unhandledRejection', (reason) => {
  stray ??= `unhandled rejection: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`;
});

async function run(job: Job): Promise<Report> {
  stray = undefined;
  const { seed, failure, simulatedMs, steps, counts, checkedOperations } = await simulate(job);
  return { seed, failure: failure ?? stray, simulatedMs, steps, counts, checkedOperations };
}

parentPort?.on('message', (job: Job) => {
  // A rule for browser windows, whose postMessage takes an origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  void run(job).then((report) => parentPort?.postMessage(report));
});
