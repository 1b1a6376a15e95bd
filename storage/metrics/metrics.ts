/**
 * Metrics under etcd's names, so that its dashboards and alerts can read them. Nothing is made before somebody asks: a
 * scrape reads the counters and totals of its moment, and the library is loaded by the first one.
 */
import type { Metric, Registry } from 'prom-client';
import { diskFamilies } from './families/disk.js';
import { grpcFamilies } from './families/grpc.js';
import { mvccFamilies } from './families/mvcc.js';
import { networkFamilies } from './families/network.js';
import { processFamilies } from './families/process.js';
import { serverFamilies } from './families/server.js';
import type { Family } from './family.js';
import type { Readings } from './readings.js';

/** As Prometheus reads it. */
export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

type Library = Pick<typeof import('prom-client'), 'Registry' | 'collectDefaultMetrics'>;

export class Metrics {
  readonly #read: () => Readings;
  #library: Promise<{ readonly library: Library; readonly process: Registry }> | undefined;

  /** @param read throws EtcdError: Stopped */
  constructor(read: () => Readings) {
    this.#read = read;
  }

  async page(): Promise<MetricsPage> {
    const { library, process } = await (this.#library ??= load());
    const registry = new library.Registry();
    const families = [...storeFamilies(this.#read()), ...(await processFamilies())];
    for (const family of families) registry.registerMetric(asMetric(family));
    const [own, general] = await Promise.all([registry.metrics(), process.metrics()]);
    return { contentType: registry.contentType, body: own + general };
  }
}

export function storeFamilies(readings: Readings): Family[] {
  return [
    ...serverFamilies(readings),
    ...mvccFamilies(readings),
    ...diskFamilies(readings),
    ...networkFamilies(readings),
    ...grpcFamilies(readings),
  ];
}

/** The registry of the process's own metrics looks at the event loop from then on, which costs a little. */
async function load() {
  const { default: library } = await import('prom-client');
  const process = new library.Registry();
  library.collectDefaultMetrics({ register: process });
  return { library, process };
}

/** prom-client writes out whatever has a name and gives its values when asked; its types know its own classes alone. */
function asMetric({ name, type, help, samples }: Family): Metric {
  const values = samples.map(({ suffix, labels, value }) => ({ metricName: name + suffix, labels, value }));
  const metric = { name, get: () => Promise.resolve({ name, type, help, values, aggregator: 'sum' }) };
  return metric as unknown as Metric;
}
