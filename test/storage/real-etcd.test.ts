/** The client suite over gRPC against a real etcd, where one is installed: what checks the suite itself. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type KeyPair, issueAuthority, issueLeaf } from '../../cli/pki/issue.js';
import { type ClientTls, createRemoteClient } from '../../storage/client/remote/index.js';
import { isProgressTrusted } from '../../storage/client/remote/progress.js';
import { freePort } from '../tools/free-port.js';
import { etcdMissing, startEtcd } from '../tools/real-etcd.js';
import { clientSuite } from './client-suite.js';
import { remoteFaults } from './remote-faults.js';
import { bytes, fails, silent, temporaryFolder, WatchReader } from './tools.js';

async function realEtcd(t: Test) {
  const etcd = await startEtcd();
  const client = createRemoteClient({ endpoints: [etcd.url], logger: silent });
  t.teardown(async () => {
    await client.close();
    await etcd.stop();
    await etcd.remove();
  });
  const { version } = await client.status();
  return { client, tellsProgress: isProgressTrusted(version) };
}

/** Its credentials in the process's own words, so that they are checked against more than ourselves. */
function etcdctl(url: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync('etcdctl', [`--endpoints=${url}`, ...args], {
    env: { ...process.env, ETCDCTL_API: '3' },
  });
  if (status !== 0) throw new Error(`etcdctl ${args.join(' ')}: ${stderr.toString()}`);
}

const etcdctlMissing = spawnSync('etcdctl', ['version']).status === 0 ? false : 'etcdctl is not installed';

t.test('a user’s token', { skip: etcdMissing || etcdctlMissing }, async (t) => {
  const dataDir = temporaryFolder(t);
  const port = await freePort();
  let etcd = await startEtcd({ dataDir, port });
  t.teardown(() => etcd.stop('SIGKILL'));
  etcdctl(etcd.url, 'user', 'add', 'root:secret');
  etcdctl(etcd.url, 'user', 'grant-role', 'root', 'root');
  etcdctl(etcd.url, 'auth', 'enable');
  const open = (user?: { name: string; password: string }) => {
    const client = createRemoteClient({ endpoints: [etcd.url], user, logger: silent });
    t.teardown(() => client.close());
    return client;
  };
  const key = bytes('a');
  const root = open({ name: 'root', password: 'secret' });

  await fails(t, open().range({ key }), 'UserEmpty');
  await fails(t, open({ name: 'root', password: 'wrong' }).range({ key }), 'AuthFailed');
  await root.put({ key, value: bytes('1') });
  const reader = new WatchReader(root.watch());
  t.teardown(() => reader.stream.close());
  reader.stream.create({ key });
  await reader.next();
  // A simple token is known only to the process that gave it.
  await etcd.stop('SIGKILL');
  etcd = await startEtcd({ dataDir, port });
  const { header } = await root.range({ key });
  await root.put({ key, value: bytes('2') });
  t.same(await reader.events(1), [`put a=2 m${header.revision + 1}`], 'call and watch have got a new one');
  t.ok((await root.leaseKeepAlive((await root.leaseGrant({ ttl: 60 })).id)).ttl > 0);
});

t.test('certificates', { skip: etcdMissing }, async (t) => {
  const authority = await issueAuthority('etcd', Date.now());
  const other = await issueAuthority('stranger', Date.now());
  const leaf = (signer: KeyPair, name: string) =>
    issueLeaf(signer, { commonName: name, usage: 'peer', ipAddresses: ['127.0.0.1'] }, Date.now());
  const [server, own, stranger] = [
    await leaf(authority, 'server'),
    await leaf(authority, 'client'),
    await leaf(other, 'client'),
  ];
  const folder = t.testdir({ 'ca.pem': authority.cert, 'cert.pem': server.cert, 'key.pem': server.key });
  const file = (flag: string, name: string) => [`--${flag}`, join(folder, name)];
  const etcd = await startEtcd({
    scheme: 'https',
    args: [
      file('cert-file', 'cert.pem'),
      file('key-file', 'key.pem'),
      file('trusted-ca-file', 'ca.pem'),
      '--client-cert-auth',
    ].flat(),
  });
  const open = (tls: ClientTls) => {
    const client = createRemoteClient({ endpoints: [etcd.url], tls, logger: silent });
    t.teardown(() => client.close());
    return client;
  };
  t.teardown(async () => {
    await etcd.stop('SIGKILL');
    await etcd.remove();
  });
  const ca = authority.cert;
  t.ok((await open({ ca, ...own }).currentRevision()) > 0);
  const refused = (tls: ClientTls, why: RegExp) =>
    t.rejects(open(tls).range({ key: bytes('a') }, { timeout: 1000 }), { code: 14, message: why });
  await refused({ ca: other.cert, ...own }, /^cannot connect to https:.*certificate/);
  await refused({ ca, ...own, serverName: 'elsewhere' }, /^cannot connect to https:.*elsewhere/);
  await refused({ ca, ...stranger }, /^(?:cannot connect|lost the connection) to https:/);
});

t.test('a real etcd', { skip: etcdMissing }, async (t) => {
  clientSuite(t, realEtcd);
  remoteFaults(t, startEtcd);
});
