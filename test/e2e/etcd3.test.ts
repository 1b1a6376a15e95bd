/**
 * The npm package etcd3 as a client of `wherry etcd`, with all that it offers. Where there is a real etcd, the same is
 * done with it, which checks the test.
 */
import { once } from 'node:events';
import { Etcd3, type IKeyValue, type IOptions, type WatchBuilder } from 'etcd3';
import t, { type Test } from 'tap';
import { type Members, type Program, startMembers } from '../tools/etcd-members.js';
import { etcdMissing } from '../tools/real-etcd.js';

/** Milliseconds that something may take to be heard of. */
const HEARD_MS_MAX = 20_000;

const programs: readonly Program[] = etcdMissing === false ? ['wherry', 'etcd'] : ['wherry'];

/** Its own grows up to half a minute, for which it keeps the process. */
const SOON: NonNullable<NonNullable<IOptions['faultHandling']>['watchBackoff']> = {
  duration: 50,
  next: () => SOON,
};

function connect(t: Test, members: Members, options: Partial<IOptions> = {}): Etcd3 {
  const client = new Etcd3({
    hosts: [...members.urls],
    faultHandling: { watchBackoff: SOON },
    ...options,
  });
  t.teardown(() => client.close());
  return client;
}

/** Keeps what was heard, and waits for more. */
class Heard {
  readonly all: string[] = [];

  readonly hear = (text: string): void => {
    this.all.push(text);
  };

