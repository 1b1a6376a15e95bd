/**
 * What of an answer is compared: all of it, but for what no two stores have in common, and for what etcd 3.4, which is
 * what Debian has, does otherwise than the etcd that Wherry follows. Nothing else is left out anywhere.
 */
import type { Message } from '../tools/etcd-definitions.js';
import type { Outcome } from '../tools/etcd-wire.js';

/** Of every header: who answered, and in which term. The revision is compared. */
const HEADER_FIELDS_IGNORED = ['clusterId', 'memberId', 'raftTerm'];

/** Any share of a TTL that is so close to what was granted is the same: answers are given at different moments. */
const TTL_SHARE = 0.9;

export function normalise(method: string, outcome: Outcome): unknown {
  return 'answer' in outcome ? normaliseAnswer(method, outcome.answer) : outcome;
}

function normaliseAnswer(method: string, answer: Message): Message {
  const normal = withoutIds(answer) as Record<string, unknown>;
  // Leases are in no order that is promised; nor are the keys of one.
  if (method === 'LeaseLeases')
    normal['leases'] = sorted((normal['leases'] as Message[]).map(({ id }) => id as string));
  if (method === 'LeaseTimeToLive') {
    normal['keys'] = sorted((normal['keys'] as Buffer[]).map((key) => key.toString('latin1')));
    const [ttl, granted] = [Number(normal['ttl']), Number(normal['grantedTtl'])];
    if (ttl <= granted && ttl > granted * TTL_SHARE) normal['ttl'] = 'nearly all';
  }
  return normal;
}

function withoutIds(value: unknown): unknown {
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutIds);
  const entries = Object.entries(value).filter(([name]) => !HEADER_FIELDS_IGNORED.includes(name));
  return Object.fromEntries(entries.map(([name, field]) => [name, withoutIds(field)]));
}

function sorted(texts: readonly string[]): string[] {
  return [...texts].sort((a, b) => (a < b ? -1 : 1));
}
