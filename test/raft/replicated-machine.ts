import { encodeConfiguration, type Configuration } from '../../raft/core/configuration.js';
import type { LogEntry, RaftLog } from '../../raft/log/log.js';
import type { LogPosition, StagedSnapshot } from '../../raft/node/consensus.js';
import type { IncomingSnapshot, OutgoingSnapshot } from '../../raft/transport/transport.js';
import { RecordingMachine } from './recording-machine.js';

/** A recording machine that follows configurations and can be copied to another member. */
export class ReplicatedMachine extends RecordingMachine {
  /** An install waits for it. */
  installGate: Promise<void> = Promise.resolve();
  snapshotsMade = 0;
  snapshotsReleased = 0;
  installs = 0;
  #isInstalling = false;

  constructor(log: RaftLog, configuration: Configuration, applied?: LogPosition) {
    super(log, applied);
    this.configuration = encodeConfiguration(configuration);
  }

  override apply(entries: readonly LogEntry[]): (string | undefined)[] {
    if (this.#isInstalling) this.violations.push('applied during an installation');
    const results = super.apply(entries);
    const newest = entries.findLast(({ type }) => type === 'configuration');
    if (newest !== undefined) this.configuration = newest.payload;
    return results;
  }

  override snapshot(): Promise<OutgoingSnapshot> {
    this.snapshotsMade += 1;
    const { configuration, applied } = this;
    const content = Buffer.from(JSON.stringify(this.payloads));
    return Promise.resolve({
      ...applied,
      configuration,
      size: content.length,
      async *read() {
        yield content;
      },
      release: () => {
        this.snapshotsReleased += 1;
        return Promise.resolve();
      },
    });
  }

  override async stage({ index, term, configuration, content }: IncomingSnapshot): Promise<StagedSnapshot> {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    const payloads = JSON.parse(Buffer.concat(parts).toString()) as string[];
    const install = async () => {
      this.installs += 1;
      this.#isInstalling = true;
      await this.installGate;
      this.#isInstalling = false;
      this.payloads.splice(0, Infinity, ...payloads);
      this.applied = { index, term };
      this.configuration = configuration;
      this.installedSnapshot = true;
      this.moveDurable(index, term);
    };
    return { install, discard: () => Promise.resolve() };
  }
}
