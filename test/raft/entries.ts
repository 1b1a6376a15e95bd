import type { LogEntry } from '../../raft/log/log.js';

/** An entry whose payload follows from its index, so that any reader can tell whether it is the right one. */
export function entry(index: number, term = 1, payloadBytes = 20): LogEntry {
  return {
    format: 1,
    index,
    term,
    type: 'normal',
    requestId: { session: 0xfedc_ba98_7654_3210n, counter: index },
    payload: payloadOf(index, payloadBytes),
  };
}

/** Entries `from` … `through`. */
export function entries(from: number, through: number, term = 1): LogEntry[] {
  return Array.from({ length: Math.max(0, through - from + 1) }, (_, i) => entry(from + i, term));
}

export function payloadOf(index: number, bytes = 20): Buffer {
  return Buffer.alloc(bytes, `payload ${index};`);
}

/** Plain values, for comparing entries whose payloads are of different array types. */
export function plain(list: readonly LogEntry[]) {
  return list.map((item) => ({ ...item, payload: Buffer.from(item.payload).toString('latin1') }));
}
