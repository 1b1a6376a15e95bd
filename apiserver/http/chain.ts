/**
 * The way of every request, in order. Each step is a value that can be replaced:
 *
 *   guard (length, Host, Origin) → request info → authenticate → impersonate → authorize   before the body is read
 *   → decode by media type → registry (defaults, admission, validation, store) → represent    in the handlers of the verb
 */
import type { Authenticate } from '../auth/authenticate.js';
import { type Authorizer, forbiddenRequest } from '../auth/authorize.js';
import { asksToImpersonate, impersonated } from '../auth/impersonation.js';
import { StatusError, unauthorized } from '../errors.js';
import type { RequestInfo, UserInfo } from '../request.js';
import { Exchange, type RawRequest, type RawResponse } from './exchange.js';
import { queryParametersMax, urlBytesMax } from './limits.js';
import { checkTimeout } from './request-timeout.js';
import { parsePath, type RequestPath } from './request-info.js';

export interface Stages {
  /** Throws StatusError 403. Gives the headers for pages of an allowed origin. */
  readonly guard: (request: RawRequest) => Readonly<Record<string, string>> | undefined;
  readonly requestInfo: (method: string, path: RequestPath, query: string) => RequestInfo;
  /** Who has no credentials is refused, but for paths that need none. */
  readonly authenticate: Authenticate;
  readonly isPublic: (path: string) => boolean;
  readonly authorizer: Authorizer;
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

/** Nobody knows who that is, so there is nobody that they may act as. */
const nobody: Authorizer = {
  authorize: () => ({ allowed: false }),
  rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
};

/** From a guarded request to one whose user may do what it asks. Throws StatusError. */
export async function identify(stages: Stages, { request, response, cors }: Guarded): Promise<Exchange> {
  const { path, query } = splitUrl(request.url ?? '/');
  const info = stages.requestInfo(request.method ?? 'GET', parsePath(path), query);
  checkTimeout(info, query);
  const known = stages.authenticate(request) ?? (stages.isPublic(path) ? anonymous : undefined);
  if (known === undefined) throw unauthorized();
  let user = known instanceof Promise ? await known : known;
  if (asksToImpersonate(request.headers)) {
    const authorizer = user === anonymous ? nobody : stages.authorizer;
    user = (await impersonated(authorizer, user, request.rawHeaders, info)) ?? user;
  }
  const exchange = new Exchange(request, response, info, query, user, cors);
  if (user === anonymous) return exchange;
  const decision = stages.authorizer.authorize(user, info);
  const { allowed, reason } = decision instanceof Promise ? await decision : decision;
  if (!allowed) throw forbiddenRequest(info, user, reason);
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
