/** From what a user has said to what the server is told, with a line for the log for whatever is passed over. */
import { InvalidArgumentError } from 'commander';
import { UsageError } from '../startup-error.js';
import { readConfigFile } from './config-file.js';
import type { GroupedFlag } from './flag.js';
import { CONFIG_FILE, type Given, type GivenValues, withEnvironment } from './given.js';
import type { EtcdOptions } from './options.js';
import { etcdFlag, etcdFlags, keyOf } from './table.js';
import { IDLE_GATES } from './values.js';

export interface Settings {
  readonly options: EtcdOptions;
  readonly warnings: readonly string[];
}

/** Flags that have become a gate of `--feature-gates`. */
const gateFlags = [
  ['experimental-initial-corrupt-check', 'InitialCorruptCheck'],
  ['experimental-compact-hash-check-enabled', 'CompactHashCheck'],
] as const;

/** `commandLine` by the flags' names. Throws UsageError, in one line. */
export async function settingsOf(
  commandLine: ReadonlyMap<string, string>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Settings> {
  const said = withEnvironment(commandLine, environment);
  const file = said.given.get(CONFIG_FILE);
  if (file === undefined) return settingsFrom(said.given, said.warnings);
  const { given, warnings } = await readConfigFile(file.text);
  // etcd's own line: a file takes the place of all the rest.
  const notice = `loaded server configuration from ${file.text}, other configuration command line flags and environment variables will be ignored if provided`;
  return settingsFrom(given, [notice, ...warnings]);
}

function settingsFrom(said: GivenValues, before: readonly string[]): Settings {
  const warnings = [...before];
  const given = withNewerNames(said, warnings);
  const values: Record<string, unknown> = {};
  for (const flag of etcdFlags) {
    if (flag.sameAs !== undefined) continue;
    const value = valueOf(flag, given.get(flag.name), warnings);
    if (value !== undefined) values[keyOf(flag.name)] = value;
  }
  values['featureGates'] = gatesOf(given, warnings);
  if (values['debug'] === true) values['logLevel'] = 'debug';
  return { options: values as unknown as EtcdOptions, warnings };
}

/** Undefined: not given, without a default, or without a meaning. */
function valueOf(flag: GroupedFlag, given: Given | undefined, warnings: string[]): unknown {
  const { byDefault, noMeaning, refused } = flag;
  // As in Go, where what is empty is what is not given.
  const text = given?.text === '' && byDefault === undefined ? undefined : given?.text;
  if (text === undefined || given === undefined) {
    return byDefault === undefined || byDefault === '' ? undefined : flag.parse(byDefault);
  }
  const value = parsed(flag, { ...given, text });
  if (refused !== undefined && value !== flag.parse(byDefault ?? '')) {
    throw new UsageError(`${given.label}: ${refused}`);
  }
  if (noMeaning === undefined) return value;
  warnings.push(`${given.label} has no meaning here: ${noMeaning}`);
  return undefined;
}

function parsed(flag: GroupedFlag, { text, label }: Given): unknown {
  try {
    return flag.parse(text);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new UsageError(`${label} ${JSON.stringify(text)} is invalid. ${error.message}`);
  }
}

function withNewerNames(said: GivenValues, warnings: string[]): Map<string, Given> {
  const given = new Map(said);
  for (const [name, value] of said) {
    const { sameAs } = etcdFlag(name);
    if (sameAs === undefined) continue;
    if (said.has(sameAs)) warnings.push(`${value.label} is passed over: --${sameAs} is given`);
    else given.set(sameAs, value);
  }
  return given;
}

/** What a flag of its own says comes first. */
function gatesOf(given: GivenValues, warnings: string[]): ReadonlyMap<string, boolean> {
  const list = given.get('feature-gates');
  const gates = new Map(list && (parsed(etcdFlag('feature-gates'), list) as ReadonlyMap<string, boolean>));
  for (const name of gates.keys()) {
    if (IDLE_GATES.has(name)) warnings.push(`${list?.label}: ${name} has no meaning here`);
  }
  for (const [name, gate] of gateFlags) {
    const value = given.get(name);
    if (value !== undefined) gates.set(gate, parsed(etcdFlag(name), value) === true);
  }
  return gates;
}
