/**
 * `wherry serve`: puts the layers together and runs until it is told to stop. Started from the bottom up: the store
 * (which takes the data directory's lock), the ports, what exists from the start, the controllers; stopped the other
 * way round.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { LogThread } from '../raft/log/thread.js';
import { logReady, readyText } from './announce.js';
import type { ApiServerFlags } from './api-server.js';
import { apiserver } from './apiserver.js';
import { openDataDirectory, refuseClusterFolder } from './data-directory.js';
import { type EtcdServersFlags, etcdServersOf } from './etcd-servers.js';
import { flagsOfUrls } from './explain.js';
import { openMember } from './member.js';
import { planMember, type MemberFlags, type MemberPlan } from './member-flags.js';
import { run } from './run.js';

export interface ServeOptions extends MemberFlags, ApiServerFlags, EtcdServersFlags {}

/** Resolves after a clean stop. Throws `StartupError` or `UsageError` with a line for the user. */
export async function serve(options: ServeOptions, logThread?: LogThread): Promise<void> {
  if (etcdServersOf(options) !== undefined) {
    void logThread?.worker.terminate();
    return apiserver(options);
  }
  const plan = planMember(options, { byItself: false });
  await run({ ...options, portFlags: portFlags(options, plan) }, async (surroundings) => {
    const { logger, closers, terminal } = surroundings;
    const directory = await openDataDirectory(options.dataDir);
    closers.push(() => directory.close());
    await refuseClusterFolder(directory);
    const opening = openMember(options, plan, directory, { ...surroundings, logThread });
    // The larger part of the program, loaded here while the store's threads start.
    const [store, { startApiServer }] = await Promise.all([opening, import('./api-server.js')]);
    await startApiServer(options, {
      client: store.client,
      logger,
      folder: directory.files,
      closers,
      // Alone on its store, a server need not ask who runs the controllers.
      ...(plan.peers && { identity: `${options.name}_${randomBytes(8).toString('hex')}` }),
    });
    const reach = { ...options, kubeconfig: join(directory.files, 'kubeconfig') };
    if (terminal) process.stdout.write(readyText(reach));
    else logReady(reach, logger);
  });
}

function portFlags(options: ServeOptions, plan: MemberPlan): ReadonlyMap<number, string> {
  return new Map([
    ...flagsOfUrls('--listen-client-urls', plan.listenClientUrls),
    ...flagsOfUrls('--listen-peer-urls', plan.peers?.listenUrls ?? []),
    [options.securePort, '--secure-port'],
    [options.port, '--port'],
  ]);
}
