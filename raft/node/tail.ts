/** How much of the log stays when the state machine no longer needs it: for followers that are a little behind. */
export interface TailLimits {
  /** Entries kept at most, within `cutStep`. */
  readonly entriesMax: number;
  /** Payload bytes kept at most, within an eighth, as far as this process appended them. */
  readonly bytesMax: number;
  /** Entries past the limit that are worth a cut. */
  readonly cutStep: number;
  /** Entries kept beyond that for a follower that is being brought up to date. */
  readonly heldEntriesMax: number;
}

export const TAIL_LIMITS: TailLimits = {
  entriesMax: 10_000,
  bytesMax: 64 * 2 ** 20,
  cutStep: 1_000,
  heldEntriesMax: 200_000,
};

const MARKS_PER_TAIL = 8;

/** Decides where to cut the log. Remembers how many bytes were appended up to a few marked indexes. */
export class Tail {
  #bytes = 0;
  #marks: { readonly index: number; readonly bytes: number }[] = [];

  constructor(private readonly limits: TailLimits) {}

  appended(index: number, bytes: number): void {
    this.#bytes += bytes;
    const marked = this.#marks.at(-1)?.bytes ?? 0;
    if (this.#bytes - marked >= this.limits.bytesMax / MARKS_PER_TAIL) {
      this.#marks.push({ index, bytes: this.#bytes });
    }
  }

  /** Entries from `from` on are no longer there. */
  truncated(from: number): void {
    this.#marks = this.#marks.filter((mark) => mark.index < from);
  }

  /**
   * The index to cut through, at most `durable`, the durable applied index; 0 if it is not worth it.
   *
   * @param neededFrom a follower that is being brought up to date needs entries from here on; Infinity if none does.
   */
  cutThrough(firstIndex: number, durable: number, neededFrom: number): number {
    const byEntries = durable - this.limits.entriesMax;
    const worth = byEntries - firstIndex + 1 >= this.limits.cutStep;
    const wanted = Math.min(durable, Math.max(worth ? byEntries : 0, this.#excess()));
    const held = Math.max(neededFrom - 1, durable - this.limits.heldEntriesMax);
    const through = Math.min(wanted, held);
    this.#marks = this.#marks.filter((mark) => mark.index > through);
    return through >= firstIndex ? through : 0;
  }

  /** The newest mark that has bytesMax bytes or more after it. */
  #excess(): number {
    const mark = this.#marks.findLast(({ bytes }) => this.#bytes - bytes >= this.limits.bytesMax);
    return mark?.index ?? 0;
  }
}
