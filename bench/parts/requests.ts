/** Creates, gets and lists, each beside kube-apiserver's figure and what is bare of everything that is ours. */
import { aims, kubernetes } from '../reference.js';
import { Worker, freePort } from '../process.js';
import { type Cell, type Comparison, heading, print } from '../report.js';
import { type Context, type Load, configMap, configMaps, fill, measure } from './context.js';

/** Of 17 MB in all, as the reference's were. */
const LARGE_LIST_COUNT = 9400;
const LARGE_OBJECT_BYTES = 1500;

/** Rates of a bare Fastify route by method and number of clients, measured in the same run. */
export type Bare = ReadonlyMap<string, Cell>;

export async function bareRoutes({ load, wherry, seconds, clients }: Context): Promise<Bare> {
  heading('bare Fastify route over HTTPS');
  const bare = new Map<string, Cell>();
  const worker = new Worker('./bare-server.js');
  const port = await freePort();
  await worker.ask({ port, key: wherry.serverKey, cert: wherry.serverCert });
  const target = { pid: worker.pid, port, credentials: wherry.credentials };
  for (const [method, body] of [['GET'], ['POST', configMap(1024)]] as const) {
    for (const count of clients) {
      const request: Load = {
        method,
        path: '/object',
        clients: count,
        seconds,
        ...(body === undefined ? {} : { body }),
      };
      const cell = await measure({ load }, target, request);
      bare.set(`${method} ${count}`, cell);
      print(`bare ${method.toLowerCase()}`, count, cell, []);
    }
  }
  await worker.stop();
  return bare;
}

function beside(what: string, clients: number, bare?: Cell): Comparison[] {
  const rate = kubernetes[what]?.[clients];
  const aim = aims[what]?.[clients];
  const comparisons: Comparison[] = [];
  if (rate !== undefined)
    comparisons.push({ name: 'Kubernetes', rate, ...(aim === undefined ? {} : { aim }) });
  if (bare !== undefined) comparisons.push({ name: 'the bare route', rate: bare.rate });
  return comparisons;
}

export async function creates(context: Context, bare: Bare | undefined): Promise<void> {
  heading('create a ConfigMap of 1 KiB');
  await fill(context, 'creates', 0, 0);
  const { seconds } = context;
  for (const clients of context.clients) {
    const request: Load = {
      method: 'POST',
      path: configMaps('creates'),
      body: configMap(1024),
      clients,
      seconds,
    };
    const cell = await measure(context, context.wherry, request);
    print('create', clients, cell, beside('create', clients, bare?.get(`POST ${clients}`)));
  }
}

export async function gets(context: Context, bare: Bare | undefined): Promise<void> {
  heading('get one ConfigMap of 1 KiB');
  await fill(context, 'gets', 0, 0);
  const path = configMaps('gets');
  const body = configMap(1024).replace('bench-{n}', 'one');
  await measure(context, context.wherry, {
    method: 'POST',
    path,
    body,
    clients: 1,
    seconds: 60,
    operationsMax: 1,
  });
  const { seconds } = context;
  for (const clients of context.clients) {
    const request: Load = { method: 'GET', path: `${path}/one`, clients, seconds };
    const cell = await measure(context, context.wherry, request);
    print('get', clients, cell, beside('get', clients, bare?.get(`GET ${clients}`)));
  }
}

export async function lists(context: Context): Promise<void> {
  heading('list ConfigMaps');
  await fill(context, 'list-500', 500, 1024);
  const { seconds } = context;
  for (const clients of context.clients.filter((count) => count <= 16)) {
    const request: Load = { method: 'GET', path: configMaps('list-500'), clients, seconds };
    const cell = await measure(context, context.wherry, request);
    print('list of 500', clients, cell, beside('list of 500', clients));
  }
}

export async function largeLists(context: Context): Promise<void> {
  heading('list 9,400 ConfigMaps, 17 MB');
  await fill(context, 'list-9400', LARGE_LIST_COUNT, LARGE_OBJECT_BYTES);
  const { seconds } = context;
  const request: Load = { method: 'GET', path: configMaps('list-9400'), clients: 1, seconds };
  const cell = await measure(context, context.wherry, request);
  print('list of 9,400', 1, cell, beside('list of 9,400', 1));
}
