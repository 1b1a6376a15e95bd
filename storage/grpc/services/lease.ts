import type { EtcdClient, LeaseKeepAliveResponse } from '../../client/interface.js';
import type { LeaseId } from '../messages/lease.js';
import { bidiStream, unary, type BidiCall, type BidiHandler, type Route } from '../server/handlers.js';
import { Lease } from '../services.js';

export function leaseRoutes(client: EtcdClient): Route[] {
  return [
    unary(Lease.LeaseGrant, (request, { brief }) => client.leaseGrant(request, brief)),
    unary(Lease.LeaseRevoke, ({ id }, { brief }) => client.leaseRevoke(id, brief)),
    bidiStream(Lease.LeaseKeepAlive, (call) => new KeepAliveCall(call, client)),
    unary(Lease.LeaseTimeToLive, (request, { brief }) => client.leaseTimeToLive(request, brief)),
    unary(Lease.LeaseLeases, (_request, { brief }) => client.leaseLeases(brief)),
  ];
}

/** One lease is renewed after the other. One that is not known gets a TTL of 0, and the stream goes on. */
class KeepAliveCall implements BidiHandler<LeaseId> {
  readonly #call: BidiCall<LeaseKeepAliveResponse>;
  readonly #client: Pick<EtcdClient, 'leaseKeepAlive'>;
  #goOn: (() => void) | undefined;

  constructor(call: BidiCall<LeaseKeepAliveResponse>, client: Pick<EtcdClient, 'leaseKeepAlive'>) {
    this.#call = call;
    this.#client = client;
  }

  async message({ id }: LeaseId): Promise<void> {
    const response = await this.#client.leaseKeepAlive(id, this.#call.brief);
    if (this.#call.send(response)) return;
    await new Promise<void>((resolve) => {
      this.#goOn = resolve;
    });
  }

  halfClosed(): void {
    this.#call.end();
  }

  drained(): void {
    this.#goOn?.();
    this.#goOn = undefined;
  }

  closed(): void {
    this.drained();
  }
}
