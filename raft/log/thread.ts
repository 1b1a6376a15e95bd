import { Worker } from 'node:worker_threads';
import type { LogOpening, LogResponse } from './messages.js';

/**
 * The thread that will write a log. It takes a while to start, so it can be started before it is known what it opens:
 * that comes with the first message to it.
 */
export interface LogThread {
  readonly worker: Worker;
  /** What it answers first, `opened` or `failed`. Rejects when the thread cannot run. */
  readonly first: Promise<LogResponse>;
}

/** @param url where `worker.js` is, for those who bundle */
export function startLogThread(url = new URL('./worker.js', import.meta.url)): LogThread {
  const worker = new Worker(url, { execArgv: [], name: 'raft-log' });
  const first = new Promise<LogResponse>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('its thread ended')));
  });
  // It may fail while nobody waits for it yet.
  first.catch(() => undefined);
  return { worker, first };
}

/** Has it open the log of this path, once. */
export function openIn({ worker, first }: LogThread, opening: LogOpening): Promise<LogResponse> {
  // A rule for browser windows, whose postMessage takes an origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  worker.postMessage(opening);
  return first;
}
