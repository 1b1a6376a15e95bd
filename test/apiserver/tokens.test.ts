/** Tokens of service accounts: asked for, shown, reviewed, verified by others, and void when what they stand for is gone. */
import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JSONWebKeySet,
  jwtVerify,
  SignJWT,
} from 'jose';
import t from 'tap';
import { WebSocket } from 'ws';
import { splitAccountUserName } from '../../apiserver/auth/service-account-user.js';
import { readClaims } from '../../apiserver/auth/token-claims.js';
import {
  givenKeys,
  publicKeysOfPem,
  StoredKeys,
  TokenKeyError,
  type TokenKeys,
} from '../../apiserver/auth/token-keys.js';
import type { KubeObject } from '../../schemas/definition.js';
import { ISSUER, serve, type Served } from './served-fixture.js';

const accounts = '/api/v1/namespaces/demo/serviceaccounts';
const tokenOf = '/api/v1/namespaces/demo/serviceaccounts/default/token';
const reviews = '/apis/authentication.k8s.io/v1/tokenreviews';
const whoAmI = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const pod = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});

interface TokenRequest extends KubeObject {
  spec: { audiences: string[]; expirationSeconds: number; boundObjectRef: unknown };
  status: { token: string; expirationTimestamp: string };
}

async function requestToken(server: Served, spec: object = {}, path = tokenOf): Promise<TokenRequest> {
  const answer = await server.ask(path, { body: { spec } });
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.json as unknown as TokenRequest;
}

const tokenFor = async (server: Served, spec: object = {}): Promise<string> =>
  (await requestToken(server, spec)).status.token;

async function create(server: Served, path: string, body: object): Promise<KubeObject> {
  const answer = await server.ask(path, { body });
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.json;
}

const statusOfToken = async (server: Served, token: string): Promise<number> =>
  (await server.ask('/api/v1/namespaces', { token })).status;

/** What a review says is wrong with a token. */
async function problemOf(server: Served, token: string, audiences?: string[]): Promise<unknown> {
  const { json } = await server.ask(reviews, { body: { spec: { token, ...(audiences && { audiences }) } } });
  return (json['status'] as { error?: string }).error;
}

const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

t.test('#193: a TokenRequest is answered with a token that says whose it is', async (t) => {
  const server = await serve(t);
  const account = (await server.ask(`${accounts}/default`)).json;
  const { uid } = account.metadata;
  const before = Math.floor(Date.now() / 1000);
  const request = await requestToken(server, { expirationSeconds: 900 });
  t.match(request, {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: {
      name: 'default',
      namespace: 'demo',
      uid,
      creationTimestamp: /Z$/,
      managedFields: [
        {
          manager: 'unknown',
          operation: 'Update',
          apiVersion: 'authentication.k8s.io/v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:spec': { 'f:expirationSeconds': {} } },
          subresource: 'token',
        },
      ],
    },
    spec: { audiences: [ISSUER], expirationSeconds: 900, boundObjectRef: null },
  });
  const { token, expirationTimestamp } = request.status;
  const claims = decodeJwt(token);
  t.match(claims, {
    aud: [ISSUER],
    iss: ISSUER,
    jti: /^[0-9a-f-]{36}$/,
    sub: 'system:serviceaccount:demo:default',
    'kubernetes.io': { namespace: 'demo', serviceaccount: { name: 'default', uid } },
  });
  t.same(
    Object.keys(claims),
    ['aud', 'exp', 'iat', 'iss', 'jti', 'kubernetes.io', 'nbf', 'sub'],
    'in Go’s order',
  );
  t.equal(claims.nbf, claims.iat);
  t.equal(claims.exp, (claims.iat ?? 0) + 900);
  t.ok((claims.iat ?? 0) >= before);
  t.equal(Date.parse(expirationTimestamp), (claims.exp ?? 0) * 1000);
  const other = await requestToken(server, { audiences: ['vault', 'b'] });
  t.same(other.spec, { audiences: ['vault', 'b'], expirationSeconds: 3600, boundObjectRef: null });
  t.same(decodeJwt(other.status.token).aud, ['vault', 'b']);
  t.not(decodeJwt(other.status.token).jti, claims.jti);
});

