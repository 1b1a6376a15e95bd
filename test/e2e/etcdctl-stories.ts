/** What a user of etcdctl does, told once and done with each store. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Transcript } from './etcdctl-transcript.js';

export type Story = (user: Transcript, folder: string) => Promise<void>;

const WRITERS = ['simple', 'json', 'fields', 'protobuf'];

const keys: Story = async (user) => {
  for (const [key, value] of Object.entries({ a: '1', 'a/1': 'x', 'a/2': 'y', b: '2', 'b b': 'ünï' })) {
    await user.run(['put', key, value]);
  }
  await user.run(['put', 'a/2'], 'from standard input');
  await user.run(['put', 'a', '--', '-3']);
  await user.run(['put', 'a', '4', '--prev-kv']);
  await user.run(['put', 'a', '--ignore-value']);
  await user.fail(['put', 'none', '--ignore-value']);
  await user.fail(['put', '', 'x']);
  await user.fail(['put', 'a', '1', '--lease', '123456']);
  const gets = [
    ['a'],
    ['none'],
    ['a', 'b'],
    ['a', '--prefix'],
    ['a/1', '--from-key'],
    ['', '--prefix', '--keys-only'],
    ['', '--prefix', '--limit', '2'],
    ['', '--prefix', '--order', 'DESCEND'],
    ['', '--prefix', '--order', 'ASCEND', '--sort-by', 'VALUE'],
    ['', '--prefix', '--sort-by', 'MODIFY', '--keys-only'],
    ['', '--prefix', '--sort-by', 'CREATE', '--order', 'DESCEND', '--keys-only'],
    ['', '--prefix', '--sort-by', 'VERSION', '--order', 'DESCEND', '--keys-only'],
    ['a', '--rev', '3'],
    ['a', '--print-value-only'],
    ['a', '--consistency', 's'],
    ['a', '--hex'],
  ];
  for (const get of gets) await user.run(['get', ...get]);
  await user.fail(['get', 'a', '--rev', '1000']);
  for (const writer of WRITERS) {
    if (writer !== 'protobuf') await user.run(['get', 'a', '--prefix', '-w', writer]);
    await user.run(['put', 'w', writer, '-w', writer === 'protobuf' ? 'simple' : writer]);
  }
  await user.run(['del', 'b']);
  await user.run(['del', 'none']);
  await user.run(['del', 'a/', '--prefix', '--prev-kv']);
  await user.run(['del', 'w', '-w', 'json']);
  await user.run(['del', 'b', '--from-key']);
};

const transactions: Story = async (user) => {
  const compare = 'value("t") = "1"\nversion("t") > "0"\n\n';
  await user.run(['put', 't', '1']);
  await user.run(['txn'], `${compare}put t 2\nget t\n\nput t 3\n\n`);
  await user.run(['txn'], `${compare}put t 2\n\nput t 3\nget t --prefix\ndel none\n\n`);
  await user.run(['txn', '-i'], 'mod("t") > "0"\ncreate("t") != "1"\n\nput t/1 1\nget t\n\nget none\n\n');
  await user.run(['txn', '-w', 'json'], 'value("t") = "2"\n\ndel t/1\nget t\n\n\n');
  await user.fail(['txn'], '\nput t 1\nput t 2\n\n\n');
};

/** Every watch begins with a change that was made before it, so that its first words say that it is there. */
const watches: Story = async (user) => {
  await user.run(['put', 'watch/1', 'one']);
  await user.run(['put', 'watch/1', 'two']);
  const rev = String((await revision(user)) - 1);
  const following = {
    'watch --prefix': user.follow(['watch', 'watch/', '--prefix', '--rev', rev]),
    'watch --prev-kv': user.follow(['watch', 'watch/1', '--prev-kv', '--rev', rev]),
    'watch of a range': user.follow(['watch', '-w', 'fields', 'watch/1', 'watch/3', '--rev', rev]),
    'watch -w json': user.follow(['watch', '-w', 'json', 'watch/1', '--rev', rev]),
    'watch -i': user.follow(['watch', '-i']),
  };
  following['watch -i'].type(`watch --rev=${rev} watch/1`);
  for (const each of Object.values(following)) await each.until(/two|dHdv/);
  await user.run(['put', 'watch/3', 'outside']);
  await user.run(['put', 'watch/1', 'three']);
  await user.run(['del', 'watch/', '--prefix']);
  for (const each of Object.values(following)) await each.until(/DELETE|"type":1/);
  await following['watch --prefix'].until(/watch\/3\n\n*$/);
  following['watch -i'].type('progress');
  await following['watch -i'].until('progress notify');
  for (const [name, each] of Object.entries(following)) await user.stop(name, each);

  const executed = user.follow([
    'watch',
    'watch/1',
    '--rev',
    rev,
    '--',
    'sh',
    '-c',
    'echo $ETCD_WATCH_EVENT_TYPE',
  ]);
  await executed.until('"DELETE"');
  await user.stop('watch with a command', executed);
  await user.fail(['watch']);
};

