import type { KeyValue, WatchEvent } from '../client/interface.js';
import type { Change } from '../mvcc/store.js';
import { OPTION_NO_DELETE, OPTION_NO_PUT, OPTION_PREV_KV } from './watcher.js';

/** The events of changes under a watcher's options. `previous` is asked only where prev_kv is. */
export function toEvents(
  changes: readonly Change[],
  options: number,
  previous: (change: Change) => KeyValue | undefined,
): WatchEvent[] {
  const events: WatchEvent[] = [];
  for (const change of changes) {
    if (isFiltered(change, options)) continue;
    const prevKv = (options & OPTION_PREV_KV) === 0 ? undefined : previous(change);
    events.push(toEvent(change, prevKv));
  }
  return events;
}

export function toEvent({ type, kv }: Change, prevKv: KeyValue | undefined): WatchEvent {
  return prevKv === undefined ? { type, kv } : { type, kv, prevKv };
}

export function isFiltered(change: Change, options: number): boolean {
  return (options & (change.type === 'put' ? OPTION_NO_PUT : OPTION_NO_DELETE)) !== 0;
}

/** What each key-value pair is taken to cost beside its bytes. */
const KEY_VALUE_OVERHEAD_BYTES = 64;

export function eventBytes(event: WatchEvent): number {
  return keyValueBytes(event.kv) + (event.prevKv === undefined ? 0 : keyValueBytes(event.prevKv));
}

function keyValueBytes(kv: KeyValue): number {
  return kv.key.length + kv.value.length + KEY_VALUE_OVERHEAD_BYTES;
}

/** Parts of at most `bytesMax`, or of a single event that is larger; at least one part. */
export function fragments(events: readonly WatchEvent[], bytesMax: number): WatchEvent[][] {
  const parts: WatchEvent[][] = [];
  let part: WatchEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = eventBytes(event);
    if (part.length > 0 && bytes + size > bytesMax) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(event);
    bytes += size;
  }
  parts.push(part);
  return parts;
}
