import { decodeConfiguration, type Configuration } from '../core/configuration.js';
import type { RaftLog } from '../log/log.js';
import type { StateMachine } from './consensus.js';

/** Log and state machine do not belong together; carrying on would lose or repeat commands. One clear line. */
export class StartRefusedError extends Error {
  override name = 'StartRefusedError';
}

/**
 * Verifies that the log goes on where the state machine stands. Only a state machine that was installed from a
 * snapshot may differ: then the log starts anew after it.
 *
 * @throws StartRefusedError
 */
export async function matchLogToMachine(log: RaftLog, machine: StateMachine<unknown>): Promise<void> {
  const { applied } = machine;
  const held = `entries ${log.firstIndex} to ${log.lastIndex}`;
  if (log.term(applied.index) !== applied.term) {
    if (!machine.installedSnapshot) {
      throw new StartRefusedError(
        `the log (${held}) does not contain index ${applied.index} of term ${applied.term}, where the store stands: ` +
          'the files in the data directory do not belong together; restore them from one backup',
      );
    }
    // In one turn, so that both are one write.
    const written = [
      log.reset(applied.index, applied.term),
      log.append([], { ...log.hardState, commit: applied.index }),
    ];
    await Promise.all(written);
  }
  if (log.hardState.commit > log.lastIndex) {
    throw new StartRefusedError(
      `the log (${held}) has lost committed entries: index ${log.hardState.commit} was committed; ` +
        'restore the data directory from a backup',
    );
  }
}

/** Payload bytes read at once while looking for configurations. */
const SCAN_BYTES_MAX = 2 ** 20;

/** Configurations that the log holds beyond what is applied, in order. */
export async function laterConfigurations(
  log: RaftLog,
  applied: number,
): Promise<{ readonly index: number; readonly configuration: Configuration }[]> {
  const found: { index: number; configuration: Configuration }[] = [];
  for (let from = applied + 1; from <= log.lastIndex; ) {
    const entries = await log.readOld(from, log.lastIndex, SCAN_BYTES_MAX);
    for (const { index, type, payload } of entries) {
      if (type === 'configuration') found.push({ index, configuration: decodeConfiguration(payload) });
    }
    from += entries.length;
  }
  return found;
}
