/** Bounds of the transport. Tests pass smaller ones; the rest of the program takes these as they are. */
export interface TransportLimits {
  /** Bytes that wait for one member while the window is full. A single message may be larger. */
  readonly waitingBytesMax: number;
  /**
   * Bytes on the way to one member, in any buffer between the two processes. What is beyond waits here, where heartbeats
   * and votes go ahead of entries. Bounds the rate to this much in a round trip.
   */
  readonly windowBytes: number;
  /** A receiver acknowledges so long after the first byte that it has not acknowledged, or earlier. */
  readonly acknowledgeMs: number;
  /** A connection on which bytes are on the way and none is acknowledged for so long is cut. */
  readonly stalledMs: number;
  /** Time for a TCP connection to be made. */
  readonly connectMs: number;
  /** Time for a new stream to be accepted, from the start of the attempt. */
  readonly acceptMs: number;
  /** Pause after the second failure in a row, counted from the start of the attempt; the first retry is at once. */
  readonly pauseMsMin: number;
  /** It doubles up to this. */
  readonly pauseMsMax: number;
  /** Bytes of a question, and of an answer. */
  readonly askBytesMax: number;
  /** A snapshot of which no byte moves for so long has failed. */
  readonly snapshotStalledMs: number;
}

export const TRANSPORT_LIMITS: TransportLimits = {
  waitingBytesMax: 16 * 2 ** 20,
  windowBytes: 2 ** 20,
  acknowledgeMs: 250,
  stalledMs: 5000,
  connectMs: 1000,
  acceptMs: 2000,
  pauseMsMin: 50,
  pauseMsMax: 1000,
  askBytesMax: 16 * 2 ** 20,
  snapshotStalledMs: 30_000,
};

/** Bytes of one message's entries or proposals; above what a member may have pending (node/proposals.ts). */
export const MESSAGE_BYTES_MAX = 128 * 2 ** 20;

/** Bytes of an encoded configuration, in a snapshot's header and in the answer of discovery. */
export const CONFIGURATION_BYTES_MAX = 2 ** 20;

/** A question's idle connection is kept so long by who asks, and longer by who answers: only one side closes it. */
export const IDLE_CONNECTION_MS = 15_000;
export const SERVER_IDLE_CONNECTION_MS = 60_000;

/** A connection on which nothing comes is probed by the kernel after this; a machine that is gone shows within 10 s. */
export const KEEP_ALIVE_MS = 5000;
