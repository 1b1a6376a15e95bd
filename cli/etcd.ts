/** `wherry etcd`: the store alone, where etcd listens. */
import type { LogThread } from '../raft/log/thread.js';
import { shortPath } from './announce.js';
import { version } from './bundle.js';
import { openDataDirectory, refuseClusterFolder } from './data-directory.js';
import type { CommandLine } from './etcd/command.js';
import { settingsOf } from './etcd/settings.js';
import { flagsOfUrls } from './explain.js';
import { openMember } from './member.js';
import { planMember } from './member-flags.js';
import { run } from './run.js';

/** Resolves after a clean stop. Throws `StartupError` or `UsageError` with a line for the user. */
export async function etcd(commandLine: CommandLine, logThread?: LogThread): Promise<void> {
  const { options, warnings } = await settingsOf(commandLine, process.env);
  const plan = planMember(options, { byItself: true });
  const portFlags = new Map([
    ...flagsOfUrls('--listen-client-urls', plan.listenClientUrls),
    ...flagsOfUrls('--listen-client-http-urls', options.listenClientHttpUrls ?? []),
    ...flagsOfUrls('--listen-peer-urls', plan.peers?.listenUrls ?? []),
    ...flagsOfUrls('--listen-metrics-urls', options.listenMetricsUrls ?? []),
  ]);
  await run({ ...options, portFlags }, async (surroundings) => {
    const { logger, closers, terminal } = surroundings;
    for (const warning of warnings) logger.warn(warning);
    const directory = await openDataDirectory(options.dataDir);
    closers.push(() => directory.close());
    await refuseClusterFolder(directory);
    const store = await openMember(options, plan, directory, { ...surroundings, logThread });
    const urls = plan.listenClientUrls;
    if (terminal) process.stdout.write(readyText(directory.files, urls));
    else logger.info({ urls, dataDir: options.dataDir, memberId: store.memberId.toString(16) }, 'ready');
  });
}

function readyText(folder: string, urls: readonly string[]): string {
  const lines = [`Wherry ${version}: the store alone. Data: ${shortPath(folder)}`];
  for (const url of urls) lines.push(`  ${url}  for etcd’s clients`);
  lines.push('Try:', `  curl ${urls[0] ?? ''}/health`);
  return `${lines.join('\n')}\n`;
}
