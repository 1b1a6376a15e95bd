import Database from 'better-sqlite3';
import type {
  CallOptions,
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  ResponseHeader,
  TxnRequest,
  TxnResponse,
} from '../client/interface.js';
import { EtcdError } from '../errors.js';
import { costOfPut, costOfTxn, type Quota } from '../maintenance/quota.js';
import type { MvccStore } from '../mvcc/store.js';
import { scanOf } from '../mvcc/range.js';
import { executeRange, executeTxn } from '../mvcc/txn.js';
import type { RangePage } from './api.js';
import type { Proposer } from './proposer.js';
import { rangePages, slices } from './range-pages.js';
import {
  isReadOnly,
  isSerializable,
  TXN_OPS_MAX,
  validateDelete,
  validatePut,
  validateRange,
  validateTxn,
} from './validate.js';

export interface KvServerOptions {
  readonly proposer: Proposer;
  readonly state: { readonly store: MvccStore };
  readonly header: () => ResponseHeader;
  /** False once the database is closed. */
  readonly isOpen: () => boolean;
  /** Resolves when the rows below a compacted revision are gone. */
  readonly removedThrough: (revision: number) => Promise<void>;
  readonly quota: Pick<Quota, 'hasRoomFor' | 'exceeded'>;
  /** The database cannot be read: it is damaged, or the disk failed. */
  readonly onDamage: (error: Error) => void;
  readonly txnOpsMax?: number | undefined;
}

/** etcd's KV service: validates, then reads from the store or proposes. */
export class KvServer {
  readonly #proposer: Proposer;
  readonly #state: { readonly store: MvccStore };
  readonly #header: () => ResponseHeader;
  readonly #isOpen: () => boolean;
  readonly #removedThrough: (revision: number) => Promise<void>;
  readonly #quota: KvServerOptions['quota'];
  readonly #onDamage: (error: Error) => void;
  readonly #txnOpsMax: number;

  constructor(options: KvServerOptions) {
    this.#proposer = options.proposer;
    this.#state = options.state;
    this.#header = options.header;
    this.#isOpen = options.isOpen;
    this.#removedThrough = options.removedThrough;
    this.#quota = options.quota;
    this.#onDamage = options.onDamage;
    this.#txnOpsMax = options.txnOpsMax ?? TXN_OPS_MAX;
  }

  async range(request: RangeRequest, options?: CallOptions): Promise<RangeResponse> {
    validateRange(request);
    if (request.serializable !== true) await this.#proposer.confirmRead(options);
    const read = () => executeRange(this.#state.store, request, this.#header);
    const { guard } = this.#proposer;
    if (guard === undefined) return this.#read(read);
    const caller = await guard.identify(options);
    return this.#read(() => guard.checkRange(caller, request) ?? read());
  }

  /** The same in pieces (range-pages.ts). What is not one scan in the order of keys is read at once. */
  async *rangePages(request: RangeRequest, options?: CallOptions): AsyncGenerator<RangePage, void> {
    const scan = scanOf(request);
    if (scan === undefined) {
      yield* slices(await this.range(request, options));
      return;
    }
    validateRange(request);
    if (request.serializable !== true) await this.#proposer.confirmRead(options);
    const { guard } = this.#proposer;
    if (guard !== undefined) {
      const caller = await guard.identify(options);
      const refusal = guard.checkRange(caller, request);
      if (refusal !== undefined) throw refusal;
    }
    const read = <R extends object>(work: () => R | EtcdError) => this.#read(work);
    yield* rangePages({ state: this.#state, header: this.#header, read }, request, scan);
  }

  async put(request: PutRequest, options?: CallOptions): Promise<PutResponse> {
    validatePut(request);
    if (!this.#quota.hasRoomFor(costOfPut(request))) throw await this.#quota.exceeded(options);
    return this.#proposer.propose({ type: 'put', request }, options);
  }

  async deleteRange(request: DeleteRangeRequest, options?: CallOptions): Promise<DeleteRangeResponse> {
    validateDelete(request);
    return this.#proposer.propose({ type: 'delete', request }, options);
  }

  async txn(request: TxnRequest, options?: CallOptions): Promise<TxnResponse> {
    validateTxn(request, this.#txnOpsMax);
    if (!isReadOnly(request)) {
      if (!this.#quota.hasRoomFor(costOfTxn(request))) throw await this.#quota.exceeded(options);
      return this.#proposer.propose({ type: 'txn', request }, options);
    }
    if (!isSerializable(request)) await this.#proposer.confirmRead(options);
    const read = () => executeTxn(this.#state.store, request, this.#header);
    const { guard } = this.#proposer;
    if (guard === undefined) return this.#read(read);
    const caller = await guard.identify(options);
    return this.#read(() => guard.checkTxn(caller, request) ?? read());
  }

  async compact(request: CompactionRequest, options?: CallOptions): Promise<CompactionResponse> {
    const { revision, physical = false } = request;
    const response = await this.#proposer.propose<CompactionResponse>({ type: 'compact', revision }, options);
    if (physical) await this.#removedThrough(revision);
    return response;
  }

  async currentRevision(options?: CallOptions): Promise<number> {
    await this.#proposer.confirmRead(options);
    return this.#state.store.revision;
  }

  #read<R extends object>(read: () => R | EtcdError): R {
    if (!this.#isOpen()) throw EtcdError.of('Stopped');
    let result: R | EtcdError;
    try {
      result = read();
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error;
      this.#onDamage(error);
      throw EtcdError.of('Corrupt');
    }
    if (result instanceof EtcdError) throw result;
    return result;
  }
}
