/** From `node` to the first 200 of /readyz, and the memory of a server with nothing to do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { removeFolder, residentMb, startWherry, temporaryFolder } from '../process.js';
import { printFigure } from '../report.js';
import { kubernetesIdleMb, kubernetesStartMs } from '../reference.js';

const ROUNDS = 5;
const IDLE_MS = 3000;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

export async function starts(): Promise<void> {
  console.log('\nstart-up and memory');
  const fresh: number[] = [];
  const existing: number[] = [];
  let idle = Number.NaN;
  for (let round = 0; round < ROUNDS; round++) {
    const dataDir = await temporaryFolder();
    const first = await startWherry(dataDir);
    fresh.push(first.startMs);
    await first.stop();
    const second = await startWherry(dataDir);
    existing.push(second.startMs);
    if (round === 0) {
      await sleep(IDLE_MS);
      idle = residentMb(second.pid);
    }
    await second.stop();
    await removeFolder(dataDir);
  }
  const ratio = kubernetesStartMs / median(existing);
  printFigure(
    'start to ready, existing data',
    median(existing),
    'ms',
    `aim 500 ms; Kubernetes 4,200 ms, ${ratio.toFixed(0)} × faster`,
  );
  printFigure('start to ready, first start', median(fresh), 'ms', 'aim 1,000 ms');
  printFigure('memory, idle', idle, 'MB', `aim 120 MB; Kubernetes ${kubernetesIdleMb} MB`);
}
