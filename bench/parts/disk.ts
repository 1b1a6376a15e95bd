/** The bare durable commit loop. */
import { Worker, removeFolder, temporaryFolder } from '../process.js';
import { printFigure } from '../report.js';

export async function commits(seconds: number): Promise<void> {
  console.log('\nbare durable commits, one after the other');
  const folder = await temporaryFolder();
  const worker = new Worker('./durable-commits.js');
  const { rate } = await worker.ask<{ rate: number }>({ folder, seconds });
  await worker.stop();
  await removeFolder(folder);
  printFigure('commits', rate, '/s', `${(1000 / rate).toFixed(2)} ms each`);
}
