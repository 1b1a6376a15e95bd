import { decodeConfiguration, type Configuration } from '../../raft/core/configuration.js';
import { tally } from '../../raft/core/quorum.js';
import type { LogEntry } from '../../raft/log/log.js';
import { ConfigurationTrack } from './configuration-track.js';
import { describeConfiguration } from './describe.js';
import { idOf, numberOf } from './ids.js';
import { isSameEntry, Ledger } from './ledger.js';
import { LogMatching } from './log-matching.js';
import type { LogDisk } from './log-disk.js';
import type { LogWatcher, SimulatedLog } from './log.js';
import type { MachineState } from './machine-state.js';
import type { MachineWatcher, SimulatedMachine } from './machine.js';
import type { ConsensusStatus } from '../../raft/node/consensus.js';
import type { World } from './world.js';

/** One life of a member, as the checks see it. */
export interface Watched {
  readonly member: number;
  readonly disk: LogDisk;
  readonly log: SimulatedLog;
  readonly machine: SimulatedMachine;
  /** Undefined while it is starting. */
  readonly driver: { status(): ConsensusStatus; configuration(): Configuration } | undefined;
  readonly isAlive: boolean;
}

/** What was seen of one life last. */
interface Seen {
  committed: number;
  applied: number;
  leads: boolean;
  term: number;
  /** In force after the event before, by the log. */
  configuration: Configuration;
  /** What is in force, by the log. */
  readonly track: ConfigurationTrack;
  /** What were compared last: the driver's, and the log's. */
  compared: readonly [Configuration, Configuration] | undefined;
}

/**
 * The properties that Raft promises (Raft, figure 3) and what the driver promises on top, checked on every member
 * after each event. Entries, disks and configurations are looked at as they are, past the code under test.
 */
export class Checks {
  readonly ledger: Ledger;
  readonly #seen = new Map<Watched, Seen>();
  readonly #leaders = new Map<number, number>();
  readonly #matching = new LogMatching();
  readonly #rejected = new Set<number>();

  constructor(
    private readonly world: World,
    /** Disks of all members, by number; undefined if there is none. */
    private readonly diskOf: (member: number) => LogDisk | undefined,
    /** Those that run now. */
    private readonly running: () => Iterable<Watched>,
    initial: Configuration,
  ) {
    this.ledger = new Ledger(initial);
  }

  // ---- One life of a member