t.test('what a TokenRequest may not ask for', async (t) => {
  const server = await serve(t);
  await create(server, accounts, { metadata: { name: 'robot' } });
  const pods = '/api/v1/namespaces/demo/pods';
  await create(server, pods, pod('p', { serviceAccountName: 'robot' }));
  await create(server, pods, pod('mine'));
  const uid = (await server.ask(`${accounts}/default`)).json.metadata.uid;
  const refusals: [object, number, string][] = [
    [
      { spec: { expirationSeconds: 599 } },
      422,
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
    ],
    [
      { spec: { expirationSeconds: 2 ** 32 + 1 } },
      422,
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
    ],
    [
      { metadata: { name: 'robot' }, spec: {} },
      422,
      'TokenRequest.authentication.k8s.io "default" is invalid: metadata.name: Invalid value: "robot": must match the service account name if specified',
    ],
    [
      { metadata: { namespace: 'other' }, spec: {} },
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      { metadata: { uid: 'other' }, spec: {} },
      409,
      `Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "default": the UID in the token request (other) does not match the UID of the service account (${uid})`,
    ],
    [
      { spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } } },
      400,
      'cannot bind token for serviceaccount "default" to pod running with different serviceaccount name.',
    ],
    [{ spec: { boundObjectRef: { kind: 'Pod', name: 'none' } } }, 404, 'pods "none" not found'],
    [{ spec: { boundObjectRef: { kind: 'Node', name: 'none' } } }, 404, 'nodes "none" not found'],
    [{ spec: { boundObjectRef: { kind: 'Secret', name: 'none' } } }, 404, 'secrets "none" not found'],
    [
      { spec: { boundObjectRef: { kind: 'Deployment', apiVersion: 'apps/v1', name: 'd' } } },
      400,
      'cannot bind token to object of type apps/v1, Kind=Deployment',
    ],
    [
      { spec: { boundObjectRef: { kind: 'ConfigMap', apiVersion: 'v1', name: 'c' } } },
      400,
      'cannot bind token to object of type /v1, Kind=ConfigMap',
    ],
    [
      { spec: { boundObjectRef: { kind: 'Pod', name: 'mine', uid: 'other' } } },
      409,
      'Operation cannot be fulfilled on Pod "mine": the UID in the bound object reference (other) does not match the UID in record. The object might have been deleted and then recreated',
    ],
    [{ kind: 'Pod', apiVersion: 'v1', spec: {} }, 400, ''],
  ];
  for (const [body, code, message] of refusals) {
    const answer = await server.ask(tokenOf, { body });
    t.equal(answer.status, code, answer.text);
    if (message !== '') t.equal(answer.json.message, message);
  }
  t.equal((await requestToken(server, { expirationSeconds: 600 })).spec.expirationSeconds, 600);
  t.equal((await requestToken(server, { expirationSeconds: 2 ** 32 })).spec.expirationSeconds, 2 ** 32);
  const absent = await server.ask(`${accounts}/none/token`, { body: { spec: {} } });
  t.equal(absent.json.message, 'serviceaccounts "none" not found');
  const nowhere = '/api/v1/namespaces/none/serviceaccounts/x/token';
  t.equal((await server.ask(nowhere, { body: { spec: {} } })).json.message, 'namespaces "none" not found');
  t.equal((await server.ask(tokenOf)).status, 405);
});

