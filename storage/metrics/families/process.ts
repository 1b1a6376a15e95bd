/** What etcd says of its process in its own words. prom-client knows the rest. */
import { readdir, readFile } from 'node:fs/promises';
import { type Family, gauge } from '../family.js';

/** Nothing where the system has no such files. */
export async function processFamilies(): Promise<Family[]> {
  try {
    const [descriptors, limits] = await Promise.all([
      readdir('/proc/self/fd'),
      readFile('/proc/self/limits', 'utf8'),
    ]);
    const limit = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return [
      gauge('os_fd_used', 'Open files.', descriptors.length),
      ...(limit === undefined ? [] : [gauge('os_fd_limit', 'Files that may be open.', Number(limit))]),
    ];
  } catch {
    return [];
  }
}
