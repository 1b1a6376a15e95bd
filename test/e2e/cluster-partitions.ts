/** What members answer while they are cut off from the majority, or have lost it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, ApiClient, messageOf } from '../tools/api-client.js';
import { type Cluster, ELECTION_TIMEOUT_MS } from '../tools/cluster.js';
import type { ClusterMember } from '../tools/cluster-member.js';
import { COLLECTION, type ConfigMap } from '../tools/cluster-load.js';

/** The store's own limit for a request, and what a busy machine adds to it. */
export const REQUEST_MS_MAX = 7000 + 5000;
/** Past any limit of the server. */
const PATIENCE_MS = 60_000;
const EVERY_MS = 100;
const WRITES_MAX = 5;
/** The partition lasts so long after the majority has gone on. */
const AFTER_MS = 3 * ELECTION_TIMEOUT_MS;

/** One request and what came of it. */
export interface Attempt {
  readonly what: string;
  /** On `performance.now()`. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Undefined where the connection ended without one. */
  readonly answer: Answer | undefined;
}

export class Asker {
  readonly #client = new ApiClient();

  read(member: ClusterMember, key: string): Promise<Attempt> {
    return this.#ask('read', { method: 'GET', url: `${member.url}${COLLECTION}/${key}` });
  }

  list(member: ClusterMember): Promise<Attempt> {
    return this.#ask('list', { method: 'GET', url: member.url + COLLECTION });
  }

  create(member: ClusterMember, key: string, value: string): Promise<Attempt> {
    const body = { metadata: { name: key }, data: { value } };
    return this.#ask('create', { method: 'POST', url: member.url + COLLECTION, body });
  }

  write(member: ClusterMember, key: string, value: string): Promise<Attempt> {
    const body = { metadata: { name: key }, data: { value } };
    return this.#ask('write', { method: 'PUT', url: `${member.url}${COLLECTION}/${key}`, body });
  }

  close(): void {
    this.#client.close();
  }

  async #ask(
    what: string,
    request: { readonly method: 'GET' | 'POST' | 'PUT'; readonly url: string; readonly body?: object },
  ): Promise<Attempt> {
    const startedAt = performance.now();
    const answer = await this.#client.send({ ...request, timeoutMs: PATIENCE_MS }).catch(() => undefined);
    return { what, startedAt, endedAt: performance.now(), answer };
  }
}

export const valueOf = ({ answer }: Attempt): string | undefined =>
  (answer?.body as ConfigMap | undefined)?.data?.value;

/** What a client is told where no majority answers in time. */
export const UNANSWERED = ['500 etcdserver: no leader', '504 etcdserver: request timed out'];

/** `504 etcdserver: request timed out`, or what else a client is told. */
export const toldOf = ({ answer }: Attempt): string =>
  answer === undefined ? 'no answer' : messageOf(answer);

export interface CutOffReport {
  /** Requests to the member that was cut off, from then on and until it was healed. */
  readonly attempts: readonly Attempt[];
  /** When the majority acknowledged the new value. */
  readonly newValueAt: number;
}

/**
 * Cuts the leader off, with reads and writes going to it all the time, while the majority changes `key`. Resolves when
 * every request is over; the partition is still there.
 */
export async function cutOffLeader(
  cluster: Cluster,
  asker: Asker,
  key: string,
  newValue: string,
): Promise<CutOffReport> {
  const leader = await cluster.untilLed();
  const other = cluster.members.find((member) => member !== leader);
  if (other === undefined) throw new Error('there is no follower');
  const attempts: Promise<Attempt>[] = [];
  cluster.network.isolate([leader.name], cluster.names);
  const over = new AbortController();
  const asking = (async () => {
    for (let number = 0; !over.signal.aborted; number++) {
      attempts.push(asker.read(leader, key), asker.write(leader, key, `cut-off-${number}`));
      attempts.push(asker.create(leader, `cut-off-${number}`, 'cut-off'));
      await sleep(EVERY_MS);
    }
  })();
  let changed = await asker.write(other, key, newValue);
  // A busy machine may need more than one request's time for an election.
  for (let tries = 1; changed.answer?.status !== 200; tries++) {
    if (tries === WRITES_MAX) throw new Error(`the majority answered ${toldOf(changed)}`);
    changed = await asker.write(other, key, newValue);
  }
  await sleep(AFTER_MS);
  over.abort();
  await asking;
  return { attempts: await Promise.all(attempts), newValueAt: changed.endedAt };
}
