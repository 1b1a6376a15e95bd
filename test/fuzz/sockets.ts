/** Web sockets: handshakes that are nearly right, and frames that are not. */
import type { Random } from './chance.js';
import { weighted } from './chance.js';
import type { Message } from './message.js';

export function handshake(random: Random, target: string, host: string): Message {
  const key = random.chance(0.9) ? 'dGhlIHNhbXBsZSBub25jZQ==' : random.pick(['', 'x', 'a'.repeat(24), '===']);
  const headers: [string, string][] = [
    ['Host', host],
    ['Upgrade', random.chance(0.95) ? 'websocket' : random.pick(['WebSocket', 'websocket, x', 'h2c'])],
    ['Connection', random.chance(0.95) ? 'Upgrade' : random.pick(['keep-alive', 'upgrade, close'])],
    ['Sec-WebSocket-Key', key],
    ['Sec-WebSocket-Version', random.chance(0.9) ? '13' : random.pick(['8', '0', 'x', ''])],
  ];
  if (random.chance(0.4)) {
    const offered = [
      'base64.binary.k8s.io',
      'binary.k8s.io',
      'base64url.bearer.authorization.k8s.io.eA',
      'x',
      'a, a',
      '',
      ',',
      'é',
    ];
    headers.push(['Sec-WebSocket-Protocol', random.pick(offered)]);
  }
  if (random.chance(0.2)) {
    headers.push([
      'Sec-WebSocket-Extensions',
      random.pick(['permessage-deflate', 'permessage-deflate; x=', ';', 'x']),
    ]);
  }
  if (random.chance(0.1)) headers.push(['Origin', random.pick(['https://example.com', 'http://localhost'])]);
  return {
    method: random.chance(0.97) ? 'GET' : random.pick(['POST', 'HEAD', 'OPTIONS']),
    target,
    headers,
    body: Buffer.alloc(0),
    chunks: undefined,
  };
}

export function garbageFrames(random: Random): Buffer[] {
  return Array.from({ length: random.between(0, 4) }, () =>
    weighted<() => Buffer>(random, [
      [3, () => frame(random, random.between(0, 15), random.between(0, 200))],
      [1, () => Buffer.from(Array.from({ length: random.between(1, 60) }, () => random.between(0, 255)))],
      [1, () => Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
      [1, () => Buffer.from([0x88, 0x82, 0, 0, 0, 0, random.between(0, 255), random.between(0, 255)])],
      [1, () => frame(random, 1, random.pick([4096, 4097, 70_000]))],
    ])(),
  );
}

/** Mostly masked, as a client's must be. */
function frame(random: Random, opcode: number, length: number): Buffer {
  const fin = random.chance(0.9) ? 0x80 : 0;
  const rsv = random.chance(0.1) ? random.between(0, 7) << 4 : 0;
  const masked = random.chance(0.9);
  const mask = masked ? 0x80 : 0;
  const size =
    length < 126
      ? [mask | length]
      : length < 65_536
        ? [mask | 126, length >> 8, length & 0xff]
        : [
            mask | 127,
            0,
            0,
            0,
            0,
            (length >> 24) & 0xff,
            (length >> 16) & 0xff,
            (length >> 8) & 0xff,
            length & 0xff,
          ];
  const payload = Buffer.alloc(length, random.between(0, 255));
  return Buffer.concat([Buffer.from([fin | rsv | opcode, ...size]), Buffer.alloc(masked ? 4 : 0), payload]);
}
