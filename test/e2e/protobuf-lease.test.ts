/**
 * Leader election as client-go does it, without client-go: a Lease in protobuf over HTTP/2, in the bytes and headers that its
 * typed clients send from 1.32 on, written here by hand, and answers read without our own decoder.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { parse } from 'yaml';
import { bytes, envelope, int, part, parts } from '../apiserver/protobuf-tools.js';
import { startWherry, type Wherry } from '../tools/wherry.js';

const protobuf = 'application/vnd.kubernetes.protobuf';
const apiVersion = 'coordination.k8s.io/v1';
const collection = `/apis/${apiVersion}/namespaces/default/leases`;
const path = `${collection}/lock`;

interface Answer {
  readonly status: number;
  readonly type: string;
  /** What the envelope says it holds. */
  readonly kind: string;
  readonly raw: Buffer;
}

class LeaseClient {
  constructor(private readonly session: ClientHttp2Session) {}

  async call(method: string, path: string, body?: Buffer): Promise<Answer> {
    const stream = this.open(method, path, body);
    const [headers] = (await once(stream, 'response')) as [Record<string, string>];
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const answer = Buffer.concat(chunks);
    return {
      status: Number(headers[':status']),
      type: headers['content-type'] ?? '',
      kind: part(part(answer.subarray(4), 1), 2).toString(),
      raw: part(answer.subarray(4), 2),
    };
  }

