/** What a client finds soon after a start that it has not made: roles, bindings, flow schemas, priority levels and classes. */
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { KubeObject } from '../../schemas/definition.js';
import { startWherry, temporaryFolder } from '../tools/wherry.js';

const WAIT_MS_MAX = 20_000;
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const FLOW_CONTROL = '/apis/flowcontrol.apiserver.k8s.io/v1';
/** How many there are of each. */
const COUNTS: Readonly<Record<string, number>> = {
  [`${RBAC}/clusterroles`]: 69,
  [`${RBAC}/clusterrolebindings`]: 50,
  [`${RBAC}/roles`]: 7,
  [`${RBAC}/rolebindings`]: 7,
  [`${FLOW_CONTROL}/flowschemas`]: 13,
  [`${FLOW_CONTROL}/prioritylevelconfigurations`]: 8,
  '/apis/scheduling.k8s.io/v1/priorityclasses': 2,
};

async function until(check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${WAIT_MS_MAX} ms: ${check.toString()}`);
    await sleep(10);
  }
}

t.test('bootstrap objects are there after a start, and again after the next', async (t) => {
  const dataDir = await temporaryFolder('bootstrap');
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const first = await startWherry({ dataDir, backend: 'embedded' });
  const list = async (url: string, path: string): Promise<readonly KubeObject[]> =>
    ((await (await fetch(`${url}${path}`)).json()) as { items: KubeObject[] }).items;
  for (const [path, count] of Object.entries(COUNTS)) {
    await until(async () => (await list(first.url, path)).length >= count);
    t.equal((await list(first.url, path)).length, count, path);
  }
  const statusOf = async (): Promise<unknown[]> =>
    (await list(first.url, `${FLOW_CONTROL}/flowschemas`)).map(
      ({ status }) => (status as { conditions?: { status: string }[] }).conditions?.[0]?.status,
    );
  await until(async () => (await statusOf()).every((status) => status === 'False'));
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const table = await fetch(`${first.url}${FLOW_CONTROL}/flowschemas`, { headers });
  const { rows } = (await table.json()) as { rows: { cells: unknown[] }[] };
  t.same(
    rows.map(({ cells: [name, , precedence] }) => [precedence, name]),
    [
      [1, 'exempt'],
      [2, 'probes'],
      [100, 'system-leader-election'],
      [150, 'endpoint-controller'],
      [200, 'workload-leader-election'],
      [400, 'system-node-high'],
      [500, 'system-nodes'],
      [800, 'kube-controller-manager'],
      [800, 'kube-scheduler'],
      [900, 'kube-system-service-accounts'],
      [9000, 'service-accounts'],
      [9900, 'global-default'],
      [10_000, 'catch-all'],
    ],
    'in a table by precedence',
  );
  const adminOf = async (url: string) =>
    (await (await fetch(`${url}${RBAC}/clusterroles/admin`)).json()) as KubeObject & { rules?: unknown[] };
  await until(async () => ((await adminOf(first.url)).rules ?? []).length > 20);

  const gone = `${RBAC}/clusterroles/system:kube-dns`;
  t.equal((await fetch(`${first.url}${gone}`, { method: 'DELETE' })).status, 200);
  await first.stop();

  const second = await startWherry({ dataDir, backend: 'embedded' });
  t.teardown(() => second.stop());
  await until(async () => (await fetch(`${second.url}${gone}`)).ok);
  t.equal((await adminOf(second.url)).metadata.uid?.length, 36);
});
