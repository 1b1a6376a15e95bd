/** Calls on the streams of node:http2. */
import {
  constants,
  type Http2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { Call } from './call.js';
import type { GrpcServer } from './server.js';
import { OK, percentEncode, type Status } from './status.js';
import type { WireStream } from './wire-stream.js';

/** What a client may send on one stream, and on one connection, before it is read. */
const STREAM_WINDOW_BYTES = 2 ** 20;
const CONNECTION_WINDOW_BYTES = 8 * 2 ** 20;
/** Of one connection, what it has sent and what waits to be sent to it; past it, its new calls are refused. */
const SESSION_MEGABYTES_MAX = 256;
const CONCURRENT_STREAMS_MAX = 2 ** 32 - 1;
/** What waits for a client that does not read, before a call is told so. */
const SEND_BUFFER_BYTES = 256 * 1024;

/** For http2.createServer. */
export function sessionOptions(concurrentStreamsMax = CONCURRENT_STREAMS_MAX): ServerOptions {
  return {
    maxSessionMemory: SESSION_MEGABYTES_MAX,
    settings: { initialWindowSize: STREAM_WINDOW_BYTES, maxConcurrentStreams: concurrentStreamsMax },
  };
}

export function prepareSession(session: ServerHttp2Session): void {
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
}

const RESPONSE_HEADERS: OutgoingHttpHeaders = {
  ':status': 200,
  'content-type': 'application/grpc',
};
const OK_TRAILERS: OutgoingHttpHeaders = { 'grpc-status': '0' };
const ACCEPTED_ENCODINGS = 'identity,gzip';

/** Begins the call that the stream's headers ask for. */
export function serveCall(server: GrpcServer, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const wire = new Http2WireStream(stream);
  const call = server.open(wire, headers);
  if (call instanceof Call) wire.serve(call);
  else wire.finish(call);
}

const WIRE = Symbol('wire');
type WithWire = ServerHttp2Stream & { [WIRE]?: Http2WireStream };

/** Listeners are shared by all streams, which know their call. */
class Http2WireStream implements WireStream {
  readonly certificateName: string | undefined;
  readonly #stream: ServerHttp2Stream;
  call: Call | undefined;
  #trailers: OutgoingHttpHeaders | undefined;
  #isCorked = false;

  constructor(stream: WithWire) {
    this.#stream = stream;
    this.certificateName = certificateName(stream.session);
    stream[WIRE] = this;
    stream.on('error', ignore);
    stream.on('wantTrailers', wantTrailers);
  }

  serve(call: Call): void {
    this.call = call;
    const stream = this.#stream;
    stream.on('data', onData);
    stream.on('end', onEnd);
    stream.on('drain', onDrain);
    stream.on('close', onClose);
  }

  send(frame: Buffer): boolean {
    const stream = this.#stream;
    if (stream.destroyed) return true;
    if (!stream.headersSent) stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    // What is sent within one turn leaves together.
    if (!this.#isCorked) {
      this.#isCorked = true;
      stream.cork();
      process.nextTick(uncork, this);
    }
    stream.write(frame);
    return stream.writableLength < SEND_BUFFER_BYTES;
  }

  finish(status: Status, last?: Buffer): void {
    const stream = this.#stream;
    if (stream.destroyed || this.#trailers !== undefined) return;
    this.#trailers = trailersOf(status);
    if (!stream.headersSent && last === undefined) {
      stream.respond({ ...RESPONSE_HEADERS, ...this.#trailers }, { endStream: true });
      this.#stopReceiving();
      return;
    }
    if (!stream.headersSent) stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    if (last === undefined) stream.end();
    else stream.end(last);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  wantTrailers(): void {
    this.#stream.sendTrailers(this.#trailers ?? OK_TRAILERS);
    this.#stopReceiving();
  }

  uncork(): void {
    this.#isCorked = false;
    this.#stream.uncork();
  }

  /** All is said: what the client would still send is of no interest. */
  #stopReceiving(): void {
    const stream = this.#stream;
    if (!stream.readableEnded) stream.resume();
    if (!stream.endAfterHeaders && !stream.readableEnded) setImmediate(reset, stream);
  }
}

function reset(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded && !stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
}

function trailersOf(status: Status): OutgoingHttpHeaders {
  if (status === OK) return OK_TRAILERS;
  return {
    'grpc-status': String(status.code),
    'grpc-message': percentEncode(status.message),
    'grpc-accept-encoding': ACCEPTED_ENCODINGS,
  };
}

function ignore(): void {}
function wantTrailers(this: WithWire): void {
  this[WIRE]?.wantTrailers();
}
function onData(this: WithWire, chunk: Buffer): void {
  this[WIRE]?.call?.received(chunk);
}
function onEnd(this: WithWire): void {
  this[WIRE]?.call?.ended();
}
function onDrain(this: WithWire): void {
  this[WIRE]?.call?.drained();
}
function onClose(this: WithWire): void {
  this[WIRE]?.call?.closed();
}
function uncork(wire: Http2WireStream): void {
  wire.uncork();
}

const names = new WeakMap<Http2Session, string | undefined>();

/** A port that takes certificates has verified the one that is there. */
function certificateName(session: Http2Session | undefined): string | undefined {
  if (session?.encrypted !== true) return undefined;
  if (names.has(session)) return names.get(session);
  const socket = session.socket as TLSSocket;
  const name = socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined;
  const first = Array.isArray(name) ? name[0] : name;
  names.set(session, first);
  return first;
}
