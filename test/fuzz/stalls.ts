/** Notices when this process's event loop stands still. */

export interface Stall {
  /** Milliseconds since the epoch, between which nothing else ran. */
  readonly from: number;
  readonly to: number;
  /** Of them, those in which this process computed: on a busy machine it may just not have had its turn. */
  readonly ms: number;
}

const TICK_MS = 10;
/** Shorter ones are told to nobody. */
export const STALL_MS_MIN = 200;

export class StallWatch {
  #last = performance.now();
  #cpu = process.cpuUsage();
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly onStall: (stall: Stall) => void) {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What came before was asked for. */
  reset(): void {
    this.#last = performance.now();
    this.#cpu = process.cpuUsage();
  }

  #tick(): void {
    const now = performance.now();
    const wall = now - this.#last - TICK_MS;
    if (wall >= STALL_MS_MIN) {
      const { user, system } = process.cpuUsage(this.#cpu);
      const ms = Math.min(wall, (user + system) / 1000);
      const to = performance.timeOrigin + now;
      if (ms >= STALL_MS_MIN) this.onStall({ from: to - wall, to, ms });
    }
    this.reset();
  }
}
