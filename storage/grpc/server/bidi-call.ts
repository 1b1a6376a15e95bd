import { Call, cutShort, type CallEnvironment, type CallHeaders } from './call.js';
import type { BidiCall, BidiHandler, BidiRoute } from './handlers.js';
import { OK } from './status.js';
import type { WireStream } from './wire-stream.js';

/** Of each route whose calls share what they send. */
const lastFrames = new WeakMap<object, { readonly response: unknown; readonly frame: Buffer }>();

/** A call in which both sides send messages. */
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
    return this.isOver || this.sendFrame(this.#encode(response));
  }

  #encode(response: Response): Buffer {
    const route = this.#route;
    const last = lastFrames.get(route);
    if (last !== undefined && route.hasSameBytes?.(last.response as Response, response) === true)
      return last.frame;
    const frame = this.frame(route.method.response, response);
    if (route.hasSameBytes !== undefined) lastFrames.set(route, { response, frame });
    return frame;
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
