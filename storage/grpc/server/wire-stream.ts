import type { Status } from './status.js';

/** One HTTP/2 stream as a call uses it. */
export interface WireStream {
  /** Of the client's certificate, when the port has verified one. */
  readonly certificateName: string | undefined;
  /** A message with its prefix. False: send no more before `drained`. */
  send(frame: Buffer): boolean;
  /** Ends the stream, with `last` as its last message. */
  finish(status: Status, last?: Buffer): void;
  /** While paused nothing is received, and the client is held back by flow control. */
  pause(): void;
  resume(): void;
  /** A message was taken: what had come of it is held no more. */
  release(): void;
}

/** What a stream tells its call. */
export interface StreamEvents {
  received(chunk: Buffer): void;
  /** The client sends no more. */
  ended(): void;
  drained(): void;
  /** Also after `finish`. */
  closed(): void;
}
