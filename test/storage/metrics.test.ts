/** What a store counts, and how Prometheus reads it: etcd's names, types, labels and buckets. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { issueAuthority, issueLeaf } from '../../cli/pki/issue.js';
import { etcdServices } from '../../storage/grpc/services.js';
import { listenForMetrics } from '../../storage/http/metrics-port.js';
import { Counters } from '../../storage/metrics/counters.js';
import type { Family } from '../../storage/metrics/family.js';
import { GrpcCounters } from '../../storage/metrics/grpc-counters.js';
import { exponential, Histogram } from '../../storage/metrics/histogram.js';
import { Metrics, storeFamilies } from '../../storage/metrics/metrics.js';
import type { Readings } from '../../storage/metrics/readings.js';
import { probeRoundTrips } from '../../storage/metrics/round-trips.js';
import { openStore, type Store } from '../../storage/open.js';
import { append, startMember, until } from '../raft/transport-harness.js';
import { freePort } from '../tools/free-port.js';
import { fakeStore, settle } from './fake-store.js';
import { bytes, del, get, prefix, put, temporaryFolder, txn } from './tools.js';

const methods = etcdServices.flatMap((each) => Object.values(each));

function readingsOf(
  store: Pick<Store, 'counters' | 'totals' | 'status'>,
  grpc = new GrpcCounters({ methods, extensive: true }),
): Readings {
  const { counters } = store;
  return { counters, grpc, totals: store.totals(), status: store.status(), memberId: 1n, others: [2n] };
}

/** The value of a sample; `labels` in the order in which they are written. */
function valueOf(families: readonly Family[], name: string, labels: Readonly<Record<string, string>> = {}) {
  const samples = families.flatMap((family) =>
    family.samples.map((sample) => ({ ...sample, name: family.name + sample.suffix })),
  );
  const wanted = JSON.stringify(labels);
  return samples.find((sample) => sample.name === name && JSON.stringify(sample.labels) === wanted)?.value;
}

function check(t: Test, families: readonly Family[], expected: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(expected)) t.equal(valueOf(families, name), value, name);
}

t.test('a histogram’s buckets count what is at most their bound', async (t) => {
  t.same(exponential(0.001, 2, 4), [0.001, 0.002, 0.004, 0.008]);
  t.equal(exponential(0.0001, 2, 16).at(-1), 3.2768, 'as Go writes it');
  const histogram = new Histogram([1, 2]);
  for (const value of [0.5, 1, 1.5, 2, 3]) histogram.observe(value);
  t.same(histogram.counts, [2, 2, 1]);
  t.equal(histogram.count, 5);
  t.equal(histogram.sum, 8);
});

t.test('operations are counted, those in transactions too', async (t) => {
  const store = fakeStore();
  const { client } = store;
  await client.put({ key: bytes('a'), value: bytes('1') });
  await client.put({ key: bytes('b'), value: bytes('22') });
  check(t, storeFamilies(readingsOf(store)), { etcd_debugging_mvcc_keys_total: 2 });
  await client.range({ key: bytes('a') });
  await client.txn(txn([put('c', '3'), get('a'), del('b')]));
  await client.txn(txn([put('c', '4')]));
  await client.deleteRange(prefix('nothing'));
  check(t, storeFamilies(readingsOf(store)), {
    etcd_mvcc_put_total: 4,
    etcd_mvcc_range_total: 2,
    etcd_mvcc_delete_total: 2,
    etcd_mvcc_txn_total: 1,
    etcd_debugging_mvcc_put_total: 4,
    etcd_mvcc_total_put_size_in_bytes: 9,
    etcd_debugging_mvcc_keys_total: 2,
    etcd_debugging_mvcc_current_revision: 5,
    etcd_debugging_mvcc_compact_revision: -1,
    etcd_debugging_auth_revision: 1,
  });
  await store.close();
});

t.test('watches, their events, and events that nobody takes', async (t) => {
  const store = fakeStore();
  const { client } = store;
  const [taken, refused] = [client.watch(), client.watch()];
  taken.deliver(() => true);
  refused.deliver((response) => response.events.length === 0);
  taken.create({ key: bytes('a') });
  taken.create({ key: bytes('b') });
  refused.create({ key: bytes('a') });
  await client.put({ key: bytes('a'), value: bytes('1') });
  await client.put({ key: bytes('a'), value: bytes('2') });
  check(t, storeFamilies(readingsOf(store)), {
    etcd_debugging_mvcc_watch_stream_total: 2,
    etcd_debugging_mvcc_watcher_total: 3,
    etcd_debugging_mvcc_slow_watcher_total: 1,
    etcd_debugging_mvcc_events_total: 3,
    etcd_debugging_mvcc_pending_events_total: 1,
    etcd_debugging_store_watch_requests_total: 3,
    etcd_debugging_store_watchers: 3,
  });
  refused.close();
  check(t, storeFamilies(readingsOf(store)), {
    etcd_debugging_mvcc_watch_stream_total: 1,
    etcd_debugging_mvcc_slow_watcher_total: 0,
  });
  await store.close();
});