  open(method: string, path: string, body?: Buffer): ClientHttp2Stream {
    const headers = {
      ':method': method,
      ':path': path,
      accept: `${protobuf},application/json`,
      'accept-encoding': 'gzip',
      'user-agent': 'controller/v0.0.0 (linux/amd64) kubernetes/$Format/leader-election',
      ...(body === undefined ? {} : { 'content-type': protobuf, 'content-length': `${body.length}` }),
    };
    // Node takes it that a deletion has no body.
    const stream = this.session.request(headers, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    return stream;
  }

  get = () => this.call('GET', path);
  create = (spec: Spec) => this.call('POST', collection, lease(newMetadata, spec));
  /** With the metadata that was read, as it was read. */
  update = (read: Answer, spec: Spec) => this.call('PUT', path, lease(metadataOf(read), spec));
}

function clientOf(server: Wherry): LeaseClient {
  const { clusters, users } = parse(readFileSync(server.kubeconfig, 'utf8')) as {
    readonly clusters: readonly [{ readonly cluster: Record<string, string> }];
    readonly users: readonly [{ readonly user: Record<string, string> }];
  };
  const pem = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64');
  const session = connect(server.secureUrl, {
    ca: pem(clusters[0].cluster['certificate-authority-data']),
    cert: pem(users[0].user['client-certificate-data']),
    key: pem(users[0].user['client-key-data']),
  });
  t.teardown(() => session.destroy());
  return new LeaseClient(session);
}

interface Spec {
  readonly holder?: string;
  readonly seconds: number;
  readonly transitions: number;
  /** Seconds since the epoch, with microseconds. */
  readonly renewed: readonly [seconds: number, micros: number];
}

/** ObjectMeta {name, namespace}, with the zero values that Go writes. */
const newMetadata = [
  ...bytes(1, 'lock'),
  ...bytes(2, ''),
  ...bytes(3, 'default'),
  ...bytes(4, ''),
  ...bytes(5, ''),
  ...bytes(6, ''),
  ...int(7, 0),
  ...bytes(8, ''),
];

function lease(metadata: readonly number[], { holder, seconds, transitions, renewed }: Spec): Buffer {
  const time = [...int(1, renewed[0]), ...int(2, renewed[1] * 1000)];
  return envelope(apiVersion, 'Lease', [
    ...bytes(1, metadata),
    ...bytes(2, [
      ...(holder === undefined ? [] : bytes(1, holder)),
      ...int(2, seconds),
      ...bytes(3, time),
      ...bytes(4, time),
      ...int(5, transitions),
    ]),
  ]);
}

const metadataOf = ({ raw }: Pick<Answer, 'raw'>): number[] => [...part(raw, 1)];
const text = (message: Buffer, field: number): string => part(message, field).toString();
const holderOf = ({ raw }: Pick<Answer, 'raw'>): string => text(part(raw, 2), 1);
const versionOf = ({ raw }: Pick<Answer, 'raw'>): number => Number(text(part(raw, 1), 6));
const number = (message: Buffer, field: number): unknown =>
  parts(message).find((each) => each.number === field)?.value;

/** A Status by its fields' numbers. */
const statusOf = ({ kind, raw }: Answer) => ({
  kind,
  status: text(raw, 2),
  message: text(raw, 3),
  reason: text(raw, 4),
  code: number(raw, 6),
});

const now = Math.floor(Date.now() / 1000);

t.test('two candidates elect a leader over one Lease', async (t) => {
  const server = await startWherry();
  t.teardown(() => server.stop());
  const [a, b] = [clientOf(server), clientOf(server)];
  const missing = await a.get();
  t.same([missing.status, missing.type], [404, protobuf]);
  t.match(statusOf(missing), {
    kind: 'Status',
    status: 'Failure',
    message: 'leases.coordination.k8s.io "lock" not found',
    reason: 'NotFound',
    code: 404,
  });

  const listed = await a.call('GET', `${collection}?limit=500&resourceVersion=0`);
  t.same(
    [listed.status, listed.kind, parts(listed.raw).length],
    [200, 'LeaseList', 1],
    'nothing but metadata',
  );
  const from = text(part(listed.raw, 1), 2);
  const query = `allowWatchBookmarks=true&resourceVersion=${from}&timeoutSeconds=300&watch=true`;
  const watching = a.open('GET', `${collection}?${query}`);
  const [watchHeaders] = (await once(watching, 'response')) as [Record<string, string>];
  t.equal(watchHeaders['content-type'], `${protobuf};stream=watch`);
  let seen = Buffer.alloc(0);
  watching.on('data', (chunk: Buffer) => (seen = Buffer.concat([seen, chunk])));

  const spec: Spec = { holder: 'a', seconds: 15, transitions: 0, renewed: [now, 123_456] };
  const created = await a.create(spec);
  t.same([created.status, created.type, created.kind], [201, protobuf, 'Lease']);
  t.equal(holderOf(created), 'a');
  t.ok(
    part(created.raw, 2).equals(part(part(lease([], spec).subarray(4), 2), 2)),
    'the spec comes back byte for byte',
  );
  t.ok(metadataIsGo(Buffer.from(metadataOf(created))), 'metadata has every field that Go writes, in order');
  const late = await b.create({ ...spec, holder: 'b' });
  t.match(statusOf(late), { reason: 'AlreadyExists', code: 409 });

  const seenByB = await b.get();
  t.ok(seenByB.raw.equals(created.raw));
  const renewed = await a.update(created, { ...spec, renewed: [now + 2, 0] });
  t.equal(renewed.status, 200);
  t.ok(versionOf(renewed) > versionOf(created));
  const stale = await b.update(seenByB, { ...spec, holder: 'b', transitions: 1 });
  t.match(statusOf(stale), {
    kind: 'Status',
    message:
      'Operation cannot be fulfilled on leases.coordination.k8s.io "lock": the object has been modified; please apply your changes to the latest version and try again',
    reason: 'Conflict',
    code: 409,
  });
  t.equal(holderOf(await b.get()), 'a', 'a lost race changes nothing');

  const released = await a.update(renewed, { seconds: 1, transitions: 0, renewed: [now + 3, 5] });
  t.equal(holderOf(released), '');
  const free = await b.get();
  const taken = await b.update(free, { ...spec, holder: 'b', transitions: 1, renewed: [now + 4, 0] });
  t.equal(holderOf(taken), 'b');
  t.equal(number(part(taken.raw, 2), 5), 1);
  t.match(statusOf(await a.update(released, { ...spec, transitions: 1 })), { reason: 'Conflict', code: 409 });

  const deletion = (uid: string) => envelope(apiVersion, 'DeleteOptions', bytes(2, bytes(1, uid)));
  const uid = text(part(taken.raw, 1), 5);
  t.match(statusOf(await b.call('DELETE', path, deletion('another'))), { reason: 'Conflict', code: 409 });
  const deleted = await b.call('DELETE', path, deletion(uid));
  t.same([deleted.status, deleted.kind, text(deleted.raw, 2)], [200, 'Status', 'Success']);
  t.equal(text(part(deleted.raw, 5), 6), uid);
  const again = await a.create({ ...spec, transitions: 2 });
  t.equal(again.status, 201);
  const plain = await a.call('DELETE', path, envelope(apiVersion, 'DeleteOptions', []));
  t.equal(plain.status, 200, 'options in which nothing is set');

  const expected = ['ADDED', 'MODIFIED', 'MODIFIED', 'MODIFIED', 'DELETED', 'ADDED', 'DELETED'];
  const changes = () => framesOf(seen).filter(({ type }) => type !== 'BOOKMARK');
  for (let i = 0; i < 500 && changes().length < expected.length; i++) await sleep(20);
  watching.close();
  const events = changes();
  t.same(
    events.map(({ type }) => type),
    expected,
  );
  for (const [i, answer] of [created, renewed, released, taken].entries()) {
    t.ok(events[i]?.raw.equals(answer.raw), `event ${i} is what the writer was answered`);
  }
  t.equal(holderOf(events[4] ?? { raw: Buffer.alloc(0) }), 'b', 'a deletion shows the last state');
  t.ok(versionOf(events[4] ?? { raw: Buffer.alloc(0) }) > versionOf(taken));
});

/** Events of a stream: frames of a length and a WatchEvent, with an envelope in it. */
function framesOf(stream: Buffer): { readonly type: string; readonly raw: Buffer }[] {
  const events = [];
  for (let at = 0; at + 4 <= stream.length; ) {
    const length = stream.readUInt32BE(at);
    if (at + 4 + length > stream.length) break;
    const event = stream.subarray(at + 4, at + 4 + length);
    const object = part(part(event, 2), 1);
    events.push({ type: text(event, 1), raw: part(object.subarray(4), 2) });
    at += 4 + length;
  }
  return events;
}

/** ObjectMeta with everything that is no pointer, and one entry of managedFields with all of its fields. */
function metadataIsGo(metadata: Buffer): boolean {
  const numbersOf = (message: Buffer) => parts(message).map((field) => field.number);
  const entry = part(metadata, 17);
  return (
    JSON.stringify([numbersOf(metadata), numbersOf(entry)]) ===
      JSON.stringify([
        [1, 2, 3, 4, 5, 6, 7, 8, 17],
        [1, 2, 3, 4, 6, 7, 8],
      ]) &&
    text(entry, 1) === 'controller' &&
    typeof JSON.parse(text(part(entry, 7), 1)) === 'object'
  );
}

t.test('what stands in protobuf is what stands in JSON', async (t) => {
  const server = await startWherry();
  t.teardown(() => server.stop());
  const client = clientOf(server);
  const created = await client.create({ holder: 'é', seconds: 0, transitions: 0, renewed: [now, 5] });
  t.match(statusOf(created), { reason: 'Invalid', code: 422 });
  t.match(statusOf(created).message, 'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0');
  t.equal((await client.create({ holder: 'é', seconds: 1, transitions: 0, renewed: [now, 5] })).status, 201);
  const json = (await (await fetch(server.url + path)).json()) as { spec: object };
  const at = new Date(now * 1000).toISOString().replace('.000Z', '.000005Z');
  t.same(json.spec, {
    holderIdentity: 'é',
    leaseDurationSeconds: 1,
    acquireTime: at,
    renewTime: at,
    leaseTransitions: 0,
  });
});
