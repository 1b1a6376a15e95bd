/**
 * A small etcd in memory for tests of the registry: every revision is kept, and tests decide when watches hear of them,
 * cut their streams and compact.
 */
import type {
  CallOptions,
  Compare,
  EtcdClient,
  KeyValue,
  RangeRequest,
  RangeResponse,
  RequestOp,
  ResponseHeader,
  ResponseOp,
  TxnRequest,
  TxnResponse,
  WatchCreateRequest,
  WatchEvent,
  WatchResponse,
  WatchStream,
} from '../../storage/client/interface.js';
import { EtcdError } from '../../storage/errors.js';

interface Row {
  readonly revision: number;
  readonly kv: KeyValue | undefined;
}

interface Commit {
  readonly revision: number;
  readonly events: readonly WatchEvent[];
}

const text = (key: Uint8Array): string => Buffer.from(key).toString('latin1');

export class FakeEtcd implements EtcdClient {
  revision = 1;
  compacted = 0;
  /** Events reach watches within the write (embedded), or when `flush` is called (remote, at its slowest). */
  immediate = true;
  /** False: like an etcd whose word on progress cannot be trusted. */
  tellsProgress = true;
  /** Called before a transaction is applied: the place for another writer to be faster. */
  beforeTxn: ((request: TxnRequest) => void | Promise<void>) | undefined;
  /** Calls counted by name. */
  readonly calls = new Map<string, number>();
  readonly streams = new Set<FakeStream>();
  /** Lease id → its ttl. */
  readonly leases = new Map<bigint, number>();
  private readonly rows = new Map<string, Row[]>();
  readonly commits: Commit[] = [];

  async range(request: RangeRequest): Promise<RangeResponse> {
    this.count('range');
    await Promise.resolve();
    return this.rangeNow(request);
  }

  async put(): Promise<never> {
    return Promise.reject(new Error('the registry writes by transactions'));
  }
  async deleteRange(): Promise<never> {
    return Promise.reject(new Error('the registry writes by transactions'));
  }

  async txn(request: TxnRequest): Promise<TxnResponse> {
    this.count('txn');
    await this.beforeTxn?.(request);
    await Promise.resolve();
    return this.txnNow(request);
  }

  txnNow(request: TxnRequest): TxnResponse {
    const succeeded = request.compare.every((compare) => this.holds(compare));
    const ops = succeeded ? request.success : request.failure;
    for (const op of ops) {
      if (op.type === 'put' && op.lease !== undefined && !this.leases.has(op.lease)) {
        throw EtcdError.of('LeaseNotFound');
      }
    }
    const events: WatchEvent[] = [];
    const revision = this.revision + 1;
    const responses = ops.map((op) => this.apply(op, revision, events));
    if (events.length > 0) {
      this.revision = revision;
      this.commits.push({ revision, events });
      if (this.immediate) this.flush();
    }
    return { header: this.header(), succeeded, responses };
  }

  /** One write by somebody else. `value` undefined: a deletion. */
  write(key: string, value: string | undefined): number {
    const bytes = Buffer.from(key);
    const op: RequestOp =
      value === undefined
        ? { type: 'delete', key: bytes }
        : { type: 'put', key: bytes, value: Buffer.from(value) };
    this.txnNow({ compare: [], success: [op], failure: [] });
    return this.revision;
  }

  valueOf(key: string): string | undefined {
    const kv = this.rows.get(key)?.at(-1)?.kv;
    return kv === undefined ? undefined : Buffer.from(kv.value).toString();
  }

  kvOf(key: string): KeyValue | undefined {
    return this.rows.get(key)?.at(-1)?.kv;
  }

  async compact({ revision }: { readonly revision: number }): Promise<{ header: ResponseHeader }> {
    this.compactNow(revision);
    return Promise.resolve({ header: this.header() });
  }

  compactNow(revision: number): void {
    this.compacted = revision;
  }

  watch(): WatchStream {
    this.count('watch');
    const stream = new FakeStream(this);
    this.streams.add(stream);
    return stream;
  }