t.test('leases: granted, renewed, revoked, expired', async (t) => {
  const store = fakeStore();
  const { client, clock } = store;
  const kept = await client.leaseGrant({ ttl: 100 });
  await client.leaseGrant({ ttl: 3 });
  await client.leaseKeepAlive(kept.id);
  clock.advance(4000);
  await settle();
  await client.leaseRevoke(kept.id);
  check(t, storeFamilies(readingsOf(store)), {
    etcd_debugging_lease_granted_total: 2,
    etcd_debugging_lease_renewed_total: 1,
    etcd_debugging_lease_revoked_total: 2,
    etcd_debugging_server_lease_expired_total: 1,
    etcd_debugging_lease_ttl_total_sum: 103,
    etcd_debugging_lease_ttl_total_count: 2,
  });
  await store.close();
});

t.test('a store on disk: its log, its commits, its size, its leader, a copy, a compaction', async (t) => {
  const store = await openStore({ dataDir: temporaryFolder(t) });
  t.teardown(() => store.close());
  const value = Buffer.alloc(1000);
  for (let index = 0; index < 10; index++) await store.client.put({ key: bytes('k'), value });
  for await (const chunk of store.snapshot()) t.ok(chunk);
  await store.client.compact({ revision: 10, physical: true });
  await store.upkeep.hash();
  await store.upkeep.hashKv({ revision: 0 });
  await store.upkeep.defragment();
  await t.rejects(store.client.put({ key: bytes('k'), value: Buffer.alloc(4 * 2 ** 20) }));
  const families = storeFamilies({ ...readingsOf(store), memberId: store.memberId });
  const numberOf = (name: string) => valueOf(families, name) ?? 0;
  check(t, families, {
    etcd_server_has_leader: 1,
    etcd_server_is_leader: 1,
    etcd_server_is_learner: 0,
    etcd_server_leader_changes_seen_total: 1,
    etcd_server_proposals_pending: 0,
    etcd_server_proposals_failed_total: 0,
    etcd_disk_backend_snapshot_duration_seconds_count: 1,
    etcd_mvcc_hash_duration_seconds_count: 1,
    etcd_mvcc_hash_rev_duration_seconds_count: 1,
    etcd_disk_backend_defrag_duration_seconds_count: 1,
    etcd_disk_defrag_inflight: 0,
    etcd_debugging_mvcc_compact_revision: 10,
    etcd_debugging_mvcc_db_compaction_keys_total: 8,
    etcd_debugging_mvcc_db_compaction_total_duration_milliseconds_count: 1,
  });
  t.ok(numberOf('etcd_disk_wal_fsync_duration_seconds_count') >= 10);
  t.ok(numberOf('etcd_disk_wal_fsync_duration_seconds_sum') > 0);
  t.ok(numberOf('etcd_disk_wal_write_bytes_total') > 10_000);
  t.ok(numberOf('etcd_disk_backend_commit_duration_seconds_count') >= 10);
  t.ok(numberOf('etcd_mvcc_db_total_size_in_bytes') >= numberOf('etcd_mvcc_db_total_size_in_use_in_bytes'));
  t.ok(numberOf('etcd_mvcc_db_total_size_in_use_in_bytes') > 10_000);
  t.equal(numberOf('etcd_server_proposals_applied_total'), numberOf('etcd_server_proposals_committed_total'));
});

t.test('what is refused, what is late, what is slow', async (t) => {
  const counters = new Counters({ slowApplySeconds: 0.2 });
  counters.applied(0.2, 0.001);
  counters.applied(0.21, 0.001);
  counters.heartbeatLate();
  counters.healthChecked(true);
  counters.healthChecked(false);
  counters.learnerPromoted();
  counters.learnerPromotionFailed('not in sync');
  const store = fakeStore();
  const families = storeFamilies({ ...readingsOf(store), counters });
  check(t, families, {
    etcd_server_slow_apply_total: 1,
    etcd_server_heartbeat_send_failures_total: 1,
    etcd_server_health_success: 1,
    etcd_server_health_failures: 1,
    etcd_server_learner_promote_successes: 1,
  });
  t.equal(valueOf(families, 'etcd_server_learner_promote_failures', { Reason: 'not in sync' }), 1);
  await store.close();
});

