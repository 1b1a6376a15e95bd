/** One line on a terminal that changes while something takes long; elsewhere nothing. */
const REDRAW_MS = 100;

export class ProgressLine {
  readonly #terminal: NodeJS.WriteStream | undefined;
  #drawnAt = -Infinity;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#terminal = stream.isTTY ? stream : undefined;
  }

  update(text: () => string): void {
    const now = performance.now();
    if (this.#terminal === undefined || now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#terminal.write(`\r\x1b[K${text()}`);
  }

  /** Takes it away. */
  end(): void {
    if (this.#drawnAt > -Infinity) this.#terminal?.write('\r\x1b[K');
  }
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** As etcdctl writes sizes: two digits at least, powers of a thousand. */
export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}
