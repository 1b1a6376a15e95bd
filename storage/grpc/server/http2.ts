/** Calls on the streams of our HTTP/2. */
import { encodeHeaders } from '../../http2/hpack.js';
import type { RequestHeaders, Stream, StreamHandler } from '../../http2/stream.js';
import { Call } from './call.js';
import type { GrpcServer } from './server.js';
import { OK, percentEncode, type Status } from './status.js';
import type { WireStream } from './wire-stream.js';

const HEADERS = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
] as const;
const HEADER_BLOCK = encodeHeaders(HEADERS);
const OK_TRAILERS = encodeHeaders([['grpc-status', '0']]);
const ACCEPTED_ENCODINGS = 'identity,gzip';

/** Begins the call that the stream's headers ask for. */
export function serveCall(
  server: GrpcServer,
  stream: Stream,
  headers: RequestHeaders,
  certificateName: string | undefined,
): void {
  const wire = new CallStream(stream, certificateName);
  const call = server.open(wire, headers);
  if (call instanceof Call) wire.serve(call);
  else wire.finish(call);
}

class CallStream implements WireStream, StreamHandler {
  readonly certificateName: string | undefined;
  readonly #stream: Stream;
  #call: Call | undefined;

  constructor(stream: Stream, certificateName: string | undefined) {
    this.#stream = stream;
    this.certificateName = certificateName;
  }

  serve(call: Call): void {
    this.#call = call;
    this.#stream.serve(this);
    call.start();
  }

  send(frame: Buffer): boolean {
    const stream = this.#stream;
    if (!stream.hasHeaders) stream.respond(HEADER_BLOCK);
    return stream.write(frame);
  }

  finish(status: Status, last?: Buffer): void {
    const stream = this.#stream;
    if (last !== undefined && !stream.hasHeaders && status === OK) {
      return stream.sendWhole(HEADER_BLOCK, last, OK_TRAILERS);
    }
    if (last !== undefined) this.send(last);
    if (stream.hasHeaders) stream.end(trailersOf(status));
    else stream.respond(onlyTrailersOf(status), { end: true });
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  release(): void {
    this.#stream.connection.release(this.#stream);
  }

  received(chunk: Buffer): void {
    this.#call?.received(chunk);
  }

  ended(): void {
    this.#call?.ended();
  }

  drained(): void {
    this.#call?.drained();
  }

  closed(): void {
    this.#call?.closed();
  }
}

const fieldsOf = (status: Status) =>
  [
    ['grpc-status', String(status.code)],
    ['grpc-message', percentEncode(status.message)],
    ['grpc-accept-encoding', ACCEPTED_ENCODINGS],
  ] as const;

function trailersOf(status: Status): Buffer {
  return status === OK ? OK_TRAILERS : encodeHeaders(fieldsOf(status));
}

/** An answer without a message is its headers alone. */
function onlyTrailersOf(status: Status): Buffer {
  return encodeHeaders([...HEADERS, ...fieldsOf(status)]);
}
