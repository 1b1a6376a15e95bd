/** What tells of the server's credentials: its authority in every namespace, how it knows its clients, and tokens in Secrets. */
import t from 'tap';
import {
  ControllerManager,
  clusterAuthentication,
  controllersNamed,
} from '../../apiserver/controllers/index.js';
import { ofExisting } from '../../apiserver/registry/existing.js';
import type { KubeObject } from '../../schemas/definition.js';
import { issueAuthority } from '../../cli/pki/issue.js';
import { type Fixture, context, exists, logger, openFixture, until } from './controllers-fixture.js';
import { serve, type Served, type ServedOptions } from './served-fixture.js';

const AUTHORITY = '-----BEGIN CERTIFICATE-----\nof the test\n-----END CERTIFICATE-----\n';
const ROOT_CA = 'kube-root-ca.crt';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

const tokens = { issueLegacy: async () => 'none' };

async function open(
  t: Parameters<typeof openFixture>[0],
  names: readonly string[],
  authority = AUTHORITY,
): Promise<Fixture & { readonly manager: ControllerManager }> {
  const fixture = await openFixture(t);
  const manager = managerOf(fixture, names, authority);
  t.teardown(() => manager.stop());
  return { ...fixture, manager };
}

function managerOf({ table }: Fixture, names: readonly string[], authority = AUTHORITY): ControllerManager {
  const manager = new ControllerManager({
    table,
    logger,
    controllers: controllersNamed(names, { authority, tokens }),
  });
  manager.start();
  return manager;
}

const update = (
  { registry }: Fixture,
  plural: string,
  [namespace, name]: readonly [string, string],
  next: (current: KubeObject) => KubeObject,
) => registry(plural).update(context, namespace, name, ofExisting(next), { allowCreate: false });

const PUBLISHER = ['root-ca-certificate-publisher-controller'];

t.test('root CA: every namespace has the authority of the server, as upstream describes it', async (t) => {
  const fixture = await open(t, PUBLISHER);
  await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
  await until(() => exists(fixture, 'configmaps', 'demo', ROOT_CA));
  const made = await fixture.get('configmaps', 'demo', ROOT_CA);
  t.same(made['data'], { 'ca.crt': AUTHORITY });
  t.same(made.metadata.annotations, { 'kubernetes.io/description': DESCRIPTION });
  const [entry] = made.metadata.managedFields as { readonly manager: string }[];
  t.equal(entry?.manager, 'kube-controller-manager');
});

t.test('root CA: what somebody deletes or changes in it comes back, and their own labels stay', async (t) => {
  const fixture = await open(t, PUBLISHER);
  await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
  await until(() => exists(fixture, 'configmaps', 'demo', ROOT_CA));
  const { uid } = (await fixture.get('configmaps', 'demo', ROOT_CA)).metadata;

  await fixture.registry('configmaps').delete(context, 'demo', ROOT_CA);
  await until(() => exists(fixture, 'configmaps', 'demo', ROOT_CA));
  t.not((await fixture.get('configmaps', 'demo', ROOT_CA)).metadata.uid, uid);

  const place = ['demo', ROOT_CA] as const;
  const isRight = async () => {
    const { data, metadata } = await fixture.get('configmaps', 'demo', ROOT_CA);
    const isWhole = JSON.stringify(data) === JSON.stringify({ 'ca.crt': AUTHORITY });
    return isWhole && Boolean(metadata.annotations?.['kubernetes.io/description']);
  };
  const changes: ((current: KubeObject) => KubeObject)[] = [
    (current) => ({ ...current, data: { 'ca.crt': 'of somebody else' } }),
    (current) => ({ ...current, data: { 'ca.crt': AUTHORITY, more: 'x' } }),
    ({ data: _data, ...rest }) => rest,
    (current) => ({ ...current, metadata: { ...current.metadata, annotations: {}, labels: { mine: '1' } } }),
  ];
  for (const change of changes) {
    const before = (await update(fixture, 'configmaps', place, change)).item.revision;
    await until(isRight);
    const { metadata } = await fixture.get('configmaps', 'demo', ROOT_CA);
    t.ok(Number(metadata.resourceVersion) > before, 'by a write after it');
  }
  t.same((await fixture.get('configmaps', 'demo', ROOT_CA)).metadata.labels, { mine: '1' });

  const own = (current: KubeObject) => ({
    ...current,
    metadata: { ...current.metadata, annotations: { 'kubernetes.io/description': 'in our own words' } },
  });
  const described = await update(fixture, 'configmaps', place, own);
  await fixture.create('namespaces', '', { metadata: { name: 'after' } });
  await until(() => exists(fixture, 'configmaps', 'after', ROOT_CA));
  const { metadata } = await fixture.get('configmaps', 'demo', ROOT_CA);
  t.equal(metadata.resourceVersion, `${described.item.revision}`, 'another description may stay');
});

