/** Another member: its stream, kept up whatever happens, and what waits to be written into it. */
import type { Message } from '../core/messages.js';
import { encodeMessage } from './codec.js';
import type { TransportLimits } from './limits.js';
import type { LogOnce } from './log-once.js';
import { OutgoingStream, type StreamEnd } from './outgoing-stream.js';
import { type Identity, STATUS, STREAM_PATH, headersTo, hex, introduction } from './protocol.js';
import type { RaftObserver } from '../observer.js';
import { SendQueue } from './send-queue.js';
import type { ClientTls } from './tls.js';

export interface PeerOptions {
  readonly self: Identity;
  readonly id: bigint;
  readonly urls: readonly string[];
  /** Where this member says that it can be answered. */
  readonly ownUrls: () => readonly string[];
  readonly tls: () => ClientTls | undefined;
  readonly limits: TransportLimits;
  readonly log: LogOnce;
  readonly observer: Pick<RaftObserver, 'sent' | 'connected' | 'disconnected'> | undefined;
  /** Some of what was sent may not arrive. */
  readonly onLost: () => void;
  /** The member says that this one was removed. */
  readonly onRemoved: () => void;
}

export class Peer {
  readonly #options: PeerOptions;
  #urls: readonly string[];
  /** Of the attempt under way or the stream that is up: index into `#urls`. */
  #urlIndex = 0;
  /** Undefined in a pause. */
  #stream: OutgoingStream | undefined;
  #startedAt = 0;
  #pauseMs = 0;
  #pause: NodeJS.Timeout | undefined;
  /** The stream has been accepted. */
  #isConnected = false;
  readonly #queue = new SendQueue();

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#urls = options.urls;
    this.#open();
  }

  /** Where it answers, or may: undefined if nobody has said where it is. */
  get url(): string | undefined {
    return this.#urls[this.#urlIndex];
  }

  /** Not written before `flush`. A member that cannot be reached loses it at once. */
  send(message: Message): void {
    if (this.#stream === undefined) {
      this.#options.onLost();
      return;
    }
    const { windowBytes, waitingBytesMax } = this.#options.limits;
    const encoded = encodeMessage(message);
    const waiting = this.#queue.bytes + Math.max(0, this.#stream.unacknowledged - windowBytes);
    if (waiting > 0 && waiting + encoded.bytes > waitingBytesMax) this.#options.onLost();
    else this.#queue.push(encoded);
  }

  /** Writes what there is room for. */
  flush(): void {
    const stream = this.#stream;
    if (stream?.accepted !== true || this.#queue.bytes === 0) return;
    const room = this.#options.limits.windowBytes - stream.unacknowledged;
    if (room <= 0) return;
    const { buffers, bytes } = this.#queue.take(room);
    stream.write(buffers, bytes);
    this.#options.observer?.sent(this.#options.id, bytes);
  }

  /** The member has shown that it is there: no pause is needed. */
  wake(): void {
    if (this.#pause === undefined) return;
    this.#pauseMs = 0;
    this.#open();
  }

  checkProgress(now: number): void {
    this.#stream?.checkProgress(now, this.#options.limits.stalledMs);
  }

  /** Connects anew if they are others than before. */
  setUrls(urls: readonly string[]): void {
    if (urls.length === this.#urls.length && urls.every((url, index) => url === this.#urls[index])) return;
    this.#urls = urls;
    this.#urlIndex = 0;
    this.#pauseMs = 0;
    this.#drop();
    this.#open();
  }

  close(): void {
    clearTimeout(this.#pause);
    this.#end();
  }

  #open(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    const { self, id, ownUrls, tls, limits } = this.#options;
    const { url } = this;
    if (url === undefined) return;
    this.#startedAt = performance.now();
    this.#stream = new OutgoingStream(
      {
        url,
        path: STREAM_PATH,
        method: 'POST',
        headers: { ...headersTo(self, id), ...introduction(ownUrls()) },
        tls: tls(),
        connectMs: limits.connectMs,
      },
      limits,
      {
        accepted: () => this.#accepted(url),
        acknowledged: () => this.flush(),
        ended: (end) => this.#ended(end, url),
      },
    );
  }

  #accepted(url: string): void {
    const { log, id, observer } = this.#options;
    this.#isConnected = true;
    observer?.connected(id);
    log.info(`to ${hex(id)} at ${url}`, { peer: hex(id), url }, 'connected to a peer');
    this.flush();
  }

  #ended(end: StreamEnd, url: string): void {
    const { limits, onRemoved } = this.#options;
    this.#tell(end, url);
    this.#urlIndex = (this.#urlIndex + 1) % this.#urls.length;
    this.#drop();
    const lastedMs = performance.now() - this.#startedAt;
    // What is accepted and cut at once, over and over, must not be tried without a pause.
    if (lastedMs > limits.pauseMsMax && end.type === 'lost') this.#pauseMs = 0;
    if (end.type === 'refused') this.#pauseMs = limits.pauseMsMax;
    const waitMs = this.#pauseMs - lastedMs;
    if (waitMs > 0) this.#pause = setTimeout(() => this.#open(), waitMs).unref();
    else this.#open();
    this.#pauseMs = Math.min(Math.max(limits.pauseMsMin, this.#pauseMs * 2), limits.pauseMsMax);
    if (end.type === 'refused' && end.status === STATUS.removed) onRemoved();
  }

  /** Everything not acknowledged is given up. */
  #drop(): void {
    const unsent = this.#queue.bytes + (this.#stream?.unacknowledged ?? 0);
    this.#end();
    if (unsent > 0) this.#options.onLost();
  }

  #end(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.#queue.clear();
    if (this.#isConnected) this.#options.observer?.disconnected(this.#options.id);
    this.#isConnected = false;
  }

  #tell(end: StreamEnd, url: string): void {
    const { log, id } = this.#options;
    const fields = { peer: hex(id), url, detail: end.detail };
    const subject = `to ${hex(id)} at ${url}`;
    if (end.type === 'lost') log.warn(subject, fields, 'a peer cannot be reached');
    else log.warn(subject, { ...fields, status: end.status }, `a peer refuses this member: ${end.detail}`);
  }
}