  /** Lets every watch hear of all that has happened. */
  flush(): void {
    for (const stream of this.streams) stream.pump();
  }

  /** Cuts all streams, as a lost connection does. */
  cut(): void {
    for (const stream of this.streams) stream.end(new Error('connection lost'));
  }

  async leaseGrant({
    ttl,
  }: {
    readonly ttl: number;
  }): Promise<{ header: ResponseHeader; id: bigint; ttl: number }> {
    this.count('leaseGrant');
    const id = BigInt(this.leases.size + 1000);
    this.leases.set(id, ttl);
    return Promise.resolve({ header: this.header(), id, ttl });
  }
  async leaseRevoke(): Promise<never> {
    return unused();
  }
  async leaseKeepAlive(): Promise<never> {
    return unused();
  }
  async leaseTimeToLive(): Promise<never> {
    return unused();
  }
  async leaseLeases(): Promise<never> {
    return unused();
  }
  async status(): Promise<never> {
    return unused();
  }

  async currentRevision(_options?: CallOptions): Promise<number> {
    this.count('currentRevision');
    return Promise.resolve(this.revision);
  }

  async close(): Promise<void> {
    for (const stream of this.streams) stream.end(undefined);
    return Promise.resolve();
  }

  header(): ResponseHeader {
    return { clusterId: 1n, memberId: 1n, revision: this.revision, raftTerm: 1 };
  }

  rangeNow(request: RangeRequest): RangeResponse {
    const at = request.revision === undefined || request.revision === 0 ? this.revision : request.revision;
    if (at < this.compacted) throw EtcdError.of('Compacted');
    if (at > this.revision) throw EtcdError.of('FutureRev');
    const all = [...this.rows.keys()]
      .filter((key) => inRange(key, request.key, request.rangeEnd))
      .sort()
      .map((key) => this.stateAt(key, at))
      .filter((kv) => kv !== undefined);
    const limit = request.limit === undefined || request.limit === 0 ? all.length : request.limit;
    return { header: this.header(), kvs: all.slice(0, limit), more: all.length > limit, count: all.length };
  }

  private stateAt(key: string, revision: number): KeyValue | undefined {
    return this.rows.get(key)?.findLast((row) => row.revision <= revision)?.kv;
  }

  private holds(compare: Compare): boolean {
    const kv = this.rows.get(text(compare.key))?.at(-1)?.kv;
    if (compare.target !== 'mod' || compare.result !== 'equal') throw new Error('not needed here');
    return (kv?.modRevision ?? 0) === compare.modRevision;
  }

  private apply(op: RequestOp, revision: number, events: WatchEvent[]): ResponseOp {
    if (op.type === 'range') return { type: 'range', ...this.rangeNow(op) };
    if (op.type !== 'put' && op.type !== 'delete') throw new Error('not needed here');
    const key = text(op.key);
    const rows = this.rows.get(key) ?? [];
    const prevKv = rows.at(-1)?.kv;
    const prev = prevKv === undefined ? {} : { prevKv };
    if (op.type === 'delete') {
      if (prevKv === undefined) return { type: 'delete', header: this.header(), deleted: 0, prevKvs: [] };
      const kv = {
        key: op.key,
        value: Buffer.alloc(0),
        createRevision: 0,
        modRevision: revision,
        version: 0,
        lease: 0n,
      };
      rows.push({ revision, kv: undefined });
      events.push({ type: 'delete', kv, ...prev });
      return { type: 'delete', header: this.header(), deleted: 1, prevKvs: [] };
    }
    const kv: KeyValue = {
      key: op.key,
      value: op.value,
      createRevision: prevKv?.createRevision ?? revision,
      modRevision: revision,
      version: (prevKv?.version ?? 0) + 1,
      lease: op.lease ?? 0n,
    };
    rows.push({ revision, kv });
    this.rows.set(key, rows);
    events.push({ type: 'put', kv, ...prev });
    return { type: 'put', header: this.header() };
  }

  private count(name: string): void {
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
  }
}

const unused = (): Promise<never> => Promise.reject(new Error('not used by the registry'));

