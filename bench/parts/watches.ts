/** A thousand watchers: what they cost while nothing happens, and how soon an event is with all of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, cpuMs, residentMb } from '../process.js';
import { heading, printFigure } from '../report.js';
import type { Arrived, Expect, WatchRequest } from '../watch-worker.js';
import { type Context, configMaps, fill, measure } from './context.js';

const WATCHERS = 1000;
const EVENTS = 20;
/** The server collects its garbage once it has been idle for some seconds. */
const SETTLE_MS = 15_000;
const MEMORY_AIM_MB = { 'HTTP/1.1': 50, 'HTTP/2': 15 };

export async function watches(context: Context): Promise<void> {
  heading(`${WATCHERS} watchers`);
  await fill(context, 'watched', 0, 0);
  for (const protocol of ['HTTP/1.1', 'HTTP/2'] as const) await watchOver(protocol, context);
}

async function watchOver(protocol: WatchRequest['protocol'], context: Context): Promise<void> {
  const { pid, port, credentials } = context.wherry;
  await sleep(SETTLE_MS);
  const before = residentMb(pid);
  const worker = new Worker('./watch-worker.js');
  const path = `${configMaps('watched')}?watch=true`;
  await worker.ask({ protocol, port, credentials, watchers: WATCHERS, path } satisfies WatchRequest);
  await sleep(SETTLE_MS);
  const memory = residentMb(pid) - before;
  printFigure(`memory of ${WATCHERS} idle, ${protocol}`, memory, 'MB', `aim ${MEMORY_AIM_MB[protocol]} MB`);
  const cpuBefore = cpuMs(pid);
  const spreads: number[] = [];
  const delays: number[] = [];
  for (let event = 0; event < EVENTS; event++) {
    const { first, last, asked } = await deliver(
      worker,
      context,
      `${protocol.replace(/\W/g, '').toLowerCase()}-${event}`,
    );
    spreads.push(last - first);
    delays.push(last - asked);
  }
  const cpu = (cpuMs(pid) - cpuBefore) / EVENTS;
  printFigure(`one event to all, server's CPU time, ${protocol}`, cpu, 'ms', 'aim 50 ms');
  printFigure('  from the first watcher to the last', median(spreads), 'ms', 'median, at the client');
  printFigure('  from the write request to the last watcher', median(delays), 'ms', 'median, at the client');
  await worker.stop();
}

async function deliver(worker: Worker, context: Context, name: string): Promise<Arrived & { asked: number }> {
  const arrived = worker.ask<Arrived>({ marker: `"${name}"` } satisfies Expect);
  const asked = performance.timeOrigin + performance.now();
  await measure(context, context.wherry, {
    method: 'POST',
    path: configMaps('watched'),
    body: JSON.stringify({ metadata: { name } }),
    clients: 1,
    seconds: 60,
    operationsMax: 1,
  });
  return { ...(await arrived), asked };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
