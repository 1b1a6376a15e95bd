/**
 * Bounds the memory of decoded objects. An object is decoded when somebody looks into it and forgotten again, first in
 * first out, when too many are held: its JSON stays, and decoding again costs a few microseconds.
 */

/** Sum of the JSON of all objects held decoded, in bytes. On the heap they take about three times as much. */
const DECODED_JSON_BYTES_MAX = 16 * 1024 * 1024;

export interface Forgetful {
  readonly jsonBytes: number;
  forget(): void;
}

export class DecodedPool {
  private held: (Forgetful | undefined)[] = [];
  private first = 0;
  private bytes = 0;

  constructor(private readonly bytesMax = DECODED_JSON_BYTES_MAX) {}

  add(item: Forgetful): void {
    this.held.push(item);
    this.bytes += item.jsonBytes;
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
    this.bytes -= item.jsonBytes;
    item.forget();
  }
}
