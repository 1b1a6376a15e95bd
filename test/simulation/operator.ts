import { isJoint, type Configuration, type ConfigurationChange } from '../../raft/core/configuration.js';
import { describeMember, type Cluster } from './cluster.js';
import { describeChange, describeConfiguration } from './describe.js';
import type { Host, Life } from './host.js';
import { idOf, numberOf } from './ids.js';
import type { Random } from './random.js';
import type { World } from './world.js';

export interface OperatorSettings {
  /** Milliseconds between two changes, on average; Infinity for none. */
  readonly changeMs: number;
  /** Milliseconds between two transfers of leadership, on average; Infinity for none. */
  readonly transferMs: number;
  /** No wish makes fewer or more voters. */
  readonly votersMin: number;
  readonly votersMax: number;
  readonly wishes: Readonly<Partial<Record<Wish, number>>>;
}

export type Wish =
  | 'add learner'
  | 'add voter'
  | 'promote'
  | 'demote'
  | 'remove'
  | 'remove leader'
  | 'replace'
  | 'swap several'
  | 'update';

export const ALL_WISHES: Readonly<Record<Wish, number>> = {
  'add learner': 3,
  'add voter': 2,
  promote: 3,
  demote: 1,
  remove: 2,
  'remove leader': 1,
  replace: 2,
  'swap several': 1,
  update: 1,
};

/** Machines ever used in one simulation. */
const HOSTS_MAX = 14;
const DEADLINE_MS = { min: 200, max: 3_000 };
/** A joining member starts this long after the change was asked for, at most. Milliseconds. */
const START_LATE_MS_MAX = 500;

/** Changes who is in the cluster, and who leads it, while everything else goes on. */
export class Operator {
  #active = true;
  readonly #world: World;

  constructor(
    private readonly cluster: Cluster,
    private readonly settings: OperatorSettings,
    private readonly random: Random,
  ) {
    this.#world = cluster.world;
    this.#again(settings.changeMs, () => this.#change());
    this.#again(settings.transferMs, () => this.#transfer());
  }

  stop(): void {
    this.#active = false;
  }

