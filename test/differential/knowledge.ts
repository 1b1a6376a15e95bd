import type { Message } from '../tools/etcd-definitions.js';
import { FENCE_WATCH_ID, STREAMS } from './operations.js';

export interface KnownWatch {
  readonly id: string;
  readonly key: Buffer;
  readonly startRevision: number;
  /** Drops puts and deletes alike. */
  readonly isSilent: boolean;
}

export class KnownStream {
  readonly watches = new Map<string, KnownWatch>();
  /** Watches that may still be reading history. */
  readonly unsettled = new Set<KnownWatch>();
  /** Ids of watches that were canceled for compaction. */
  readonly spent = new Set<string>();
  /** A progress request that was not compared yet. */
  progressAsked = false;

  /** A watch that starts later than now: a store need not answer progress requests beside it. */
  waitsForFuture(revision: number): boolean {
    return [...this.watches.values()].some((watch) => watch.startRevision > revision);
  }
}

/** What the reference's answers have told so far: what operations are made from. */
export class Knowledge {
  revision = 1;
  compacted = 0;
  /** Rows may still be there that the last compaction takes away. */
  isCompacting = false;
  readonly leases = new Set<string>();
  readonly streams = Array.from({ length: STREAMS }, () => new KnownStream());

  /** @param answer of the reference */
  learn(method: string, request: Message, answer: Message): void {
    const header = answer['header'] as Message | null;
    this.revision = Math.max(this.revision, Number(header?.['revision'] ?? 0));
    if (method === 'Compact') {
      this.compacted = Number(request['revision']);
      this.isCompacting = request['physical'] !== true;
    }
    if (method === 'LeaseGrant') this.leases.add(String(answer['id']));
    if (method === 'LeaseRevoke') this.leases.delete(String(request['id']));
  }

  stream(index: number): KnownStream {
    const stream = this.streams[index];
    if (stream === undefined) throw new RangeError(`there is no stream ${index}`);
    return stream;
  }

  watched(stream: number, id: string, request: Message): KnownWatch {
    const filters = (request['filters'] ?? []) as readonly number[];
    const key = request['key'] as Buffer;
    const watch = {
      id,
      key: key.length === 0 ? Buffer.of(0) : key,
      startRevision: Number(request['startRevision'] ?? 0),
      isSilent: filters.includes(0) && filters.includes(1),
    };
    const known = this.stream(stream);
    known.watches.set(id, watch);
    if (id !== FENCE_WATCH_ID) known.unsettled.add(watch);
    return watch;
  }

  forgetWatch(stream: number, id: string): void {
    const known = this.stream(stream);
    const watch = known.watches.get(id);
    known.watches.delete(id);
    if (watch !== undefined) known.unsettled.delete(watch);
  }

  reopened(stream: number): void {
    this.streams[stream] = new KnownStream();
  }
}
