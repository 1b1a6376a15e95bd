/**
 * `kill -9` in the middle of concurrent writes, many times in a row. After each restart: no acknowledged write is
 * missing, the revision has not gone back, and a watcher that resumes at its last resourceVersion has seen every change
 * exactly once. (The power cut, which loses what was written but not yet synced, is simulated in test/raft and
 * test/storage, where the files can be cut.)
 */
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { unseenChanges } from '../tools/unseen-changes.js';
import { type Wherry, freePort, startWherry, temporaryFolder } from '../tools/wherry.js';

const rounds = Number(process.env['WHERRY_CRASH_ROUNDS'] ?? 50);
const writers = 8;
const writeMsMin = 60;
const writeMsSpread = 240;
const collection = '/api/v1/namespaces/default/configmaps';

interface ConfigMap {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly data?: { readonly value: string };
}
interface Change {
  readonly type: string;
  readonly object: ConfigMap;
}

/** What the server has acknowledged, and what it was asked for without an answer. */
class History {
  readonly acknowledged = new Map<string, { value: number; revision: number }>();
  readonly asked = new Map<string, number>();
  readonly revisions: number[] = [];

  record(name: string, value: number, revision: number): void {
    this.acknowledged.set(name, { value, revision });
    this.revisions.push(revision);
  }
}

/** Creates its object, then counts it up, until the server is gone. */
async function write(server: Wherry, name: string, history: History): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  for (;;) {
    const value = (history.asked.get(name) ?? 0) + 1;
    history.asked.set(name, value);
    const body = JSON.stringify({ metadata: { name }, data: { value: `${value}` } });
    const put = () => fetch(`${server.url}${collection}/${name}`, { method: 'PUT', headers, body });
    const post = () => fetch(server.url + collection, { method: 'POST', headers, body });
    try {
      let response = await put();
      if (response.status === 404) {
        await response.arrayBuffer();
        response = await post();
      }
      const answer = (await response.json()) as ConfigMap;
      if (!response.ok) throw new Error(`status ${response.status}: ${JSON.stringify(answer)}`);
      history.record(name, value, Number(answer.metadata.resourceVersion));
    } catch (error) {
      if (server.process.killed) return;
      throw error;
    }
  }
}

/** A watcher that goes on where it was, whatever happens to the server. */
class ResumingWatcher {
  readonly seen: { revision: number; name: string; value: number }[] = [];
  last: number;

  constructor(start: number) {
    this.last = start;
  }

  async follow(server: Wherry, signal: AbortSignal): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      const query = `watch=true&resourceVersion=${this.last}`;
      const response = await fetch(`${server.url}${collection}?${query}`, { signal });
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.take(JSON.parse(line) as Change);
      }
    } catch (error) {
      if (!signal.aborted && !server.process.killed) throw error;
    }
  }

  take(change: Change): void {
    if (change.type === 'ERROR') throw new Error(`watch: ${JSON.stringify(change.object)}`);
    const { name, resourceVersion } = change.object.metadata;
    this.last = Number(resourceVersion);
    this.seen.push({ revision: this.last, name, value: Number(change.object.data?.value) });
  }
}

async function list(server: Wherry): Promise<{ revision: number; items: Map<string, ConfigMap> }> {
  const response = await fetch(server.url + collection);
  const body = (await response.json()) as { metadata: { resourceVersion: string }; items: ConfigMap[] };
  const items = new Map(body.items.map((item) => [item.metadata.name, item]));
  return { revision: Number(body.metadata.resourceVersion), items };
}

t.test(`kill -9 under load, ${rounds} times`, { timeout: 60_000 + rounds * 10_000 }, async (t) => {
  const dataDir = await temporaryFolder('crash');
  const [port, securePort] = [await freePort(), await freePort()];
  // Without controllers, so that every change in the collection is one of ours; and with all of its history.
  const args = ['--controllers=', '--etcd-compaction-interval=0'];
  const start = () => startWherry({ backend: 'embedded', dataDir, port, securePort, args });
  const history = new History();
  let server = await start();
  t.teardown(async () => {
    await server.stop('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  });
  const watcher = new ResumingWatcher((await list(server)).revision);
  let highest = watcher.last;

  for (let round = 1; round <= rounds; round++) {
    const watching = watcher.follow(server, new AbortController().signal);
    const writing = Array.from({ length: writers }, (_, i) => write(server, `object-${i}`, history));
    await sleep(writeMsMin + Math.random() * writeMsSpread);
    await server.stop('SIGKILL');
    await Promise.all([...writing, watching]);
    highest = Math.max(highest, ...history.revisions.slice(-writers * 4));

    server = await start();
    const { revision, items } = await list(server);
    const lost = [...history.acknowledged].filter(([name, { value }]) => {
      const found = Number(items.get(name)?.data?.value);
      return !(found >= value && found <= (history.asked.get(name) ?? 0));
    });
    if (lost.length > 0) t.same(lost, [], `round ${round}: acknowledged writes are there`);
    if (revision < highest) t.fail(`round ${round}: revision went back from ${highest} to ${revision}`);
    highest = revision;
  }

  // Let the watcher come up to date, then look at all that it saw.
  const done = new AbortController();
  const watching = watcher.follow(server, done.signal);
  while (watcher.last < highest) await sleep(20);
  done.abort();
  await watching;
  const revisions = watcher.seen.map((change) => change.revision);
  const rising = revisions.every((revision, i) => i === 0 || revision > (revisions[i - 1] as number));
  t.ok(rising, 'the watcher saw changes in order, none twice');
  const seen = new Set(revisions);
  t.same(
    history.revisions.filter((revision) => !seen.has(revision)),
    [],
    'the watcher saw every acknowledged change',
  );
  const unseenBut = (revision?: number) =>
    unseenChanges(
      server.url + collection,
      revisions.filter((seen) => seen !== revision),
    );
  t.same(await unseenBut(), [], 'and every change that was not');
  const [, second] = revisions as [number, number];
  t.same(await unseenBut(second), [second], 'one that it had not seen would be found');
  t.ok(history.revisions.length > rounds, `${history.revisions.length} writes were acknowledged`);
  t.comment(`${rounds} kills, ${history.revisions.length} acknowledged writes, ${revisions.length} events`);
});
