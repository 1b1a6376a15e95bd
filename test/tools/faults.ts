/** What happens to a cluster in a test: random kills, pauses, partitions and slow links, one or two at a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../raft/random.js';
import { ApiClient } from './api-client.js';
import { COLLECTION } from './cluster-load.js';
import { type Cluster, ELECTION_TIMEOUT_MS } from './cluster.js';
import type { ClusterMember } from './cluster-member.js';

/** How long a fault lasts, in milliseconds: from less than an election time-out to several. */
const FAULT_MS_MIN = 200;
const FAULT_MS_MAX = 4 * ELECTION_TIMEOUT_MS;
/** Then everything is well for so long. */
const CALM_MS_MAX = 2 * ELECTION_TIMEOUT_MS;
const DELAY_MS_MAX = 300;
/** More than what makes members checkpoint their databases and cut their logs (storage/mvcc/checkpoint.ts). */
const BULK = { objects: 250, bytes: 120_000, clients: 8, requestMsMax: 10_000 };
/** Of a hundred faults, how many come with a second one. */
const DOUBLE_PERCENT = 35;

/** Brings it about; what is to be done for its end is done by healing everything. */
type Fault = () => Promise<string> | string;

export class Faults {
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #onEvent: (line: string) => void;
  readonly #startedAt = performance.now();
  /** What happened, a line each. */
  readonly log: string[] = [];
  count = 0;

  /** Tells of each event as it happens. */
  constructor(cluster: Cluster, random: Random, onEvent: (line: string) => void = () => undefined) {
    this.#cluster = cluster;
    this.#random = random;
    this.#onEvent = onEvent;
  }

  /** Faults for so long; everything is whole again when it resolves. */
  async run(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      await this.#bringAbout();
      if (this.#random.between(1, 100) <= DOUBLE_PERCENT) {
        await sleep(this.#random.between(0, FAULT_MS_MIN));
        await this.#bringAbout();
      }
      await sleep(this.#random.between(FAULT_MS_MIN, FAULT_MS_MAX));
      await this.#heal();
      await sleep(this.#random.between(0, CALM_MS_MAX));
    }
  }

  async #heal(): Promise<void> {
    const startedAt = performance.now();
    await this.#cluster.heal();
    this.#note(`all is well again after ${Math.round(performance.now() - startedAt)} ms`);
    const [crash] = this.#cluster.crashes;
    if (crash !== undefined) throw new Error(crash);
  }

  async #bringAbout(): Promise<void> {
    const fault = this.#faults[this.#random.between(0, this.#faults.length - 1)];
    if (fault === undefined) return;
    this.count += 1;
    this.#note(await fault());
  }

