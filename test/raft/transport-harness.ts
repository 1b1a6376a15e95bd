/** Transports of several members in one process, what they have heard, and a way between them that can be disturbed. */
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { type Configuration, NO_CONFIGURATION } from '../../raft/core/configuration.js';
import type { AppendMessage, HeartbeatMessage, Message } from '../../raft/core/messages.js';
import {
  type HttpTransport,
  type HttpTransportOptions,
  createHttpTransport,
} from '../../raft/transport/http.js';
import type {
  IncomingSnapshot,
  TransportErrorReason,
  TransportHandler,
} from '../../raft/transport/transport.js';
import { entries } from './entries.js';

export const CLUSTER = 0xc1a5n;
/** What must happen is waited for so long. */
const PATIENCE_MS = 20_000;

export async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`in vain: ${what}`);
    await sleep(2);
  }
}

/** The promise rejects with a TransportError for this reason. */
export async function fails(
  t: Test,
  reason: TransportErrorReason,
  promise: Promise<unknown>,
  message = /./,
): Promise<void> {
  await t.rejects(promise, { name: 'TransportError', reason, message });
}

export interface Line {
  readonly level: 'debug' | 'info' | 'warn';
  readonly message: string;
}

export class RecordingHandler implements TransportHandler {
  readonly received: Message[] = [];
  readonly lost: bigint[] = [];
  readonly snapshots: (Omit<IncomingSnapshot, 'content'> & { readonly bytes: Buffer })[] = [];
  readonly snapshotErrors: unknown[] = [];
  removals = 0;
  cluster: Configuration = NO_CONFIGURATION;
  /** What takes snapshots; keeps them when not replaced. */
  take: (snapshot: IncomingSnapshot) => Promise<void> = (snapshot) => this.#keep(snapshot);
  answer: TransportHandler['answer'] = (question) => Promise.resolve(question);

  receive(message: Message): void {
    this.received.push(message);
  }

  async receiveSnapshot(snapshot: IncomingSnapshot): Promise<void> {
    try {
      await this.take(snapshot);
    } catch (error) {
      this.snapshotErrors.push(error);
      throw error;
    }
  }

  unreachable(member: bigint): void {
    this.lost.push(member);
  }

  removed(): void {
    this.removals++;
  }

  configuration(): Configuration {
    return this.cluster;
  }

  async #keep({ content, ...header }: IncomingSnapshot): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    this.snapshots.push({ ...header, bytes: Buffer.concat(chunks) });
  }
}

export class TestMember {
  readonly handler = new RecordingHandler();
  readonly log: Line[] = [];
  readonly transport: HttpTransport;

  constructor(
    readonly id: bigint,
    options: Partial<HttpTransportOptions> = {},
  ) {
    const line = (level: Line['level']) => (_fields: object, message: string) =>
      void this.log.push({ level, message });
    this.transport = createHttpTransport({
      clusterId: CLUSTER,
      memberId: id,
      listenUrls: ['http://127.0.0.1:0'],
      logger: { debug: line('debug'), info: line('info'), warn: line('warn') },
      ...options,
    });
  }

  get url(): string {
    return this.transport.addresses[0] ?? '';
  }

  /** What the log has warned of. */
  get warnings(): string[] {
    return this.log.filter(({ level }) => level === 'warn').map(({ message }) => message);
  }

  /** Whom it sends to: members and where they are. */
  knows(...others: readonly (readonly [id: bigint, ...urls: string[]])[]): void {
    const members = others.map(([id, ...peerUrls]) => ({ id, name: '', peerUrls, clientUrls: [] }));
    this.transport.setMembers([{ id: this.id, name: '', peerUrls: [this.url], clientUrls: [] }, ...members]);
  }
}

export async function startMember(
  t: Test,
  id: bigint,
  options: Partial<HttpTransportOptions> = {},
): Promise<TestMember> {
  const member = new TestMember(id, options);
  t.teardown(() => member.transport.close());
  await member.transport.start(member.handler);
  return member;
}

/** Members 1 and 2, who know each other. */
export async function startPair(
  t: Test,
  options: Partial<HttpTransportOptions> = {},
): Promise<[TestMember, TestMember]> {
  const one = await startMember(t, 1n, options);
  const two = await startMember(t, 2n, options);
  one.knows([2n, two.url]);
  two.knows([1n, one.url]);
  return [one, two];
}

export function heartbeat(from: bigint, to: bigint, round: number): HeartbeatMessage {
  return { type: 'heartbeat', from, to, term: 1, commit: 0, round };
}

/** One entry of so many bytes at the index. */
export function append(from: bigint, to: bigint, index: number, bytes = 20): AppendMessage {
  return {
    type: 'append',
    from,
    to,
    term: 1,
    previousIndex: index - 1,
    previousTerm: 1,
    entries: entries(index, index, 1).map((entry) => ({ ...entry, payload: Buffer.alloc(bytes, index) })),
    commit: 0,
  };
}

/** Rounds of the heartbeats and indexes of the entries that came, in the order they came. */
export function arrived({ handler }: TestMember): number[] {
  return handler.received.flatMap((message) => {
    if (message.type === 'heartbeat') return [message.round];
    return message.type === 'append' ? message.entries.map(({ index }) => index) : [];
  });
}

/** Carries bytes to a port until it is told to hold them back. */
export class Proxy {
  readonly #server: Server;
  readonly #pairs: { readonly client: Socket; readonly upstream: Socket }[] = [];
  #held = false;

  private constructor(private readonly target: number) {
    this.#server = createServer((client) => this.#pair(client));
  }

  static async to(t: Test, url: string): Promise<Proxy> {
    const proxy = new Proxy(Number(new URL(url).port));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      proxy.cut();
      proxy.#server.close();
    });
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#pairs.length;
  }

  /** Takes nothing in any more, as a process that is stopped; connections are still made, by the kernel. */
  hold(): void {
    this.#held = true;
    for (const { client, upstream } of this.#pairs) {
      client.pause();
      upstream.pause();
    }
  }

  resume(): void {
    this.#held = false;
    for (const { client, upstream } of this.#pairs) {
      client.resume();
      upstream.resume();
    }
  }

  cut(): void {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  #pair(client: Socket): void {
    const upstream = connect(this.target, '127.0.0.1');
    const ways = [
      [client, upstream],
      [upstream, client],
    ] as const;
    for (const [from, to] of ways) {
      from.on('data', (chunk) => {
        // A socket that is paused may still give what it has read.
        if (!to.write(chunk)) from.pause();
      });
      to.on('drain', () => {
        if (!this.#held) from.resume();
      });
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
    this.#pairs.push({ client, upstream });
    if (this.#held) this.hold();
  }
}
