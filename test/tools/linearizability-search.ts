import type { Operation, Value } from './linearizability.js';
import { Demand } from './linearizability-demand.js';

export interface SearchResult {
  readonly linearizable: boolean;
  /** An order that explains the history, or the longest beginning of one that was found. */
  readonly order: readonly Operation[];
}

/** An operation that was put into the order, and what to return to when that leads nowhere. */
interface Step {
  readonly position: number;
  readonly stateBefore: Value;
  /** Those that could have stood here; `tried` of them have. */
  readonly candidates: readonly number[];
  tried: number;
}

/**
 * Looks for an order of one key's operations in which each does what it answered. Depth first; a set of operations
 * that led to a state once is not tried again with that state, whatever their order was.
 */
export function search(operations: readonly Operation[]): SearchResult {
  return new Search(operations).run();
}

class Search {
  /** In the order of calls; those without an end come last, since they may stay out of the order. */
  readonly #operations: readonly Operation[];
  readonly #endedCount: number;
  /** By position in `#operations`. */
  readonly #placed: boolean[];
  /** All that ended and come before it are placed. */
  #frontier = 0;
  readonly #placedBeyond = new Set<number>();
  #state: Value = undefined;
  readonly #demand: Demand;
  readonly #steps: Step[] = [];
  readonly #tried = new Set<string>();
  #longest: readonly Operation[] = [];

  constructor(operations: readonly Operation[]) {
    const sorted = operations.toSorted((a, b) => a.invokedAt - b.invokedAt);
    const ended = sorted.filter(({ returnedAt }) => returnedAt !== undefined);
    this.#endedCount = ended.length;
    this.#operations = [...ended, ...sorted.filter(({ returnedAt }) => returnedAt === undefined)];
    this.#placed = sorted.map(() => false);
    this.#demand = new Demand(operations);
  }

  run(): SearchResult {
    let candidates = this.#candidates();
    let tried = 0;
    while (this.#frontier < this.#endedCount) {
      if (this.#advance(candidates, tried)) {
        candidates = this.#candidates();
        tried = 0;
        continue;
      }
      if (this.#steps.length > this.#longest.length) this.#longest = this.#order();
      const step = this.#steps.pop();
      if (step === undefined) return { linearizable: false, order: this.#longest };
      this.#takeBack(step);
      candidates = step.candidates;
      tried = step.tried;
    }
    return { linearizable: true, order: this.#order() };
  }

  /** Places the first of the candidates left that fits and leads to something new. */
  #advance(candidates: readonly number[], from: number): boolean {
    for (let tried = from; tried < candidates.length; tried += 1) {
      const position = candidates[tried] ?? 0;
      const after = stateAfter(this.#operation(position), this.#state);
      if (after === IMPOSSIBLE) continue;
      const step: Step = { position, stateBefore: this.#state, candidates, tried: tried + 1 };
      this.#place(position, after);
      const lost = after !== step.stateBefore && this.#demand.isLost(step.stateBefore);
      if (!lost && this.#isNew()) {
        this.#steps.push(step);
        return true;
      }
      this.#takeBack(step);
    }
    return false;
  }

  /** What may come next; one of them alone where nothing is lost by it. */
  #candidates(): readonly number[] {
    const candidates = this.#callable();
    const safe = candidates.find((position) => this.#isSafe(position));
    return safe === undefined ? candidates : [safe];
  }

  /**
   * True if any order that goes on from here still does with this operation moved to its front: one that only
   * looks, or one that writes what nobody sees over what nobody sees any more.
   */
  #isSafe(position: number): boolean {
    const operation = this.#operation(position);
    if (operation.returnedAt === undefined) return false;
    if (operation.kind === 'write') {
      return this.#demand.isIdle(operation.value) && this.#demand.isIdle(this.#state);
    }
    return stateAfter(operation, this.#state) === this.#state;
  }

  /** What was called before the first return among what is not placed, the first to return first. */
  #callable(): number[] {
    const ended: number[] = [];
    let firstReturn = Infinity;
    for (let position = this.#frontier; position < this.#endedCount; position += 1) {
      const { invokedAt, returnedAt = Infinity } = this.#operation(position);
      if (invokedAt > firstReturn) break;
      if (this.#placed[position] === true) continue;
      ended.push(position);
      firstReturn = Math.min(firstReturn, returnedAt);
    }
    const isCallable = (position: number) => this.#operation(position).invokedAt <= firstReturn;
    const callable = ended.filter(isCallable).sort((a, b) => this.#end(a) - this.#end(b));
    for (let position = this.#endedCount; position < this.#operations.length; position += 1) {
      if (!isCallable(position)) break;
      if (this.#placed[position] !== true) callable.push(position);
    }
    return callable;
  }

  #operation(position: number): Operation {
    const operation = this.#operations[position];
    if (operation === undefined) throw new RangeError(`there is no operation ${position}`);
    return operation;
  }

  #end(position: number): number {
    return this.#operation(position).returnedAt ?? Infinity;
  }

  #place(position: number, state: Value): void {
    this.#placed[position] = true;
    this.#placedBeyond.add(position);
    while (this.#frontier < this.#endedCount && this.#placed[this.#frontier] === true) {
      this.#placedBeyond.delete(this.#frontier);
      this.#frontier += 1;
    }
    this.#state = state;
    this.#demand.placed(this.#operation(position));
  }

  #takeBack({ position, stateBefore }: Step): void {
    for (; this.#frontier > position; this.#frontier -= 1) this.#placedBeyond.add(this.#frontier - 1);
    this.#placedBeyond.delete(position);
    this.#placed[position] = false;
    this.#state = stateBefore;
    this.#demand.takenBack(this.#operation(position));
  }

  /** Remembers the configuration: what is placed, and the state it led to. */
  #isNew(): boolean {
    const beyond = [...this.#placedBeyond].sort((a, b) => a - b).join();
    const configuration = `${this.#frontier};${beyond};${this.#state === undefined ? '' : `=${this.#state}`}`;
    if (this.#tried.has(configuration)) return false;
    this.#tried.add(configuration);
    return true;
  }

  #order(): Operation[] {
    return this.#steps.map(({ position }) => this.#operation(position));
  }
}

const IMPOSSIBLE = Symbol('impossible');

/** What the key holds after an operation that answered as it did; IMPOSSIBLE if it could not have here. */
function stateAfter(operation: Operation, state: Value): Value | typeof IMPOSSIBLE {
  if (operation.kind === 'read') return operation.result === state ? state : IMPOSSIBLE;
  if (operation.kind === 'write') return operation.value;
  const { expected, value, result } = operation;
  const succeeds = state === expected;
  if (result === undefined || result.succeeded) return succeeds ? value : IMPOSSIBLE;
  if (succeeds) return IMPOSSIBLE;
  return result.found === undefined || result.found.value === state ? state : IMPOSSIBLE;
}
