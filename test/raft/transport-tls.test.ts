/** TLS between members, as etcd's `--peer-…` flags set it up. */
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import { type KeyPair, type LeafRequest, issueAuthority, issueLeaf } from '../../cli/pki/issue.js';
import { fetchCluster } from '../../raft/transport/discovery.js';
import type { PeerTls } from '../../raft/transport/tls.js';
import { type TestMember, arrived, fails, heartbeat, startMember, until } from './transport-harness.js';

const LOOPBACK = { ipAddresses: ['127.0.0.1'] };
const EAGER = { pauseMsMin: 5, pauseMsMax: 20 };
const SESSION_ID_BYTES_MAX = 48;
const listenUrls = ['https://127.0.0.1:0'];

const authority = await issueAuthority('members', Date.now());
const otherAuthority = await issueAuthority('strangers', Date.now());
const peer = await leaf(authority);
const stranger = await leaf(otherAuthority);

function leaf(signer: KeyPair, request: Partial<LeafRequest> = {}): Promise<KeyPair> {
  return issueLeaf(signer, { commonName: 'member', usage: 'peer', ...LOOPBACK, ...request }, Date.now());
}

/** Presents a certificate and believes those of an authority. */
function tlsOf(pair: KeyPair, trusted: KeyPair, clientCertAuth = true): PeerTls {
  return { ...pair, trustedCa: trusted.cert, clientCertAuth };
}

/** Member 1, which knows where member 2 is. */
async function startOne(t: Test, two: TestMember, tls: PeerTls | undefined): Promise<TestMember> {
  const one = await startMember(t, 1n, { limits: EAGER, ...(tls && { listenUrls, tls }) });
  one.knows([2n, two.url]);
  return one;
}

async function reaches(one: TestMember, two: TestMember): Promise<void> {
  await until('a message arrives', () => {
    one.transport.send([heartbeat(1n, 2n, 1)]);
    return arrived(two).includes(1);
  });
}

async function isRefused(t: Test, one: TestMember, two: TestMember, why: RegExp): Promise<void> {
  await until('it is refused', () => one.warnings.length > 0);
  await fails(t, 'unreachable', one.transport.ask(2n, Buffer.of(), { timeoutMs: 10_000 }), why);
  t.same(two.handler.received, []);
}

t.test('members with certificates of one authority reach each other, by all ways', async (t) => {
  const tls = tlsOf(peer, authority);
  const two = await startMember(t, 2n, { listenUrls, tls });
  const one = await startOne(t, two, tls);

  await reaches(one, two);
  const answer = await one.transport.ask(2n, Buffer.from('there?'), { timeoutMs: 10_000 });
  t.equal(Buffer.from(answer).toString(), 'there?');
  const content = Buffer.alloc(300_000, 1);
  const snapshot = { index: 1, term: 1, configuration: Buffer.of(), size: content.length };
  const read = async function* () {
    yield content;
  };
  const release = () => Promise.resolve();
  await one.transport.sendSnapshot(2n, 1, { ...snapshot, read, release }, new AbortController().signal);
  t.ok(two.handler.snapshots[0]?.bytes.equals(content));
  t.match(await fetchCluster(two.url, { tls, timeoutMs: 10_000 }), { configuration: two.handler.cluster });
  t.match(two.url, /^https:\/\/127\.0\.0\.1:\d+$/);
});

t.test('without client certificates asked for, none is needed', async (t) => {
  const two = await startMember(t, 2n, { listenUrls, tls: tlsOf(peer, authority, false) });
  const one = await startOne(t, two, tlsOf(stranger, authority, false));

  await reaches(one, two);
  // It answers whoever speaks to it, and trusts no stranger with that.
  t.notOk(two.warnings.some((line) => line.includes('refused')));
});

t.test('a server that no trusted authority vouches for is not spoken to', async (t) => {
  const two = await startMember(t, 2n, { listenUrls, tls: tlsOf(peer, authority, false) });

  await isRefused(t, await startOne(t, two, tlsOf(peer, otherAuthority, false)), two, /certificate/);
  await isRefused(t, await startOne(t, two, undefined), two, /certificate/);
  await fails(t, 'unreachable', fetchCluster(two.url, { timeoutMs: 10_000 }), /certificate/);
});

t.test('a server whose certificate is for another host is not spoken to', async (t) => {
  const elsewhere = await leaf(authority, { ipAddresses: ['127.0.0.2'] });
  const two = await startMember(t, 2n, { listenUrls, tls: tlsOf(elsewhere, authority) });

  await isRefused(t, await startOne(t, two, tlsOf(peer, authority)), two, /127\.0\.0\.1/);
});

t.test('a client without a certificate of a trusted authority, or for another use, is refused', async (t) => {
  const two = await startMember(t, 2n, { listenUrls, tls: tlsOf(peer, authority) });
  const serverOnly = await leaf(authority, { usage: 'server' });

  await isRefused(t, await startOne(t, two, tlsOf(stranger, authority)), two, /./);
  await isRefused(t, await startOne(t, two, tlsOf(serverOnly, authority)), two, /./);
  await until('the receiver says so', () => two.warnings.length > 0);
  t.match(two.warnings[0], /a TLS connection was refused/);
});

t.test('plain HTTP is not understood where TLS is asked for', async (t) => {
  const two = await startMember(t, 2n, { listenUrls, tls: tlsOf(peer, authority) });
  const one = await startMember(t, 1n, { limits: EAGER });

  one.knows([2n, two.url.replace('https', 'http')]);

  await isRefused(t, one, two, /./);
});

t.test('no ticket that holds a session, with the certificates in it, is given out', async (t) => {
  const two = await startMember(t, 2n, { listenUrls, tls: tlsOf(peer, authority) });
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = connect({
      ...peer,
      ca: authority.cert,
      host: '127.0.0.1',
      port: Number(new URL(two.url).port),
      minVersion: version,
      maxVersion: version,
    });
    const tickets: (Buffer | undefined)[] = [];
    socket.on('session', () => tickets.push(socket.getTLSTicket()));
    socket.write('GET /raft/cluster HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);

    t.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 200 /, version);
    // In TLS 1.3 OpenSSL gives out the id of a session in its place.
    const large = tickets.filter((ticket) => ticket !== undefined && ticket.length > SESSION_ID_BYTES_MAX);
    t.same(large, [], version);
  }
});
