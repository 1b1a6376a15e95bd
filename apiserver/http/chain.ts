/**
 * The way of every request, in order. Each step is a value that can be replaced:
 *
 *   guard (length, Host, Origin) → request info → authenticate → authorize          before a byte of the body is read
 *   → decode by media type → registry (defaults, admission, validation, store) → represent    in the handlers of the verb
 */
import type { Authenticate } from '../auth/authenticate.js';
import type { Authorize } from '../auth/authorize.js';
import { forbidden, StatusError, unauthorized } from '../errors.js';
import type { RequestInfo, UserInfo } from '../request.js';
import { Exchange, type RawRequest, type RawResponse } from './exchange.js';
import { queryParametersMax, urlBytesMax } from './limits.js';
import { parsePath, type RequestPath } from './request-info.js';

export interface Stages {
  /** Throws StatusError 403. Gives the headers for pages of an allowed origin. */
  readonly guard: (request: RawRequest) => Readonly<Record<string, string>> | undefined;
  readonly requestInfo: (method: string, path: RequestPath, query: string) => RequestInfo;
  /** Who has no credentials is refused, but for paths that need none. */
  readonly authenticate: Authenticate;
  readonly isPublic: (path: string) => boolean;
  readonly authorize: Authorize;
}

/** Whoever asks for a public path without credentials. */
const anonymous: UserInfo = {
  username: 'system:anonymous',
  uid: '',
  groups: ['system:unauthenticated'],
  extra: {},
};

/** What the first stage lets through. */
export interface Guarded {
  readonly request: RawRequest;
  readonly response: RawResponse;
  readonly warnings: readonly string[];
  readonly cors: Readonly<Record<string, string>> | undefined;
}

/** A page's question whether it may ask; Throws as the question itself would. */
export const isPreflight = ({ request, cors }: Guarded): boolean =>
  request.method === 'OPTIONS' &&
  cors !== undefined &&
  request.headers['access-control-request-method'] !== undefined;

/** From a guarded request to one whose user may do what it asks. Throws StatusError. */
export async function identify(stages: Stages, { request, response, cors }: Guarded): Promise<Exchange> {
  const { path, query } = splitUrl(request.url ?? '/');
  const info = stages.requestInfo(request.method ?? 'GET', parsePath(path), query);
  const user = stages.authenticate(request) ?? (stages.isPublic(path) ? anonymous : undefined);
  if (user === undefined) throw unauthorized();
  const exchange = new Exchange(request, response, info, query, user, cors);
  if (user === anonymous) return exchange;
  const decision = stages.authorize(user, info);
  const { allowed, reason } = decision instanceof Promise ? await decision : decision;
  if (!allowed) throw notAllowed(info, user, reason);
  return exchange;
}

function splitUrl(url: string): { path: string; query: string } {
  if (url.length > urlBytesMax) {
    throw new StatusError(414, 'RequestURITooLong', `the URL is too long: the limit is ${urlBytesMax} bytes`);
  }
  const mark = url.indexOf('?');
  if (mark === -1) return { path: url, query: '' };
  const query = url.slice(mark + 1);
  let parameters = 1;
  for (let at = query.indexOf('&'); at !== -1; at = query.indexOf('&', at + 1)) parameters++;
  if (parameters > queryParametersMax) {
    throw new StatusError(400, 'BadRequest', `too many query parameters: the limit is ${queryParametersMax}`);
  }
  return { path: url.slice(0, mark), query };
}

function notAllowed(info: RequestInfo, user: UserInfo, reason: string | undefined): StatusError {
  const because = reason === undefined || reason === '' ? '' : `: ${reason}`;
  if (!info.isResourceRequest) {
    const what = `User "${user.username}" cannot ${info.verb} path "${info.path}"${because}`;
    return new StatusError(403, 'Forbidden', `forbidden: ${what}`, {});
  }
  const { resource, subresource, group, namespace, verb, name } = info;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  const what = `User "${user.username}" cannot ${verb} resource "${full}" in API group "${group}" ${where}${because}`;
  return forbidden({ group, name: resource }, name, what);
}
