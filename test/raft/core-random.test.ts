/**
 * Random schedules of the state machine alone: loss, repetition, reordering, power cuts, slow disks, partitions, cut
 * logs, snapshots and changes of the configuration. Safety at every step, and once it is quiet everyone goes on.
 */
import t from 'tap';
import {
  decodeConfiguration,
  encodeChanges,
  memberOf as find,
  type Configuration,
  type ConfigurationChange,
} from '../../raft/core/configuration.js';
import type { LogEntry } from '../../raft/log/log.js';
import { CoreCluster, memberOf, proposal, TIMES, type CoreMember } from './core-cluster.js';
import { random, type Random } from './random.js';

const SCHEDULES = 100;
const STEPS = 500;
const IDS = [1n, 2n, 3n, 4n, 5n];

class Schedule {
  readonly cluster = new CoreCluster({
    voters: IDS.slice(0, 3),
    limits: { messagesMax: 4, bytesMax: 200, appendBytesMax: 60 },
  });
  /** Who led each term. */
  readonly #leaders = new Map<number, bigint>();
  /** What was committed anywhere, by index. */
  readonly #committed: string[] = [];
  /** The configuration in force behind each committed index. */
  readonly #configurations: Configuration[] = [];
  /** By question: what was committed anywhere when it was put. */
  readonly #reads = new Map<number, number>();
  #counter = 0;

  constructor(private readonly random: Random) {
    for (const id of IDS.slice(3)) this.cluster.add(id);
    this.#configurations.push(this.cluster.get(1n).raft.configuration);
  }

