import { ConsensusError, type ProposalOutcome, type ProposeOptions } from '../../raft/node/consensus.js';
import { TransportError } from '../../raft/transport/transport.js';
import type { Operation } from '../tools/linearizability.js';
import type { Cluster } from './cluster.js';
import { encodeCommand, type Command, type CommandResult } from './command.js';
import type { Host, Life } from './host.js';
import { numberOf } from './ids.js';
import type { Random } from './random.js';
import type { World } from './world.js';

type Kind = 'read' | 'write' | 'compare-and-set' | 'question';

export interface ClientSettings {
  readonly clients: number;
  readonly keys: number;
  /** Operations of one client under way at once. */
  readonly inFlightMax: number;
  /** Milliseconds between two operations of one client, on average. */
  readonly pauseMs: number;
  readonly deadlineMs: { readonly min: number; readonly max: number };
  readonly operations: Readonly<Record<Kind, number>>;
}

/** How often an operation is given up early, or is for a leader only. */
const ABORT_CHANCE = 0.05;
const LEADER_ONLY_CHANCE = 0.05;
/** How often a client goes to another member, and how often after a failure. */
const MOVE_CHANCE = 0.05;
const MOVE_AFTER_FAILURE_CHANCE = 0.7;

type Call = Pick<ProposeOptions, 'deadline' | 'signal' | 'forward'>;

/** Clients of the cluster: each reads and writes through one member at a time, and goes to another after failures. */
export class Clients {
  /** By the moment of the call. */
  readonly #history = new Map<number, Operation>();
  /** Operations that a running member has not ended, with what they are. */
  readonly open = new Map<number, { readonly life: Life; readonly what: string }>();
  #active = true;
  #lastId = 0;
  readonly #world: World;

  constructor(
    private readonly cluster: Cluster,
    private readonly settings: ClientSettings,
    private readonly random: Random,
  ) {
    this.#world = cluster.world;
    for (let number = 1; number <= settings.clients; number += 1)
      this.#live(number, { inFlight: 0, known: new Map() });
  }

