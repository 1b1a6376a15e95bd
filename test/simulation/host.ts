import { encodeConfiguration, type Configuration } from '../../raft/core/configuration.js';
import type { Message } from '../../raft/core/messages.js';
import type { RaftLimits, RaftTimes } from '../../raft/core/options.js';
import { Member } from '../../raft/node/member.js';
import type { TailLimits } from '../../raft/node/tail.js';
import { SkewedClock, type ClockRate } from './clock.js';
import type { Checks, Watched } from './checks.js';
import type { CommandResult } from './command.js';
import { idOf } from './ids.js';
import { LogDisk } from './log-disk.js';
import { SimulatedLog, type DiskSpeed } from './log.js';
import { newState } from './machine-state.js';
import { SimulatedMachine, type MachineDisk, type MachineTimes } from './machine.js';
import type { Network } from './network.js';
import { Process } from './process.js';
import type { Random } from './random.js';
import { SimulatedTransport } from './transport.js';
import type { World } from './world.js';

/** How members are set up, all alike. */
export interface HostSettings {
  readonly times: RaftTimes;
  readonly limits: RaftLimits;
  readonly tailLimits: TailLimits;
  readonly residentBytesMax: number;
  readonly machineTimes: MachineTimes;
  /** How far election time-outs spread, as a share of what they should: small, and members stand at the same time. */
  readonly electionSpread: number;
  readonly crashPoints: CrashPoints;
}

/** How often a process crashes at the places where that is most awkward. */
export interface CrashPoints {
  /** Between two messages of a turn, between installing a snapshot and saying so, and the like. */
  readonly chance: number;
  /** After a message of this type was sent. */
  readonly afterSending: Readonly<Partial<Record<Message['type'], number>>>;
}

export interface HostOptions {
  readonly member: number;
  /** What its store is created with. */
  readonly created: Configuration;
  readonly world: World;
  readonly network: Network;
  readonly checks: Checks;
  readonly settings: HostSettings;
  readonly random: Random;
}

export const CLUSTER_ID = 0xfeed_c0de_dead_beefn;

/** One life of a member: a process, and what it is made of. */
export class Life implements Watched {
  driver: Member<CommandResult> | undefined;

  constructor(
    readonly member: number,
    readonly process: Process,
    readonly clock: SkewedClock,
    readonly disk: LogDisk,
    readonly log: SimulatedLog,
    readonly machine: SimulatedMachine,
    readonly transport: SimulatedTransport,
  ) {}

  get isAlive(): boolean {
    return this.process.isAlive;
  }
}

/** A machine that a member runs on: its disks outlive the processes. */
export class Host {
  readonly member: number;
  readonly disk = new LogDisk();
  readonly clockRate: ClockRate = { value: 1 };
  readonly speed: DiskSpeed = { syncMs: 0.5 };
  /** Crash points are passed unharmed. */
  isSafe = false;
  /** The member has been told that it is no longer in the cluster. */
  isRemoved = false;
  /** Called when the process has ended, for whatever reason. */
  onEnd: () => void = () => undefined;
  readonly #options: HostOptions;
  readonly #machineDisk: MachineDisk;
  #life: Life | undefined;
  /** The life whose disk was made to fail. */
  #failedDisk: Life | undefined;

  constructor(options: HostOptions) {
    this.#options = options;
    this.member = options.member;
    this.#machineDisk = { state: newState(encodeConfiguration(options.created)) };
  }

  /** The process that runs now. */
  get life(): Life | undefined {
    return this.#life;
  }

  /** The member, if it runs and has started. */
  get driver(): Member<CommandResult> | undefined {
    return this.#life?.driver;
  }

  get isPaused(): boolean {
    return this.#life?.process.isPaused === true;
  }

