import type { CallOptions } from '../client/interface.js';
import { EtcdError, GrpcCode } from '../errors.js';

/** Options of the requests that make up a call: each may take as long as the store lets it, until the call is over. */
export type OpenOptions = Omit<CallOptions, 'timeout'> & { readonly signal: AbortSignal };

/** Longest delay that Node's timers take; longer ones would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Codes that a client acts on, as gRPC itself gives them. */
const KEPT_CODES: readonly GrpcCode[] = [
  GrpcCode.Canceled,
  GrpcCode.DeadlineExceeded,
  GrpcCode.Unavailable,
  GrpcCode.Unknown,
];

/** A call that waits for others as long as its client does: `timeout`, when there is one, is of the whole call. */
export class OpenCall {
  readonly options: OpenOptions;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #isLate = false;

  constructor({ timeout, signal, ...credentials }: CallOptions = {}) {
    this.options = { ...credentials, signal: this.#controller.signal };
    this.#caller = signal;
    if (signal?.aborted === true) this.end();
    signal?.addEventListener('abort', this.end, { once: true });
    if (timeout !== undefined) {
      this.#timer = setTimeout(
        () => {
          this.#isLate = true;
          this.end();
        },
        Math.min(timeout, TIMER_MS_MAX),
      );
    }
  }

  /** Nothing more is done for it. */
  readonly end = (): void => {
    this.#controller.abort();
    this.#caller?.removeEventListener('abort', this.end);
    clearTimeout(this.#timer);
  };

  /**
   * What a part of the call comes to; with an error it is over. etcd's election and lock services are clients of its store, whose errors reach
   * their callers with the same text but as Unknown; only what says to try elsewhere keeps its code here.
   */
  async part<T>(work: (options: OpenOptions) => Promise<T>): Promise<T> {
    try {
      return await work(this.options);
    } catch (error) {
      this.end();
      if (!(error instanceof EtcdError)) throw error;
      if (this.#isLate && error.is('Canceled')) throw EtcdError.of('DeadlineExceeded');
      throw KEPT_CODES.includes(error.code) ? error : new EtcdError(GrpcCode.Unknown, error.message);
    }
  }
}

/** A call of one part. */
export async function openCall<T>(
  options: CallOptions | undefined,
  work: (options: OpenOptions) => Promise<T>,
): Promise<T> {
  const call = new OpenCall(options);
  try {
    return await call.part(work);
  } finally {
    call.end();
  }
}
