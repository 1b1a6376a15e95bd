/** How a connection is kept alive, as etcd's `--grpc-keepalive-…` flags say. Milliseconds. */
export interface KeepAliveOptions {
  /** A client that pings more often than this, without being sent anything between, is cut off. */
  readonly minTimeMs: number;
  /** A client of which nothing has come for so long is asked whether it is there; 0: never. */
  readonly intervalMs: number;
  /** And is cut off if nothing comes for so long; 0: never. */
  readonly timeoutMs: number;
}

/** What it does to the connection. */
export interface KeepAliveActions {
  ping(payload: Buffer): void;
  /** With the reason that the client is told. */
  fail(reason: string): void;
  cut(): void;
}

/** Pings that come too early and are overlooked, as in gRPC's servers in Go. */
const EARLY_PINGS_MAX = 2;
/** The reason that gRPC's clients know. */
const TOO_MANY_PINGS = 'too_many_pings';
/** Longest delay that Node's timers take. */
const TIMER_MS_MAX = 2 ** 31 - 1;
const PAYLOAD = Buffer.from('wherry..');

export class KeepAlive {
  readonly #options: KeepAliveOptions;
  readonly #actions: KeepAliveActions;
  #timer: NodeJS.Timeout | undefined;
  #lastReceived = performance.now();
  #isAsked = false;
  #lastPing = -Infinity;
  #earlyPings = 0;

  constructor(options: KeepAliveOptions, actions: KeepAliveActions) {
    this.#options = options;
    this.#actions = actions;
    if (options.intervalMs > 0) this.#wait(options.intervalMs);
  }

  /** Anything at all. */
  received(): void {
    this.#lastReceived = performance.now();
  }

  /** Headers or data: clients measure the way to the server by pings while they are sent something. */
  sent(): void {
    this.#earlyPings = 0;
    this.#lastPing = -Infinity;
  }

  pinged(): void {
    const now = performance.now();
    const isEarly = now - this.#lastPing < this.#options.minTimeMs;
    this.#earlyPings = isEarly ? this.#earlyPings + 1 : 0;
    this.#lastPing = now;
    if (this.#earlyPings > EARLY_PINGS_MAX) this.#actions.fail(TOO_MANY_PINGS);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.max(1, ms), TIMER_MS_MAX)).unref();
  }

  #look(): void {
    const { intervalMs, timeoutMs } = this.#options;
    const silence = performance.now() - this.#lastReceived;
    if (silence < intervalMs) {
      this.#isAsked = false;
      return this.#wait(intervalMs - silence);
    }
    if (this.#isAsked && timeoutMs > 0) return this.#actions.cut();
    this.#isAsked = true;
    this.#actions.ping(PAYLOAD);
    this.#wait(timeoutMs > 0 ? timeoutMs : intervalMs);
  }
}