t.test('root CA: a namespace that ends gets none, and a new authority replaces the old one', async (t) => {
  const fixture = await open(t, PUBLISHER);
  await fixture.create('namespaces', '', { metadata: { name: 'ends' } });
  await fixture.create('namespaces', '', { metadata: { name: 'stays' } });
  await until(() => exists(fixture, 'configmaps', 'ends', ROOT_CA));
  await until(() => exists(fixture, 'configmaps', 'stays', ROOT_CA));
  // No namespace controller runs: it stays Terminating.
  await fixture.registry('namespaces').delete(context, '', 'ends');
  await fixture.registry('configmaps').delete(context, 'ends', ROOT_CA);
  await fixture.registry('configmaps').delete(context, 'stays', ROOT_CA);
  await until(() => exists(fixture, 'configmaps', 'stays', ROOT_CA));
  t.notOk(await exists(fixture, 'configmaps', 'ends', ROOT_CA));

  await fixture.manager.stop();
  const renewed = managerOf(fixture, PUBLISHER, 'renewed');
  t.teardown(() => renewed.stop());
  await until(
    async () =>
      JSON.stringify((await fixture.get('configmaps', 'stays', ROOT_CA))['data']) === '{"ca.crt":"renewed"}',
  );
  t.notOk(await exists(fixture, 'configmaps', 'ends', ROOT_CA));
});

t.test(
  'objects of namespaces: one that a quota keeps from being made is made once there is room',
  async (t) => {
    const fixture = await openFixture(t);
    await fixture.create('namespaces', '', { metadata: { name: 'full' } });
    const quota = { metadata: { name: 'none' }, spec: { hard: { 'count/configmaps': '0' } } };
    await fixture.create('resourcequotas', 'full', quota);
    const manager = managerOf(fixture, [...PUBLISHER, 'resourcequota-controller']);
    t.teardown(() => manager.stop());
    await fixture.create('namespaces', '', { metadata: { name: 'free' } });
    await until(() => exists(fixture, 'configmaps', 'free', ROOT_CA));
    t.notOk(await exists(fixture, 'configmaps', 'full', ROOT_CA));
    await fixture.registry('resourcequotas').delete(context, 'full', 'none');
    await until(() => exists(fixture, 'configmaps', 'full', ROOT_CA));
    t.pass('by trying again');
  },
);

t.test('cluster authentication: how clients are known, from every server, while it lasts', async (t) => {
  const fixture = await openFixture(t);
  await fixture.create('namespaces', '', { metadata: { name: 'kube-system' } });
  const name = 'extension-apiserver-authentication';
  const place = ['kube-system', name] as const;
  const now = Date.now();
  const [own, other, third] = await Promise.all(
    ['own', 'other', 'third'].map((each) => issueAuthority(each, now)),
  );
  const expired = await issueAuthority('expired', now - 4000 * 86_400_000);
  const [ours, theirs, late] = [own?.cert ?? '', other?.cert ?? '', third?.cert ?? ''];
  const start = (authority: string) => {
    const controllers = [clusterAuthentication(authority)];
    const manager = new ControllerManager({ table: fixture.table, logger, controllers });
    manager.start();
    t.teardown(() => manager.stop());
    return manager;
  };
  const told = async () => {
    const { data } = await fixture.get('configmaps', ...place);
    return (data as Readonly<Record<string, string>> | undefined)?.['client-ca-file'];
  };
  const first = start(ours);
  await until(() => exists(fixture, 'configmaps', ...place));
  const made = await fixture.get('configmaps', ...place);
  t.same(made['data'], { 'client-ca-file': ours }, 'and nothing of what is not so: requestheader-…');
  t.match(made.metadata.managedFields, [{ manager: 'kube-apiserver', operation: 'Update' }]);

  await fixture.registry('configmaps').delete(context, ...place);
  await until(() => exists(fixture, 'configmaps', ...place));
  start(theirs);
  await until(async () => (await told()) === ours + theirs);
  const before = await fixture.get('configmaps', ...place);

  const others = { 'requestheader-client-ca-file': 'x' };
  await update(fixture, 'configmaps', place, (current) => ({
    ...current,
    data: { 'client-ca-file': `${expired.cert}${late}garbage`, ...others },
  }));
  await until(async () => [late + ours + theirs, late + theirs + ours].includes((await told()) ?? ''));
  t.match((await fixture.get('configmaps', ...place))['data'], others, 'what others have said of more stays');
  t.equal((await fixture.get('configmaps', ...place)).metadata.uid, before.metadata.uid);
  await first.stop();
});

