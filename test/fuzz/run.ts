/** A whole run: the server, the requests, what is checked of each answer, and what is checked at the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Asked, problemsOf } from './checker.js';
import { Alone } from './alone.js';
import { readCatalogue, type Catalogue, groupPath } from './catalogue.js';
import { fetchOnce } from './endpoints.js';
import { type Finding, Findings } from './findings.js';
import { type FuzzCase, Generator } from './generator.js';
import { Http2Sessions } from './http2.js';
import type { OnOutcome, Outcome } from './outcome.js';
import { Pipelines } from './pipeline.js';
import { Prototypes } from './prototypes.js';
import { commandOf } from './replay.js';
import { type Measurement, Subject } from './subject.js';
import { Suspects } from './suspects.js';

export interface FuzzOptions {
  readonly seed: number;
  readonly requests: number;
  /** Number of the first request. */
  readonly first?: number;
  readonly largeShare?: number;
  readonly onProgress?: (done: number) => void;
  /** Told of the first finding of each kind when it is found. */
  readonly onFinding?: (finding: Finding) => void;
  /** Ends the run early: what was done until then is examined and reported. */
  readonly signal?: AbortSignal;
}

export interface FuzzReport {
  readonly requests: number;
  readonly milliseconds: number;
  /** How many answers had each status; 0 for requests without one. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly findings: Findings;
  readonly before: Measurement;
  /** After each `MEASURE_EVERY` requests but the last. */
  readonly held: readonly Measurement[];
  readonly after: Measurement;
  /** The longest time that one request kept all others waiting. */
  readonly longestStallMs: number;
}

/** Requests after which the server has made what it makes once, and reached its bounds: a fifth of all, within these. */
const WARM_UP_MIN = 3000;
const WARM_UP_MAX = 50_000;
/** What is held must level off: it is measured between, too. */
const MEASURE_EVERY = 50_000;
/** More than this is a leak. */
const GROWTH_BYTES_MAX = 16 * 1024 * 1024;
/** An object is held as bytes, and within bounds decoded and in other forms. */
const HELD_FOR_CACHED = 3;
/** No request keeps all others waiting for longer. */
export const STALL_MS_MAX = 2000;
/** Connections that the fuzzer has ended may take so long to be gone. */
const SETTLE_MS_MAX = 5000;
const SETTLE_STEP_MS = 500;

export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const findings = new Findings(options.onFinding);
  const suspects = new Suspects();
  const subject = await Subject.start({
    onStall: (stall) => suspects.stalled(stall),
    onFailure: (text) => findings.add({ problem: text, command: '' }),
  });
  try {
    return await new Run(options, subject, findings, suspects).report();
  } finally {
    for (const problem of await subject.stop()) findings.add({ problem, command: '' });
  }
}

/** What is wrong with what came back. */
export function problemsOfOutcome({ case: fuzzCase, answers, problems }: Outcome): string[] {
  const asked = askedBy(fuzzCase);
  return [...problems, ...answers.flatMap((answer) => problemsOf(asked, answer))];
}

function askedBy(fuzzCase: FuzzCase): Asked {
  if (fuzzCase.kind !== 'wire')
    return { ...fuzzCase.message, endless: fuzzCase.kind === 'socket' || fuzzCase.endless };
  return {
    method: /^HEAD /m.test(fuzzCase.bytes.toString('latin1')) ? 'HEAD' : '',
    target: '',
    endless: true,
  };
}

interface Lanes {
  submit(fuzzCase: FuzzCase): Promise<void>;
  /** Waits for all answers. */
  close(): Promise<void>;
}

class Run {
  readonly #statuses = new Map<number, number>();
  #done = 0;
  readonly #prototypes = new Prototypes();

  constructor(
    private readonly options: FuzzOptions,
    private readonly subject: Subject,
    private readonly findings: Findings,
    private readonly suspects: Suspects,
  ) {}

  async report(): Promise<FuzzReport> {
    const { seed, requests, first = 0, largeShare } = this.options;
    const { endpoints } = this.subject;
    const server = `http://127.0.0.1:${endpoints.port}`;
    const catalogue = await readCatalogue(server);
    const host = `127.0.0.1:${endpoints.port}`;
    const generator = new Generator({
      seed,
      catalogue,
      host,
      ...(largeShare === undefined ? {} : { largeShare }),
    });
    const began = performance.now();
    const warmUp = Math.min(requests, Math.max(WARM_UP_MIN, Math.min(WARM_UP_MAX, Math.floor(requests / 5))));
    await this.#send(generator, first, first + warmUp);
    let milliseconds = performance.now() - began;
    const before = await this.#settled();
    const held: Measurement[] = [];
    for (let from = first + warmUp; from < first + requests && !this.#isOver; ) {
      const to = Math.min(first + requests, from + MEASURE_EVERY);
      const went = performance.now();
      await this.#send(generator, from, to);
      milliseconds += performance.now() - went;
      if (to < first + requests) held.push(await this.#settled(before));
      from = to;
    }
    await this.#examine(server, catalogue);
    const longestStallMs = await this.#confirmStalls(generator);
    const after = await this.#settled(before);
    this.#compare(before, after);
    return {
      requests: this.#done,
      milliseconds,
      statuses: this.#statuses,
      findings: this.findings,
      before,
      held,
      after,
      longestStallMs,
    };
  }

  get #isOver(): boolean {
    return this.findings.enough || this.options.signal?.aborted === true;
  }

