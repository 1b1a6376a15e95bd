/** Requests on connections that are kept, several of them sent before the first is answered. */
import type { Socket } from 'node:net';
import { type Answer, AnswerParser } from './answers.js';
import { connectTo, type Endpoints } from './endpoints.js';
import type { FuzzCase } from './generator.js';
import { encodeHttp1 } from './message.js';
import { ANSWER_MS_MAX, now, type OnOutcome, Slots } from './outcome.js';

type RequestCase = Extract<FuzzCase, { kind: 'request' }>;

interface Waiting {
  readonly case: RequestCase;
  readonly sentAt: number;
  /** Connections that ended before this one's turn do not count against it. */
  readonly attempts: number;
}

export interface PipelinesOptions {
  readonly endpoints: Endpoints;
  readonly over: 'plain' | 'tls';
  readonly connections: number;
  /** Requests that one connection has under way. */
  readonly depth: number;
  /** Milliseconds; ANSWER_MS_MAX unless said. */
  readonly answerMsMax?: number;
  readonly onOutcome: OnOutcome;
}

/** Some connections, and the requests on them. */
export class Pipelines {
  readonly #slots: Slots;
  readonly #pipelines: Pipeline[];

  constructor(readonly options: PipelinesOptions) {
    this.#slots = new Slots(options.connections * options.depth);
    this.#pipelines = Array.from({ length: options.connections }, () => new Pipeline(this));
  }

  async submit(request: RequestCase): Promise<void> {
    await this.#slots.take();
    this.send({ case: request, sentAt: now(), attempts: 0 });
  }

  /** On the connection that has the fewest. */
  send(waiting: Waiting): void {
    let chosen = this.#pipelines[0] as Pipeline;
    for (const pipeline of this.#pipelines) if (pipeline.load < chosen.load) chosen = pipeline;
    chosen.send(waiting);
  }

  finish({ case: request, sentAt }: Waiting, answers: readonly Answer[], problems: readonly string[]): void {
    this.#slots.give();
    this.options.onOutcome({ case: request, answers, problems, sentAt, endedAt: now() });
  }

  async close(): Promise<void> {
    await this.#slots.allFree();
    for (const pipeline of this.#pipelines) pipeline.close();
  }
}

/** Ends of connections before its answer that one request may see. */
const ATTEMPTS_MAX = 2;

class Pipeline {
  #socket: Socket | undefined;
  #connecting = false;
  #parser: AnswerParser | undefined;
  /** Not yet written. */
  #queue: Waiting[] = [];
  /** Written, and not yet answered. */
  #sent: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly owner: Pipelines) {}

  get load(): number {
    return this.#queue.length + this.#sent.length;
  }

  send(waiting: Waiting): void {
    this.#queue.push(waiting);
    if (this.#socket !== undefined) this.#write();
    else if (!this.#connecting) void this.#connect();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  async #connect(): Promise<void> {
    this.#connecting = true;
    let socket: Socket;
    try {
      socket = await connectTo(this.owner.options.endpoints, this.owner.options.over);
    } catch (error) {
      this.#connecting = false;
      const lost = this.#queue.splice(0);
      for (const waiting of lost) this.owner.finish(waiting, [], [`no connection: ${String(error)}`]);
      return;
    }
    this.#connecting = false;
    this.#socket = socket;
    const parser = new AnswerParser({ onAnswer: (answer) => this.#answered(answer) });
    this.#parser = parser;
    socket.on('data', (bytes: Buffer) => this.#guarded(() => parser.feed(bytes)));
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#guarded(() => parser.end());
      this.#lost();
    });
    this.#write();
  }

  #write(): void {
    const socket = this.#socket;
    if (socket === undefined || !socket.writable) return;
    for (const waiting of this.#queue.splice(0)) {
      this.#parser?.sent(waiting.case.message.method);
      this.#sent.push(waiting);
      socket.write(encodeHttp1(waiting.case.message));
    }
    this.#watch();
  }

  #answered(answer: Answer): void {
    const waiting = this.#sent.shift();
    if (waiting === undefined) return;
    this.owner.finish(waiting, [answer], []);
    this.#watch();
    // Whoever says that it closes reads nothing more.
    if (answer.headers.get('connection')?.[0]?.toLowerCase() === 'close') this.#socket?.destroy();
  }

  /** The first of those that were sent must be answered in time. */
  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sent.length === 0) return;
    const { answerMsMax = ANSWER_MS_MAX } = this.owner.options;
    this.#timer = setTimeout(() => this.#fail(`no answer in ${answerMsMax} ms`), answerMsMax);
  }

  #guarded(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  #fail(problem: string): void {
    const waiting = this.#sent.shift();
    if (waiting !== undefined) this.owner.finish(waiting, [], [problem]);
    this.#socket?.destroy();
  }

  /** The connection has ended: the first of its requests may be why, the others are sent again. */
  #lost(): void {
    clearTimeout(this.#timer);
    const [first, ...others] = this.#sent.splice(0);
    const queued = this.#queue.splice(0);
    if (first !== undefined) {
      const again = { ...first, attempts: first.attempts + 1 };
      if (again.attempts > ATTEMPTS_MAX)
        this.owner.finish(again, [], ['the connection ended without an answer']);
      else this.owner.send(again);
    }
    for (const waiting of [...others, ...queued]) this.owner.send(waiting);
  }
}
