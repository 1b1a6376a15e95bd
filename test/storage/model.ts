import type {
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../../storage/client/interface.js';
import { brief, text } from './tools.js';

interface Version {
  readonly value: string;
  readonly create: number;
  readonly mod: number;
  readonly version: number;
}
type State = ReadonlyMap<string, Version>;

/** A put or delete as a watcher of everything sees it. */
export interface ModelEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly value: string;
  readonly revision: number;
  readonly previous: string | undefined;
}

/** etcd's semantics in the plainest way: a whole copy of the state for each revision. No leases. */
export class Model {
  readonly states: State[] = [new Map(), new Map()];
  readonly events: ModelEvent[] = [];
  compacted = -1;

  get revision(): number {
    return this.states.length - 1;
  }

  get #now(): State {
    return this.states.at(-1) ?? new Map();
  }

  put(request: PutRequest): string {
    return this.txn({ compare: [], success: [{ type: 'put', ...request }], failure: [] });
  }

  deleteRange(request: DeleteRangeRequest): string {
    return this.txn({ compare: [], success: [{ type: 'delete', ...request }], failure: [] });
  }

  /** What the responses should say, in a form that can be compared. */
  txn(request: TxnRequest): string {
    const before = this.#now;
    const state = new Map(before);
    const revision = this.revision + 1;
    let changed = false;
    const events: ModelEvent[] = [];
    const choose = ({ compare, success, failure }: TxnRequest): [boolean, readonly RequestOp[]] => {
      const succeeded = compare.every((each) => compares(before, each));
      return [succeeded, succeeded ? success : failure];
    };
    const run = (txn: TxnRequest): string => {
      const [succeeded, ops] = choose(txn);
      return `${succeeded}(${ops.map(step).join(' ')})`;
    };
    const emit = (type: 'put' | 'delete', key: string, value: string) => {
      // A put that creates the key has no previous version, also if the same transaction deleted one.
      const creates = type === 'put' && state.get(key)?.create === revision;
      events.push({ type, key, value, revision, previous: creates ? undefined : before.get(key)?.value });
      changed = true;
    };
    const step = (op: RequestOp): string => {
      if (op.type === 'txn') return run(op);
      if (op.type === 'range') return this.#range(state, op);
      if (op.type === 'put') {
        const key = text(op.key);
        const old = state.get(key);
        const value = text(op.value);
        state.set(key, {
          value,
          create: old?.create ?? revision,
          mod: revision,
          version: (old?.version ?? 0) + 1,
        });
        emit('put', key, value);
        return 'put';
      }
      if (op.type !== 'delete') throw new Error('empty');
      const keys = keysIn(state, op);
      for (const key of keys) {
        state.delete(key);
        emit('delete', key, '');
      }
      return `deleted ${keys.length}`;
    };
    const result = run(request);
    if (changed) {
      this.states.push(state);
      this.events.push(...events);
    }
    return `${this.revision} ${result}`;
  }

  range(request: RangeRequest): string {
    return this.#range(this.#now, request);
  }

  compact(revision: number): string {
    if (revision <= this.compacted) return 'compacted';
    if (revision > this.revision) return 'future';
    this.compacted = revision;
    return 'ok';
  }

  #range(now: State, request: RangeRequest): string {
    const { revision = 0, limit = 0, minModRevision = 0, maxModRevision = 0, sortOrder, keysOnly } = request;
    if (revision > this.revision) return 'future';
    if (revision > 0 && revision < this.compacted) return 'compacted';
    const state = revision > 0 ? (this.states[revision] ?? now) : now;
    const all = keysIn(state, request);
    let kept = all.filter((key) => {
      const { mod = 0 } = state.get(key) ?? {};
      return mod >= minModRevision && (maxModRevision === 0 || mod <= maxModRevision);
    });
    if (sortOrder === 'descend') kept.reverse();
    const more = limit > 0 && kept.length > limit;
    if (more) kept = kept.slice(0, limit);
    if (request.countOnly === true) return `0/${all.length} `;
    const kvs = kept.map((key) => {
      const { value, create, mod, version } = state.get(key) as Version;
      return `${key}=${keysOnly === true ? '' : value} c${create} m${mod} v${version}`;
    });
    return `${kept.length}/${all.length}${more ? '+' : ''} ${kvs.join(',')}`;
  }
}

/** A range response in the model's form. */
export function rangeText(response: {
  kvs: readonly Parameters<typeof brief>[0][];
  count: number;
  more: boolean;
}): string {
  const { kvs, count, more } = response;
  return `${kvs.length}/${count}${more ? '+' : ''} ${kvs.map(brief).join(',')}`;
}

function keysIn(state: State, { key, rangeEnd }: { key: Uint8Array; rangeEnd?: Uint8Array }): string[] {
  const start = text(key);
  const end = rangeEnd === undefined || rangeEnd.length === 0 ? undefined : text(rangeEnd);
  const isIn = (each: string) =>
    end === undefined ? each === start : each >= start && (end === '\0' || each < end);
  return [...state.keys()].filter(isIn).sort();
}

function compares(state: State, compare: Compare): boolean {
  const versions = keysIn(state, compare).map((key) => state.get(key));
  if (versions.length === 0) {
    if (compare.target === 'value') return false;
    versions.push(undefined);
  }
  return versions.every((version) => {
    const [actual, wanted] = sides(version, compare);
    if (compare.result === 'equal') return actual === wanted;
    if (compare.result === 'not-equal') return actual !== wanted;
    return compare.result === 'greater' ? actual > wanted : actual < wanted;
  });
}

function sides(version: Version | undefined, compare: Compare): [number | string, number | string] {
  switch (compare.target) {
    case 'version':
      return [version?.version ?? 0, compare.version];
    case 'create':
      return [version?.create ?? 0, compare.createRevision];
    case 'mod':
      return [version?.mod ?? 0, compare.modRevision];
    case 'value':
      return [version?.value ?? '', text(compare.value)];
    default:
      return [0, Number(compare.lease)];
  }
}
