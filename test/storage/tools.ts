import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Test } from 'tap';
import type {
  EtcdClient,
  KeyValue,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
  WatchResponse,
  WatchStream,
} from '../../storage/client/interface.js';
import { EtcdError, etcdErrors, type EtcdErrorName } from '../../storage/errors.js';

export const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
export const text = (value: Uint8Array): string => Buffer.from(value).toString('latin1');

/** `prefix/…`: the range of all keys that begin with it. */
export const prefix = (start: string) => ({ key: bytes(start), rangeEnd: prefixEnd(start) });
const prefixEnd = (start: string): Uint8Array => {
  const end = Buffer.from(start, 'latin1');
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
};

export const put = (key: string, value: string, more: Partial<PutRequest> = {}) =>
  ({ type: 'put', key: bytes(key), value: bytes(value), ...more }) satisfies RequestOp;
export const del = (key: string, rangeEnd?: string) =>
  ({
    type: 'delete',
    key: bytes(key),
    ...(rangeEnd !== undefined && { rangeEnd: bytes(rangeEnd) }),
  }) as const;
export const get = (key: string, more: Partial<RangeRequest> = {}) =>
  ({ type: 'range', key: bytes(key), ...more }) satisfies RequestOp;
export const nested = (
  success: RequestOp[],
  failure: RequestOp[] = [],
  compare: TxnRequest['compare'] = [],
) => ({ type: 'txn', compare, success, failure }) satisfies RequestOp;
export const txn = (
  success: RequestOp[],
  failure: RequestOp[] = [],
  compare: TxnRequest['compare'] = [],
) => ({
  compare,
  success,
  failure,
});

/** A pair without its lease, short enough to compare. */
export const brief = (kv: KeyValue) =>
  `${text(kv.key)}=${text(kv.value)} c${kv.createRevision} m${kv.modRevision} v${kv.version}`;
export const keysOf = (kvs: readonly KeyValue[]) => kvs.map((kv) => text(kv.key));

export async function revisionOf(client: EtcdClient): Promise<number> {
  return (await client.range({ key: bytes('no such key') })).header.revision;
}

/** The call fails with the error of this name: code and exact text. */
export async function fails(
  t: Test,
  call: Promise<unknown>,
  name: EtcdErrorName,
  what?: string,
): Promise<void> {
  const [code, message] = etcdErrors[name];
  try {
    await call;
    t.fail(`${what ?? name}: no error`);
  } catch (error) {
    t.ok(error instanceof EtcdError, `${what ?? name}: an EtcdError, not ${String(error)}`);
    const { code: actual, message: actualMessage } = error as EtcdError;
    t.same({ code: actual, message: actualMessage }, { code, message }, what ?? name);
  }
}

export function temporaryFolder(t: Test): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wherry-storage-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Reads a stream's responses one by one. */
export class WatchReader {
  readonly #iterator: AsyncIterator<WatchResponse>;
  constructor(readonly stream: WatchStream) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  async next(): Promise<WatchResponse> {
    const result = await this.#iterator.next();
    if (result.done === true) throw new Error('the stream has ended');
    return result.value;
  }

  /** Responses until one fulfils the condition, that one included. */
  async until(condition: (response: WatchResponse) => boolean): Promise<WatchResponse[]> {
    const responses: WatchResponse[] = [];
    do responses.push(await this.next());
    while (!condition(responses.at(-1) as WatchResponse));
    return responses;
  }

  /** As many events, over as many responses as it takes. */
  async events(count: number): Promise<string[]> {
    const events: string[] = [];
    while (events.length < count) events.push(...(await this.next()).events.map(briefEvent));
    return events;
  }
}

export const briefEvent = ({ type, kv, prevKv }: WatchResponse['events'][number]) =>
  `${type} ${text(kv.key)}=${text(kv.value)} m${kv.modRevision}` +
  (prevKv === undefined ? '' : ` was ${text(prevKv.value)} m${prevKv.modRevision}`);

/** A logger that says nothing. */
export const silent = { debug() {}, info() {}, warn() {}, error() {} };
