import type { Member } from '../../raft/core/configuration.js';
import type { Message } from '../../raft/core/messages.js';
import {
  TransportError,
  type AskOptions,
  type OutgoingSnapshot,
  type Transport,
  type TransportErrorReason,
  type TransportHandler,
} from '../../raft/transport/transport.js';
import { describeMessage } from './describe.js';
import { idOf, numberOf } from './ids.js';
import type { Network } from './network.js';
import type { Process } from './process.js';
import { Transfer } from './transfer.js';

/** A transfer without an answer for so long has failed. Milliseconds. */
const TRANSFER_MS_MAX = 3_000;

/** One process's way to the others. */
export class SimulatedTransport implements Transport {
  #handler: TransportHandler | undefined;
  #members: ReadonlySet<bigint> = new Set();
  readonly #heardFrom = new Set<bigint>();
  #closed = false;

  constructor(
    readonly process: Process,
    private readonly network: Network,
    /** Called around each message: the process may crash there. */
    private readonly around: {
      readonly before: () => void;
      readonly after: (type: Message['type']) => void;
    },
  ) {
    process.onDeath(() => network.detach(this));
  }

  get member(): number {
    return this.process.member;
  }

  start(handler: TransportHandler): Promise<void> {
    this.#handler = handler;
    this.network.attach(this);
    return Promise.resolve();
  }

  setMembers(members: readonly Member[]): void {
    this.#members = new Set(members.map(({ id }) => id));
  }

  /** A process may end between two messages of one turn. */
  send(messages: readonly Message[]): void {
    for (const message of messages) {
      this.around.before();
      if (!this.#canReach(message.to)) continue;
      this.#send(message);
      this.around.after(message.type);
    }
  }

  /** Whoever has spoken to this member can be answered: the leader may be one that it has not heard of yet. */
  #canReach(to: bigint): boolean {
    return this.#isOpen && (this.#members.has(to) || this.#heardFrom.has(to));
  }

  get #isOpen(): boolean {
    return !this.#closed && this.process.isAlive;
  }

  #send(message: Message): void {
    Object.freeze(message);
    if ('entries' in message) Object.freeze(message.entries);
    const isLarge = 'entries' in message && message.entries.length > 0;
    const to = numberOf(message.to);
    this.network.carry(this.member, to, (endpoint) => endpoint.#receive(message), isLarge);
  }

  #receive(message: Message): void {
    const { world } = this.process;
    const from = numberOf(message.from);
    if (!this.#isOpen || this.#handler === undefined) return;
    world.trace.mix(message.type.length);
    world.trace.mix(message.term);
    if (world.trace.isRecording) world.note(this.member, `gets ${describeMessage(message)}`);
    if (this.#handler.configuration().removed.includes(message.from)) {
      this.network.carry(this.member, from, (endpoint) => endpoint.#handler?.removed());
      return;
    }
    this.#heardFrom.add(message.from);
    this.#handler.receive(message);
  }

  tellUnreachable(member: number): void {
    if (this.#isOpen) this.#handler?.unreachable(idOf(member));
  }

  // ---- Snapshots

  async sendSnapshot(
    to: bigint,
    term: number,
    snapshot: OutgoingSnapshot,
    signal: AbortSignal,
  ): Promise<void> {
    const receiver = this.network.endpoint(numberOf(to));
    const { world } = this.process;
    if (!this.#isOpen || receiver === undefined || this.#isCutFrom(receiver)) {
      await this.process.sleep(this.network.delay());
      throw error('unreachable');
    }
    const { index, configuration, size } = snapshot;
    const header = {
      index,
      term: snapshot.term,
      configuration,
      size,
      senderTerm: term,
      from: idOf(this.member),
    };
    const transfer = new Transfer(header);
    world.count('snapshot transfers');
    world.note(this.member, `sends a snapshot of ${index} to member ${receiver.member}`);
    const answer = this.#answerOf(receiver, transfer, signal);
    void this.#stream(receiver, transfer, snapshot, signal);
    await answer;
  }

  /** Settles with what the receiver says, or when nothing is to be expected from it any more. */
  #answerOf(receiver: SimulatedTransport, transfer: Transfer, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (reason: TransportErrorReason) => {
        this.#breakAt(receiver, transfer);
        reject(error(reason));
      };
      const cancel = this.process.after(TRANSFER_MS_MAX, () => failed('timeout'));
      signal.addEventListener('abort', () => failed('aborted'), { once: true });
      this.process.onDeath(() => this.#breakAt(receiver, transfer));
      receiver.process.onDeath(
        () => void this.process.after(this.network.delay(), () => failed('unreachable')),
      );
      receiver.#accept(transfer, (reason) => {
        if (this.#isCutFrom(receiver) || this.network.isCut(receiver.member, this.member)) return;
        cancel();
        this.process.enter(() => (reason === undefined ? resolve() : reject(error(reason))));
      });
    });
  }

  async #stream(
    receiver: SimulatedTransport,
    transfer: Transfer,
    snapshot: OutgoingSnapshot,
    signal: AbortSignal,
  ): Promise<void> {
    for await (const chunk of snapshot.read()) {
      await this.process.sleep(this.network.delay());
      const breaks = this.network.breaks();
      if (breaks || signal.aborted || !this.#isOpen || this.#isCutFrom(receiver)) {
        this.#breakAt(receiver, transfer);
        return;
      }
      receiver.process.enter(() => transfer.push(chunk));
    }
    receiver.process.enter(() => transfer.finish());
  }

  #isCutFrom(receiver: SimulatedTransport): boolean {
    return this.network.isCut(this.member, receiver.member);
  }

  #breakAt(receiver: SimulatedTransport, transfer: Transfer): void {
    receiver.process.after(this.network.delay(), () => transfer.break());
  }

  /** @param answer is told of the end: undefined if the snapshot is installed. */
  #accept(transfer: Transfer, answer: (reason: TransportErrorReason | undefined) => void): void {
    const respond = (reason: TransportErrorReason | undefined) => {
      this.process.after(this.network.delay(), () => answer(reason));
    };
    this.process.after(this.network.delay(), () => {
      if (!this.#isOpen || this.#handler === undefined) return respond('unreachable');
      const incoming = { ...transfer.header, content: transfer.content() };
      this.#handler.receiveSnapshot(incoming).then(
        () => respond(undefined),
        () => respond('refused'),
      );
    });
  }

  // ---- Questions

  ask(to: bigint, question: Uint8Array, { timeoutMs, signal }: AskOptions): Promise<Uint8Array> {
    const receiver = numberOf(to);
    return new Promise((resolve, reject) => {
      this.process.after(timeoutMs, () => reject(error('timeout')));
      signal?.addEventListener('abort', () => reject(error('aborted')), { once: true });
      const answered = (answer: Uint8Array | undefined) => {
        this.network.carry(receiver, this.member, () => {
          if (answer === undefined) reject(error('refused'));
          else resolve(answer);
        });
      };
      this.network.carry(this.member, receiver, (endpoint) => {
        endpoint.#handler
          ?.answer(question, new AbortController().signal)
          .then(answered, () => answered(undefined));
      });
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.network.detach(this);
    return Promise.resolve();
  }
}

function error(reason: TransportErrorReason): TransportError {
  return new TransportError(reason, `simulated: ${reason}`);
}
