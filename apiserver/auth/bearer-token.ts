/**
 * Bearer tokens: in the Authorization header (RFC 6750), or, of web sockets that browsers open, as a subprotocol. A token
 * that is not good is refused, whoever the request might be without it.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { unauthorized } from '../errors.js';
import type { UserInfo } from '../request.js';
import type { Authenticate } from './authenticate.js';
import type { ServiceAccountTokens } from './service-account-tokens.js';
import { TokenError } from './token-error.js';

/** Browsers cannot set headers on a web socket; they put the token, in base64url, behind this. */
export const bearerProtocol = 'base64url.bearer.authorization.k8s.io.';

/** What every refusal of a token begins with. */
const INVALID = 'invalid bearer token';

/** Why a token is no good, in upstream's words; `reason` undefined: it is no token of ours. */
export const tokenProblem = (reason?: string): string =>
  reason === undefined ? INVALID : `[${INVALID}, ${reason}]`;

/** `onRefused` is told why, for the log. */
export function bearerToken(
  tokens: ServiceAccountTokens,
  onRefused: (reason: string) => void = () => undefined,
): Authenticate {
  return ({ headers }) => {
    const { authorization } = headers;
    // Most requests have neither, and go on without a promise.
    if (authorization === undefined && headers['sec-websocket-protocol'] === undefined) return undefined;
    const token = ofAuthorization(authorization) ?? ofSubprotocols(headers);
    return token === undefined ? undefined : userOf(tokens, token, onRefused);
  };
}

async function userOf(
  tokens: ServiceAccountTokens,
  token: string,
  onRefused: (reason: string) => void,
): Promise<UserInfo> {
  let reason: string | undefined;
  try {
    const authenticated = await tokens.authenticate(token);
    if (authenticated !== undefined) return authenticated.user;
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    reason = error.message;
  }
  onRefused(tokenProblem(reason));
  throw unauthorized();
}

/** '' where the scheme is there and the token is not. */
function ofAuthorization(header: string | undefined): string | undefined {
  const [scheme = '', token = ''] = (header ?? '').trim().split(' ');
  return scheme.toLowerCase() === 'bearer' ? token : undefined;
}

/** Throws StatusError 401 for more than one, for what cannot be decoded, and where nothing is left to select. */
function ofSubprotocols(headers: IncomingHttpHeaders): string | undefined {
  const offered = headers['sec-websocket-protocol'];
  if (offered === undefined || headers.upgrade?.toLowerCase() !== 'websocket') return undefined;
  const protocols = offered.split(',').map((protocol) => protocol.trim());
  const [encoded, ...more] = protocols.filter((protocol) => protocol.startsWith(bearerProtocol));
  if (encoded === undefined) return undefined;
  const text = encoded.slice(bearerProtocol.length);
  const isGood = /^[A-Za-z0-9_-]+$/.test(text) && more.length === 0 && protocols.length > 1;
  if (!isGood) throw unauthorized();
  return Buffer.from(text, 'base64url').toString();
}
