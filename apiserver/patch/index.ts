/**
 * PATCH: from a body and the current object to the object it asks for. Pure; the caller decodes the result and, if that
 * fails, gets the answer from `patchedObjectInvalid`.
 */
import { goQuote } from '../../schemas/go-quote.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { invalid as invalidField } from '../../schemas/field-error.js';
import { badRequest, internal, invalid, requestTooLarge, StatusError } from '../errors.js';
import { jsonTypeName } from '../../schemas/go-json.js';
import { checkNesting, NestingError } from '../http/serializers/duplicates.js';
import { type MarkedObject, markNumbers } from '../http/serializers/json-numbers.js';
import { parseJson } from '../http/serializers/json.js';
import { type DecodeHint, groupAndVersion, kindProblem } from '../http/serializers/type-meta.js';
import { goPrint } from './go-print.js';
import { applyJsonPatch, type Operation, PatchFailure } from './json-patch.js';
import { applyMergePatch, isObject } from './merge-patch.js';
import { strategicMerge } from './strategic-merge.js';
import { StrategicMergeError } from './strategic-values.js';

export const JSON_PATCH = 'application/json-patch+json';
export const MERGE_PATCH = 'application/merge-patch+json';
export const STRATEGIC_MERGE_PATCH = 'application/strategic-merge-patch+json';

/** Operations of one JSON patch, as upstream. */
export const JSON_PATCH_OPERATIONS_MAX = 10_000;

/** What a patch is applied to: the resource, or the kind of a subresource's body (Scale). */
export type PatchTarget = Pick<ResourceDefinition, 'group' | 'version' | 'kind' | 'schema'>;

/** The media type is one that `applyPatch` knows; others are answered 415. */
export function isPatchType(contentType: string): boolean {
  return contentType === JSON_PATCH || contentType === MERGE_PATCH || contentType === STRATEGIC_MERGE_PATCH;
}

/**
 * The patched object, not yet decoded: unknown fields and wrong types are still in it, kind and apiVersion are what the
 * patch left there. `current` is not changed, but the result shares parts with it. Throws StatusError.
 */
export function applyPatch(
  contentType: string,
  patchBody: Buffer,
  current: KubeObject,
  target: PatchTarget,
): unknown {
  return apply(contentType, patchBody, current, target);
}

/**
 * The same with marks in place of numbers that are no integers to Go; undefined where there are none. A strategic merge
 * has none: upstream reads its numbers before it merges them, and then `1.0` is 1.
 */
export function markedPatch(
  contentType: string,
  patchBody: Buffer,
  current: KubeObject,
  target: PatchTarget,
): MarkedObject | undefined {
  if (contentType === STRATEGIC_MERGE_PATCH) return undefined;
  const numbers = markNumbers(patchBody.toString('utf8'));
  if (numbers === undefined) return undefined;
  try {
    const object = apply(contentType, Buffer.from(numbers.text), current, target);
    return { object, written: numbers.written };
  } catch (error) {
    // It tests a number that has a mark now.
    if (error instanceof StatusError) return undefined;
    throw error;
  }
}

function apply(
  contentType: string,
  body: Buffer,
  current: KubeObject,
  target: PatchTarget,
  touched?: WeakSet<object>,
): unknown {
  switch (contentType) {
    case JSON_PATCH:
      return jsonPatch(body, current, touched);
    case MERGE_PATCH:
      return applyMergePatch(current, mergeDocument(body, 'error decoding patch: '), touched);
    case STRATEGIC_MERGE_PATCH:
      return strategic(mergeDocument(body, ''), current, target);
    default:
      throw badRequest(`unknown Content-Type header for patch: ${contentType}`);
  }
}

function jsonPatch(body: Buffer, current: KubeObject, touched?: WeakSet<object>): unknown {
  const operations = operationsOf(body);
  if (operations.length > JSON_PATCH_OPERATIONS_MAX) {
    throw requestTooLarge(
      `The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}, got ${operations.length}`,
    );
  }
  try {
    const patched = applyJsonPatch(current, operations, touched);
    // Each operation may put one value into another, so that all together nest deeper than any body could.
    checkNesting(patched);
    return patched;
  } catch (error) {
    const isTooDeep = error instanceof NestingError || error instanceof RangeError;
    if (!isTooDeep && !(error instanceof PatchFailure)) throw error;
    // Upstream hides what went wrong behind this text.
    throw unprocessable('the server rejected our request due to an error in our request');
  }
}

