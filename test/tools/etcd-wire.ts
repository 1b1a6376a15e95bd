/** A gRPC client of any etcd that shows each answer and each error as it came over the wire. */
import grpc from '@grpc/grpc-js';
import { type Message, type MethodName, wireMethods } from './etcd-definitions.js';

/** What a call came to: its answer, or gRPC's code and text. */
export type Outcome = { readonly answer: Message } | { readonly code: number; readonly text: string };

export interface WireOptions {
  readonly token?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds. */
  readonly timeout?: number;
}

const TIMEOUT_MS = 30_000;
/** Longer ones would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export class EtcdWire {
  readonly #client: grpc.Client;

  /** @param address host:port, without TLS */
  constructor(address: string) {
    this.#client = new grpc.Client(address, grpc.credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    });
  }

  unary(name: MethodName, request: Message, options: WireOptions = {}): Promise<Outcome> {
    const { path, encode, decode } = wireMethods[name];
    return new Promise((resolve) => {
      const call = this.#client.makeUnaryRequest(
        path,
        encode,
        decode,
        request,
        metadataOf(options),
        { deadline: Date.now() + (options.timeout ?? TIMEOUT_MS) },
        (error, answer) => {
          if (error !== null) resolve({ code: error.code, text: error.details });
          else resolve({ answer: answer as Message });
        },
      );
      options.signal?.addEventListener('abort', () => call.cancel(), { once: true });
    });
  }

  /** The answer. @throws Error that names code and text */
  async call(name: MethodName, request: Message = {}, options: WireOptions = {}): Promise<Message> {
    const outcome = await this.unary(name, request, options);
    if ('answer' in outcome) return outcome.answer;
    throw new Error(`${name}: ${outcome.code} ${outcome.text}`);
  }

  /** A stream in both directions, or the server's alone when `request` is given. */
  stream(name: MethodName, request?: Message): WireStream {
    const { path, encode, decode } = wireMethods[name];
    if (request === undefined) {
      const call = this.#client.makeBidiStreamRequest(path, encode, decode);
      return new WireStream(call, (message) => call.write(message));
    }
    const call = this.#client.makeServerStreamRequest(path, encode, decode, request);
    return new WireStream(call, () => {
      throw new Error(`${name} takes one request`);
    });
  }

  close(): void {
    this.#client.close();
  }
}

function metadataOf({ token }: WireOptions): grpc.Metadata {
  const metadata = new grpc.Metadata();
  if (token !== undefined) metadata.set('token', token);
  return metadata;
}

type Call = grpc.ClientDuplexStream<Message, Message> | grpc.ClientReadableStream<Message>;

/** Keeps what came until it is asked for. */
export class WireStream {
  readonly #call: Call;
  readonly #received: Message[] = [];
  #ended: { readonly code: number; readonly text: string } | undefined;
  #wake: (() => void) | undefined;

  constructor(
    call: Call,
    readonly send: (message: Message) => void,
  ) {
    this.#call = call;
    call.on('data', (message: Message) => {
      this.#received.push(message);
      this.#wake?.();
    });
    call.on('error', () => undefined);
    call.on('status', ({ code, details }: grpc.StatusObject) => {
      this.#ended = { code, text: details };
      this.#wake?.();
    });
  }

  /** Everything that has come since it was last asked. */
  take(): Message[] {
    return this.#received.splice(0);
  }

  /** Waits for one message, or for the end: its code and text. */
  async next(timeoutMs = TIMEOUT_MS): Promise<Outcome> {
    if (this.#received.length === 0 && this.#ended === undefined) await this.#change(timeoutMs);
    const answer = this.#received.shift();
    if (answer !== undefined) return { answer };
    if (this.#ended !== undefined) return this.#ended;
    throw new Error(`nothing came within ${timeoutMs} ms`);
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(timeoutMs, TIMER_MS_MAX));
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }

  cancel(): void {
    this.#call.cancel();
  }
}