t.test('a bearer token is its service account', async (t) => {
  const server = await serve(t);
  const nodes = '/api/v1/nodes';
  const node = await create(server, nodes, { metadata: { name: 'n' } });
  const running = await create(server, '/api/v1/namespaces/demo/pods', pod('p', { nodeName: 'n' }));
  const lost = await create(server, '/api/v1/namespaces/demo/pods', pod('q', { nodeName: 'gone' }));
  const { uid } = (await server.ask(`${accounts}/default`)).json.metadata;
  const userOf = async (token: string) => {
    const { json } = await server.ask(whoAmI, { body: {}, token });
    return (json['status'] as { userInfo: Record<string, unknown> }).userInfo;
  };
  const jti = (token: string) => `JTI=${decodeJwt(token).jti}`;
  const plain = await tokenFor(server);
  t.same(await userOf(plain), {
    username: 'system:serviceaccount:demo:default',
    uid,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:demo', 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': [jti(plain)] },
  });
  const bound = await tokenFor(server, { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } });
  t.match(decodeJwt(bound)['kubernetes.io'], {
    namespace: 'demo',
    node: { name: 'n', uid: node.metadata.uid },
    pod: { name: 'p', uid: running.metadata.uid },
  });
  t.same((await userOf(bound))['extra'], {
    'authentication.kubernetes.io/credential-id': [jti(bound)],
    'authentication.kubernetes.io/node-name': ['n'],
    'authentication.kubernetes.io/node-uid': [node.metadata.uid],
    'authentication.kubernetes.io/pod-name': ['p'],
    'authentication.kubernetes.io/pod-uid': [running.metadata.uid],
  });
  const elsewhere = await tokenFor(server, { boundObjectRef: { kind: 'Pod', name: 'q' } });
  t.same((await userOf(elsewhere))['extra'], {
    'authentication.kubernetes.io/credential-id': [jti(elsewhere)],
    'authentication.kubernetes.io/node-name': ['gone'],
    'authentication.kubernetes.io/pod-name': ['q'],
    'authentication.kubernetes.io/pod-uid': [lost.metadata.uid],
  });
  const ofNode = await tokenFor(server, { boundObjectRef: { kind: 'Node', apiVersion: 'v1', name: 'n' } });
  t.match((await userOf(ofNode))['extra'], { 'authentication.kubernetes.io/node-uid': [node.metadata.uid] });
});

t.test('how a bearer token is shown', async (t) => {
  const server = await serve(t);
  const token = await tokenFor(server);
  const status = async (authorization: string) =>
    (await server.ask('/version', { headers: { authorization } })).status;
  t.equal(await status(`Bearer ${token}`), 200);
  t.equal(await status(`bearer ${token}`), 200, 'whatever its case');
  t.equal(await status('Bearer nonsense'), 401, 'also on the plain port, and on public paths');
  t.equal(await status('Bearer '), 401);
  t.equal(await status('Basic YTpi'), 200, 'what is no bearer token counts as nothing');
  const socket = (protocols: string[]) =>
    new Promise<string>((resolve) => {
      const url = `${server.url.replace('http', 'ws')}/api/v1/namespaces/demo/pods?watch=true&timeoutSeconds=1`;
      const client = new WebSocket(url, protocols);
      client.on('error', (error) => resolve(error.message));
      client.on('close', () => resolve(client.protocol));
    });
  const asProtocol = (text: string) => `base64url.bearer.authorization.k8s.io.${text}`;
  const encoded = asProtocol(Buffer.from(token).toString('base64url'));
  t.equal(await socket(['v4.channel.k8s.io', encoded]), 'v4.channel.k8s.io', 'the token is not selected');
  const refused = 'Unexpected server response: 401';
  t.equal(await socket([encoded]), refused, 'there must be another protocol');
  t.equal(await socket(['a', encoded, asProtocol('eA')]), refused, 'two tokens');
  t.equal(await socket(['a', asProtocol('bm9uc2Vuc2U')]), refused);
});

