/** The client suite and the cuts over gRPC against `wherry etcd`. */
import t, { type Test } from 'tap';
import { createRemoteClient } from '../../storage/client/remote/index.js';
import { startWherryEtcd } from '../tools/etcd-process.js';
import { clientSuite } from './client-suite.js';
import { remoteFaults } from './remote-faults.js';
import { silent } from './tools.js';

async function wherryEtcd(t: Test) {
  const etcd = await startWherryEtcd();
  const client = createRemoteClient({ endpoints: [etcd.url], logger: silent });
  t.teardown(async () => {
    await client.close();
    await etcd.stop();
    await etcd.remove();
  });
  return { client, tellsProgress: true };
}

clientSuite(t, wherryEtcd);
remoteFaults(t, startWherryEtcd);
