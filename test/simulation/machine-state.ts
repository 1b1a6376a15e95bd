import type { LogEntry } from '../../raft/log/log.js';
import type { LogPosition } from '../../raft/node/consensus.js';
import { decodeCommand, type CommandResult } from './command.js';

/** The whole state of a simulated store at one position; never changed once it is made. */
export interface MachineState {
  readonly applied: LogPosition;
  readonly configuration: Uint8Array;
  readonly installedSnapshot: boolean;
  readonly values: ReadonlyMap<string, string>;
  /** Hash of every entry applied so far, in order: equal wherever the same was applied. */
  readonly chain: number;
}

export function newState(configuration: Uint8Array): MachineState {
  return {
    applied: { index: 0, term: 0 },
    configuration,
    installedSnapshot: false,
    values: new Map(),
    chain: 0,
  };
}

/** The state after `entry`. Changes `values`, which the caller has made for this. */
export function applyEntry(
  state: MachineState,
  entry: LogEntry,
  values: Map<string, string>,
): { readonly state: MachineState; readonly result: CommandResult | undefined } {
  const { index, term, type, payload } = entry;
  const next = {
    ...state,
    applied: { index, term },
    installedSnapshot: false,
    values,
    chain: chained(state.chain, entry),
    ...(type === 'configuration' && { configuration: payload }),
  };
  return { state: next, result: type === 'normal' ? execute(payload, values) : undefined };
}

function execute(payload: Uint8Array, values: Map<string, string>): CommandResult {
  const command = decodeCommand(payload);
  const found = values.get(command.key);
  const succeeded = command.kind === 'write' || command.expected === found;
  if (succeeded) values.set(command.key, command.value);
  return { succeeded, found };
}

function chained(chain: number, { index, term, payload }: LogEntry): number {
  let hash = Math.imul(chain ^ index, 0x01000193);
  hash = Math.imul(hash ^ term, 0x01000193);
  for (const byte of payload) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

/** Of a snapshot. */
export function encodeState({ applied, configuration, values, chain }: MachineState): Uint8Array {
  const text = { applied, configuration: Buffer.from(configuration).toString(), values: [...values], chain };
  return Buffer.from(JSON.stringify(text));
}

export function decodeState(bytes: Uint8Array): MachineState {
  const { applied, configuration, values, chain } = JSON.parse(Buffer.from(bytes).toString()) as {
    applied: LogPosition;
    configuration: string;
    values: [string, string][];
    chain: number;
  };
  return {
    applied,
    configuration: Buffer.from(configuration),
    installedSnapshot: true,
    values: new Map(values),
    chain,
  };
}
