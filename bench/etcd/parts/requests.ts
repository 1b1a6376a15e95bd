/** Puts and ranges of one key, lists, watches. */
import type { Figure } from '../table.js';
import { type Context, fill, measure, rateOf } from './context.js';

const KEYS = 10_000;
const LIST_CLIENTS = 4;
const WATCHERS = 100;
const WATCHED_PUTS = 500;
/** Seconds of each load before the one that counts: the server compiles what is hot, and fills its caches. */
const WARM_UP_SECONDS = 1;
const WARM_UP_CLIENTS = 64;

async function rates(context: Context, type: 'put' | 'range', name: string): Promise<Figure[]> {
  const request = { type, prefix: 'bench/', keys: KEYS };
  await fill(context, request.prefix, { keys: KEYS });
  await measure(context, { ...request, clients: WARM_UP_CLIENTS, seconds: WARM_UP_SECONDS });
  const figures: Figure[] = [];
  for (const clients of context.clients) {
    const measured = await measure(context, { ...request, clients, seconds: context.seconds });
    figures.push(rateOf(`${name}, ${clients} client${clients === 1 ? '' : 's'}`, measured));
  }
  return figures;
}

export const puts = (context: Context): Promise<Figure[]> => rates(context, 'put', 'puts of 1 KiB');
export const ranges = (context: Context): Promise<Figure[]> => rates(context, 'range', 'ranges of one key');

export async function lists(context: Context): Promise<Figure[]> {
  const request = { type: 'list', prefix: 'bench/', keys: KEYS, clients: LIST_CLIENTS } as const;
  await fill(context, request.prefix, { keys: KEYS });
  await measure(context, { ...request, seconds: WARM_UP_SECONDS });
  const measured = await measure(context, { ...request, seconds: context.seconds });
  return [rateOf(`lists of 10,000 keys, ${LIST_CLIENTS} clients`, measured)];
}

export async function watches(context: Context): Promise<Figure[]> {
  const request = {
    type: 'watch',
    prefix: 'watched/',
    keys: 100,
    clients: 1,
    seconds: 0,
    watchers: WATCHERS,
  } as const;
  await measure(context, { ...request, operationsMax: WATCHED_PUTS });
  const measured = await measure(context, { ...request, operationsMax: WATCHED_PUTS });
  return [rateOf(`events to ${WATCHERS} watchers`, measured)];
}
