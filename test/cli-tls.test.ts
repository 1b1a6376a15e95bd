/** etcd's flags of TLS: what they come to, what is read from files, what is made, and what of it is let in. */
import { X509Certificate, webcrypto } from 'node:crypto';
import { renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { autoTls } from '../cli/auto-tls.js';
import { type KeyPair, type LeafRequest, issueAuthority, issueLeaf } from '../cli/pki/issue.js';
import { loadTlsFiles } from '../cli/tls-files.js';
import { type AutoTls, type TlsFiles, type TlsFlags, planTls } from '../cli/tls-plan.js';
import { RenewedTls } from '../cli/tls-renewal.js';
import type { PeerTls } from '../raft/transport/tls.js';
import { listenForMetrics } from '../storage/http/metrics-port.js';
import { arrived, heartbeat, startMember, until } from './raft/transport-harness.js';

const now = Date.now();
const authority = await issueAuthority('authority', now);
const leaf = (commonName: string, request: Partial<LeafRequest> = {}) =>
  issueLeaf(authority, { commonName, usage: 'peer', ipAddresses: ['127.0.0.1'], ...request }, now);
const server = await leaf('server');

const FLAGS: TlsFlags = { clientCertAuth: false, autoTls: false, peerClientCertAuth: false };
const HTTPS = ['https://127.0.0.1:2379'];
const PAIR = { certFile: 'c', keyFile: 'k' };

t.test('client urls: files, and who must have a certificate', async (t) => {
  const plan = (flags: Partial<TlsFlags>) => planTls({ ...FLAGS, ...flags }, 'client', HTTPS);
  t.equal(planTls(FLAGS, 'client', ['http://127.0.0.1:2379']), undefined);
  t.same(plan(PAIR), { type: 'files', side: 'client', cert: 'c', key: 'k', clientCertAuth: false });
  t.match(plan({ ...PAIR, trustedCaFile: 'a' }), { trustedCa: 'a', clientCertAuth: true }, 'as in etcd');
  const restricted = {
    ...PAIR,
    trustedCaFile: 'a',
    clientCrlFile: 'r',
    clientCertAllowedHostname: ['x'],
    cipherSuites: ['S'],
    tlsMinVersion: 'TLSv1.2' as const,
    tlsMaxVersion: 'TLSv1.2' as const,
  };
  t.match(plan(restricted), {
    crl: 'r',
    allowedHostnames: ['x'],
    cipherSuites: ['S'],
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
  });
});

t.test('flags of TLS that do not fit together', async (t) => {
  const wrong: readonly (readonly ['client' | 'peer', Partial<TlsFlags>, RegExp])[] = [
    ['client', {}, /cannot listen on TLS for .*: --cert-file and --key-file are not given/],
    ['client', { certFile: 'c' }, /--cert-file and --key-file must both be given/],
    ['client', { ...PAIR, clientCertAuth: true }, /--client-cert-auth needs --trusted-ca-file/],
    ['client', { ...PAIR, clientCrlFile: 'r' }, /--client-crl-file needs --trusted-ca-file/],
    [
      'client',
      { ...PAIR, clientCertAllowedHostname: ['x'] },
      /--client-cert-allowed-hostname needs --trusted-ca-file/,
    ],
    ['client', { trustedCaFile: 'a' }, /--trusted-ca-file needs --cert-file and --key-file/],
    ['client', { ...PAIR, tlsMinVersion: 'TLSv1.3', tlsMaxVersion: 'TLSv1.2' }, /greater than max version/],
    ['client', { ...PAIR, tlsMinVersion: 'TLSv1.3', cipherSuites: ['S'] }, /only TLS1.3 is enabled/],
    ['peer', { peerCertAllowedCn: 'x' }, /--peer-cert-allowed-cn needs --peer-trusted-ca-file/],
    ['peer', { peerCrlFile: 'x' }, /--peer-crl-file needs --peer-trusted-ca-file/],
    [
      'peer',
      { peerTrustedCaFile: 'a', peerCertAllowedCn: 'x', peerCertAllowedHostname: ['y'] },
      /mutually exclusive/,
    ],
  ];
  for (const [side, flags, message] of wrong) {
    t.throws(() => planTls({ ...FLAGS, ...flags }, side, HTTPS), { name: 'UsageError', message });
  }
});

t.test('a certificate is made where none is given, for what is listened on, and kept', async (t) => {
  const plan = planTls({ ...FLAGS, autoTls: true }, 'client', ['https://127.0.0.1:1', 'https://localhost:1']);
  t.same(plan, { type: 'auto', side: 'client', hosts: ['127.0.0.1', 'localhost'], years: 1 });
  t.match(planTls({ ...FLAGS, ...PAIR, autoTls: true }, 'client', HTTPS), { type: 'files' });
  const folder = t.testdir();
  const made = await autoTls(plan as AutoTls, folder, now);
  const certificate = new X509Certificate(made.cert);
  t.ok(certificate.checkIP('127.0.0.1') && certificate.checkHost('localhost'));
  t.ok(certificate.verify(certificate.publicKey));
  t.equal(statSync(join(folder, 'fixtures/client/key.pem')).mode & 0o777, 0o600);
  t.same(await autoTls(plan as AutoTls, folder, now), made);
  const year = 365 * 86_400_000;
  t.not((await autoTls(plan as AutoTls, folder, now + year)).cert, made.cert, 'until it ends');
  const other = { ...(plan as AutoTls), hosts: ['127.0.0.2'] };
  t.not((await autoTls(other, folder, now)).cert, made.cert, 'or is for others');
});

t.test('members with --peer-auto-tls speak with each other, whoever they are', async (t) => {
  const plan: AutoTls = { type: 'auto', side: 'peer', hosts: ['127.0.0.1'], years: 1 };
  const [tls, otherTls] = [await autoTls(plan, t.testdir(), now), await autoTls(plan, t.testdir(), now)];
  const listenUrls = ['https://127.0.0.1:0'];
  const two = await startMember(t, 2n, { listenUrls, tls });
  const one = await startMember(t, 1n, { listenUrls, tls: otherTls });
  one.knows([2n, two.url]);
  await until('a message arrives', () => {
    one.transport.send([heartbeat(1n, 2n, 1)]);
    return arrived(two).includes(1);
  });
});

function filesIn(t: Test, pair: KeyPair, more: Readonly<Record<string, string | Buffer>> = {}): TlsFiles {
  const folder = t.testdir();
  const path = (name: string) => join(folder, name);
  const contents = { cert: pair.cert, key: pair.key, ca: authority.cert, ...more };
  for (const [name, content] of Object.entries(contents)) writeFileSync(path(name), content);
  return {
    type: 'files',
    side: 'client',
    cert: path('cert'),
    key: path('key'),
    trustedCa: path('ca'),
    clientCertAuth: true,
    ...('crl' in more && { crl: path('crl') }),
  };
}

/** Revokes the certificate. */
async function revocations(pem: string): Promise<{ readonly pem: string; readonly der: Buffer }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const [pkcs8] = x509.PemConverter.decode(authority.key);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const signingKey = await webcrypto.subtle.importKey('pkcs8', pkcs8 ?? Buffer.of(), algorithm, false, [
    'sign',
  ]);
  const crl = await x509.X509CrlGenerator.create({
    issuer: new x509.X509Certificate(authority.cert).subject,
    thisUpdate: new Date(now - 60_000),
    nextUpdate: new Date(now + 86_400_000),
    entries: [{ serialNumber: new x509.X509Certificate(pem).serialNumber, revocationDate: new Date(now) }],
    signingAlgorithm: algorithm,
    signingKey,
  });
  // The library's own label is none that OpenSSL knows.
  const text = crl.toString('pem').replaceAll(/(BEGIN|END) CRL/g, '$1 X509 CRL');
  return { pem: text, der: Buffer.from(crl.rawData) };
}

