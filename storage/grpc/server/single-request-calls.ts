/** Calls of one request: with one response, or with several. */
import { asBuffer } from '../../bytes.js';
import type { Method } from '../method.js';
import { Call, cutShort, writePrefix, type CallEnvironment, type CallHeaders } from './call.js';
import { EncodedMessage, type ServerStreamRoute, type UnaryRoute } from './handlers.js';
import { PREFIX_BYTES } from './inbox.js';
import { OK } from './status.js';
import type { WireStream } from './wire-stream.js';

/** Below so many bytes it is cheaper to join the pieces of a message than to send them one by one. */
const JOINED_BYTES_MAX = 64 * 1024;

/** One request, of which the first message is all. */
abstract class SingleRequestCall<
  Request,
  Response,
  Route extends { readonly method: Method<Request, Response> },
> extends Call {
  protected readonly route: Route;
  #isTaken = false;

  constructor(stream: WireStream, route: Route, headers: CallHeaders, environment: CallEnvironment) {
    super(stream, route.method, headers, environment);
    this.route = route;
  }

  protected abstract answer(request: Request): void;

  override received(chunk: Buffer): void {
    if (this.#isTaken || this.isOver) return;
    this.inbox.push(chunk);
    try {
      const taken = this.take(this.route.method.request);
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

export class UnaryCall<Request, Response> extends SingleRequestCall<
  Request,
  Response,
  UnaryRoute<Request, Response>
> {
  protected override answer(request: Request): void {
    this.#answer(request).catch((error: unknown) => this.fail(error));
  }

  async #answer(request: Request): Promise<void> {
    const response = await this.route.handle(request, this);
    if (this.isOver) return;
    if (response instanceof EncodedMessage) this.#finishEncoded(response.parts);
    else this.#finishWith(this.frame(this.route.method.response, response));
  }

  #finishWith(frame: Buffer): void {
    this.countSent(frame.length - PREFIX_BYTES);
    this.finish(OK, frame);
  }

  #finishEncoded(parts: readonly Uint8Array[]): void {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    const prefix = writePrefix(Buffer.allocUnsafe(PREFIX_BYTES), bytes);
    if (bytes <= JOINED_BYTES_MAX) return this.#finishWith(Buffer.concat([prefix, ...parts]));
    this.countSent(bytes);
    this.stream.send(prefix);
    for (const part of parts) this.stream.send(asBuffer(part));
    this.finish(OK);
  }

  override drained(): void {}
}

export class ServerStreamCall<Request, Response> extends SingleRequestCall<
  Request,
  Response,
  ServerStreamRoute<Request, Response>
> {
  #goOn: (() => void) | undefined;

  protected override answer(request: Request): void {
    this.#answer(request).then(
      () => this.finish(OK),
      (error: unknown) => this.fail(error),
    );
  }

  async #answer(request: Request): Promise<void> {
    for await (const response of this.route.handle(request, this)) {
      if (this.isOver) return;
      if (this.sendFrame(this.frame(this.route.method.response, response))) continue;
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