t.test('a token is void without its account and what it is bound to', async (t) => {
  const server = await serve(t);
  const secrets = '/api/v1/namespaces/demo/secrets';
  const pods = '/api/v1/namespaces/demo/pods';
  await create(server, '/api/v1/nodes', { metadata: { name: 'n' } });
  await create(server, secrets, { metadata: { name: 's' } });
  await create(server, pods, pod('p'));
  const bindTo = (kind: string, name: string) => tokenFor(server, { boundObjectRef: { kind, name } });
  const invalidated = '[invalid bearer token, service account token has been invalidated]';
  const cases = [
    { kind: 'Secret', name: 's', path: secrets, again: { metadata: { name: 's' } } },
    { kind: 'Pod', name: 'p', path: pods, again: pod('p') },
    { kind: 'Node', name: 'n', path: '/api/v1/nodes', again: { metadata: { name: 'n' } } },
  ];
  for (const { kind, name, path, again } of cases) {
    const token = await bindTo(kind, name);
    t.equal(await statusOfToken(server, token), 200, kind);
    const { uid } = (await server.ask(`${path}/${name}`)).json.metadata;
    await server.ask(`${path}/${name}?gracePeriodSeconds=0`, { method: 'DELETE' });
    t.equal(await statusOfToken(server, token), 401, `${kind} is gone`);
    t.equal(await problemOf(server, token), invalidated);
    const next = await create(server, path, again);
    const what = kind.toLowerCase();
    t.equal(
      await problemOf(server, token),
      `[invalid bearer token, ${what} UID (${next.metadata.uid}) does not match service account ${what} ref claim (${uid})]`,
      'another one of the name',
    );
  }
  const token = await tokenFor(server);
  const { uid } = (await server.ask(`${accounts}/default`)).json.metadata;
  await server.ask(`${accounts}/default`, { method: 'DELETE' });
  t.equal(await statusOfToken(server, token), 401);
  t.equal(await problemOf(server, token), '[invalid bearer token, serviceaccounts "default" not found]');
  const next = await create(server, accounts, { metadata: { name: 'default' } });
  t.equal(
    await problemOf(server, token),
    `[invalid bearer token, service account UID (${next.metadata.uid}) does not match claim (${uid})]`,
  );
});

t.test('an object that is being deleted stands for a minute', async (t) => {
  let now = Date.now();
  const server = await serve(t, { now: () => now });
  const metadata = { name: 'held', finalizers: ['example.com/stay'] };
  await create(server, accounts, { metadata });
  const { token } = (await requestToken(server, {}, `${accounts}/held/token`)).status;
  await server.ask(`${accounts}/held`, { method: 'DELETE' });
  now += 59_000;
  t.equal(await statusOfToken(server, token), 200);
  now += 3_000;
  t.equal(
    await problemOf(server, token),
    '[invalid bearer token, service account demo/held has been deleted]',
  );
});

t.test('a token has its time, give or take a minute', async (t) => {
  const start = Date.now();
  let now = start;
  const server = await serve(t, { now: () => now });
  const token = await tokenFor(server, { expirationSeconds: 600 });
  now = start - 58_000;
  t.equal(await statusOfToken(server, token), 200);
  now = start - 63_000;
  t.equal(await problemOf(server, token), '[invalid bearer token, service account token is not valid yet]');
  now = start + 658_000;
  t.equal(await statusOfToken(server, token), 200);
  now = start + 662_000;
  t.equal(await problemOf(server, token), '[invalid bearer token, service account token has expired]');
  t.equal(await statusOfToken(server, token), 401);
});

t.test('mounted tokens (3607 s) say when to warn and live on for a year', async (t) => {
  const server = await serve(t);
  await create(server, '/api/v1/namespaces/demo/pods', pod('p'));
  const boundObjectRef = { kind: 'Pod', name: 'p' };
  const spanOf = (token: string) => {
    const { exp = 0, iat = 0, ...claims } = decodeJwt(token);
    const { warnafter } = claims['kubernetes.io'] as { warnafter?: number };
    return [exp - iat, warnafter === undefined ? undefined : warnafter - iat];
  };
  const mounted = await requestToken(server, { expirationSeconds: 3607, boundObjectRef });
  t.same(spanOf(mounted.status.token), [365 * 86_400, 3607]);
  const { iat = 0 } = decodeJwt(mounted.status.token);
  t.equal(Date.parse(mounted.status.expirationTimestamp), (iat + 3607) * 1000, 'to be read anew by then');
  const others = [
    { expirationSeconds: 3607 },
    { expirationSeconds: 3608, boundObjectRef },
    { expirationSeconds: 3607, boundObjectRef, audiences: ['vault'] },
  ];
  for (const spec of others) {
    t.same(spanOf(await tokenFor(server, spec)), [spec.expirationSeconds, undefined], JSON.stringify(spec));
  }
});

