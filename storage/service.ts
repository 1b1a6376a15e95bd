import { randomBytes } from 'node:crypto';
import type { Consensus, ConsensusStatus } from '../raft/node/consensus.js';
import { Authorizer } from './auth/authorizer.js';
import type { AuthChecks } from './auth/checks.js';
import { GuardedClient } from './auth/guard.js';
import { PasswordHasher } from './auth/password.js';
import { AuthServer } from './auth/server.js';
import { SimpleTokens } from './auth/simple-tokens.js';
import type { TokenProvider } from './auth/tokens.js';
import { snapshotStream } from './backup/stream.js';
import { EmbeddedClient } from './client/embedded.js';
import type { CallOptions, EtcdClient, ResponseHeader, StatusResponse } from './client/interface.js';
import type { Clock } from './clock.js';
import { EtcdError } from './errors.js';
import { Lessor } from './lease/lessor.js';
import { Upkeep, type UpkeepOptions } from './maintenance/upkeep.js';
import type { Counters } from './metrics/counters.js';
import type { AuthenticateResult, CommandResult, MachineTotals, MvccMachine } from './mvcc/machine.js';
import type { AlarmMember, AuthService, ServedClient, SnapshotChunk } from './server/api.js';
import { KvServer } from './server/kv.js';
import { LeaseServer } from './server/leases.js';
import { Proposer, requestTimeoutMs } from './server/proposer.js';
import { Questions } from './server/questions.js';
import { ETCD_STORAGE_VERSION, ETCD_VERSION } from './version.js';
import { WatchHub, type WatchTotals } from './watch/hub.js';

export interface ServiceOptions extends UpkeepOptions {
  readonly clock: Clock;
  readonly electionTimeoutMs: number;
  /** Bytes of one request's command. */
  readonly requestBytesMax?: number | undefined;
  readonly txnOpsMax?: number | undefined;
  readonly watchProgressIntervalMs?: number | undefined;
  /** Bytes above which a response is split for a watch that allows it. */
  readonly watchFragmentBytesMax?: number | undefined;
  /** Other tokens than etcd's simple ones. */
  readonly tokens?: TokenProvider | undefined;
  /** 300 as in etcd when absent. */
  readonly simpleTokenTtlSeconds?: number | undefined;
}

export interface ServiceParts {
  readonly machine: MvccMachine;
  readonly consensus: Consensus<CommandResult>;
  /** Ends what this service stands on. */
  readonly closeParts: () => Promise<void>;
  /** The database cannot be read: it is damaged, or the disk failed. */
  readonly onDamage?: (error: Error) => void;
}

export interface StoreTotals extends MachineTotals {
  readonly watches: WatchTotals;
}

export interface Service {
  /** Serves everything on a learner too, by way of the leader: for what runs in this process. */
  readonly client: EtcdClient;
  /**
   * For clients from outside: they are checked while authentication is on, and a learner refuses them all but serializable
   * ranges and its status, as in etcd.
   */
  readonly guardedClient: ServedClient;
  /** For clients from outside. */
  readonly auth: AuthService;
  /** For the services whose calls do not go through `guardedClient`. */
  readonly checks: AuthChecks;
  /** What it has done. */
  readonly counters: Counters;
  /** Of this moment. */
  readonly totals: () => StoreTotals;
  /** What other members may ask this one. */
  readonly questions: Questions;
  /** Alarms, hashes, defragmentation; the checks for clients from outside are not its own. */
  readonly upkeep: Upkeep;
  /** @throws EtcdError: Stopped */
  status(): StatusResponse;
  /** Maintenance.Snapshot: this member's database, consistent, while it goes on. */
  snapshot(options?: CallOptions): AsyncIterable<SnapshotChunk>;
  /** Ends watches, finishes what was accepted, closes the files. */
  close(): Promise<void>;
}

