/** Lines kept; the oldest are let go of. */
const LINES_MAX = 500_000;

/**
 * What happened, told twice: as a hash of everything, always, by which two runs of a seed are compared; and as lines
 * to read, only when somebody wants them.
 */
export class Trace {
  #hash = 0x811c9dc5;
  readonly #lines: string[] = [];

  constructor(readonly isRecording: boolean) {}

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  mix(value: number): void {
    // Times have fractions that matter.
    const whole = Math.floor(value);
    this.#hash = Math.imul(this.#hash ^ whole, 0x01000193);
    this.#hash = Math.imul(this.#hash ^ ((value - whole) * 2 ** 31), 0x01000193);
  }

  /** Asked for only if `isRecording`, so that nobody makes a line in vain. */
  line(time: number, member: number, text: string): void {
    const who = member === 0 ? 'world' : `member ${member}`;
    this.#lines.push(`${time.toFixed(3).padStart(11)}  ${who.padEnd(9)}  ${text}`);
    if (this.#lines.length > LINES_MAX) this.#lines.splice(0, LINES_MAX / 2);
  }
}
