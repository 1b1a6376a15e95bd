/**
 * A client of a real etcd through its JSON gateway: enough to run the KV and lease parts of the suite against it, so that
 * the suite itself is checked. It has no watch streams.
 */
import type {
  Compare,
  EtcdClient,
  KeyValue,
  RequestOp,
  ResponseHeader,
  ResponseOp,
  TxnRequest,
  TxnResponse,
} from '../../storage/client/interface.js';
import { EtcdError, type GrpcCode } from '../../storage/errors.js';

type Json = Record<string, unknown>;

const COMPARE_RESULTS = { equal: 'EQUAL', greater: 'GREATER', less: 'LESS', 'not-equal': 'NOT_EQUAL' };

/** Camel case to snake case, bytes to base64, everything else as text. */
function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value;
  const json: Json = {};
  for (const [name, field] of Object.entries(value)) {
    if (name === 'type') continue;
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    json[snake] = name.startsWith('sort') ? String(field).toUpperCase() : toJson(field);
  }
  return json;
}

const bytesOf = (value: unknown) => Buffer.from(typeof value === 'string' ? value : '', 'base64');
const idOf = (value: unknown) => BigInt(typeof value === 'string' ? value : 0);
const listOf = (value: unknown) => (Array.isArray(value) ? (value as Json[]) : []);

const headerOf = (value: unknown): ResponseHeader => {
  const header = (value ?? {}) as Json;
  return {
    clusterId: idOf(header['cluster_id']),
    memberId: idOf(header['member_id']),
    revision: Number(header['revision'] ?? 0),
    raftTerm: Number(header['raft_term'] ?? 0),
  };
};

const kvOf = (kv: Json): KeyValue => ({
  key: bytesOf(kv['key']),
  value: bytesOf(kv['value']),
  createRevision: Number(kv['create_revision'] ?? 0),
  modRevision: Number(kv['mod_revision'] ?? 0),
  version: Number(kv['version'] ?? 0),
  lease: idOf(kv['lease']),
});

const rangeOf = (json: Json) => ({
  header: headerOf(json['header']),
  kvs: listOf(json['kvs']).map(kvOf),
  more: json['more'] === true,
  count: Number(json['count'] ?? 0),
});
const putOf = (json: Json) => ({
  header: headerOf(json['header']),
  ...(json['prev_kv'] !== undefined && { prevKv: kvOf(json['prev_kv'] as Json) }),
});
const deleteOf = (json: Json) => ({
  header: headerOf(json['header']),
  deleted: Number(json['deleted'] ?? 0),
  prevKvs: listOf(json['prev_kvs']).map(kvOf),
});
const txnOf = (json: Json): TxnResponse => ({
  header: headerOf(json['header']),
  succeeded: json['succeeded'] === true,
  responses: listOf(json['responses']).map(responseOf),
});

function responseOf(json: Json): ResponseOp {
  const of = (name: string) => json[name] as Json;
  if ('response_range' in json) return { type: 'range', ...rangeOf(of('response_range')) };
  if ('response_put' in json) return { type: 'put', ...putOf(of('response_put')) };
  if ('response_delete_range' in json) return { type: 'delete', ...deleteOf(of('response_delete_range')) };
  return { type: 'txn', ...txnOf(of('response_txn')) };
}

function opJson(op: RequestOp): Json {
  switch (op.type) {
    case 'range':
      return { request_range: toJson(op) };
    case 'put':
      return { request_put: toJson(op) };
    case 'delete':
      return { request_delete_range: toJson(op) };
    case 'txn':
      return { request_txn: txnJson(op) };
    default:
      return {};
  }
}

const compareJson = (compare: Compare): Json => ({
  ...(toJson(compare) as Json),
  target: compare.target.toUpperCase(),
  result: COMPARE_RESULTS[compare.result],
});

const txnJson = ({ compare, success, failure }: TxnRequest): Json => ({
  compare: compare.map(compareJson),
  success: success.map(opJson),
  failure: failure.map(opJson),
});

export function gatewayClient(url: string): EtcdClient {
  const call = async (path: string, request: unknown): Promise<Json> => {
    const response = await fetch(`${url}/v3/${path}`, { method: 'POST', body: JSON.stringify(request) });
    const json = (await response.json()) as Json;
    if (!response.ok) throw new EtcdError(Number(json['code']) as GrpcCode, String(json['error']));
    return json;
  };
  const unsupported = () => {
    throw new Error('not through the gateway');
  };
  return {
    range: async (request) => rangeOf(await call('kv/range', toJson(request))),
    put: async (request) => putOf(await call('kv/put', toJson(request))),
    deleteRange: async (request) => deleteOf(await call('kv/deleterange', toJson(request))),
    txn: async (request) => txnOf(await call('kv/txn', txnJson(request))),
    compact: async (request) => ({
      header: headerOf((await call('kv/compaction', toJson(request)))['header']),
    }),
    watch: unsupported,
    leaseGrant: async ({ ttl, id = 0n }) => {
      const json = await call('lease/grant', { TTL: ttl, ID: String(id) });
      return { header: headerOf(json['header']), id: BigInt(String(json['ID'])), ttl: Number(json['TTL']) };
    },
    leaseRevoke: async (id) => ({
      header: headerOf((await call('lease/revoke', { ID: String(id) }))['header']),
    }),
    leaseKeepAlive: async (id) => {
      const { result } = await call('lease/keepalive', { ID: String(id) });
      const json = result as Json;
      return {
        header: headerOf(json['header']),
        id: BigInt(String(json['ID'])),
        ttl: Number(json['TTL'] ?? 0),
      };
    },
    leaseTimeToLive: async ({ id, keys = false }) => {
      const json = await call('lease/timetolive', { ID: String(id), keys });
      return {
        header: headerOf(json['header']),
        id: BigInt(String(json['ID'])),
        ttl: Number(json['TTL'] ?? 0),
        grantedTtl: Number(json['grantedTTL'] ?? 0),
        keys: (Array.isArray(json['keys']) ? json['keys'] : []).map(bytesOf),
      };
    },
    leaseLeases: async () => {
      const json = await call('lease/leases', {});
      return {
        header: headerOf(json['header']),
        leases: listOf(json['leases']).map((lease) => BigInt(String(lease['ID']))),
      };
    },
    status: unsupported,
    currentRevision: async () =>
      rangeOf(await call('kv/range', { key: Buffer.of(0).toString('base64') })).header.revision,
    close: () => Promise.resolve(),
  };
}
