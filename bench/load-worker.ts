/** The load thread: a process that keeps a number of clients busy for a while and reports rates and latencies. */
import { type Credentials, HttpClient, requestBytes } from './http-client.js';

/** A server. */
export interface LoadTarget {
  readonly port: number;
  readonly credentials: Credentials;
}

export interface LoadRequest {
  /** Clients are spread over them. */
  readonly targets: readonly LoadTarget[];
  readonly clients: number;
  readonly seconds: number;
  /** End after so many operations, whatever the time. */
  readonly operationsMax?: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Of a POST: the body, with `{n}` for a number that is new each time. */
  readonly body?: string;
}

export interface LoadResult {
  readonly operations: number;
  readonly failures: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

let counter = 0;

function open(targets: readonly LoadTarget[], client: number): Promise<HttpClient> {
  const target = targets[client % targets.length];
  if (target === undefined) throw new Error('a load needs a server');
  return HttpClient.open(target.port, target.credentials);
}

async function run(load: LoadRequest): Promise<LoadResult> {
  const clients = await Promise.all(
    Array.from({ length: load.clients }, (_, client) => open(load.targets, client)),
  );
  const fixed = requestBytes(load.method, load.path, load.body);
  const next = () => {
    if (load.body === undefined) return fixed;
    return requestBytes(load.method, load.path, load.body.replace('{n}', `${process.pid}-${counter++}`));
  };
  const latencies: number[] = [];
  let failures = 0;
  let left = load.operationsMax ?? Number.POSITIVE_INFINITY;
  const began = performance.now();
  const until = began + load.seconds * 1000;
  await Promise.all(
    clients.map(async (client) => {
      for (let now = performance.now(); now < until && left-- > 0; ) {
        const status = await client.send(next());
        const after = performance.now();
        latencies.push(after - now);
        now = after;
        if (status >= 300) failures++;
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  for (const client of clients) client.close();
  latencies.sort((a, b) => a - b);
  const at = (part: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? 0;
  return { operations: latencies.length, failures, seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

process.on('message', (message) => {
  void run(message as LoadRequest).then((result) => process.send?.(result));
});
