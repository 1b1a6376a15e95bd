import { type RealEtcd, startEtcd } from '../tools/real-etcd.js';
import { Side, type SideOptions } from './side.js';

export interface RunningSide {
  readonly side: Side;
  stop(): Promise<void>;
}

type Tampering = Omit<SideOptions, 'name' | 'addresses'>;

/** A new real etcd. */
export async function realEtcd(tampering: Tampering = {}): Promise<RunningSide> {
  return running('etcd', [await startEtcd()], tampering);
}

function running(name: string, stores: readonly RealEtcd[], tampering: Tampering): RunningSide {
  const side = new Side({ name, addresses: stores.map(({ address }) => address), ...tampering });
  return {
    side,
    async stop() {
      side.close();
      await Promise.all(
        stores.map(async (store) => {
          await store.stop('SIGKILL');
          await store.remove();
        }),
      );
    },
  };
}
