import { decodeConfiguration, type Configuration } from '../../raft/core/configuration.js';
import type { LogEntry } from '../../raft/log/log.js';
import { decodeCommand } from './command.js';

interface Committed {
  readonly entry: LogEntry;
  /** Of the leader that committed it. */
  readonly inTerm: number;
}

/** Everything that was ever committed, as an observer sees it who misses nothing. */
export class Ledger {
  /** By index, from 1. */
  readonly #committed: Committed[] = [];
  readonly #configurations: { readonly index: number; readonly configuration: Configuration }[] = [];
  /** Index by the command's id. */
  readonly #commands = new Map<number, number>();
  /** Hash of the state by index, as the first member that got there has it. */
  readonly #chains = new Map<number, number>();

  constructor(private readonly initial: Configuration) {}

  get lastIndex(): number {
    return this.#committed.length;
  }

  entry(index: number): LogEntry | undefined {
    return this.#committed[index - 1]?.entry;
  }

  inTerm(index: number): number {
    return this.#committed[index - 1]?.inTerm ?? 0;
  }

  /** In force at an index, of what is committed. */
  configurationAt(index: number): Configuration {
    return this.#configurations.findLast((each) => each.index <= index)?.configuration ?? this.initial;
  }

  /** Whether that is the one that the cluster began with: no entry tells of it. */
  isInitialAt(index: number): boolean {
    return !this.#configurations.some((each) => each.index <= index);
  }

  /** Where a command is; undefined if it is not committed. */
  indexOf(command: number): number | undefined {
    return this.#commands.get(command);
  }

  /** Gives the id of its command, 0 if it is none, and whether that was committed before. */
  add(entry: LogEntry, inTerm: number): { readonly command: number; readonly isSecond: boolean } {
    this.#committed.push({ entry, inTerm });
    if (entry.type === 'configuration') {
      this.#configurations.push({ index: entry.index, configuration: decodeConfiguration(entry.payload) });
    }
    const command = entry.type === 'normal' ? decodeCommand(entry.payload).id : 0;
    const isSecond = this.#commands.has(command);
    if (command !== 0 && !isSecond) this.#commands.set(command, entry.index);
    return { command, isSecond };
  }

  /** False if another member had another state there. */
  reached(index: number, chain: number): boolean {
    const known = this.#chains.get(index);
    if (known === undefined) this.#chains.set(index, chain);
    return known === undefined || known === chain;
  }
}

export function isSameEntry(a: LogEntry, b: LogEntry): boolean {
  return (
    a.term === b.term &&
    a.type === b.type &&
    a.requestId.session === b.requestId.session &&
    a.requestId.counter === b.requestId.counter &&
    (a.payload === b.payload || Buffer.compare(a.payload, b.payload) === 0)
  );
}
