/** A store with a bit of everything in it, and the comparison of two. */
import type { Test } from 'tap';
import type { EtcdClient, RequestOp } from '../../storage/client/interface.js';

const ALL = { key: Buffer.from([0]), rangeEnd: Buffer.from([0]) };
const OPS_MAX = 128;
export const LARGEST_VALUE_BYTES = 2 ** 20;

export interface Filled {
  readonly keys: number;
  readonly leases: readonly bigint[];
}

/** Keys and values of any bytes, empty values, values of 1 MiB, keys with leases, leases without keys. */
export async function fillStore(
  client: EtcdClient,
  between: (low: number, high: number) => number,
  count: number,
): Promise<Filled> {
  // One of them has the highest bit set.
  const leases = [11n, 12n, 2n ** 62n + 5n, 14n];
  for (const id of leases) await client.leaseGrant({ id, ttl: 600 });
  const anyBytes = (length: number) => Buffer.from(Array.from({ length }, () => between(0, 255)));
  const ops = new Map<string, RequestOp>();
  while (ops.size < count) {
    const key = anyBytes(between(1, 12));
    const value = anyBytes(between(0, 3) === 0 ? 0 : between(1, 200));
    const lease = leases[between(0, 20)] ?? 0n;
    // The last lease has no key.
    ops.set(key.toString('latin1'), { type: 'put', key, value, lease: lease === 14n ? 0n : lease });
  }
  const all = [...ops.values()];
  for (let start = 0; start < all.length; start += OPS_MAX) {
    await client.txn({ compare: [], success: all.slice(start, start + OPS_MAX), failure: [] });
  }
  for (const name of ['large-1', 'large-2', 'large-3']) {
    await client.put({ key: Buffer.from(name), value: Buffer.alloc(LARGEST_VALUE_BYTES, name) });
  }
  const { count: keys } = await client.range({ ...ALL, countOnly: true });
  return { keys, leases };
}

/** Pairs with their leases, and the leases. */
export async function sameContent(t: Test, some: EtcdClient, other: EtcdClient): Promise<void> {
  t.same(await contentOf(other), await contentOf(some), 'keys, values and leases');
}

async function contentOf(client: EtcdClient) {
  const { kvs } = await client.range(ALL);
  const { leases } = await client.leaseLeases();
  return {
    pairs: kvs.map(({ key, value, lease }) => {
      const shown = value.length > 1000 ? `${value.length} bytes` : Buffer.from(value).toString('hex');
      return `${Buffer.from(key).toString('hex')} ${shown} ${lease}`;
    }),
    leases: leases.map(String).sort(),
  };
}
