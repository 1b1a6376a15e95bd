/** Authorities that are urls, as etcd's Go clients before 3.5 send them, and which nghttp2 would refuse (RFC 9113 §8.3.1). */
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import t, { type Test } from 'tap';
import { correctAuthority } from '../../storage/http/authority.js';
import { Listener } from '../../storage/http/listener.js';

/** A port that answers with the authority it was asked by. */
async function echo(t: Test): Promise<number> {
  const listener = new Listener({
    address: { host: '127.0.0.1', port: 0, secure: false },
    tls: undefined,
    concurrentStreamsMax: undefined,
    onRequest: (_request, response) => response.end(),
    onStream: (stream, headers) => {
      stream.respond({ ':status': 200 });
      stream.end(headers[':authority']);
    },
  });
  t.teardown(() => listener.close());
  return listener.listen();
}

async function authority(session: ClientHttp2Session, authority: string): Promise<string> {
  const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': authority });
  let answer = '';
  for await (const chunk of stream) answer += String(chunk);
  return answer;
}

t.test('a url is served, as another authority is, also again', async (t) => {
  const port = await echo(t);
  for (const sent of ['http://127.0.0.1:2379', 'http://some-host.example:2379', 'https://[::1]:2379']) {
    const session = connect(`http://127.0.0.1:${port}`);
    t.equal(await authority(session, sent), sent.replaceAll('/', '-'));
    t.equal(await authority(session, sent), sent.replaceAll('/', '-'), 'as the table of headers keeps it');
    t.equal(await authority(session, 'other:1'), 'other:1');
    session.close();
  }
});

t.test('what is an authority is left as it is', async (t) => {
  const port = await echo(t);
  for (const sent of ['127.0.0.1:2379', 'localhost', '[::1]:2379', 'UPPER_case~!$&']) {
    const session = connect(`http://127.0.0.1:${port}`);
    t.equal(await authority(session, sent), sent);
    session.close();
  }
});

t.test('a client may wait for the settings of the server, ping it, and send byte by byte', async (t) => {
  const port = await echo(t);
  const socket = connectSocket({ port, host: '127.0.0.1' });
  t.teardown(() => socket.destroy());
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  const has = async (what: string, bytes: Buffer) => {
    while (!Buffer.concat(received).includes(bytes)) await once(socket, 'data');
    t.pass(what);
  };
  const frame = (type: number, flags: number, stream: number, body: Buffer) => {
    const header = Buffer.alloc(9);
    header.writeUIntBE(body.length, 0, 3);
    header.writeUInt8(type, 3);
    header.writeUInt8(flags, 4);
    header.writeUInt32BE(stream, 5);
    return Buffer.concat([header, body]);
  };
  const settings = frame(4, 0, 0, Buffer.alloc(0));
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings]));
  await has('settings come before a request', settings);
  socket.write(frame(4, 1, 0, Buffer.alloc(0)));
  socket.write(frame(6, 0, 0, Buffer.from('pingpong')));
  await has('a ping is answered', frame(6, 1, 0, Buffer.from('pingpong')));
  const text = 'http://a:1';
  const value = Buffer.from([0x41, text.length, ...Buffer.from(text)]);
  // :method POST, :scheme http, :path /, all of the static table.
  const block = Buffer.concat([Buffer.of(0x83, 0x86, 0x84), value]);
  for (const byte of frame(1, 5, 1, block)) socket.write(Buffer.of(byte));
  await has('the request too', frame(0, 0, 1, Buffer.from('http:--a:1')).subarray(9));
});

t.test('header blocks that are none are left alone', async (t) => {
  for (const bytes of [
    [],
    [0x41],
    [0x41, 0x7f],
    [0x41, 0x85, 0xff],
    [0, 0x7f, 1],
    [0x41, 0x7f, 0xff, 0xff, 0xff],
  ]) {
    const block = Buffer.from(bytes);
    correctAuthority(block, 0);
    correctAuthority(block, 0x28);
    t.same([...block], bytes);
  }
});
