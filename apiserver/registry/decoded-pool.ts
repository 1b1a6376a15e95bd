/**
 * Bounds the memory of what is made of objects' JSON: an object decoded, when somebody looks into it, or in another
 * encoding. It is forgotten again, first in first out, when too much is held: the JSON stays, and making it again costs a few
 * microseconds.
 */

/** Sum of the JSON of all objects held decoded, in bytes. On the heap they take about three times as much. */
const DECODED_JSON_BYTES_MAX = 16 * 1024 * 1024;
/** Of all objects in another encoding together with their JSON, in bytes. */
const ENCODED_BYTES_MAX = 32 * 1024 * 1024;

export interface Forgetful {
  /** What it counts for, in bytes. */
  readonly heldBytes: number;
  forget(): void;
}

/** Apart, so that neither kind pushes out the other. */
export interface ItemPools {
  readonly decoded: DecodedPool;
  readonly encoded: DecodedPool;
}

export const createPools = (): ItemPools => ({
  decoded: new DecodedPool(),
  encoded: new DecodedPool(ENCODED_BYTES_MAX),
});

export class DecodedPool {
  private held: (Forgetful | undefined)[] = [];
  private first = 0;
  private bytes = 0;

  constructor(private readonly bytesMax = DECODED_JSON_BYTES_MAX) {}

  add(item: Forgetful): void {
    this.held.push(item);
    this.bytes += item.heldBytes;
    while (this.bytes > this.bytesMax) this.drop();
    // The dropped half is cut off at once, so that dropping one costs nothing on average.
    if (this.first > 1024 && this.first * 2 > this.held.length) {
      this.held = this.held.slice(this.first);
      this.first = 0;
    }
  }

  private drop(): void {
    const item = this.held[this.first];
    this.held[this.first] = undefined;
    this.first += 1;
    if (item === undefined) return;
    this.bytes -= item.heldBytes;
    item.forget();
  }
}
