import { once } from 'node:events';
import { connect } from 'node:tls';
import t from 'tap';
import { issueAuthority, issueLeaf } from '../../cli/pki/issue.js';
import { Listener } from '../../storage/http/listener.js';
import { pipelined } from '../tools/pipelined.js';

t.test('HTTP/1.1 over TLS: requests are answered in order while their client does not read', async (t) => {
  const now = Date.now();
  const authority = await issueAuthority('test', now);
  const names = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
  const own = await issueLeaf(authority, { commonName: 'server', usage: 'server', ...names }, now);
  const large = 'x'.repeat(1_000_000);
  const listener = new Listener({
    address: { host: '127.0.0.1', port: 0, secure: true },
    tls: { ...own, clientCertAuth: false },
    onStream: () => undefined,
    onRequest: ({ url }, response) => response.end(url === '/large' ? large : url),
    onError: (error) => t.fail(String(error)),
    concurrentStreamsMax: undefined,
    keepAlive: undefined,
  });
  const port = await listener.listen();
  const socket = connect({ host: '127.0.0.1', port, ca: authority.cert, ALPNProtocols: ['http/1.1'] });
  t.teardown(async () => {
    socket.destroy();
    await listener.close();
  });
  await once(socket, 'secureConnect');
  const paths = ['/large', ...Array.from({ length: 2000 }, (_, index) => `/${index}`)];
  t.strictSame(
    (await pipelined(socket, paths)).map(({ status, body }) => [status, body === large ? '/large' : body]),
    paths.map((path) => [200, path]),
  );
});
