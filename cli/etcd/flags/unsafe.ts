import type { EtcdFlag } from '../flag.js';
import { boolean } from '../values.js';

export const unsafeFlags: readonly EtcdFlag[] = [
  {
    name: 'force-new-cluster',
    byDefault: 'false',
    description: 'make a cluster of this member’s data alone',
    parse: boolean,
    refused:
      'it is not offered here, as members that are still there would not know of it; save a snapshot of the data and start anew with wherry snapshot restore',
  },
  {
    name: 'unsafe-no-fsync',
    description: 'do not wait for the disk',
    parse: boolean,
    noMeaning: 'what is acknowledged is always on disk; --data-dir :memory: is for what need not last',
  },
];
