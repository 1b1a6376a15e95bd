import type { EtcdClient, WatchResponse, WatchStream } from '../../client/interface.js';
import { EtcdError } from '../../errors.js';
import type { WatchRequest } from '../messages/watch.js';
import { bidiStream, type BidiCall, type BidiHandler, type Route } from '../server/handlers.js';
import { Watch } from '../services.js';

type Watches = Pick<EtcdClient, 'watch'>;

export function watchRoutes(client: Watches): Route[] {
  return [bidiStream(Watch.Watch, (call) => new WatchCall(call, client), { hasSameBytes })];
}

/**
 * Watches of a range with equal options are told of the same events one after the other, and most clients give their only
 * watch on a stream the same id.
 */
function hasSameBytes(response: WatchResponse, other: WatchResponse): boolean {
  return (
    response.events.length > 0 &&
    response.events === other.events &&
    response.header === other.header &&
    response.watchId === other.watchId &&
    response.fragment === other.fragment
  );
}

/** A gRPC stream is a stream of the store: requests go in, responses come out as fast as the client takes them. */
class WatchCall implements BidiHandler<WatchRequest> {
  readonly #call: BidiCall<WatchResponse>;
  readonly #stream: WatchStream;
  #isFull = false;

  constructor(call: BidiCall<WatchResponse>, client: Watches) {
    this.#call = call;
    this.#stream = client.watch(call.brief);
    this.#stream.deliver((response) => this.#deliver(response));
    void this.#stream.closed.then((error) => this.#call.end(error ?? EtcdError.of('WatchCanceled')));
  }

  message(request: WatchRequest): void {
    switch (request.type) {
      case 'create':
        return this.#stream.create(request);
      case 'cancel':
        return this.#stream.cancel(request.watchId);
      case 'progress':
        this.#stream.requestProgress();
        return;
      default:
      // As in etcd, a request that says nothing does not end the stream.
    }
  }

  /** Watches go on, as in etcd. */
  halfClosed(): void {}

  drained(): void {
    this.#isFull = false;
    this.#stream.resume();
  }

  closed(): void {
    this.#stream.close();
  }

  #deliver(response: WatchResponse): boolean {
    if (this.#isFull) return false;
    this.#isFull = !this.#call.send(response);
    return true;
  }
}
