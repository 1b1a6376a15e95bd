interface Entry<T> {
  readonly item: T;
  readonly deadline: number;
}

/**
 * Items by deadline, a binary heap. Moving a deadline further away costs nothing here: the owner keeps the true one, and
 * an item that surfaces too early is put back.
 */
export class Deadlines<T> {
  readonly #heap: Entry<T>[] = [];

  /** Earliest deadline, Infinity if there is none. */
  get earliest(): number {
    return this.#heap[0]?.deadline ?? Infinity;
  }

  add(item: T, deadline: number): void {
    const heap = this.#heap;
    let index = heap.push({ item, deadline }) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#deadline(parent) <= deadline) break;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** Removes and returns the item of the earliest deadline. */
  take(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first.item;
  }

  clear(): void {
    this.#heap.length = 0;
  }

  #sink(): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const child = this.#deadline(left + 1) < this.#deadline(left) ? left + 1 : left;
      if (this.#deadline(child) >= this.#deadline(index)) return;
      this.#swap(index, child);
      index = child;
    }
  }

  #deadline(index: number): number {
    return this.#heap[index]?.deadline ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
