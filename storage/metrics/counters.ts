import type { RaftObserver } from '../../raft/observer.js';
import { exponential, Histogram } from './histogram.js';
import { PeerCounters } from './peer-counters.js';

/** etcd's bounds of what a disk does, in seconds: 1 ms to 8 s. */
const DISK_BOUNDS = exponential(0.001, 2, 14);
/** Of a copy of the database. */
const COPY_BOUNDS = exponential(0.01, 2, 17);
/** Of reading all of it. */
const HASH_BOUNDS = exponential(0.01, 2, 15);
const SAVE_BOUNDS = exponential(0.1, 2, 10);
const DEFRAGMENTATION_BOUNDS = exponential(0.1, 2, 13);
/** Milliseconds. */
const PAUSE_BOUNDS = exponential(1, 2, 13);
const COMPACTION_BOUNDS = exponential(100, 2, 14);
/** Seconds: up to 97 days. */
const LEASE_TTL_BOUNDS = exponential(1, 2, 24);

/** etcd's `--warning-apply-duration`. */
const SLOW_APPLY_SECONDS = 0.1;

export interface CountersOptions {
  /** A batch that takes longer is a slow one. 100 ms when absent. */
  readonly slowApplySeconds?: number;
}

/**
 * What a store has done since it was opened: plain numbers, added to where it happens, and read when somebody asks for
 * metrics (metrics.ts). They say nothing of what was there before, and nothing depends on them.
 */
export class Counters implements RaftObserver {
  /** Operations, those within transactions and those of replayed log entries included. */
  puts = 0;
  deletes = 0;
  ranges = 0;
  /** Transactions of more than one operation, as etcd counts. */
  txns = 0;
  /** Of keys and values. */
  putBytes = 0;

  /** Of this member, and neither applied nor refused yet. */
  proposalsPending = 0;
  proposalsFailed = 0;
  readIndexesFailed = 0;
  /** Reads whose time was over before they were confirmed. */
  slowReadIndexes = 0;
  leaderChanges = 0;
  heartbeatsLate = 0;
  slowApplies = 0;
  learnerPromotions = 0;
  /** By the error's text. */
  readonly learnerPromotionFailures = new Map<string, number>();
  healthSuccesses = 0;
  healthFailures = 0;

  leasesGranted = 0;
  leasesRevoked = 0;
  leasesRenewed = 0;
  leasesExpired = 0;
  readonly leaseTtls = new Histogram(LEASE_TTL_BOUNDS);

  events = 0;
  watchesCreated = 0;

  logBytes = 0;
  readonly logSyncs = new Histogram(DISK_BOUNDS);
  readonly commits = new Histogram(DISK_BOUNDS);
  /** Copies that were made for others. */
  readonly copies = new Histogram(COPY_BOUNDS);
  /** Copies of others that came in. */
  readonly snapshotSaves = new Histogram(SAVE_BOUNDS);
  /** Of them, those that are being taken in at the moment. */
  snapshotsComing = 0;
  readonly hashes = new Histogram(HASH_BOUNDS);
  readonly hashesOfRevision = new Histogram(HASH_BOUNDS);
  readonly defragmentations = new Histogram(DEFRAGMENTATION_BOUNDS);
  defragmenting = 0;
  compactedRows = 0;
  readonly compactionPauses = new Histogram(PAUSE_BOUNDS);
  readonly compactions = new Histogram(COMPACTION_BOUNDS);

  readonly peers = new Map<bigint, PeerCounters>();
  readonly #slowApplySeconds: number;

  constructor(options: CountersOptions = {}) {
    this.#slowApplySeconds = options.slowApplySeconds ?? SLOW_APPLY_SECONDS;
  }

  /** A batch was applied, which took so long in all, and its commit so long of that. */
  applied(seconds: number, commitSeconds: number): void {
    this.commits.observe(commitSeconds);
    if (seconds > this.#slowApplySeconds) this.slowApplies += 1;
  }

  leaseGranted(ttlSeconds: number): void {
    this.leasesGranted += 1;
    this.leaseTtls.observe(ttlSeconds);
  }

  async defragment(work: Promise<void>): Promise<void> {
    this.defragmenting += 1;
    try {
      await this.defragmentations.time(work);
    } finally {
      this.defragmenting -= 1;
    }
  }

  learnerPromoted(): void {
    this.learnerPromotions += 1;
  }

  learnerPromotionFailed(reason: string): void {
    this.learnerPromotionFailures.set(reason, (this.learnerPromotionFailures.get(reason) ?? 0) + 1);
  }

  healthChecked(isHealthy: boolean): void {
    if (isHealthy) this.healthSuccesses += 1;
    else this.healthFailures += 1;
  }

  logWritten(bytes: number): void {
    this.logBytes += bytes;
  }

  logSynced(seconds: number): void {
    this.logSyncs.observe(seconds);
  }

  heartbeatLate(): void {
    this.heartbeatsLate += 1;
  }

  sent(to: bigint, bytes: number): void {
    this.#peer(to).sentBytes += bytes;
  }

  received(from: bigint, bytes: number): void {
    this.#peer(from).receivedBytes += bytes;
  }

  sendFailed(to: bigint): void {
    this.#peer(to).sendFailures += 1;
  }

  connected(peer: bigint): void {
    this.#peer(peer).isConnected = true;
  }

  disconnected(peer: bigint): void {
    const counters = this.#peer(peer);
    counters.isConnected = false;
    counters.disconnections += 1;
  }

  /** A question to a member and its answer took so long. */
  roundTrip(peer: bigint, seconds: number): void {
    this.#peer(peer).roundTrips.observe(seconds);
  }

  #peer(id: bigint): PeerCounters {
    let counters = this.peers.get(id);
    if (counters === undefined) this.peers.set(id, (counters = new PeerCounters()));
    return counters;
  }
}