  /** From what is on disk alone. */
  start(): void {
    if (this.#life !== undefined) return;
    const { world, network, checks } = this.#options;
    world.count('starts');
    world.note(this.member, 'starts');
    const life = this.#build(new Process(world, this.member), network);
    this.#life = life;
    checks.begin(life);
    life.process.after(0, () => void this.#run(life));
  }

  #build(process: Process, network: Network): Life {
    const { member, disk } = this;
    const { settings, random, checks } = this.#options;
    const life = () => (this.#life?.process === process ? this.#life : undefined);
    const { chance, afterSending } = settings.crashPoints;
    const crashPoint = (place: string) => this.#crashPoint(process, place, chance);
    const afterMessage = (type: Message['type']) =>
      this.#crashPoint(process, `after it sent ${type}`, afterSending[type] ?? 0);
    const log = new SimulatedLog({
      process,
      disk,
      speed: this.speed,
      random: random.fork(),
      residentBytesMax: settings.residentBytesMax,
      watcher: checks.logWatcher(life),
    });
    const machine = new SimulatedMachine({
      process,
      disk: this.#machineDisk,
      times: settings.machineTimes,
      random: random.fork(),
      watcher: checks.machineWatcher(life),
      crashPoint,
    });
    const clock = new SkewedClock(process, this.clockRate, random.fork());
    const transport = new SimulatedTransport(process, network, {
      before: () => crashPoint('between messages'),
      after: afterMessage,
    });
    return new Life(member, process, clock, disk, log, machine, transport);
  }

  async #run(life: Life): Promise<void> {
    const { settings, random } = this.#options;
    const chance = random.fork();
    try {
      const driver = await Member.start<CommandResult>({
        clusterId: CLUSTER_ID,
        memberId: idOf(life.member),
        session: BigInt(chance.between(1, 2 ** 31)) * 2n ** 32n + BigInt(chance.between(1, 2 ** 31)),
        log: life.log,
        stateMachine: life.machine,
        transport: life.transport,
        clock: life.clock,
        random: () => chance.real() * settings.electionSpread,
        times: settings.times,
        raftLimits: settings.limits,
        tailLimits: settings.tailLimits,
        onFatal: (error) => this.#stopped(life, error),
        onRemoved: () => this.#removed(life),
      });
      if (!life.isAlive) return;
      life.driver = driver;
      driver.answerQuestions((question) =>
        Promise.resolve(Buffer.from(`${Buffer.from(question).toString()} from ${life.member}`)),
      );
    } catch (error) {
      this.#stopped(life, error);
    }
  }

  /** A process that cannot go on ends; that is a failure unless its disk was made to fail. */
  #stopped(life: Life, error: unknown): void {
    if (!life.isAlive) return;
    const { world } = this.#options;
    if (this.#failedDisk === life) {
      this.crash('its disk has failed');
      return;
    }
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    world.fail(`member ${this.member} gives up: ${text}`);
  }

  #removed(life: Life): void {
    if (!life.isAlive) return;
    this.isRemoved = true;
    this.#options.world.count('removed members told');
    this.crash('it is no longer in the cluster');
  }

  /** The process is asked to end, and does once it has finished what it can. */
  stop(): void {
    const life = this.#life;
    const driver = life?.driver;
    if (life === undefined || driver === undefined) return;
    this.#options.world.note(this.member, 'is asked to stop');
    life.process.enter(() => void driver.stop().then(() => this.#life === life && this.crash('has stopped')));
  }

  pause(): void {
    this.#options.world.note(this.member, 'is paused');
    this.#life?.process.pause();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.#options.world.note(this.member, 'goes on');
    this.#life?.process.resume();
  }

  /** The process ends at once; what was not synced is lost, or not. */
  crash(why: string): void {
    const life = this.#life;
    if (life === undefined) return;
    const { world, checks } = this.#options;
    checks.end(life);
    world.note(this.member, `ends: ${why}`);
    life.process.kill();
    life.log.crash();
    life.machine.crash();
    this.#life = undefined;
    this.onEnd();
  }

  failDisk(): void {
    const life = this.#life;
    if (life === undefined) return;
    this.#options.world.note(this.member, 'has a disk that fails');
    this.#failedDisk = life;
    life.process.enter(() => life.log.fail());
  }

  #crashPoint(process: Process, place: string, chance: number): void {
    const { random, world } = this.#options;
    if (this.isSafe || !process.isAlive || !random.chance(chance)) return;
    world.count('crash in the middle of a turn');
    this.crash(`a crash ${place}`);
  }
}
