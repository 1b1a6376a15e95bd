/**
 * Numbers of which each has at most one owner, as one key each in the store: taken by a put that demands the key's
 * absence, in the owner's own transaction. There is nothing to rebuild, repair or keep in step: what is taken is what
 * the store says.
 */
import { randomInt } from 'node:crypto';
import type { Compare, EtcdClient, RequestOp } from '../../storage/client/interface.js';

export interface PoolRange {
  readonly first: number;
  /** Included. */
  readonly last: number;
  /**
   * How many at the beginning are given out only when all others are taken: whoever asks for a number of their own
   * picks a low one.
   */
  readonly reserved: number;
}

/** How a number becomes a key: `prefix` + `nameOf(number)`. */
export interface PoolKeys {
  readonly prefix: string;
  nameOf(number: number): string;
  numberOf(name: string): number | undefined;
}

/** The first key after all that begin with `prefix`, whose last byte is below 0xff. */
function endOfPrefix(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}

export const isWithin = ({ first, last }: PoolRange, number: number): boolean =>
  number >= first && number <= last;

export class Pool {
  constructor(
    private readonly client: EtcdClient,
    private readonly keys: PoolKeys,
  ) {}

  async isTaken(number: number): Promise<boolean> {
    const { count } = await this.client.range({ key: this.key(number), countOnly: true });
    return count > 0;
  }

  /**
   * A free number that is not in `except`, or undefined when there is none. Looks through one range after the other, in
   * each from a random number upwards.
   */
  async pick(ranges: readonly PoolRange[], except: ReadonlySet<number>): Promise<number | undefined> {
    const taken = await this.taken();
    const free = (number: number) => !taken.has(number) && !except.has(number);
    for (const { first, last, reserved } of ranges) {
      const found = search(first + reserved, last, free) ?? search(first, first + reserved - 1, free);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private async taken(): Promise<Set<number>> {
    const { prefix } = this.keys;
    const request = { key: Buffer.from(prefix), rangeEnd: endOfPrefix(prefix), keysOnly: true };
    const { kvs } = await this.client.range(request);
    const numbers = kvs.map(({ key }) =>
      this.keys.numberOf(Buffer.from(key).toString('latin1').slice(prefix.length)),
    );
    return new Set(numbers.filter((number) => number !== undefined));
  }

  /** Holds when nobody has the number. */
  absent(number: number): Compare {
    return { key: this.key(number), target: 'version', result: 'equal', version: 0 };
  }

  take(number: number, value: string): RequestOp {
    return { type: 'put', key: this.key(number), value: Buffer.from(value) };
  }

  giveBack(number: number): RequestOp {
    return { type: 'delete', key: this.key(number) };
  }

  private key(number: number): Buffer {
    return Buffer.from(this.keys.prefix + this.keys.nameOf(number));
  }
}

/** The first number that is free, from a random one of [first, last] on and around. */
function search(first: number, last: number, free: (number: number) => boolean): number | undefined {
  const size = last - first + 1;
  if (size <= 0) return undefined;
  const start = randomInt(size);
  for (let i = 0; i < size; i++) {
    const number = first + ((start + i) % size);
    if (free(number)) return number;
  }
  return undefined;
}
