/** A run's outcome in words. */
import type { FuzzReport } from './run.js';
import type { Measurement } from './subject.js';

const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

const heldAndCached = ({ heapBytes, cachedBytes }: Measurement): string =>
  `${mb(heapBytes)} (${mb(cachedBytes)})`;

export function describe({
  requests,
  milliseconds,
  statuses,
  findings,
  before,
  held,
  after,
  longestStallMs,
}: FuzzReport): string {
  const seconds = milliseconds / 1000;
  const counts = [...statuses]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${status === 0 ? 'none' : status}: ${count}`);
  const lines = [
    `${requests} requests in ${seconds.toFixed(0)} s, ${Math.round(requests / seconds)}/s`,
    `answers: ${counts.join(', ')}`,
    `held by the server after the first requests, each 50,000 and at the end (and bytes of objects in stores and windows): ${[before, ...held, after].map(heldAndCached).join(', ')}`,
    `its process: ${mb(before.rssBytes)}, in the end ${mb(after.rssBytes)}`,
    `longest time that one request kept the others waiting: ${longestStallMs < 200 ? 'below 200' : Math.round(longestStallMs)} ms`,
  ];
  return findings.kinds === 0 ? lines.join('\n') : [findings.text(), ...lines].join('\n');
}