const TOKEN_TYPE = 'kubernetes.io/service-account-token';
const NAME = 'kubernetes.io/service-account.name';
const UID = 'kubernetes.io/service-account.uid';
const secrets = '/api/v1/namespaces/demo/secrets';
const accounts = '/api/v1/namespaces/demo/serviceaccounts';
const reviews = '/apis/authentication.k8s.io/v1/tokenreviews';

/** A server with the controller of tokens. */
async function serveTokens(t: Parameters<typeof serve>[0], options: ServedOptions = {}): Promise<Served> {
  const server = await serve(t, options);
  const credentials = { authority: AUTHORITY, tokens: server.tokens };
  const controllers = controllersNamed(['serviceaccount-token-controller'], credentials);
  const manager = new ControllerManager({ table: server.table, logger, controllers });
  manager.start();
  t.teardown(() => manager.stop());
  return server;
}

const tokenSecret = (name: string, account: string, more: object = {}) => ({
  metadata: { name, annotations: { [NAME]: account } },
  type: TOKEN_TYPE,
  ...more,
});

const text = (base64 = ''): string => Buffer.from(base64, 'base64').toString();

async function dataOf({ ask }: Served, name: string): Promise<Readonly<Record<string, string>>> {
  return ((await ask(`${secrets}/${name}`)).json['data'] ?? {}) as Readonly<Record<string, string>>;
}

/** The token in a Secret, once it is there. */
async function tokenIn(server: Served, name: string): Promise<string> {
  await until(async () => (await dataOf(server, name))['token'] !== undefined);
  return text((await dataOf(server, name))['token']);
}

async function reviewOf({ ask }: Served, token: string) {
  const { json } = await ask(reviews, { body: { spec: { token } } });
  return json['status'] as {
    readonly authenticated?: boolean;
    readonly error?: string;
    readonly user: object;
  };
}

const isGone = async ({ ask }: Served, path: string) => (await ask(path)).status === 404;

t.test('token secrets: filled with a token of the old form, which is its account', async (t) => {
  const server = await serveTokens(t);
  const { uid = '' } = (await server.ask(`${accounts}/default`)).json.metadata;
  await server.ask(secrets, { body: tokenSecret('robot', 'default', { stringData: { mine: 'x' } }) });
  const token = await tokenIn(server, 'robot');
  const { ['token']: _token, ...rest } = await dataOf(server, 'robot');
  t.same(Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, text(value)])), {
    'ca.crt': AUTHORITY,
    mine: 'x',
    namespace: 'demo',
  });
  const { metadata } = (await server.ask(`${secrets}/robot`)).json;
  t.same(metadata.annotations, { [NAME]: 'default', [UID]: uid });
  t.equal(
    text(token.split('.')[1]),
    JSON.stringify({
      iss: 'kubernetes/serviceaccount',
      'kubernetes.io/serviceaccount/namespace': 'demo',
      'kubernetes.io/serviceaccount/secret.name': 'robot',
      'kubernetes.io/serviceaccount/service-account.name': 'default',
      'kubernetes.io/serviceaccount/service-account.uid': uid,
      sub: 'system:serviceaccount:demo:default',
    }),
  );
  const [key] = await server.tokens.publicKeys();
  t.same(JSON.parse(text(token.split('.')[0])), { alg: 'ES256', kid: key?.id });

  t.equal((await server.ask('/api/v1/namespaces', { token })).status, 200);
  t.same(await reviewOf(server, token), {
    authenticated: true,
    user: {
      username: 'system:serviceaccount:demo:default',
      uid,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:demo', 'system:authenticated'],
    },
    audiences: ['https://kubernetes.default.svc'],
  });
});

t.test('token secrets: what somebody takes out of one comes back, what they put in stays', async (t) => {
  const server = await serveTokens(t);
  await server.ask(secrets, { body: tokenSecret('robot', 'default') });
  const first = await tokenIn(server, 'robot');
  const patch = (data: object) =>
    server.ask(`${secrets}/robot`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { data },
    });
  await patch({ 'ca.crt': null, namespace: null });
  await until(async () => Object.keys(await dataOf(server, 'robot')).length === 3);
  t.equal(await tokenIn(server, 'robot'), first, 'the token is the same');

  const own = Buffer.from('my own').toString('base64');
  await patch({ token: own });
  t.equal(
    (await reviewOf(server, first)).error,
    "[invalid bearer token, Token does not match server's copy]",
    'the old one is void',
  );
  await patch({ token: null });
  const again = await tokenIn(server, 'robot');
  t.equal((await reviewOf(server, again)).authenticated, true);
});

