/** `wherry etcd`: the store alone, where etcd listens. */
import { shortPath } from './announce.js';
import { version } from './bundle.js';
import { openDataDirectory, refuseClusterFolder } from './data-directory.js';
import { flagsOfUrls } from './explain.js';
import { openMember } from './member.js';
import { planMember, type MemberFlags } from './member-flags.js';
import { run } from './run.js';

export type EtcdOptions = MemberFlags;

/** Resolves after a clean stop. Throws `StartupError` or `UsageError` with a line for the user. */
export async function etcd(options: EtcdOptions): Promise<void> {
  const plan = planMember(options, { byItself: true });
  const portFlags = new Map([
    ...flagsOfUrls('--listen-client-urls', plan.listenClientUrls),
    ...flagsOfUrls('--listen-peer-urls', plan.peers?.listenUrls ?? []),
  ]);
  await run({ ...options, portFlags }, async (surroundings) => {
    const { logger, closers, terminal } = surroundings;
    const directory = await openDataDirectory(options.dataDir);
    closers.push(() => directory.close());
    await refuseClusterFolder(directory);
    const store = await openMember(options, plan, directory, surroundings);
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