interface Written {
  readonly header: { readonly revision: number };
}

async function revision(user: Transcript): Promise<number> {
  const { stdout } = await user.runUnseen(['get', 'none', '-w', 'json']);
  return (JSON.parse(stdout) as Written).header.revision;
}

const leases: Story = async (user) => {
  const lease = idIn(await user.run(['lease', 'grant', '300']));
  await user.run(['put', 'leased', '1', '--lease', lease]);
  await user.run(['put', 'leased', '2', '--ignore-lease']);
  await user.run(['get', 'leased', '-w', 'fields']);
  await user.run(['lease', 'timetolive', lease]);
  await user.run(['lease', 'timetolive', lease, '--keys']);
  await user.run(['lease', 'timetolive', lease, '--keys', '-w', 'json']);
  await user.run(['lease', 'list']);
  await user.run(['lease', 'keep-alive', '--once', lease]);
  const keeping = user.follow(['lease', 'keep-alive', lease]);
  await keeping.until('keepalived');
  await user.stop('lease keep-alive', keeping);
  await user.run(['lease', 'revoke', lease]);
  await user.run(['get', 'leased']);
  await user.fail(['lease', 'revoke', lease]);
  await user.run(['lease', 'timetolive', lease]);
  await user.fail(['lease', 'keep-alive', '--once', lease]);
  await user.fail(['lease', 'grant', '9000000001']);
};

const idIn = (text: string): string => /\b[0-9a-f]{12,16}\b/.exec(text)?.[0] ?? 'no id';

const locks: Story = async (user) => {
  await user.run(['lock', 'l', '--', 'sh', '-c', 'echo held $ETCD_LOCK_KEY']);
  const holder = user.follow(['lock', 'l']);
  await holder.until('l/');
  const waiter = user.follow(['lock', 'l', 'echo', 'mine now']);
  while (idsBelow(await user.runUnseen(['get', 'l/', '--prefix', '--keys-only'])) < 2);
  user.note(waiter.output());
  await user.stop('lock', holder);
  await waiter.exited;
  user.note(waiter.output());
  await user.run(['get', 'l/', '--prefix']);

  const observer = user.follow(['elect', '--listen', 'e']);
  const leader = user.follow(['elect', 'e', 'first']);
  await leader.until('first');
  await observer.until('first');
  const next = user.follow(['elect', 'e', 'second']);
  while (idsBelow(await user.runUnseen(['get', 'e/', '--prefix', '--keys-only'])) < 2);
  await user.stop('elect', leader);
  await next.until('second');
  await observer.until('second');
  await user.stop('elect, the next', next);
  await user.stop('elect --listen', observer);
};

const idsBelow = ({ stdout }: { readonly stdout: string }): number =>
  stdout.match(/\/[0-9a-f]{12,16}/g)?.length ?? 0;

const maintenance: Story = async (user, folder) => {
  for (const value of ['1', '2', '3']) await user.run(['put', 'compacted', value]);
  const newest = await revision(user);
  await user.run(['compaction', String(newest - 1)]);
  await user.fail(['get', 'compacted', '--rev', String(newest - 2)]);
  await user.fail(['compaction', String(newest - 1)]);
  await user.fail(['compaction', '100000']);
  await user.run(['compaction', '--physical', String(newest)]);
  const stale = user.follow(['watch', 'compacted', '--rev', '2']);
  await stale.exited;
  user.note(stale.output());

  for (const writer of ['json', 'fields']) await user.run(['endpoint', 'status', '-w', writer]);
  await user.run(['endpoint', 'health']);
  await user.run(['endpoint', 'health', '--cluster', '-w', 'json']);
  // 3.4's own hash, which 3.5 made another, is compared by the differential test.
  await user.runUnseen(['endpoint', 'hashkv', '-w', 'table']);
  await user.run(['endpoint', 'hashkv', '--cluster', '-w', 'json']);
  await user.run(['defrag']);
  await user.run(['alarm', 'list']);
  await user.run(['alarm', 'disarm']);

  const file = join(folder, 'snapshot');
  await user.runUnseen(['snapshot', 'save', file]);
  const bytes = await readFile(file);
  const [content, sum] = [bytes.subarray(0, -32), bytes.subarray(-32)];
  user.note(
    `a whole number of blocks: ${content.length % 512}`,
    `its checksum: ${createHash('sha256').update(content).digest().equals(sum)}`,
  );
};