t.test('reads and proposals that fail are counted by how they did', async (t) => {
  const store = await openStore({ dataDir: ':memory:' });
  await store.close();
  await t.rejects(store.client.put({ key: bytes('a'), value: bytes('1') }));
  await t.rejects(store.client.range({ key: bytes('a') }));
  t.match(store.counters, {
    proposalsFailed: 1,
    proposalsPending: 0,
    readIndexesFailed: 1,
    slowReadIndexes: 0,
  });
});

t.test('gRPC calls by method and code; how long they take, if that is asked for', async (t) => {
  const grpc = new GrpcCounters({ methods, extensive: true });
  const [method] = methods;
  grpc.started(method);
  grpc.messageReceived(method, 10);
  grpc.messageSent(method, 20);
  grpc.handled(method, 0, 0.02);
  grpc.started(method);
  grpc.handled(method, 14, 3);
  const store = fakeStore();
  const families = storeFamilies(readingsOf(store, grpc));
  const labels = { grpc_method: 'Range', grpc_service: 'etcdserverpb.KV', grpc_type: 'unary' };
  t.equal(valueOf(families, 'grpc_server_started_total', labels), 2);
  t.equal(valueOf(families, 'grpc_server_msg_received_total', labels), 1);
  t.equal(valueOf(families, 'grpc_server_msg_sent_total', labels), 1);
  const handled = (code: string) =>
    valueOf(families, 'grpc_server_handled_total', { ...labels, grpc_code: code });
  t.same([handled('OK'), handled('Unavailable'), handled('Internal')], [1, 1, 0]);
  const bucket = (le: string) => valueOf(families, 'grpc_server_handling_seconds_bucket', { ...labels, le });
  t.same([bucket('0.01'), bucket('0.025'), bucket('2.5'), bucket('5'), bucket('+Inf')], [0, 1, 1, 2, 2]);
  check(t, families, {
    etcd_network_client_grpc_received_bytes_total: 10,
    etcd_network_client_grpc_sent_bytes_total: 20,
  });
  const unary = { type: 'unary', client_api_version: 'unknown' };
  t.equal(valueOf(families, 'etcd_server_client_requests_total', unary), 2);
  const basic = storeFamilies(readingsOf(store, new GrpcCounters({ methods, extensive: false })));
  t.notOk(basic.some(({ name }) => name === 'grpc_server_handling_seconds'));
  await store.close();
});

t.test('traffic between members, and how far they are', async (t) => {
  const counters = new Counters();
  const received = new Counters();
  const two = await startMember(t, 2n, { observer: received });
  const one = await startMember(t, 1n, { observer: counters });
  one.knows([2n, two.url]);
  await until('it has arrived', () => {
    one.transport.send([append(1n, 2n, 1, 1000)]);
    return (received.peers.get(1n)?.receivedBytes ?? 0) > 1000;
  });
  const asked: bigint[] = [];
  const end = probeRoundTrips({
    counters,
    others: () => [2n],
    ask: async (member) => void asked.push(member),
  });
  await until('it was measured', () => counters.peers.get(2n)?.roundTrips.count === 1);
  end();
  const store = fakeStore();
  const families = storeFamilies({ ...readingsOf(store), counters });
  t.same(asked, [2n]);
  t.ok((valueOf(families, 'etcd_network_peer_sent_bytes_total', { To: '2' }) ?? 0) > 1000);
  t.equal(valueOf(families, 'etcd_network_active_peers', { Local: '1', Remote: '2' }), 1);
  t.equal(valueOf(families, 'etcd_network_known_peers', { Local: '1', Remote: '2' }), 1);
  t.equal(valueOf(families, 'etcd_network_peer_round_trip_time_seconds_count', { To: '2' }), 1);
  await two.transport.close();
  await until('it is gone', () => counters.peers.get(2n)?.isConnected === false);
  t.equal(counters.peers.get(2n)?.disconnections, 1);
  await until('what is sent to it is lost', () => {
    one.transport.send([append(1n, 2n, 1)]);
    return (counters.peers.get(2n)?.sendFailures ?? 0) > 0;
  });
  await store.close();
});

