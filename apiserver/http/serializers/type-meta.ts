/** apiVersion and kind of a body: filled in where a client left them out, refused where they contradict the path. */
import { badRequest, type StatusError } from '../../errors.js';
import { jsonTypeName } from '../../../schemas/go-json.js';

/** What the request's path makes us expect. */
export interface DecodeHint {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Whether the server knows such a kind at all; without it every other kind counts as unknown. */
  readonly isRegistered?: (group: string, version: string, kind: string) => boolean;
  /** Look for fields given twice (fieldValidation Warn and Strict, not Ignore). */
  readonly strict: boolean;
}

export type JsonObject = Record<string, unknown>;

/** Go's name of the scheme in its errors; part of the recorded texts. */
const SCHEME = 'k136/pkg/api/legacyscheme/scheme.go:30';
const PROBE =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
const SUMMARY_BYTES_MAX = 30;

/** A body whose version and kind could not even be read. */
export function unrecognized(hint: DecodeHint, problem: string, body: Buffer): StatusError {
  return badRequest(
    `the object provided is unrecognized (must be of type ${hint.kind}): ${problem} (${summary(body)})`,
  );
}

/** The beginning of a body: as it is where it looks like JSON, else in hexadecimal. */
function summary(body: Buffer): string {
  if (body.length === 0) return '<empty>';
  const head = body.subarray(0, SUMMARY_BYTES_MAX).toString(body[0] === 0x7b ? 'utf8' : 'hex');
  return body.length > SUMMARY_BYTES_MAX ? `${head} ...` : head;
}

/** A body that is of another kind than the path, or whose fields do not fit its kind. */
export function cannotBeHandled(
  hint: DecodeHint,
  kind: string,
  version: string,
  problem: string,
): StatusError {
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${hint.kind}: ${problem}`);
}

/**
 * Checks a decoded JSON value and gives back the object with kind and apiVersion as the path says.
 * `body` is what the client sent, for the message. Throws the StatusError 400.
 */
export function withTypeMeta(value: unknown, hint: DecodeHint, body: Buffer): JsonObject {
  const problem = typeMetaProblem(value);
  if (problem !== '')
    throw unrecognized(hint, `couldn't get version/kind; json parse error: ${problem}`, body);
  const object = (value ?? {}) as JsonObject;
  const apiVersion = (object.apiVersion ?? '') as string;
  if (apiVersion.split('/').length > 2) {
    throw unrecognized(hint, `unexpected GroupVersion string: ${apiVersion}`, body);
  }
  checkKind(object, hint);
  object.kind = hint.kind;
  object.apiVersion = groupVersion(hint.group, hint.version);
  return object;
}

function typeMetaProblem(value: unknown): string {
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) {
    return `json: cannot unmarshal ${jsonTypeName(value)} into Go value of type ${PROBE}`;
  }
  const object = (value ?? {}) as JsonObject;
  for (const field of ['apiVersion', 'kind']) {
    const type = jsonTypeName(object[field]);
    if (type !== 'null' && type !== 'string') {
      return `json: cannot unmarshal ${type} into Go struct field .${field} of type string`;
    }
  }
  return '';
}

/** DeleteOptions is known in every group and version. */
function checkKind(object: JsonObject, hint: DecodeHint): void {
  const kind = (object.kind as string | undefined) || hint.kind;
  const { group, version } = groupAndVersion((object.apiVersion as string | undefined) ?? '', hint);
  if (kind === hint.kind && group === hint.group && version === hint.version) return;
  if (kind === hint.kind && kind === 'DeleteOptions') return;
  const conversion = kindProblem(kind, group, version, hint);
  if (conversion !== '') throw cannotBeHandled(hint, kind, version, conversion);
  throw badRequest(
    `the API version in the data (${groupVersion(group, version)}) does not match the expected API version (${groupVersion(hint.group, hint.version)})`,
  );
}

/** Why an object of this kind is none of the expected one; empty when only its version differs. */
export function kindProblem(kind: string, group: string, version: string, hint: DecodeHint): string {
  const sameKind = kind === hint.kind && group === hint.group;
  if (sameKind && version === hint.version) return '';
  if (!(hint.isRegistered?.(group, version, kind) ?? false)) {
    return `no kind "${kind}" is registered for version "${groupVersion(group, version)}" in scheme "${SCHEME}"`;
  }
  if (sameKind) return '';
  const internal = hint.group === '' ? 'core' : (hint.group.split('.')[0] ?? '');
  return `converting (${version}.${kind}) to (${internal}.${hint.kind}): unknown conversion`;
}

export function groupVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

export function groupAndVersion(
  apiVersion: string,
  hint: { readonly group: string; readonly version: string },
): { readonly group: string; readonly version: string } {
  if (apiVersion === '') return hint;
  const [first = '', second] = apiVersion.split('/');
  return second === undefined ? { group: '', version: first } : { group: first, version: second };
}
