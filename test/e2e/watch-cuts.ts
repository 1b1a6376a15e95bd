/**
 * Watches whose connections are cut at random bytes, many times, while writers create, change and delete: no watcher may
 * miss a change, be told one twice, or end with another state than a list shows.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SecureContext } from 'node:tls';
import type { Random } from '../raft/random.js';
import { CutWatcher, type CutWatcherOptions, isOurs, keyOf, type WatchedMap } from '../tools/cut-watcher.js';
import { CuttingProxy } from '../tools/cutting-proxy.js';
import { MapWriters } from '../tools/map-writers.js';
import { Reflector, type ReflectorOptions } from '../tools/reflector.js';
import type { WatchTarget } from '../tools/watch-connection.js';
import { WatchVerdict } from '../tools/watch-verdict.js';

export interface CutServer {
  /** Of the plain port. */
  readonly url: string;
  readonly port: number;
  readonly secure?: { readonly port: number; readonly credentials: SecureContext };
}

export interface CutStory {
  /** Watchers are spread over them, and writers ask the first. */
  readonly servers: readonly [CutServer, ...CutServer[]];
  readonly cutsMin: number;
  readonly writers: number;
  readonly random: Random;
  /** Done once, when half of the cuts are made. */
  readonly halfWay?: () => Promise<void>;
}

export interface CutReport {
  readonly cuts: number;
  readonly changes: number;
  readonly connections: number;
  /** Times that a watcher had to list again. */
  readonly expired: number;
  readonly bookmarks: number;
  /** What each reflector did. */
  readonly reflected: readonly Reflector['counts'][];
  readonly faults: readonly string[];
}

const NAMESPACES = ['cut-0', 'cut-1', 'cut-2'];
const TIERS = ['x', 'y', 'z'];
/** Of the server's bytes: in a response's head, within an event, after a few; or in a handshake. */
const PLAIN_BYTES_MAX = 3000;
const SECURE_BYTES_MAX = 6000;
const LIST_BYTES_MAX = 100_000;
const PAGE_SIZE = 7;
const STORY_MS_PER_CUT_MAX = 120;
const SETTLED_MS_MAX = 60_000;
const POLL_MS = 50;
const SETTLED_POLL_MS = 200;
/** The machine may be too slow for those who watch. */
const CHANGES_AHEAD_MAX = 1000;

interface Spec extends Pick<CutWatcherOptions, 'protocol' | 'namespace' | 'name' | 'tier' | 'query'> {
  /** Its connections live longer. */
  readonly lenient?: boolean;
}

/** With an end after three seconds a bookmark comes after one. */
const BOOKMARKS = { query: '&allowWatchBookmarks=true&timeoutSeconds=3', lenient: true };

const specs: readonly Spec[] = [
  { protocol: 'HTTP/1.1' },
  { protocol: 'HTTP/1.1', ...BOOKMARKS },
  { protocol: 'HTTP/1.1', tier: 'x' },
  { protocol: 'HTTP/1.1', namespace: 'cut-0' },
  { protocol: 'HTTP/1.1', namespace: 'cut-1', tier: 'y' },
  { protocol: 'HTTP/1.1', namespace: 'cut-2', name: 'w1-1' },
  { protocol: 'web socket' },
  { protocol: 'web socket', namespace: 'cut-1' },
  { protocol: 'web socket', tier: 'z' },
  { protocol: 'HTTP/2' },
  { protocol: 'HTTP/2', namespace: 'cut-2' },
  { protocol: 'HTTP/2', tier: 'y' },
  { protocol: 'HTTP/1.1', tier: 'y', ...BOOKMARKS },
];

const reflected: readonly Pick<ReflectorOptions, 'watchList' | 'pageSize'>[] = [
  { watchList: true },
  { watchList: true },
  { watchList: false },
  { watchList: false, pageSize: PAGE_SIZE },
];

export async function cutWatches(story: CutStory): Promise<CutReport> {
  const { servers, cutsMin, random } = story;
  const [{ url }] = servers;
  await makeNamespaces(url);
  const scissors = new Scissors(random);
  const audience = await Audience.of(servers, scissors);
  const writers = new MapWriters({
    url: () => url,
    random,
    writers: story.writers,
    namespaces: NAMESPACES,
    tiers: TIERS,
    isAhead: (revision) => revision > audience.slowest + CHANGES_AHEAD_MAX,
  });
  await audience.start();
  writers.start();
  const deadline = Date.now() + STORY_MS_PER_CUT_MAX * (cutsMin + 100);
  const cutUntil = async (cuts: number) => {
    while (scissors.cuts < cuts && Date.now() < deadline) await sleep(POLL_MS);
  };
  await cutUntil(cutsMin / 2);
  await story.halfWay?.();
  await cutUntil(cutsMin);
  await writers.stop();
  scissors.rest();
  const faults = await settledFaults(writers, audience, url);
  await audience.stop();
  await scissors.close();
  return {
    ...audience.counts(),
    cuts: scissors.cuts,
    changes: writers.written.length,
    faults: [...faults, ...writers.faults],
  };
}

/** Of the moment when all is seen, or of the last one. */
async function settledFaults(writers: MapWriters, audience: Audience, url: string): Promise<string[]> {
  const deadline = Date.now() + SETTLED_MS_MAX;
  for (;;) {
    const listed = await listAll(url);
    const faults = audience.faults(new WatchVerdict(writers.written, audience.watchers), listed);
    if (faults.length === 0 || Date.now() > deadline) return faults;
    await sleep(SETTLED_POLL_MS);
  }
}

