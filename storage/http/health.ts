/** Whether this member can serve, in etcd's words. */
import type { CallOptions, EtcdClient, RangeRequest, StatusResponse } from '../client/interface.js';
import { EtcdError } from '../errors.js';
import type { AlarmMember } from '../server/api.js';

/** A check that takes longer counts as failed, in milliseconds; as long as etcd's request time-out at its start. */
const CHECK_TIMEOUT_MS = 5000;
/** What etcd reads, too. It need not exist. */
const CHECKED_KEY = Buffer.from('health');

export interface HealthParts {
  readonly client: Pick<EtcdClient, 'range'>;
  /** @throws EtcdError: Stopped */
  readonly status: () => Pick<StatusResponse, 'leader'>;
  /** Told how each look at `/health` ended. */
  readonly onChecked?: ((isHealthy: boolean) => void) | undefined;
  /** Those that are on. */
  readonly alarms: () => readonly AlarmMember[];
}

export interface Health {
  readonly healthy: boolean;
  /** Empty when healthy. */
  readonly reason: string;
}

export interface HealthQuery {
  /** Whether this member reads is all that is asked. */
  readonly serializable: boolean;
  /** Names of alarms, as etcd writes them, that do not count. */
  readonly exclude: readonly string[];
}

/** etcd's /health: no alarm is on, there is a leader, and a majority confirms a read. */
export async function health(parts: HealthParts, query: HealthQuery): Promise<Health> {
  const found = await look(parts, query);
  parts.onChecked?.(found.healthy);
  return found;
}

async function look(parts: HealthParts, { serializable, exclude }: HealthQuery): Promise<Health> {
  const alarm = parts.alarms().find((on) => !exclude.includes(on.alarm.toUpperCase()));
  if (alarm !== undefined) return { healthy: false, reason: `ALARM ${alarm.alarm.toUpperCase()}` };
  try {
    if (!serializable && parts.status().leader === 0n) return { healthy: false, reason: 'RAFT NO LEADER' };
    await readOnce(parts, serializable);
    return { healthy: true, reason: '' };
  } catch (error) {
    return { healthy: false, reason: `RANGE ERROR:${messageOf(error)}` };
  }
}

export type Probe = 'livez' | 'readyz';

interface Check {
  readonly name: string;
  /** Rejects, or throws, with what is wrong. */
  readonly run: (parts: HealthParts) => Promise<void>;
}

const serializableRead: Check = { name: 'serializable_read', run: (parts) => readOnce(parts, true) };
const linearizableRead: Check = { name: 'linearizable_read', run: (parts) => readOnce(parts, false) };
const dataCorruption: Check = {
  name: 'data_corruption',
  run: async ({ alarms }) => {
    if (alarms().some(({ alarm }) => alarm === 'corrupt')) throw new Error('alarm activated: CORRUPT');
  },
};

/** As etcd names them: alive is who reads its own state, ready is who has a majority behind it that agrees. */
const checks: Readonly<Record<Probe, readonly Check[]>> = {
  livez: [serializableRead],
  readyz: [dataCorruption, serializableRead, linearizableRead],
};

/** The text tells each check's outcome when one has failed or `verbose` is set. */
export async function probe(
  parts: HealthParts,
  which: Probe,
  verbose: boolean,
): Promise<{ readonly healthy: boolean; readonly text: string }> {
  const lines = await Promise.all(
    checks[which].map(async ({ name, run }) => {
      const error = await run(parts).then(() => undefined, messageOf);
      return error === undefined ? `[+]${name} ok\n` : `[-]${name} failed: ${error}\n`;
    }),
  );
  const healthy = lines.every((line) => line.startsWith('[+]'));
  const details = lines.join('');
  if (!healthy) return { healthy, text: details };
  return { healthy, text: verbose ? `${details}ok\n` : 'ok\n' };
}

async function readOnce({ client }: HealthParts, serializable: boolean): Promise<void> {
  const request: RangeRequest = { key: CHECKED_KEY, keysOnly: true, serializable };
  const options: CallOptions = { timeout: CHECK_TIMEOUT_MS };
  try {
    await client.range(request, options);
  } catch (error) {
    // Whoever is told that they may not read has been answered by a healthy store.
    const isAnswer = error instanceof EtcdError && (error.is('UserEmpty') || error.is('PermissionDenied'));
    if (!isAnswer) throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
