/** Snapshots on their way between members: whole or not at all, beside the messages, ended from either side. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import t, { type Test } from 'tap';
import { TRANSPORT_LIMITS } from '../../raft/transport/limits.js';
import { headersTo } from '../../raft/transport/protocol.js';
import { sendSnapshotTo } from '../../raft/transport/snapshot-sender.js';
import type { IncomingSnapshot, OutgoingSnapshot } from '../../raft/transport/transport.js';
import { CLUSTER, arrived, fails, heartbeat, startMember, startPair, until } from './transport-harness.js';

const MIB = 2 ** 20;
/** More than all buffers on the way hold. */
const HUGE = 256 * MIB;
const never = new AbortController().signal;
const configuration = Buffer.from('{"voters":["1"]}');

interface TestSnapshot extends OutgoingSnapshot {
  /** How far its content was read, and whether whoever read it has let go of it. */
  readonly reading: { bytes: number; ended: boolean };
}

/** Of as many bytes as it says, unless told otherwise. */
function snapshotOf(size: number, { index = 7, given = size, chunkBytes = 100_000 } = {}): TestSnapshot {
  const reading = { bytes: 0, ended: false };
  async function* read() {
    try {
      for (; reading.bytes < given; ) {
        const chunk = Buffer.alloc(Math.min(chunkBytes, given - reading.bytes), reading.bytes % 251);
        reading.bytes += chunk.length;
        yield chunk;
      }
    } finally {
      reading.ended = true;
    }
  }
  return { index, term: 3, configuration, size, read, release: () => Promise.resolve(), reading };
}

async function bytesOf(snapshot: OutgoingSnapshot): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of snapshot.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const soon = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Takes all of it in, doing something at each piece. */
async function takeIn({ content }: IncomingSnapshot, atEach: () => unknown): Promise<void> {
  for await (const chunk of content) if (chunk.length > 0) await atEach();
}

/** The body that a member sends for a snapshot, taken from a server that only listens. */
async function bodyOf(t: Test, snapshot: OutgoingSnapshot): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const server = http.createServer((request, response) => {
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const target = {
    url: `http://127.0.0.1:${port}`,
    headers: {},
    tls: undefined,
    connectMs: 10_000,
  };
  await sendSnapshotTo(target, 5, snapshot, TRANSPORT_LIMITS);
  return Buffer.concat(chunks);
}

/** Posts a body as member 1 would. The status, or undefined if the connection ended without. */
async function post(url: string, body: Buffer, length = body.length): Promise<number | undefined> {
  const headers = { ...headersTo({ clusterId: CLUSTER, memberId: 1n }, 2n), 'content-length': length };
  return new Promise((resolve) => {
    const request = http.request(`${url}/raft/snapshot`, { method: 'POST', headers, agent: false });
    request.on('error', () => resolve(undefined));
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
      request.destroy();
    });
    request.write(body, () => {
      if (body.length < length) request.destroy();
    });
  });
}

t.test('a snapshot arrives whole, with what its sender says of it, and is let go of', async (t) => {
  const [one, two] = await startPair(t);
  for (const size of [0, 1, 3 * MIB + 17]) {
    const snapshot = snapshotOf(size);

    await one.transport.sendSnapshot(2n, 9, snapshot, never);

    const { bytes, configuration: sent, ...header } = two.handler.snapshots.at(-1) ?? {};
    t.strictSame(header, { index: 7, term: 3, senderTerm: 9, size, from: 1n });
    t.ok(sent !== undefined && configuration.equals(sent));
    t.ok(bytes?.equals(await bytesOf(snapshotOf(size))));
    t.ok(snapshot.reading.ended);
  }
});

t.test(
  'the sender hears of it only when the snapshot is installed; messages do not wait for it',
  async (t) => {
    const [one, two] = await startPair(t, { limits: { snapshotStalledMs: 100 } });
    let install: () => void = () => undefined;
    let taken = false;
    two.handler.take = async ({ content }) => {
      for await (const chunk of content) t.ok(chunk.length > 0);
      taken = true;
      await new Promise<void>((resolve) => (install = resolve));
    };
    let sent = false;

    const sending = one.transport.sendSnapshot(2n, 9, snapshotOf(MIB), never).then(() => (sent = true));
    await until('all has arrived', () => taken);
    one.transport.send([heartbeat(1n, 2n, 5)]);
    await until('a message passes', () => arrived(two).includes(5));
    // The installation may take longer than a transfer may stall.
    await soon(800);
    t.notOk(sent);
    await fails(t, 'refused', one.transport.sendSnapshot(2n, 9, snapshotOf(10), never), /is being installed/);
    install();

    await sending;
    t.ok(sent);
  },
);

