/**
 * Several instances of Raft's state machine whose time, network and disks are in the hands of a script: nothing is
 * delivered, synced or due before the test says so.
 */
import {
  decodeConfiguration,
  initialConfiguration,
  NO_CONFIGURATION,
  type Configuration,
} from '../../raft/core/configuration.js';
import type { Effects, Input } from '../../raft/core/effects.js';
import type { LogReader } from '../../raft/core/log-reader.js';
import type { Message, ProposedEntry } from '../../raft/core/messages.js';
import { RAFT_LIMITS, type RaftLimits, type RaftTimes } from '../../raft/core/options.js';
import { Raft } from '../../raft/core/raft.js';
import type { HardState, LogEntry } from '../../raft/log/log.js';

export const TIMES: RaftTimes = { electionTimeoutMs: 1000, heartbeatMs: 100 };

interface Content {
  readonly baseIndex: number;
  readonly baseTerm: number;
  readonly baseConfiguration: Configuration;
  readonly entries: readonly LogEntry[];
  readonly hardState: HardState;
}

/** A log whose last sync the test chooses. */
export class ScriptedLog implements LogReader {
  content: Content;
  #synced: Content;
  /** Entries before it are on disk only. */
  #residentIndex = 0;

  constructor(content: Content) {
    this.content = content;
    this.#synced = content;
  }

  get firstIndex(): number {
    return this.content.baseIndex + 1;
  }

  get lastIndex(): number {
    return this.content.baseIndex + this.content.entries.length;
  }

  get residentIndex(): number {
    return Math.max(this.#residentIndex, this.firstIndex);
  }

  /** Terms of all entries. */
  get terms(): number[] {
    return this.content.entries.map(({ term }) => term);
  }

  term(index: number): number | undefined {
    if (index === this.content.baseIndex) return this.content.baseTerm;
    return this.content.entries[index - this.firstIndex]?.term;
  }

  read(from: number, through: number, maxBytes = Infinity): LogEntry[] {
    if (from < this.residentIndex) throw new Error(`entry ${from} is not in memory`);
    return this.readDisk(from, through, maxBytes);
  }

  /** One entry at least. */
  readDisk(from: number, through: number, maxBytes = Infinity): LogEntry[] {
    if (from < this.firstIndex) throw new Error(`entry ${from} is gone`);
    const found: LogEntry[] = [];
    let bytes = 0;
    for (const entry of this.content.entries.slice(from - this.firstIndex, through - this.firstIndex + 1)) {
      bytes += entry.payload.length;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(entry);
    }
    return found;
  }

  /** Memory lets go of what is before `index`. */
  evict(index: number): void {
    this.#residentIndex = index;
  }

  cut(through: number, configuration: Configuration): void {
    const { entries, baseIndex } = this.content;
    this.content = {
      ...this.content,
      baseIndex: through,
      baseTerm: this.term(through) ?? 0,
      baseConfiguration: configuration,
      entries: entries.slice(through - baseIndex),
    };
    this.#synced = this.content;
  }

  change({ reset, truncateFrom, entries, hardState }: Effects, configuration: Configuration): void {
    if (reset !== undefined) {
      this.content = {
        ...this.content,
        baseIndex: reset.index,
        baseTerm: reset.term,
        baseConfiguration: configuration,
        entries: [],
      };
    }
    const kept = truncateFrom === undefined ? undefined : truncateFrom - this.firstIndex;
    this.content = {
      ...this.content,
      entries: [...this.content.entries.slice(0, kept), ...entries],
      hardState: hardState ?? this.content.hardState,
    };
  }

  sync(): void {
    this.#synced = this.content;
  }

  loseUnsynced(): void {
    this.content = this.#synced;
  }
}

export class CoreMember {
  raft!: Raft;
  /** Whether each step is followed by a sync. */
  autoSync = true;
  /** What waits for a sync. */
  waiting: Message[] = [];
  /** Of the last step. */
  effects!: Effects;
  readonly reads: { readonly id: number; readonly index: number }[] = [];
  readonly refused: Effects['refused'] = [];
  readonly fetches: Effects['fetches'] = [];
  readonly snapshots: Effects['snapshots'] = [];

