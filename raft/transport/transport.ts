/**
 * How a member reaches the others. Implemented over HTTP (transport/http.ts) and by the simulation.
 *
 * Members are named by id; where they are comes from the configuration, through `setMembers`.
 */
import type { Configuration, Member } from '../core/configuration.js';
import type { Message } from '../core/messages.js';

/** A consistent copy of a state machine, on its way to another member. */
export interface SnapshotHeader {
  readonly index: number;
  readonly term: number;
  /** Encoded configuration as of `index` (core/configuration.ts). */
  readonly configuration: Uint8Array;
}

export interface OutgoingSnapshot extends SnapshotHeader {
  /** Bytes of the content. */
  readonly size: number;
  /** Read once, from its start. */
  read(): AsyncIterable<Uint8Array>;
  /** To be called once it is no longer needed. */
  release(): Promise<void>;
}

/** What a snapshot's sender says of itself. */
export interface IncomingSnapshot extends SnapshotHeader {
  readonly from: bigint;
  readonly senderTerm: number;
  readonly size: number;
  /** Ends only if the content arrived whole and its checksum is right; throws otherwise. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** The member's side, called by the transport. */
export interface TransportHandler {
  receive(message: Message): void;
  /** Resolves when the snapshot is installed. Rejects when it is refused or fails. */
  receiveSnapshot(snapshot: IncomingSnapshot): Promise<void>;
  /** A question of another member (`ask`). What it rejects with does not cross the wire, but as a TransportError. */
  answer(question: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  /** What was sent to this member and is not answered may be lost. */
  unreachable(member: bigint): void;
  /** Another member says that this one is no longer in the cluster. */
  removed(): void;
  /**
   * Told to whoever asks for it; whoever connects and is among its removed is told so, and ends. So `removed` holds only
   * those whose removal is committed.
   */
  configuration(): Configuration;
}

export interface AskOptions {
  /** Milliseconds from now. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface Transport {
  /** From here on messages come in. Called once. */
  start(handler: TransportHandler): Promise<void>;
  /**
   * Everyone that may be sent to; whoever is not in it any more is forgotten. Contains this member too. Whoever speaks to
   * this member without being in it can be answered all the same: a member that was away may not know its leader.
   */
  setMembers(members: readonly Member[]): void;
  /** Never waits. What there is no room for is lost, and told by `unreachable`. */
  send(messages: readonly Message[]): void;
  /** Resolves when the other side has installed it. Rejects with a TransportError. */
  sendSnapshot(to: bigint, term: number, snapshot: OutgoingSnapshot, signal: AbortSignal): Promise<void>;
  /** One question and its answer, past the log. Rejects with a TransportError. */
  ask(to: bigint, question: Uint8Array, options: AskOptions): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** `unreachable`: it may have arrived. `refused`: the other side said no. `timeout`, `aborted`, `closed`: here. */
export type TransportErrorReason = 'unreachable' | 'refused' | 'timeout' | 'aborted' | 'closed';

export class TransportError extends Error {
  override name = 'TransportError';
  constructor(
    readonly reason: TransportErrorReason,
    message: string,
  ) {
    super(message);
  }
}

/** Of a member that has no others. */
export const NO_TRANSPORT: Transport = {
  start: () => Promise.resolve(),
  setMembers: () => undefined,
  send: () => undefined,
  sendSnapshot: () => Promise.reject(new TransportError('unreachable', 'there is no transport')),
  ask: () => Promise.reject(new TransportError('unreachable', 'there is no transport')),
  close: () => Promise.resolve(),
};
