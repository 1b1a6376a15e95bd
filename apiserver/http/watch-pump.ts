/**
 * Drives the server's watch streams: those with something to send wait in one queue and have bounded turns, so that none
 * starves another, and after a few milliseconds the event loop has its turn too.
 */
import { watchTurnMillisecondsMax } from './limits.js';
import { WatchFrames } from './watch-frames.js';
import type { WatchStream } from './watch-stream.js';

export class WatchPump {
  readonly frames = new WatchFrames();
  readonly #streams = new Set<WatchStream>();
  #queue: WatchStream[] = [];
  #scheduled = false;
  readonly #run = () => this.run();

  /** `report` is told of failures that are not the client's to know. */
  constructor(readonly report: (error: unknown) => void) {}

  get size(): number {
    return this.#streams.size;
  }

  /** Serves the stream from now on. */
  start(stream: WatchStream): void {
    if (stream.closed) return;
    this.#streams.add(stream);
    this.wake(stream);
  }

  remove(stream: WatchStream): void {
    this.#streams.delete(stream);
  }

  wake(stream: WatchStream): void {
    if (stream.queued) return;
    stream.queued = true;
    this.#queue.push(stream);
    this.#schedule();
  }

  /** Ends every watch in order. */
  finishAll(): void {
    for (const stream of this.#streams) stream.finish();
    this.frames.clear();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  private run(): void {
    this.#scheduled = false;
    const deadline = performance.now() + watchTurnMillisecondsMax;
    const queue = this.#queue;
    this.#queue = [];
    let at = 0;
    while (at < queue.length && (at === 0 || performance.now() < deadline)) {
      const stream = queue[at++]!;
      stream.queued = false;
      if (stream.turn(this.frames)) this.wake(stream);
    }
    // Those that had no turn come before those that want another.
    if (at < queue.length) this.#queue = [...queue.slice(at), ...this.#queue];
    if (this.#queue.length > 0) this.#schedule();
  }
}
