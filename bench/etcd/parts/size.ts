/** With 100,000 keys: memory, one list of all, a start. And what compaction and defragmentation do to puts meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { residentMb } from '../../process.js';
import { startStore, type Store } from '../stores.js';
import type { Figure } from '../table.js';
import { type Context, fill, measure, rateOf } from './context.js';

const KEYS = 100_000;
const PREFIX = 'large/';
const IDLE_MS = 3000;
const BESIDE_CLIENTS = 16;
const REVISIONS = 100_000;
const REVISED_KEYS = 10_000;

export async function large(context: Context): Promise<Figure[]> {
  const { pid } = context.store;
  await sleep(IDLE_MS);
  const idle = residentMb(pid);
  await fill(context, PREFIX, { keys: KEYS });
  await sleep(IDLE_MS);
  const filled = residentMb(pid);
  const list = { type: 'list', clients: 1, seconds: 60, prefix: PREFIX, keys: KEYS } as const;
  const { p50Ms, failures } = await measure(context, { ...list, operationsMax: 1 });
  return [
    { label: 'memory, idle', value: idle, unit: 'MB' },
    { label: 'memory, 100,000 keys of 1 KiB', value: filled, unit: 'MB' },
    { label: 'memory, when all were listed', value: residentMb(pid), unit: 'MB' },
    { label: 'list of 100,000 keys', value: p50Ms, unit: 'ms', failures },
  ];
}

/** `dataDir` is what a store with 100,000 keys has left. */
export async function starts(name: Store['name'], dataDir: string, emptyDir: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [label, folder] of [
    ['start, new', emptyDir],
    ['start, 100,000 keys', dataDir],
  ] as const) {
    const store = await startStore(name, folder);
    figures.push({ label, value: store.startMs, unit: 'ms' });
    await store.stop();
  }
  return figures;
}

export async function compaction(context: Context): Promise<Figure[]> {
  await fill(context, PREFIX, { keys: REVISED_KEYS, puts: REVISIONS });
  const puts = {
    type: 'put-beside',
    clients: BESIDE_CLIENTS,
    seconds: 0,
    prefix: PREFIX,
    keys: REVISED_KEYS,
  } as const;
  const alone = await measure(context, puts);
  const compacting = await measure(context, { ...puts, beside: 'compact' });
  const defragmenting = await measure(context, { ...puts, beside: 'defragment' });
  return [
    { ...rateOf('puts, 16 clients', alone), maxMs: alone.maxMs },
    { ...rateOf('the same beside compaction', compacting), maxMs: compacting.maxMs },
    { label: 'compaction of 100,000 revisions', value: compacting.besideMs ?? NaN, unit: 'ms' },
    { ...rateOf('the same beside defragmentation', defragmenting), maxMs: defragmenting.maxMs },
    { label: 'defragmentation', value: defragmenting.besideMs ?? NaN, unit: 'ms' },
  ];
}
