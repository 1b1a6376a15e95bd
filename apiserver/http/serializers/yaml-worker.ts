/** The thread of yaml-ahead.ts: texts come in, what the library reads in them goes out, in the same order. */
import { parentPort } from 'node:worker_threads';
import { parseByLibrary } from './yaml.js';

// A rule for browser windows, whose postMessage takes an origin.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.on('message', (text: string) => parentPort?.postMessage(parseByLibrary(text)));
