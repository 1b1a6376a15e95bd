/** The server's own certificates: what they say, who believes them, and when they are made anew. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import t from 'tap';
import { kubeconfig } from '../cli/kubeconfig.js';
import { type Certificates, loadCertificates } from '../cli/pki/certificates.js';

const DAY_MS = 86_400_000;
const now = Date.now();

const load = (folder: string, bindAddress = '127.0.0.1', at = now): Promise<Certificates> =>
  loadCertificates({ folder: join(folder, 'pki'), bindAddress, now: at });

t.test('the authority signs both, and each key belongs to its certificate', async (t) => {
  const { authority, server, administrator } = await load(t.testdir());
  const issuer = new X509Certificate(authority.cert);
  t.equal(issuer.ca, true);
  t.ok(issuer.verify(issuer.publicKey));
  for (const { cert, key } of [authority, server, administrator]) {
    const certificate = new X509Certificate(cert);
    t.ok(certificate.verify(issuer.publicKey));
    t.ok(certificate.checkIssued(issuer));
    t.ok(certificate.checkPrivateKey(createPrivateKey(key)));
    t.ok(Date.parse(certificate.validFrom) <= now);
  }
  t.not(new X509Certificate(server.cert).subject, issuer.subject, 'else it would look self-signed');
  t.notOk(new X509Certificate(server.cert).ca);
});

t.test('the server is known by every name it is reached by', async (t) => {
  const { server } = await load(t.testdir(), '192.0.2.7');
  const certificate = new X509Certificate(server.cert);
  for (const name of ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']) {
    t.ok(certificate.checkHost(name), name);
  }
  for (const ip of ['127.0.0.1', '::1', '10.0.0.1', '192.0.2.7']) t.ok(certificate.checkIP(ip), ip);
  t.notOk(certificate.checkIP('192.0.2.8'));
});

t.test('the administrator is one by its group', async (t) => {
  const { administrator } = await load(t.testdir());
  t.same(new X509Certificate(administrator.cert).subject.split('\n').sort(), [
    'CN=wherry:admin',
    'O=system:masters',
  ]);
});

t.test('TLS with both certificates: each side believes the other', async (t) => {
  const { authority, server, administrator } = await load(t.testdir());
  const listener = createServer({
    ...server,
    ca: authority.cert,
    requestCert: true,
    rejectUnauthorized: true,
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.teardown(() => listener.close());
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const accepted = once(listener, 'secureConnection') as Promise<[TLSSocket]>;
  const client = connect({ port: address.port, host: '127.0.0.1', ca: authority.cert, ...administrator });
  await once(client, 'secureConnect');
  t.ok(client.authorized);
  const [socket] = await accepted;
  t.ok(socket.authorized);
  t.equal(socket.getPeerCertificate().subject.O, 'system:masters');
  client.destroy();
  socket.destroy();
});

t.test('they are kept, until one is about to expire', async (t) => {
  const folder = t.testdir();
  const first = await load(folder);
  t.same(await load(folder, '127.0.0.1', now + 334 * DAY_MS), first);
  const renewed = await load(folder, '127.0.0.1', now + 336 * DAY_MS);
  t.same(renewed.authority, first.authority, 'clients go on believing');
  t.not(renewed.server.cert, first.server.cert);
  t.not(renewed.administrator.cert, first.administrator.cert);
  const later = await load(folder, '127.0.0.1', now + 3_650 * DAY_MS);
  t.not(later.authority.cert, first.authority.cert);
  t.ok(new X509Certificate(later.server.cert).verify(new X509Certificate(later.authority.cert).publicKey));
});

t.test('another address makes another server certificate, and nothing else', async (t) => {
  const folder = t.testdir();
  const first = await load(folder);
  const moved = await load(folder, '192.0.2.9');
  t.not(moved.server.cert, first.server.cert);
  t.same([moved.authority, moved.administrator], [first.authority, first.administrator]);
  t.same(await load(folder), moved, 'it covers the former address too');
});

t.test('a missing key is a missing certificate', async (t) => {
  const folder = t.testdir();
  const first = await load(folder);
  await rm(join(folder, 'pki', 'admin.key'));
  const second = await load(folder);
  t.not(second.administrator.cert, first.administrator.cert);
  t.same(second.server, first.server);
});

t.test('a damaged file is named, not replaced', async (t) => {
  const folder = t.testdir();
  const { authority } = await load(folder);
  for (const damage of ['', 'garbage', authority.cert.slice(0, 200)]) {
    await writeFile(join(folder, 'pki', 'apiserver.crt'), damage);
    await t.rejects(load(folder), { name: 'StartupError', message: join(folder, 'pki', 'apiserver.crt') });
  }
});

t.test('a key that is newer than its certificate, left by a crash, is replaced with it', async (t) => {
  const folder = t.testdir();
  const first = await load(folder);
  await writeFile(join(folder, 'pki', 'apiserver.key'), first.administrator.key);
  const second = await load(folder);
  t.not(second.server.cert, first.server.cert);
  t.ok(new X509Certificate(second.server.cert).checkPrivateKey(createPrivateKey(second.server.key)));
});

t.test('kubeconfig: credentials for HTTPS, none for plain HTTP', async (t) => {
  const certificates = await load(t.testdir());
  const secure = kubeconfig({ servers: [{ name: 'wherry', url: 'https://127.0.0.1:6443' }], certificates });
  t.match(secure, 'current-context: wherry\n');
  t.match(secure, `client-key-data: ${Buffer.from(certificates.administrator.key).toString('base64')}\n`);
  const plain = kubeconfig({ servers: [{ name: 'wherry', url: 'http://127.0.0.1:8080' }] });
  t.match(plain, 'server: http://127.0.0.1:8080\n');
  t.notMatch(plain, 'data:');
});