const unprocessable = (message: string) => new StatusError(422, 'Invalid', message, {});

const undecodable = (type: string, into: string) =>
  badRequest(`error decoding patch: json: cannot unmarshal ${type} into Go ${into}`);

function operationsOf(body: Buffer): readonly Operation[] {
  const value = parsed(body, 'error decoding patch: ') ?? [];
  if (!Array.isArray(value)) throw undecodable(jsonTypeName(value), 'value of type []handlers.jsonPatchOp');
  for (const operation of value as unknown[]) {
    if (!isObject(operation))
      throw undecodable(jsonTypeName(operation), 'value of type handlers.jsonPatchOp');
    for (const field of ['op', 'path', 'from']) {
      const type = jsonTypeName(operation[field]);
      if (type !== 'string' && type !== 'null')
        throw undecodable(type, `struct field jsonPatchOp.${field} of type string`);
    }
  }
  return value as Operation[];
}

function mergeDocument(body: Buffer, prefix: string): Record<string, unknown> {
  const value = parsed(body, prefix);
  if (isObject(value)) return value;
  if (value === null) return {};
  throw badRequest(
    `${prefix}json: cannot unmarshal ${jsonTypeName(value)} into Go value of type map[string]interface {}`,
  );
}

function parsed(body: Buffer, prefix: string): unknown {
  const { value, problem } = parseJson(body.toString('utf8'), false);
  if (problem !== undefined) throw badRequest(prefix + problem);
  return value;
}

function strategic(patch: Record<string, unknown>, current: KubeObject, target: PatchTarget): unknown {
  try {
    const merged = strategicMerge(current, patch, target.schema());
    // The object's type is known here, and what the patch says of it counts for nothing.
    return { ...merged, kind: current.kind, apiVersion: current.apiVersion };
  } catch (error) {
    if (!(error instanceof StrategicMergeError)) throw error;
    if (error.status === 400) throw badRequest(error.message);
    throw error.status === 422 ? unprocessable(error.message) : internal(error.message);
  }
}

/** What strict decoding says of the patch itself: fields given twice, members that no operation has. */
export function patchStrictErrors(contentType: string, patchBody: Buffer): string[] {
  const { value, duplicates = [] } = parseJson(patchBody.toString('utf8'), true) as {
    value?: unknown;
    duplicates?: readonly string[];
  };
  const errors = duplicates.map((field) => `duplicate field ${goQuote(field)}`);
  if (contentType !== JSON_PATCH || !Array.isArray(value)) return errors;
  for (const [index, operation] of value.entries()) {
    for (const field of Object.keys(isObject(operation) ? operation : {})) {
      if (!['op', 'path', 'from', 'value'].includes(field)) {
        errors.push(`unknown field ${goQuote(`[${index}].${field}`)}`);
      }
    }
  }
  return errors.map((error) => `json patch ${error}`);
}

/** A patch that leaves an object which is no longer of its kind; undefined when kind and apiVersion are right. */
export function patchedKindProblem(patched: unknown, hint: Omit<DecodeHint, 'strict'>): string | undefined {
  if (!isObject(patched)) return undefined;
  const { kind, apiVersion } = patched;
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') return undefined;
  const { group, version } = groupAndVersion(apiVersion, hint);
  const problem = kindProblem(kind, group, version, { ...hint, strict: false });
  return problem === '' ? undefined : problem;
}

/**
 * The answer to a patch whose result does not decode: `message` is the type error, `patchedKindProblem`, or
 * `strict decoding error: …`. It quotes the result (of a strategic merge the patch) as upstream prints it.
 */
export function patchedObjectInvalid(
  message: string,
  contentType: string,
  patchBody: Buffer,
  current: KubeObject,
  target: PatchTarget,
): StatusError {
  const quoted =
    contentType === STRATEGIC_MERGE_PATCH
      ? goPrint(JSON.parse(patchBody.toString('utf8')))
      : patchedText(contentType, patchBody, current, target);
  return invalid({ group: '', name: '' }, '', [invalidField('patch', quoted, message)]);
}

/** The patched object as upstream's library writes it: objects that the patch went through have sorted members. */
function patchedText(contentType: string, body: Buffer, current: KubeObject, target: PatchTarget): string {
  const touched = new WeakSet<object>();
  const patched = apply(contentType, body, current, target, touched);
  return JSON.stringify(patched, (_key, value: unknown) => {
    if (!isObject(value) || !touched.has(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
