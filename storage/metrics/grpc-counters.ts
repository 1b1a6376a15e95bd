import type { GrpcObserver, MethodName } from '../grpc/observer.js';
import { Histogram } from './histogram.js';

/** Bounds that Prometheus' libraries use when none are given, in seconds. */
const HANDLING_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What is counted of one method. */
export interface MethodCounters {
  readonly method: MethodName;
  started: number;
  /** By gRPC code. */
  readonly handled: number[];
  messagesReceived: number;
  messagesSent: number;
  readonly seconds: Histogram | undefined;
}

export interface GrpcCountersOptions {
  /** These are there from the start, so that a rate can be told from the first call on. */
  readonly methods: readonly MethodName[];
  /** etcd's `--metrics extensive`: how long calls take, too. */
  readonly extensive: boolean;
}

/** Of gRPC's statuses, by number. */
export const GRPC_CODE_NAMES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] as const;

/** Counts calls as they come. A method is found by its object, which is one and the same for all its calls. */
export class GrpcCounters implements GrpcObserver {
  receivedBytes = 0;
  sentBytes = 0;
  readonly #extensive: boolean;
  readonly #byObject = new Map<MethodName, MethodCounters>();
  readonly #byName = new Map<string, MethodCounters>();

  constructor({ methods, extensive }: GrpcCountersOptions) {
    this.#extensive = extensive;
    for (const method of methods) this.#of(method);
  }

  get methods(): readonly MethodCounters[] {
    return [...this.#byName.values()];
  }

  started(method: MethodName): void {
    this.#of(method).started += 1;
  }

  handled(method: MethodName, code: number, seconds: number): void {
    const counters = this.#of(method);
    counters.handled[code] = (counters.handled[code] ?? 0) + 1;
    counters.seconds?.observe(seconds);
  }

  messageReceived(method: MethodName, bytes: number): void {
    this.#of(method).messagesReceived += 1;
    this.receivedBytes += bytes;
  }

  messageSent(method: MethodName, bytes: number): void {
    this.#of(method).messagesSent += 1;
    this.sentBytes += bytes;
  }

  #of(method: MethodName): MethodCounters {
    return this.#byObject.get(method) ?? this.#meet(method);
  }

  #meet(method: MethodName): MethodCounters {
    const name = `${method.service}/${method.name}`;
    const counters = this.#byName.get(name) ?? {
      method,
      started: 0,
      handled: GRPC_CODE_NAMES.map(() => 0),
      messagesReceived: 0,
      messagesSent: 0,
      seconds: this.#extensive ? new Histogram(HANDLING_BOUNDS) : undefined,
    };
    this.#byName.set(name, counters);
    this.#byObject.set(method, counters);
    return counters;
  }
}
