/** A store is moved between Wherry and a real etcd, in both directions, over gRPC. */
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openBackup } from '../../storage/backup/file.js';
import { saveSnapshot } from '../../storage/backup/save.js';
import { createRemoteClient, type RemoteClient } from '../../storage/client/remote/index.js';
import type { EtcdClient } from '../../storage/client/interface.js';
import { migrate } from '../../storage/migrate/migrate.js';
import { openStore } from '../../storage/open.js';
import { random } from '../raft/random.js';
import { fillStore, sameContent } from '../storage/migrate-content.js';
import { etcdMissing, startEtcd } from '../tools/real-etcd.js';
import { temporaryFolder } from '../tools/wherry.js';

const KEYS = 4000;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };

async function realEtcd(t: Test): Promise<RemoteClient> {
  const etcd = await startEtcd();
  const client = createRemoteClient({ endpoints: [etcd.url], logger: silent });
  t.teardown(async () => {
    await client.close();
    await etcd.stop('SIGKILL');
    await etcd.remove();
  });
  return client;
}

async function embedded(t: Test): Promise<EtcdClient> {
  const store = await openStore({ dataDir: ':memory:' });
  t.teardown(() => store.close());
  return store.client;
}

const everything = { prefix: Buffer.alloc(0), opsMax: 128, overwrite: false };
const skip = etcdMissing;

for (const from of ['etcd', 'wherry'] as const) {
  t.test(`from ${from} to the other, while it is written to`, { skip }, async (t) => {
    const { seed, between } = random();
    t.comment(`seed ${seed}`);
    const [etcd, wherry] = [await realEtcd(t), await embedded(t)];
    const [source, target] = from === 'etcd' ? [etcd, wherry] : [wherry, etcd];
    const { keys, leases } = await fillStore(source, between, KEYS);
    const until = new AbortController();
    const moving = migrate({ source, target, ...everything, until: until.signal });
    for (let n = 0; n < 200; n++) {
      await source.put({ key: Buffer.from(`while-${n % 50}`), value: Buffer.from(`${n}`) });
      if (n % 10 === 0) await source.deleteRange({ key: Buffer.from(`while-${n % 7}`) });
    }
    await sleep(300);
    until.abort();
    const outcome = await moving;
    t.ok(outcome.keys >= keys, `${outcome.keys} of ${keys} keys and those written meanwhile`);
    t.equal(outcome.leases, leases.length);
    t.equal(outcome.revision, outcome.sourceRevision);
    await sameContent(t, source, target);
    for (const id of leases) {
      const [left, there] = [await source.leaseTimeToLive({ id }), await target.leaseTimeToLive({ id })];
      t.ok(Math.abs(left.ttl - there.ttl) < 60, `lease ${id}: ${left.ttl} and ${there.ttl} s are left`);
    }
  });
}

t.test('a snapshot of a real etcd is saved, and its own tools read it', { skip }, async (t) => {
  const etcd = await realEtcd(t);
  for (let n = 0; n < 20; n++) await etcd.put({ key: Buffer.from(`k${n}`), value: Buffer.alloc(100_000, n) });
  const folder = await temporaryFolder('etcd-backup');
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'etcd.db');
  t.match(await saveSnapshot({ path: file, chunks: etcd.snapshot() }), { kind: 'etcd', hasChecksum: true });
  t.match(openBackup(file), { kind: 'etcd' });
  const env = { ...process.env, ETCDCTL_API: '3' };
  const status = spawnSync('etcdctl', ['snapshot', 'status', file, '-w', 'json'], { encoding: 'utf8', env });
  if (status.error !== undefined) return t.comment('etcdctl is not installed: it was not asked');
  t.equal((JSON.parse(status.stdout) as { readonly revision: number }).revision, 21, status.stderr);
});