t.test('token secrets: none without its account, and none of another one of the name', async (t) => {
  const server = await serveTokens(t);
  await server.ask(secrets, { body: tokenSecret('nobody', 'none') });
  await until(() => isGone(server, `${secrets}/nobody`));
  const wrong = tokenSecret('wrong', 'default');
  Object.assign(wrong.metadata.annotations, { [UID]: 'another' });
  await server.ask(secrets, { body: wrong });
  await until(() => isGone(server, `${secrets}/wrong`));

  await server.ask(secrets, { body: { ...tokenSecret('opaque', 'none'), type: 'Opaque' } });
  await server.ask(accounts, { body: { metadata: { name: 'robot' } } });
  for (const name of ['one', 'two']) await server.ask(secrets, { body: tokenSecret(name, 'robot') });
  const token = await tokenIn(server, 'one');
  await tokenIn(server, 'two');
  await server.ask(`${accounts}/robot`, { method: 'DELETE' });
  for (const name of ['one', 'two']) await until(() => isGone(server, `${secrets}/${name}`));
  t.equal((await reviewOf(server, token)).error, '[invalid bearer token, Token has been invalidated]');
  t.notOk(await isGone(server, `${secrets}/opaque`), 'of another type is none of its business');
  t.same(await dataOf(server, 'opaque'), {});
});

t.test('token secrets: an account no longer names one that is gone', async (t) => {
  const server = await serveTokens(t);
  await server.ask(secrets, { body: tokenSecret('robot', 'default') });
  await tokenIn(server, 'robot');
  const put = (names: readonly string[]) =>
    server.ask(`${accounts}/default`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { secrets: names.map((name) => ({ name })) },
    });
  const named = async () => (await server.ask(`${accounts}/default`)).json['secrets'];
  await put(['robot', 'other']);
  await server.ask(`${secrets}/robot`, { method: 'DELETE' });
  await until(async () => JSON.stringify(await named()) === '[{"name":"other"}]');
  t.pass();
});

t.test('token secrets: the account must be the one of then, and the secret not marked invalid', async (t) => {
  let now = Date.parse('2031-05-06T12:00:00Z');
  // No controller: what it would remove is what is looked at.
  const server = await serve(t, { now: () => now });
  const { uid = '' } = (await server.ask(`${accounts}/default`)).json.metadata;
  const token = await server.tokens.issueLegacy({
    namespace: 'demo',
    account: { name: 'default', uid },
    secret: 'robot',
  });
  const problem = async () => (await reviewOf(server, token)).error;
  const about = (what: string) => `[invalid bearer token, ${what}]`;
  t.equal(await problem(), about('Token has been invalidated'), 'there is no such secret');
  await server.ask(secrets, { body: tokenSecret('robot', 'default', { stringData: { token } }) });
  t.equal(await problem(), undefined);

  const labels = async () => (await server.ask(`${secrets}/robot`)).json.metadata.labels;
  t.same(await labels(), { 'kubernetes.io/legacy-token-last-used': '2031-05-06' });
  const { metadata } = (await server.ask(`${secrets}/robot`)).json;
  await problem();
  t.equal(
    (await server.ask(`${secrets}/robot`)).json.metadata.resourceVersion,
    metadata.resourceVersion,
    'once a day',
  );
  now += 86_400_000;
  await problem();
  t.same(await labels(), { 'kubernetes.io/legacy-token-last-used': '2031-05-07' });

  const label = (value: string | null) =>
    server.ask(`${secrets}/robot`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { 'kubernetes.io/legacy-token-invalid-since': value } } },
    });
  await label('2031-05-01');
  t.equal(
    await problem(),
    about(
      "the token in secret demo/robot for service account demo/default has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the 'kubernetes.io/legacy-token-invalid-since' label from the secret to temporarily allow use of this token",
    ),
  );
  t.equal((await server.ask('/api/v1/namespaces', { token })).status, 401);
  await label(null);
  t.equal(await problem(), undefined);

  await server.ask(`${accounts}/default`, { method: 'DELETE' });
  t.equal(await problem(), about('serviceaccounts "default" not found'));
  const next = await server.ask(accounts, { body: { metadata: { name: 'default' } } });
  t.equal(
    await problem(),
    about(`ServiceAccount UID (${next.json.metadata.uid}) does not match claim (${uid})`),
  );
});
