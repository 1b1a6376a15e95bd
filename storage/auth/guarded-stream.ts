import { EtcdError, GrpcCode } from '../errors.js';
import type { CallOptions, WatchCreateRequest, WatchResponse, WatchStream } from '../client/interface.js';
import { FIRST_KEY, type HubStream } from '../watch/stream.js';
import type { Authorizer } from './authorizer.js';
import type { Caller } from './caller.js';

/**
 * A watch stream whose watches are created by a client from outside. Who calls is found out, and whether they may read
 * the range, when a watch is created; as in etcd, a watch that is there goes on when the permission is taken away.
 */
export class GuardedStream implements WatchStream {
  readonly #stream: HubStream;
  readonly #authorizer: Authorizer;
  readonly #options: CallOptions | undefined;
  /** What was asked for while a token is looked at: the order of requests is kept. */
  #waiting: (() => void)[] | undefined;

  constructor(stream: HubStream, authorizer: Authorizer, options: CallOptions | undefined) {
    this.#stream = stream;
    this.#authorizer = authorizer;
    this.#options = options;
  }

  get closed(): Promise<Error | undefined> {
    return this.#stream.closed;
  }

  create(request: WatchCreateRequest): void {
    this.#inOrder(() => {
      if (this.#authorizer.enabled) this.#createChecked(request);
      else this.#stream.create(request);
    });
  }

  cancel(watchId: number): void {
    this.#inOrder(() => this.#stream.cancel(watchId));
  }

  requestProgress(): true {
    this.#inOrder(() => this.#stream.requestProgress());
    return true;
  }

  deliver(receiver: (response: WatchResponse) => boolean): void {
    this.#stream.deliver(receiver);
  }

  resume(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#stream.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchResponse> {
    return this.#stream[Symbol.asyncIterator]();
  }

  #inOrder(action: () => void): void {
    if (this.#waiting === undefined) action();
    else this.#waiting.push(action);
  }

  #createChecked(request: WatchCreateRequest): void {
    try {
      const caller = this.#authorizer.identify(this.#options);
      if (caller instanceof Promise) this.#createLater(caller, request);
      else this.#createFor(caller, request);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #createLater(identified: Promise<Caller | undefined>, request: WatchCreateRequest): void {
    this.#waiting = [];
    identified
      .then(
        (caller) => this.#createFor(caller, request),
        (error: unknown) => this.#refuse(error),
      )
      .finally(() => this.#goOn())
      .catch((error: unknown) => this.#stream.end(error instanceof Error ? error : new Error(String(error))));
  }

  #goOn(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const action of waiting) this.#inOrder(action);
  }

  #createFor(caller: Caller | undefined, request: WatchCreateRequest): void {
    const key = request.key.length === 0 ? FIRST_KEY : request.key;
    const denied = this.#authorizer.checkRange(caller, { ...rangeOf(request), key });
    if (denied === undefined) this.#stream.create(request);
    else this.#refuse(denied);
  }

  /** No other error tells who watches why: what failed is in the stream's own end. */
  #refuse(error: unknown): void {
    if (!(error instanceof EtcdError)) throw error;
    this.#stream.refuse(`rpc error: code = ${nameOf(error.code)} desc = ${error.message}`);
  }
}

function rangeOf({ rangeEnd }: WatchCreateRequest) {
  return rangeEnd === undefined ? {} : { rangeEnd };
}

/** As gRPC's Go library writes a code. */
function nameOf(code: GrpcCode): string {
  return Object.entries(GrpcCode).find(([, number]) => number === code)?.[0] ?? String(code);
}
