/** The opaque token that leads from one page of a list to the next: upstream's format, so that either reads the other's. */
import { badRequest, type StatusError } from '../errors.js';

const tokenVersion = 'meta.k8s.io/v1';
/** In place of a revision: go on with the newest state, at the price of an inconsistent list. */
export const LATEST = -1;

export interface ContinueToken {
  /** Revision of the list, or LATEST. */
  readonly revision: number;
  /** Key to go on from, below the namespace of the list. */
  readonly start: string;
}

export function encodeContinue({ revision, start }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: tokenVersion, rv: revision, start })).toString('base64url');
}

/** Throws StatusError 400. */
export function decodeContinue(text: string): ContinueToken {
  const bad = /[^A-Za-z0-9_-]/.exec(text)?.index ?? (text.length % 4 === 1 ? text.length - 1 : -1);
  if (bad >= 0) throw invalid(`continue key is not valid: illegal base64 data at input byte ${bad}`);
  const { v, rv, start } = parse(Buffer.from(text, 'base64url').toString());
  if (v !== tokenVersion) {
    const version = typeof v === 'string' ? v : '';
    throw invalid(
      `continue key is not valid: server does not recognize this encoded version ${JSON.stringify(version)}`,
    );
  }
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0) {
    throw invalid(
      'continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
    );
  }
  if (typeof start !== 'string' || start === '') {
    throw invalid('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)');
  }
  // A token that somebody made up must not lead out of the list's own keys.
  const segments = start.startsWith('/') ? start.slice(1).split('/') : start.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw invalid(`continue key is not valid: ${start}`);
  }
  return { revision: Math.max(rv, LATEST), start: segments.join('/') };
}

const invalid = (why: string): StatusError => badRequest(`invalid continue token: ${why}`);

function parse(json: string): { readonly v?: unknown; readonly rv?: unknown; readonly start?: unknown } {
  try {
    const token: unknown = JSON.parse(json);
    if (typeof token === 'object' && token !== null) return token;
  } catch {
    throw invalid(`continue key is not valid: ${jsonProblem(json)}`);
  }
  throw invalid('continue key is not valid: it holds no object');
}

/** As Go's decoder says it, for the case that people meet: text that is no JSON from its first character on. */
function jsonProblem(json: string): string {
  const code = json.trimStart().codePointAt(0);
  const first = code === undefined ? '' : String.fromCodePoint(code);
  if (first === '' || first === '{') return 'unexpected end of JSON input';
  return `invalid character '${first}' looking for beginning of value`;
}