t.test('TokenReview', async (t) => {
  const server = await serve(t, { audiences: ['api', 'kubernetes'] });
  const review = async (spec: object) => server.ask(reviews, { body: { spec } });
  const token = await tokenFor(server);
  t.same(decodeJwt(token).aud, ['api', 'kubernetes']);
  const { json } = await review({ token });
  t.match(json, {
    kind: 'TokenReview',
    apiVersion: 'authentication.k8s.io/v1',
    spec: { token },
    status: {
      authenticated: true,
      user: { username: 'system:serviceaccount:demo:default', groups: Array },
      audiences: ['api', 'kubernetes'],
    },
  });
  const some = await review({ token, audiences: ['other', 'kubernetes'] });
  t.match(some.json['status'], { authenticated: true, audiences: ['kubernetes'] });
  t.same((await review({ token, audiences: ['a', 'b'] })).json['status'], {
    user: {},
    error:
      '[invalid bearer token, token audiences ["api" "kubernetes"] is invalid for the target audiences ["a" "b"]]',
  });
  t.same(
    (await review({ token: 'nonsense' })).json['status'],
    { user: {}, error: 'invalid bearer token' },
    '#199',
  );
  const none = await review({});
  t.same([none.status, none.json.message], [400, 'token is required for TokenReview in authentication']);
  const vault = await tokenFor(server, { audiences: ['vault'] });
  t.equal(await statusOfToken(server, vault), 401, 'a token for others is no token for this server');
  t.match((await review({ token: vault, audiences: ['vault'] })).json['status'], { authenticated: true });
});

t.test('only what the server has signed is believed', async (t) => {
  const server = await serve(t);
  const token = await tokenFor(server);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const changed = (claims: object) =>
    Buffer.from(JSON.stringify({ ...decodeJwt(token), ...claims })).toString('base64url');
  const failure = '[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]';
  t.equal(await problemOf(server, `${header}.${changed({ sub: 'x' })}.${signature}`), failure);
  t.equal(await problemOf(server, `${header}.${payload}.${signature.slice(0, -4)}AAAA`), failure);
  const headed = (given: object) =>
    `${Buffer.from(JSON.stringify(given)).toString('base64url')}.${payload}.${signature}`;
  const { kid } = decodeProtectedHeader(token);
  t.equal(await problemOf(server, headed({ alg: 'ES256' })), failure, 'what is signed holds the header');
  t.equal(await problemOf(server, headed({ alg: 'RS256', kid })), failure, 'the key says which algorithm');
  for (const alg of ['none', 'HS256', 'EdDSA']) {
    t.equal(await problemOf(server, headed({ alg, kid })), 'invalid bearer token', alg);
  }
  const missing = '[invalid bearer token, invalid signature, no keys found]';
  t.equal(await problemOf(server, headed({ alg: 'ES256', kid: 'other' })), missing);
  const foreign = `${header}.${changed({ iss: 'https://elsewhere.example' })}.${signature}`;
  t.equal(await problemOf(server, foreign), 'invalid bearer token', 'another issuer’s');
  for (const text of ['a.b', 'a.b.c.d', `${header}.!.${signature}`, `${header}.bnVsbA.${signature}`]) {
    t.equal(await problemOf(server, text), 'invalid bearer token', text.slice(0, 20));
  }
  const { id, key, algorithm } = await new StoredKeys(server.client, '/registry').signing();
  const sign = (claims: object) =>
    new SignJWT({ iss: ISSUER, aud: ISSUER, ...claims })
      .setProtectedHeader({ alg: algorithm, kid: id })
      .sign(key);
  t.equal(
    await problemOf(server, await sign({ sub: 'x' })),
    '[invalid bearer token, the token has no claims of a service account]',
    'signed for another purpose',
  );
  const padded = await sign({ ...decodeJwt(token), more: 'x'.repeat(16_384) });
  t.equal(await problemOf(server, padded), 'invalid bearer token', 'longer than any of ours');
  t.equal(await statusOfToken(server, await sign(decodeJwt(token))), 200, 'the same claims, signed again');
});

