/** A watch over a web socket: one message for each event, a text where it is JSON. */
import type { WebSocket } from 'ws';
import { bearerProtocol } from '../auth/bearer-token.js';
import { webSocketBufferBytesMax } from './limits.js';
import { frameLengthBytes } from './protobuf-frames.js';
import type { WatchPump } from './watch-pump.js';
import { type WatchSource, WatchStream } from './watch-stream.js';

/** The first subprotocol offered that is no bearer token; false selects none. */
export function selectProtocol(offered: Iterable<string>): string | false {
  for (const protocol of offered) if (!protocol.startsWith(bearerProtocol)) return protocol;
  return false;
}

/** Of a close: the watch has ended in order. */
const normalClosure = 1000;

export class SocketWatchStream extends WatchStream {
  readonly #socket: WebSocket;
  readonly #binary: boolean;

  constructor(pump: WatchPump, source: WatchSource, socket: WebSocket) {
    super(pump, source);
    this.#socket = socket;
    this.#binary = source.shape.media === 'protobuf';
    socket.on('close', () => this.dispose());
    if (socket.readyState !== socket.OPEN) this.dispose();
  }

  protected write(frame: Buffer): boolean {
    const binary = this.#binary;
    // Messages are delimited by themselves; JSON keeps its newline, as upstream's encoder leaves it.
    const message = binary ? frame.subarray(frameLengthBytes) : frame;
    const full = this.#socket.bufferedAmount + message.length > webSocketBufferBytesMax;
    this.#socket.send(message, { binary }, full ? () => this.unblock() : undefined);
    return !full;
  }

  protected end(): void {
    this.#socket.close(normalClosure);
  }
}