  constructor(
    private readonly cluster: CoreCluster,
    readonly id: bigint,
    readonly log: ScriptedLog,
    private readonly fraction: number,
    private readonly limits: RaftLimits,
  ) {
    this.start();
  }

  /** A new process on what the disk holds. */
  start(): void {
    const { baseIndex, baseConfiguration, entries, hardState } = this.log.content;
    this.waiting = [];
    this.raft = new Raft({
      id: this.id,
      log: this.log,
      hardState,
      applied: baseIndex,
      configuration: baseConfiguration,
      laterConfigurations: entries
        .filter(({ type }) => type === 'configuration')
        .map(({ index, payload }) => ({ index, configuration: decodeConfiguration(payload) })),
      times: TIMES,
      limits: this.limits,
      random: () => this.fraction,
      now: this.cluster.now,
    });
  }

  /** The power fails, and comes back. */
  restart(): void {
    this.log.loseUnsynced();
    this.start();
  }

  step(input: Input): Effects {
    const effects = this.raft.step(input, this.cluster.now);
    this.effects = effects;
    this.log.change(effects, this.raft.configuration);
    this.waiting.push(...effects.messagesAfterSync);
    this.reads.push(...effects.reads);
    this.refused.push(...effects.refused);
    this.fetches.push(...effects.fetches);
    this.snapshots.push(...effects.snapshots);
    this.cluster.send(effects.messages);
    if (this.autoSync) this.sync();
    return effects;
  }

  sync(): void {
    this.log.sync();
    const waiting = this.waiting;
    this.waiting = [];
    this.cluster.send(waiting.filter(({ to }) => to !== this.id));
    for (const message of waiting) if (message.to === this.id) this.step({ type: 'message', message });
  }

  receive(message: Message): Effects {
    return this.step({ type: 'message', message });
  }

  /** A normal entry of the session that is this member's id. */
  propose(counter: number, payload = `entry ${counter}`): Effects {
    return this.step({ type: 'propose', proposals: [proposal(this.id, counter, payload)] });
  }

  /** Payloads of the normal entries that are committed. */
  get committed(): string[] {
    return this.log.content.entries
      .filter(({ index, type }) => index <= this.raft.commit && type === 'normal')
      .map(({ payload }) => Buffer.from(payload).toString());
  }
}

export interface CoreOptions {
  readonly voters: readonly bigint[];
  readonly learners?: readonly bigint[];
  /** Terms of the entries that a member starts with; none when absent. */
  readonly logs?: Readonly<Record<string, readonly number[]>>;
  /** The term in which everyone starts; that of the last entry if that is higher. */
  readonly term?: number;
  readonly limits?: Partial<RaftLimits>;
  /** Payload bytes of the entries that a member starts with. */
  readonly payloadBytes?: number;
}

export class CoreCluster {
  now = 0;
  /** On their way, in the order in which they were sent. */
  queue: Message[] = [];
  readonly members = new Map<bigint, CoreMember>();
  readonly #cut = new Set<string>();
  readonly #options: CoreOptions;

  constructor(options: CoreOptions) {
    this.#options = options;
    const { voters, learners = [], logs = {} } = options;
    const configuration = configurationOf(voters, learners);
    for (const id of [...voters, ...learners]) this.add(id, configuration, logs[String(id)]);
  }

  /** A member that has joined and not heard of anyone yet, if no configuration is given. */
  add(id: bigint, baseConfiguration = NO_CONFIGURATION, terms: readonly number[] = []): CoreMember {
    const { term = 0, limits, payloadBytes = 10 } = this.#options;
    const hardState = { term: Math.max(term, terms.at(-1) ?? 0), vote: 0n, commit: 0 };
    const entries = terms.map((of, position) => entryOf(position + 1, of, payloadBytes));
    const log = new ScriptedLog({ baseIndex: 0, baseTerm: 0, baseConfiguration, entries, hardState });
    const fraction = Number(id % 10n) / 10;
    const member = new CoreMember(this, id, log, fraction, { ...RAFT_LIMITS, ...limits });
    this.members.set(id, member);
    return member;
  }

