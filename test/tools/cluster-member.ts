/** One member of a test's cluster: a process that comes and goes, and a data directory that stays. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiClient } from './api-client.js';
import { type Wherry, spawnWherry, untilReady } from './wherry.js';

/** Starting, electing and catching up, on a machine that does other things too. */
export const READY_MS_MAX = 60_000;
const STATUS_TIMEOUT_MS = 1000;

export interface MemberPlan {
  readonly name: string;
  readonly dataDir: string;
  readonly port: number;
  /** 0: none. */
  readonly securePort: number;
  readonly clientUrl: string;
  readonly args: readonly string[];
}

export interface MemberStatus {
  readonly memberId: bigint;
  /** 0n: it knows none. */
  readonly leaderId: bigint;
  readonly term: number;
}

export class ClusterMember {
  readonly #plan: MemberPlan;
  readonly #client: ApiClient;
  #wherry: Wherry | undefined;
  #paused = false;
  /** Ends that nobody here asked for. */
  readonly crashes: string[] = [];
  /** Known once it has answered for the first time. */
  id = 0n;

  constructor(plan: MemberPlan, client: ApiClient) {
    this.#plan = plan;
    this.#client = client;
  }

  get name(): string {
    return this.#plan.name;
  }

  /** Of the plain port. */
  get url(): string {
    return `http://127.0.0.1:${this.#plan.port}`;
  }

  get clientUrl(): string {
    return this.#plan.clientUrl;
  }

  /** As its flag has it. */
  get initialCluster(): string {
    const { args } = this.#plan;
    return args[args.indexOf('--initial-cluster') + 1] ?? '';
  }

  get kubeconfig(): string {
    return join(this.#plan.dataDir, 'kubeconfig');
  }

  get isRunning(): boolean {
    return this.#wherry !== undefined;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /** What its present process has printed. */
  get output(): string {
    return this.#wherry?.output() ?? '';
  }

  /** Number of its database: one more with every snapshot that it has installed. */
  async generation(): Promise<number> {
    const name = await readFile(join(this.#plan.dataDir, 'member/CURRENT'), 'utf8');
    return Number(/mvcc-(\d+)\.db/.exec(name)?.[1]);
  }

  /** Starts the process and waits for nothing. */
  async start(): Promise<void> {
    if (this.#wherry !== undefined) throw new Error(`${this.name} runs already`);
    const { dataDir, port, securePort, args } = this.#plan;
    const wherry = await spawnWherry({ dataDir, port, securePort, args });
    this.#wherry = wherry;
    wherry.process.once('exit', (code, signal) => {
      // What `stop` asked for has been noted there.
      if (this.#wherry !== wherry) return;
      this.crashes.push(`${this.name} ended with ${code ?? signal}:\n${wherry.output().slice(-4000)}`);
      this.#wherry = undefined;
    });
  }

  /** Waits until it serves reads that a majority confirms. */
  async ready(): Promise<void> {
    if (this.#wherry === undefined) throw new Error(`${this.name} does not run`);
    await untilReady(this.#wherry, READY_MS_MAX);
    const status = await this.status();
    if (status !== undefined) this.id = status.memberId;
  }

  /** Gives the exit code; null where the signal was the end of it. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    const wherry = this.#wherry;
    this.#wherry = undefined;
    if (this.#paused && signal !== 'SIGKILL') wherry?.process.kill('SIGCONT');
    this.#paused = false;
    return (await wherry?.stop(signal)) ?? null;
  }

  /** SIGTERM; anything but a clean end is a crash. */
  async end(): Promise<void> {
    const { output } = this;
    const code = await this.stop('SIGTERM');
    if (code !== 0) this.crashes.push(`${this.name} ended with ${code} when it was told to stop:\n${output}`);
  }

  pause(): void {
    this.#paused = this.#wherry?.process.kill('SIGSTOP') === true;
  }

  resume(): void {
    if (this.#paused) this.#wherry?.process.kill('SIGCONT');
    this.#paused = false;
  }

  /** What the member itself knows; undefined when it does not answer. */
  async status(): Promise<MemberStatus | undefined> {
    const url = `${this.#plan.clientUrl}/v3/maintenance/status`;
    try {
      const answer = await this.#client.send({
        method: 'POST',
        url,
        body: {},
        timeoutMs: STATUS_TIMEOUT_MS,
      });
      return answer.status === 200 ? parseStatus(answer.body) : undefined;
    } catch {
      return undefined;
    }
  }
}

/** As etcd's gateway writes it: 64-bit numbers as text, zeros left out. */
function parseStatus(body: unknown): MemberStatus {
  const { header, leader, raftTerm } = body as {
    readonly header: { readonly member_id: string };
    readonly leader?: string;
    readonly raftTerm?: string;
  };
  return { memberId: BigInt(header.member_id), leaderId: BigInt(leader ?? 0), term: Number(raftTerm ?? 0) };
}