  #note(text: string): void {
    const line = `${String(Math.round(performance.now() - this.#startedAt)).padStart(8)} ms  ${text}`;
    this.log.push(line);
    this.#onEvent(line);
  }

  readonly #faults: readonly Fault[] = [
    () => this.#kill([this.#any()]),
    () => this.#leaveBehind(this.#any()),
    async () => this.#end(await this.#leader()),
    async () => this.#kill([await this.#leader()]),
    () => this.#kill(this.#some(2)),
    () => this.#kill(this.#cluster.members),
    () => this.#pause([this.#any()]),
    async () => this.#pause([await this.#leader()]),
    () => this.#pause(this.#some(2)),
    () => this.#isolate([this.#any()]),
    async () => this.#isolate([await this.#leader()]),
    async () => this.#isolate(await this.#leaderAndOthers()),
    () => this.#isolateAll(),
    () => this.#holdOneWay(),
    async () => this.#muteOrDeafen(await this.#leader()),
    () => this.#slow(),
    () => this.#cut(),
  ];

  #any(): ClusterMember {
    const [member] = this.#some(1);
    if (member === undefined) throw new Error('a cluster has members');
    return member;
  }

  #some(count: number): ClusterMember[] {
    const left = [...this.#cluster.members];
    while (left.length > count) left.splice(this.#random.between(0, left.length - 1), 1);
    return left;
  }

  async #leader(): Promise<ClusterMember> {
    return (await this.#cluster.leader()) ?? this.#any();
  }

  /** The largest minority with the leader in it, of five members or more; else the leader. */
  async #leaderAndOthers(): Promise<ClusterMember[]> {
    const leader = await this.#leader();
    const count = Math.floor((this.#cluster.members.length - 1) / 2);
    const others = this.#some(count).filter((member) => member !== leader);
    return [leader, ...others.slice(0, count - 1)];
  }

  async #kill(members: readonly ClusterMember[]): Promise<string> {
    await Promise.all(members.map((member) => member.stop('SIGKILL')));
    return `${namesOf(members)} killed`;
  }

  /** As its user would. */
  async #end(member: ClusterMember): Promise<string> {
    if (member.isRunning) await member.end();
    return `${member.name} stopped`;
  }

  /** It is away while more is written than the others keep in their logs, and has to be sent a snapshot. */
  async #leaveBehind(member: ClusterMember): Promise<string> {
    await member.stop('SIGKILL');
    const present = this.#cluster.members.filter(({ isRunning }) => isRunning);
    const client = new ApiClient();
    let written = 0;
    const write = async (worker: number) => {
      for (let number = worker; number < BULK.objects; number += BULK.clients) {
        const url = `${present[number % present.length]?.url}${COLLECTION}`;
        const name = `bulk-${this.count}-${number}`;
        const body = { metadata: { name }, data: { filler: 'x'.repeat(BULK.bytes) } };
        const request = { method: 'POST', url, body, timeoutMs: BULK.requestMsMax } as const;
        const answer = await client.send(request).catch(() => undefined);
        // Beside another fault it may be impossible.
        if (answer?.status !== 201) return;
        written += 1;
      }
    };
    await Promise.all(Array.from({ length: BULK.clients }, (_, worker) => write(worker)));
    client.close();
    return `${member.name} was killed, and away for ${written} large writes`;
  }

  #pause(members: readonly ClusterMember[]): string {
    for (const member of members) member.pause();
    return `${namesOf(members)} paused`;
  }

  #isolate(members: readonly ClusterMember[]): string {
    const names = members.map(({ name }) => name);
    this.#cluster.network.isolate(names, this.#cluster.names);
    return `${namesOf(members)} isolated`;
  }

  #isolateAll(): string {
    for (const name of this.#cluster.names) this.#cluster.network.isolate([name], this.#cluster.names);
    return 'everyone isolated';
  }

  #pair(): [string, string] {
    const [one, other] = this.#some(2);
    if (one === undefined || other === undefined) throw new Error('a cluster has two members');
    return this.#random.between(0, 1) === 0 ? [one.name, other.name] : [other.name, one.name];
  }

  #holdOneWay(): string {
    const [from, to] = this.#pair();
    this.#cluster.network.hold(from, to);
    return `nothing passes from ${from} to ${to}`;
  }

  /** It is not heard by anyone, or hears nobody. */
  #muteOrDeafen({ name }: ClusterMember): string {
    const isMute = this.#random.between(0, 1) === 0;
    for (const other of this.#cluster.names) {
      if (other === name) continue;
      if (isMute) this.#cluster.network.hold(name, other);
      else this.#cluster.network.hold(other, name);
    }
    return isMute ? `nobody hears ${name}` : `${name} hears nobody`;
  }

  #slow(): string {
    const [from, to] = this.#pair();
    const delayMs = this.#random.between(1, DELAY_MS_MAX);
    this.#cluster.network.delay(from, to, delayMs);
    return `${delayMs} ms from ${from} to ${to}`;
  }

  #cut(): string {
    const [from, to] = this.#pair();
    this.#cluster.network.refuse(from, to);
    return `${from} cannot connect to ${to}`;
  }
}

function namesOf(members: readonly ClusterMember[]): string {
  return members.map(({ name }) => name).join(' and ');
}
