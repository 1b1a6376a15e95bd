/** A real etcd, where one is installed. */
import { spawnSync } from 'node:child_process';
import { type EtcdOptions, type EtcdProcess, startEtcdProcess } from './etcd-process.js';

export type RealEtcd = EtcdProcess;

/** Why tests with a real etcd cannot run here, or false. */
export const etcdMissing: string | false =
  spawnSync('etcd', ['--version']).status === 0 ? false : 'etcd is not installed';

/** Starts one and waits until it is healthy. */
export const startEtcd = (options: EtcdOptions = {}): Promise<RealEtcd> =>
  startEtcdProcess(['etcd'], options);
