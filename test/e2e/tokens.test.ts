/** Service account tokens with the real command over HTTPS: from one start to the next, and with keys of one's own. */
import { generateKeyPairSync } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Agent, request } from 'undici';
import { kubectls, run } from '../tools/kubectl.js';
import { startWherry, temporaryFolder, type Wherry } from '../tools/wherry.js';

const tokenPath = '/api/v1/namespaces/default/serviceaccounts/default/token';
const controllers = '--controllers=serviceaccount-controller';

/** Waits for the account, which a controller makes a moment after the namespace. */
async function tokenOf(server: Wherry): Promise<string> {
  for (;;) {
    const answer = await fetch(server.url + tokenPath, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"spec":{}}',
    });
    const text = await answer.text();
    if (answer.status === 201) return (JSON.parse(text) as { status: { token: string } }).status.token;
    if (answer.status !== 404) throw new Error(text);
  }
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

/** Over HTTPS, trusting the server's own authority and showing nothing but the token. */
async function askWith(server: Wherry, token: string, path: string): Promise<Reply> {
  const ca = await readFile(join(server.dataDir, 'pki/ca.crt'), 'utf8');
  const dispatcher = new Agent({ connect: { ca } });
  const { statusCode, body } = await request(server.secureUrl + path, {
    dispatcher,
    headers: { authorization: `Bearer ${token}` },
  });
  const text = await body.text();
  await dispatcher.close();
  return { status: statusCode, text };
}

t.test('a token outlives the server that made it', async (t) => {
  const dataDir = await temporaryFolder('tokens');
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const first = await startWherry({ dataDir, backend: 'embedded', args: [controllers] });
  const token = await tokenOf(first);
  t.equal((await askWith(first, token, '/api/v1/namespaces')).status, 200);
  t.equal((await askWith(first, `${token}x`, '/api/v1/namespaces')).status, 401);
  const keys = (await askWith(first, token, '/openid/v1/jwks')).text;
  await first.stop();
  const second = await startWherry({ dataDir, backend: 'embedded', args: [controllers] });
  t.teardown(() => second.stop());
  t.equal((await askWith(second, token, '/api/v1/namespaces')).status, 200);
  t.equal((await askWith(second, token, '/openid/v1/jwks')).text, keys, 'the key is the same');
  t.notMatch(second.output(), token, 'no token in the log');
});

t.test('keys, issuer and audiences of one’s own', async (t) => {
  const folder = await temporaryFolder('keys');
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const file = join(folder, 'sa.key');
  await writeFile(file, privateKey.export({ type: 'pkcs1', format: 'pem' }));
  const issuer = 'https://issuer.example';
  const flags = [`--service-account-signing-key-file=${file}`, `--service-account-issuer=${issuer}`];
  const server = await startWherry({
    backend: 'embedded',
    args: [controllers, ...flags, '--api-audiences=api,other'],
  });
  t.teardown(() => server.stop());
  const token = await tokenOf(server);
  const [header = '', payload = ''] = token
    .split('.')
    .map((part) => Buffer.from(part, 'base64url').toString());
  t.match(JSON.parse(header), { alg: 'RS256' });
  t.match(JSON.parse(payload), { iss: issuer, aud: ['api', 'other'] });
  t.equal((await askWith(server, token, '/version')).status, 200);
  const configuration = await askWith(server, token, '/.well-known/openid-configuration');
  t.match(JSON.parse(configuration.text), { issuer, jwks_uri: `${server.secureUrl}/openid/v1/jwks` });
});

for (const { version, path } of kubectls()) {
  t.test(`kubectl ${version}: tokens, who one is and what one may, evictions`, async (t) => {
    const server = await startWherry();
    const home = await temporaryFolder('kubectl');
    t.teardown(async () => {
      await server.stop();
      await rm(home, { recursive: true, force: true });
    });
    const kubectl = (args: string, input?: string) =>
      run(path, args.split(' '), {
        env: { KUBECONFIG: server.kubeconfig, HOME: home },
        ...(input === undefined ? {} : { input }),
      });
    const succeeds = async (args: string, expected: RegExp, input?: string): Promise<string> => {
      const { code, stdout, stderr } = await kubectl(args, input);
      t.equal(code, 0, `kubectl ${args} (${stderr.trim()})`);
      t.match(stdout, expected, `kubectl ${args} prints`);
      return stdout.trim();
    };
    await tokenOf(server);
    await succeeds('auth can-i --list', /^\*\.\*\s+\[\]\s+\[\]\s+\[\*\]$/m);
    await succeeds('auth can-i delete nodes --as jane --as-group devs', /^yes$/m);
    await succeeds(
      'auth whoami --as jane --as-group devs --as-uid u1',
      /UID\s+u1\nGroups\s+\[devs system:authenticated\]/,
    );
    const token = await succeeds(
      'create token default --duration=20m --audience=https://kubernetes.default.svc',
      /^ey/,
    );
    const ca = join(server.dataDir, 'pki/ca.crt');
    await writeFile(join(home, 'empty'), '');
    const withToken = [
      '--kubeconfig',
      join(home, 'empty'),
      '--server',
      server.secureUrl,
      '--certificate-authority',
      ca,
    ];
    const whoami = await run(path, [...withToken, '--token', token, 'auth', 'whoami'], {
      env: { HOME: home },
    });
    t.match(whoami.stdout, /Username\s+system:serviceaccount:default:default/);
    const refused = await run(path, [...withToken, '--token', 'nonsense', 'get', 'pods'], {
      env: { HOME: home },
    });
    t.match(refused.stderr, /You must be logged in to the server/);
    await succeeds('create -f -', /created/, 'apiVersion: v1\nkind: Node\nmetadata:\n  name: node-a\n');
    await succeeds('run web --image=nginx --overrides={"spec":{"nodeName":"node-a"}}', /created/);
    await succeeds(
      'drain node-a --force --grace-period=0 --timeout=20s',
      /pod\/web evicted|node\/node-a drained/,
    );
    t.match((await kubectl('get pod web')).stderr, /NotFound/);
  });
}
