/** The only source of chance in a simulation: the sfc32 generator (Chris Doty-Humphrey's PractRand). */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    const mixed = splitMix(seed);
    [this.#a, this.#b, this.#c] = [mixed(), mixed(), mixed()];
    for (let i = 0; i < 12; i += 1) this.#next();
  }

  /** From 0 to below 1. */
  readonly real = (): number => this.#next() / 2 ** 32;

  /** Evenly from `low` to below `high`. */
  uniform(low: number, high: number): number {
    return low + this.real() * (high - low);
  }

  /** A whole number from `low` through `high`. */
  between(low: number, high: number): number {
    return low + Math.floor(this.real() * (high - low + 1));
  }

  /** Times between things that happen independently of one another, `mean` on average. */
  exponential(mean: number): number {
    return -Math.log(1 - this.real()) * mean;
  }

  chance(probability: number): boolean {
    return this.real() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.between(0, items.length - 1)];
    if (item === undefined) throw new RangeError('there is nothing to pick from');
    return item;
  }

  /** One of the keys, each as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let left = this.uniform(
      0,
      entries.reduce((sum, [, weight]) => sum + weight, 0),
    );
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    throw new RangeError('there is nothing to pick from');
  }

  shuffled<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i -= 1) {
      const j = this.between(0, i);
      [shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T];
    }
    return shuffled;
  }

  /** Another generator, so that one part of a simulation does not shift the chance of the others. */
  fork(): Random {
    return new Random(this.#next());
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}

/** Spreads a seed, so that neighbours have nothing in common (Steele, Lea and Flood's SplitMix, 32 bits). */
function splitMix(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}