/** A port that answers 200 to whom it lets in. */
async function open(t: Test, tls: PeerTls): Promise<number> {
  const port = await listenForMetrics({
    urls: ['https://127.0.0.1:0'],
    tls,
    client: { range: () => Promise.reject(new Error('unused')) },
    status: () => ({ leader: 0n }),
    alarms: () => [],
    metrics: async () => ({ contentType: 'text/plain', body: 'metrics' }),
    onError: (error) => t.fail(String(error)),
  });
  t.teardown(() => port.close());
  return port.ports[0] ?? 0;
}

interface Visit {
  readonly answered: boolean;
  /** Common name of the server's certificate. */
  readonly server: string | undefined;
  readonly protocol: string | null;
  readonly cipher: string;
}

/** What comes of asking once, with a certificate or without. */
async function visit(port: number, pair?: KeyPair): Promise<Visit> {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca: authority.cert, ...pair });
  let answer = '';
  let facts = { server: undefined as string | undefined, protocol: null as string | null, cipher: '' };
  socket.once('secureConnect', () => {
    const server = socket.getPeerCertificate().subject.CN;
    facts = { server: String(server), protocol: socket.getProtocol(), cipher: socket.getCipher().name };
    socket.write('GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n');
  });
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
  });
  return { answered: answer.startsWith('HTTP/1.1 200'), ...facts };
}

