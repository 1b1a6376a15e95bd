/** What --auth-token says: which kind of tokens members give to who has authenticated. */
import fs from 'node:fs';

export interface JwtOptions {
  readonly type: 'jwt';
  /** RS256, PS256, ES256, HS256 and their longer ones, EdDSA. */
  readonly method: string;
  /** PEM. */
  readonly publicKey?: Buffer;
  /** PEM; of HS256 and the like the shared secret. Absent: this member verifies tokens, but gives none. */
  readonly privateKey?: Buffer;
  readonly ttlSeconds: number;
}

export type AuthTokenOptions = { readonly type: 'simple' } | JwtOptions;

/** One line for who has started the member. */
export class AuthTokenError extends Error {
  override name = 'AuthTokenError';
  constructor(detail: string) {
    super(`--auth-token: ${detail}`);
  }
}

const JWT_TTL_SECONDS = 300;
const KNOWN = ['pub-key', 'priv-key', 'sign-method', 'ttl'];

/**
 * `simple`, or `jwt,pub-key=PATH,priv-key=PATH,sign-method=RS256,ttl=10m`. The files are read.
 *
 * @throws AuthTokenError
 */
export function parseAuthToken(text: string): AuthTokenOptions {
  const [type, ...rest] = text.split(',');
  if (type === 'simple' && rest.length === 0) return { type };
  if (type !== 'jwt') throw new AuthTokenError(`${text} is neither simple nor jwt,…`);
  const options = new Map(rest.map(pairOf));
  const unknown = [...options.keys()].filter((name) => !KNOWN.includes(name));
  if (unknown.length > 0) throw new AuthTokenError(`unknown option ${unknown.join(', ')}`);
  const method = options.get('sign-method');
  if (method === undefined) throw new AuthTokenError('jwt needs sign-method');
  const ttl = options.get('ttl');
  const publicKey = fileOf(options.get('pub-key'));
  const privateKey = fileOf(options.get('priv-key'));
  return {
    type,
    method,
    ttlSeconds: ttl === undefined ? JWT_TTL_SECONDS : secondsOf(ttl),
    ...(publicKey && { publicKey }),
    ...(privateKey && { privateKey }),
  };
}

function pairOf(pair: string): [string, string] {
  const at = pair.indexOf('=');
  if (at < 1 || at === pair.length - 1) throw new AuthTokenError(`${pair} is not name=value`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function fileOf(path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return fs.readFileSync(path);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new AuthTokenError(`cannot read a key (${detail})`);
  }
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };

/** A duration as Go writes it: `10m`, `1h30m`, `1.5h`. */
function secondsOf(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[hms])/g)];
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join('') === text;
  const seconds = parts.reduce(
    (sum, [, amount, unit = '']) => sum + Number(amount) * (UNIT_SECONDS[unit] ?? 0),
    0,
  );
  if (!isWhole || seconds <= 0) throw new AuthTokenError(`ttl ${text} is no duration`);
  return seconds;
}
