import type { Member } from '../../raft/core/configuration.js';
import type { Message } from '../../raft/core/messages.js';
import {
  TransportError,
  type AskOptions,
  type OutgoingSnapshot,
  type Transport,
  type TransportHandler,
} from '../../raft/transport/transport.js';
import type { ManualClock } from './manual-clock.js';

/** Connects members of one process. Every message takes `delayMs`; the test decides what is lost. */
export class MemoryNetwork {
  delayMs = 0;
  /** Messages for which this is true are lost. */
  loses: (message: Message) => boolean = () => false;
  /** Every message that was sent, lost or not. */
  readonly sent: Message[] = [];
  readonly #transports = new Map<bigint, MemoryTransport>();
  readonly #cut = new Set<string>();

  constructor(readonly clock: ManualClock) {}

  /** A new connection of this member; the one it had before is dead. */
  transport(id: bigint): MemoryTransport {
    const transport = new MemoryTransport(this, id);
    this.#transports.set(id, transport);
    return transport;
  }

  cut(from: bigint, to: bigint): void {
    this.#cut.add(`${from}>${to}`);
  }

  /** No message between these and all others, in either direction. */
  isolate(...ids: readonly bigint[]): void {
    for (const id of ids) {
      for (const other of this.#transports.keys()) {
        if (ids.includes(other)) continue;
        this.cut(id, other);
        this.cut(other, id);
      }
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  /** Undefined if `to` cannot be reached now. */
  reach(from: bigint, to: bigint): TransportHandler | undefined {
    return this.#cut.has(`${from}>${to}`) ? undefined : this.#transports.get(to)?.handler;
  }

  carry(message: Message): void {
    this.sent.push(message);
    if (this.loses(message)) return;
    const deliver = () => {
      const handler = this.reach(message.from, message.to);
      if (handler === undefined) return;
      // As every transport does: whoever is removed hears of it from those that it speaks to.
      const isRemoved = handler.configuration().removed.includes(message.from);
      if (isRemoved) this.#transports.get(message.from)?.handler?.removed();
      else handler.receive(message);
    };
    if (this.delayMs === 0) this.clock.nextTurn(deliver);
    else this.clock.after(this.delayMs, deliver);
  }
}

export class MemoryTransport implements Transport {
  /** Undefined before the start and after the end. */
  handler: TransportHandler | undefined;
  members: readonly Member[] = [];
  /** Whether a snapshot that is sent may arrive; it waits here while this is unresolved. */
  snapshotGate: Promise<void> = Promise.resolve();
  readonly #closed = new AbortController();

  constructor(
    private readonly network: MemoryNetwork,
    private readonly id: bigint,
  ) {}

  start(handler: TransportHandler): Promise<void> {
    this.handler = handler;
    return Promise.resolve();
  }

  setMembers(members: readonly Member[]): void {
    this.members = members;
  }

  send(messages: readonly Message[]): void {
    if (this.handler === undefined) return;
    const known = (id: bigint) => this.members.some((member) => member.id === id);
    for (const message of messages) if (known(message.to)) this.network.carry(message);
  }

  async sendSnapshot(
    to: bigint,
    term: number,
    snapshot: OutgoingSnapshot,
    signal: AbortSignal,
  ): Promise<void> {
    await this.snapshotGate;
    const handler = this.network.reach(this.id, to);
    if (handler === undefined || signal.aborted) throw new TransportError('unreachable', `no way to ${to}`);
    const { index, term: lastTerm, configuration, size } = snapshot;
    const incoming = { index, term: lastTerm, configuration, size, from: this.id, senderTerm: term };
    await handler.receiveSnapshot({ ...incoming, content: snapshot.read() });
  }

  ask(to: bigint, question: Uint8Array, options: AskOptions): Promise<Uint8Array> {
    const handler = this.network.reach(this.id, to);
    if (handler === undefined) return Promise.reject(new TransportError('unreachable', `no way to ${to}`));
    return handler.answer(question, options.signal ?? this.#closed.signal);
  }

  close(): Promise<void> {
    this.handler = undefined;
    this.#closed.abort();
    return Promise.resolve();
  }
}