/** `namespace/name@revision` of all there is. */
async function listAll(url: string): Promise<string[]> {
  const answer = await fetch(`${url}/api/v1/configmaps`);
  const { items } = (await answer.json()) as { readonly items: readonly WatchedMap[] };
  return items.filter(isOurs).map((item) => `${keyOf(item)}@${item.metadata.resourceVersion}`);
}

/** Everybody who watches. */
class Audience {
  readonly watchers: readonly CutWatcher[];
  readonly #reflectors: readonly Reflector[];
  /** Those who see every change. */
  readonly #unselective: readonly CutWatcher[];

  private constructor(watchers: readonly CutWatcher[], reflectors: readonly Reflector[]) {
    this.watchers = watchers;
    this.#reflectors = reflectors;
    this.#unselective = watchers.filter(
      ({ part }) => part.namespace === undefined && part.tier === undefined,
    );
  }

  static async of(servers: CutStory['servers'], scissors: Scissors): Promise<Audience> {
    const serverAt = (place: number) => servers[place % servers.length] ?? servers[0];
    const watchers: CutWatcher[] = [];
    for (const [place, spec] of specs.entries()) {
      const server = serverAt(place);
      const isSecure = spec.protocol === 'HTTP/2';
      if (isSecure && server.secure === undefined) continue;
      const target = await (isSecure
        ? scissors.secure(server)
        : spec.lenient === true
          ? scissors.lenient(server)
          : scissors.plain(server));
      watchers.push(new CutWatcher({ ...spec, target, directUrl: server.url }));
    }
    const reflectors: Reflector[] = [];
    for (const [place, ways] of reflected.entries()) {
      const { url } = await scissors.lenient(serverAt(place));
      reflectors.push(new Reflector({ url, path: '/api/v1/configmaps', ...ways }));
    }
    return new Audience(watchers, reflectors);
  }

  /** The last revision that all have seen. */
  get slowest(): number {
    return Math.min(...this.#unselective.map(({ last }) => last));
  }

  async start(): Promise<void> {
    await Promise.all(this.watchers.map((watcher) => watcher.start()));
    for (const reflector of this.#reflectors) reflector.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.watchers, ...this.#reflectors].map((each) => each.stop()));
  }

  faults(verdict: WatchVerdict, listed: readonly string[]): string[] {
    const expected = verdict.finalState();
    // What the server says of itself lies in its own namespace.
    const states = [listed, ...this.#reflectors.map((reflector) => reflector.state())].map((state) =>
      state.filter((each) => !each.startsWith('kube-system/')),
    );
    return [
      ...verdict.faults,
      ...this.watchers.map((watcher) => verdict.faultOf(watcher)).filter((fault) => fault !== undefined),
      ...[...this.watchers, ...this.#reflectors].flatMap((each) => each.faults),
      ...states
        .filter((state) => state.join() !== expected.join())
        .map((state) => `in the end there is ${state.join()} and not ${expected.join()}`),
    ];
  }

  counts(): Pick<CutReport, 'connections' | 'expired' | 'bookmarks' | 'reflected'> {
    const sum = (of: (watcher: CutWatcher) => number) =>
      this.watchers.reduce((total, each) => total + of(each), 0);
    return {
      connections: sum(({ connections }) => connections),
      expired: sum(({ stretches }) => stretches.length - 1),
      bookmarks: sum(({ bookmarks }) => bookmarks),
      reflected: this.#reflectors.map(({ counts }) => counts),
    };
  }
}

async function makeNamespaces(url: string): Promise<void> {
  for (const name of NAMESPACES) {
    const body = JSON.stringify({ kind: 'Namespace', apiVersion: 'v1', metadata: { name } });
    const headers = { 'content-type': 'application/json' };
    const { status } = await fetch(`${url}/api/v1/namespaces`, { method: 'POST', headers, body });
    if (status !== 201 && status !== 409) throw new Error(`namespace ${name}: ${status}`);
  }
}

/** The proxies between watchers and servers. */
class Scissors {
  readonly #proxies: CuttingProxy[] = [];
  readonly #random: Random;
  #resting = false;

  constructor(random: Random) {
    this.#random = random;
  }

  get cuts(): number {
    return this.#proxies.reduce((total, { cuts }) => total + cuts, 0);
  }

  async plain(server: CutServer): Promise<WatchTarget> {
    return { url: (await this.#proxy(server, PLAIN_BYTES_MAX)).url };
  }

  async secure({ secure }: CutServer): Promise<WatchTarget> {
    if (secure === undefined) throw new Error('there is no secure port');
    const { port } = await this.#proxy(secure, SECURE_BYTES_MAX);
    return { url: `https://127.0.0.1:${port}`, credentials: secure.credentials };
  }

  /** Lists get through, now and then. */
  async lenient(server: CutServer): Promise<WatchTarget> {
    return { url: (await this.#proxy(server, LIST_BYTES_MAX)).url };
  }

  /** Connections from now on are whole. */
  rest(): void {
    this.#resting = true;
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }

  async #proxy(target: { readonly port: number }, bytesMax: number): Promise<CuttingProxy> {
    const bytesUntilCut = () =>
      this.#resting ? Number.POSITIVE_INFINITY : this.#random.between(1, bytesMax);
    const proxy = await CuttingProxy.start(target, { bytesUntilCut });
    this.#proxies.push(proxy);
    return proxy;
  }
}