function inRange(key: string, from: Uint8Array, end: Uint8Array | undefined): boolean {
  const first = text(from);
  return end === undefined ? key === first : key >= first && key < text(end);
}

interface FakeWatch {
  readonly id: number;
  readonly request: WatchCreateRequest;
  next: number;
  /** It has caught up: etcd gives it events from memory, under way or not, and not from what compaction leaves. */
  live: boolean;
}

class FakeStream implements WatchStream {
  private readonly watches: FakeWatch[] = [];
  private receiver: ((response: WatchResponse) => boolean) | undefined;
  private blocked: WatchResponse | undefined;
  private progressWanted = false;
  private ended = false;
  private finish: (error: Error | undefined) => void = () => undefined;
  readonly closed: Promise<Error | undefined>;

  constructor(private readonly store: FakeEtcd) {
    this.closed = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  create(request: WatchCreateRequest): void {
    const next = request.startRevision || this.store.revision + 1;
    const watch = { id: this.watches.length + 1, request, next, live: next > this.store.revision };
    this.watches.push(watch);
    this.send({ header: this.store.header(), watchId: watch.id, created: true, events: [] });
    if (this.store.immediate) this.pump();
    else setImmediate(() => this.pump());
  }

  cancel(): void {
    throw new Error('not used by the registry');
  }

  requestProgress(): boolean {
    if (!this.store.tellsProgress) return false;
    this.progressWanted = true;
    if (this.store.immediate) this.pump();
    return true;
  }

  deliver(receiver: (response: WatchResponse) => boolean): void {
    this.receiver = receiver;
  }

  resume(): void {
    const { blocked } = this;
    this.blocked = undefined;
    if (blocked !== undefined) this.send(blocked);
    this.pump();
  }

  /** The receiver said not now. */
  get isHeld(): boolean {
    return this.blocked !== undefined;
  }

  /** Revision up to which the first watch has been sent. */
  get sentRevision(): number {
    return (this.watches[0]?.next ?? 1) - 1;
  }

  close(): void {
    this.end(undefined);
  }

  end(error: Error | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.store.streams.delete(this);
    this.finish(error);
  }

  pump(): void {
    for (const watch of this.watches) {
      if (this.ended || this.blocked !== undefined) return;
      this.pumpOne(watch);
    }
    if (!this.progressWanted || this.ended || this.blocked !== undefined) return;
    this.progressWanted = false;
    this.send({ header: this.store.header(), watchId: -1, events: [] });
  }

  private pumpOne(watch: FakeWatch): void {
    const { store } = this;
    if (watch.next < store.compacted) {
      this.watches.splice(this.watches.indexOf(watch), 1);
      const cancelReason = 'etcdserver: mvcc: required revision has been compacted';
      const end = { canceled: true, cancelReason, compactRevision: store.compacted };
      this.send({ header: store.header(), watchId: watch.id, ...end, events: [] });
      return;
    }
    for (const commit of store.commits) {
      if (commit.revision < watch.next) continue;
      if (this.blocked !== undefined) watch.live = false;
      if (this.ended || this.blocked !== undefined) return;
      watch.next = commit.revision + 1;
      const events = commit.events
        // An etcd before 3.5.18 forgets what was deleted at the compacted revision itself.
        .filter(({ type }) => type === 'put' || watch.live || commit.revision !== store.compacted)
        .filter(({ kv }) => inRange(text(kv.key), watch.request.key, watch.request.rangeEnd))
        .map((event) => (watch.request.prevKv === true ? event : { type: event.type, kv: event.kv }));
      if (events.length > 0) this.send({ header: store.header(), watchId: watch.id, events });
    }
    watch.live = this.blocked === undefined;
  }

  private send(response: WatchResponse): void {
    if (this.receiver?.(response) === false) this.blocked = response;
  }

  // eslint-disable-next-line require-yield
  async *[Symbol.asyncIterator](): AsyncIterator<WatchResponse> {
    yield* [];
    await Promise.reject(new Error('not used by the registry'));
  }
}
