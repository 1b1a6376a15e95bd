import { setTimeout as delay } from 'node:timers/promises';
import type { Message, MethodName } from '../tools/etcd-definitions.js';
import { EtcdWire, type Outcome, type WireStream } from '../tools/etcd-wire.js';
import { FENCE_KEY, FENCE_WATCH_ID, STREAMS } from './operations.js';
import { WatchLog } from './watch-log.js';

/** Milliseconds that a watch may take to hear of what happened, unless said. */
const WATCH_MS_MAX = 20_000;

/** Calls that a member answers from what it has, or with a header that says how far it is. */
const ANSWERED_LOCALLY: ReadonlySet<MethodName> = new Set([
  'HashKV',
  'LeaseKeepAlive',
  'LeaseLeases',
  'LeaseTimeToLive',
]);

export interface SideOptions {
  readonly name: string;
  /** host:port of each member; operations go to them in turn. */
  readonly addresses: readonly string[];
  /** Changes what was answered: a planted difference. */
  readonly tamper?: (method: MethodName, outcome: Outcome) => Outcome;
  readonly tamperWatch?: (response: Message) => Message;
  readonly watchMsMax?: number;
}

interface OpenStream {
  readonly stream: WireStream;
  readonly log: WatchLog;
  reading: Promise<void>;
}

/** One of the two stores that are compared. */
export class Side {
  readonly name: string;
  readonly #options: SideOptions;
  readonly #wires: readonly EtcdWire[];
  readonly #streams: OpenStream[] = [];
  readonly #keepAlives: WireStream[];
  #turn = 0;

  constructor(options: SideOptions) {
    this.name = options.name;
    this.#options = options;
    this.#wires = options.addresses.map((address) => new EtcdWire(address));
    this.#keepAlives = this.#wires.map((wire) => wire.stream('LeaseKeepAlive'));
  }

  async call(method: MethodName, request: Message): Promise<Outcome> {
    const member = this.#turn;
    this.#turn = (member + 1) % this.#wires.length;
    const outcome = await this.#callMember(member, method, request);
    return this.#options.tamper?.(method, outcome) ?? outcome;
  }

  async #callMember(member: number, method: MethodName, request: Message): Promise<Outcome> {
    if (ANSWERED_LOCALLY.has(method)) await this.#catchUp(member);
    if (method === 'LeaseKeepAlive') {
      const stream = this.#keepAlives[member] as WireStream;
      stream.send(request);
      return stream.next();
    }
    if (request['serializable'] === true) await this.#catchUp(member);
    return this.#wire(member).unary(method, request);
  }

  /** Of several members one may be behind what another has answered. */
  async #catchUp(member: number): Promise<void> {
    if (this.#wires.length > 1) await this.#wire(member).unary('Range', { key: FENCE_KEY });
  }

  #wire(member: number): EtcdWire {
    const wire = this.#wires[member];
    if (wire === undefined) throw new RangeError(`there is no member ${member}`);
    return wire;
  }

  async open(index: number): Promise<void> {
    const member = index % this.#wires.length;
    const stream = this.#wire(member).stream('Watch');
    const log = new WatchLog();
    const open: OpenStream = { stream, log, reading: Promise.resolve() };
    open.reading = this.#read(open);
    this.#streams[index] = open;
    await this.watch(index, { key: FENCE_KEY, watchId: FENCE_WATCH_ID });
  }

  async openAll(): Promise<void> {
    for (let index = 0; index < STREAMS; index += 1) await this.open(index);
  }

  async reopen(index: number): Promise<void> {
    const { stream, reading } = this.#stream(index);
    stream.cancel();
    await reading;
    await this.open(index);
  }

  /** Waits for the answer. */
  async watch(index: number, create: Message): Promise<Message> {
    const { stream, log } = this.#stream(index);
    // A member that is behind would begin earlier than the others.
    if (this.#wires.length > 1)
      await this.#callMember(index % this.#wires.length, 'Range', { key: FENCE_KEY });
    const before = log.created.length;
    stream.send({ create });
    await this.until('an answer to a watch', () => log.created.length > before);
    return log.created[before] as Message;
  }

  send(index: number, request: Message): void {
    this.#stream(index).stream.send(request);
  }

  log(index: number): WatchLog {
    return this.#stream(index).log;
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    const deadline = Date.now() + (this.#options.watchMsMax ?? WATCH_MS_MAX);
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`${this.name} does not come to ${what}`);
      await delay(1);
    }
  }

  close(): void {
    for (const { stream } of this.#streams) stream.cancel();
    for (const wire of this.#wires) wire.close();
  }

  #stream(index: number): OpenStream {
    const stream = this.#streams[index];
    if (stream === undefined) throw new RangeError(`there is no stream ${index}`);
    return stream;
  }

  async #read({ stream, log }: OpenStream): Promise<void> {
    for (;;) {
      const outcome = await stream.next(Infinity);
      if ('code' in outcome) return log.end(outcome);
      log.add(this.#options.tamperWatch?.(outcome.answer) ?? outcome.answer);
    }
  }
}
