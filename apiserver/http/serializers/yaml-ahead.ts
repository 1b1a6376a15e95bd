/**
 * Large YAML that only the library reads: three megabytes keep it for seconds. A thread of its own reads it before the
 * request is served, so that other requests are answered meanwhile; one at a time, whoever sends how many.
 */
import { Worker } from 'node:worker_threads';
import { type ParsedYaml, parseQuickly, parseYaml } from './yaml.js';
import { UNSURE } from './yaml-ordinary.js';

/** Shorter bodies are read where they are decoded, in at most a tenth of a second. */
export const YAML_AHEAD_BYTES_MIN = 64 * 1024;
/** Idle, the thread ends after so long. */
const IDLE_MS = 10_000;
/** Of the library's tree of three megabytes. A document that takes more is refused. */
const HEAP_MB_MAX = 1024;

const TOO_COMPLEX: ParsedYaml = { problem: 'yaml: document is too complex' };

/** What was read ahead, by the bytes it was read from. */
const known = new WeakMap<Buffer, ParsedYaml>();

/** What the body says: the caller's own, to change. */
export function readYaml(body: Buffer): ParsedYaml {
  const ahead = known.get(body);
  return ahead === undefined ? parseYaml(body.toString('utf8')) : structuredClone(ahead);
}

/** Resolves when `readYaml` of this very buffer takes no longer than it must. */
export async function readYamlAhead(body: Buffer): Promise<void> {
  if (body.length <= YAML_AHEAD_BYTES_MIN) return;
  const text = body.toString('utf8');
  const quick = parseQuickly(text);
  known.set(
    body,
    quick === UNSURE ? await (thread ??= new YamlThread()).read(text) : { value: quick, duplicates: [] },
  );
}

class YamlThread {
  readonly #worker: Worker;
  /** In the order in which they were sent. */
  readonly #waiting: ((parsed: ParsedYaml) => void)[] = [];
  #idle: NodeJS.Timeout | undefined;

  constructor() {
    // The same name beside the compiled sources and in the bundle.
    this.#worker = new Worker(new URL('./yaml-worker.js', import.meta.url), {
      execArgv: [],
      name: 'yaml',
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    });
    this.#worker.on('message', (parsed: ParsedYaml) => {
      this.#waiting.shift()?.(parsed);
      if (this.#waiting.length > 0) return;
      this.#worker.unref();
      this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref();
    });
    // It has run out of memory, over the first that waits or one behind it.
    this.#worker.on('error', () => undefined);
    this.#worker.once('exit', () => this.#end());
  }

  read(text: string): Promise<ParsedYaml> {
    clearTimeout(this.#idle);
    this.#worker.ref();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      // A rule for browser windows, whose postMessage takes an origin.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      this.#worker.postMessage(text);
    });
  }

  /** Whoever comes next begins another one. */
  #end(): void {
    clearTimeout(this.#idle);
    if (thread === this) thread = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve(TOO_COMPLEX);
    void this.#worker.terminate();
  }
}

let thread: YamlThread | undefined;
