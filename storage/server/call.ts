import type { CallOptions } from '../client/interface.js';

export interface ServerCallOptions extends CallOptions {
  /** A client from outside, to be identified and checked while authentication is on. Absent: this process, trusted. */
  readonly outside?: boolean;
}

const OUTSIDE: ServerCallOptions = { outside: true };

/** The options of a call that came from outside. */
export function outside(options: CallOptions | undefined): ServerCallOptions {
  return options === undefined ? OUTSIDE : { ...options, outside: true };
}
