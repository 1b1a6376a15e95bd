import type { Random } from './random.js';
import type { SimulatedTransport } from './transport.js';
import type { World } from './world.js';

/** How messages fare between any two members. */
export interface LinkQuality {
  readonly loss: number;
  readonly duplication: number;
  /** Milliseconds on the way, on average. */
  readonly delayMs: number;
  /** How often one is held up, and for how many milliseconds at most. */
  readonly holdUpChance: number;
  readonly holdUpMs: number;
  /** Messages on one link arrive as they were sent. */
  readonly inOrder: boolean;
  /** How often a chunk of a snapshot is the last one of its transfer. */
  readonly breakChance: number;
}

export const GOOD_LINKS: LinkQuality = {
  loss: 0,
  duplication: 0,
  delayMs: 0.5,
  holdUpChance: 0,
  holdUpMs: 0,
  inOrder: true,
  breakChance: 0,
};

/** How often the sender is told of a loss. */
const TELL_CHANCE = 0.5;
/** What any way takes, in milliseconds. */
const DELAY_MS_MIN = 0.1;

/** The ways between members: each loses, repeats, delays and reorders, and can be cut in one direction. */
export class Network {
  quality: LinkQuality = GOOD_LINKS;
  readonly #cut = new Set<string>();
  readonly #narrow = new Set<string>();
  readonly #endpoints = new Map<number, SimulatedTransport>();
  /** When the last message of an ordered link arrives. */
  readonly #lastArrival = new Map<string, number>();

  constructor(
    readonly world: World,
    private readonly random: Random,
  ) {}

  attach(endpoint: SimulatedTransport): void {
    this.#endpoints.set(endpoint.member, endpoint);
  }

  detach(endpoint: SimulatedTransport): void {
    if (this.#endpoints.get(endpoint.member) === endpoint) this.#endpoints.delete(endpoint.member);
  }

  endpoint(member: number): SimulatedTransport | undefined {
    return this.#endpoints.get(member);
  }

  /** Nothing more gets from one member to the other. */
  cut(from: number, to: number): void {
    this.#cut.add(link(from, to));
  }

  /** Nothing large gets from one member to the other, as where a path takes smaller packets than it says. */
  narrow(from: number, to: number): void {
    this.#narrow.add(link(from, to));
  }

  isCut(from: number, to: number): boolean {
    return this.#cut.has(link(from, to));
  }

  healAll(): void {
    this.#cut.clear();
    this.#narrow.clear();
  }

  /** Brings something to another member, or does not. */
  carry(from: number, to: number, deliver: (endpoint: SimulatedTransport) => void, isLarge = false): void {
    const isStuck = isLarge && this.#narrow.has(link(from, to));
    if (isStuck || this.random.chance(this.quality.loss)) {
      this.world.count('message lost');
      this.#lose(from, to);
      return;
    }
    this.#bring(from, to, deliver);
    if (this.random.chance(this.quality.duplication)) {
      this.world.count('message repeated');
      this.#bring(from, to, deliver);
    }
  }

  delay(): number {
    const { delayMs, holdUpChance, holdUpMs } = this.quality;
    const usual = DELAY_MS_MIN + this.random.exponential(delayMs);
    if (!this.random.chance(holdUpChance)) return usual;
    this.world.count('message held up');
    return usual + this.random.uniform(0, holdUpMs);
  }

  /** Whether the transfer of a snapshot breaks now. */
  breaks(): boolean {
    const breaks = this.random.chance(this.quality.breakChance);
    if (breaks) this.world.count('snapshot transfer broken');
    return breaks;
  }

  #bring(from: number, to: number, deliver: (endpoint: SimulatedTransport) => void): void {
    const arrive = () => {
      const endpoint = this.#endpoints.get(to);
      if (endpoint === undefined || this.isCut(from, to)) this.#lose(from, to);
      else endpoint.process.enter(() => deliver(endpoint));
    };
    this.world.after(this.#arrivalIn(from, to), arrive, to);
  }

  #arrivalIn(from: number, to: number): number {
    const delay = this.delay();
    if (!this.quality.inOrder) return delay;
    const { now } = this.world;
    const way = link(from, to);
    const arrival = Math.max(now + delay, this.#lastArrival.get(way) ?? 0);
    this.#lastArrival.set(way, arrival);
    return arrival - now;
  }

  #lose(from: number, to: number): void {
    if (!this.random.chance(TELL_CHANCE)) return;
    const sender = this.#endpoints.get(from);
    sender?.process.after(this.delay(), () => sender.tellUnreachable(to));
  }
}

function link(from: number, to: number): string {
  return `${from}>${to}`;
}