  #again(meanMs: number, act: () => void): void {
    if (meanMs === Infinity) return;
    this.#world.after(this.random.exponential(meanMs), () => {
      if (!this.#active) return;
      act();
      this.#again(meanMs, act);
    });
  }

  #change(): void {
    const hosts = this.cluster.responsive();
    if (hosts.length === 0) return;
    const leader = this.cluster.leader();
    const via = leader?.isPaused === false && this.random.chance(0.5) ? leader : this.random.pick(hosts);
    const configuration = (leader ?? via).driver?.configuration();
    if (configuration === undefined || configuration.voters.length === 0) return;
    const wish = this.random.weighted(this.settings.wishes);
    const changes = this.#changesFor(wish, configuration);
    if (changes.length > 0) this.#ask(via, wish, changes);
  }

  #ask(via: Host, wish: Wish, changes: readonly ConfigurationChange[]): void {
    const { life } = via;
    for (const change of changes) if (change.type === 'add') this.#startJoining(numberOf(change.member.id));
    life?.process.after(0, () => {
      this.#world.note(via.member, `is asked to ${changes.map(describeChange).join(', ')}`);
      void this.#carryOut(life, wish, changes);
    });
  }

  async #carryOut(life: Life, wish: Wish, changes: readonly ConfigurationChange[]): Promise<void> {
    const deadline = life.clock.now() + this.random.uniform(DEADLINE_MS.min, DEADLINE_MS.max);
    const outcome = await life.driver?.changeConfiguration(changes, { deadline });
    if (outcome === undefined || !life.isAlive) return;
    const { member } = life;
    if (outcome.type !== 'applied') {
      this.#world.count(`change ${outcome.type}: ${outcome.reason}`);
      this.#world.note(member, `tells that this is ${outcome.type}, ${outcome.reason}`);
      return;
    }
    const told = describeConfiguration(outcome.result);
    this.#world.count(`membership: ${wish}`);
    this.#world.note(member, `tells that the configuration is ${told}`);
    if (describeConfiguration(this.cluster.checks.ledger.configurationAt(outcome.index)) === told) return;
    this.#world.fail(`member ${member} says that the configuration ${told} is applied, and another one is`);
  }

  /** A member that joins starts empty, before or after it is asked in. */
  #startJoining(member: number): void {
    const host = this.cluster.host(member);
    this.#world.after(this.random.uniform(0, START_LATE_MS_MAX), () => host?.start());
  }

  #changesFor(wish: Wish, configuration: Configuration): ConfigurationChange[] {
    const { voters, learners } = configuration;
    const mayAdd = this.cluster.hosts.length < HOSTS_MAX;
    const hasRoom = mayAdd && voters.length < this.settings.votersMax;
    const wishes: Readonly<Record<Wish, () => ConfigurationChange[]>> = {
      'add learner': () => (mayAdd && learners.length < 2 ? [this.#add(true, configuration)] : []),
      'add voter': () => (hasRoom ? [this.#add(false, configuration)] : []),
      promote: () => (learners.length > 0 ? [{ type: 'promote', id: this.random.pick(learners) }] : []),
      demote: () =>
        this.#canSpareOne(configuration) ? [{ type: 'demote', id: this.#pickOther(voters) }] : [],
      remove: () => this.#remove(this.random.pick([...voters, ...learners]), configuration),
      'remove leader': () => this.#removeLeader(configuration),
      replace: () =>
        mayAdd ? [this.#add(false, configuration), { type: 'remove', id: this.random.pick(voters) }] : [],
      'swap several': () => this.#swap(configuration),
      update: () => [
        { type: 'update', id: this.random.pick(voters), name: `renamed-${this.#world.moment()}` },
      ],
    };
    return isJoint(configuration) ? [] : wishes[wish]();
  }

  #removeLeader(configuration: Configuration): ConfigurationChange[] {
    const leader = this.cluster.leader();
    return leader === undefined ? [] : this.#remove(idOf(leader.member), configuration);
  }

  /** Who joins asks the members who they are, and no more. */
  #add(learner: boolean, { members }: Configuration): ConfigurationChange {
    return { type: 'add', member: describeMember(this.cluster.addHost(members).member), learner };
  }

  #remove(id: bigint, configuration: Configuration): ConfigurationChange[] {
    const isVoter = configuration.voters.includes(id);
    return isVoter && !this.#canSpareOne(configuration) ? [] : [{ type: 'remove', id }];
  }

  /** Not the leader, where there is a choice. */
  #pickOther(voters: readonly bigint[]): bigint {
    const leader = idOf(this.cluster.leader()?.member ?? 0);
    const others = voters.filter((id) => id !== leader);
    return this.random.pick(others.length > 0 ? others : voters);
  }

  #canSpareOne({ voters }: Configuration): boolean {
    return voters.length > this.settings.votersMin;
  }

  /** Learners become voters and as many voters learners, or go. */
  #swap({ voters, learners }: Configuration): ConfigurationChange[] {
    const leaving = this.random.shuffled(voters).slice(0, learners.length);
    return [
      ...learners.map((id): ConfigurationChange => ({ type: 'promote', id })),
      ...leaving.map(
        (id): ConfigurationChange => ({ type: this.random.chance(0.5) ? 'demote' : 'remove', id }),
      ),
    ];
  }

  #transfer(): void {
    const leader = this.cluster.leader();
    const life = leader?.life;
    const voters = leader?.driver?.configuration().voters ?? [];
    if (life === undefined || voters.length === 0) return;
    const to = this.random.pick(voters);
    life.process.after(0, () => {
      const deadline = life.clock.now() + this.random.uniform(DEADLINE_MS.min, DEADLINE_MS.max);
      this.#world.note(life.member, `is asked to hand over to member ${numberOf(to)}`);
      life.driver?.transferLeadership(to, { deadline }).then(
        () => this.#world.count('leadership handed over'),
        () => this.#world.count('leadership not handed over'),
      );
    });
  }
}