  get(id: bigint): CoreMember {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`there is no member ${id}`);
    return member;
  }

  send(messages: readonly Message[]): void {
    this.queue.push(...messages);
  }

  // ---- The network

  cut(from: bigint, to: bigint): void {
    this.#cut.add(`${from}>${to}`);
  }

  /** Cut off from all others in both directions. */
  isolate(...ids: readonly bigint[]): void {
    for (const id of ids) {
      for (const other of this.members.keys()) {
        if (ids.includes(other)) continue;
        this.cut(id, other);
        this.cut(other, id);
      }
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  /** Delivers until nothing is on its way. Returns what was delivered. */
  deliver(): Message[] {
    const delivered: Message[] = [];
    for (let message = this.queue.shift(); message !== undefined; message = this.queue.shift()) {
      if (delivered.length > 10_000) throw new Error('the members never stop talking');
      if (this.#cut.has(`${message.from}>${message.to}`)) continue;
      const member = this.members.get(message.to);
      if (member === undefined) continue;
      delivered.push(message);
      member.receive(message);
    }
    return delivered;
  }

  /** Delivers these, in this order; what they bring about stays on its way. */
  bring(messages: readonly Message[]): void {
    for (const message of messages) this.get(message.to).receive(message);
  }

  /** Delivers one, if there is a way. */
  bringIfConnected(message: Message): void {
    if (!this.#cut.has(`${message.from}>${message.to}`)) this.members.get(message.to)?.receive(message);
  }

  /** Takes messages out of the network, to be lost, or delivered by hand. */
  take<T extends Message['type']>(
    type: T,
    where: Partial<Pick<Message, 'from' | 'to'>> = {},
  ): Extract<Message, { type: T }>[] {
    const isWanted = (message: Message): message is Extract<Message, { type: T }> =>
      message.type === type &&
      (where.from === undefined || message.from === where.from) &&
      (where.to === undefined || message.to === where.to);
    const taken = this.queue.filter(isWanted);
    this.queue = this.queue.filter((message) => !isWanted(message));
    return taken;
  }

  // ---- Time

  /** Time goes on without a network: members are ticked when they are due, and whatever is sent then is delivered. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.members.values()].toSorted((a, b) => a.raft.deadline - b.raft.deadline)[0];
      if (due === undefined || due.raft.deadline > end) break;
      this.now = Math.max(this.now, due.raft.deadline);
      due.step({ type: 'tick' });
      this.deliver();
    }
    this.now = end;
  }

  /** A member stands, as its time-out is over and nobody has heard of a leader for long. */
  elect(id: bigint): CoreMember {
    const member = this.get(id);
    this.now += TIMES.electionTimeoutMs;
    member.step({ type: 'campaign' });
    this.deliver();
    if (member.raft.role !== 'leader') throw new Error(`member ${id} did not win`);
    return member;
  }

  get leaders(): bigint[] {
    return [...this.members.values()].filter(({ raft }) => raft.role === 'leader').map(({ id }) => id);
  }
}

/** Tidied ids for configurations of tests. */
export function configurationOf(voters: readonly bigint[], learners: readonly bigint[] = []): Configuration {
  const members = [...voters, ...learners].map(memberOf);
  return { ...initialConfiguration(members), voters, learners };
}

export function memberOf(id: bigint) {
  return { id, name: `m${id}`, peerUrls: [`http://127.0.0.1:${2000n + id}`], clientUrls: [] };
}

export function proposal(session: bigint, counter: number, payload = `entry ${counter}`): ProposedEntry {
  return { type: 'normal', requestId: { session, counter }, payload: Buffer.from(payload) };
}

function entryOf(index: number, term: number, payloadBytes: number): LogEntry {
  return {
    format: 1,
    index,
    term,
    type: 'normal',
    requestId: { session: 0n, counter: 0 },
    payload: Buffer.alloc(payloadBytes, `${index}/${term} `),
  };
}
