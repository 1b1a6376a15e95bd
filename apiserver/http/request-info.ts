/**
 * What a request is about, from its method, path and query alone (Kubernetes' API concepts, "request verbs"). The same
 * rules as upstream's, so that authorization rules written for one hold for the other.
 */
import { goQuote } from '../../schemas/go-quote.js';
import { badRequest } from '../errors.js';
import type { RequestInfo } from '../request.js';
import { parseQuery } from './query-text.js';

const verbOfMethod: ReadonlyMap<string, string> = new Map([
  ['POST', 'create'],
  ['GET', 'get'],
  ['HEAD', 'get'],
  ['PUT', 'update'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
]);

/** Subresources of a namespace itself; any other word after its name is a resource inside it. */
const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize']);

/** A path as sent, taken apart. */
export interface RequestPath {
  /** Decoded, for messages and non-resource rules. */
  readonly path: string;
  /** Decoded segments, without the empty ones that a leading or trailing slash makes. */
  readonly segments: readonly string[];
}

/** Splits before it decodes, and decodes once: a slash or dots made of escapes never change what a path points at. */
export function parsePath(path: string): RequestPath {
  const start = path.startsWith('/') ? 1 : 0;
  const end = path.length > start && path.endsWith('/') ? path.length - 1 : path.length;
  if (start >= end) return { path: '/', segments: [] };
  const segments = path.slice(start, end).split('/');
  if (!path.includes('%')) return { path, segments };
  try {
    return { path: decodeURIComponent(path), segments: segments.map(decodeURIComponent) };
  } catch {
    throw badRequest('the path holds an invalid escape');
  }
}

/**
 * The request info of a path. Resource requests are `/api/{version}/…` and `/apis/{group}/{version}/…` with at least one
 * more segment. Throws StatusError 400 for a name that no object can have.
 */
export function parseRequestInfo(
  method: string,
  { path, segments }: RequestPath,
  query: string,
): RequestInfo {
  const groupless = segments[0] === 'api';
  const resourceAt = groupless ? 2 : 3;
  if ((!groupless && segments[0] !== 'apis') || segments.length <= resourceAt) {
    return nonResource(method, path);
  }
  let parts = segments.slice(resourceAt);
  let verb = verbOfMethod.get(method) ?? '';
  if (parts[0] === 'watch' && parts.length > 1) {
    verb = method === 'GET' ? 'watch' : '';
    parts = parts.slice(1);
  }
  let namespace = '';
  if (parts[0] === 'namespaces' && parts[1] !== undefined) {
    namespace = pathName('Namespace', parts[1]);
    if (parts[2] !== undefined && !namespaceSubresources.has(parts[2])) parts = parts.slice(2);
  }
  const name = parts[1] === undefined ? '' : pathName('Name', parts[1]);
  if (name === '' && verb === 'get') verb = asksToWatch(query) ? 'watch' : 'list';
  if (name === '' && verb === 'delete') verb = 'deletecollection';
  return {
    isResourceRequest: true,
    path,
    verb,
    group: groupless ? '' : (segments[1] ?? ''),
    version: segments[resourceAt - 1] ?? '',
    namespace,
    resource: parts[0] ?? '',
    subresource: subresourceOf(parts),
    name,
  };
}

/** What follows `proxy` is another's path; behind any other subresource nothing is served, so it names none that exists. */
const subresourceOf = ([, , subresource = '', ...rest]: readonly string[]): string =>
  subresource === 'proxy' ? subresource : [subresource, ...rest].join('/');

function nonResource(method: string, path: string): RequestInfo {
  return {
    isResourceRequest: false,
    path,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
  };
}

/** Upstream takes every value but `false` and `0` as true, also an empty one. */
export const isTrue = (value: string): boolean => {
  const lower = value.toLowerCase();
  return lower !== 'false' && lower !== '0';
};

function asksToWatch(query: string): boolean {
  // An escape may hide the name.
  if (!query.includes('watch') && !query.includes('%')) return false;
  const value = parseQuery(query).get('watch');
  return value !== null && isTrue(value);
}

/** A name as a path gives it. Names become parts of the store's keys, so nothing in them may look like more than one. */
function pathName(what: 'Name' | 'Namespace', name: string): string {
  const problem = nameProblem(name);
  if (problem !== undefined) throw badRequest(`${what} parameter invalid: ${goQuote(name)}: ${problem}`);
  return name;
}

function nameProblem(name: string): string | undefined {
  if (name === '.') return `may not be '.'`;
  if (name === '..') return `may not be '..'`;
  if (name.includes('/')) return `may not contain '/'`;
  if (name.includes('%')) return `may not contain '%'`;
  if (name.includes('\0')) return 'may not contain NUL';
  return undefined;
}
