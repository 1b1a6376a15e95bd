/** Bytes on a connection that are nearly a request, or none at all. */
import { flip } from './bodies.js';
import { type Random, weighted } from './chance.js';
import { encodeHttp1, type Message } from './message.js';

export interface Wire {
  readonly over: 'plain' | 'tls' | 'tls-raw';
  readonly bytes: Buffer;
}

/** Longer than any header section that is taken. */
const HEADERS_TOO_LONG = 70_000;

export function wireOf(random: Random, message: Message, host: string): Wire {
  const over = weighted(random, [
    [8, 'plain' as const],
    [1, 'tls' as const],
    [0.3, 'tls-raw' as const],
  ]);
  const { bytes } = { bytes: wrongBytes(random, message, host) };
  return { over, bytes: bytes.subarray(0, 200_000) };
}

function wrongBytes(random: Random, message: Message, host: string): Buffer {
  const good = encodeHttp1(message);
  const headEnd = good.indexOf('\r\n\r\n');
  const head = good.subarray(0, headEnd).toString('latin1');
  const body = good.subarray(headEnd + 4);
  const withHead = (text: string, rest = body) =>
    Buffer.concat([Buffer.from(`${text}\r\n\r\n`, 'latin1'), rest]);
  return weighted<() => Buffer>(random, [
    [4, () => flip(random, Buffer.from(good))],
    [3, () => Buffer.from(good.subarray(0, random.between(0, good.length)))],
    [3, () => withHead(head.replace(/Content-Length: \d+/, `Content-Length: ${random.pick(lengths)}`))],
    [2, () => withHead(`${head}\r\n${random.pick(framing)}`)],
    [
      2,
      () =>
        withHead(
          `${head.replace(/\r\nContent-Length: \d+/, '')}\r\nTransfer-Encoding: chunked`,
          Buffer.from(random.pick(chunkBodies)),
        ),
    ],
    [3, () => withHead(`${head}\r\n${random.pick(headerLines)}`)],
    [
      2,
      () =>
        withHead(
          head.replace(
            /HTTP\/1\.1/,
            random.pick([
              'HTTP/1.0',
              'HTTP/0.9',
              'HTTP/2.0',
              'HTTP/1.2',
              'HTTP/11',
              'http/1.1',
              '',
              'HTTP/1.1 x',
              'HTTP/1.',
            ]),
          ),
        ),
    ],
    [
      2,
      () =>
        withHead(
          head.replace(
            /^\S+/,
            random.pick(['BREW', 'get', '', 'G E T', 'CONNECT', 'GET\u0000', 'A'.repeat(5000), 'PRI']),
          ),
        ),
    ],
    [
      2,
      () =>
        withHead(
          head.replace(
            / \S* /,
            ` ${random.pick([' ', '', '*', 'x', '/\u0000', '/é', '/a b', '//', 'http://', 'http://x:99999/api', '/?\u0007', '/#frag', '/a#b?c'])} `,
          ),
        ),
    ],
    [
      1,
      () =>
        Buffer.from(
          good.toString('latin1').replaceAll('\r\n', random.pick(['\n', '\r', '\r\n ', '\n\r'])),
          'latin1',
        ),
    ],
    [1, () => Buffer.concat([good, good, Buffer.from('GARBAGE\r\n\r\n'), good])],
    [1, () => Buffer.concat([Buffer.from('\r\n\r\n'), good])],
    [1, () => withHead(`${head}\r\nX-Long: ${'a'.repeat(HEADERS_TOO_LONG)}`)],
    [1, () => withHead(head + '\r\nX: y'.repeat(random.pick([500, 3000, 12_000])))],
    [1, () => Buffer.from(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)],
    [1, () => Buffer.from(Array.from({ length: random.between(1, 300) }, () => random.between(0, 255)))],
    [1, () => Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0])],
    [1, () => http2Bytes(random)],
  ])();
}

const lengths = [
  '-1',
  '0',
  '1',
  '99999',
  '4000000',
  '99999999999999999999',
  '1e3',
  '0x10',
  'x',
  '',
  '1 ',
  '+5',
  '5, 5',
  '5, 6',
  '3145729',
] as const;

const framing = [
  'Content-Length: 5',
  'Content-Length: 0',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: \tchunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: x',
  'TE: trailers',
  'Trailer: Content-Length',
  'Keep-Alive: timeout=99999',
] as const;

const chunkBodies = [
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n',
  '5\r\nhel',
  '5\r\nhelloX0\r\n\r\n',
  'x\r\n',
  '-1\r\n',
  'ffffffffffffffffff\r\n',
  '7fffffff\r\nx',
  '5;ext=1\r\nhello\r\n0\r\nTrailer: x\r\n\r\n',
  `5;${'e'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`,
  `0\r\n${'T: x\r\n'.repeat(3000)}\r\n`,
  '00000000000000005\r\nhello\r\n0\r\n\r\n',
  ' 5\r\nhello\r\n0\r\n\r\n',
] as const;

const headerLines = [
  'NoColon',
  ': empty',
  'A B: c',
  'A : c',
  ' Folded: x',
  'X: a\r\n folded',
  'X: \u0000',
  'X: a\rb',
  'X: a\nb',
  'X\u0000: a',
  'X\u00e9: a',
  'Host: a\r\nHost: b',
  'Host: é',
  'Host: 127.0.0.1\r\nConnection: Host',
  'Content-Type: application/json\r\nContent-Type: text/plain',
  'Accept: a\r\nAccept: b\r\nAccept: c',
  'Upgrade: websocket\r\nConnection: Upgrade',
  'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
  'Expect: 100-continue\r\nContent-Length: 99',
  'Expect: x',
  'Proxy: x\r\nConnection: close',
] as const;

/** What begins an HTTP/2 connection, then frames of any kind. */
function http2Bytes(random: Random): Buffer {
  const parts = [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])];
  for (let i = random.between(0, 8); i > 0; i--) {
    const payload = Buffer.from(Array.from({ length: random.between(0, 40) }, () => random.between(0, 255)));
    const length = random.chance(0.9) ? payload.length : random.pick([0, 16_385, 0xffffff]);
    const stream = random.pick([0, 1, 2, 3, 0x7fffffff]);
    const head = Buffer.from([
      length >> 16,
      (length >> 8) & 0xff,
      length & 0xff,
      random.between(0, 12),
      random.between(0, 255),
      0,
      0,
      0,
      0,
    ]);
    head.writeUInt32BE(stream, 5);
    parts.push(head, payload);
  }
  return Buffer.concat(parts);
}
