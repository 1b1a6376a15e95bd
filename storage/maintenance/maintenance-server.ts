import type { AuthChecks } from '../auth/checks.js';
import type { CallOptions, StatusResponse } from '../client/interface.js';
import type { Members } from '../cluster/members.js';
import type {
  AlarmRequest,
  AlarmResponse,
  HashKvResponse,
  HeaderResponse,
  MaintenanceService,
  SnapshotChunk,
} from '../server/api.js';
import { EtcdError } from '../errors.js';
import { ETCD_VERSION } from '../version.js';
import type { Upkeep } from './upkeep.js';

export interface MaintenanceServerOptions {
  readonly upkeep: Pick<Upkeep, 'alarm' | 'defragment' | 'hash' | 'hashKv'>;
  readonly status: () => StatusResponse;
  readonly members: Pick<Members<unknown>, 'moveLeader'>;
  readonly snapshot: (options?: CallOptions) => AsyncIterable<SnapshotChunk>;
  readonly checks: AuthChecks;
}

/**
 * etcd's Maintenance service, for clients from outside. Where etcd asks for an administrator so does this, and also for
 * changes of alarms and of the leader, for which etcd asked for nobody until 3.6.
 */
export class MaintenanceServer implements MaintenanceService {
  readonly #options: MaintenanceServerOptions;

  constructor(options: MaintenanceServerOptions) {
    this.#options = options;
  }

  /** Of whoever asks, as in etcd up to 3.6: it tells how the member is, and nothing of keys. */
  async status(): Promise<StatusResponse> {
    return this.#options.status();
  }

  async alarm(request: AlarmRequest, options?: CallOptions): Promise<AlarmResponse> {
    const { checks, upkeep } = this.#options;
    if (request.action === 'get') await checks.requireUser(options);
    else await checks.requireAdmin(options);
    return upkeep.alarm(request, options);
  }

  async defragment(options?: CallOptions): Promise<HeaderResponse> {
    await this.#options.checks.requireAdmin(options);
    return this.#options.upkeep.defragment();
  }

  async hash(options?: CallOptions): Promise<HeaderResponse & { readonly hash: number }> {
    await this.#options.checks.requireAdmin(options);
    return this.#options.upkeep.hash(options);
  }

  async hashKv(request: { readonly revision: number }, options?: CallOptions): Promise<HashKvResponse> {
    await this.#options.checks.requireAdmin(options);
    return this.#options.upkeep.hashKv(request, options);
  }

  async *snapshot(options?: CallOptions): AsyncIterable<SnapshotChunk> {
    await this.#options.checks.requireAdmin(options);
    yield* this.#options.snapshot(options);
  }

  async moveLeader(
    { targetId }: { readonly targetId: bigint },
    options?: CallOptions,
  ): Promise<HeaderResponse> {
    await this.#options.checks.requireAdmin(options);
    await this.#options.members.moveLeader(targetId, options);
    return this.#header();
  }

  /**
   * etcd goes down one minor version at a time. This store has no older format to go down to, so that what etcd would
   * allow is not possible either: a valid target is told as one that is not.
   */
  async downgrade(
    { action, version }: Parameters<MaintenanceService['downgrade']>[0],
    options?: CallOptions,
  ): Promise<HeaderResponse & { readonly version: string }> {
    await this.#options.checks.requireAdmin(options);
    if (action === 'cancel') throw EtcdError.of('NoInflightDowngrade');
    const target = /^(\d+)\.(\d+)(\.\d+)?$/.exec(version);
    if (target === null) throw EtcdError.of('WrongDowngradeVersionFormat');
    const [major, minor = 0] = ETCD_VERSION.split('.').map(Number);
    const isOneBelow = Number(target[1]) === major && Number(target[2]) === minor - 1;
    if (!isOneBelow || action === 'enable') throw EtcdError.of('InvalidDowngradeTargetVersion');
    return { ...this.#header(), version: `${major}.${minor}` };
  }

  #header(): HeaderResponse {
    return { header: this.#options.status().header };
  }
}
