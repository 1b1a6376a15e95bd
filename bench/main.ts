/** `npm run bench`: measures this machine and Wherry on it, beside the figures of docs/architecture.md. */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Context } from './parts/context.js';
import { clusters } from './parts/cluster.js';
import { commits } from './parts/disk.js';
import { type Bare, bareRoutes, creates, gets, largeLists, lists } from './parts/requests.js';
import { starts } from './parts/start.js';
import { validations } from './parts/validation.js';
import { watches } from './parts/watches.js';
import { Worker, removeFolder, startWherry, temporaryFolder } from './process.js';

const parts = [
  'bare',
  'commits',
  'creates',
  'gets',
  'lists',
  'large-lists',
  'watches',
  'cluster',
  'start',
  'validation',
] as const;
type Part = (typeof parts)[number];

const help = `npm run bench -- [--only PART[,PART]] [--seconds N] [--clients N[,N]]
  --only     parts to run, of ${parts.join(', ')}; all when absent
  --seconds  how long each measure runs, 5 when absent
  --clients  numbers of clients, 1,16,64 when absent`;

function options() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: parts.join(',') },
      seconds: { type: 'string', default: '5' },
      clients: { type: 'string', default: '1,16,64' },
      help: { type: 'boolean', default: false },
    },
  });
  const only = values.only.split(',') as Part[];
  const seconds = Number(values.seconds);
  const clients = values.clients.split(',').map(Number);
  const good =
    only.every((part) => parts.includes(part)) && seconds > 0 && clients.every((count) => count > 0);
  if (values.help || !good) {
    console.log(help);
    process.exit(values.help ? 0 : 2);
  }
  return { only: new Set(only), seconds, clients };
}

/** Each part on a server of its own, so that none pays for what another left behind. */
async function withServer(
  run: (context: Context) => Promise<void>,
  seconds: number,
  clients: readonly number[],
) {
  const dataDir = await temporaryFolder();
  const wherry = await startWherry(dataDir);
  const load = new Worker('./load-worker.js');
  try {
    await run({ wherry, load, seconds, clients });
  } finally {
    await load.stop();
    await wherry.stop();
    await removeFolder(dataDir);
  }
}

async function main(): Promise<void> {
  const { only, seconds, clients } = options();
  console.log(`Node ${process.version} on ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`);
  let bare: Bare | undefined;
  const run = (part: Part, body: (context: Context) => Promise<void>) =>
    only.has(part) ? withServer(body, seconds, clients) : undefined;
  await run('bare', async (context) => {
    bare = await bareRoutes(context);
  });
  if (only.has('commits')) await commits(seconds);
  await run('creates', (context) => creates(context, bare));
  await run('gets', (context) => gets(context, bare));
  await run('lists', lists);
  await run('large-lists', largeLists);
  await run('watches', watches);
  if (only.has('cluster')) await clusters(seconds, clients);
  if (only.has('start')) await starts();
  if (only.has('validation')) validations();
}

await main();