  async #send(generator: Generator, from: number, to: number): Promise<void> {
    const lanes = this.#lanes((outcome) => this.#onOutcome(outcome));
    for (let index = from; index < to && !this.#isOver; index += 1) {
      await lanes.submit(generator.generate(index));
    }
    await lanes.close();
  }

  #lanes(onOutcome: OnOutcome): Lanes {
    const { endpoints } = this.subject;
    const alone = new Alone({ endpoints, connections: 128, onOutcome });
    const plain = new Pipelines({ endpoints, over: 'plain', connections: 8, depth: 8, onOutcome });
    const tls = new Pipelines({ endpoints, over: 'tls', connections: 2, depth: 4, onOutcome });
    const http2 = new Http2Sessions({ endpoints, sessions: 2, streams: 12, onOutcome });
    return {
      submit(fuzzCase) {
        if (fuzzCase.kind !== 'request' || fuzzCase.alone) return alone.submit(fuzzCase);
        if (fuzzCase.over === 'http2') return http2.submit(fuzzCase);
        if (fuzzCase.endless) return alone.submit(fuzzCase);
        return (fuzzCase.over === 'tls' ? tls : plain).submit(fuzzCase);
      },
      async close() {
        await Promise.all([alone.close(), plain.close(), tls.close(), http2.close()]);
      },
    };
  }

  #onOutcome(outcome: Outcome): void {
    const { case: fuzzCase, answers } = outcome;
    for (const { status } of answers) this.#count(status);
    if (answers.length === 0) this.#count(0);
    for (const problem of problemsOfOutcome(outcome))
      this.findings.add({ problem, command: this.#command(fuzzCase) });
    this.suspects.answered(outcome);
    this.#done += 1;
    this.options.onProgress?.(this.#done);
  }

  #count(status: number): void {
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
  }

  #command(fuzzCase: FuzzCase): string {
    const { port, securePort } = this.subject.endpoints;
    const again = `npm run fuzz -- --seed ${this.options.seed} --only ${fuzzCase.index}`;
    return `${again}\n  ${commandOf(fuzzCase, port, securePort)}`;
  }

  /** What is stored, and whether everything that is stored can be had in every form. */
  async #examine(server: string, { targets }: Catalogue): Promise<void> {
    for (const problem of await this.subject.conform()) this.findings.add({ problem, command: '' });
    const forms = [
      'application/json',
      'application/yaml',
      'application/json;as=Table;v=v1;g=meta.k8s.io',
      'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    ];
    for (const { definition } of targets.filter(({ verbs }) => verbs.includes('list'))) {
      for (const accept of forms) {
        const url = `${server}${groupPath(definition)}/${definition.plural}`;
        const answer = await fetchOnce(url, { accept });
        const command = `curl -H 'Accept: ${accept}' ${url}`;
        const problems = problemsOf(
          { method: 'GET', target: url.slice(server.length), endless: false },
          answer,
        );
        if (answer.status !== 200) problems.push(`${answer.status} to the list of what is stored`);
        for (const problem of problems) this.findings.add({ problem, command });
      }
    }
  }

  /** Sends once more, one at a time, what was under way when the server stood still. */
  async #confirmStalls(generator: Generator): Promise<number> {
    let longest = Math.min(this.suspects.longestMs, STALL_MS_MAX);
    for (const index of this.suspects.indexes(STALL_MS_MAX)) {
      this.suspects.clear();
      const fuzzCase = generator.generate(index);
      const lanes = this.#lanes(() => undefined);
      await lanes.submit(fuzzCase);
      await lanes.close();
      await this.subject.ping();
      const ms = this.suspects.longestMs;
      longest = Math.max(longest, ms);
      if (ms > STALL_MS_MAX) {
        this.findings.add({
          problem: `one request keeps the server for ${Math.round(ms)} ms`,
          command: this.#command(fuzzCase),
        });
      }
    }
    return longest;
  }

  /** Measured once the server has noticed that all connections are gone. */
  async #settled(like?: Measurement): Promise<Measurement> {
    const deadline = performance.now() + SETTLE_MS_MAX;
    for (;;) {
      await sleep(SETTLE_STEP_MS);
      const measured = await this.subject.measure();
      const { watches, requests, sockets } = measured.alive;
      const calm =
        watches === 0 &&
        (like === undefined || (requests <= like.alive.requests && sockets <= like.alive.sockets));
      if (calm || performance.now() > deadline) return measured;
    }
  }

  #compare(before: Measurement, after: Measurement): void {
    const add = (problem: string) => this.findings.add({ problem, command: '' });
    for (const change of after.polluted) add(`${change} was changed`);
    for (const change of this.#prototypes.changes()) add(`the fuzzer has changed its own ${change}`);
    const cached = after.cachedBytes - before.cachedBytes;
    const growth = after.heapBytes - before.heapBytes - Math.max(0, cached) * HELD_FOR_CACHED;
    if (growth > GROWTH_BYTES_MAX)
      add(`${Math.round(growth / 1e6)} MB more are held than before and for what is cached`);
    for (const name of ['watches', 'watchers', 'requests', 'sockets', 'timers'] as const) {
      if (after.alive[name] > before.alive[name])
        add(`${after.alive[name]} ${name} are alive, ${before.alive[name]} were before`);
    }
  }
}
