/**
 * What locks and elections share, with the keys of etcd's concurrency package, so that clients that lock by themselves
 * and those that ask the server exclude each other: each contender has a key `name/<lease in hex>` that ends with its
 * lease, and the one whose key was created first has its turn.
 */
import { asBuffer } from '../bytes.js';
import type { CallOptions, EtcdClient, KeyValue, ResponseHeader } from '../client/interface.js';
import { EtcdError, GrpcCode } from '../errors.js';
import type { OpenOptions } from './open-call.js';

/** Of the lease that a contender without one is given. Nobody renews it. */
const SESSION_TTL_SECONDS = 60;

/** All contenders' keys. */
export function contendersOf(name: Uint8Array): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
  return {
    key: Buffer.concat([name, Buffer.from('/')]),
    // The byte after the slash.
    rangeEnd: Buffer.concat([name, Buffer.from('0')]),
  };
}

export function contenderKey(name: Uint8Array, lease: bigint): Uint8Array {
  return Buffer.concat([name, Buffer.from(`/${lease.toString(16)}`)]);
}

/** The contender's lease, or one of its own. */
export async function sessionLease(client: EtcdClient, lease: bigint, options: OpenOptions): Promise<bigint> {
  if (lease !== 0n) return lease;
  return (await client.leaseGrant({ ttl: SESSION_TTL_SECONDS }, options)).id;
}

/** The one whose turn it is: undefined where nobody contends. */
export async function firstContender(
  client: EtcdClient,
  name: Uint8Array,
  options: OpenOptions,
): Promise<{ readonly header: ResponseHeader; readonly kv: KeyValue | undefined }> {
  const oldest = { ...contendersOf(name), sortTarget: 'create', sortOrder: 'ascend', limit: 1 } as const;
  const { header, kvs } = await client.range(oldest, options);
  return { header, kv: kvs[0] };
}

export interface Entered {
  readonly header: ResponseHeader;
  readonly key: Uint8Array;
  /** Create revision of the key. */
  readonly revision: number;
  /** The key as it was before, when the same lease had entered already. */
  readonly existing: KeyValue | undefined;
}

/** Puts the contender's key unless it is there. */
export async function enter(
  client: EtcdClient,
  contender: { readonly name: Uint8Array; readonly lease: bigint; readonly value: Uint8Array },
  options: OpenOptions,
): Promise<Entered> {
  const { name, lease, value } = contender;
  const key = contenderKey(name, lease);
  const { header, responses } = await client.txn(
    {
      compare: [{ key, target: 'create', result: 'equal', createRevision: 0 }],
      success: [{ type: 'put', key, value, lease }],
      failure: [{ type: 'range', key }],
    },
    options,
  );
  const [response] = responses;
  const existing = response?.type === 'range' ? response.kvs[0] : undefined;
  return { header, key, revision: existing?.createRevision ?? header.revision, existing };
}

/** Resolves when every contender's key that is older than `revision` is gone. @throws EtcdError: Canceled too */
export async function untilFirst(
  client: EtcdClient,
  name: Uint8Array,
  revision: number,
  options: OpenOptions,
): Promise<void> {
  const newestOlder = {
    ...contendersOf(name),
    maxCreateRevision: revision - 1,
    sortTarget: 'create',
    sortOrder: 'descend',
    limit: 1,
  } as const;
  for (;;) {
    const { header, kvs } = await client.range(newestOlder, options);
    const [older] = kvs;
    if (older === undefined) return;
    await untilDeleted(client, older.key, header.revision + 1, options);
  }
}

/** Also resolves when the store has forgotten what happened since: then it must be asked again. */
async function untilDeleted(
  client: EtcdClient,
  key: Uint8Array,
  startRevision: number,
  options: OpenOptions,
): Promise<void> {
  for await (const { events } of watchOne(client, { key, startRevision }, options)) {
    if (events.some(({ type }) => type === 'delete')) return;
  }
}

/**
 * A watch by itself, closed when the loop over it is left. Ends by itself when what it asked for is compacted.
 *
 * @throws EtcdError: Canceled, or why the watch was refused
 */
export async function* watchOne(
  client: EtcdClient,
  request: { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array; readonly startRevision: number },
  options: OpenOptions,
) {
  const stream = client.watch(options);
  try {
    stream.create(request);
    for await (const response of stream) {
      if (response.canceled !== true) yield response;
      else if (response.compactRevision !== undefined && response.compactRevision > 0) return;
      else throw new EtcdError(GrpcCode.Unknown, response.cancelReason ?? '');
    }
  } finally {
    stream.close();
  }
  throw EtcdError.of(options.signal.aborted ? 'Canceled' : 'WatchCanceled');
}

/** Removes a key that waits no more, also after its client has gone. Fails silently: then the lease removes it. */
export async function withdraw(
  client: EtcdClient,
  { key, revision }: Pick<Entered, 'key' | 'revision'>,
  options: OpenOptions,
): Promise<void> {
  try {
    await client.txn(removal(key, revision), withoutSignal(options));
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
  }
}

function withoutSignal({ token, certificateName }: CallOptions): CallOptions {
  return { ...(token !== undefined && { token }), ...(certificateName !== undefined && { certificateName }) };
}

/** Of the key, unless another one of that name was created since. */
export function removal(key: Uint8Array, createRevision: number) {
  return {
    compare: [{ key, target: 'create', result: 'equal', createRevision }],
    success: [{ type: 'delete', key }],
    failure: [],
  } as const;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return asBuffer(a).equals(b);
}
