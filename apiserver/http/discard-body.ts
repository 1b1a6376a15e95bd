import type { RawRequest } from './exchange.js';

/**
 * Reads what a client still sends to a request that is answered without it, and throws it away. To be called before the
 * answer ends. Over HTTP/1.1 Node does it; over HTTP/2 it would reset the stream, which can overtake the answer.
 */
export function discardBody(request: RawRequest): void {
  const { stream } = request;
  if (stream === undefined || stream.endAfterHeaders === true || request.readableEnded) return;
  request.resume();
}
