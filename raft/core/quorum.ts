/** Majorities: of one set of voters, and of both while a configuration is joint (Raft §6). */
import type { Configuration } from './configuration.js';

export type Verdict = 'won' | 'lost' | 'pending';

/** The highest value that a majority of both sets has reached. Infinity with no voters at all: nobody objects. */
export function agreedValue(
  { voters, outgoing }: Pick<Configuration, 'voters' | 'outgoing'>,
  valueOf: (id: bigint) => number,
): number {
  return Math.min(majorityValue(voters, valueOf), majorityValue(outgoing, valueOf));
}

/** The outcome of a vote, of which `votes` has come in so far. */
export function tally(
  { voters, outgoing }: Pick<Configuration, 'voters' | 'outgoing'>,
  votes: ReadonlyMap<bigint, boolean>,
): Verdict {
  const verdicts = [majorityVerdict(voters, votes), majorityVerdict(outgoing, votes)];
  if (verdicts.includes('lost')) return 'lost';
  return verdicts.includes('pending') ? 'pending' : 'won';
}

export function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}

function majorityValue(ids: readonly bigint[], valueOf: (id: bigint) => number): number {
  if (ids.length === 0) return Infinity;
  if (ids.length === 1 && ids[0] !== undefined) return valueOf(ids[0]);
  const descending = ids.map(valueOf).sort((a, b) => b - a);
  return descending[majority(ids.length) - 1] ?? 0;
}

function majorityVerdict(ids: readonly bigint[], votes: ReadonlyMap<bigint, boolean>): Verdict {
  if (ids.length === 0) return 'won';
  const needed = majority(ids.length);
  const granted = ids.filter((id) => votes.get(id) === true).length;
  const open = ids.filter((id) => !votes.has(id)).length;
  if (granted >= needed) return 'won';
  return granted + open >= needed ? 'pending' : 'lost';
}
