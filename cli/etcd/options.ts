/** What `wherry etcd` is told beyond what every member is. Times are in milliseconds, unless it says otherwise. */
import type { LogOptions } from '../logger.js';
import type { MemberFlags } from '../member-flags.js';

export interface EtcdOnlyFlags {
  /** gRPC streams of one connection. */
  readonly maxConcurrentStreams?: number;
  readonly grpcKeepaliveMinTime: number;
  readonly grpcKeepaliveInterval: number;
  readonly grpcKeepaliveTimeout: number;
  readonly enableGrpcGateway: boolean;
  readonly authToken: string;
  /** Seconds. */
  readonly authTokenTtl: number;
  readonly metrics: 'basic' | 'extensive';
  readonly warningApplyDuration: number;
  readonly watchProgressNotifyInterval: number;
  readonly maxLearners: number;
  /** Absent: no web page may use the client urls. */
  readonly cors?: readonly string[];
  readonly hostWhitelist?: readonly string[];
}

export interface EtcdOptions extends MemberFlags, EtcdOnlyFlags, LogOptions {}
