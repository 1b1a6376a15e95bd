/** `npm run bench:etcd`: Wherry's store beside a real etcd, on this machine, in one run, under the same load. */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { removeFolder, temporaryFolder, Worker } from '../process.js';
import type { Context } from './parts/context.js';
import { lists, puts, ranges, watches } from './parts/requests.js';
import { compaction, large, starts } from './parts/size.js';
import { etcdVersion, startStore, type StoreName } from './stores.js';
import { type Figure, printTable } from './table.js';

type Measure = (context: Context) => Promise<Figure[]>;

/** Each on a store of its own, so that none pays for what another left behind. */
const MEASURES = { puts, ranges, watches, lists, large, compaction } as const satisfies Record<
  string,
  Measure
>;
type Part = keyof typeof MEASURES;
const PARTS = Object.keys(MEASURES) as Part[];

const help = `npm run bench:etcd -- [--only PART[,PART]] [--seconds N] [--clients N[,N]] [--stores NAME[,NAME]]
  --only     parts to run, of ${PARTS.join(', ')}; all when absent
  --seconds  how long each measure runs, 5 when absent
  --clients  numbers of clients, 1,16,64,256 when absent
  --stores   etcd, wherry or both, which is the default where etcd is installed`;

const NAMES: Readonly<Record<string, StoreName>> = { etcd: 'etcd', wherry: 'wherry' };

function options(version: string | undefined) {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: PARTS.join(',') },
      seconds: { type: 'string', default: '5' },
      clients: { type: 'string', default: '1,16,64,256' },
      stores: { type: 'string', default: version === undefined ? 'wherry' : 'etcd,wherry' },
      help: { type: 'boolean', default: false },
    },
  });
  const only = values.only.split(',') as Part[];
  const stores = values.stores.split(',').map((name) => NAMES[name]);
  const seconds = Number(values.seconds);
  const clients = values.clients.split(',').map(Number);
  const isGood =
    only.every((part) => PARTS.includes(part)) &&
    seconds > 0 &&
    clients.every((count) => count > 0) &&
    stores.every((name) => name !== undefined);
  if (values.help || !isGood) {
    console.log(help);
    process.exit(values.help ? 0 : 2);
  }
  return { only, seconds, clients, stores };
}

async function measureStore(
  name: StoreName,
  part: Part,
  { seconds, clients }: Pick<Context, 'seconds' | 'clients'>,
): Promise<Figure[]> {
  const dataDir = await temporaryFolder();
  const store = await startStore(name, dataDir);
  const load = new Worker('./etcd/load-worker.js');
  let figures: Figure[];
  try {
    figures = await MEASURES[part]({ store, load, seconds, clients });
  } finally {
    await load.stop();
    await store.stop();
  }
  if (part === 'large') {
    const emptyDir = await temporaryFolder();
    figures.push(...(await starts(name, dataDir, emptyDir)));
    await removeFolder(emptyDir);
  }
  await removeFolder(dataDir);
  return figures;
}

async function main(): Promise<void> {
  const version = etcdVersion();
  const { only, stores, ...rest } = options(version);
  console.log(`Node ${process.version} on ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`);
  if (version === undefined) console.log('etcd is not installed here: Wherry alone is measured');
  const columns = stores.map((name) => (name === 'etcd' ? `etcd ${version}` : 'Wherry'));
  for (const part of only) {
    const figures: Figure[][] = [];
    for (const name of stores) figures.push(await measureStore(name, part, rest));
    printTable(part, columns, figures);
  }
}

await main();
