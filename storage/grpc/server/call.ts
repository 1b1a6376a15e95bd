import { performance } from 'node:perf_hooks';
import type { CallOptions } from '../../client/interface.js';
import { EtcdError, GrpcCode } from '../../errors.js';
import { WireError } from '../../wire.js';
import type { Codec, Method } from '../method.js';
import type { GrpcObserver } from '../observer.js';
import { Inbox, PREFIX_BYTES, type Compression } from './inbox.js';
import type { CallContext } from './handlers.js';
import { statusOf, type Status } from './status.js';
import type { StreamEvents, WireStream } from './wire-stream.js';

/** Longest delay that Node's timers take; longer ones would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** What calls need of their server. */
export interface CallEnvironment {
  readonly observer: GrpcObserver | undefined;
  /** Bytes of one request. */
  readonly requestBytesMax: number;
  /** The name in a client's certificate says which user it is. */
  readonly certificatesNameUsers: boolean;
  readonly onError: (error: unknown) => void;
  /** Calls that are under way. */
  readonly calls: Set<Call>;
}

/** What a request's headers say. */
export interface CallHeaders {
  readonly compression: Compression;
  /** Milliseconds. */
  readonly timeout: number | undefined;
  readonly token: string | undefined;
  /** The client wants no answer from a member without a leader. */
  readonly requiresLeader: boolean;
}

/** The client sent its last message without an end, or none at all. */
export const cutShort = () => new EtcdError(GrpcCode.Internal, 'grpc: the request ends within a message');

/** A call from its headers to its status. */
export abstract class Call implements CallContext, StreamEvents {
  readonly timeout?: number;
  readonly token?: string;
  readonly certificateName?: string;
  readonly requiresLeader: boolean;
  protected readonly stream: WireStream;
  protected readonly environment: CallEnvironment;
  protected readonly inbox: Inbox;
  readonly #method: Method<unknown, unknown>;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #abort: AbortController | undefined;
  #isOver = false;

  constructor(
    stream: WireStream,
    method: Method<unknown, unknown>,
    headers: CallHeaders,
    environment: CallEnvironment,
  ) {
    this.stream = stream;
    this.environment = environment;
    if (headers.timeout !== undefined) this.timeout = headers.timeout;
    if (headers.token !== undefined) this.token = headers.token;
    const { certificateName } = stream;
    if (environment.certificatesNameUsers && certificateName !== undefined)
      this.certificateName = certificateName;
    this.requiresLeader = headers.requiresLeader;
    this.inbox = new Inbox(environment.requestBytesMax, headers.compression);
    this.#method = method;
    environment.calls.add(this);
    environment.observer?.started(method);
    if (headers.timeout !== undefined) {
      const wait = Math.min(headers.timeout, TIMER_MS_MAX);
      this.#timer = setTimeout(() => this.fail(EtcdError.of('DeadlineExceeded')), wait);
    }
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#isOver) this.#abort.abort();
    return this.#abort.signal;
  }

  get brief(): CallOptions {
    const { timeout, token, certificateName } = this;
    return {
      ...(timeout !== undefined && { timeout }),
      ...(token !== undefined && { token }),
      ...(certificateName !== undefined && { certificateName }),
    };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Once it is heard of what comes. */
  start(): void {}

  abstract received(chunk: Buffer): void;
  abstract ended(): void;
  abstract drained(): void;

  /** The client has gone, or what was sent last has left. */
  closed(): void {
    this.finish({ code: GrpcCode.Canceled, message: '' });
  }

  fail(error: unknown): void {
    if (!this.#isOver) this.finish(statusOf(error, this.environment.onError));
  }

  protected finish(status: Status, last?: Buffer): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.stream.finish(status, last);
    clearTimeout(this.#timer);
    this.environment.calls.delete(this);
    const { observer } = this.environment;
    if (observer !== undefined) {
      observer.handled(this.#method, status.code, (performance.now() - this.#startedAt) / 1000);
    }
    this.#abort?.abort();
    this.over();
  }

  /** The call has ended, whichever way. */
  protected over(): void {}

  /** The next request that is there. @throws EtcdError */
  protected take<Request>(codec: Codec<Request>): { readonly request: Request } | undefined {
    const bytes = this.inbox.take();
    if (bytes === undefined) return undefined;
    this.stream.release();
    this.environment.observer?.messageReceived(this.#method, bytes.length);
    try {
      return { request: codec.decode(bytes) };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw new EtcdError(GrpcCode.Internal, `grpc: error unmarshalling request: ${error.message}`);
    }
  }

  /** A message with its prefix, not yet counted as sent. */
  protected frame<Response>(codec: Codec<Response>, response: Response): Buffer {
    const frame = codec.encode(response, PREFIX_BYTES);
    return writePrefix(frame, frame.length - PREFIX_BYTES);
  }

  /** False: send no more before `drained`. */
  protected sendFrame(frame: Buffer): boolean {
    this.countSent(frame.length - PREFIX_BYTES);
    return this.stream.send(frame);
  }

  protected countSent(bytes: number): void {
    this.environment.observer?.messageSent(this.#method, bytes);
  }
}

/** Before a message of so many bytes. */
export function writePrefix(frame: Buffer, bytes: number): Buffer {
  frame[0] = 0;
  frame.writeUInt32BE(bytes, 1);
  return frame;
}