  get #members(): CoreMember[] {
    return [...this.cluster.members.values()];
  }

  #chance(percent: number): boolean {
    return this.random.between(1, 100) <= percent;
  }

  #pick<T>(list: readonly T[]): T {
    const picked = list[this.random.between(0, list.length - 1)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  step(): void {
    const member = this.#pick(this.#members);
    const what = this.random.between(1, 100);
    if (what <= 55) this.#network();
    else if (what <= 67) this.#time();
    else if (what <= 77) this.#propose(member);
    else if (what <= 82) this.#read(member);
    else if (what <= 86) this.#change(member);
    else if (what <= 89) member.autoSync = !member.autoSync;
    else if (what <= 93) member.sync();
    else if (what <= 94) member.restart();
    else if (what <= 95) this.cluster.isolate(this.#pick(IDS));
    else if (what <= 96) this.cluster.heal();
    else if (what <= 97) member.step({ type: 'transfer', to: this.#pick(IDS) });
    else if (what <= 98) member.step({ type: 'unreachable', member: this.#pick(IDS) });
    else this.#cutLog(member);
    this.#verify();
    this.#serve();
    this.#verify();
  }

  /** Delivers one message of any age, perhaps twice; or loses it. */
  #network(): void {
    const { queue } = this.cluster;
    if (queue.length === 0) return;
    const [message] = queue.splice(this.random.between(0, Math.min(queue.length - 1, 6)), 1);
    if (message === undefined || this.#chance(8)) return;
    if (this.#chance(5)) queue.push(message);
    this.cluster.bringIfConnected(message);
  }

  #time(): void {
    this.cluster.now += this.random.between(
      1,
      this.#chance(10) ? TIMES.electionTimeoutMs : TIMES.heartbeatMs,
    );
    for (const member of this.#members) {
      if (member.raft.deadline <= this.cluster.now && this.#chance(80)) member.step({ type: 'tick' });
    }
  }

  #propose(member: CoreMember): void {
    this.#counter += 1;
    member.step({ type: 'propose', proposals: [proposal(member.id, this.#counter)] });
  }

  #read(member: CoreMember): void {
    this.#counter += 1;
    this.#reads.set(this.#counter, this.#committed.length);
    member.step({ type: 'read', id: this.#counter });
  }

  #change(member: CoreMember): void {
    const wish = (): ConfigurationChange => {
      const id = this.#pick(IDS);
      const isMember = find(member.raft.configuration, id) !== undefined;
      if (!isMember) return { type: 'add', member: memberOf(id), learner: this.#chance(50) };
      return { type: this.#pick(['promote', 'demote', 'remove', 'update'] as const), id };
    };
    const wishes = Array.from({ length: this.random.between(1, 3) }, wish);
    // Three stay at least, so that there is something left to test.
    if (wishes.some(({ type }) => type === 'remove') && member.raft.configuration.removed.length > 1) return;
    this.#counter += 1;
    const payload = encodeChanges(wishes);
    const change = { ...proposal(member.id, this.#counter), type: 'configuration' as const, payload };
    member.step({ type: 'propose', proposals: [change] });
  }

  #cutLog(member: CoreMember): void {
    const { log, raft } = member;
    const through = this.random.between(log.firstIndex - 1, raft.commit);
    if (through >= log.firstIndex) log.cut(through, this.#configurationAt(through));
    log.evict(this.random.between(log.firstIndex, log.lastIndex + 1));
  }

  #configurationAt(index: number): Configuration {
    const configuration = this.#configurations[index];
    if (configuration === undefined) throw new Error(`nothing is known of ${index}`);
    return configuration;
  }

  /** What members have asked of their drivers. */
  #serve(percent = 30): void {
    for (const leader of this.#members) {
      for (const { member, from, through, maxBytes } of leader.fetches.splice(0)) {
        const isThere = from >= leader.log.firstIndex;
        const entries = isThere ? leader.log.readDisk(from, through, maxBytes) : [];
        leader.step({ type: 'fetched', member, entries });
      }
      if (!this.#chance(percent)) continue;
      for (const { member } of leader.snapshots.splice(0)) this.#sendSnapshot(leader, member, percent);
    }
  }

  #sendSnapshot(sender: CoreMember, to: bigint, percent: number): void {
    const receiver = this.cluster.get(to);
    const index = sender.raft.commit;
    const arrives = percent === 100 || this.#chance(70);
    if (arrives && index > receiver.raft.commit) {
      const term = sender.log.term(index) ?? 0;
      receiver.step({ type: 'installed', index, term, configuration: this.#configurationAt(index) });
    }
    sender.step({ type: 'snapshot-sent', member: to, index: arrives ? index : undefined });
  }

  // ---- What must hold

  #verify(): void {
    for (const member of this.#members) {
      if (member.raft.role === 'leader') this.#verifyLeader(member);
      this.#verifyCommitted(member);
      for (const { id, index } of member.reads.splice(0)) {
        check(index >= (this.#reads.get(id) ?? 0), `read ${id} at ${index} misses what was committed before`);
      }
    }
  }

  #verifyLeader({ id, raft }: CoreMember): void {
    const other = this.#leaders.get(raft.term) ?? id;
    check(other === id, `${id} and ${other} lead in term ${raft.term}`);
    this.#leaders.set(raft.term, id);
  }

  #verifyCommitted({ id, raft, log }: CoreMember): void {
    for (const entry of log.content.entries) {
      if (entry.index > raft.commit) break;
      const known = this.#committed[entry.index - 1];
      if (known === undefined) this.#learn(entry);
      else check(known === nameOf(entry), `entry ${entry.index} of ${id} is ${nameOf(entry)}, was ${known}`);
    }
  }

  #learn(entry: LogEntry): void {
    check(
      entry.index === this.#committed.length + 1,
      `entry ${entry.index} was committed before the one before`,
    );
    check(
      entry.type !== 'normal' || !this.#committed.some((name) => name.startsWith(idOf(entry))),
      'taken twice',
    );
    this.#committed.push(nameOf(entry));
    const before = this.#configurationAt(entry.index - 1);
    this.#configurations.push(entry.type === 'configuration' ? decodeConfiguration(entry.payload) : before);
  }

  // ---- Quiet

  /** Everyone hears everyone; within some time-outs there is a leader whose log all members have, and it serves. */
  settle(): void {
    const { cluster } = this;
    cluster.heal();
    for (const member of this.#members) {
      member.autoSync = true;
      member.sync();
    }
    for (let i = 0; i < 400 && !this.#isAlike(); i += 1) {
      cluster.advance(TIMES.heartbeatMs / 2);
      this.#verify();
      this.#serve(100);
      cluster.deliver();
      this.#verify();
    }
    // A transfer that is under way is given up by then.
    cluster.advance(TIMES.electionTimeoutMs);
    check(this.#isAlike(), this.describe());
    const leader = this.#leader;
    check(leader !== undefined, 'nobody leads');
    this.#propose(leader);
    this.#read(leader);
    cluster.deliver();
    this.#verify();
    check(
      this.#committed.at(-1) === `${leader.id}/${this.#counter - 1} in ${leader.raft.term}`,
      'nothing is taken',
    );
  }

  get #leader(): CoreMember | undefined {
    return this.#members
      .filter(({ raft }) => raft.role === 'leader')
      .toSorted((a, b) => b.raft.term - a.raft.term)[0];
  }

  #isAlike(): boolean {
    const leader = this.#leader;
    if (leader === undefined || leader.raft.commit < leader.log.lastIndex) return false;
    return leader.raft.configuration.members.every(({ id }) => {
      const { raft, log } = this.cluster.get(id);
      return (
        raft.leader === leader.id &&
        log.lastIndex === leader.log.lastIndex &&
        raft.commit === leader.raft.commit
      );
    });
  }

  describe(): string {
    return this.#members
      .map(({ id, raft, log }) => {
        const { voters, outgoing, learners } = raft.configuration;
        const lists = [voters, outgoing, learners].map((list) => list.join());
        return `${id}: ${raft.role} of ${raft.leader}, term ${raft.term}, ${log.firstIndex}–${log.lastIndex}, commit ${raft.commit}, ${lists.join(' | ')}`;
      })
      .join('\n');
  }

  get counts() {
    const terms = this.#leaders.size;
    const changes = new Set(this.#configurations).size - 1;
    return { terms, committed: this.#committed.length, changes };
  }
}

function idOf({ requestId }: LogEntry): string {
  return `${requestId.session}/${requestId.counter} `;
}

function nameOf(entry: LogEntry): string {
  return entry.type === 'normal' ? `${idOf(entry)}in ${entry.term}` : `${entry.type} in ${entry.term}`;
}

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

t.test('whatever happens: safe at every step, and alive once it is quiet', async (t) => {
  const source = random();
  t.comment(`WHERRY_TEST_SEED=${source.seed}`);
  const seen = { terms: 0, committed: 0, changes: 0 };
  for (let i = 0; i < SCHEDULES; i += 1) {
    const schedule = new Schedule(source);
    for (let step = 0; step < STEPS; step += 1) schedule.step();
    schedule.settle();
    const { terms, committed, changes } = schedule.counts;
    seen.terms += terms;
    seen.committed += committed;
    seen.changes += changes;
  }
  t.comment(JSON.stringify(seen));
  t.ok(seen.terms > SCHEDULES && seen.committed > 5 * SCHEDULES && seen.changes > SCHEDULES / 4);
});
