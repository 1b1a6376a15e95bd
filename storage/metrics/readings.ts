import type { StatusResponse } from '../client/interface.js';
import type { StoreTotals } from '../service.js';
import type { Counters } from './counters.js';
import type { GrpcCounters } from './grpc-counters.js';

/** What metrics are made of, at the moment of a scrape. */
export interface Readings {
  readonly counters: Counters;
  readonly grpc: GrpcCounters;
  readonly totals: StoreTotals;
  readonly status: StatusResponse;
  readonly memberId: bigint;
  /** Other members of the cluster. */
  readonly others: readonly bigint[];
}

/** As etcd writes ids. */
export const hexOf = (id: bigint): string => id.toString(16);
