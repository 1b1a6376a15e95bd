/** `timeout` in a query: how long a client would have its request last at most. */
import { badRequest } from '../errors.js';
import type { RequestInfo } from '../request.js';
import { durationProblem } from './go-duration.js';
import { parseQuery } from './query-text.js';

/** Requests that last as long as they like, so that nobody asks what limit they name. */
const longRunning: ReadonlySet<string> = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);

/** Upstream looks before it asks who the client is. Throws StatusError 400 where it is no duration of Go's. */
export function checkTimeout({ verb, subresource }: RequestInfo, query: string): void {
  if (!query.includes('timeout') || verb === 'watch' || longRunning.has(subresource)) return;
  const value = parseQuery(query).get('timeout') ?? '';
  const problem = value === '' ? undefined : durationProblem(value);
  if (problem !== undefined) throw badRequest(`invalid timeout specified in the request URL - ${problem}`);
}
