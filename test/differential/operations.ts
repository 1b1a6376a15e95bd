/** What is done to both stores, one after the other. Numbers of 64 bits are texts, as in the definitions. */
import { createHash } from 'node:crypto';
import type { Message, MethodName } from '../tools/etcd-definitions.js';

export type Operation =
  /** One call, answered before the next operation. */
  | { readonly type: 'call'; readonly method: MethodName; readonly request: Message }
  /** A lease whose id the store chooses: granted, renewed, revoked. */
  | { readonly type: 'unnamed-lease'; readonly ttl: string }
  | { readonly type: 'watch'; readonly stream: number; readonly request: Message }
  | { readonly type: 'unwatch'; readonly stream: number; readonly watchId: string }
  | { readonly type: 'progress'; readonly stream: number }
  /** Ends a stream with all its watches and opens another in its place. */
  | { readonly type: 'reopen'; readonly stream: number }
  /** All watches are brought up to date and compared. */
  | { readonly type: 'sync' };

export const STREAMS = 3;

/** Every stream watches this key, so that it can be told how far it is. */
export const FENCE_KEY = Buffer.from('fence');
export const FENCE_WATCH_ID = '1000000';

const TEXT_LENGTH_MAX = 48;

/** For people, short; what differs looks different. */
export function show(value: unknown): string {
  if (Buffer.isBuffer(value)) return showBytes(value);
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${show(field)}`);
  return `{${fields.join(', ')}}`;
}

function showBytes(bytes: Buffer): string {
  if (bytes.length <= TEXT_LENGTH_MAX) return JSON.stringify(bytes.toString('latin1'));
  return `${bytes.length} bytes ${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}`;
}