  begin(life: Watched): void {
    const { log, disk, machine } = life;
    const base = log.firstIndex - 1;
    // Of the first configuration no entry tells: who has joined does not know it, unless by a snapshot.
    const own = decodeConfiguration(machine.configuration);
    const configuration = this.ledger.isInitialAt(base) ? own : this.ledger.configurationAt(base);
    const track = new ConfigurationTrack({ index: base, configuration }, disk.entries);
    this.#seen.set(life, {
      committed: base,
      applied: machine.applied.index,
      leads: false,
      term: 0,
      configuration: track.newest,
      track,
      compared: undefined,
    });
    if (base > this.ledger.lastIndex)
      this.#fail(life, `has cut its log at ${base}, which was never committed`);
  }

  end(life: Watched): void {
    this.observe(life);
    this.#seen.delete(life);
  }

  /** After an event, and all that came of it. */
  observe(life: Watched): void {
    const seen = this.#seen.get(life);
    if (seen === undefined || life.driver === undefined) return;
    const { committed, leaderId, term } = life.driver.status();
    const leads = leaderId === idOf(life.member);
    if (term < seen.term) this.#fail(life, `went back from term ${seen.term} to ${term}`);
    if (leads && (!seen.leads || term !== seen.term)) this.#elected(life, term);
    const { leads: led } = seen;
    seen.leads = leads;
    seen.term = term;
    if (committed < seen.committed) {
      this.#fail(life, `took back its commit index from ${seen.committed} to ${committed}`);
    }
    if (committed > seen.committed) this.#advance(life, seen, committed, leads || led ? term : 0);
    this.#compareConfigurations(life, seen);
  }

  #elected(life: Watched, term: number): void {
    this.world.count('elections');
    this.world.note(life.member, `leads term ${term}`);
    const other = this.#leaders.get(term);
    if (other !== undefined && other !== life.member) {
      this.#fail(life, `and member ${other} both lead term ${term} (election safety)`);
    }
    this.#leaders.set(term, life.member);
    for (let index = life.log.firstIndex; index <= this.ledger.lastIndex; index += 1) {
      if (this.ledger.inTerm(index) < term) this.#requireCommitted(life, term, index);
    }
  }

  #requireCommitted(life: Watched, term: number, index: number): void {
    const entry = this.ledger.entry(index);
    const own = life.log.entry(index);
    if (index < life.log.firstIndex || entry === undefined) return;
    if (own !== undefined && isSameEntry(entry, own)) return;
    const has = own === undefined ? 'does not have' : `has another one (of term ${own.term}) in place of`;
    this.#fail(
      life,
      `leads term ${term} and ${has} entry ${index}/${entry.term}, which is committed (leader completeness)`,
    );
  }

  // ---- What is committed

  #advance(life: Watched, seen: Seen, committed: number, inTerm: number): void {
    for (let index = seen.committed + 1; index <= committed; index += 1) {
      const entry = life.log.entry(index);
      const known = this.ledger.entry(index);
      const isSame = known !== undefined && entry !== undefined && isSameEntry(known, entry);
      // A log whose disk has failed stays as it was, whatever was installed in its place.
      if (!isSame && known !== undefined && life.log.failure !== undefined) continue;
      if (known === undefined && entry !== undefined) {
        this.#commit(life, seen, entry, Math.max(inTerm, entry.term));
      } else if (known === undefined) {
        if (index >= life.log.firstIndex)
          this.#fail(life, `takes ${index} for committed and does not have it`);
        else this.#fail(life, `has a snapshot of ${index}, which was never committed`);
      } else if (known !== undefined && entry !== undefined && !isSame) {
        const terms = `of term ${entry.term}, the committed one is of term ${known.term}`;
        this.#fail(life, `takes another entry ${index} for committed: ${terms} (state machine safety)`);
      }
      if (this.world.failure !== undefined) return;
    }
    seen.committed = committed;
  }

  /** The first member that takes an entry for committed must be right: a majority has it on disk. */
  #commit(life: Watched, seen: Seen, entry: LogEntry, inTerm: number): void {
    const { index, term } = entry;
    const configurations = [seen.configuration, seen.track.newest];
    if (!configurations.some((configuration) => this.#isOnMajority(configuration, index, term))) {
      const where = [...new Set(configurations)].map(describeConfiguration).join(' or ');
      this.#fail(life, `takes ${index}/${term} for committed, and no majority of ${where} has it on disk`);
    }
    const { command, isSecond } = this.ledger.add(entry, inTerm);
    if (isSecond) this.#fail(life, `commits command ${command} a second time, at ${index}`);
    if (this.#rejected.has(command)) this.#fail(life, `commits command ${command}, which was rejected`);
    for (const other of this.running()) {
      const { leads, term: otherTerm } = this.#seen.get(other) ?? { leads: false, term: 0 };
      if (leads && otherTerm > inTerm) this.#requireCommitted(other, otherTerm, index);
    }
  }

  #isOnMajority(configuration: Configuration, index: number, term: number): boolean {
    const voters = new Set([...configuration.voters, ...configuration.outgoing]);
    const held = [...voters].map(
      (id) => [id, this.diskOf(numberOf(id))?.holds(index, term) === true] as const,
    );
    return voters.size > 0 && tally(configuration, new Map(held)) === 'won';
  }

  // ---- Logs

  logWatcher(life: () => Watched | undefined): LogWatcher {
    return {
      appended: (entries) => this.#appended(life(), entries),
      truncated: (from) => this.#truncated(life(), from),
      reset: (index) => {
        const seen = this.#seenOf(life());
        if (seen === undefined) return;
        seen.track.reset({ index, configuration: this.ledger.configurationAt(index) });
        seen.committed = Math.max(seen.committed, index);
      },
    };
  }

  #appended(life: Watched | undefined, entries: readonly LogEntry[]): void {
    const seen = this.#seenOf(life);
    if (life === undefined || seen === undefined) return;
    for (const entry of entries) {
      const { problem, isNew } = this.#matching.add(entry, life.log.term(entry.index - 1) ?? 0);
      if (problem !== undefined) this.#fail(life, problem);
      seen.track.appended(entry);
      if (entry.type === 'configuration' && isNew) this.#made(life, entry);
    }
  }

  /** A leader changes the configuration once it has committed something in its term (Ongaro, raft-dev, 2015). */
  #made(life: Watched, { index, term }: LogEntry): void {
    this.observe(life);
    // The only voter leads before it has started, and what it has committed is not seen yet.
    if (life.driver === undefined) return;
    if ((this.ledger.entry(this.ledger.lastIndex)?.term ?? 0) >= term) return;
    this.#fail(life, `makes the configuration ${index}/${term} before anything of that term is committed`);
  }

  #truncated(life: Watched | undefined, from: number): void {
    const seen = this.#seenOf(life);
    if (life === undefined || seen === undefined) return;
    const status = life.driver?.status();
    if (status?.leaderId === idOf(life.member))
      this.#fail(life, `leads and cuts its log at ${from} (leader append-only)`);
    if (from <= seen.committed) this.#fail(life, `cuts off entry ${from}, which it took for committed`);
    seen.track.truncated(from);
  }

  /** A member uses the newest configuration in its log, committed or not (Raft §6). */
  #compareConfigurations(life: Watched, seen: Seen): void {
    seen.configuration = seen.track.newest;
    const used = life.driver?.configuration();
    if (used === undefined || life.log.failure !== undefined) return;
    if (used === seen.compared?.[0] && seen.configuration === seen.compared[1]) return;
    seen.compared = [used, seen.configuration];
    const [mine, its] = [describeConfiguration(seen.configuration), describeConfiguration(used)];
    if (mine !== its) this.#fail(life, `uses the configuration ${its}, the newest in its log is ${mine}`);
  }

  // ---- State machines

  machineWatcher(life: () => Watched | undefined): MachineWatcher {
    return {
      applying: (entries) => this.#applying(life(), entries),
      reached: (state) => this.#reached(life(), state),
      installing: (snapshot, state) => {
        const alive = life();
        if (alive === undefined || this.#seenOf(alive) === undefined) return;
        this.world.count('snapshots installed');
        this.world.note(alive.member, `installs a snapshot of ${snapshot.applied.index}`);
        if (snapshot.applied.index <= state.applied.index) {
          const positions = `from ${state.applied.index} to ${snapshot.applied.index}`;
          this.#fail(alive, `goes back ${positions} by a snapshot`);
        }
      },
    };
  }

  #applying(life: Watched | undefined, entries: readonly LogEntry[]): void {
    const seen = this.#seenOf(life);
    const last = entries.at(-1);
    if (life === undefined || seen === undefined || last === undefined) return;
    this.observe(life);
    if (last.index > seen.committed) this.#advance(life, seen, last.index, 0);
    for (const entry of entries) {
      const { index, term } = entry;
      if (!life.disk.holds(index, term))
        this.#fail(life, `applies ${index}/${term} before it is on its disk`);
      const committed = this.ledger.entry(index);
      if (committed === undefined || !isSameEntry(committed, entry)) {
        this.#fail(
          life,
          `applies ${index}/${term}, which is not what is committed there (state machine safety)`,
        );
      }
    }
  }

  #reached(life: Watched | undefined, { applied, chain }: MachineState): void {
    const seen = this.#seenOf(life);
    if (life === undefined || seen === undefined) return;
    if (applied.index <= seen.applied) this.#fail(life, `has applied ${applied.index} after ${seen.applied}`);
    seen.applied = applied.index;
    if (!this.ledger.reached(applied.index, chain)) {
      this.#fail(life, `has another state at ${applied.index} than others had (state machine safety)`);
    }
  }

  // ---- What callers are told

  applied(member: number, command: number, index: number, term: number): void {
    if (this.ledger.indexOf(command) === index && this.ledger.entry(index)?.term === term) return;
    this.world.fail(
      `member ${member} says that command ${command} is applied at ${index}/${term}, and it is not there`,
    );
  }

  rejected(member: number, command: number): void {
    this.#rejected.add(command);
    if (this.ledger.indexOf(command) === undefined) return;
    this.world.fail(`member ${member} rejects command ${command}, which is committed`);
  }

  // ----

  /** Undefined for a process that has ended: what it still does reaches nobody. */
  #seenOf(life: Watched | undefined): Seen | undefined {
    return life === undefined || !life.isAlive ? undefined : this.#seen.get(life);
  }

  #fail(life: Watched, what: string): void {
    this.world.fail(`member ${life.member} ${what}`);
  }
}
