import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below what Linux takes for outgoing connections, so that none of those gets a port between its choice and its use;
 * each process goes its own way through them, so that tests side by side do not choose the same.
 */
const FIRST_PORT = 10_000;
const LAST_PORT = 32_000;
const PORTS_A_PROCESS = 40;

let next = (process.pid * PORTS_A_PROCESS) % (LAST_PORT - FIRST_PORT);

/** A loopback port that was free a moment ago, and another each time. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + next;
    next = (next + 1) % (LAST_PORT - FIRST_PORT);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.listen(port, '127.0.0.1');
  if (!(await listening)) return false;
  server.close();
  await once(server, 'close');
  return true;
}
