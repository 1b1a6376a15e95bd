import { type Members, type MembersOptions, type Program, startMembers } from '../tools/etcd-members.js';
import { Side, type SideOptions } from './side.js';

export interface RunningSide {
  readonly side: Side;
  readonly members: Members;
  stop(): Promise<void>;
}

/** A new store, and the side that it is. */
export async function startSide(
  program: Program,
  options: MembersOptions & Omit<SideOptions, 'name' | 'addresses'> = {},
): Promise<RunningSide> {
  const members = await startMembers(program, options);
  const side = new Side({ ...options, name: program, addresses: members.addresses });
  return {
    side,
    members,
    async stop() {
      side.close();
      await members.stop();
    },
  };
}