  /** What they saw, for the check of linearizability. */
  get history(): readonly Operation[] {
    return [...this.#history.values()];
  }

  stop(): void {
    this.#active = false;
  }

  #live(number: number, client: Client): void {
    this.#world.after(this.random.exponential(this.settings.pauseMs), () => {
      if (!this.#active) return;
      if (client.inFlight < this.settings.inFlightMax) this.#operate(number, client);
      this.#live(number, client);
    });
  }

  #operate(number: number, client: Client): void {
    if (client.host?.driver === undefined || this.random.chance(MOVE_CHANCE)) {
      client.host = this.#otherHost(client.host);
    }
    const { host } = client;
    const life = host?.life;
    if (life?.driver === undefined) return;
    const kind = this.random.weighted(this.settings.operations);
    const key = `k${this.random.between(1, this.settings.keys)}`;
    client.inFlight += 1;
    const cancel = life.process.onDeath(() => {
      client.inFlight -= 1;
    });
    const ended = (isFine: boolean) => {
      client.inFlight -= 1;
      cancel();
      if (!isFine && this.random.chance(MOVE_AFTER_FAILURE_CHANCE)) client.host = this.#otherHost(host);
    };
    life.process.after(this.random.uniform(0, 1), () => {
      void this.#run(life, number, client, kind, key).then(ended);
    });
  }

  #run(life: Life, number: number, client: Client, kind: Kind, key: string): Promise<boolean> {
    if (kind === 'question') return this.#ask(life);
    if (kind === 'read') return this.read(life, number, key, this.#call(life));
    return this.#write(life, number, client, kind, key);
  }

  /** A question past the log is answered by whom the member took for the leader, or not at all. */
  async #ask(life: Life): Promise<boolean> {
    const { driver } = life;
    if (driver === undefined) return false;
    const moment = this.#world.moment();
    const leader = numberOf(driver.status().leaderId);
    const { min, max } = this.settings.deadlineMs;
    this.open.set(moment, { life, what: 'a question' });
    try {
      const timeoutMs = this.random.uniform(min, max);
      const answer = await driver.askLeader(Buffer.from(String(moment)), { timeoutMs });
      const expected = `${moment} from ${leader}`;
      if (Buffer.from(answer).toString() !== expected)
        this.#world.fail('a question got the answer to another');
      this.#world.count('question answered');
      return true;
    } catch (error) {
      const isExpected = error instanceof ConsensusError || error instanceof TransportError;
      if (isExpected) this.#world.count(`question ended: ${error.reason}`);
      else this.#world.fail(`a question failed with ${String(error)}`);
      return false;
    } finally {
      this.open.delete(moment);
    }
  }

  #otherHost(present: Host | undefined): Host | undefined {
    const hosts = this.cluster.hosts.filter((host) => host !== present && host.driver !== undefined);
    return hosts.length === 0 ? present : this.random.pick(hosts);
  }

  #call(life: Life): Call {
    const { min, max } = this.settings.deadlineMs;
    const timeoutMs = this.random.uniform(min, max);
    const deadline = life.clock.now() + timeoutMs;
    if (!this.random.chance(ABORT_CHANCE)) return { deadline };
    const abort = new AbortController();
    life.process.after(this.random.uniform(0, timeoutMs), () => abort.abort());
    return { deadline, signal: abort.signal };
  }

  #write(
    life: Life,
    number: number,
    client: Client,
    kind: 'write' | 'compare-and-set',
    key: string,
  ): Promise<boolean> {
    this.#lastId += 1;
    const command = { id: this.#lastId, key, value: `v${this.#lastId}` };
    const forward = this.random.chance(LEADER_ONLY_CHANCE) ? { forward: false } : {};
    const call = { ...this.#call(life), ...forward };
    if (kind === 'write') return this.write(life, number, { ...command, kind }, call);
    const expected = client.known.get(key);
    return this.write(life, number, { ...command, kind, expected }, call, (found) =>
      client.known.set(key, found),
    );
  }

  /** Reads a key as of now, at any member. True if that worked. */
  async read(life: Life, client: number, key: string, call: Call): Promise<boolean> {
    const invokedAt = this.#world.moment();
    this.open.set(invokedAt, { life, what: `read ${key}` });
    try {
      await life.driver?.readIndex(call);
    } catch (error) {
      this.open.delete(invokedAt);
      if (!(error instanceof ConsensusError)) this.#world.fail(`a read failed with ${String(error)}`);
      else this.#world.count(`read ended: ${error.reason}`);
      return false;
    }
    this.open.delete(invokedAt);
    if (!life.isAlive) return false;
    const result = life.machine.get(key);
    const returnedAt = this.#world.moment();
    this.#history.set(invokedAt, { client, key, kind: 'read', result, invokedAt, returnedAt });
    this.#world.count('read done');
    this.#world.note(life.member, `tells client ${client} that ${key} is ${result}`);
    return true;
  }

  /** Carries out a command through any member. True if it was applied. */
  async write(
    life: Life,
    client: number,
    command: Command,
    call: Call,
    learn: (found: string | undefined) => void = () => undefined,
  ): Promise<boolean> {
    const invokedAt = this.#world.moment();
    const { id, kind } = command;
    const what = `${kind} ${command.key} to ${command.value}`;
    this.open.set(invokedAt, { life, what });
    this.#world.note(life.member, `is asked by client ${client} to ${what}`);
    this.#history.set(invokedAt, operation(command, client, invokedAt, undefined, undefined));
    const outcome = await life.driver?.propose(encodeCommand(command), call);
    this.open.delete(invokedAt);
    if (outcome === undefined || !life.isAlive) return false;
    this.#world.count(`${kind} ${outcome.type}${outcome.type === 'applied' ? '' : `: ${outcome.reason}`}`);
    this.#world.note(life.member, `tells client ${client} of ${what}: ${describeOutcome(outcome)}`);
    if (outcome.type === 'rejected') {
      this.cluster.checks.rejected(life.member, id);
      this.#history.delete(invokedAt);
    } else if (outcome.type === 'applied') {
      const { result, index, term } = outcome;
      this.cluster.checks.applied(life.member, id, index, term);
      this.#history.set(invokedAt, operation(command, client, invokedAt, this.#world.moment(), result));
      learn(result.succeeded ? command.value : result.found);
    }
    return outcome.type === 'applied';
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}

interface Client {
  host?: Host | undefined;
  inFlight: number;
  /** What each key holds, as far as the client knows. */
  readonly known: Map<string, string | undefined>;
}

function operation(
  command: Command,
  client: number,
  invokedAt: number,
  returnedAt: number | undefined,
  result: CommandResult | undefined,
): Operation {
  const { key, value } = command;
  const common = { client, key, value, invokedAt, returnedAt };
  if (command.kind === 'write') return { ...common, kind: 'write' };
  return {
    ...common,
    kind: 'compare-and-set',
    expected: command.expected,
    result:
      result === undefined || result.succeeded
        ? result && { succeeded: true }
        : { succeeded: false, found: { value: result.found } },
  };
}

function describeOutcome(outcome: ProposalOutcome<CommandResult>): string {
  if (outcome.type !== 'applied') return `${outcome.type}, ${outcome.reason}`;
  const { index, term, result } = outcome;
  return `applied at ${index}/${term}${result.succeeded ? '' : `, found ${result.found}`}`;
}
