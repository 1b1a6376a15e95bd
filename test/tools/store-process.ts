/** One member's store as a process of its own, without an API server. Run by cluster-growth.ts and told by messages. */
import { newCluster } from '../../storage/cluster/bootstrap.js';
import { encodeConfiguration } from '../../raft/core/configuration.js';
import { openStore } from '../../storage/open.js';

export interface StoreProcessOptions {
  readonly dataDir: string;
  readonly name: string;
  /** Of all members; this one's, too. */
  readonly peerUrls: readonly (readonly [name: string, url: string])[];
}

export type StoreCommand =
  /** `keys`: they are written over and over, in turn. */
  | { readonly type: 'put'; readonly count: number; readonly keys: number; readonly valueBytes: number }
  /** All but the newest revisions. */
  | { readonly type: 'compact'; readonly keepRevisions: number };

export interface StoreReport {
  readonly leads: boolean;
  readonly revision: number;
  /** Bytes. */
  readonly residentBytes: number;
}

const PUTS_AT_ONCE = 256;
const PUT_MS_MAX = 60_000;

const [options] = process.argv.slice(2).map((text) => JSON.parse(text) as StoreProcessOptions);
if (options === undefined) throw new Error('no options');
const { dataDir, name, peerUrls } = options;
const members = peerUrls.map(([name, url]) => ({ name, peerUrls: [url] }));
const own = members.find((member) => member.name === name);
if (own === undefined) throw new Error(`${name} is none of the members`);
const listenUrls = own.peerUrls;
const store = await openStore({
  dataDir,
  peers: { listenUrls },
  bootstrap: () => {
    const { configuration, ...identity } = newCluster(members, own, 'growth');
    return Promise.resolve({ ...identity, configuration: encodeConfiguration(configuration) });
  },
  onFatal: (error) => {
    throw error;
  },
});
let written = 0;

async function put({ count, keys, valueBytes }: Extract<StoreCommand, { type: 'put' }>): Promise<void> {
  let left = count;
  const client = async () => {
    while (left > 0) {
      left -= 1;
      written += 1;
      const key = Buffer.from(`/registry/growth/${written % keys}`);
      const value = Buffer.alloc(valueBytes, `${written} `);
      await store.client.put({ key, value }, { timeout: PUT_MS_MAX });
    }
  };
  await Promise.all(Array.from({ length: PUTS_AT_ONCE }, client));
}

function report(): StoreReport {
  const { leader, header } = store.status();
  return {
    leads: leader === header.memberId,
    revision: header.revision,
    residentBytes: process.memoryUsage.rss(),
  };
}

async function obey(command: StoreCommand | { readonly type: 'report' }): Promise<void> {
  if (command.type === 'put') await put(command);
  if (command.type === 'compact') {
    const revision = report().revision - command.keepRevisions;
    if (revision > 0) await store.client.compact({ revision }, { timeout: PUT_MS_MAX });
  }
  process.send?.(report());
}

process.on('message', (message) => void obey(message as StoreCommand));
process.on('disconnect', () => process.exit());
process.send?.(report());
