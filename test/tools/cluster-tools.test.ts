/** The tools of the cluster's tests see what they are there for. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { History } from './history.js';
import { PeerNetwork } from './peer-proxy.js';
import { watchFaults } from './resuming-watcher.js';
import { percentile } from './statistics.js';

/** Of a connection from `from` to the member at `url`, with what has arrived at either end. */
async function open(url: string, from: bigint) {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const end = { received: '', closed: false, send: (text: string) => socket.write(text) };
  socket.on('data', (chunk: Buffer) => (end.received += chunk.toString()));
  socket.on('close', () => (end.closed = true));
  socket.on('error', () => undefined);
  socket.write(`POST /raft/stream HTTP/1.1\r\nx-wherry-from: ${from.toString(16)}\r\n\r\n`);
  t.teardown(() => socket.destroy());
  return end;
}

/** A member that says `ok` to everything that it gets. */
async function listen() {
  const member = { received: '', port: 0 };
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      member.received += chunk.toString();
      socket.write('ok');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  member.port = (server.address() as AddressInfo).port;
  return member;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 500) throw new Error(`it never came to this: ${what}`);
    await sleep(10);
  }
}

t.test('the network between members', async (t) => {
  const network = new PeerNetwork();
  t.teardown(() => network.close());
  const member = await listen();
  const url = await network.addMember('b', member.port);
  network.identify(1n, 'a');
  network.identify(3n, 'c');
  const from = await open(url, 1n);
  await until(() => member.received.includes('x-wherry-from: 1') && from.received === 'ok', 'bytes pass');

  await t.test('what is held arrives later, and only that direction is', async () => {
    network.hold('a', 'b');
    from.send('held');
    const other = await open(url, 3n);
    await until(() => other.received === 'ok', 'another member is not held');
    const late = await open(url, 1n);
    await sleep(100);
    t.notMatch(member.received, 'held', 'nothing passes');
    t.equal(late.received, '', 'a new connection is not answered');
    network.heal();
    await until(() => member.received.includes('held') && late.received === 'ok', 'it arrives');

    network.hold('b', 'a');
    const answered = from.received;
    from.send('heard');
    await until(() => member.received.includes('heard'), 'the other direction is open');
    await sleep(50);
    t.equal(from.received, answered, 'the answer is not');
    network.heal();
    await until(() => from.received.length > answered.length, 'it comes');
  });

  await t.test('what is delayed takes its time', async (t) => {
    network.delay('a', 'b', 120);
    const startedAt = performance.now();
    from.send('slow');
    await until(() => member.received.includes('slow'), 'it arrives');
    // A timer may be a millisecond early.
    t.ok(performance.now() - startedAt >= 118);
    network.heal();
  });

  await t.test('who is refused is cut, and cannot connect', async () => {
    const other = await open(url, 3n);
    network.refuse('a', 'b');
    const again = await open(url, 1n);
    await until(() => from.closed && again.closed, 'both connections are cut');
    t.notOk(other.closed, 'another member is not cut');
    network.heal();
    const healed = await open(url, 1n);
    await until(() => healed.received === 'ok', 'it connects again');
  });
});

t.test('a history', async (t) => {
  const history = new History();
  const created = history.begin(1, 'x');
  history.swapped(created, undefined, 'one', 5);
  const wrote = history.begin(1, 'x');
  history.wrote(wrote, 'two', 6);
  history.maybeWrote(history.begin(2, 'x'), 'perhaps');
  history.notSwapped(history.begin(2, 'x'), 'one', 'three');
  history.read(history.begin(2, 'x'), 'two', 6);
  t.same(history.faults(new Map([['x', 6]])), [], 'is good');
  t.match(history.counts(), { keys: 1, reads: 1, writes: 2, refusals: 1, unknown: 1 });
  t.match(history.faults(new Map([['x', 5]])), [/write of two to x at revision 6 is lost/]);
  t.match(history.faults(new Map()), [/one to x/, /two to x/], 'a key may be gone');
  history.read(history.begin(3, 'x'), 'perhaps', 7);
  t.same(history.faults(new Map([['x', 7]])), [], 'what was unknown has happened');
  history.read(history.begin(3, 'x'), 'perhaps', 8);
  t.match(
    history.faults(new Map([['x', 8]])),
    [/perhaps was written to x at revision 7 and at 8/],
    'but not twice',
  );
  history.read(history.begin(3, 'x'), 'two', 6);
  t.match(history.faults(new Map([['x', 8]])), [/twice|7 and at 8/, /not linearizable/], 'a stale read');
});

t.test('what a watch saw', async (t) => {
  const seen = (revisions: number[], errors: string[] = [], unseen: number[] = []) =>
    watchFaults('m1', { revisions, errors }, { acknowledged: [4, 5], unseen });
  t.same(seen([3, 4, 5]), []);
  t.match(seen([3, 4, 4, 5]), [/4 after 4/]);
  t.match(seen([3, 4, 6, 5]), [/5 after 6/]);
  t.match(seen([3, 4, 5, 7], [], [6]), [/missed 6/]);
  t.match(seen([3, 4]), [/missed 5/]);
  t.match(seen([4, 5], ['gone']), [/was told gone/]);
});

t.test('percentiles are by nearest rank', async (t) => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  t.equal(percentile(values, 50), 50);
  t.equal(percentile(values, 99), 99);
  t.equal(percentile(values, 100), 100);
  t.equal(percentile([7], 50), 7);
});
