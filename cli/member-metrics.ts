/** The metrics of a member, and what is measured for them alone. */
import type { Transport } from '../raft/transport/transport.js';
import { NO_BYTES } from '../storage/bytes.js';
import { etcdServices } from '../storage/grpc/services.js';
import { GrpcCounters } from '../storage/metrics/grpc-counters.js';
import { Metrics } from '../storage/metrics/metrics.js';
import { probeRoundTrips } from '../storage/metrics/round-trips.js';
import type { Store } from '../storage/open.js';
import { QuestionKind, questionOf } from '../storage/server/questions.js';

/** How long an answer to nothing is waited for, in milliseconds. */
const PROBE_TIMEOUT_MS = 3000;

export interface MemberMetrics {
  readonly metrics: Metrics;
  /** What the gRPC server tells. */
  readonly grpc: GrpcCounters;
  close(): void;
}

/** `transport` undefined: there are no others. */
export function memberMetrics(
  store: Store,
  transport: Transport | undefined,
  { extensive }: { readonly extensive: boolean },
): MemberMetrics {
  const { consensus, counters, memberId } = store;
  const grpc = new GrpcCounters({ methods: etcdServices.flatMap((each) => Object.values(each)), extensive });
  const others = () =>
    consensus
      .configuration()
      .members.map(({ id }) => id)
      .filter((id) => id !== memberId);
  const metrics = new Metrics(() => ({
    counters,
    grpc,
    memberId,
    totals: store.totals(),
    status: store.status(),
    others: others(),
  }));
  if (transport === undefined) return { metrics, grpc, close: () => undefined };
  const question = questionOf(QuestionKind.nothing, NO_BYTES);
  const ask = (member: bigint) => transport.ask(member, question, { timeoutMs: PROBE_TIMEOUT_MS });
  return { metrics, grpc, close: probeRoundTrips({ counters, others, ask }) };
}
