import { listenUrls } from '../../flags.js';
import type { EtcdFlag } from '../flag.js';
import { boolean, integer, oneOf, text } from '../values.js';

const NO_TRACING = 'there is no tracing';

export const monitoringFlags: readonly EtcdFlag[] = [
  {
    name: 'metrics',
    value: 'level',
    byDefault: 'basic',
    description: 'basic, or extensive: with histograms of the time of each gRPC method',
    parse: oneOf('basic', 'extensive'),
  },
  {
    name: 'listen-metrics-urls',
    value: 'urls',
    description: 'where /metrics and the health pages are, too, and nothing else',
    parse: listenUrls,
  },
  {
    name: 'enable-pprof',
    description: 'serve Go’s profiles',
    parse: boolean,
    noMeaning: 'this is no Go program; node --cpu-prof profiles it',
  },
  {
    name: 'enable-distributed-tracing',
    description: 'send traces to OpenTelemetry',
    parse: boolean,
    noMeaning: NO_TRACING,
  },
  tracing('distributed-tracing-address', 'address'),
  tracing('distributed-tracing-service-name', 'name'),
  tracing('distributed-tracing-instance-id', 'id'),
  { ...tracing('distributed-tracing-sampling-rate', 'count'), parse: integer },
];

function tracing(name: string, value: string): EtcdFlag {
  return { name, value, description: 'of OpenTelemetry', parse: text, noMeaning: NO_TRACING };
}
