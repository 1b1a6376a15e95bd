/**
 * Debian's etcdctl as a user of `wherry etcd`: what it prints, and how it ends, is what it prints and how it ends with a
 * real etcd. Where there is no real etcd, that every command ends as it should.
 */
import { rm } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { etcdctlMissing } from '../tools/etcdctl.js';
import { startMembers } from '../tools/etcd-members.js';
import { etcdMissing } from '../tools/real-etcd.js';
import { temporaryFolder } from '../tools/wherry.js';
import { clusterStory, mirror, STORIES, type Story } from './etcdctl-stories.js';
import { Transcript } from './etcdctl-transcript.js';

const skip = etcdctlMissing;
const programs = etcdMissing === false ? (['wherry', 'etcd'] as const) : (['wherry'] as const);
/** Passwords are hashed as cheaply as can be: it is not bcrypt that is tested. */
const args = ['--bcrypt-cost', '4'];

async function tell(urls: readonly string[], story: Story): Promise<Transcript> {
  const user = new Transcript(urls);
  const folder = await temporaryFolder('etcdctl');
  try {
    await story(user, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return user;
}

function compare(t: Test, [wherry, etcd]: readonly Transcript[]): void {
  t.same(wherry?.surprises, [], 'every command ends as it should');
  if (etcd === undefined) return;
  t.same(etcd.surprises, [], 'also with etcd');
  t.same(wherry?.commands, etcd.commands, 'and prints the same');
}

t.test('etcdctl', { skip }, async (t) => {
  const stores = await Promise.all(programs.map((program) => startMembers(program, { args })));
  t.teardown(() => Promise.all(stores.map((store) => store.stop())));
  for (const [name, story] of Object.entries(STORIES)) {
    await t.test(name, async (t) => {
      compare(t, await Promise.all(stores.map(({ urls }) => tell(urls, story))));
    });
  }
  await t.test('make-mirror, to the other store where there is one', async (t) => {
    const users = stores.map(({ urls }) => new Transcript(urls));
    const pairs = users.map((user, index) => [user, users[(index + 1) % users.length] ?? user] as const);
    for (const [source, destination] of pairs) await mirror(source, destination);
    compare(t, users);
  });
});

t.test('etcdctl with a cluster of three', { skip }, async (t) => {
  const clusters = await Promise.all(programs.map((program) => startMembers(program, { size: 3, args })));
  t.teardown(() => Promise.all(clusters.map((cluster) => cluster.stop())));
  compare(t, await Promise.all(clusters.map(({ urls }) => tell(urls, clusterStory))));
});