/** etcd's services over a replicated store: what the state machine tells goes to watchers and leases. */
export function startService(parts: ServiceParts, options: ServiceOptions): Service {
  const { machine, consensus } = parts;
  const { counters } = machine;
  const { clock } = options;
  const header = () => machine.header(consensus.status().term);
  const tokens: TokenProvider =
    options.tokens ??
    new SimpleTokens({
      clock,
      ttlSeconds: options.simpleTokenTtlSeconds,
      log: async ({ user, ...rest }, call) => {
        const change = { type: 'authenticate', name: user, ...rest } as const;
        return (await proposer.propose<AuthenticateResult>({ type: 'auth', change }, call)).token;
      },
      appliedIndex: () => machine.applied.index,
      confirm: () => proposer.confirmRead(),
    });
  const authorizer = new Authorizer({ state: machine, tokens });
  const proposerOptions = {
    consensus,
    authorizer,
    requestBytesMax: options.requestBytesMax,
    requestTimeoutMs: requestTimeoutMs(options.electionTimeoutMs),
    counters,
  };
  const proposer: Proposer = new Proposer(proposerOptions);
  const outsideProposer = new Proposer({ ...proposerOptions, outside: true });
  const onDamage = (error: Error) => parts.onDamage?.(error);
  const hub = new WatchHub({
    state: machine,
    header,
    clock,
    progressIntervalMs: options.watchProgressIntervalMs,
    fragmentBytesMax: options.watchFragmentBytesMax,
    counters,
    onDamage,
  });
  const leases = machine.store.leases.all();
  const lessor = new Lessor(
    { clock, counters, expire: (id, term) => expire(machine, proposer, id, term) },
    leases,
  );
  const isLeader = () => consensus.status().leaderId === machine.memberId;
  const questions = new Questions();
  const upkeep = new Upkeep(
    { machine, consensus, proposer, questions, clock, header, isLeader, onDamage },
    options,
  );
  const followLeadership = () => {
    if (isLeader()) lessor.promote(consensus.status().term);
    else lessor.demote();
  };
  const unsubscribe = [
    consensus.onLeadershipChange(followLeadership),
    countLeaders(consensus, counters),
    machine.onApplied((batch) => {
      for (const lease of batch.granted) lessor.granted(lease);
      for (const id of batch.revoked) lessor.revoked(id);
      if (batch.tokens.length > 0) tokens.applied(batch.tokens);
      if (batch.compacted) machine.compactor.start();
      hub.publish(batch.changes);
    }),
    machine.onInstalled(() => {
      lessor.installed(machine.store.leases.all());
      tokens.installed();
      machine.compactor.start();
      hub.installed();
    }),
  ];
  followLeadership();
  machine.compactor.start();

  const status = () => {
    if (!machine.isOpen) throw EtcdError.of('Stopped');
    return statusOf(machine, consensus, header(), upkeep.quota.bytesMax);
  };
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= (async () => {
      for (const end of unsubscribe) end();
      upkeep.close();
      lessor.close();
      hub.close();
      await parts.closeParts();
    })();
    return closed;
  };
  const copy = () => {
    if (!machine.isOpen) return Promise.reject(EtcdError.of('Stopped'));
    return machine.snapshot({ newest: true });
  };
  const snapshot = (options?: CallOptions) => snapshotStream({ copy, header }, options);
  consensus.answerQuestions((question, signal) => questions.answer(question, signal));
  const isOpen = () => machine.isOpen;
  const common = { state: machine, header, isOpen, quota: upkeep.quota };
  const servers = (proposer: Proposer) => ({
    kv: new KvServer({
      ...common,
      proposer,
      removedThrough: (revision) => removedThrough(machine, revision),
      onDamage,
      txnOpsMax: options.txnOpsMax,
    }),
    leases: new LeaseServer({ ...common, proposer, consensus, lessor, isLeader, randomId }),
    hub,
    status,
    close,
  });
  const trusted = servers(proposer);
  trusted.leases.answerQuestions(questions);
  const client = new EmbeddedClient(trusted);
  const isLearner = () => consensus.status().isLearner;
  const guardedClient = new GuardedClient({ ...servers(outsideProposer), authorizer, isLearner });
  const auth = new AuthServer({
    proposer: outsideProposer,
    authorizer,
    tokens,
    passwords: new PasswordHasher(),
    state: machine,
    header,
    isLearner,
  });
  const totals = () => ({ ...machine.totals(), watches: hub.totals() });
  return {
    client,
    guardedClient,
    auth,
    checks: authorizer,
    questions,
    upkeep,
    counters,
    totals,
    status,
    snapshot,
    close,
  };
}

/** Counts the leaders that this member has seen. Returns a function that ends it. */
function countLeaders(consensus: Consensus<CommandResult>, counters: Counters): () => void {
  let last = 0n;
  const look = ({ leaderId }: Pick<ConsensusStatus, 'leaderId'>) => {
    if (leaderId === 0n || leaderId === last) return;
    last = leaderId;
    counters.leaderChanges += 1;
  };
  look(consensus.status());
  return consensus.onLeadershipChange(look);
}

/** An install puts another database, and so another compactor, in the place of the one that was waited for. */
async function removedThrough(machine: MvccMachine, revision: number): Promise<void> {
  for (;;) {
    const { compactor } = machine;
    await compactor.removedThrough(revision);
    if (compactor === machine.compactor) return;
  }
}

/**
 * An expiry that finds no lease, or another term, has nothing to do; any other failure is tried again later. It has no
 * deadline: as long as the revoke may still be applied, keep-alives must not promise that the lease lives on.
 */
async function expire(machine: MvccMachine, proposer: Proposer, id: bigint, term: number): Promise<void> {
  // With CORRUPT it would be refused, again and again.
  if (machine.store.alarms.isOn('corrupt')) return;
  try {
    await proposer.propose({ type: 'lease-revoke', id, term }, { timeout: Infinity }, false);
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
  machine: MvccMachine,
  consensus: Consensus<CommandResult>,
  header: ResponseHeader,
  quota: number,
): StatusResponse {
  const { leaderId, term, committed, applied, isLearner } = consensus.status();
  const { total, inUse } = machine.sizes();
  return {
    header,
    version: ETCD_VERSION,
    dbSize: total,
    dbSizeInUse: inUse,
    leader: leaderId,
    raftIndex: committed,
    raftTerm: term,
    raftAppliedIndex: applied,
    errors: [
      ...(leaderId === 0n ? [EtcdError.of('NoLeader').message] : []),
      ...machine.store.alarms.active.map(alarmText),
    ],
    isLearner,
    dbSizeQuota: Number.isFinite(quota) ? quota : 0,
    storageVersion: ETCD_STORAGE_VERSION,
  };
}

/** As protobuf's own text form has it, of which fields that are zero are no part. */
function alarmText({ memberId, alarm }: AlarmMember): string {
  return `${memberId === 0n ? '' : `memberID:${memberId} `}alarm:${alarm.toUpperCase()} `;
}