const members: Story = async (user) => {
  const own = idIn(await user.run(['member', 'list']));
  for (const writer of ['json', 'fields', 'table']) await user.run(['member', 'list', '-w', writer]);
  await user.run(['member', 'update', own, '--peer-urls', 'http://127.0.0.1:9']);
  await user.fail(['member', 'update', '1234', '--peer-urls', 'http://127.0.0.1:9']);
  const learner = idIn(
    await user.run(['member', 'add', 'new', '--learner', '--peer-urls', 'http://127.0.0.1:7']),
  );
  await user.fail(['member', 'add', 'newer', '--learner', '--peer-urls', 'http://127.0.0.1:8']);
  await user.fail(['member', 'promote', learner]);
  await user.fail(['member', 'promote', own]);
  await user.run(['member', 'remove', learner]);
  await user.fail(['member', 'remove', learner]);
  await user.run(['member', 'list']);
};

const users: Story = async (user) => {
  const asRoot = ['--user', 'root:pw'];
  const asAnn = ['--user', 'ann:secret'];
  await user.fail(['auth', 'enable']);
  await user.run(['user', 'add', 'root:pw']);
  await user.fail(['user', 'add', 'root:pw']);
  await user.run(['role', 'add', 'root']);
  await user.fail(['role', 'add', 'root']);
  await user.run(['user', 'grant-role', 'root', 'root']);
  await user.run(['user', 'add', 'ann', '--interactive=false'], 'secret\n');
  await user.run(['user', 'add', 'bob', '--no-password']);
  await user.run(['role', 'add', 'reader']);
  await user.run(['role', 'grant-permission', 'reader', 'read', 'pub/', '--prefix']);
  await user.run(['role', 'grant-permission', 'reader', 'readwrite', 'own']);
  await user.run(['role', 'grant-permission', 'reader', 'write', 'z', '--from-key']);
  await user.fail(['role', 'grant-permission', 'none', 'read', 'x']);
  await user.fail(['role', 'grant-permission', 'reader', 'some', 'x']);
  await user.fail(['user', 'grant-role', 'ann', 'none']);
  await user.fail(['user', 'grant-role', 'none', 'reader']);
  await user.run(['user', 'grant-role', 'ann', 'reader']);
  await user.run(['role', 'get', 'reader']);
  await user.run(['role', 'get', 'reader', '-w', 'json']);
  await user.run(['user', 'get', 'ann', '--detail']);
  await user.fail(['user', 'get', 'none']);
  await user.run(['put', 'pub/1', 'x']);
  await user.run(['auth', 'enable']);

  await user.fail(['get', 'pub/1']);
  await user.fail(['get', 'pub/1', '--user', 'ann:wrong']);
  await user.fail(['get', 'pub/1', '--user', 'none:pw']);
  await user.fail(['get', 'pub/1', '--user', 'bob:pw']);
  await user.run(['get', 'pub/', '--prefix', ...asAnn]);
  await user.run(['put', 'own', '1', ...asAnn]);
  await user.run(['put', 'zz', '1', ...asAnn]);
  await user.fail(['get', 'zz', ...asAnn]);
  await user.fail(['put', 'pub/1', 'y', ...asAnn]);
  await user.fail(['get', '', '--prefix', ...asAnn]);
  await user.fail(['del', '', '--prefix', ...asAnn]);
  await user.fail(['txn', ...asAnn], '\nput pub/1 y\n\n\n');
  await user.fail(['user', 'list', ...asAnn]);
  await user.fail(['compaction', '2', ...asAnn]);
  const put = await user.run(['put', 'own', '2', '-w', 'json', ...asAnn]);
  const { header } = JSON.parse(put) as Written;
  const watching = user.follow(['watch', 'own', '--rev', String(header.revision), ...asRoot]);
  await watching.until('own');
  await user.stop('watch --user', watching);
  const denied = user.follow(['watch', 'none', ...asAnn]);
  await denied.exited;
  user.note(denied.output());
  await user.run(['lock', 'own-lock', 'true', ...asRoot]);
  await user.run(['user', 'list', ...asRoot]);
  await user.run(['role', 'list', ...asRoot]);
  await user.run(['user', 'passwd', 'ann', '--interactive=false', ...asRoot], 'other\n');
  await user.fail(['get', 'own', ...asAnn]);
  await user.run(['get', 'own', '--user', 'ann', '--password', 'other']);
  await user.run(['role', 'revoke-permission', 'reader', 'own', ...asRoot]);
  await user.fail(['role', 'revoke-permission', 'reader', 'own', ...asRoot]);
  await user.fail(['get', 'own', '--user', 'ann:other']);
  await user.run(['user', 'revoke-role', 'ann', 'reader', ...asRoot]);
  await user.fail(['user', 'revoke-role', 'ann', 'reader', ...asRoot]);
  await user.run(['role', 'delete', 'reader', ...asRoot]);
  await user.run(['user', 'delete', 'ann', ...asRoot]);
  await user.fail(['user', 'delete', 'ann', ...asRoot]);
  await user.fail(['role', 'delete', 'root', ...asRoot]);
  await user.fail(['user', 'delete', 'root', ...asRoot]);
  await user.run(['auth', 'disable', ...asRoot]);
  await user.run(['get', 'own']);
};

