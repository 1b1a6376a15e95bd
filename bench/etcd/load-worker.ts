/** The load process: keeps a number of clients busy on a few connections and reports rates and latencies. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Http2Connection } from './http2.js';
import {
  compactMessage,
  eachEventValue,
  Path,
  prefixMessage,
  putMessage,
  rangeMessage,
  revisionOf,
  watchMessage,
} from './messages.js';

export interface LoadRequest {
  readonly port: number;
  readonly type: 'put' | 'range' | 'list' | 'watch' | 'put-beside';
  readonly clients: number;
  /** Of a load that takes its time. */
  readonly seconds: number;
  /** End after so many operations, whatever the time. */
  readonly operationsMax?: number;
  /** Keys `<prefix><number>`, of which there are so many. */
  readonly prefix: string;
  readonly keys: number;
  /** Of `watch`: watchers, each with a stream. */
  readonly watchers?: number;
  /** Of `put-beside`: what is done while the puts go on. */
  readonly beside?: 'compact' | 'defragment';
}

export interface LoadResult {
  readonly operations: number;
  readonly failures: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How long what was done beside puts took. */
  readonly besideMs?: number;
}

const VALUE_BYTES = 1024;
const CONNECTIONS_MAX = 4;
/** Digits of a key's number. */
const KEY_DIGITS = 8;
/** Before and after what is measured beside puts. */
const SETTLE_MS = 500;
/** So that there are puts to measure, also beside what is done at once. */
const BESIDE_MS_MIN = 1000;
/** Events that have not come by then are lost. */
const WATCH_MS_MAX = 30_000;

const value = Buffer.alloc(VALUE_BYTES, 'v');
let counter = 0;

const keyOf = (prefix: string, number: number) =>
  Buffer.from(`${prefix}${String(number).padStart(KEY_DIGITS, '0')}`);

async function connections({ port, clients }: LoadRequest): Promise<Http2Connection[]> {
  return Promise.all(
    Array.from({ length: Math.min(clients, CONNECTIONS_MAX) }, () => Http2Connection.open(port)),
  );
}

/** The next operation. */
function operation({ type, prefix, keys }: LoadRequest): readonly [path: string, message: Buffer] {
  if (type === 'list') return [Path.range, prefixMessage(Buffer.from(prefix))];
  const key = keyOf(prefix, counter++ % keys);
  return type === 'range' ? [Path.range, rangeMessage(key)] : [Path.put, putMessage(key, value)];
}

class Latencies {
  readonly all: number[] = [];
  failures = 0;

  result(seconds: number): LoadResult {
    const sorted = Float64Array.from(this.all).sort();
    const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
    const { failures } = this;
    const [p50Ms, p99Ms, maxMs] = [at(0.5), at(0.99), sorted.at(-1) ?? 0];
    return { operations: sorted.length, failures, seconds, p50Ms, p99Ms, maxMs };
  }
}

/** Clients that do one operation after the other until `isOver`; `report` hears of each. */
async function loop(
  load: LoadRequest,
  open: readonly Http2Connection[],
  isOver: (now: number) => boolean,
  report: (began: number, ended: number, answer: Buffer | undefined) => void,
): Promise<void> {
  const client = async (index: number) => {
    const connection = open[index % open.length] as Http2Connection;
    for (let began = performance.now(); !isOver(began); ) {
      const answer = await connection.unary(...operation(load));
      const ended = performance.now();
      report(began, ended, answer);
      began = ended;
    }
  };
  await Promise.all(Array.from({ length: load.clients }, (_, index) => client(index)));
}

async function runLoop(load: LoadRequest): Promise<LoadResult> {
  const open = await connections(load);
  const latencies = new Latencies();
  const start = performance.now();
  const until = start + load.seconds * 1000;
  let left = load.operationsMax ?? Infinity;
  await loop(
    load,
    open,
    (now) => now >= until || left-- <= 0,
    (began, ended, answer) => {
      latencies.all.push(ended - began);
      if (answer === undefined) latencies.failures += 1;
    },
  );
  const seconds = (performance.now() - start) / 1000;
  for (const connection of open) connection.close();
  return latencies.result(seconds);
}

/** The puts that were under way while something else was done. */
async function runBeside(load: LoadRequest): Promise<LoadResult> {
  const open = await connections(load);
  const other = await Http2Connection.open(load.port);
  const latencies = new Latencies();
  let revision = 0;
  const window = { begin: Infinity, end: Infinity };
  let over = false;
  const puts = loop(
    load,
    open,
    () => over,
    (began, ended, answer) => {
      if (answer === undefined) latencies.failures += 1;
      else revision = Math.max(revision, revisionOf(answer));
      if (ended >= window.begin && began <= window.end) latencies.all.push(ended - began);
    },
  );
  await sleep(SETTLE_MS);
  window.begin = performance.now();
  const [path, message] =
    load.beside === 'compact' ? [Path.compact, compactMessage(revision)] : [Path.defragment, Buffer.alloc(0)];
  if (load.beside !== undefined && (await other.unary(path, message)) === undefined) latencies.failures += 1;
  const besideMs = performance.now() - window.begin;
  await sleep(Math.max(0, BESIDE_MS_MIN - besideMs));
  window.end = performance.now();
  await sleep(SETTLE_MS);
  over = true;
  await puts;
  for (const connection of [...open, other]) connection.close();
  return { ...latencies.result((window.end - window.begin) / 1000), besideMs };
}

class Countdown {
  readonly reached: Promise<void>;
  #resolve!: () => void;
  #left: number;

  constructor(count: number) {
    this.#left = count;
    this.reached = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  down(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#resolve();
  }
}

/** One client puts the moment as a value; every watcher tells how long ago that was. */
async function runWatch(load: LoadRequest): Promise<LoadResult> {
  const { prefix, watchers = 1, operationsMax = 1 } = load;
  const open = await connections({ ...load, clients: watchers });
  const writer = await Http2Connection.open(load.port);
  const latencies = new Latencies();
  const created = new Countdown(watchers);
  const onMessage = (response: Buffer) => {
    const now = performance.now();
    let events = 0;
    eachEventValue(response, (value) => {
      events += 1;
      latencies.all.push(now - value.readDoubleBE(0));
    });
    if (events === 0) created.down();
  };
  const watch = watchMessage(Buffer.from(prefix));
  for (let index = 0; index < watchers; index += 1) {
    const connection = open[index % open.length] as Http2Connection;
    connection.call(Path.watch, watch, { onMessage, onEnd: () => (latencies.failures += 1) }, false);
  }
  await created.reached;
  const start = performance.now();
  for (let number = 0; number < operationsMax; number += 1) {
    const stamped = Buffer.from(value);
    stamped.writeDoubleBE(performance.now(), 0);
    await writer.unary(Path.put, putMessage(keyOf(prefix, number % load.keys), stamped));
  }
  const wanted = operationsMax * watchers;
  while (latencies.all.length < wanted && performance.now() - start < WATCH_MS_MAX) await sleep(1);
  const seconds = (performance.now() - start) / 1000;
  latencies.failures += wanted - latencies.all.length;
  for (const connection of [...open, writer]) connection.close();
  return latencies.result(seconds);
}

const RUNS = { put: runLoop, range: runLoop, list: runLoop, watch: runWatch, 'put-beside': runBeside };

process.on('message', (message) => {
  const load = message as LoadRequest;
  void RUNS[load.type](load).then((result) => process.send?.(result));
});
