import { performance } from 'node:perf_hooks';
import { asBuffer } from '../../bytes.js';
import type { CallOptions } from '../../client/interface.js';
import { EtcdError, GrpcCode } from '../../errors.js';
import { WireError } from '../../wire.js';
import type { Codec, Method } from '../method.js';
import type { GrpcObserver } from '../observer.js';
import { Inbox, PREFIX_BYTES, type Compression } from './inbox.js';
import {
  EncodedMessage,
  type BidiCall,
  type BidiHandler,
  type BidiRoute,
  type CallContext,
  type ServerStreamRoute,
  type UnaryRoute,
} from './handlers.js';
import { OK, statusOf, type Status } from './status.js';
import type { StreamEvents, WireStream } from './wire-stream.js';

/** Longest delay that Node's timers take; longer ones would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Below so many bytes it is cheaper to join the pieces of a message than to send them one by one. */
const JOINED_BYTES_MAX = 64 * 1024;

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

  protected frame<Response>(codec: Codec<Response>, response: Response): Buffer {
    const frame = codec.encode(response, PREFIX_BYTES);
    this.writePrefix(frame, frame.length - PREFIX_BYTES);
    return frame;
  }

  /** Before a message of so many bytes. */
  protected writePrefix(frame: Buffer, bytes: number): Buffer {
    frame[0] = 0;
    frame.writeUInt32BE(bytes, 1);
    this.environment.observer?.messageSent(this.#method, bytes);
    return frame;
  }
}

/** The client sent its last message without an end, or none at all. */
const cutShort = () => new EtcdError(GrpcCode.Internal, 'grpc: the request ends within a message');

/** One request, of which the first message is all. */
abstract class SingleRequestCall<Request> extends Call {
  #isTaken = false;

  protected abstract readonly codec: Codec<Request>;
  protected abstract answer(request: Request): void;

  override received(chunk: Buffer): void {
    if (this.#isTaken || this.isOver) return;
    this.inbox.push(chunk);
    try {
      const taken = this.take(this.codec);
      if (taken === undefined) return;
      this.#isTaken = true;
      this.answer(taken.request);
    } catch (error) {
      this.fail(error);
    }
  }

  override ended(): void {
    if (!this.#isTaken) this.fail(cutShort());
  }
}

export class UnaryCall<Request, Response> extends SingleRequestCall<Request> {
  readonly #route: UnaryRoute<Request, Response>;

  constructor(
    stream: WireStream,
    route: UnaryRoute<Request, Response>,
    headers: CallHeaders,
    environment: CallEnvironment,
  ) {
    super(stream, route.method, headers, environment);
    this.#route = route;
  }

  protected override get codec(): Codec<Request> {
    return this.#route.method.request;
  }

  protected override answer(request: Request): void {
    this.#answer(request).catch((error: unknown) => this.fail(error));
  }

  async #answer(request: Request): Promise<void> {
    const response = await this.#route.handle(request, this);
    if (this.isOver) return;
    if (response instanceof EncodedMessage) this.#finishEncoded(response.parts);
    else this.finish(OK, this.frame(this.#route.method.response, response));
  }

  #finishEncoded(parts: readonly Uint8Array[]): void {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    const prefix = this.writePrefix(Buffer.allocUnsafe(PREFIX_BYTES), bytes);
    if (bytes <= JOINED_BYTES_MAX) return this.finish(OK, Buffer.concat([prefix, ...parts]));
    this.stream.send(prefix);
    for (const part of parts) this.stream.send(asBuffer(part));
    this.finish(OK);
  }

  override drained(): void {}
}

export class ServerStreamCall<Request, Response> extends SingleRequestCall<Request> {
  readonly #route: ServerStreamRoute<Request, Response>;
  #goOn: (() => void) | undefined;

  constructor(
    stream: WireStream,
    route: ServerStreamRoute<Request, Response>,
    headers: CallHeaders,
    environment: CallEnvironment,
  ) {
    super(stream, route.method, headers, environment);
    this.#route = route;
  }

  protected override get codec(): Codec<Request> {
    return this.#route.method.request;
  }

  protected override answer(request: Request): void {
    this.#answer(request).then(
      () => this.finish(OK),
      (error: unknown) => this.fail(error),
    );
  }

  async #answer(request: Request): Promise<void> {
    for await (const response of this.#route.handle(request, this)) {
      if (this.isOver) return;
      if (this.stream.send(this.frame(this.#route.method.response, response))) continue;
      await new Promise<void>((resolve) => {
        this.#goOn = resolve;
      });
      if (this.isOver) return;
    }
  }

  override drained(): void {
    this.#goOn?.();
    this.#goOn = undefined;
  }

  protected override over(): void {
    this.drained();
  }
}

export class BidiStreamCall<Request, Response> extends Call implements BidiCall<Response> {
  readonly #route: BidiRoute<Request, Response>;
  #handler: BidiHandler<Request> | undefined;
  /** A message is being worked on. */
  #isBusy = false;
  #isEnded = false;

  constructor(
    stream: WireStream,
    route: BidiRoute<Request, Response>,
    headers: CallHeaders,
    environment: CallEnvironment,
  ) {
    super(stream, route.method, headers, environment);
    this.#route = route;
  }

  override start(): void {
    try {
      this.#handler = this.#route.open(this);
    } catch (error) {
      this.fail(error);
    }
  }

  send(response: Response): boolean {
    return this.isOver || this.stream.send(this.frame(this.#route.method.response, response));
  }

  end(error?: unknown): void {
    if (error === undefined) this.finish(OK);
    else this.fail(error);
  }

  override received(chunk: Buffer): void {
    if (this.isOver) return;
    this.inbox.push(chunk);
    this.#work();
  }

  override ended(): void {
    this.#isEnded = true;
    this.#work();
  }

  override drained(): void {
    if (!this.isOver) this.#handler?.drained();
  }

  protected override over(): void {
    this.#handler?.closed();
  }

  #work(): void {
    try {
      while (!this.#isBusy && !this.isOver) {
        const taken = this.take(this.#route.method.request);
        if (taken === undefined) break;
        const work = this.#handler?.message(taken.request);
        if (work === undefined) continue;
        this.#waitFor(work).catch((error: unknown) => this.fail(error));
        return;
      }
      if (!this.#isEnded || this.#isBusy || this.isOver) return;
      if (this.inbox.isPartial) throw cutShort();
      this.#isEnded = false;
      this.#handler?.halfClosed();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Meanwhile the client is held back. */
  async #waitFor(work: Promise<void>): Promise<void> {
    this.#isBusy = true;
    this.stream.pause();
    await work;
    this.#isBusy = false;
    if (this.isOver) return;
    this.stream.resume();
    this.#work();
  }
}
