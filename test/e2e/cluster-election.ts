/**
 * The example of leader election, with its candidates on the API servers of different members, while the Raft leader is
 * killed over and over. Who leads at what time is read from what the candidates print.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../tools/cluster.js';
import { repository } from '../tools/wherry.js';

const EXAMPLE = join(repository, 'dist/examples/leader-election.js');
const LEASE_SECONDS = 5;
const LEADS_MS_MAX = 60_000;
/** A candidate leads undisturbed for so long. */
const CALM_MS = 1000;
const POLL_MS = 50;

/** One candidate's time as the leader, in milliseconds since the epoch; still going on where `until` is Infinity. */
export interface Reign {
  readonly candidate: string;
  readonly from: number;
  readonly until: number;
}

export interface ElectionReport {
  readonly reigns: readonly Reign[];
  /** Pairs that led at the same time. */
  readonly overlaps: readonly (readonly [Reign, Reign])[];
  /** Of each kill: milliseconds until a candidate led whose lead was confirmed or taken after it. */
  readonly leadsAgainMs: readonly number[];
}

class Candidate {
  readonly #process: ChildProcess;
  output = '';

  constructor(
    readonly name: string,
    kubeconfig: string,
  ) {
    const env = { ...process.env, KUBECONFIG: kubeconfig, LEASE_SECONDS: String(LEASE_SECONDS) };
    this.#process = spawn(process.execPath, [EXAMPLE, name], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.#process.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  get reigns(): Reign[] {
    const reigns: Reign[] = [];
    for (const line of this.output.split('\n')) {
      const [, time = '', says] = /^(\S+) \S+: (I lead|I no longer lead)$/.exec(line) ?? [];
      const last = reigns.at(-1);
      if (says === 'I lead')
        reigns.push({ candidate: this.name, from: Date.parse(time), until: Number.POSITIVE_INFINITY });
      else if (says !== undefined && last !== undefined)
        reigns[reigns.length - 1] = { ...last, until: Date.parse(time) };
    }
    return reigns;
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill(signal);
    await exited;
  }
}

export async function runElection(kills: number): Promise<ElectionReport> {
  const cluster = await Cluster.start({ secure: true });
  const candidates: Candidate[] = [];
  try {
    for (const { name, kubeconfig } of cluster.members) {
      candidates.push(new Candidate(`on-${name}`, kubeconfig));
    }
    await untilOneLeads(candidates, Date.now());
    const leadsAgainMs = [];
    for (let kill = 1; kill <= kills; kill++) {
      await sleep(CALM_MS);
      const leader = await cluster.untilLed();
      const killedAt = Date.now();
      await leader.stop('SIGKILL');
      // Longer than a lead lasts without a renewal.
      leadsAgainMs.push((await untilOneLeads(candidates, killedAt + LEASE_SECONDS * 1000)) - killedAt);
      await leader.start();
      await leader.ready();
    }
    // The one who leads gives the lease up, for another to take.
    await candidates.find(isLeading)?.stop('SIGTERM');
    await untilOneLeads(candidates, Date.now());
    const reigns = candidates.flatMap((candidate) => candidate.reigns);
    return { reigns, overlaps: overlapsOf(reigns), leadsAgainMs };
  } finally {
    await Promise.all(candidates.map((candidate) => candidate.stop('SIGKILL')));
    await cluster.stop();
  }
}

const isLeading = ({ reigns }: Candidate): boolean => reigns.at(-1)?.until === Number.POSITIVE_INFINITY;

/** Resolves when a candidate leads at a time not before `notBefore`; gives when that was seen, as `Date.now()`. */
async function untilOneLeads(candidates: readonly Candidate[], notBefore: number): Promise<number> {
  const deadline = Date.now() + LEADS_MS_MAX;
  for (;;) {
    const now = Date.now();
    if (now >= notBefore && candidates.some(isLeading)) return now;
    if (now > deadline)
      throw new Error(`nobody leads:\n${candidates.map(({ output }) => output.slice(-2000)).join('\n')}`);
    await sleep(POLL_MS);
  }
}

function overlapsOf(reigns: readonly Reign[]): (readonly [Reign, Reign])[] {
  const sorted = reigns.toSorted((a, b) => a.from - b.from);
  return sorted.flatMap((reign, place) =>
    sorted
      .slice(place + 1)
      .filter(({ from }) => from < reign.until)
      .map((later) => [reign, later] as const),
  );
}
