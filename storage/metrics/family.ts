/** A metric with all its samples, as Prometheus calls it. */
import type { Histogram } from './histogram.js';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** `_bucket`, `_sum` or `_count` of a histogram; empty otherwise. */
  readonly suffix: string;
  readonly labels: Labels;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Empty: nothing has happened that would be one. */
  readonly samples: readonly Sample[];
}

const NO_LABELS: Labels = {};

export function gauge(name: string, help: string, value: number | boolean): Family {
  return { name, type: 'gauge', help, samples: [{ suffix: '', labels: NO_LABELS, value: Number(value) }] };
}

export function counter(name: string, help: string, value: number): Family {
  return { name, type: 'counter', help, samples: [{ suffix: '', labels: NO_LABELS, value }] };
}

export function histogram(name: string, help: string, values: Histogram): Family {
  return { name, type: 'histogram', help, samples: histogramSamples(values, NO_LABELS) };
}

/** A number for each of several combinations of labels. */
export function labelled(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  values: Iterable<readonly [Labels, number]>,
): Family {
  return {
    name,
    type,
    help,
    samples: Array.from(values, ([labels, value]) => ({ suffix: '', labels, value })),
  };
}

/** What something is, as the label of a 1. */
export function info(name: string, help: string, labels: Labels): Family {
  return labelled('gauge', name, help, [[labels, 1]]);
}

export function labelledHistogram(
  name: string,
  help: string,
  values: Iterable<readonly [Labels, Histogram]>,
): Family {
  const samples = Array.from(values, ([labels, each]) => histogramSamples(each, labels)).flat();
  return { name, type: 'histogram', help, samples };
}

/** Buckets count everything up to their bound. */
function histogramSamples({ bounds, counts, sum }: Histogram, labels: Labels): Sample[] {
  let count = 0;
  const buckets = counts.map((inBucket, index) => {
    count += inBucket;
    const le = bounds[index] === undefined ? '+Inf' : String(bounds[index]);
    return { suffix: '_bucket', labels: { ...labels, le }, value: count };
  });
  return [...buckets, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: count }];
}
