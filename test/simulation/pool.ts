import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SimulationResult } from './simulation.js';

export interface Job {
  readonly seed: number;
  readonly steps: number;
  readonly members: number | undefined;
}

/** What a thread tells of one simulation. */
export type Report = Pick<
  SimulationResult,
  'seed' | 'failure' | 'simulatedMs' | 'steps' | 'counts' | 'checkedOperations'
>;

/**
 * Runs simulations on all processors, each in any order, until all are done or one has failed. `onReport` is called for
 * each as it ends.
 */
export async function runAll(jobs: Iterable<Job>, onReport: (report: Report) => void): Promise<void> {
  const left = jobs[Symbol.iterator]();
  let hasFailed = false;
  const work = (worker: Worker) =>
    new Promise<void>((resolve, reject) => {
      const next = () => {
        const job = left.next();
        if (job.done === true || hasFailed) resolve();
        // A rule for browser windows, whose postMessage takes an origin.
        // oxlint-disable-next-line unicorn/require-post-message-target-origin
        else worker.postMessage(job.value);
      };
      worker.on('message', (report: Report) => {
        hasFailed ||= report.failure !== undefined;
        onReport(report);
        next();
      });
      worker.on('error', reject);
      worker.on('exit', () => reject(new Error('a thread ended')));
      next();
    });
  const workers = Array.from(
    { length: availableParallelism() },
    () => new Worker(new URL('./worker.js', import.meta.url)),
  );
  try {
    await Promise.all(workers.map(work));
  } finally {
    for (const worker of workers) worker.removeAllListeners('exit');
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
