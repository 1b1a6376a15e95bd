/**
 * Which servers over this store can be reached, and where. Each keeps an entry under a lease, as kube-apiserver does, so
 * that the entry of one that has died goes by itself.
 */
import { familyOf } from '../../schemas/core/v1/addresses.js';
import { joinHostPort } from '../../schemas/host-port.js';
import type { EtcdClient, KeyValue } from '../../storage/client/interface.js';

/** Seconds that an entry outlives its server. Upstream's; entries are renewed each time the servers are listed. */
const LEASE_SECONDS = 15;
/** How long a server that stops waits for the store to forget it, in milliseconds. */
const LEAVE_MS_MAX = 500;

export interface ServerAddress {
  readonly ip: string;
  readonly port: number;
}

export interface LiveServers {
  /** This one among them, if it can be reached. Sorted. */
  list(): Promise<readonly ServerAddress[]>;
  /** This one stops. Never rejects. */
  leave(): Promise<void>;
}

/** Of a server that is alone on its store; undefined where nobody else can reach it. */
export function onlyServer(own: ServerAddress | undefined): LiveServers {
  const servers = own === undefined ? [] : [own];
  return { list: () => Promise.resolve(servers), leave: () => Promise.resolve() };
}

interface LeasedServersOptions {
  readonly client: EtcdClient;
  /** What all keys begin with. */
  readonly keyRoot: string;
  readonly own: ServerAddress | undefined;
}

export class LeasedServers implements LiveServers {
  private lease: bigint | undefined;
  private readonly prefix: Buffer;

  constructor(private readonly options: LeasedServersOptions) {
    this.prefix = Buffer.from(`${options.keyRoot}/masterleases/`);
  }

  async list(): Promise<readonly ServerAddress[]> {
    const { client, own } = this.options;
    if (own !== undefined) await this.renew(own);
    const rangeEnd = Buffer.from(this.prefix);
    // The next byte after the slash.
    rangeEnd[rangeEnd.length - 1] = 0x30;
    const { kvs } = await client.range({ key: this.prefix, rangeEnd });
    const servers = kvs.map(read).filter((server) => server !== undefined);
    if (own !== undefined && !servers.some(({ ip, port }) => ip === own.ip && port === own.port)) {
      this.lease = undefined;
      servers.push(own);
    }
    return servers.sort(byAddress);
  }

  async leave(): Promise<void> {
    const { lease } = this;
    this.lease = undefined;
    if (lease === undefined) return;
    // Where the store has no majority any more, the lease ends by itself.
    await this.options.client.leaseRevoke(lease, { timeout: LEAVE_MS_MAX }).catch(() => undefined);
  }

  private async renew(own: ServerAddress): Promise<void> {
    const { client } = this.options;
    if (this.lease !== undefined && (await client.leaseKeepAlive(this.lease)).ttl > 0) return;
    const { id } = await client.leaseGrant({ ttl: LEASE_SECONDS });
    const key = Buffer.concat([this.prefix, Buffer.from(joinHostPort(own.ip, own.port))]);
    await client.put({ key, value: Buffer.from(JSON.stringify(entryOf(own))), lease: id });
    this.lease = id;
  }
}

/** In upstream's form. */
const entryOf = ({ ip, port }: ServerAddress) => ({
  kind: 'Endpoints',
  apiVersion: 'v1',
  metadata: { creationTimestamp: null },
  subsets: [{ addresses: [{ ip }], ports: [{ port }] }],
});

/** Entries without a lease were copied from another store; those of other programs have no port, which we need. */
function read({ value, lease }: KeyValue): ServerAddress | undefined {
  if (lease === 0n) return undefined;
  try {
    const { subsets } = JSON.parse(Buffer.from(value).toString()) as ReturnType<typeof entryOf>;
    const ip = subsets[0]?.addresses[0]?.ip;
    const port = subsets[0]?.ports[0]?.port;
    return typeof ip === 'string' && typeof port === 'number' ? { ip, port } : undefined;
  } catch {
    return undefined;
  }
}

function byAddress(a: ServerAddress, b: ServerAddress): number {
  const [left, right] = [a, b].map(({ ip, port }) => `${familyOf(ip)} ${String(port).padStart(5)} ${ip}`);
  return (left ?? '') < (right ?? '') ? -1 : 1;
}
