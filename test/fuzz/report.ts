/** A run's outcome in words. */
import type { FuzzReport } from './run.js';

const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

export function describe({
  requests,
  milliseconds,
  statuses,
  findings,
  before,
  heldBytes,
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
    `held by the server: ${[before.heapBytes, ...heldBytes].map(mb).join(', ')} after the first requests and each 100,000, ${mb(after.heapBytes)} at the end (process: ${mb(before.rssBytes)}, ${mb(after.rssBytes)})`,
    `longest time that one request kept the others waiting: ${longestStallMs < 200 ? 'below 200' : Math.round(longestStallMs)} ms`,
  ];
  return findings.kinds === 0 ? lines.join('\n') : [findings.text(), ...lines].join('\n');
}
