import type { CallOptions, EtcdClient, KeyValue, ResponseHeader } from '../client/interface.js';
import { EtcdError } from '../errors.js';
import type { ElectionService, HeaderResponse, LeaderKey, LeaderResponse } from './api.js';
import {
  contendersOf,
  enter,
  firstContender,
  removal,
  sameBytes,
  sessionLease,
  untilFirst,
  watchOne,
  withdraw,
} from './contest.js';
import { OpenCall, openCall, type OpenOptions } from './open-call.js';

interface ElectionName {
  readonly name: Uint8Array;
}
interface Campaign extends ElectionName {
  readonly lease: bigint;
  readonly value: Uint8Array;
}
interface Proclamation {
  readonly leader: LeaderKey | undefined;
  readonly value: Uint8Array;
}

/** etcd's v3election as a client of the store. A campaign that is given up leaves no key behind. */
export class ElectionServer implements ElectionService {
  readonly #client: EtcdClient;

  constructor(client: EtcdClient) {
    this.#client = client;
  }

  campaign(
    { name, lease: givenLease, value }: Campaign,
    options?: CallOptions,
  ): Promise<HeaderResponse & { readonly leader: LeaderKey }> {
    const client = this.#client;
    return openCall(options, async (options) => {
      const lease = await sessionLease(client, givenLease, options);
      const { header, key, revision, existing } = await enter(client, { name, lease, value }, options);
      const leader = { name, key, revision, lease };
      try {
        if (existing !== undefined && !sameBytes(existing.value, value)) {
          await this.#proclaim(leader, value, options);
        }
        await untilFirst(client, name, revision, options);
        return { header, leader };
      } catch (error) {
        if (existing === undefined) await withdraw(client, leader, options);
        throw error;
      }
    });
  }

  proclaim({ leader, value }: Proclamation, options?: CallOptions): Promise<HeaderResponse> {
    return openCall(options, (options) => this.#proclaim(given(leader), value, options));
  }

  leader({ name }: ElectionName, options?: CallOptions): Promise<LeaderResponse> {
    return openCall(options, async (options) => {
      const { header, kv } = await firstContender(this.#client, name, options);
      if (kv === undefined) throw EtcdError.of('ElectionNoLeader');
      return { header, kv };
    });
  }

  resign({ leader }: Pick<Proclamation, 'leader'>, options?: CallOptions): Promise<HeaderResponse> {
    return openCall(options, async (options) => {
      const { key, revision } = given(leader);
      const { header } = await this.#client.txn(removal(key, revision), options);
      return { header };
    });
  }

  /** Ends with the call, or when its reader leaves; a reader that is slow misses no leader that still leads. */
  observe({ name }: ElectionName, options?: CallOptions): AsyncIterable<LeaderResponse> {
    return {
      [Symbol.asyncIterator]: () => {
        const call = new OpenCall(options);
        const responses = this.#observe(name, call.options);
        return {
          next: () => call.part(() => responses.next()),
          return: () => {
            call.end();
            return Promise.resolve({ done: true, value: undefined });
          },
        };
      },
    };
  }

  async *#observe(name: Uint8Array, options: OpenOptions): AsyncGenerator<LeaderResponse, undefined> {
    /** The newest proclamation that was told. */
    let told: KeyValue | undefined;
    for (;;) {
      const { header, kv } = await this.#nextLeader(name, options);
      if (kv === undefined) continue;
      if (told === undefined || told.modRevision !== kv.modRevision || !sameBytes(told.key, kv.key)) {
        told = kv;
        yield { header, kv };
      }
      const startRevision = header.revision + 1;
      for await (const response of watchOne(this.#client, { key: kv.key, startRevision }, options)) {
        let isGone = false;
        for (const { type, kv } of response.events) {
          isGone = type === 'delete';
          if (isGone) break;
          told = kv;
          yield { header: response.header, kv };
        }
        if (isGone) break;
      }
    }
  }

  /** Who leads, or the first who will; undefined where the store has forgotten who that was. */
  async #nextLeader(
    name: Uint8Array,
    options: OpenOptions,
  ): Promise<{ readonly header: ResponseHeader; readonly kv: KeyValue | undefined }> {
    const { header, kv } = await firstContender(this.#client, name, options);
    if (kv !== undefined) return { header, kv };
    const request = { ...contendersOf(name), startRevision: header.revision + 1 };
    for await (const { header, events } of watchOne(this.#client, request, options)) {
      const put = events.find(({ type }) => type === 'put');
      // What comes after it is yet to be told.
      if (put !== undefined) return { header: { ...header, revision: put.kv.modRevision }, kv: put.kv };
    }
    return { header, kv: undefined };
  }

  async #proclaim(
    { key, revision, lease }: LeaderKey,
    value: Uint8Array,
    options: CallOptions,
  ): Promise<HeaderResponse> {
    const { header, succeeded } = await this.#client.txn(
      {
        compare: [{ key, target: 'create', result: 'equal', createRevision: revision }],
        success: [{ type: 'put', key, value, lease }],
        failure: [],
      },
      options,
    );
    if (!succeeded) throw EtcdError.of('ElectionNotLeader');
    return { header };
  }
}

function given(leader: LeaderKey | undefined): LeaderKey {
  if (leader === undefined) throw EtcdError.of('LeaderKeyMissing');
  return leader;
}
