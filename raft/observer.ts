/** What a member tells those who count. Called on the hot path: implementations only add up. */
export interface RaftObserver {
  /** Bytes of entries were given to the log's file. */
  logWritten(bytes: number): void;
  /** The log's file was synced, which took so long. */
  logSynced(seconds: number): void;
  /** The leader sent a sign of life later than it should have. */
  heartbeatLate(): void;
  /** Bytes of messages were written to a member's connection. */
  sent(to: bigint, bytes: number): void;
  received(from: bigint, bytes: number): void;
  /** Something that was sent to a member may not have arrived. */
  sendFailed(to: bigint): void;
  connected(peer: bigint): void;
  /** After `connected`. */
  disconnected(peer: bigint): void;
}
