import type { IncomingMessage } from 'node:http';
import { constants, type Http2ServerRequest } from 'node:http2';

/**
 * Ends an HTTP/2 stream whose client has not sent its whole body after so many milliseconds, as `requestTimeout` of Node's
 * servers ends such a connection over HTTP/1.1.
 */
export function limitBodyTime(request: IncomingMessage | Http2ServerRequest, milliseconds: number): void {
  if (!('stream' in request) || request.stream.endAfterHeaders) return;
  const { stream } = request;
  const timer = setTimeout(() => {
    // An answer without the body may be there already, and stays good.
    stream.close(stream.writableFinished ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_CANCEL);
  }, milliseconds);
  const clear = () => clearTimeout(timer);
  stream.once('end', clear);
  stream.once('close', clear);
}
