/** Controllers in a cluster: one member runs them, and another when that one is killed. */
import t from 'tap';
import { Cluster } from '../tools/cluster.js';
import { clientOf, owner, until } from './deletion-client.js';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/wherry-controller-manager';

t.test('of three members one collects, and another when that one is killed', async (t) => {
  const cluster = await Cluster.start();
  t.teardown(() => cluster.stop());
  const LEADS = 'this member runs the controllers';
  const leading = () => cluster.members.filter(({ output }) => output.includes(LEADS));
  await until('one leads', async () => leading().length > 0);
  const [holder] = leading();
  if (holder === undefined) throw new Error('nobody runs the controllers');
  const others = cluster.members.filter((member) => member !== holder);
  const [other = holder] = others;
  const { ask, create, remove, untilGone } = clientOf(other.url);
  const before = await ask('GET', LEASE);
  t.ok(before.body.spec?.holderIdentity?.startsWith(`${holder.name}_`));

  const first = await create('configmaps', 'first');
  await create('configmaps', 'of-first', [owner(first)]);
  await remove('configmaps', 'first');
  await untilGone('configmaps', 'of-first');
  t.same(leading(), [holder], 'nobody else has begun to');

  await holder.stop('SIGKILL');
  const second = await create('configmaps', 'second');
  await create('configmaps', 'of-second', [owner(second, true)]);
  await remove('configmaps', 'second', { propagationPolicy: 'Foreground' });
  await untilGone('configmaps', 'second');
  await untilGone('configmaps', 'of-second');
  const successors = leading();
  t.equal(successors.length, 1, 'one of the others');
  const after = await ask('GET', LEASE);
  t.ok(after.body.spec?.holderIdentity?.startsWith(`${successors[0]?.name}_`));
  t.same(cluster.crashes, []);
});
