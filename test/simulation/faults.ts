import type { Cluster } from './cluster.js';
import type { Host } from './host.js';
import { GOOD_LINKS, type LinkQuality } from './network.js';
import type { Random } from './random.js';
import type { World } from './world.js';

export type Fault =
  | 'partition'
  | 'leader cut off'
  | 'one-way cut'
  | 'ring'
  | 'large messages lost'
  | 'crash'
  | 'leader crash'
  | 'crash of all'
  | 'orderly stop'
  | 'pause'
  | 'leader pause'
  | 'slow disk'
  | 'failing disk'
  | 'clock rate'
  | 'bad network';

export interface FaultSettings {
  /** Milliseconds between two faults, on average; Infinity for none. */
  readonly meanMs: number;
  /** Milliseconds that one lasts, on average. */
  readonly lastsMs: number;
  readonly weights: Readonly<Partial<Record<Fault, number>>>;
  /** Of the network while it is bad, and while it is not. */
  readonly badLinks: LinkQuality;
  readonly usualLinks: LinkQuality;
}

export const ALL_FAULTS: Readonly<Record<Fault, number>> = {
  partition: 3,
  'leader cut off': 2,
  'one-way cut': 2,
  ring: 1,
  'large messages lost': 2,
  crash: 4,
  'leader crash': 3,
  'crash of all': 1,
  'orderly stop': 1,
  pause: 2,
  'leader pause': 2,
  'slow disk': 2,
  'failing disk': 1,
  'clock rate': 1,
  'bad network': 2,
};

/** What a slow disk takes for a sync, in milliseconds, and a good one. */
const SLOW_SYNC_MS = 60;
const GOOD_SYNC_MS = 0.5;
/** How often a process is started again at once, and within how many milliseconds. */
const QUICK_CHANCE = 0.4;
const QUICK_MS_MAX = 30;

/** Does harm at random, and repairs it after a while. */
export class Faults {
  #active = true;
  readonly #world: World;

  constructor(
    private readonly cluster: Cluster,
    private readonly settings: FaultSettings,
    private readonly random: Random,
  ) {
    this.#world = cluster.world;
    cluster.network.quality = settings.usualLinks;
    cluster.onEnd = (host) => this.#restartLater(host);
    this.#schedule();
  }

  /** No more harm, and all of it repaired: whoever ran, or should, runs again. */
  heal(): void {
    this.#active = false;
    this.#world.note(0, 'everything heals');
    this.cluster.network.healAll();
    this.cluster.network.quality = GOOD_LINKS;
    for (const host of this.cluster.hosts) {
      host.isSafe = true;
      host.speed.syncMs = GOOD_SYNC_MS;
      host.clockRate.value = 1;
      host.resume();
      this.#restart(host);
    }
  }

  #restart(host: Host): void {
    if (!host.isRemoved) host.start();
  }

  /** As whoever supervises processes does: at once, or after a while. */
  #restartLater(host: Host): void {
    const isQuick = !this.#active || this.random.chance(QUICK_CHANCE);
    const ms = isQuick
      ? this.random.uniform(0, QUICK_MS_MAX)
      : this.random.exponential(this.settings.lastsMs);
    this.#world.after(ms, () => this.#restart(host));
  }

  #schedule(): void {
    if (this.settings.meanMs === Infinity) return;
    this.#world.after(this.random.exponential(this.settings.meanMs), () => {
      if (!this.#active) return;
      const fault = this.random.weighted(this.settings.weights);
      this.#world.count(`fault: ${fault}`);
      this.#world.note(0, fault);
      this.#inject(fault);
      this.#schedule();
    });
  }

  #inject(fault: Fault): void {
    const { hosts } = this.cluster;
    const running = hosts.filter(({ life }) => life !== undefined);
    const one = running.length === 0 ? undefined : this.random.pick(running);
    const leader = this.cluster.leader() ?? one;
    switch (fault) {
      case 'partition':
        return this.#cutOff(this.random.shuffled(hosts).slice(0, this.random.between(1, hosts.length - 1)));
      case 'leader cut off':
        return this.#cutOff(leader === undefined ? [] : [leader]);
      case 'one-way cut':
        return this.#cutOneWay(one);
      case 'ring':
        return this.#ring();
      case 'large messages lost':
        return this.#narrow(this.random.chance(0.5) ? leader : one);
      case 'crash':
        return one?.crash('a crash');
      case 'leader crash':
        return leader?.crash('a crash');
      case 'crash of all':
        for (const host of running) host.crash('a crash of all');
        return;
      case 'orderly stop':
        return one?.stop();
      case 'pause':
        return this.#pause(one);
      case 'leader pause':
        return this.#pause(leader);
      case 'slow disk':
        return this.#slowDown(one);
      case 'failing disk':
        return one?.failDisk();
      case 'clock rate':
        if (one !== undefined) one.clockRate.value = this.random.uniform(0.5, 2);
        return;
      case 'bad network':
        return this.#worsenNetwork();
    }
  }

  /** Undoes a fault, unless all is repaired by then. */
  #later(undo: () => void): void {
    this.#world.after(this.random.exponential(this.settings.lastsMs), () => this.#active && undo());
  }

  /** A partition comes on top of what is cut already, or takes its place. */
  #cutOff(group: readonly Host[]): void {
    if (this.random.chance(0.5)) this.cluster.network.healAll();
    const members = new Set(group);
    for (const a of this.cluster.hosts) {
      for (const b of this.cluster.hosts) {
        if (members.has(a) !== members.has(b)) this.cluster.network.cut(a.member, b.member);
      }
    }
    this.#healLater();
  }

  /** One member is heard and hears nothing, or the other way round; from all or from one. */
  #cutOneWay(host: Host | undefined): void {
    if (host === undefined) return;
    const incoming = this.random.chance(0.5);
    const others = this.cluster.hosts.filter((other) => other !== host);
    const affected = this.random.chance(0.5) || others.length === 0 ? others : [this.random.pick(others)];
    for (const { member } of affected) {
      if (incoming) this.cluster.network.cut(member, host.member);
      else this.cluster.network.cut(host.member, member);
    }
    this.#healLater();
  }

  /** What one member has in its log does not get to some of the others; all else does. */
  #narrow(host: Host | undefined): void {
    for (const other of this.cluster.hosts) {
      if (host !== undefined && this.random.chance(0.6))
        this.cluster.network.narrow(host.member, other.member);
    }
    this.#healLater();
  }

  /** Each reaches its neighbours only. */
  #ring(): void {
    const ring = this.random.shuffled(this.cluster.hosts);
    for (const [i, a] of ring.entries()) {
      for (const [j, b] of ring.entries()) {
        const distance = Math.abs(i - j);
        if (distance > 1 && distance < ring.length - 1) this.cluster.network.cut(a.member, b.member);
      }
    }
    this.#healLater();
  }

  #healLater(): void {
    this.#later(() => {
      this.#world.note(0, 'the network is whole');
      this.cluster.network.healAll();
    });
  }

  #pause(host: Host | undefined): void {
    host?.pause();
    this.#later(() => host?.resume());
  }

  #slowDown(host: Host | undefined): void {
    if (host === undefined) return;
    host.speed.syncMs = SLOW_SYNC_MS;
    this.#later(() => {
      host.speed.syncMs = GOOD_SYNC_MS;
    });
  }

  #worsenNetwork(): void {
    this.cluster.network.quality = this.settings.badLinks;
    this.#later(() => {
      this.cluster.network.quality = this.settings.usualLinks;
    });
  }
}
