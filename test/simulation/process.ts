import type { World } from './world.js';

/**
 * One life of a member's process, from its start to its crash. Nothing happens in it while it is paused (SIGSTOP): all
 * of it comes late, in order. Nothing happens in it any more once it has crashed.
 */
export class Process {
  #alive = true;
  #paused = false;
  #late: (() => void)[] = [];
  readonly #deathWatchers = new Set<() => void>();

  constructor(
    readonly world: World,
    readonly member: number,
  ) {}

  get isAlive(): boolean {
    return this.#alive;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /** Calls in this process after so many milliseconds. Returns a function that cancels. */
  after(ms: number, run: () => void): () => void {
    let cancelled = false;
    const happen = () => {
      if (!this.#alive || cancelled) return;
      if (this.#paused) this.#late.push(happen);
      else run();
    };
    const cancel = this.world.after(ms, happen, this.member);
    return () => {
      cancelled = true;
      cancel();
    };
  }

  /** Something comes in from outside: now, or late, or never. */
  enter(run: () => void): void {
    if (this.#paused) this.#late.push(run);
    else if (this.#alive) run();
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  /** Calls when the process has ended. Returns a function that cancels. */
  onDeath(watcher: () => void): () => void {
    this.#deathWatchers.add(watcher);
    return () => this.#deathWatchers.delete(watcher);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const late = this.#late;
    this.#late = [];
    for (const happen of late) this.world.after(0, happen, this.member);
  }

  kill(): void {
    this.#alive = false;
    this.#late = [];
    for (const watcher of this.#deathWatchers) watcher();
    this.#deathWatchers.clear();
  }
}
