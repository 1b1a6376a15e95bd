/**
 * The network between the members, in the test's hands. Each member is advertised at a proxy of its own; who connects to
 * it says so in the first request's headers, so that every direction between two members has rules of its own.
 *
 * What is held is not lost, as TCP would send it again: it arrives late, once the direction is open again.
 */
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';

/** What happens to the bytes that one member sends to another. */
interface Direction {
  held: boolean;
  /** Connections that `from` opens to `to` are cut at once. */
  refused: boolean;
  delayMs: number;
}

const OPEN: Readonly<Direction> = { held: false, refused: false, delayMs: 0 };

/** Bytes waiting in one direction of one connection past which no more are read. */
const WAITING_BYTES_MAX = 2 ** 20;
/** Of the first request's headers. */
const HEADER_BYTES_MAX = 2 ** 14;

export class PeerNetwork {
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Connection>();
  readonly #directions = new Map<string, Direction>();
  /** Names of members by id. */
  readonly #names = new Map<string, string>();

  /** Gives the URL to advertise for a member that listens on a loopback port. */
  async addMember(name: string, port: number): Promise<string> {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const connection = new Connection(socket, {
        port,
        forth: (id) => this.#rules(this.#names.get(id), name),
        back: (id) => this.#rules(name, this.#names.get(id)),
      });
      this.#connections.add(connection);
      socket.once('close', () => this.#connections.delete(connection));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Until it is known which member has an id, no rule holds for what it sends. */
  identify(id: bigint, name: string): void {
    this.#names.set(id.toString(16), name);
  }

  /** A black hole: nothing arrives, and nobody is told. */
  hold(from: string, to: string): void {
    this.#change(from, to, { held: true });
  }

  /** Every byte takes so long. */
  delay(from: string, to: string, delayMs: number): void {
    this.#change(from, to, { delayMs });
  }

  /** Connections that `from` has to `to` are cut, and so are new ones. */
  refuse(from: string, to: string): void {
    this.#change(from, to, { refused: true });
  }

  /** Black holes both ways between every one of `group` and everyone else. */
  isolate(group: readonly string[], everyone: readonly string[]): void {
    for (const inside of group) {
      for (const outside of everyone) {
        if (group.includes(outside)) continue;
        this.hold(inside, outside);
        this.hold(outside, inside);
      }
    }
  }

  /** Everything is as in the beginning. What was held arrives now. */
  heal(): void {
    this.#directions.clear();
    this.#tellConnections();
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #change(from: string, to: string, change: Partial<Direction>): void {
    this.#directions.set(`${from}>${to}`, { ...this.#rules(from, to), ...change });
    this.#tellConnections();
  }

  #rules(from: string | undefined, to: string | undefined): Readonly<Direction> {
    return this.#directions.get(`${from}>${to}`) ?? OPEN;
  }

  #tellConnections(): void {
    for (const connection of this.#connections) connection.rulesChanged();
  }
}

interface ConnectionRules {
  /** Where the member listens. */
  readonly port: number;
  /** By the id of who connected: rules of what it sends, and of what it is sent. */
  readonly forth: (id: string) => Readonly<Direction>;
  readonly back: (id: string) => Readonly<Direction>;
}

/** One connection of a member to another. */
class Connection {
  readonly #client: Socket;
  readonly #rules: ConnectionRules;
  #header = Buffer.alloc(0);
  /** Id of who connected, as it says; empty where it does not. Undefined until then. */
  #source: string | undefined;
  #server: Socket | undefined;
  #forth: Pipe | undefined;
  #back: Pipe | undefined;

  constructor(client: Socket, rules: ConnectionRules) {
    this.#client = client;
    this.#rules = rules;
    client.on('error', () => this.destroy());
    client.on('data', this.#takeHeader);
  }

  /** Both ends see it closed. */
  destroy(): void {
    this.#forth?.stop();
    this.#back?.stop();
    this.#client.destroy();
    this.#server?.destroy();
  }

  rulesChanged(): void {
    if (this.#source === undefined) return;
    if (this.#rules.forth(this.#source).refused) this.destroy();
    else if (this.#server === undefined) this.#connect(this.#source);
    this.#forth?.flush();
    this.#back?.flush();
  }

  readonly #takeHeader = (chunk: Buffer): void => {
    this.#header = Buffer.concat([this.#header, chunk]);
    const text = this.#header.toString('latin1');
    if (!text.includes('\r\n\r\n')) {
      if (text.length > HEADER_BYTES_MAX) this.destroy();
      return;
    }
    this.#client.off('data', this.#takeHeader);
    this.#client.pause();
    this.#source = /^x-wherry-from: *([0-9a-f]+)\r$/im.exec(text)?.[1] ?? '';
    this.rulesChanged();
  };

  /** Not before the first bytes may pass: whether anybody listens is not to be learned in a black hole. */
  #connect(source: string): void {
    const forth = () => this.#rules.forth(source);
    const back = () => this.#rules.back(source);
    if (forth().held || this.#client.destroyed) return;
    const server = connect({ port: this.#rules.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    server.on('error', () => this.destroy());
    this.#server = server;
    this.#forth = new Pipe(this.#client, server, forth);
    this.#back = new Pipe(server, this.#client, back);
    this.#forth.take(this.#header);
  }
}

/** One direction of a connection. */
class Pipe {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #rules: () => Readonly<Direction>;
  readonly #waiting: { readonly dueAt: number; readonly chunk: Buffer }[] = [];
  #waitingBytes = 0;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Socket, sink: Socket, rules: () => Readonly<Direction>) {
    this.#source = source;
    this.#sink = sink;
    this.#rules = rules;
    source.on('data', (chunk) => this.take(chunk));
    source.on('end', () => {
      this.#ended = true;
      this.flush();
    });
    sink.on('drain', () => this.flush());
  }

  take(chunk: Buffer): void {
    this.#waiting.push({ dueAt: performance.now() + this.#rules().delayMs, chunk });
    this.#waitingBytes += chunk.length;
    this.flush();
  }

  flush(): void {
    clearTimeout(this.#timer);
    if (this.#rules().held) {
      this.#source.pause();
      return;
    }
    this.#writeDue();
    const next = this.#waiting[0];
    if (next === undefined && this.#ended) this.#sink.end();
    if (next !== undefined && !this.#sink.writableNeedDrain) {
      this.#timer = setTimeout(() => this.flush(), next.dueAt - performance.now());
    }
    if (this.#waitingBytes > WAITING_BYTES_MAX || this.#sink.writableNeedDrain) this.#source.pause();
    else this.#source.resume();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  #writeDue(): void {
    const now = performance.now();
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (next.dueAt > now || this.#sink.writableNeedDrain) return;
      this.#waiting.shift();
      this.#waitingBytes -= next.chunk.length;
      this.#sink.write(next.chunk);
    }
  }
}
