import type { EtcdFlag } from '../flag.js';
import { boolean, integer, notNegative, oneOf, text } from '../values.js';

const NO_V2 = 'there is no v2 API';
const NO_PROXY = 'there is no v2 proxy';
const NO_TRACING = 'there is no tracing';

/** What has lost the word experimental since. */
const renamed: readonly string[] = [
  'backend-bbolt-freelist-type',
  'bootstrap-defrag-threshold-megabytes',
  'compact-hash-check-time',
  'compaction-batch-limit',
  'compaction-sleep-interval',
  'corrupt-check-time',
  'distributed-tracing-address',
  'distributed-tracing-instance-id',
  'distributed-tracing-service-name',
  'downgrade-check-time',
  'enable-distributed-tracing',
  'max-learners',
  'memory-mlock',
  'peer-skip-client-san-verification',
  'snapshot-catchup-entries',
  'wait-cluster-ready-timeout',
  'warning-apply-duration',
  'warning-unary-request-duration',
  'watch-progress-notify-interval',
];
const booleans = new Set(['enable-distributed-tracing', 'memory-mlock', 'peer-skip-client-san-verification']);

const gate = (name: string, gateName: string, noMeaning?: string): EtcdFlag => ({
  name,
  description: `${gateName} of --feature-gates`,
  parse: boolean,
  ...(noMeaning !== undefined && { noMeaning }),
});
const proxyTime = (name: string): EtcdFlag => ({
  name,
  value: 'ms',
  description: 'of the v2 proxy',
  parse: notNegative,
  noMeaning: NO_PROXY,
});

export const olderFlags: readonly EtcdFlag[] = [
  ...renamed.map(
    (name): EtcdFlag => ({
      name: `experimental-${name}`,
      ...(!booleans.has(name) && { value: 'value' }),
      description: `--${name}`,
      parse: text,
      sameAs: name,
    }),
  ),
  gate('experimental-initial-corrupt-check', 'InitialCorruptCheck'),
  gate('experimental-compact-hash-check-enabled', 'CompactHashCheck'),
  gate(
    'experimental-enable-lease-checkpoint',
    'LeaseCheckpoint',
    'a new leader gives each lease its full time',
  ),
  gate(
    'experimental-enable-lease-checkpoint-persist',
    'LeaseCheckpointPersist',
    'a new leader gives each lease its full time',
  ),
  gate(
    'experimental-txn-mode-write-with-shared-buffer',
    'TxnModeWriteWithSharedBuffer',
    'transactions have no buffer',
  ),
  gate('experimental-stop-grpc-service-on-defrag', 'StopGRPCServiceOnDefrag', 'defragmentation stops nobody'),
  gate(
    'experimental-set-member-localaddr',
    'SetMemberLocalAddr',
    'the system chooses the address of a connection',
  ),
  {
    name: 'experimental-distributed-tracing-sampling-rate',
    value: 'count',
    description: '--distributed-tracing-sampling-rate',
    parse: integer,
    noMeaning: NO_TRACING,
  },
  {
    name: 'experimental-enable-v2v3',
    value: 'prefix',
    description: 'the v2 API on top of v3',
    parse: text,
    noMeaning: NO_V2,
  },
  { name: 'enable-v2', description: 'the v2 API', parse: boolean, noMeaning: NO_V2 },
  {
    name: 'proxy',
    value: 'mode',
    byDefault: 'off',
    description: 'be a proxy of the v2 API: off, readonly or on',
    parse: oneOf('off', 'readonly', 'on'),
    refused: NO_PROXY,
  },
  proxyTime('proxy-failure-wait'),
  proxyTime('proxy-refresh-interval'),
  proxyTime('proxy-dial-timeout'),
  proxyTime('proxy-write-timeout'),
  proxyTime('proxy-read-timeout'),
  {
    name: 'debug',
    byDefault: 'false',
    description: '--log-level debug',
    parse: boolean,
  },
  {
    name: 'log-package-levels',
    value: 'list',
    description: 'levels of parts of the program',
    parse: text,
    noMeaning: 'the whole program has one level',
  },
];
