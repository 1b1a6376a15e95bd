import { NO_BYTES } from '../bytes.js';
import type { CallOptions, EtcdClient } from '../client/interface.js';
import { EtcdError } from '../errors.js';
import type { HeaderResponse, LockService } from './api.js';
import { enter, sessionLease, untilFirst, withdraw } from './contest.js';
import { openCall } from './open-call.js';

/** etcd's v3lock as a client of the store. A call that is given up while it waits leaves no key behind. */
export class LockServer implements LockService {
  readonly #client: EtcdClient;

  constructor(client: EtcdClient) {
    this.#client = client;
  }

  lock(
    { name, lease: givenLease }: { readonly name: Uint8Array; readonly lease: bigint },
    options?: CallOptions,
  ): Promise<HeaderResponse & { readonly key: Uint8Array }> {
    const client = this.#client;
    return openCall(options, async (options) => {
      const lease = await sessionLease(client, givenLease, options);
      const entered = await enter(client, { name, lease, value: NO_BYTES }, options);
      const { key } = entered;
      try {
        await untilFirst(client, name, entered.revision, options);
        const { header, kvs } = await client.range({ key }, options);
        // The lease has ended while its key waited.
        if (kvs.length === 0) throw EtcdError.of('SessionExpired');
        return { header, key };
      } catch (error) {
        if (entered.existing === undefined) await withdraw(client, entered, options);
        throw error;
      }
    });
  }

  unlock(request: { readonly key: Uint8Array }, options?: CallOptions): Promise<HeaderResponse> {
    return openCall(options, async (options) => {
      const { header } = await this.#client.deleteRange({ key: request.key }, options);
      return { header };
    });
  }
}