  async until(count: number): Promise<void> {
    const deadline = Date.now() + HEARD_MS_MAX;
    while (this.all.length < count && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Hears what a watch tells, until the test ends. */
async function listen(t: Test, watch: WatchBuilder): Promise<Heard> {
  const watcher = await watch.create();
  t.teardown(() => watcher.cancel());
  const heard = new Heard();
  watcher.on('put', ({ key, value }: IKeyValue, previous?: IKeyValue) => {
    const before = previous?.value === undefined ? '' : ` was ${String(previous.value)}`;
    heard.hear(`${String(key)}=${String(value)}${before}`);
  });
  watcher.on('delete', ({ key }: IKeyValue) => heard.hear(`${String(key)} deleted`));
  return heard;
}

async function keysAndValues(t: Test, client: Etcd3): Promise<void> {
  await client.put('k/1').value('one');
  await client.put('k/2').value(2);
  await client.put('k/3').value(Buffer.of(0, 255));
  t.equal(await client.get('k/1').string(), 'one');
  t.equal(await client.get('k/2').number(), 2);
  t.same(await client.get('k/3').buffer(), Buffer.of(0, 255));
  t.equal(await client.get('none').string(), null);
  t.equal(await client.get('k/1').exists(), true);
  t.same(await client.getAll().prefix('k/').keys(), ['k/1', 'k/2', 'k/3']);
  t.same(await client.getAll().prefix('k/').limit(2).sort('Key', 'Descend').keys(), ['k/3', 'k/2']);
  t.equal(await client.getAll().prefix('k/').count(), 3);
  t.same(await client.getAll().inRange({ start: 'k/2', end: 'k/3' }).strings(), { 'k/2': '2' });
  const replaced = await client.put('k/1').value('uno').getPrevious();
  t.equal(String(replaced?.value), 'one');
  const { header } = await client.get('k/1').exec();
  await client.put('k/1').value('eins');
  t.equal(await client.get('k/1').revision(header.revision).string(), 'uno');
  const { deleted } = await client.delete().prefix('k/');
  t.equal(deleted, '3');
}

async function transactions(t: Test, client: Etcd3): Promise<void> {
  const outcome = await client
    .if('tx', 'Create', '==', 0)
    .then(client.put('tx').value('made'), client.get('tx'))
    .else(client.get('tx'))
    .commit();
  t.equal(outcome.succeeded, true);
  const again = await client
    .if('tx', 'Value', '==', 'other')
    .and('tx', 'Version', '>', 0)
    .then(client.delete().key('tx'))
    .else(client.get('tx'))
    .commit();
  t.equal(again.succeeded, false);
  t.equal(String(again.responses[0]?.response_range?.kvs[0]?.value), 'made');

  const count = client.namespace('stm/');
  await count.put('count').value(0);
  const increase = () =>
    count.stm({ retries: 100 }).transact(async (tx) => {
      const present = await tx.get('count').number();
      await tx.put('count').value((present ?? 0) + 1);
    });
  await Promise.all(Array.from({ length: 8 }, increase));
  t.equal(await count.get('count').number(), 8, 'transactions of software that conflict all take effect');
}

async function namespaces(t: Test, client: Etcd3): Promise<void> {
  const space = client.namespace('space/');
  await space.put('a').value('1');
  t.equal(await client.get('space/a').string(), '1');
  t.same(await space.getAll().strings(), { a: '1' });
  await space.delete().all();
  t.equal(await client.get('space/a').exists(), false);
}

async function watches(t: Test, client: Etcd3): Promise<void> {
  const all = await listen(t, client.watch().prefix('w/').withPreviousKV());
  const one = await listen(t, client.watch().key('w/1').only('delete'));
  const { header } = await client.put('w/1').value('a');
  await client.put('w/1').value('b');
  await client.delete().key('w/1');
  const past = await listen(t, client.watch().key('w/1').startRevision(header.revision));
  await Promise.all([all.until(3), one.until(1), past.until(3)]);
  t.same(all.all, ['w/1=a', 'w/1=b was a', 'w/1 deleted']);
  t.same(one.all, ['w/1 deleted']);
  t.same(past.all, ['w/1=a', 'w/1=b', 'w/1 deleted']);
}

async function leases(t: Test, client: Etcd3): Promise<void> {
  const lease = client.lease(2);
  const kept = once(lease, 'keepaliveSucceeded');
  await lease.put('leased').value('1');
  await kept;
  t.equal(await client.get('leased').string(), '1');
  await lease.revoke();
  t.equal(await client.get('leased').exists(), false);

  const losing = client.lease(2);
  const lost = once(losing, 'lost');
  await losing.put('lost').value('1');
  await client.leaseClient.leaseRevoke({ ID: await losing.grant() });
  const [error] = (await lost) as [Error];
  t.match(error.message, /expired or revoked/, 'who has lost its lease hears of it');
}

async function locks(t: Test, client: Etcd3): Promise<void> {
  const lock = await client.lock('lock').acquire();
  await t.rejects(client.lock('lock').acquire(), { message: /lock/i }, 'it is held');
  await lock.release();
  t.equal(await client.lock('lock').do(() => 'done'), 'done');
}

async function elections(t: Test, client: Etcd3): Promise<void> {
  const election = client.election('leader', 10);
  const heard = new Heard();
  const observer = await election.observe();
  observer.on('change', (leader) => heard.hear(leader ?? 'nobody'));
  const first = election.campaign('first');
  await first.wait();
  await heard.until(1);
  const second = election.campaign('second');
  await second.getCampaignKey();
  await first.proclaim('first again');
  await heard.until(2);
  t.equal(await election.leader(), 'first again');
  await first.resign();
  await second.wait();
  await heard.until(3);
  t.same(heard.all, ['first', 'first again', 'second']);
  await second.resign();
  await observer.cancel();
}

async function reconnects(t: Test, client: Etcd3, members: Members): Promise<void> {
  const heard = await listen(t, client.watch().prefix('r/'));
  await client.put('r/1').value('before');
  await heard.until(1);
  await members.restart();
  const put = async (): Promise<void> => {
    await client.put('r/2').value('after').catch(put);
  };
  await put();
  await heard.until(2);
  t.same(heard.all, ['r/1=before', 'r/2=after'], 'a watch goes on where it was');
}

async function users(t: Test, client: Etcd3, members: Members): Promise<void> {
  await client.put('secret').value('s');
  await client.put('public/1').value('p');
  const [rootRole, role] = [client.role('root'), client.role('reader')];
  await rootRole.create();
  await role.create();
  await role.grant({ permission: 'Read', range: client.range({ prefix: 'public/' }) });
  const [root, ann] = [client.user('root'), client.user('ann')];
  await root.create('pw');
  await root.addRole('root');
  await ann.create('secret');
  await ann.addRole('reader');
  t.same(
    (await ann.roles()).map(({ name }) => name),
    ['reader'],
  );
  await client.auth.authEnable();

  const asAnn = connect(t, members, { auth: { username: 'ann', password: 'secret' } });
  t.equal(await asAnn.get('public/1').string(), 'p');
  await t.rejects(asAnn.get('secret').string(), { message: /permission denied/ });
  await t.rejects(client.get('public/1').string(), { message: /user name is empty/ });
  const asNobody = connect(t, members, { auth: { username: 'ann', password: 'wrong' } });
  await t.rejects(asNobody.get('public/1').string(), { message: /authentication failed/ });
  const asRoot = connect(t, members, { auth: { username: 'root', password: 'pw' } });
  t.same(
    (await asRoot.getUsers()).map(({ name }) => name),
    ['ann', 'root'],
  );
  await asRoot.auth.authDisable();
  t.equal(await client.get('secret').string(), 's');
}

for (const program of programs) {
  t.test(`etcd3 and ${program}`, async (t) => {
    const members = await startMembers(program, { args: ['--bcrypt-cost', '4'] });
    t.teardown(() => members.stop());
    const parts = {
      keysAndValues,
      transactions,
      namespaces,
      watches,
      leases,
      locks,
      elections,
      reconnects,
      users,
    };
    for (const [name, part] of Object.entries(parts)) {
      await t.test(name, (t) => part(t, connect(t, members), members));
    }
  });
}
