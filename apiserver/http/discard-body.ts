import { constants } from 'node:http2';
import type { RawRequest } from './exchange.js';
import { requestTimeoutMilliseconds } from './limits.js';

/**
 * Reads what a client still sends to a request that is answered without it, and throws it away. To be called before the
 * answer ends. Over HTTP/1.1 Node does it; over HTTP/2 it would reset the stream, which can overtake the answer.
 */
export function discardBody(request: RawRequest): void {
  const { stream } = request;
  if (stream === undefined || stream.endAfterHeaders === true || request.readableEnded) return;
  request.resume();
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), requestTimeoutMilliseconds);
  stream.once('close', () => clearTimeout(timer));
}
