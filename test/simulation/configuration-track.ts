import { decodeConfiguration, type Configuration } from '../../raft/core/configuration.js';
import type { LogEntry } from '../../raft/log/log.js';

interface Placed {
  readonly index: number;
  readonly configuration: Configuration;
}

/** Which configuration a member must use, by its log alone: the newest in it, committed or not (Raft §6). */
export class ConfigurationTrack {
  #placed: Placed[];

  /** @param base in force where the log begins */
  constructor(base: Placed, entries: readonly LogEntry[]) {
    this.#placed = [base];
    for (const entry of entries) this.appended(entry);
  }

  get newest(): Configuration {
    const newest = this.#placed.at(-1);
    if (newest === undefined) throw new RangeError('no configuration is in force');
    return newest.configuration;
  }

  appended({ index, type, payload }: LogEntry): void {
    if (type === 'configuration') this.#placed.push({ index, configuration: decodeConfiguration(payload) });
  }

  truncated(from: number): void {
    this.#placed = this.#placed.filter((placed, i) => i === 0 || placed.index < from);
  }

  reset(base: Placed): void {
    this.#placed = [base];
  }
}