t.test('the port for metrics: these pages, and no others', async (t) => {
  const store = fakeStore();
  const metrics = new Metrics(() => readingsOf(store));
  const checks: boolean[] = [];
  const errors: unknown[] = [];
  const authority = await issueAuthority('clients', Date.now());
  const pair = await issueLeaf(
    authority,
    { commonName: 'server', usage: 'server', ipAddresses: ['127.0.0.1'] },
    Date.now(),
  );
  let page = () => metrics.page();
  const port = await listenForMetrics({
    urls: ['http://127.0.0.1:0', 'https://127.0.0.1:0'],
    tls: { ...pair, clientCertAuth: false },
    client: store.client,
    status: () => store.status(),
    alarms: () => [],
    metrics: () => page(),
    onChecked: (isHealthy) => checks.push(isHealthy),
    onError: (error) => errors.push(error),
  });
  t.teardown(() => port.close());
  const [plain, secure] = port.ports;
  const fetchPage = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${plain}${path}`, init);
  const text = await (await fetchPage('/metrics')).text();
  t.match(
    text,
    /^# HELP etcd_server_has_leader .+\n# TYPE etcd_server_has_leader gauge\netcd_server_has_leader 1\n/,
  );
  t.match(text, /\netcd_server_id\{server_id="1"\} 1\n/);
  t.match(text, /\netcd_disk_wal_fsync_duration_seconds_bucket\{le="0.001"\} 0\n/);
  t.match(text, /\nprocess_resident_memory_bytes \d+\n/);
  t.equal(
    (await fetchPage('/metrics')).headers.get('content-type'),
    'text/plain; version=0.0.4; charset=utf-8',
  );
  t.same(await (await fetchPage('/health')).json(), { health: 'true', reason: '' });
  t.equal(await (await fetchPage('/readyz')).text(), 'ok\n');
  t.equal(await (await fetchPage('/livez?verbose')).text(), '[+]serializable_read ok\nok\n');
  t.same(checks, [true]);
  t.equal((await fetchPage('/v3/kv/range', { method: 'POST' })).status, 405);
  t.equal((await fetchPage('/version')).status, 404);
  t.equal((await fetchPage('/metrics', { headers: { origin: 'http://a.example' } })).status, 403);
  page = () => Promise.reject(new Error('broken'));
  t.equal((await fetchPage('/metrics')).status, 500);
  t.match(errors, [{ message: 'broken' }]);
  await t.rejects(fetch(`http://127.0.0.1:${secure}/health`), 'that one wants TLS');
  await store.close();
});

const isInstalled = spawnSync('etcd', ['--version']).status === 0;

/** Families of a real etcd that have no counterpart, by what they begin with. */
const ABSENT: readonly (readonly [string, string])[] = [
  ['etcd_debugging_disk_backend_commit_', 'phases of a commit of bbolt, which is not here'],
  ['etcd_debugging_mvcc_index_compaction_', 'there is no index in memory'],
  ['etcd_debugging_snap_save_', 'there are no v2 snapshots'],
  ['etcd_snap_fsync_', 'there are no v2 snapshots'],
  ['etcd_snap_db_fsync_', 'SQLite syncs what it takes in; the whole is in etcd_snap_db_save_total_…'],
  ['etcd_grpc_proxy_', 'there is no proxy'],
  ['etcd_server_go_version', 'this is no Go program'],
];

t.test(
  'every family of a real etcd is here, with its type, labels and buckets',
  { skip: isInstalled ? false : 'etcd is not installed' },
  async (t) => {
    const real = parse(await realMetrics(t));
    const store = fakeStore();
    const own = parse((await new Metrics(() => readingsOf(store)).page()).body);
    await store.close();
    const names = [...real.keys()].filter((name) => /^(etcd|grpc|os)_/.test(name));
    t.ok(names.length > 80);
    for (const name of names) {
      const reason = ABSENT.find(([start]) => name.startsWith(start))?.[1];
      if (reason === undefined) t.same(own.get(name), real.get(name), name);
      else t.notOk(own.has(name), `${name} is absent: ${reason}`);
    }
  },
);

interface Described {
  type: string;
  /** Of all samples, sorted. */
  labels: string[];
  /** Upper ends. */
  bounds: number[];
}

function parse(text: string): Map<string, Described> {
  const found = new Map<string, Described>();
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const samples = text.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{(.*)\\} `, 'gm'));
    const labels = new Set<string>();
    const bounds = new Set<number>();
    for (const [, list = ''] of samples) {
      for (const [, label = '', value = ''] of list.matchAll(/(\w+)="([^"]*)"/g)) {
        labels.add(label);
        if (label === 'le') bounds.add(Number(value.replace('+Inf', 'Infinity')));
      }
    }
    found.set(name, { type, labels: [...labels].sort(), bounds: [...bounds].sort((a, b) => a - b) });
  }
  return found;
}

async function realMetrics(t: Test): Promise<string> {
  const [client, peer] = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`);
  const child = spawn(
    'etcd',
    [
      ['--data-dir', temporaryFolder(t)],
      ['--listen-client-urls', client],
      ['--advertise-client-urls', client],
      ['--listen-peer-urls', peer],
      ['--initial-advertise-peer-urls', peer],
      ['--initial-cluster', `default=${peer}`],
    ].flat() as string[],
    { stdio: 'ignore' },
  );
  t.teardown(async () => {
    child.kill();
    await once(child, 'exit');
  });
  for (;;) {
    const response = await fetch(`${client}/metrics`).catch(() => undefined);
    if (response?.ok === true) return response.text();
    await delay(50);
  }
}
