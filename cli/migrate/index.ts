/** `wherry migrate`: moves a store from one etcd to another while its user looks on. */
import { migrate as move, type MigrateOutcome, type MigrateProgress } from '../../storage/migrate/migrate.js';
import { connect } from '../connect.js';
import { ProgressLine, sizeText } from '../progress-line.js';
import { explaining } from '../snapshot/explain.js';
import type { MigrateOptions } from './options.js';

/** Throws `StartupError` or `UsageError` with a line for the user. */
export async function migrate(options: MigrateOptions): Promise<void> {
  const { from, to, prefix, batch: opsMax, overwrite, follow } = options;
  const source = await connect(
    {
      endpoints: from,
      cacert: options.fromCacert,
      cert: options.fromCert,
      key: options.fromKey,
      user: options.fromUser,
      password: options.fromPassword,
    },
    'from-',
  );
  const target = await connect(
    {
      endpoints: to,
      cacert: options.toCacert,
      cert: options.toCert,
      key: options.toKey,
      user: options.toUser,
      password: options.toPassword,
    },
    'to-',
  );
  const line = new ProgressLine();
  try {
    const outcome = await explaining(() =>
      move({
        source,
        target,
        prefix: Buffer.from(prefix),
        opsMax,
        overwrite,
        until: follow ? interrupted() : undefined,
        onProgress: (progress) => line.update(() => progressText(progress)),
      }),
    );
    line.end();
    process.stdout.write(outcomeText(outcome));
  } finally {
    line.end();
    await Promise.all([source.close(), target.close()]);
  }
}

/** Aborts with the first Ctrl-C; the second one ends the process. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort());
  return controller.signal;
}

function progressText(progress: MigrateProgress): string {
  switch (progress.phase) {
    case 'copying':
      return `copied ${progress.keys} of ${progress.total} keys, ${sizeText(progress.bytes)}`;
    case 'following':
      return `followed ${progress.events} changes, to revision ${progress.revision}`;
    default:
      return progress.phase;
  }
}

/** What was moved, and what its user should know of it. */
export function outcomeText(outcome: MigrateOutcome): string {
  const { keys, leases, events, revision, sourceRevision, targetRevision, hash } = outcome;
  const lines = [
    `Moved ${keys} keys and ${leases} leases, ${events} of their changes while copying.`,
    `Both sides have the same ${keys} keys, values and leases: SHA-256 ${hash}`,
    `Revision ${revision} of the source is ${targetRevision} of the target: clients must list anew.`,
    'Users and roles are not moved.',
  ];
  if (sourceRevision > revision) {
    lines.push(
      `The source has gone on to revision ${sourceRevision}: that is not moved (--follow goes on with it).`,
    );
  }
  return `${lines.join('\n')}\n`;
}
