/** `wherry cluster`: several `serve` members on this machine, each a process of its own, looked after by this one. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { IN_MEMORY, openDataDirectory } from '../data-directory.js';
import { run } from '../run.js';
import { StartupError, UsageError } from '../startup-error.js';
import { clusterText, logFields } from './announce.js';
import { writeCredentials } from './credentials.js';
import { openLayout } from './layout.js';
import { commonLine } from './log-stream.js';
import { memberArguments } from './member-arguments.js';
import { MemberProcess } from './member-process.js';
import type { ClusterOptions } from './options.js';

/** Members stop within a second, and are killed a second later. */
const STOP_MS_MAX = 3000;

/** Resolves after a clean stop. Throws `StartupError` or `UsageError` with a line for the user. */
export async function cluster(options: ClusterOptions): Promise<void> {
  if (options.dataDir === IN_MEMORY) {
    throw new UsageError(`members must remember how they voted, which --data-dir ${IN_MEMORY} does not`);
  }
  await run({ ...options, portFlags: new Map(), stopMsMax: STOP_MS_MAX }, async (surroundings) => {
    const { logger, closers, terminal } = surroundings;
    const { files: folder } = await openDataDirectory(options.dataDir);
    await refuseMemberFolder(folder);
    const layout = await openLayout(folder, options);
    const kubeconfig = await writeCredentials(folder, layout);
    const members = new Map(
      layout.members.map((place) => [
        place.name,
        new MemberProcess({
          name: place.name,
          args: memberArguments(folder, layout, place, options),
          logger,
          onLine: (line) => void process.stdout.write(commonLine(place.name, line, terminal)),
        }),
      ]),
    );
    closers.push(async () => void (await Promise.all([...members.values()].map((member) => member.stop()))));
    await Promise.all([...members.values()].map((member) => member.start()));
    const reach = { layout, folder, kubeconfig, pidOf: (name: string) => members.get(name)?.pid };
    if (terminal) process.stdout.write(clusterText(reach));
    else logger.info(logFields(reach), 'the cluster is ready');
  });
}

/** A single server's files would lie among the members'. */
async function refuseMemberFolder(folder: string): Promise<void> {
  const isMember = await access(join(folder, 'member')).then(
    () => true,
    () => false,
  );
  if (isMember)
    throw new StartupError(`${folder} holds a single server; choose another folder with --data-dir`);
}