t.test('content that is cut, changed or of another length never ends well', async (t) => {
  const two = await startMember(t, 2n);
  const good = await bodyOf(t, snapshotOf(300_000));
  const changed = Buffer.from(good);
  changed[good.length - 1000] = (changed[good.length - 1000] ?? 0) ^ 1;
  const wrongDigest = Buffer.concat([good.subarray(0, -32), createHash('sha256').digest()]);
  const wrongHeader = Buffer.from(good);
  wrongHeader[12] = (wrongHeader[12] ?? 0) ^ 1;
  const error = () => String(two.handler.snapshotErrors.at(-1));

  t.equal(await post(two.url, changed), 409);
  t.match(error(), /checksum of a snapshot/);
  t.equal(await post(two.url, wrongDigest), 409);
  t.match(error(), /checksum of a snapshot/);
  t.equal(await post(two.url, good.subarray(0, 200_000), good.length), undefined);
  await until('the cut is seen', () => two.handler.snapshotErrors.length === 3);
  const lastByte = good.subarray(0, -1);
  t.equal(await post(two.url, lastByte, good.length), undefined);
  await until('the cut of the last byte is seen', () => two.handler.snapshotErrors.length === 4);
  t.equal(await post(two.url, wrongHeader), 400, 'the header has a checksum of its own');
  t.equal(await post(two.url, Buffer.concat([good, Buffer.of(0)])), 400, 'a byte too many');
  t.equal(await post(two.url, Buffer.alloc(100, 0xff)), 400, 'no header');
  t.equal(two.handler.snapshotErrors.length, 4, 'what has no sound header is not even begun');
  t.same(two.handler.snapshots, []);
  t.equal(await post(two.url, good), 200, 'and the same, untouched, is taken');
});

t.test('a snapshot that is refused ends at once, however much of it is still to come', async (t) => {
  const [one, two] = await startPair(t);
  const snapshot = snapshotOf(HUGE);
  two.handler.take = () => Promise.reject(new Error('an older term'));

  await fails(t, 'refused', one.transport.sendSnapshot(2n, 9, snapshot, never), /409/);

  t.ok(snapshot.reading.ended, 'its reader has stopped');
  t.ok(snapshot.reading.bytes < HUGE);
  t.match(two.warnings, ['a snapshot was not taken: an older term']);
});

t.test('a sender that gives up ends the transfer on both sides', async (t) => {
  const [one, two] = await startPair(t);
  const caller = new AbortController();
  const snapshot = snapshotOf(HUGE);
  let begun = false;
  two.handler.take = (incoming) =>
    takeIn(incoming, () => {
      begun = true;
      caller.abort();
    });

  await fails(t, 'aborted', one.transport.sendSnapshot(2n, 9, snapshot, caller.signal));

  t.ok(begun);
  t.ok(snapshot.reading.ended);
  await until('the receiver sees it', () => two.handler.snapshotErrors.length === 1);
});

t.test('a transfer of which no byte moves fails', async (t) => {
  const one = await startMember(t, 1n, { limits: { snapshotStalledMs: 100 } });
  const two = await startMember(t, 2n);
  one.knows([2n, two.url]);
  two.handler.take = () => new Promise(() => undefined);

  await fails(t, 'timeout', one.transport.sendSnapshot(2n, 9, snapshotOf(HUGE), never), /no byte/);
});

t.test('a receiver notices a sender that says nothing more', async (t) => {
  const two = await startMember(t, 2n, { limits: { snapshotStalledMs: 100 } });
  const good = await bodyOf(t, snapshotOf(300_000));
  const headers = { ...headersTo({ clusterId: CLUSTER, memberId: 1n }, 2n), 'content-length': good.length };

  const request = http.request(`${two.url}/raft/snapshot`, { method: 'POST', headers, agent: false });
  request.on('error', () => undefined);
  request.write(good.subarray(0, 200_000));

  await until('it fails', () => two.handler.snapshotErrors.length === 1);
  t.match(two.handler.snapshotErrors, [/no byte of a snapshot came for 100 ms/]);
});

t.test('a newer snapshot of the same sender ends an older one that has not arrived', async (t) => {
  const [one, two] = await startPair(t);
  const kept: number[] = [];
  let begun = false;
  two.handler.take = async (incoming) => {
    begun = true;
    await takeIn(incoming, () => (incoming.index === 1 ? soon(1) : undefined));
    kept.push(incoming.index);
  };

  const older = one.transport.sendSnapshot(2n, 9, snapshotOf(HUGE, { index: 1 }), never);
  const ended = t.rejects(older, { name: 'TransportError' });
  await until('it is under way', () => begun);
  await one.transport.sendSnapshot(2n, 9, snapshotOf(MIB, { index: 2 }), never);

  await ended;
  t.same(kept, [2]);
  t.equal(two.handler.snapshotErrors.length, 1);
});

t.test('a source that fails, or is not of the size it says, ends the transfer', async (t) => {
  const [one, two] = await startPair(t);
  const failing: OutgoingSnapshot = {
    ...snapshotOf(MIB),
    async *read() {
      yield Buffer.alloc(1000);
      throw new Error('the disk is gone');
    },
  };

  await fails(t, 'aborted', one.transport.sendSnapshot(2n, 9, snapshotOf(MIB, { given: MIB - 1 }), never));
  await fails(t, 'aborted', one.transport.sendSnapshot(2n, 9, snapshotOf(MIB, { given: MIB + 1 }), never));
  await fails(t, 'aborted', one.transport.sendSnapshot(2n, 9, failing, never), /the disk is gone/);

  t.same(two.handler.snapshots, []);
});

t.test('close ends snapshots on both sides', async (t) => {
  const [one, two] = await startPair(t);
  const snapshot = snapshotOf(HUGE);
  let begun = false;
  two.handler.take = (incoming) => {
    begun = true;
    return takeIn(incoming, () => soon(1));
  };
  const closed = fails(t, 'closed', one.transport.sendSnapshot(2n, 9, snapshot, never));
  await until('it is under way', () => begun);

  await one.transport.close();

  await closed;
  await until('the receiver sees it', () => two.handler.snapshotErrors.length === 1);
  t.ok(snapshot.reading.ended);
});
