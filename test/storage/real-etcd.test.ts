/** The client suite over gRPC against a real etcd, where one is installed: what checks the suite itself. */
import t, { type Test } from 'tap';
import { createRemoteClient } from '../../storage/client/remote/index.js';
import { isProgressTrusted } from '../../storage/client/remote/progress.js';
import { etcdMissing, startEtcd } from '../tools/real-etcd.js';
import { clientSuite } from './client-suite.js';
import { silent } from './tools.js';

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

t.test('a real etcd', { skip: etcdMissing }, async (t) => {
  clientSuite(t, realEtcd);
});
