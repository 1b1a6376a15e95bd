/** The process under the fuzzer, as the fuzzer sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Endpoints } from './endpoints.js';
import type { Stall } from './stalls.js';

export interface Measurement {
  /** What JavaScript holds after a collection, buffers included. */
  readonly heapBytes: number;
  /** Of what is stored, and of the changes that watches may still be told of: caches hold both. */
  readonly cachedBytes: number;
  readonly rssBytes: number;
  /** Objects that are reachable, and timers that are set. */
  readonly alive: Readonly<Record<'watches' | 'watchers' | 'requests' | 'sockets' | 'timers', number>>;
  /** Members of JavaScript's prototypes that have changed. */
  readonly polluted: readonly string[];
}

export type ToServer = { readonly type: 'ping' | 'measure' | 'conform' | 'stop' };

export type FromServer =
  | { readonly type: 'ready'; readonly endpoints: Endpoints }
  | { readonly type: 'pong' }
  | { readonly type: 'measured'; readonly measurement: Measurement }
  | { readonly type: 'conformed'; readonly problems: readonly string[] }
  | { readonly type: 'stall'; readonly stall: Stall }
  | { readonly type: 'failure'; readonly text: string };

export interface SubjectEvents {
  readonly onStall: (stall: Stall) => void;
  /** Something was logged as an error, or the process has ended. */
  readonly onFailure: (text: string) => void;
}

const STOP_MS_MAX = 5000;

export class Subject {
  #stopping = false;

  private constructor(
    private readonly child: ChildProcess,
    readonly endpoints: Endpoints,
  ) {}

  static async start({ onStall, onFailure }: SubjectEvents): Promise<Subject> {
    const child = fork(fileURLToPath(new URL('server.js', import.meta.url)), {
      execArgv: [...process.execArgv, '--expose-gc'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let errors = '';
    child.stderr?.on('data', (piece: Buffer) => (errors = (errors + piece.toString()).slice(-4000)));
    const ended = once(child, 'exit');
    const [first] = (await Promise.race([
      once(child, 'message'),
      ended.then(() => Promise.reject(new Error(`the server did not start: ${errors}`))),
    ])) as [FromServer];
    if (first.type !== 'ready') throw new Error(`the server began with ${JSON.stringify(first)}`);
    const subject = new Subject(child, first.endpoints);
    child.on('message', (message: FromServer) => {
      if (message.type === 'stall') onStall(message.stall);
      else if (message.type === 'failure') onFailure(message.text);
    });
    child.once('exit', (code, signal) => {
      if (!subject.#stopping) onFailure(`the server has ended (${code ?? signal}): ${errors}`);
    });
    return subject;
  }

  /** Resolves when everything it had to say has come. */
  async ping(): Promise<void> {
    await this.#ask('ping', 'pong');
  }

  async measure(): Promise<Measurement> {
    return (await this.#ask('measure', 'measured')).measurement;
  }

  /** What is wrong with what is stored. */
  async conform(): Promise<readonly string[]> {
    return (await this.#ask('conform', 'conformed')).problems;
  }

  /** Resolves with what was wrong with how it ended. */
  async stop(): Promise<string[]> {
    this.#stopping = true;
    if (this.child.exitCode !== null || this.child.signalCode !== null) return [];
    const ended = once(this.child, 'exit');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS_MAX);
    this.child.send({ type: 'stop' } satisfies ToServer);
    const [code, signal] = (await ended) as [number | null, string | null];
    clearTimeout(timer);
    return code === 0 ? [] : [`the server stopped with ${code ?? signal}`];
  }

  #ask<T extends FromServer['type']>(
    type: ToServer['type'],
    answer: T,
  ): Promise<Extract<FromServer, { type: T }>> {
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error('the server has ended'));
      const onMessage = (message: FromServer) => {
        if (message.type !== answer) return;
        this.child.off('message', onMessage);
        this.child.off('exit', onExit);
        resolve(message as Extract<FromServer, { type: T }>);
      };
      this.child.on('message', onMessage);
      this.child.once('exit', onExit);
      this.child.send({ type } satisfies ToServer, (error) => error && reject(error));
    });
  }
}
