/** The opaque token that leads from one page of a list to the next: upstream's format, so that either reads the other's. */
import { badRequest, type StatusError } from '../errors.js';
import { jsonSyntaxProblem, jsonTypeName } from '../../schemas/go-json.js';

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

/** Throws StatusError 400, in the words of upstream and of Go's decoder. */
export function decodeContinue(text: string): ContinueToken {
  const bad = /[^A-Za-z0-9_-]/.exec(text)?.index ?? (text.length % 4 === 1 ? text.length - 1 : -1);
  if (bad >= 0) throw invalid(`illegal base64 data at input byte ${bad}`);
  const { v, rv, start } = parse(Buffer.from(text, 'base64url').toString());
  if (v !== tokenVersion)
    throw invalid(`server does not recognize this encoded version ${JSON.stringify(v)}`);
  if (rv === 0) throw invalid(`incorrect encoded start resourceVersion (version ${tokenVersion})`);
  if (start === '') throw invalid(`encoded start key empty (version ${tokenVersion})`);
  // A token that somebody made up must not lead out of the list's own keys.
  const path = start.startsWith('/') ? start.slice(1) : start;
  if (path !== '' && path.split('/').some(isOutside)) throw invalid(start);
  return { revision: Math.max(rv, LATEST), start: path };
}

const isOutside = (segment: string): boolean => segment === '' || segment === '.' || segment === '..';

const invalid = (why: string): StatusError =>
  badRequest(`invalid continue token: continue key is not valid: ${why}`);

/** With Go's zero values for what is absent or null. */
function parse(json: string): { readonly v: string; readonly rv: number; readonly start: string } {
  let token: unknown;
  try {
    token = JSON.parse(json);
  } catch {
    throw invalid(jsonSyntaxProblem(json));
  }
  const type = jsonTypeName(token);
  if (type !== 'object' && type !== 'null') {
    throw invalid(`json: cannot unmarshal ${type} into Go value of type storage.continueToken`);
  }
  const { v, rv, start } = (token ?? {}) as {
    readonly v?: unknown;
    readonly rv?: unknown;
    readonly start?: unknown;
  };
  const revision = rv ?? 0;
  if (typeof revision !== 'number') throw wrongType('rv', 'int64', rv);
  if (!Number.isSafeInteger(revision)) throw wrongType('rv', 'int64', rv, ` ${revision}`);
  return { v: textOf('v', v), rv: revision, start: textOf('start', start) };
}

function textOf(field: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  throw wrongType(field, 'string', value);
}

const wrongType = (field: string, wanted: string, value: unknown, literal = ''): StatusError =>
  invalid(
    `json: cannot unmarshal ${jsonTypeName(value)}${literal} into Go struct field continueToken.${field} of type ${wanted}`,
  );
