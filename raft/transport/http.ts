/**
 * The transport of a real cluster: HTTP/1.1 between the members' peer URLs.
 *
 * Each member keeps one stream to each other (peer.ts), and makes a request of its own for each snapshot and question.
 */
import type { Member } from '../core/configuration.js';
import type { Message } from '../core/messages.js';
import { invariant } from '../invariant.js';
import type { RaftObserver } from '../observer.js';
import { describeCluster } from './discovery.js';
import { IncomingStreams } from './incoming-streams.js';
import { TRANSPORT_LIMITS, type TransportLimits } from './limits.js';
import { LogOnce, type TransportLogger } from './log-once.js';
import { Peer } from './peer.js';
import { type Identity, headersTo, hex, introducedUrls } from './protocol.js';
import { answerQuestion, sendQuestion } from './questions.js';
import { type Abandon, Agents } from './request.js';
import { PeerServer } from './server.js';
import { SnapshotReceiver } from './snapshot-receiver.js';
import { sendSnapshotTo } from './snapshot-sender.js';
import { type ClientTls, type PeerTls, clientTls } from './tls.js';
import {
  type AskOptions,
  type OutgoingSnapshot,
  type Transport,
  TransportError,
  type TransportHandler,
} from './transport.js';

export interface HttpTransportOptions {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** http or https; port 0 takes any that is free. */
  readonly listenUrls: readonly string[];
  /** Needed for https listen URLs. */
  readonly tls?: PeerTls | undefined;
  readonly logger?: TransportLogger | undefined;
  readonly observer?: TransportObserver | undefined;
  readonly limits?: Partial<TransportLimits>;
}

export type TransportObserver = Omit<RaftObserver, 'logWritten' | 'logSynced' | 'heartbeatLate'>;

export interface HttpTransport extends Transport {
  /** The URLs listened on; empty before `start` has resolved. */
  readonly addresses: readonly string[];
  /** Rejects with the system's own error if a listen URL cannot be had. */
  start(handler: TransportHandler): Promise<void>;
}

/** Members that are answered without being known otherwise. */
const INTRODUCED_MAX = 16;

/** How often streams are looked after. */
const CHECKS_PER_STALL = 5;

export function createHttpTransport(options: HttpTransportOptions): HttpTransport {
  return new PeersOverHttp(options);
}

class PeersOverHttp implements HttpTransport {
  readonly #self: Identity;
  readonly #limits: TransportLimits;
  readonly #log: LogOnce;
  #tls: ClientTls | undefined;
  readonly #agents = new Agents();
  /** Questions and snapshots on their way. */
  readonly #pending = new Set<Abandon>();
  #state: 'new' | 'started' | 'closed' = 'new';
  #addresses: readonly string[] = [];
  #handler: TransportHandler | undefined;
  #server: PeerServer | undefined;
  #streams: IncomingStreams | undefined;
  #members: readonly Member[] = [];
  readonly #peers = new Map<bigint, Peer>();
  /**
   * Of the peers, those that are not among the members as far as this one knows: it may have been away while they
   * became that, and one of them leads. They are answered for as long as they speak.
   */
  readonly #introduced = new Set<bigint>();
  /** Where peers have said themselves that they are: the configuration that this one knows may be an older one. */
  readonly #said = new Map<bigint, readonly string[]>();
  #checks: NodeJS.Timeout | undefined;
  readonly #endRenewals: (() => void) | undefined;
  /** Peers with something to write. */
  readonly #touched = new Set<Peer>();
  /** Members of whom `unreachable` is still to be told. */
  readonly #lost = new Set<bigint>();

