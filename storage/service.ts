import { randomBytes } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { Consensus } from '../raft/node/consensus.js';
import { EmbeddedClient } from './client/embedded.js';
import type { EtcdClient, ResponseHeader, StatusResponse } from './client/interface.js';
import type { Clock } from './clock.js';
import { EtcdError } from './errors.js';
import { Lessor } from './lease/lessor.js';
import type { Compactor } from './mvcc/compactor.js';
import type { SqliteHistory } from './mvcc/history.js';
import type { CommandResult, MvccMachine } from './mvcc/machine.js';
import { KvServer } from './server/kv.js';
import { LeaseServer } from './server/leases.js';
import { Proposer } from './server/proposer.js';
import { ETCD_VERSION } from './version.js';
import { WatchHub } from './watch/hub.js';

export interface ServiceOptions {
  readonly clock: Clock;
  /** Bytes of one request's command. */
  readonly requestBytesMax?: number | undefined;
  readonly txnOpsMax?: number | undefined;
  readonly watchProgressIntervalMs?: number | undefined;
  /** Bytes above which a response is split for a watch that allows it. */
  readonly watchFragmentBytesMax?: number | undefined;
}

export interface ServiceParts {
  readonly db: Database.Database;
  readonly machine: MvccMachine;
  readonly history: SqliteHistory;
  readonly compactor: Compactor;
  /** Started: everything in its log is applied. */
  readonly consensus: Consensus<CommandResult>;
  /** Ends what this service stands on. */
  readonly closeParts: () => Promise<void>;
}

export interface Service {
  readonly client: EtcdClient;
  /** @throws EtcdError: Stopped */
  status(): StatusResponse;
  /** Ends watches, finishes what was accepted, closes the files. */
  close(): Promise<void>;
}

/** etcd's services over a replicated store: what the state machine tells goes to watchers and leases. */
export function startService(parts: ServiceParts, options: ServiceOptions): Service {
  const { db, machine, history, compactor, consensus } = parts;
  const { store } = machine;
  const { clock } = options;
  const header = () => machine.header(consensus.status().term);
  const proposer = new Proposer(consensus, options.requestBytesMax);
  const hub = new WatchHub({
    store,
    header,
    history,
    clock,
    progressIntervalMs: options.watchProgressIntervalMs,
    fragmentBytesMax: options.watchFragmentBytesMax,
  });
  const lessor = new Lessor({ clock, expire: (id, term) => expire(proposer, id, term) }, store.leases.all());
  const isLeader = () => consensus.status().leaderId === machine.memberId;
  const followLeadership = () => {
    if (isLeader()) lessor.promote(consensus.status().term);
    else lessor.demote();
  };
  const unsubscribe = [
    consensus.onLeadershipChange(followLeadership),
    machine.onApplied((batch) => {
      for (const lease of batch.granted) lessor.granted(lease);
      for (const id of batch.revoked) lessor.revoked(id);
      if (batch.compacted) compactor.start();
      hub.publish(batch.changes);
    }),
  ];
  followLeadership();
  compactor.start();

  const status = () => {
    if (!db.open) throw EtcdError.of('Stopped');
    return statusOf(db, consensus, header());
  };
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= (async () => {
      for (const end of unsubscribe) end();
      lessor.close();
      hub.close();
      await parts.closeParts();
    })();
    return closed;
  };
  const removedThrough = (revision: number) => compactor.removedThrough(revision);
  const isOpen = () => db.open;
  const client = new EmbeddedClient({
    kv: new KvServer({ proposer, store, header, isOpen, removedThrough, txnOpsMax: options.txnOpsMax }),
    leases: new LeaseServer({ proposer, lessor, table: store.leases, header, isLeader, randomId }),
    hub,
    status,
    close,
  });
  return { client, status, close };
}

/**
 * An expiry that finds no lease, or another term, has nothing to do; any other failure is tried again later. It has no
 * deadline: as long as the revoke may still be applied, keep-alives must not promise that the lease lives on.
 */
async function expire(proposer: Proposer, id: bigint, term: number): Promise<void> {
  try {
    await proposer.propose({ type: 'lease-revoke', id, term }, { timeout: Infinity });
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
  }
}

/** 63 random bits, never 0. */
function randomId(): bigint {
  const id = randomBytes(8).readBigUInt64BE() >> 1n;
  return id === 0n ? 1n : id;
}

function statusOf(
  db: Database.Database,
  consensus: Consensus<CommandResult>,
  header: ResponseHeader,
): StatusResponse {
  const { leaderId, term, committed, applied } = consensus.status();
  const pragma = (name: string) => Number(db.pragma(name, { simple: true }));
  const pageBytes = pragma('page_size');
  const pages = pragma('page_count');
  return {
    header,
    version: ETCD_VERSION,
    dbSize: pages * pageBytes,
    dbSizeInUse: (pages - pragma('freelist_count')) * pageBytes,
    leader: leaderId,
    raftIndex: committed,
    raftTerm: term,
    raftAppliedIndex: applied,
    errors: leaderId === 0n ? [EtcdError.of('NoLeader').message] : [],
    isLearner: false,
  };
}
