import type { Random } from '../simulation/random.js';
import type { Message, MethodName } from '../tools/etcd-definitions.js';
import type { Knowledge } from './knowledge.js';
import { type Operation, STREAMS } from './operations.js';

/**
 * Few, so that operations meet; neighbours of each other, prefixes of each other, and bytes beyond ASCII. With the
 * fence's no more than 12: more of them etcd's sort leaves in any order where they are equal by what is sorted.
 */
const KEYS = ['a', 'a\0', 'a/', 'a/1', 'a/2', 'a0', 'b', '\0', '\x80', '\xff', '\xff\xff'];
const VALUES = ['', '0', '1', '2', 'value', '\0\xff'];
const LEASES = ['7', '8', '9', '1000', '-3', '9223372036854775807'];
/** Seconds: far longer than a run, so that nothing ends by itself. */
const TTLS = ['1000000', '2000000', '9000000000'];
const TTL_TOO_LARGE = '9000000001';
/** A number that no enumeration has. */
const NO_SUCH_NUMBER = 9;
const BYTES = 2 ** 20;
/** Transactions within transactions. */
const DEPTH_MAX = 3;
/** etcd's limit of operations of a transaction. */
const OPS_MAX = 128;

/** How often each is done. */
const WEIGHTS = {
  range: 30,
  put: 30,
  delete: 8,
  txn: 20,
  compact: 0.5,
  lease: 8,
  hash: 1,
  big: 0.2,
  watch: 1.5,
  unwatch: 0.6,
  progress: 1,
  reopen: 0.15,
  sync: 0.5,
};

const call = (method: MethodName, request: Message): Operation => ({ type: 'call', method, request });

/**
 * Chooses what to do next; the same seed and the same answers give the same operations.
 *
 * What it never sends, because of etcd 3.4 there is nothing to learn from it, or nothing that Wherry would follow:
 * - sort orders and targets that there are not: etcd 3.4 panics, later ones and Wherry refuse them;
 * - compares with results or targets that there are not: etcd takes an unknown result for true, also where the
 *   transaction then does what its client meant to guard; Wherry refuses the message;
 * - a range_end that is there but empty, which no protobuf library of its own accord sends: etcd takes it for \0 there,
 *   and for none in a watch; in Wherry it is none;
 * - a put that keeps value or lease in a transaction with deletes, which may take its key: etcd panics then;
 * - HashKV at the compacted revision: an error in 3.4, an answer from 3.5 on;
 * - HashKV while a compaction is under way: where no key is left, etcd counts the rows that are still there;
 * - a watch of the past that is told nothing: when etcd has read its history, and may compact it, cannot be seen;
 * - the id of a watch that was canceled because it began below the compacted revision: etcd holds it to be in use.
 */
export class Generator {
  readonly #random: Random;
  readonly #known: Knowledge;

  constructor(random: Random, known: Knowledge) {
    this.#random = random;
    this.#known = known;
  }

