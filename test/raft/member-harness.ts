/** Several members in one process: real drivers on logs in memory, a network and a clock in the test's hands. */
import { deepStrictEqual } from 'node:assert';
import type { Test } from 'tap';
import { NO_CONFIGURATION, type Configuration } from '../../raft/core/configuration.js';
import type { RaftLog } from '../../raft/log/log.js';
import { MemoryLog } from '../../raft/log/memory.js';
import { Member } from '../../raft/node/member.js';
import type { MemberOptions } from '../../raft/node/options.js';
import { configurationOf, memberOf } from './core-cluster.js';
import { ManualClock } from './manual-clock.js';
import { MemoryNetwork, type MemoryTransport } from './memory-network.js';
import { ReplicatedMachine } from './replicated-machine.js';

export const TIMES = { electionTimeoutMs: 1000, heartbeatMs: 100 };

type Overrides = Partial<MemberOptions<string>>;

export interface Node {
  readonly id: bigint;
  readonly log: RaftLog;
  readonly machine: ReplicatedMachine;
  readonly transport: MemoryTransport;
  readonly member: Member<string>;
  readonly fatal: unknown[];
  /** How often it was told that it is removed. */
  removals: number;
}

export class Cluster {
  readonly clock = new ManualClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly nodes = new Map<bigint, Node>();
  #sessions = 0n;

  private constructor(
    private readonly initial: Configuration,
    private readonly overrides: Overrides,
  ) {}

  /** Started, with a leader. Everything is stopped, and looked at once more, at the end of the test. */
  static async start(t: Test, voters: readonly bigint[], overrides: Overrides = {}): Promise<Cluster> {
    const cluster = new Cluster(configurationOf(voters), overrides);
    t.teardown(() => cluster.stop());
    for (const id of voters) await cluster.startNode(id);
    await cluster.untilLed();
    return cluster;
  }

  /** A member with an empty log that waits to hear from a leader, if it is not one of the first. */
  async startNode(id: bigint, overrides: Overrides = {}): Promise<Node> {
    const { log = new MemoryLog() } = overrides;
    const isFirst = this.initial.voters.includes(id);
    const joining = { ...NO_CONFIGURATION, members: this.initial.members };
    const machine = new ReplicatedMachine(log, isFirst ? this.initial : joining);
    return await this.#run(id, log, machine, overrides);
  }

  /** A new process on the same disk. */
  async restart(id: bigint): Promise<Node> {
    const { log, machine, member } = this.get(id);
    await this.finish(member.stop());
    return await this.#run(id, log, machine, {});
  }

  async #run(id: bigint, log: RaftLog, machine: ReplicatedMachine, overrides: Overrides): Promise<Node> {
    const transport = this.network.transport(id);
    const fatal: unknown[] = [];
    this.#sessions += 1n;
    const node: { -readonly [K in keyof Node]: Node[K] } = {
      id,
      log,
      machine,
      transport,
      fatal,
      removals: 0,
      member: await Member.start<string>({
        clusterId: 1n,
        memberId: id,
        session: (this.#sessions << 32n) + this.#sessions,
        log,
        stateMachine: machine,
        transport,
        onFatal: (error) => fatal.push(error),
        onRemoved: () => (node.removals += 1),
        times: TIMES,
        clock: this.clock,
        random: () => Number(id % 10n) / 10,
        ...this.overrides,
        ...overrides,
      }),
    };
    this.nodes.set(id, node);
    return node;
  }

  get(id: bigint): Node {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`there is no member ${id}`);
    return node;
  }

  /** Whoever leads in the highest term; undefined while nobody does. */
  get leader(): Node | undefined {
    const leading = [...this.nodes.values()].filter(({ id, member }) => member.status().leaderId === id);
    return leading.toSorted((a, b) => b.member.status().term - a.member.status().term)[0];
  }

  get followers(): Node[] {
    return [...this.nodes.values()].filter((node) => node !== this.leader);
  }

  get follower(): Node {
    const [follower] = this.followers;
    if (follower === undefined) throw new Error('there is no follower');
    return follower;
  }

  async untilLed(except?: bigint): Promise<Node> {
    const isLed = () => this.leader !== undefined && this.leader.id !== except;
    await this.clock.until(isLed, 5 * TIMES.electionTimeoutMs);
    const { leader } = this;
    if (leader === undefined) throw new Error('nobody leads');
    // Until it has committed something in its term.
    await this.clock.until(
      () => leader.log.term(leader.member.status().committed) === leader.member.status().term,
      5 * TIMES.electionTimeoutMs,
    );
    return leader;
  }

  /** A deadline so many milliseconds from now. */
  within(ms: number) {
    return { deadline: this.clock.now() + ms };
  }

  propose(id: bigint, text: string, ms = 60_000) {
    return this.get(id).member.propose(Buffer.from(text), this.within(ms));
  }

  add(id: bigint, learner: boolean) {
    const { member } = this.leader ?? this.get(1n);
    return member.changeConfiguration([{ type: 'add', member: memberOf(id), learner }], this.within(60_000));
  }

  /** Lets time pass until a promise has settled. */
  async finish<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
    let isSettled = false;
    const settled = () => (isSettled = true);
    promise.then(settled, settled);
    await this.clock.until(() => isSettled, withinMs);
    return await promise;
  }

  /** Until everyone that takes part has applied the same. */
  async untilAlike(nodes = [...this.nodes.values()]): Promise<void> {
    const applied = () => new Set(nodes.map(({ machine }) => machine.applied.index));
    const last = () => Math.max(...nodes.map(({ log }) => log.lastIndex));
    await this.clock.until(() => applied().size === 1 && applied().has(last()), 30_000);
  }

  async stop(): Promise<void> {
    this.network.heal();
    this.network.loses = () => false;
    for (const { machine } of this.nodes.values()) machine.letGo();
    await this.finish(Promise.all([...this.nodes.values()].map(({ member }) => member.stop())));
    const histories = [...this.nodes.values()].map(({ machine }) => machine.payloads);
    const longest = histories.toSorted((a, b) => b.length - a.length)[0] ?? [];
    for (const { id, machine } of this.nodes.values()) {
      deepStrictEqual(machine.violations, [], `member ${id}`);
      deepStrictEqual(machine.payloads, longest.slice(0, machine.payloads.length), `what member ${id} did`);
    }
  }
}
