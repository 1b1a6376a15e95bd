/**
 * Gives memory back when there is nothing to do. V8 collects when it needs room, so a server that was busy and now
 * waits would keep its garbage for ever; where hundreds of control planes share a machine, most of them wait.
 */
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const CHECK_MS = 5000;
/** Share of the time in which the event loop may be at work for the server to count as idle. */
const IDLE_UTILIZATION_MAX = 0.02;
/** Less garbage than this is not worth a collection, which takes some tens of milliseconds. */
const GARBAGE_BYTES_MIN = 4 * 1024 * 1024;

/** Collects whenever the process has been idle for a while and the heap has grown since the last time. */
export function collectWhenIdle(): void {
  const collect = collector();
  let before = performance.eventLoopUtilization();
  let heapBytes = 0;
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > IDLE_UTILIZATION_MAX) return;
    if (process.memoryUsage().heapUsed - heapBytes < GARBAGE_BYTES_MIN) return;
    collect();
    heapBytes = process.memoryUsage().heapUsed;
  }, CHECK_MS).unref();
}

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // V8's code cache (load-server.ts) is only taken under the flags that it was made under.
  setFlagsFromString('--no-expose-gc');
  return collect;
}
