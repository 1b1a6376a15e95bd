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
  readonly servers: readonly CutServer[];
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
  readonly faults: readonly string[];
}

const NAMESPACES = ['cut-0', 'cut-1', 'cut-2'];
const TIERS = ['x', 'y', 'z'];
/** Of the server's bytes: in a response's head, within an event, after a few; or in a handshake. */
const PLAIN_BYTES_MAX = 3000;
const SECURE_BYTES_MAX = 6000;
const STORY_MS_MAX = 120_000;
const SETTLED_MS_MAX = 20_000;
const POLL_MS = 50;
const SETTLED_POLL_MS = 200;
/** The machine may be too slow for those who watch. */
const CHANGES_AHEAD_MAX = 200;

type Spec = Pick<CutWatcherOptions, 'protocol' | 'namespace' | 'name' | 'tier' | 'query'>;

/** With an end after three seconds a bookmark comes after one. */
const BOOKMARKS = '&allowWatchBookmarks=true&timeoutSeconds=3';

const specs: readonly Spec[] = [
  { protocol: 'HTTP/1.1' },
  { protocol: 'HTTP/1.1', query: BOOKMARKS },
  { protocol: 'HTTP/1.1', tier: 'x' },
  { protocol: 'HTTP/1.1', namespace: 'cut-0' },
  { protocol: 'HTTP/1.1', namespace: 'cut-1', tier: 'y' },
  { protocol: 'HTTP/1.1', namespace: 'cut-2', name: 'w1-1' },
  { protocol: 'web socket' },
  { protocol: 'web socket', namespace: 'cut-1' },
  { protocol: 'web socket', tier: 'z' },
  { protocol: 'HTTP/2' },
  { protocol: 'HTTP/2', namespace: 'cut-2' },
  { protocol: 'HTTP/2', tier: 'y', query: BOOKMARKS },
];

export async function cutWatches(story: CutStory): Promise<CutReport> {
  const { servers, cutsMin, random } = story;
  const [{ url: directUrl } = { url: '' }] = servers;
  await makeNamespaces(directUrl);
  const scissors = new Scissors(random);
  const watchers: CutWatcher[] = [];
  for (const [place, spec] of specs.entries()) {
    const server = servers[place % servers.length];
    const target = server && (await scissors.between(server, spec.protocol === 'HTTP/2'));
    if (server === undefined || target === undefined) continue;
    watchers.push(new CutWatcher({ ...spec, target: () => target, directUrl: () => server.url }));
  }
  const unselective = watchers.filter(({ part }) => part.namespace === undefined && part.tier === undefined);
  const writers = new MapWriters({
    url: () => directUrl,
    random,
    writers: story.writers,
    namespaces: NAMESPACES,
    tiers: TIERS,
    isAhead: (revision) => revision > Math.min(...unselective.map(({ last }) => last)) + CHANGES_AHEAD_MAX,
  });
  await Promise.all(watchers.map((watcher) => watcher.start()));
  writers.start();
  const deadline = Date.now() + STORY_MS_MAX;
  const cutUntil = async (cuts: number) => {
    while (scissors.cuts < cuts && Date.now() < deadline) await sleep(POLL_MS);
  };
  await cutUntil(cutsMin / 2);
  await story.halfWay?.();
  await cutUntil(cutsMin);
  await writers.stop();
  scissors.rest();
  const faults = await settledFaults(writers, watchers, directUrl);
  await Promise.all(watchers.map((watcher) => watcher.stop()));
  await scissors.close();
  const sum = (of: (watcher: CutWatcher) => number) => watchers.reduce((total, each) => total + of(each), 0);
  return {
    cuts: scissors.cuts,
    changes: writers.written.length,
    connections: sum(({ connections }) => connections),
    expired: sum(({ stretches }) => stretches.length - 1),
    bookmarks: sum(({ bookmarks }) => bookmarks),
    faults: [...faults, ...writers.faults, ...watchers.flatMap((watcher) => watcher.faults)],
  };
}

async function makeNamespaces(url: string): Promise<void> {
  for (const name of NAMESPACES) {
    const body = JSON.stringify({ kind: 'Namespace', apiVersion: 'v1', metadata: { name } });
    const headers = { 'content-type': 'application/json' };
    const { status } = await fetch(`${url}/api/v1/namespaces`, { method: 'POST', headers, body });
    if (status !== 201 && status !== 409) throw new Error(`namespace ${name}: ${status}`);
  }
}

/** Of the moment when all is seen, or of the last one. */
async function settledFaults(
  writers: MapWriters,
  watchers: readonly CutWatcher[],
  url: string,
): Promise<string[]> {
  const deadline = Date.now() + SETTLED_MS_MAX;
  for (;;) {
    const verdict = new WatchVerdict(writers.written, watchers);
    const faults = [...verdict.faults, ...watchers.map((watcher) => verdict.faultOf(watcher))].filter(
      (fault) => fault !== undefined,
    );
    if (faults.length === 0) return finalFaults(verdict, url);
    if (Date.now() > deadline) return faults;
    await sleep(SETTLED_POLL_MS);
  }
}

async function finalFaults(verdict: WatchVerdict, url: string): Promise<string[]> {
  const answer = await fetch(`${url}/api/v1/configmaps`);
  const { items } = (await answer.json()) as { readonly items: readonly WatchedMap[] };
  const listed = items.filter(isOurs).map((item) => `${keyOf(item)}@${item.metadata.resourceVersion}`);
  const expected = verdict.finalState();
  return listed.join() === expected.join() ? [] : [`the list in the end is ${listed.join()} and not ${expected.join()}`];
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

  /** Undefined: the server has no such port. */
  async between(server: CutServer, isSecure: boolean): Promise<WatchTarget | undefined> {
    if (!isSecure) return { url: (await this.#proxy(server, PLAIN_BYTES_MAX)).url };
    const { secure } = server;
    if (secure === undefined) return undefined;
    const { port } = await this.#proxy(secure, SECURE_BYTES_MAX);
    return { url: `https://127.0.0.1:${port}`, credentials: secure.credentials };
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