/** On one store each, one after the other. */
export const STORIES: Readonly<Record<string, Story>> = {
  keys,
  transactions,
  watches,
  leases,
  'locks and elections': locks,
  maintenance,
  members,
  'users and roles': users,
};

/** From one store to another, or to another prefix of its own. */
export async function mirror(source: Transcript, destination: Transcript): Promise<void> {
  await source.run(['put', 'from/1', 'before']);
  const to = ['--prefix', 'from/', '--dest-prefix', 'to/'];
  const [address = ''] = destination.urls.map((url) => url.replace('http://', ''));
  const mirroring = source.follow(['make-mirror', address, ...to]);
  const arrives = async (key: string, value: string) => {
    while (!(await destination.runUnseen(['get', key])).stdout.includes(value));
  };
  await arrives('to/1', 'before');
  await source.run(['put', 'from/1', 'after']);
  await source.run(['put', 'from/2', 'new']);
  await arrives('to/1', 'after');
  await arrives('to/2', 'new');
  await mirroring.stop();
}

/** On a cluster of three. */
export const clusterStory: Story = async (user) => {
  await user.run(['put', 'a', '1']);
  await user.runUnseen(['endpoint', 'status', '--cluster', '-w', 'table']);
  await user.runUnseen(['endpoint', 'hashkv', '--cluster']);
  await user.runUnseen(['endpoint', 'health', '--cluster']);
  const status = JSON.parse((await user.runUnseen(['endpoint', 'status', '-w', 'json'])).stdout) as readonly {
    readonly Endpoint: string;
    readonly Status: { readonly header: { readonly member_id: number }; readonly leader: number };
  }[];
  const ids = (await user.runUnseen(['member', 'list'])).stdout
    .split('\n')
    .map(idIn)
    .filter((id) => id !== 'no id');
  // JSON's numbers hold no 64 bits, but enough of them to tell members apart.
  const endpointOf = (id: string) =>
    status.find(({ Status }) => Status.header.member_id === Number(BigInt(`0x${id}`)))?.Endpoint ?? '';
  const leader = ids.find((id) => Number(BigInt(`0x${id}`)) === status[0]?.Status.leader) ?? 'nobody';
  const [next = 'nobody', last = 'nobody'] = ids.filter((id) => id !== leader);
  await user.run(['move-leader', next]);
  // A member that is asked to remove itself may be gone before it has answered.
  const staying = user.at(endpointOf(next));
  await staying.fail(['move-leader', '1234']);
  await staying.run(['put', 'a', '2']);
  const added = idIn(
    await staying.runEventually(['member', 'add', 'fourth', '--peer-urls', 'http://127.0.0.1:7']),
  );
  await staying.removeEventually(added);
  await staying.removeEventually(last);
  await staying.run(['get', 'a']);
};