  constructor(private readonly options: HttpTransportOptions) {
    this.#self = { clusterId: options.clusterId, memberId: options.memberId };
    this.#limits = { ...TRANSPORT_LIMITS, ...options.limits };
    this.#log = new LogOnce(options.logger);
    this.#tls = clientTls(options.tls);
    this.#endRenewals = options.tls?.onRenewed?.((renewed) => (this.#tls = clientTls(renewed)));
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  async start(handler: TransportHandler): Promise<void> {
    invariant(this.#handler === undefined, 'a transport is started once');
    this.#handler = handler;
    this.#server = this.#createServer(handler);
    const addresses = await this.#server.start();
    if (this.#state === 'closed') {
      await this.#server.close();
      return;
    }
    this.#addresses = addresses;
    this.#state = 'started';
    // After a stall of this process, what has come in meanwhile speaks first.
    const check = () => setImmediate(() => this.#check(handler));
    this.#checks = setInterval(check, this.#limits.stalledMs / CHECKS_PER_STALL).unref();
    this.setMembers(this.#members);
  }

  setMembers(members: readonly Member[]): void {
    this.#members = members;
    if (this.#state !== 'started') return;
    const others = new Set(members.map(({ id }) => id).filter((id) => id !== this.#self.memberId));
    for (const [id, peer] of this.#peers) {
      if (others.has(id)) this.#introduced.delete(id);
      else if (!this.#introduced.has(id)) this.#forget(id, peer);
    }
    for (const id of others) this.#placePeer(id);
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) {
      const peer = this.#peers.get(message.to);
      if (peer === undefined) continue;
      peer.send(message);
      if (this.#touched.size === 0) queueMicrotask(() => this.#flush());
      this.#touched.add(peer);
    }
  }

  async sendSnapshot(
    to: bigint,
    term: number,
    snapshot: OutgoingSnapshot,
    signal: AbortSignal,
  ): Promise<void> {
    await sendSnapshotTo({ ...this.#targetOf(to), signal }, term, snapshot, this.#limits);
  }

  async ask(to: bigint, question: Uint8Array, options: AskOptions): Promise<Uint8Array> {
    return sendQuestion({ ...this.#targetOf(to), agents: this.#agents }, question, options, this.#limits);
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    clearInterval(this.#checks);
    this.#endRenewals?.();
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
    for (const abandon of this.#pending) abandon('closed', 'this member stops');
    this.#agents.destroy();
    await this.#server?.close();
  }

  #forget(id: bigint, peer: Peer): void {
    peer.close();
    this.#peers.delete(id);
    this.#introduced.delete(id);
    this.#said.delete(id);
  }

  #introduce(id: bigint, urls: readonly string[]): void {
    if (!this.#peers.has(id)) {
      if (urls.length === 0 || this.#introduced.size >= INTRODUCED_MAX) return;
      this.#introduced.add(id);
    }
    this.#said.set(id, urls);
    this.#placePeer(id);
  }

  /** It is tried where the configuration says that it is, then where it has said so itself. */
  #placePeer(id: bigint): void {
    const urls = [...new Set([...this.#configuredUrls(id), ...(this.#said.get(id) ?? [])])];
    const peer = this.#peers.get(id);
    if (peer === undefined) this.#peers.set(id, this.#createPeer(id, urls));
    else peer.setUrls(urls);
  }

  #configuredUrls(id: bigint): readonly string[] {
    return this.#members.find((member) => member.id === id)?.peerUrls ?? [];
  }

  #createServer(handler: TransportHandler): PeerServer {
    const common = { self: this.#self, limits: this.#limits, log: this.#log, handler };
    const streams = new IncomingStreams({
      ...common,
      receive: (message) => handler.receive(message),
      received: (from, bytes) => this.options.observer?.received(from, bytes),
    });
    const snapshots = new SnapshotReceiver(common);
    this.#streams = streams;
    return new PeerServer({
      ...common,
      listenUrls: this.options.listenUrls,
      tls: this.options.tls,
      removed: () => handler.configuration().removed,
      stream: (request, response, from) => {
        streams.accept(request, response, from);
        this.#introduce(from, introducedUrls(request.headers));
        this.#peers.get(from)?.wake();
      },
      snapshot: (request, response, from) => void snapshots.receive(request, response, from),
      ask: (request, response, from) => void answerQuestion(request, response, from, common),
      cluster: () =>
        describeCluster({ clusterId: this.#self.clusterId, configuration: handler.configuration() }),
    });
  }

  #createPeer(id: bigint, urls: readonly string[]): Peer {
    return new Peer({
      self: this.#self,
      id,
      urls,
      ownUrls: () => this.#configuredUrls(this.#self.memberId),
      tls: () => this.#tls,
      limits: this.#limits,
      log: this.#log,
      observer: this.options.observer,
      onLost: () => this.#tellLost(id),
      onRemoved: () => this.#handler?.removed(),
    });
  }

  /** Throws TransportError if the member cannot be reached for a reason known here. */
  #targetOf(to: bigint) {
    if (this.#state !== 'started') throw new TransportError('closed', 'this member does not run');
    const url = this.#peers.get(to)?.url;
    if (url === undefined) throw new TransportError('unreachable', `nobody knows where member ${hex(to)} is`);
    return {
      url,
      headers: headersTo(this.#self, to),
      tls: this.#tls,
      connectMs: this.#limits.connectMs,
      pending: this.#pending,
    };
  }

  /** What one turn of the code gives to one member is one write. */
  #flush(): void {
    const peers = [...this.#touched];
    this.#touched.clear();
    for (const peer of peers) peer.flush();
  }

  /** Not at once: who sends is in the middle of a step. */
  #tellLost(id: bigint): void {
    if (this.#lost.size === 0) setImmediate(() => this.#tellAllLost());
    this.#lost.add(id);
  }

  #tellAllLost(): void {
    const lost = [...this.#lost];
    this.#lost.clear();
    for (const id of lost) {
      if (!this.#peers.has(id)) continue;
      this.options.observer?.sendFailed(id);
      this.#handler?.unreachable(id);
    }
  }

  #check(handler: TransportHandler): void {
    this.#streams?.cut(handler.configuration().removed);
    for (const id of this.#introduced) {
      const peer = this.#peers.get(id);
      if (peer !== undefined && this.#streams?.has(id) !== true) this.#forget(id, peer);
    }
    const now = performance.now();
    for (const peer of this.#peers.values()) peer.checkProgress(now);
  }
}
