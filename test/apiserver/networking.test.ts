/** Services, their addresses and their endpoints over HTTP. */
import t from 'tap';
import { serve } from './served-fixture.js';

const DEPRECATED = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"';

t.test('every request for Endpoints is warned of', async (t) => {
  const { ask } = await serve(t);
  const path = '/api/v1/namespaces/demo/endpoints';
  const body = { metadata: { name: 'db' }, subsets: [{ addresses: [{ ip: '192.0.2.1' }] }] };
  const patch = { method: 'PATCH', contentType: 'application/merge-patch+json', body: { subsets: null } };
  for (const [name, answer] of [
    ['create', await ask(path, { body })],
    ['get', await ask(`${path}/db`)],
    ['list', await ask(path)],
    ['watch', await ask(`${path}?watch=1&timeoutSeconds=1`)],
    ['patch', await ask(`${path}/db`, patch)],
    ['update', await ask(`${path}/db`, { method: 'PUT', body })],
    ['a get of none', await ask(`${path}/none`)],
    ['delete', await ask(`${path}/db`, { method: 'DELETE' })],
  ] as const) {
    t.equal(answer.headers['warning'], DEPRECATED, name);
  }
  const slices = await ask('/apis/discovery.k8s.io/v1/namespaces/demo/endpointslices');
  t.equal(slices.headers['warning'], undefined);
});

t.test('the generation of an EndpointSlice counts changes of its labels too', async (t) => {
  const { ask } = await serve(t);
  const path = '/apis/discovery.k8s.io/v1/namespaces/demo/endpointslices';
  await ask(path, { body: { metadata: { name: 'web' }, addressType: 'IPv4' } });
  const generationAfter = async (body: unknown) => {
    const contentType = 'application/merge-patch+json';
    const { json } = await ask(`${path}/web`, { method: 'PATCH', contentType, body });
    return json.metadata.generation;
  };
  t.equal(await generationAfter({ metadata: { annotations: { a: '1' } } }), 1);
  t.equal(await generationAfter({ metadata: { labels: { a: '1' } } }), 2);
  t.equal(await generationAfter({ endpoints: [{ addresses: ['10.0.0.1'] }] }), 3);
  t.equal(await generationAfter({ endpoints: [{ addresses: ['10.0.0.1'] }] }), 3);
});