  next(): Operation {
    const random = this.#random;
    const stream = random.between(0, STREAMS - 1);
    const makers = {
      range: () => call('Range', this.#range()),
      put: () => call('Put', this.#put()),
      delete: () => call('DeleteRange', this.#delete()),
      txn: () => call('Txn', this.#txn()),
      compact: () => call('Compact', this.#compact()),
      lease: () => this.#lease(),
      hash: () =>
        this.#known.isCompacting ? { type: 'sync' } : call('HashKV', { revision: this.#hashRevision() }),
      big: () => call('Put', this.#bigPut()),
      watch: () => ({ type: 'watch', stream, request: this.#watch(stream) }),
      unwatch: () => ({ type: 'unwatch', stream, watchId: this.#watchId(stream) }),
      progress: () => ({ type: 'progress', stream }),
      reopen: () => ({ type: 'reopen', stream }),
      sync: () => ({ type: 'sync' }),
    } as const satisfies Record<string, () => Operation>;
    return makers[random.weighted(WEIGHTS)]();
  }

  #key(): Buffer {
    if (this.#random.chance(0.01)) return Buffer.alloc(0);
    return this.#someKey();
  }

  #someKey(): Buffer {
    return Buffer.from(this.#random.pick(KEYS), 'latin1');
  }

  /** An absent end, a key's own prefix, everything from the key on, another key (also a smaller one). */
  #span(): Message {
    const random = this.#random;
    const key = this.#key();
    const ends = {
      one: () => ({}),
      prefix: () => ({ rangeEnd: Buffer.concat([key.subarray(0, -1), Buffer.of((key.at(-1) ?? 0) + 1)]) }),
      from: () => ({ rangeEnd: Buffer.of(0) }),
      other: () => ({ rangeEnd: this.#someKey() }),
      all: () => ({ key: Buffer.of(0), rangeEnd: Buffer.of(0) }),
      empty: () => (key.length === 0 ? {} : { rangeEnd: key }),
    };
    const kind = random.weighted({ one: 5, prefix: 2, from: 1, other: 2, all: 1, empty: 0.3 });
    return { key, ...ends[kind]() };
  }

  /** Mostly one that can be read; also compacted ones, future ones, and what is none. */
  #revision(): string {
    const { revision, compacted } = this.#known;
    const random = this.#random;
    const edges = [compacted, compacted + 1, revision, revision + 1].filter((edge) => edge > 0);
    const revisions = {
      present: () => 0,
      past: () => random.between(Math.max(compacted, 1), revision),
      compacted: () => random.between(1, Math.max(compacted, 1)),
      edge: () => random.pick(edges),
      future: () => revision + random.between(2, 1000),
      negative: () => -1,
    };
    const kind = random.weighted({ present: 4, past: 4, compacted: 1, edge: 1, future: 0.5, negative: 0.2 });
    return String(revisions[kind]());
  }

  #hashRevision(): string {
    const revision = this.#revision();
    return Number(revision) === this.#known.compacted ? '0' : revision;
  }

  #bound(): string {
    const { revision } = this.#known;
    return String(this.#random.pick([0, 0, 0, 1, revision, this.#random.between(1, revision), -1]));
  }

  #range(): Message {
    const random = this.#random;
    const request: Record<string, unknown> = this.#span();
    if (random.chance(0.4)) request['limit'] = String(random.pick([0, 1, 2, 3, 5, 1000, -1]));
    if (random.chance(0.4)) request['revision'] = this.#revision();
    if (random.chance(0.4)) request['sortOrder'] = random.between(0, 2);
    if (random.chance(0.4)) request['sortTarget'] = random.between(0, 4);
    if (random.chance(0.2)) request['serializable'] = true;
    if (random.chance(0.2)) request['keysOnly'] = true;
    if (random.chance(0.15)) request['countOnly'] = true;
    for (const bound of ['minModRevision', 'maxModRevision', 'minCreateRevision', 'maxCreateRevision']) {
      if (random.chance(0.1)) request[bound] = this.#bound();
    }
    return request;
  }

  #leaseId(): string {
    const known = [...this.#known.leases];
    return known.length > 0 && this.#random.chance(0.8)
      ? this.#random.pick(known)
      : this.#random.pick(LEASES);
  }

  #value(): Buffer {
    return Buffer.from(this.#random.pick(VALUES), 'latin1');
  }

  #put(mayIgnore = true): Message {
    const random = this.#random;
    const request: Record<string, unknown> = { key: this.#key() };
    if (random.chance(0.95)) request['value'] = this.#value();
    if (random.chance(0.2)) request['lease'] = this.#leaseId();
    if (random.chance(0.3)) request['prevKv'] = true;
    if (mayIgnore && random.chance(0.05)) {
      request['ignoreValue'] = true;
      if (random.chance(0.7)) delete request['value'];
    }
    if (mayIgnore && random.chance(0.05)) {
      request['ignoreLease'] = true;
      if (random.chance(0.7)) delete request['lease'];
    }
    return request;
  }

  #delete(): Message {
    return { ...this.#span(), ...(this.#random.chance(0.5) && { prevKv: true }) };
  }

  #compare(): Message {
    const random = this.#random;
    const { revision } = this.#known;
    const target = random.between(0, 4);
    const number = String(random.pick([0, 1, 2, random.between(1, revision), revision]));
    const operands = [
      { version: number },
      { createRevision: number },
      { modRevision: number },
      { value: this.#value() },
      { lease: this.#leaseId() },
    ];
    // Rarely of another target, or absent.
    const operand = random.chance(0.03) ? random.pick([...operands, {}]) : operands[target];
    const span = random.chance(0.25) ? this.#span() : { key: this.#key() };
    return { result: random.between(0, 3), target, ...span, ...operand };
  }

  #txn(depth = 0, deletes = this.#random.chance(0.7)): Message {
    const random = this.#random;
    if (depth === 0 && random.chance(0.02)) return this.#longTxn();
    const ops = () =>
      Array.from({ length: random.pick([0, 1, 1, 2, 2, 3, 4]) }, () => this.#requestOp(depth, deletes));
    return {
      compare: Array.from({ length: random.pick([0, 0, 1, 1, 2, 3]) }, () => this.#compare()),
      success: ops(),
      failure: ops(),
    };
  }

  #requestOp(depth: number, deletes: boolean): Message {
    const makers = {
      range: () => ({ range: this.#range() }),
      put: () => ({ put: this.#put(!deletes) }),
      delete: () => ({ delete: this.#delete() }),
      txn: () => ({ txn: this.#txn(depth + 1, deletes) }),
      empty: () => ({}),
    };
    const txn = depth < DEPTH_MAX ? 1 : 0;
    return makers[this.#random.weighted({ range: 4, put: 4, delete: deletes ? 2 : 0, txn, empty: 0.03 })]();
  }

  /** At and beyond the limit of operations. */
  #longTxn(): Message {
    const random = this.#random;
    const length = random.pick([OPS_MAX - 1, OPS_MAX, OPS_MAX + 1]);
    const op = random.pick<() => Message>([
      () => ({ range: { key: this.#someKey() } }),
      () => ({ delete: { key: this.#someKey() } }),
    ]);
    const ops = Array.from({ length }, op);
    return random.pick<Message>([
      { success: ops },
      { failure: ops },
      { success: [{ txn: { success: ops } }] },
      { compare: ops.map(() => this.#compare()) },
    ]);
  }

  #compact(): Message {
    const physical = this.#random.chance(0.5);
    return { revision: this.#revision(), ...(physical && { physical }) };
  }

  #lease(): Operation {
    const random = this.#random;
    const id = this.#leaseId();
    const ttl = random.chance(0.05) ? TTL_TOO_LARGE : random.pick(TTLS);
    const makers = {
      grant: () => call('LeaseGrant', { id: random.pick(LEASES), ttl }),
      revoke: () => call('LeaseRevoke', { id }),
      keepAlive: () => call('LeaseKeepAlive', { id }),
      timeToLive: () => call('LeaseTimeToLive', { id, ...(random.chance(0.5) && { keys: true }) }),
      list: () => call('LeaseLeases', {}),
      unnamed: () => ({ type: 'unnamed-lease', ttl: random.pick(['1', '0', '-1', '10', ...TTLS]) }),
    } as const satisfies Record<string, () => Operation>;
    const kind = random.weighted({ grant: 4, revoke: 1, keepAlive: 2, timeToLive: 3, list: 1, unnamed: 0.5 });
    return makers[kind]();
  }

  /** Near what one request may be, and beyond it, and beyond what one message may be. */
  #bigPut(): Message {
    const size = this.#random.pick([0.4, 0.9, 1.4, 1.6, 1.9, 2.5]) * BYTES;
    return { key: this.#key(), value: Buffer.alloc(size, 'big') };
  }

  #watch(stream: number): Message {
    const random = this.#random;
    const request: Record<string, unknown> = this.#span();
    const startRevision = random.chance(0.5) ? this.#startRevision() : undefined;
    if (startRevision !== undefined) request['startRevision'] = startRevision;
    if (random.chance(0.3)) request['prevKv'] = true;
    if (random.chance(0.3)) {
      const filters = random.pick([[0], [1], [0, 1], [1, 1], [NO_SUCH_NUMBER]]);
      request['filters'] = filters;
      if (filters.length === 2 && filters[0] !== filters[1]) delete request['startRevision'];
    }
    const watchId = String(random.between(0, 12));
    const isCompacted = Number(request['startRevision'] ?? Infinity) < this.#known.compacted;
    const isSpent = this.#known.stream(stream).spent.has(watchId);
    if (random.chance(0.3) && !isCompacted && !isSpent) request['watchId'] = watchId;
    if (random.chance(0.2)) request['fragment'] = true;
    if (random.chance(0.2)) request['progressNotify'] = true;
    return request;
  }

  /** None that is compacted while a store may still be reading it. */
  #startRevision(): string {
    const { revision, compacted } = this.#known;
    const random = this.#random;
    const past = random.between(Math.max(compacted, 1), revision);
    return String(
      random.pick([
        past,
        past,
        past,
        Math.max(compacted - 1, 0),
        revision + 1,
        revision + random.between(2, 50),
      ]),
    );
  }

  #watchId(stream: number): string {
    const ids = [...this.#known.stream(stream).watches.keys()];
    return ids.length > 0 && this.#random.chance(0.9) ? this.#random.pick(ids) : '777';
  }
}
