/** A TCP proxy whose connections can be cut at any byte. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface CuttingOptions {
  /** Asked once for each connection: how many bytes of the server's the client gets until it is cut. Absent: all. */
  readonly bytesUntilCut?: () => number;
}

export class CuttingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: { readonly port: number };
  #accepts = true;
  #cuts = 0;

  private constructor(target: { readonly port: number }, { bytesUntilCut }: CuttingOptions) {
    this.#target = target;
    this.#server = createServer({ noDelay: true }, (client) => {
      if (!this.#accepts) {
        client.destroy();
        return;
      }
      const server = connect({ port: this.#target.port, host: '127.0.0.1', noDelay: true });
      for (const [socket, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('error', () => other.destroy());
        socket.once('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
      client.pipe(server);
      if (bytesUntilCut === undefined) server.pipe(client);
      else this.#pass(server, client, bytesUntilCut());
    });
  }

  static async start(target: { readonly port: number }, options: CuttingOptions = {}): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target, options);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections cut within the server's bytes so far. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Every connection there is. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Whether new connections are let through; otherwise they are cut at once. */
  accept(accepts: boolean): void {
    this.#accepts = accepts;
  }

  /** New connections lead there. */
  retarget(target: { readonly port: number }): void {
    this.#target = target;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** The first so many bytes, and not one more. */
  #pass(server: Socket, client: Socket, bytes: number): void {
    let left = bytes;
    server.on('data', (chunk: Buffer) => {
      if (chunk.length < left) {
        left -= chunk.length;
        if (!client.write(chunk)) {
          server.pause();
          client.once('drain', () => server.resume());
        }
        return;
      }
      server.removeAllListeners('data');
      this.#cuts += 1;
      client.end(chunk.subarray(0, left), () => client.destroy());
    });
    server.once('end', () => client.end());
  }
}