t.test('others verify tokens by the published keys', async (t) => {
  const server = await serve(t);
  const { json: configuration, headers } = await server.ask('/.well-known/openid-configuration');
  t.same(configuration, {
    issuer: ISSUER,
    jwks_uri: `https://${server.url.slice('http://'.length)}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  });
  t.match(headers, { 'content-type': 'application/json', 'cache-control': 'public, max-age=3600' });
  const set = await server.ask('/openid/v1/jwks');
  t.equal(set.headers['content-type'], 'application/jwk-set+json');
  const token = await tokenFor(server);
  const keys = createLocalJWKSet(set.json as unknown as JSONWebKeySet);
  const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience: ISSUER });
  t.equal(payload.sub, 'system:serviceaccount:demo:default');
  t.equal((await server.ask('/openid/v1/jwks', { method: 'DELETE' })).status, 405);
  t.equal((await server.ask('/openid/v1/other')).status, 404);
  const { paths } = (await server.ask('/')).json as unknown as { paths: string[] };
  t.ok(paths.includes('/openid/v1/jwks') && paths.includes('/.well-known/openid-configuration'));
  const unnamed = await serve(t, { issuers: ['kubernetes/serviceaccount'] });
  t.equal((await unnamed.ask('/openid/v1/jwks')).status, 404, 'OpenID Connect wants https');
  t.equal(await statusOfToken(unnamed, await tokenFor(unnamed)), 200);
});

t.test('a key in the store is made once, with the first token, and shared', async (t) => {
  const server = await serve(t);
  const { client } = server;
  const key = Buffer.from('/registry/wherry/service-account-signing-key');
  const stored = async () => (await client.range({ key })).kvs;
  t.equal(await statusOfToken(server, 'nonsense'), 401);
  t.same(await stored(), [], 'not made by looking');
  const members = [1, 2, 3].map(() => new StoredKeys(client, '/registry'));
  t.same(await members[0]?.verifying(), []);
  const made = await Promise.all(members.map((keys) => keys.signing()));
  t.equal(new Set(made.map(({ id }) => id)).size, 1, 'of several that make one, all use the first');
  const [kv] = await stored();
  t.equal(kv?.version, 1);
  t.match(Buffer.from(kv?.value ?? []).toString(), /^-----BEGIN PRIVATE KEY-----/);
  t.equal(decodeProtectedHeader(await tokenFor(server)).kid, made[0]?.id);
  t.same(
    (await members[2]?.verifying())?.map(({ id }) => id),
    [made[0]?.id],
  );
});

t.test('keys from files', async (t) => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const curve = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
  const keys = givenKeys(pemOf(rsa.privateKey), publicKeysOfPem(publicPemOf(curve.publicKey)));
  const server = await serve(t, { keys, issuers: [ISSUER, 'https://former.example'] });
  const token = await tokenFor(server);
  const der = rsa.publicKey.export({ type: 'spki', format: 'der' });
  const kid = createHash('sha256').update(der).digest('base64url');
  t.same(decodeProtectedHeader(token), { alg: 'RS256', kid }, 'as upstream names keys');
  t.equal(await statusOfToken(server, token), 200);
  const former = (claims: object) =>
    new SignJWT({ ...decodeJwt(token), ...claims })
      .setProtectedHeader({ alg: 'ES384' })
      .sign(curve.privateKey);
  t.equal(await statusOfToken(server, await former({})), 200, 'another key, and no key id');
  t.same(decodeJwt(token).aud, [ISSUER, 'https://former.example'], 'issuers are audiences');
  const ofFormer = await former({ iss: 'https://former.example', aud: 'https://former.example' });
  t.equal(await statusOfToken(server, ofFormer), 200, 'another issuer of this server');
  const { keys: published } = (await server.ask('/openid/v1/jwks')).json as unknown as {
    keys: Record<string, string>[];
  };
  t.same(Object.keys(published[0] ?? {}), ['use', 'kty', 'kid', 'alg', 'n', 'e']);
  t.match(published, [
    { kty: 'RSA', alg: 'RS256', e: 'AQAB' },
    { kty: 'EC', crv: 'P-384', alg: 'ES384' },
  ]);
  t.notOk(JSON.stringify(published).includes('"d"'), 'nothing private');
  const { id_token_signing_alg_values_supported: algorithms } = (
    await server.ask('/.well-known/openid-configuration')
  ).json as unknown as Record<string, unknown>;
  t.same(algorithms, ['ES384', 'RS256']);
});

t.test('keys that cannot be used', async (t) => {
  const short = pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey);
  const edwards = pemOf(generateKeyPairSync('ed25519').privateKey);
  const good = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const refused = (make: () => unknown, message: RegExp) => {
    try {
      make();
      t.fail('not refused');
    } catch (error) {
      t.ok(error instanceof TokenKeyError);
      t.match((error as Error).message, message);
    }
  };
  refused(() => givenKeys(short, []), /at least 2048 bits/);
  refused(() => givenKeys(edwards, []), /RSA, or of the curve P-256/);
  refused(() => givenKeys(publicPemOf(good.publicKey), []), /no private key/);
  refused(() => givenKeys('', []), /no private key/);
  refused(() => publicKeysOfPem('nothing'), /no key in PEM/);
  refused(
    () => publicKeysOfPem('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----'),
    /cannot be read/,
  );
  const both = publicKeysOfPem(`${publicPemOf(good.publicKey)}\n${pemOf(good.privateKey)}`);
  t.equal(new Set(both.map(({ id }) => id)).size, 1, 'of a private key the public one counts');
  t.equal((await givenKeys(pemOf(good.privateKey), both).verifying()).length, 1, 'once');
});

t.test('a signature is verified once for each token', async (t) => {
  const own = givenKeys(pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey), []);
  let asked = 0;
  const keys: TokenKeys = {
    signing: () => own.signing(),
    verifying: () => {
      asked++;
      return own.verifying();
    },
  };
  const server = await serve(t, { keys });
  const token = await tokenFor(server);
  for (let i = 0; i < 3; i++) t.equal(await statusOfToken(server, token), 200);
  t.equal(asked, 1);
});

t.test('claims of any form do not break the reader', async (t) => {
  const account = { name: 'a', uid: 'u' };
  const own = { namespace: 'n', serviceaccount: account };
  t.match(readClaims({ aud: 'x', exp: 5, 'kubernetes.io': own }), {
    audiences: ['x'],
    expires: 5,
    issued: undefined,
    account,
    pod: undefined,
  });
  for (const claims of [
    null,
    1,
    {},
    { 'kubernetes.io': 1 },
    { 'kubernetes.io': {} },
    { aud: [1], 'kubernetes.io': own },
  ]) {
    t.equal(readClaims(claims), undefined, JSON.stringify(claims));
  }
  t.match(readClaims({ exp: '5', 'kubernetes.io': { ...own, pod: { name: 1 } } }), {
    expires: undefined,
    pod: { name: '', uid: '' },
  });
  t.same(splitAccountUserName('system:serviceaccount:a:b'), { namespace: 'a', name: 'b' });
  for (const name of [
    'system:serviceaccount:a',
    'system:serviceaccount:a:b:c',
    'x',
    `system:serviceaccount:A:${randomUUID()}`,
  ]) {
    t.equal(splitAccountUserName(name), undefined, name);
  }
});
