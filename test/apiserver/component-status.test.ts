/** ComponentStatus: asked when it is read, and stored nowhere (kube-apiserver's `componentstatuses`). */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { componentHealth } from '../../apiserver/component-status.js';
import { loadCertificates } from '../../cli/pki/certificates.js';
import { serve } from './served-fixture.js';

const path = '/api/v1/componentstatuses';
const warning = '299 - "v1 ComponentStatus is deprecated in v1.19+"';

/** A scheduler that says how it is, a controller manager that is off, two servers of a store of which one fails. */
async function controlPlane(t: Test, answer: { status: number; body: string }) {
  const { server: pair } = await loadCertificates({
    folder: t.testdir(),
    bindAddress: '127.0.0.1',
    now: Date.now(),
  });
  const server = createServer({ key: pair.key, cert: pair.cert }, (request, response) => {
    response.statusCode = request.url === '/healthz' ? answer.status : 404;
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return componentHealth({
    programs: [
      ['scheduler', (server.address() as AddressInfo).port],
      ['controller-manager', 1],
    ],
    stores: [() => Promise.resolve(), () => Promise.reject(new Error('context deadline exceeded'))],
  });
}

const component = (name: string, health: object) => ({
  metadata: { name },
  conditions: [{ type: 'Healthy', ...health }],
});
const refused = 'Get "https://127.0.0.1:1/healthz": dial tcp 127.0.0.1:1: connect: connection refused';
const all = [
  component('controller-manager', { status: 'False', message: refused }),
  component('etcd-0', { status: 'True', message: 'ok' }),
  component('etcd-1', { status: 'False', error: 'context deadline exceeded' }),
  component('scheduler', { status: 'True', message: 'ok' }),
];

t.test('each part of the control plane is asked how it does', async (t) => {
  const answer = { status: 200, body: 'ok' };
  const computed = new Map([['/componentstatuses', await controlPlane(t, answer)]]);
  const { ask } = await serve(t, { computed });
  const list = await ask(path);
  t.equal(list.status, 200);
  t.equal(list.headers['warning'], warning);
  t.same(list.json, { kind: 'ComponentStatusList', apiVersion: 'v1', metadata: {}, items: all });

  const one = await ask(`${path}/etcd-1`);
  t.equal(one.headers['warning'], warning);
  t.same(one.json, { kind: 'ComponentStatus', apiVersion: 'v1', ...all[2] });

  answer.status = 500;
  t.same((await ask(`${path}/scheduler`)).json['conditions'], [
    { type: 'Healthy', status: 'False', message: 'HTTP probe failed with statuscode: 500' },
  ]);
  const absent = await ask(`${path}/nobody`);
  t.equal(absent.status, 500, 'upstream has no better code');
  t.equal(absent.json.message, 'Component not found: nobody');
});

t.test('it is listed as other kinds are', async (t) => {
  const computed = new Map([['/componentstatuses', await controlPlane(t, { status: 200, body: 'ok' })]]);
  const { ask } = await serve(t, { computed });
  const names = async (query: string) =>
    ((await ask(`${path}?${query}`)).json['items'] as { metadata: { name: string } }[]).map(
      ({ metadata }) => metadata.name,
    );
  t.same(await names('fieldSelector=metadata.name%3Detcd-0'), ['etcd-0']);
  t.same(await names('labelSelector=a%3Db'), []);
  t.same((await names('limit=1')).length, 4, 'a limit cuts nothing here, as upstream');
  const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1';
  const table = await ask(path, { headers: { accept } });
  const { metadata, rows } = table.json as unknown as { metadata: object; rows: { cells: unknown[] }[] };
  t.same(metadata, {});
  t.same(
    rows.map(({ cells }) => cells),
    [
      ['controller-manager', 'Unhealthy', refused, ''],
      ['etcd-0', 'Healthy', 'ok', ''],
      ['etcd-1', 'Unhealthy', '', 'context deadline exceeded'],
      ['scheduler', 'Healthy', 'ok', ''],
    ],
  );
  const protobuf = await ask(path, { headers: { accept: 'application/vnd.kubernetes.protobuf' } });
  t.match(protobuf.text, /^k8s\0.*ComponentStatusList.*scheduler/s);
  for (const method of ['POST', 'DELETE', 'PUT', 'PATCH']) {
    t.equal((await ask(`${path}/etcd-0`, { method, body: {} })).status, 405, method);
  }
  t.equal((await ask(`${path}?watch=1`)).status, 405);
});
