import { positive } from '../../flags.js';
import type { EtcdFlag } from '../flag.js';
import { durationFromZero, featureGates, notNegative } from '../values.js';

const STEPS = 'rows are removed in steps that leave four fifths of the time to requests';

export const featureFlags: readonly EtcdFlag[] = [
  {
    name: 'feature-gates',
    value: 'list',
    byDefault: '',
    description:
      'InitialCorruptCheck=true: compare with the other members before serving; CompactHashCheck=false: not after compactions',
    parse: featureGates,
  },
  {
    name: 'corrupt-check-time',
    value: 'duration',
    byDefault: '0s',
    description: 'between two comparisons of the members’ states; 0: after compactions alone',
    parse: durationFromZero,
  },
  {
    name: 'compact-hash-check-time',
    value: 'duration',
    byDefault: '1m',
    description: 'between two comparisons after compactions, at least',
    parse: durationFromZero,
  },
  {
    name: 'watch-progress-notify-interval',
    value: 'duration',
    byDefault: '10m',
    description: 'between two reports to watches that ask for progress',
    parse: durationFromZero,
  },
  {
    name: 'max-learners',
    value: 'count',
    byDefault: '1',
    description: 'members without a vote that may be there at once',
    parse: positive,
  },
  {
    name: 'compaction-batch-limit',
    value: 'count',
    description: 'revisions removed at once',
    parse: notNegative,
    noMeaning: STEPS,
  },
  {
    name: 'compaction-sleep-interval',
    value: 'duration',
    description: 'between two batches',
    parse: durationFromZero,
    noMeaning: STEPS,
  },
  {
    name: 'bootstrap-defrag-threshold-megabytes',
    value: 'count',
    description: 'defragment at the start, if that much is free',
    parse: notNegative,
    noMeaning: 'free space is given back while the store serves',
  },
  {
    name: 'downgrade-check-time',
    value: 'duration',
    description: 'between two looks at a downgrade',
    parse: durationFromZero,
    noMeaning: 'there is one version',
  },
  {
    name: 'wait-cluster-ready-timeout',
    value: 'duration',
    description: 'how long clients wait for the first leader',
    parse: durationFromZero,
    noMeaning: 'clients are served at once, and told that there is no leader',
  },
];
