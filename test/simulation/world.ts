import { EventQueue, drive } from './events.js';
import type { Random } from './random.js';
import { Trace } from './trace.js';

/** Time, chance, what is to happen, and what is told of it: all that the parts of a simulation share. */
export class World {
  /** Milliseconds since the beginning. */
  now = 0;
  /** Events that have happened. */
  steps = 0;
  readonly trace: Trace;
  /** How often each thing has happened. */
  readonly counts = new Map<string, number>();
  readonly #queue = new EventQueue();
  #failure: string | undefined;
  #lastMember = 0;
  #moment = 0;
  /** Called after each event, and all that came of it, with the member that it happened in; 0 for none. */
  afterEvent: (member: number) => void = () => undefined;

  constructor(
    readonly random: Random,
    options: { readonly record: boolean },
  ) {
    this.trace = new Trace(options.record);
  }

  /** The first thing that went wrong; undefined while all is well. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Ends the simulation. Checks do not throw: the code under test would take that for its own failure. */
  fail(reason: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.note(0, `FAILED: ${reason}`);
  }

  after(ms: number, run: () => void, member = 0): () => void {
    const event = this.#queue.add(this.now + ms, member, run);
    return () => {
      event.cancelled = true;
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  /** A number for each thing observed, so that of any two it is known which came first. */
  moment(): number {
    this.#moment += 1;
    return this.#moment;
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  note(member: number, text: string): void {
    if (this.trace.isRecording) this.trace.line(this.now, member, text);
  }

  /** Lets things happen until `isOver`, something fails, or nothing is to happen any more. */
  run(isOver: () => boolean): Promise<void> {
    return drive(() => {
      this.afterEvent(this.#lastMember);
      this.#lastMember = 0;
      if (this.#failure !== undefined || isOver()) return false;
      const event = this.#queue.take();
      if (event === undefined) return false;
      this.now = event.time;
      this.steps += 1;
      this.trace.mix(event.time);
      this.trace.mix(event.member);
      this.#lastMember = event.member;
      event.run();
      return true;
    });
  }
}
