import { setTimeout as pause } from 'node:timers/promises';
import type { Consensus } from '../../raft/node/consensus.js';
import type { CallOptions, ResponseHeader } from '../client/interface.js';
import type { Clock } from '../clock.js';
import { EtcdError } from '../errors.js';
import type { CommandResult, MvccMachine } from '../mvcc/machine.js';
import type {
  AlarmMember,
  AlarmRequest,
  AlarmResponse,
  HashKvResponse,
  HeaderResponse,
} from '../server/api.js';
import type { Proposer } from '../server/proposer.js';
import type { Questions } from '../server/questions.js';
import { compactByItself, type AutoCompaction } from './auto-compaction.js';
import { CorruptionCheck } from './corruption-check.js';
import { Hasher } from './hasher.js';
import { Quota, QUOTA_BYTES_SUGGESTED_MAX, quotaOf } from './quota.js';

/** A defragmentation goes on behind its answer when it takes longer, in milliseconds: etcdctl waits for 5 s. */
const DEFRAGMENT_MS_MAX = 2000;
/** As etcd's `--compact-hash-check-time`. */
const COMPACT_HASH_CHECK_MS = 60_000;

export interface UpkeepOptions {
  /** etcd's `--quota-backend-bytes`: 0 or absent: 2 GiB; negative: none. */
  readonly quotaBackendBytes?: number | undefined;
  /** Absent: none. */
  readonly autoCompaction?: AutoCompaction | undefined;
  /** Milliseconds between two checks that all members hold the same; 0 or absent: none but after compactions. */
  readonly corruptCheckMs?: number | undefined;
  /** Milliseconds between two such checks after compactions; 0: none. A minute when absent. */
  readonly compactHashCheckMs?: number | undefined;
  readonly logger?: UpkeepLogger | undefined;
}

/** As pino takes them. */
export interface UpkeepLogger {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface UpkeepParts {
  readonly machine: MvccMachine;
  readonly consensus: Consensus<CommandResult>;
  readonly proposer: Proposer;
  readonly questions: Questions;
  readonly clock: Clock;
  readonly header: () => ResponseHeader;
  readonly isLeader: () => boolean;
  /** The database cannot be read: it is damaged, or the disk failed. */
  readonly onDamage: (error: Error) => void;
}

/** What keeps the store well: alarms, the quota, hashes, checks that members agree, compaction by itself. */
export class Upkeep {
  readonly quota: Quota;
  readonly corruption: CorruptionCheck;
  readonly #parts: UpkeepParts;
  readonly #hasher: Hasher;
  readonly #unsubscribe: readonly (() => void)[];

  constructor(parts: UpkeepParts, options: UpkeepOptions) {
    const { machine, proposer, consensus, questions, clock, isLeader } = parts;
    const {
      autoCompaction,
      corruptCheckMs = 0,
      compactHashCheckMs = COMPACT_HASH_CHECK_MS,
      logger,
    } = options;
    const { memberId } = machine;
    this.#parts = parts;
    this.#hasher = new Hasher(machine, parts.onDamage);
    this.quota = new Quota({
      bytesMax: quotaOf(options.quotaBackendBytes),
      sizeInUse: () => machine.sizes().inUse,
      isAlarmOn: () =>
        machine.store.alarms.active.some((on) => on.alarm === 'nospace' && on.memberId === memberId),
      raise: (call) => this.#raise({ alarm: 'nospace', memberId }, call),
    });
    warnOfQuota(options);
    this.corruption = new CorruptionCheck({
      consensus,
      questions,
      hasher: this.#hasher,
      clock,
      revision: () => machine.store.revision,
      confirmRead: (call) => proposer.confirmRead(call),
      isAlarmOn: () => machine.store.alarms.isOn('corrupt'),
      raise: (id) => this.#raise({ alarm: 'corrupt', memberId: id }),
      everyMs: corruptCheckMs,
      afterCompactionMs: compactHashCheckMs,
      onFound: (ids) => logger?.error({ members: ids.map((id) => id.toString(16)) }, FOUND),
      onFailure: (error) => logger?.error({ err: error }, 'the members could not be compared'),
    });
    this.#unsubscribe = [
      machine.onApplied((batch) => {
        this.quota.applied(batch);
        if (batch.compacted) this.corruption.compacted();
      }),
      machine.onInstalled(() => this.quota.installed()),
      compactByItself({
        keep: autoCompaction,
        clock,
        isLeader,
        revision: () => machine.store.revision,
        compact: (revision) => this.#compact(revision),
      }),
    ];
  }

  alarms(): readonly AlarmMember[] {
    return this.#parts.machine.store.alarms.active;
  }

  async alarm(request: AlarmRequest, options?: CallOptions): Promise<AlarmResponse> {
    const { proposer, machine, header } = this.#parts;
    if (request.action !== 'get') return proposer.propose({ type: 'alarm', request }, options);
    await proposer.confirmRead(options);
    return { header: header(), alarms: machine.store.alarms.execute(request) };
  }

  /**
   * Gives free pages back, all of them, which otherwise happens to those beyond a tenth of the file. Nothing waits for
   * it, and nothing needs it.
   */
  async defragment(): Promise<HeaderResponse> {
    const { machine, header } = this.#parts;
    if (!machine.isOpen) throw EtcdError.of('Stopped');
    const late = new AbortController();
    const patience = pause(DEFRAGMENT_MS_MAX, undefined, { ref: false, signal: late.signal });
    const work = machine.counters.defragment(machine.compactor.giveAllBack());
    await Promise.race([work, patience.catch(() => undefined)]);
    late.abort();
    return { header: header() };
  }

  async hash(options?: CallOptions): Promise<HeaderResponse & { readonly hash: number }> {
    const { hashes } = this.#parts.machine.counters;
    const { hash, revision } = await hashes.time(this.#hasher.hash(options));
    return { header: { ...this.#parts.header(), revision }, hash };
  }

  async hashKv(request: { readonly revision: number }, options?: CallOptions): Promise<HashKvResponse> {
    const { hashesOfRevision } = this.#parts.machine.counters;
    const hashing = this.#hasher.hashKv(request.revision, options);
    const { currentRevision, ...hashed } = await hashesOfRevision.time(hashing);
    return { header: { ...this.#parts.header(), revision: currentRevision }, ...hashed };
  }

  close(): void {
    for (const end of this.#unsubscribe) end();
    this.corruption.close();
  }

  async #raise(member: AlarmMember, options?: CallOptions): Promise<void> {
    const request: AlarmRequest = { action: 'activate', ...member };
    await this.#parts.proposer.propose({ type: 'alarm', request }, options);
  }

  async #compact(revision: number): Promise<boolean> {
    try {
      await this.#parts.proposer.propose({ type: 'compact', revision });
      return true;
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      return error.is('Compacted');
    }
  }
}

const FOUND =
  'members of the cluster do not hold the same: CORRUPT is raised, and nothing is written until it is disarmed';

function warnOfQuota({ quotaBackendBytes = 0, logger }: UpkeepOptions): void {
  if (quotaBackendBytes <= QUOTA_BYTES_SUGGESTED_MAX) return;
  const fields = {
    'quota-size-bytes': quotaBackendBytes,
    'quota-maximum-size-bytes': QUOTA_BYTES_SUGGESTED_MAX,
  };
  logger?.warn(fields, 'quota exceeds the maximum value');
}
