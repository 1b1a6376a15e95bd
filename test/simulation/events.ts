/** Something that happens at a simulated time. */
export interface SimulatedEvent {
  /** Milliseconds. */
  readonly time: number;
  /** Orders events of one time as they were made. */
  readonly sequence: number;
  /** Whose process it happens in; 0 for the world's own. */
  readonly member: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** What is to happen, the earliest first: a binary heap. */
export class EventQueue {
  readonly #heap: SimulatedEvent[] = [];
  #sequence = 0;

  add(time: number, member: number, run: () => void): SimulatedEvent {
    this.#sequence += 1;
    const event: SimulatedEvent = { time, sequence: this.#sequence, member, run, cancelled: false };
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
    return event;
  }

  /** The earliest that is not cancelled; undefined if nothing is to happen any more. */
  take(): SimulatedEvent | undefined {
    for (let next = this.#takeFirst(); next !== undefined; next = this.#takeFirst()) {
      if (!next.cancelled) return next;
    }
    return undefined;
  }

  #takeFirst(): SimulatedEvent | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    this.#heap[0] = last;
    this.#sink(0);
    return first;
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const event = heap[from] as SimulatedEvent;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = heap[above] as SimulatedEvent;
      if (!isBefore(event, other)) break;
      heap[place] = other;
      place = above;
    }
    heap[place] = event;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const event = heap[from] as SimulatedEvent;
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      const right = below + 1;
      if (right < heap.length && isBefore(heap[right] as SimulatedEvent, heap[below] as SimulatedEvent)) {
        below = right;
      }
      const other = heap[below] as SimulatedEvent;
      if (!isBefore(other, event)) break;
      heap[place] = other;
      place = below;
    }
    heap[place] = event;
  }
}

function isBefore(a: SimulatedEvent, b: SimulatedEvent): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence);
}

/** Turns between two visits to Node's own event loop, which collects garbage and speaks to the parent. */
const TURNS_PER_VISIT = 4096;

/**
 * Calls `turn` again and again until it returns false, and between two calls lets every promise go on that can. A tick
 * callback runs only when no microtask is left, at a third of what a round of the event loop costs.
 */
export function drive(turn: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let turns = 0;
    const next = () => {
      try {
        if (!turn()) {
          resolve();
          return;
        }
      } catch (error) {
        reject(error);
        return;
      }
      turns += 1;
      if (turns % TURNS_PER_VISIT === 0) setImmediate(next);
      else queueMicrotask(later);
    };
    const later = () => process.nextTick(next);
    setImmediate(next);
  });
}
