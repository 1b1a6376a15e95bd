/** How a connection of HTTP/2 is kept alive, as etcd's `--grpc-keepalive-…` flags say. */
import { constants, type ServerHttp2Session } from 'node:http2';

/** Milliseconds. */
export interface KeepAlive {
  /** A client that pings more often than this is cut off. */
  readonly minTimeMs: number;
  /** A client of which nothing has come for so long is asked whether it is there; 0: never. */
  readonly intervalMs: number;
  /** And is cut off if it does not answer for so long; 0: never. */
  readonly timeoutMs: number;
}

/** Pings that come too early and are overlooked, as in gRPC's servers in Go. */
const EARLY_PINGS_MAX = 2;
/** The reason that gRPC's clients know. */
const TOO_MANY_PINGS = Buffer.from('too_many_pings');
/** Longest delay that Node's timers take. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export function keepAlive(session: ServerHttp2Session, options: KeepAlive): void {
  limitPings(session, options.minTimeMs);
  if (options.intervalMs > 0) askNowAndThen(session, options);
}

function limitPings(session: ServerHttp2Session, minTimeMs: number): void {
  let last = -Infinity;
  let early = 0;
  // Whoever has calls to make may ask again.
  session.on('stream', () => (early = 0));
  session.on('ping', () => {
    const now = performance.now();
    early = now - last < minTimeMs ? early + 1 : 0;
    last = now;
    if (early <= EARLY_PINGS_MAX || session.destroyed) return;
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, TOO_MANY_PINGS);
    session.destroy();
  });
}

function askNowAndThen(session: ServerHttp2Session, { intervalMs, timeoutMs }: KeepAlive): void {
  let deadline: NodeJS.Timeout | undefined;
  const ask = () => {
    if (session.destroyed) return;
    if (timeoutMs > 0) deadline ??= setTimeout(() => session.destroy(), timeoutMs).unref();
    session.ping(() => {
      clearTimeout(deadline);
      deadline = undefined;
    });
  };
  // Counts from the last frame that came or went.
  session.setTimeout(Math.min(intervalMs, TIMER_MS_MAX), ask);
  session.once('close', () => clearTimeout(deadline));
}
