import {
  initialConfiguration,
  NO_CONFIGURATION,
  type Configuration,
  type Member,
} from '../../raft/core/configuration.js';
import { Checks } from './checks.js';
import { Host, type HostSettings, type Life } from './host.js';
import { idOf } from './ids.js';
import { Network } from './network.js';
import type { World } from './world.js';

/** All machines of a simulated cluster, those that are in it and those that were or may be. */
export class Cluster {
  readonly network: Network;
  readonly checks: Checks;
  readonly #hosts = new Map<number, Host>();
  /** Called when a process has ended. */
  onEnd: (host: Host) => void = () => undefined;

  constructor(
    readonly world: World,
    readonly settings: HostSettings,
    initialMembers: number,
  ) {
    this.network = new Network(world, world.random.fork());
    const members = Array.from({ length: initialMembers }, (_, i) => describeMember(i + 1));
    const initial = initialConfiguration(members);
    const diskOf = (member: number) => this.#hosts.get(member)?.disk;
    this.checks = new Checks(world, diskOf, () => this.lives(), initial);
    world.afterEvent = (member) => {
      const life = this.#hosts.get(member)?.life;
      if (life !== undefined) this.checks.observe(life);
    };
    for (let member = 1; member <= initialMembers; member += 1) this.#add(member, initial);
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  /** A machine with empty disks, for a member that is to join these. Does not run yet. */
  addHost(members: readonly Member[]): Host {
    return this.#add(this.#hosts.size + 1, { ...NO_CONFIGURATION, members });
  }

  host(member: number): Host | undefined {
    return this.#hosts.get(member);
  }

  *lives(): Generator<Life> {
    for (const { life } of this.#hosts.values()) if (life !== undefined) yield life;
  }

  /** Those that run, have started and are not paused. */
  responsive(): Host[] {
    return this.hosts.filter((host) => host.driver !== undefined && !host.isPaused);
  }

  /** Who leads the highest term. */
  leader(): Host | undefined {
    let leader: Host | undefined;
    let highest = -1;
    for (const host of this.#hosts.values()) {
      const status = host.driver?.status();
      if (status === undefined || status.leaderId !== status.memberId || status.term <= highest) continue;
      highest = status.term;
      leader = host;
    }
    return leader;
  }

  #add(member: number, created: Configuration): Host {
    const { world, network, checks, settings } = this;
    const random = world.random.fork();
    const host = new Host({ member, created, world, network, checks, settings, random });
    host.onEnd = () => this.onEnd(host);
    this.#hosts.set(member, host);
    return host;
  }
}

/** As configurations have it. */
export function describeMember(member: number): Member {
  const at = `http://member-${member}`;
  return { id: idOf(member), name: `member-${member}`, peerUrls: [`${at}:2380`], clientUrls: [`${at}:2379`] };
}
