import type { AuthChecks } from '../auth/checks.js';
import type { CallOptions, ResponseHeader } from '../client/interface.js';
import type { ClusterMember, ClusterService, MemberAddResponse, MembersResponse } from '../server/api.js';
import type { Members } from './members.js';

export interface ClusterServerOptions {
  readonly members: Pick<Members<unknown>, 'list' | 'add' | 'remove' | 'promote' | 'update'>;
  /** @throws EtcdError: Stopped */
  readonly header: () => ResponseHeader;
  readonly checks: AuthChecks;
}

/** etcd's Cluster service, for clients from outside: changes are for administrators. */
export class ClusterServer implements ClusterService {
  readonly #options: ClusterServerOptions;

  constructor(options: ClusterServerOptions) {
    this.#options = options;
  }

  async list(request: { readonly linearizable: boolean }, options?: CallOptions): Promise<MembersResponse> {
    await this.#options.checks.requireUser(options);
    return this.#answer(await this.#options.members.list(request, options));
  }

  async add(
    request: { readonly peerUrls: readonly string[]; readonly isLearner: boolean },
    options?: CallOptions,
  ): Promise<MemberAddResponse> {
    await this.#options.checks.requireAdmin(options);
    const { member, members } = await this.#options.members.add(request, options);
    return { ...this.#answer(members), member };
  }

  async remove({ id }: { readonly id: bigint }, options?: CallOptions): Promise<MembersResponse> {
    await this.#options.checks.requireAdmin(options);
    return this.#answer(await this.#options.members.remove(id, options));
  }

  async promote({ id }: { readonly id: bigint }, options?: CallOptions): Promise<MembersResponse> {
    await this.#options.checks.requireAdmin(options);
    return this.#answer(await this.#options.members.promote(id, options));
  }

  async update(
    { id, peerUrls }: { readonly id: bigint; readonly peerUrls: readonly string[] },
    options?: CallOptions,
  ): Promise<MembersResponse> {
    await this.#options.checks.requireAdmin(options);
    return this.#answer(await this.#options.members.update(id, peerUrls, options));
  }

  #answer(members: readonly ClusterMember[]): MembersResponse {
    return { header: this.#options.header(), members };
  }
}
