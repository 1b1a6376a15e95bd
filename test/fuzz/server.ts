/**
 * The server under the fuzzer, in a process of its own: everything `wherry serve` runs, over a store in memory, with
 * instruments that a test alone may have. Started by `subject.ts`, which it talks to over IPC.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { pino } from 'pino';
import { parse as parseYaml } from 'yaml';
import { Exchange } from '../../apiserver/http/exchange.js';
import { WatchStream } from '../../apiserver/http/watch-stream.js';
import { ChangeWindow } from '../../apiserver/registry/change-window.js';
import { DecodedPool } from '../../apiserver/registry/decoded-pool.js';
import { CacheWatcher } from '../../apiserver/registry/watcher.js';
import { startApiServer } from '../../cli/api-server.js';
import { openStore } from '../../storage/open.js';
import { freePort } from '../tools/free-port.js';
import { nonconforming } from './conformance.js';
import { Prototypes } from './prototypes.js';
import { StallWatch } from './stalls.js';
import type { FromServer, Measurement, ToServer } from './subject.js';

/** Revisions that stay readable: enough for lists in pages, few enough for requests to meet what is compacted. */
const REVISIONS_KEPT = 2000;
const COMPACTION_MS = 1000;
const ERROR_LEVEL = 50;
const PING_MS = 50;

const prototypes = new Prototypes();
/**
 * What the server keeps is bounded, but a million requests fill few of its bounds: the changes of each resource would be
 * 8192, within 16 MB. They are smaller here, so that all are reached early and what grows behind that is a leak.
 */
const WINDOW_CHANGES_MAX = 128;
const WINDOW_BYTES_MAX = 4 * 1024 * 1024;
const POOL_BYTES_MAX = 2 * 1024 * 1024;
const LOG_ENTRIES_MAX = 1000;

const windows = new Set<ChangeWindow>();
const push = Reflect.get<ChangeWindow, 'push'>(ChangeWindow.prototype, 'push');
ChangeWindow.prototype.push = function (change) {
  windows.add(this);
  Reflect.set(this, 'changesMax', WINDOW_CHANGES_MAX);
  Reflect.set(this, 'bytesMax', WINDOW_BYTES_MAX);
  return push.call(this, change);
};
const add = Reflect.get<DecodedPool, 'add'>(DecodedPool.prototype, 'add');
DecodedPool.prototype.add = function (item) {
  Reflect.set(this, 'bytesMax', POOL_BYTES_MAX);
  add.call(this, item);
};

const send = (message: FromServer) => process.send?.(message);

const dataDir = await mkdtemp(join(tmpdir(), 'wherry-fuzz-'));
const logger = pino({ level: 'warn' }, { write: onLog });
const store = await openStore({ dataDir: ':memory:', logger, snapshotCount: LOG_ENTRIES_MAX });
const closers: (() => Promise<void> | void)[] = [];
const [port, securePort] = [await freePort(), await freePort()];
await startApiServer(
  {
    dataDir,
    logLevel: 'warn',
    bindAddress: '127.0.0.1',
    port,
    securePort,
    controllers: ['namespace-controller', 'serviceaccount-controller'],
    corsAllowedOrigins: ['http://allowed.example'],
    // It compacts by itself, below.
    etcdCompactionInterval: 0,
    serviceClusterIpRange: '10.0.0.0/24',
    serviceNodePortRange: { first: 30_000, last: 32_767 },
    serviceAccountIssuer: ['https://kubernetes.default.svc'],
    apiAudiences: [],
  },
  { client: store.client, logger, folder: dataDir, closers },
);
process.on('warning', ({ name, message }) => {
  // `measure` uses what Node still calls experimental.
  if (name !== 'ExperimentalWarning') send({ type: 'failure', text: `warning: ${name}: ${message}` });
});

const countWatches = counter(WatchStream);
const countWatchers = counter(CacheWatcher);
const countRequests = counter(Exchange);
const countSockets = counter(Socket);

const compaction = setInterval(() => void compact(), COMPACTION_MS);
compaction.unref();

process.on('message', (message: ToServer) => {
  void answer(message).catch((error: unknown) => send({ type: 'failure', text: String(error) }));
});
process.once('disconnect', () => process.exit(0));
// An interrupt is for the fuzzer, which stops this when it has looked at it.
process.on('SIGINT', () => undefined);
const ready: FromServer = { type: 'ready', endpoints: { port, securePort, ...(await credentials()) } };
const stalls = new StallWatch((stall) => send({ type: 'stall', stall }));
send(ready);

function onLog(line: string): void {
  const entry = JSON.parse(line) as { readonly level: number; readonly msg?: string };
  if (entry.level >= ERROR_LEVEL) send({ type: 'failure', text: `logged: ${line.trim()}` });
}

async function credentials() {
  const text = await readFile(join(dataDir, 'kubeconfig'), 'utf8');
  const { clusters, users } = parseYaml(text) as {
    clusters: { cluster: Record<string, string> }[];
    users: { user: Record<string, string> }[];
  };
  const decode = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString();
  return {
    ca: decode(clusters[0]?.cluster['certificate-authority-data']),
    cert: decode(users[0]?.user['client-certificate-data']),
    key: decode(users[0]?.user['client-key-data']),
  };
}

async function compact(): Promise<void> {
  const { revision } = (await store.client.status()).header;
  // Two of them may be under way: the later one is refused.
  await store.client.compact({ revision: revision - REVISIONS_KEPT }).catch(() => undefined);
}

async function answer(message: ToServer): Promise<void> {
  switch (message.type) {
    case 'ping':
      // After a turn of the event loop, in which what kept it is noticed.
      await sleep(PING_MS);
      send({ type: 'pong' });
      break;
    case 'measure':
      send({ type: 'measured', measurement: await measure() });
      break;
    case 'conform':
      send({ type: 'conformed', problems: await nonconforming(store.client) });
      break;
    case 'stop':
      clearInterval(compaction);
      stalls.stop();
      for (const close of closers.toReversed()) await close();
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
      process.disconnect();
  }
}

/** Objects of a class that are reachable, but for the prototypes of its subclasses, which count as its instances. */
function counter(constructor: Parameters<typeof queryObjects>[0]): () => number {
  const count = () => queryObjects(constructor, { format: 'count' });
  const none = count();
  return () => count() - none;
}

/** Bytes of everything that is stored now, and of the changes that watches may still be told of. */
async function cachedBytes(): Promise<number> {
  const { kvs } = await store.client.range({ key: Buffer.from('/'), rangeEnd: Buffer.from('0') });
  const ofChanges = [...windows].map((window) => Reflect.get(window, 'bytes') as number);
  return [...kvs.map(({ value }) => value.length), ...ofChanges].reduce((sum, bytes) => sum + bytes, 0);
}

async function measure(): Promise<Measurement> {
  const cached = await cachedBytes();
  // Twice: what the first finds may have held others.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const measurement = {
    heapBytes: heapUsed + arrayBuffers,
    cachedBytes: cached,
    rssBytes: rss,
    alive: {
      watches: countWatches(),
      watchers: countWatchers(),
      requests: countRequests(),
      sockets: countSockets(),
      // The store's one timer of deadlines runs on for seconds after a write, such as a controller's.
      timers: Math.max(0, process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length - 1),
    },
    polluted: prototypes.changes(),
  };
  stalls.reset();
  return measurement;
}
