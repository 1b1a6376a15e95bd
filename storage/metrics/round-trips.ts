/** Measures how far the other members are away, which no message of theirs tells. */
import type { Counters } from './counters.js';

/** As often as etcd does, in milliseconds. */
const PROBE_INTERVAL_MS = 5000;

export interface RoundTripOptions {
  readonly counters: Pick<Counters, 'roundTrip'>;
  readonly others: () => readonly bigint[];
  /** Asks that member something small. Rejects when it does not answer. */
  readonly ask: (member: bigint) => Promise<unknown>;
}

/** Begins at once. Returns a function that ends it. */
export function probeRoundTrips({ counters, others, ask }: RoundTripOptions): () => void {
  const probe = async (member: bigint) => {
    const begun = performance.now();
    await ask(member);
    counters.roundTrip(member, (performance.now() - begun) / 1000);
  };
  const probeAll = () => {
    // Who does not answer is counted elsewhere.
    for (const member of others()) probe(member).catch(() => undefined);
  };
  const timer = setInterval(probeAll, PROBE_INTERVAL_MS).unref();
  probeAll();
  return () => clearInterval(timer);
}
