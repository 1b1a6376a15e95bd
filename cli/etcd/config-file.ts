/** etcd's configuration file: YAML with the flags' names as keys, those of TLS in a group for each kind of port. */
import { readFile } from 'node:fs/promises';
import { UsageError } from '../startup-error.js';
import type { Given, GivenValues } from './given.js';
import { etcdFlags } from './table.js';

/** Names of flags by the path of their key. */
const nameByPath = new Map(etcdFlags.map(({ name, fileKey = [name] }) => [fileKey.join('.'), name]));
/** Flags whose value is a duration, which the file may have as a number: nanoseconds, as Go encodes it. */
const durations = new Set(etcdFlags.filter(({ value }) => value === 'duration').map(({ name }) => name));
/** Keys with keys below them, of which none may be passed over: each of them restricts who may connect. */
const STRICT_GROUPS = new Set(['client-transport-security', 'peer-transport-security']);
const GROUPS = new Set([...STRICT_GROUPS, 'discovery-config']);

/** The library is loaded when it is needed: most servers have no such file. Throws UsageError. */
export async function readConfigFile(
  path: string,
): Promise<{ readonly given: GivenValues; readonly warnings: readonly string[] }> {
  const reader = new Reader(path);
  reader.take(await parse(path), []);
  return reader;
}

async function parse(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`cannot read --config-file: ${messageOf(error)}`);
  });
  const { parse: parseYaml } = await import('yaml');
  let document: unknown;
  try {
    document = parseYaml(text) ?? {};
  } catch (error) {
    throw new UsageError(`--config-file ${path} is not YAML: ${messageOf(error)}`);
  }
  if (!isObject(document)) throw new UsageError(`--config-file ${path} does not hold keys and values`);
  return document;
}

class Reader {
  readonly given = new Map<string, Given>();
  readonly warnings: string[] = [];

  constructor(private readonly path: string) {}

  take(values: Record<string, unknown>, above: readonly string[]): void {
    for (const [key, value] of Object.entries(values)) {
      const keys = [...above, key];
      const name = nameByPath.get(keys.join('.'));
      if (value === null || value === '') continue;
      if (name !== undefined) this.#set(name, value, keys.join('.'));
      else if (above.length === 0 && GROUPS.has(key) && isObject(value)) this.take(value, keys);
      else this.#unknown(keys);
    }
  }

  #set(name: string, value: unknown, key: string): void {
    const label = `${key} in ${this.path}`;
    if (isObject(value)) throw new UsageError(`${label} must be one value`);
    const isNanoseconds = typeof value === 'number' && durations.has(name);
    const text = Array.isArray(value) ? value.join(',') : `${String(value)}${isNanoseconds ? 'ns' : ''}`;
    this.given.set(name, { text, label });
  }

  #unknown(keys: readonly string[]): void {
    const [group = ''] = keys;
    if (STRICT_GROUPS.has(group) && keys.length > 1) {
      throw new UsageError(`${keys.join('.')} in ${this.path} is not offered here`);
    }
    this.warnings.push(`unrecognized key ${keys.join('.')} in ${this.path}`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first line: what follows in the library's messages is the text itself. */
function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
