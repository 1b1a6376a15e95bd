import type { Operation, Value } from './linearizability.js';

/** How many operations that are not placed yet need a value to be there, may need it, or may write it. */
export class Demand {
  readonly #needed = new Map<Value, number>();
  readonly #wanted = new Map<Value, number>();
  readonly #written = new Map<Value, number>();
  /** Failed compare-and-sets that do not tell what they found may have seen any value but one. */
  #vague = 0;

  constructor(operations: readonly Operation[]) {
    for (const operation of operations) this.takenBack(operation);
  }

  placed(operation: Operation): void {
    this.#count(operation, -1);
  }

  takenBack(operation: Operation): void {
    this.#count(operation, 1);
  }

  /** Somebody who has ended must see the value, and once it is gone nobody brings it back. */
  isLost(value: Value): boolean {
    return (this.#needed.get(value) ?? 0) > 0 && (this.#written.get(value) ?? 0) === 0;
  }

  /** Certainly nobody looks at the value any more. */
  isIdle(value: Value): boolean {
    return this.#vague === 0 && (this.#wanted.get(value) ?? 0) === 0;
  }

  #count(operation: Operation, by: 1 | -1): void {
    if (operation.kind === 'read') {
      this.#see(operation.result, by);
    } else if (operation.kind === 'write') {
      add(this.#written, operation.value, by);
    } else if (operation.result === undefined) {
      add(this.#wanted, operation.expected, by);
      add(this.#written, operation.value, by);
    } else if (operation.result.succeeded) {
      this.#see(operation.expected, by);
      add(this.#written, operation.value, by);
    } else if (operation.result.found === undefined) {
      this.#vague += by;
    } else {
      this.#see(operation.result.found.value, by);
    }
  }

  #see(value: Value, by: 1 | -1): void {
    add(this.#needed, value, by);
    add(this.#wanted, value, by);
  }
}

function add(counts: Map<Value, number>, value: Value, by: number): void {
  counts.set(value, (counts.get(value) ?? 0) + by);
}
