/** Memory for what a cache keeps: many small buffers cut from few large blocks, apart from short-lived ones. */

/** Bytes of one block. A block stays as long as one buffer cut from it does. */
const SLAB_BYTES = 16 * 1024;
/** Larger buffers get memory of their own. */
const SLAB_ITEM_BYTES_MAX = 4 * 1024;

export class Slab {
  private block = Buffer.alloc(0);
  private used = 0;

  /** A buffer that nobody else writes to; its content is undefined. */
  take(bytes: number): Buffer {
    if (bytes > SLAB_ITEM_BYTES_MAX) return Buffer.allocUnsafeSlow(bytes);
    if (this.used + bytes > this.block.length) {
      this.block = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.used = 0;
    }
    const taken = this.block.subarray(this.used, this.used + bytes);
    this.used += bytes;
    return taken;
  }
}
