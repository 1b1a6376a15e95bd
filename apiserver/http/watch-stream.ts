/**
 * One watch: takes events from its watcher when the client has room for them. It holds no queue; events it has taken
 * and not yet written are at most one batch, and their bytes are the shared frames'.
 */
import type { ResourceDefinition } from '../../schemas/definition.js';
import { StatusError, toStatusError } from '../errors.js';
import type { WatchEvent, Watcher } from '../registry/types.js';
import type { RawResponse, RequestSocket } from './exchange.js';
import { watchTurnBytesMax, watchTurnEventsMax } from './limits.js';
import { errorFrame, type WatchFrames, type WatchShape } from './watch-frames.js';
import type { WatchPump } from './watch-pump.js';

const none: readonly WatchEvent[] = [];

export interface WatchSource {
  readonly watcher: Watcher;
  readonly definition: ResourceDefinition;
  readonly shape: WatchShape;
  readonly timeoutSeconds: number;
}

export abstract class WatchStream {
  /** In the pump's queue. */
  queued = false;
  #batch = none;
  /** Next of `#batch` to write. */
  #next = 0;
  #first = true;
  #blocked = false;
  #closed = false;
  readonly #timer: NodeJS.Timeout;
  readonly #source: WatchSource;
  protected readonly pump: WatchPump;

  constructor(pump: WatchPump, source: WatchSource) {
    this.pump = pump;
    this.#source = source;
    // Whole seconds, so that many watches share one of Node's timer lists, and no closure.
    this.#timer = setTimeout(finishStream, source.timeoutSeconds * 1000, this).unref();
    source.watcher.onReady = () => pump.wake(this);
  }

  /** Sends a frame. False when the client has no room for another; then `unblock` is called once it has. */
  protected abstract write(frame: Buffer): boolean;
  /** Ends the client's stream in order. */
  protected abstract end(): void;

  get closed(): boolean {
    return this.#closed;
  }

  protected unblock(): void {
    this.#blocked = false;
    this.pump.wake(this);
  }

  /** Writes what is ready, within a turn's bounds. True when there may be more to write at once. */
  turn(frames: WatchFrames): boolean {
    let bytes = 0;
    while (!this.#closed && !this.#blocked) {
      if (bytes >= watchTurnBytesMax) return true;
      const event = this.#take();
      if (event === undefined) return false;
      const frame = this.#frame(frames, event);
      if (frame === undefined) return false;
      this.#first = false;
      bytes += frame.length;
      this.#blocked = !this.write(frame);
    }
    return false;
  }

  /** Undefined when the object cannot be shown as asked, because of what somebody else has stored: that ends the watch. */
  #frame(frames: WatchFrames, event: WatchEvent): Buffer | undefined {
    const { definition, shape } = this.#source;
    try {
      return frames.frame(event, definition, shape, this.#first);
    } catch (error) {
      this.pump.report(error);
      this.fail(toStatusError(error));
      return undefined;
    }
  }

  #take(): WatchEvent | undefined {
    if (this.#next >= this.#batch.length) {
      this.#next = 0;
      this.#batch = none;
      try {
        this.#batch = this.#source.watcher.read(watchTurnEventsMax);
      } catch (error) {
        if (!(error instanceof StatusError)) this.pump.report(error);
        this.fail(toStatusError(error));
      }
    }
    return this.#batch[this.#next++];
  }

  /** Says why, then ends. */
  fail(error: StatusError): void {
    if (this.#closed) return;
    this.write(errorFrame(error, this.#source.shape.media));
    this.finish();
  }

  /** Ends the watch in order: time is up, or the server goes. */
  finish(): void {
    if (this.#closed) return;
    this.dispose();
    this.end();
  }

  /** The client has gone, or the watch is over. */
  dispose(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#batch = none;
    this.#source.watcher.onReady = undefined;
    this.#source.watcher.close();
    this.pump.remove(this);
  }
}

const finishStream = (stream: WatchStream) => stream.finish();

const streamOf = Symbol('watch');

/** A response with its watch on it: listeners find it by `this`, so that no watch needs closures of its own. */
type WatchedResponse = RawResponse & { [streamOf]?: ResponseWatchStream };

function onDrain(this: WatchedResponse): void {
  this[streamOf]?.drained();
}

function onClose(this: WatchedResponse): void {
  this[streamOf]?.dispose();
}

/** Over HTTP/1.1 (chunked) or an HTTP/2 stream. */
export class ResponseWatchStream extends WatchStream {
  readonly #response: WatchedResponse;

  constructor(pump: WatchPump, source: WatchSource, response: RawResponse) {
    super(pump, source);
    this.#response = response;
    this.#response[streamOf] = this;
    response.on('close', onClose);
    response.on('drain', onDrain);
    if (response.destroyed) this.dispose();
    else if (response.socket === null) this.#endWith(response.req?.socket);
  }

  /**
   * Behind an answer that is not finished, on the same connection, a response is on no connection yet and is never told
   * that it closed. Nor does a watch before it end when the client sends no more: Node would wait for all answers.
   */
  #endWith(socket: RequestSocket | undefined): void {
    if (socket === undefined || socket.destroyed) return this.dispose();
    socket.setMaxListeners(0);
    socket.once('end', () => socket.destroy());
    socket.once('close', () => this.dispose());
  }

  protected write(frame: Buffer): boolean {
    return this.#response.write(frame);
  }

  protected end(): void {
    this.#response.end();
  }

  drained(): void {
    this.unblock();
  }
}
