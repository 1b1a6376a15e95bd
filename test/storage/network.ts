/** Members' transports within one process: messages by way of the event loop, lines that can be cut. */
import type { Member } from '../../raft/core/configuration.js';
import type { Message } from '../../raft/core/messages.js';
import {
  TransportError,
  type AskOptions,
  type IncomingSnapshot,
  type OutgoingSnapshot,
  type Transport,
  type TransportHandler,
} from '../../raft/transport/transport.js';

export class Network {
  readonly #handlers = new Map<bigint, TransportHandler>();
  /** Members that nobody reaches, and that reach nobody. */
  readonly #cut = new Set<bigint>();
  /** Snapshots that arrived whole, by receiver. */
  readonly snapshots: { readonly to: bigint; readonly index: number }[] = [];

  cut(id: bigint): void {
    this.#cut.add(id);
  }

  mend(id: bigint): void {
    this.#cut.delete(id);
  }

  transportOf(self: bigint): Transport {
    return {
      start: async (handler) => void this.#handlers.set(self, handler),
      setMembers: (_members: readonly Member[]) => undefined,
      send: (messages) => messages.forEach((message) => this.#send(message)),
      sendSnapshot: (to, term, snapshot, signal) => this.#sendSnapshot(self, to, term, snapshot, signal),
      ask: (to, question, options) => this.#ask(self, to, question, options),
      close: async () => void this.#handlers.delete(self),
    };
  }

  #reach(from: bigint, to: bigint): TransportHandler {
    const handler = this.#handlers.get(to);
    if (handler === undefined || this.#cut.has(from) || this.#cut.has(to)) {
      throw new TransportError('unreachable', `${to} is not reached`);
    }
    return handler;
  }

  #send(message: Message): void {
    setImmediate(() => {
      try {
        this.#reach(message.from, message.to).receive(message);
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        this.#handlers.get(message.from)?.unreachable(message.to);
      }
    });
  }

  async #sendSnapshot(
    from: bigint,
    to: bigint,
    senderTerm: number,
    snapshot: OutgoingSnapshot,
    signal: AbortSignal,
  ): Promise<void> {
    const { index, term, configuration, size } = snapshot;
    const reach = () => this.#reach(from, to);
    async function* content() {
      for await (const chunk of snapshot.read()) {
        signal.throwIfAborted();
        reach();
        yield chunk;
      }
    }
    const incoming: IncomingSnapshot = {
      from,
      senderTerm,
      index,
      term,
      configuration,
      size,
      content: content(),
    };
    await reach().receiveSnapshot(incoming);
    this.snapshots.push({ to, index });
  }

  /** As with a real one, an answer may be lost after the question has had its effect. */
  async #ask(
    from: bigint,
    to: bigint,
    question: Uint8Array,
    { timeoutMs, signal }: AskOptions,
  ): Promise<Uint8Array> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const ended = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    const handler = this.#reach(from, to);
    const over = new Promise<never>((_resolve, reject) => {
      const reason = () => (signal?.aborted === true ? 'aborted' : 'timeout');
      ended.addEventListener('abort', () => reject(new TransportError(reason(), 'no answer in time')));
    });
    const answering = handler.answer(question, ended).catch((error: unknown) => {
      throw new TransportError('refused', String(error));
    });
    const answer = await Promise.race([answering, over]);
    this.#reach(to, from);
    return answer;
  }
}
