import { Worker } from 'node:worker_threads';
import type { SnapshotOutcome, SnapshotTask } from './messages.js';
import { SnapshotError } from './snapshots.js';

/** Resolves when the thread has done its work and closed its databases. Rejects with SnapshotError. */
export async function runTask(task: SnapshotTask, url: URL | undefined): Promise<SnapshotOutcome> {
  const outcome = await new Promise<SnapshotOutcome>((resolve, reject) => {
    const worker = new Worker(url ?? new URL('./worker.js', import.meta.url), {
      workerData: task,
      execArgv: [],
      name: 'snapshot',
      resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 },
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new SnapshotError('failed', 'the snapshot thread ended')));
  });
  if (outcome.type === 'refused') throw new SnapshotError('unfit', outcome.message);
  if (outcome.type === 'failed') throw new SnapshotError('failed', outcome.message);
  return outcome;
}
