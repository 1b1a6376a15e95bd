import { invariant } from '../invariant.js';

/**
 * - `probe`: where its log agrees is not known; one append at a time.
 * - `replicate`: appends follow each other without waiting, within the limits.
 * - `snapshot`: it needs entries that are gone; nothing is sent until a snapshot has arrived.
 */
export type ProgressState = 'probe' | 'replicate' | 'snapshot';

export interface InFlightLimits {
  /** Appends sent and not acknowledged. */
  readonly messagesMax: number;
  /** Their payload bytes. One append may exceed it. */
  readonly bytesMax: number;
}

/** What the leader knows of one member's log. */
export class FollowerProgress {
  state: ProgressState = 'probe';
  /** Highest index known to be the leader's own there, and durable. */
  match = 0;
  /** Next index to send. Invariant: match < next. */
  next: number;
  /** It has answered since the last check of the quorum. */
  active = true;
  /** The newest round of confirmation that it has answered. */
  round = 0;
  /** The highest commit index that it was told. */
  commitTold = 0;
  /** Entries for it are being read from disk; nothing is sent meanwhile. */
  fetching = false;
  #probing = false;
  /** Last index and bytes of each append that is not acknowledged, in order. */
  #inFlight: { readonly last: number; readonly bytes: number }[] = [];
  #inFlightBytes = 0;

  constructor(
    next: number,
    private readonly limits: InFlightLimits,
  ) {
    this.next = next;
  }

  get paused(): boolean {
    if (this.fetching || this.state === 'snapshot') return true;
    if (this.state === 'probe') return this.#probing;
    return this.#inFlight.length >= this.limits.messagesMax || this.#inFlightBytes >= this.limits.bytesMax;
  }

  /** An append of entries through `last` is on its way. */
  sent(last: number, bytes: number): void {
    if (this.state === 'probe') {
      this.#probing = true;
      return;
    }
    invariant(this.state === 'replicate', 'entries sent to a follower that waits for a snapshot');
    if (last < this.next) return;
    this.next = last + 1;
    this.#inFlight.push({ last, bytes });
    this.#inFlightBytes += bytes;
  }

  /** It has everything through `index`. True if that is news. */
  acknowledged(index: number): boolean {
    const isNews = index > this.match;
    this.match = Math.max(this.match, index);
    this.next = Math.max(this.next, index + 1);
    while (this.#inFlight[0] !== undefined && this.#inFlight[0].last <= index) this.#free();
    return isNews;
  }

  /** It refused an append after `refused` and proposes to go on after `hint`. False if that is an old story. */
  refused(refused: number, hint: number): boolean {
    if (this.state === 'replicate') {
      if (refused <= this.match) return false;
      this.probe();
      return true;
    }
    if (this.state === 'snapshot' || this.next - 1 !== refused) return false;
    this.next = Math.max(Math.min(refused, hint + 1), this.match + 1);
    this.#probing = false;
    return true;
  }

  /** What was sent may be lost: starts over behind what is known. */
  probe(next = this.match + 1): void {
    this.#become('probe');
    this.next = Math.max(next, this.match + 1);
  }

  replicate(): void {
    this.#become('replicate');
    this.next = this.match + 1;
  }

  awaitSnapshot(): void {
    this.#become('snapshot');
  }

  /** Waits for a sign of life before the next try. */
  pause(): void {
    this.#probing = true;
  }

  /** A sign of life: what was lost must not hold it up for ever. */
  nudge(): void {
    this.#probing = false;
    if (this.state === 'replicate' && this.paused && this.#inFlight.length > 0) this.#free();
  }

  #become(state: ProgressState): void {
    this.state = state;
    this.#probing = false;
    this.fetching = false;
    this.#inFlight = [];
    this.#inFlightBytes = 0;
  }

  #free(): void {
    this.#inFlightBytes -= this.#inFlight.shift()?.bytes ?? 0;
  }
}
