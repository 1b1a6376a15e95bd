import type {
  CallOptions,
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveResponse,
  LeaseLeasesResponse,
  LeaseRevokeResponse,
  LeaseTimeToLiveRequest,
  LeaseTimeToLiveResponse,
  ResponseHeader,
} from '../client/interface.js';
import { EtcdError } from '../errors.js';
import type { Lessor } from '../lease/lessor.js';
import type { LeaseTable } from '../mvcc/leases.js';
import type { Proposer } from './proposer.js';

export interface LeaseServerOptions {
  readonly proposer: Proposer;
  readonly lessor: Lessor;
  readonly table: LeaseTable;
  readonly header: () => ResponseHeader;
  readonly isLeader: () => boolean;
  /** 63 random bits, not 0: the id of a lease whose client leaves the choice to the store. */
  readonly randomId: () => bigint;
}

/** etcd's Lease service. Ids are 64-bit signed integers. */
export class LeaseServer {
  readonly #options: LeaseServerOptions;

  constructor(options: LeaseServerOptions) {
    this.#options = options;
  }

  async grant(request: LeaseGrantRequest, options?: CallOptions): Promise<LeaseGrantResponse> {
    const asked = BigInt.asIntN(64, request.id ?? 0n);
    const id = asked === 0n ? this.#options.randomId() : asked;
    return this.#options.proposer.propose({ type: 'lease-grant', id, ttl: request.ttl }, options);
  }

  async revoke(id: bigint, options?: CallOptions): Promise<LeaseRevokeResponse> {
    return this.#options.proposer.propose(
      { type: 'lease-revoke', id: BigInt.asIntN(64, id), term: 0 },
      options,
    );
  }

  /** Goes through no log: only the leader knows when leases end, once it is certain that it still leads. */
  async keepAlive(id: bigint, options?: CallOptions): Promise<LeaseKeepAliveResponse> {
    await this.#confirmLeader(options);
    const { lessor, proposer } = this.#options;
    const ttl = await proposer.within(lessor.renew(BigInt.asIntN(64, id)), options);
    return { header: this.#options.header(), id, ttl };
  }

  async timeToLive(request: LeaseTimeToLiveRequest, options?: CallOptions): Promise<LeaseTimeToLiveResponse> {
    await this.#confirmLeader(options);
    const id = BigInt.asIntN(64, request.id);
    const header = this.#options.header();
    const times = this.#options.lessor.timeToLive(id);
    if (times === undefined) return { header, id, ttl: -1, grantedTtl: 0, keys: [] };
    const keys = request.keys === true ? this.#options.table.keys(id) : [];
    return { header, id, ttl: times.remaining, grantedTtl: times.granted, keys };
  }

  async leases(options?: CallOptions): Promise<LeaseLeasesResponse> {
    await this.#options.proposer.confirmRead(options);
    return { header: this.#options.header(), leases: this.#options.lessor.ids() };
  }

  async #confirmLeader(options?: CallOptions): Promise<void> {
    await this.#options.proposer.confirmRead(options);
    if (!this.#options.isLeader()) throw EtcdError.of('NotLeader');
  }
}