t.test(
  'who has no certificate of the authority, a revoked one, or one for another host, is not let in',
  async (t) => {
    const [good, bad] = [await leaf('good', { dnsNames: ['good.example'] }), await leaf('bad')];
    const revoked = await revocations(bad.cert);
    for (const crl of [revoked.pem, revoked.der]) {
      const port = await open(t, loadTlsFiles(filesIn(t, server, { crl })));
      t.equal((await visit(port)).answered, false, 'without a certificate');
      t.equal((await visit(port, good)).answered, true);
      t.equal((await visit(port, bad)).answered, false, 'revoked');
    }
    const named = await open(t, {
      ...loadTlsFiles(filesIn(t, server)),
      allowedHostnames: ['x.example', 'good.example'],
    });
    t.equal((await visit(named, good)).answered, true);
    t.equal((await visit(named, bad)).answered, false, 'for no such host');
    const common = await open(t, { ...loadTlsFiles(filesIn(t, server)), allowedCn: 'good' });
    t.equal((await visit(common, good)).answered, true);
    t.equal((await visit(common, bad)).answered, false, 'of another name');
    t.throws(() => loadTlsFiles(filesIn(t, server, { crl: 'x' })), {
      name: 'UsageError',
      message: /^--client-crl-file .* is no revocation list/,
    });
  },
);

t.test('members with another common name are refused', async (t) => {
  const listenUrls = ['https://127.0.0.1:0'];
  const tls = async (name: string) => ({
    ...(await leaf(name)),
    trustedCa: authority.cert,
    clientCertAuth: true,
    allowedCn: 'member',
  });
  const two = await startMember(t, 2n, { listenUrls, tls: await tls('member') });
  const one = await startMember(t, 1n, { listenUrls, tls: await tls('stranger') });
  one.knows([2n, two.url]);
  await until('it is said', () => two.warnings.length > 0);
  t.match(two.warnings[0], /refused: its certificate is not allowed/);
  t.same(arrived(two), []);
});

t.test('versions and suites of TLS', async (t) => {
  const files = filesIn(t, server);
  const newest = await open(t, loadTlsFiles({ ...files, minVersion: 'TLSv1.3' }));
  t.equal((await visit(newest, server)).protocol, 'TLSv1.3');
  const suite = 'ECDHE-ECDSA-AES256-GCM-SHA384';
  const older = await open(t, loadTlsFiles({ ...files, maxVersion: 'TLSv1.2', cipherSuites: [suite] }));
  t.match(await visit(older, server), { protocol: 'TLSv1.2', cipher: suite, answered: true });
});

t.test('certificates that are replaced on disk are taken up; what does not fit is not', async (t) => {
  const files = filesIn(t, server);
  const lines: string[] = [];
  const log = (message: string) => void lines.push(message);
  const renewed = new RenewedTls(files, { lookMs: 5, logger: { info: log, warn: log } });
  t.teardown(() => renewed.close());
  const port = await open(t, renewed.tls);
  t.equal((await visit(port, server)).server, 'server');
  const next = await leaf('next');
  const replace = (path: string, content: string) => {
    writeFileSync(`${path}.new`, content);
    renameSync(`${path}.new`, path);
  };
  replace(files.cert, next.cert);
  await until('it is told that they do not fit', () => lines.length > 0);
  t.match(lines[0], /^the certificates stay as they were: --key-file .* is not the key of --cert-file/);
  t.equal((await visit(port, server)).server, 'server');
  replace(files.key, next.key);
  await until('they are taken up', () => lines.length > 1);
  t.match(lines[1], /^the certificate of .* was renewed$/);
  t.equal((await visit(port, server)).server, 'next');
  t.equal(renewed.tls.cert, next.cert, 'also for whoever asks for them now');
});
