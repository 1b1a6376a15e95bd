import type { Method } from './method.js';

/** What the gRPC server tells those who count (metrics). Called on the hot path: implementations only add up. */
export interface GrpcObserver {
  started(method: MethodName): void;
  /** `code`: the gRPC status. `seconds`: since it started. */
  handled(method: MethodName, code: number, seconds: number): void;
  messageReceived(method: MethodName, bytes: number): void;
  messageSent(method: MethodName, bytes: number): void;
}

export type MethodName = Pick<Method<unknown, unknown>, 'service' | 'name' | 'type'>;
