/** The newest changes of one resource, in memory. Positions in it are sequence numbers that never come again. */
import type { Change } from './change.js';

/** Changes held. */
const WINDOW_CHANGES_MAX = 8192;
/** JSON bytes of the objects of the changes held. */
const WINDOW_BYTES_MAX = 16 * 1024 * 1024;

export class ChangeWindow {
  private ring: (Change | undefined)[] = Array.from({ length: 64 });
  private bytes = 0;
  /** Sequence number of the oldest change held. Invariant: first ≤ end. */
  first = 0;
  /** Sequence number of the next change. */
  end = 0;
  /** Every change after this revision is held, and some at it may not be. */
  floor = 0;

  constructor(
    private readonly changesMax = WINDOW_CHANGES_MAX,
    private readonly bytesMax = WINDOW_BYTES_MAX,
  ) {}

  /** Returns the change's sequence number. Revisions must not fall. */
  push(change: Change): number {
    if (this.end - this.first === this.ring.length) this.grow();
    const seq = this.end++;
    this.ring[seq % this.ring.length] = change;
    this.bytes += change.bytes;
    while (this.end - this.first > this.changesMax || this.bytes > this.bytesMax) this.dropFirst();
    return seq;
  }

  /** Undefined outside of first ≤ seq < end. */
  at(seq: number): Change | undefined {
    return this.ring[seq % this.ring.length];
  }

  /** Sequence number of the first change after `revision`, which must not be below the floor. */
  firstAfter(revision: number): number {
    let low = this.first;
    let high = this.end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.at(middle)?.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Forgets everything: history goes on after `revision`. */
  reset(revision: number): void {
    this.ring = Array.from({ length: 64 });
    this.bytes = 0;
    this.first = this.end;
    this.floor = revision;
  }

  private dropFirst(): void {
    const slot = this.first++ % this.ring.length;
    const change = this.ring[slot];
    this.ring[slot] = undefined;
    this.bytes -= change?.bytes ?? 0;
    this.floor = change?.revision ?? this.floor;
  }

  private grow(): void {
    const larger: (Change | undefined)[] = Array.from({ length: this.ring.length * 2 });
    for (let seq = this.first; seq < this.end; seq++) larger[seq % larger.length] = this.at(seq);
    this.ring = larger;
  }
}
