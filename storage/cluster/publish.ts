/**
 * Tells the cluster who this member is: its name and where its clients reach it, which others know from the
 * configuration only. Until then it counts as one that has not started.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { memberOf } from '../../raft/core/configuration.js';
import type { Consensus } from '../../raft/node/consensus.js';

/** Milliseconds that one attempt waits for a leader and a majority. */
const ATTEMPT_MS = 7000;
const PAUSE_MS = 500;

export interface PublishOptions<R> {
  readonly consensus: Consensus<R>;
  readonly name: string;
  /** In order. */
  readonly clientUrls: readonly string[];
  readonly signal: AbortSignal;
  /** Milliseconds between two attempts. */
  readonly pauseMs?: number;
}

/** Resolves when the configuration says so, or when the signal has aborted. */
export async function publish<R>(options: PublishOptions<R>): Promise<void> {
  const { signal, pauseMs = PAUSE_MS } = options;
  while (!signal.aborted && !(await attempt(options))) {
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Whether the configuration says it now. */
async function attempt<R>({ consensus, name, clientUrls, signal }: PublishOptions<R>): Promise<boolean> {
  const { memberId } = consensus.status();
  const member = memberOf(consensus.configuration(), memberId);
  // One that has just joined does not know the configuration yet.
  if (member === undefined) return false;
  if (member.name === name && member.clientUrls.join() === clientUrls.join()) return true;
  const deadline = performance.now() + ATTEMPT_MS;
  const change = { type: 'update', id: memberId, name, clientUrls } as const;
  return (await consensus.changeConfiguration([change], { deadline, signal })).type === 'applied';
}
