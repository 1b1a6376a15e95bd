/**
 * From `kubectl apply` that merges in the client to one that merges in the server. The former keeps what it applied in an
 * annotation; what that holds, and the object still has, is kubectl's own. Other managers take no part in this.
 */
import type { Json } from '../../schemas/walk.js';
import { ANNOTATIONS_BYTES_MAX } from '../../schemas/validation/metadata.js';
import { compare } from './compare.js';
import { difference } from './field-set.js';
import { valueAt } from './list-items.js';
import { keyJson } from './path-elements.js';
import { setOfValue } from './set-of-value.js';
import { typeProblem } from './typed.js';
import type { FieldsV1 } from './types.js';
import type { Version } from './versions.js';

export const LAST_APPLIED_MANAGER = 'kubectl';
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The fields that the annotation says are kubectl's; undefined where there is none, or none that can be read. */
export function fieldsLastApplied(version: Version, live: Json): FieldsV1 | undefined {
  const applied = parsed(lastAppliedOf(live) ?? '');
  const shape = version.shape();
  if (applied?.['kind'] !== version.kind || applied['apiVersion'] !== version.apiVersion) return undefined;
  if (typeProblem(shape, live) !== undefined || typeProblem(shape, applied) !== undefined) return undefined;
  const { changed, removed } = compare(shape, applied, live);
  return difference(difference(setOfValue(shape, applied), changed), removed);
}

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMap(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isMap = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function annotationsOf(object: Json): Json | undefined {
  const metadata = valueAt(object, 'metadata');
  const annotations = isMap(metadata) ? valueAt(metadata, 'annotations') : undefined;
  return isMap(annotations) ? annotations : undefined;
}

function lastAppliedOf(object: Json): string | undefined {
  const text = annotationsOf(object)?.[LAST_APPLIED];
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/**
 * The object with its annotation, if it has one, saying what is applied now, so that a client that merges itself can go on
 * from there. An annotation for which there is no more room goes.
 */
export function withLastApplied(object: Json, applied: Json): Json {
  const before = lastAppliedOf(object);
  if (before === undefined) return object;
  const text = textOf(applied);
  if (text === before) return object;
  const annotations = { ...annotationsOf(object), [LAST_APPLIED]: text };
  if (bytesOf(annotations) > ANNOTATIONS_BYTES_MAX) delete (annotations as Json)[LAST_APPLIED];
  return { ...object, metadata: { ...(object['metadata'] as Json), annotations } };
}

/** As Go prints it: members sorted, a line end behind it; without the annotation itself. */
function textOf(applied: Json): string {
  const annotations = annotationsOf(applied);
  if (annotations === undefined) return `${keyJson(applied)}\n`;
  const { [LAST_APPLIED]: _, ...rest } = annotations;
  return `${keyJson({ ...applied, metadata: { ...(applied['metadata'] as Json), annotations: rest } })}\n`;
}

function bytesOf(annotations: Json): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(annotations)) {
    bytes += Buffer.byteLength(name) + (typeof value === 'string' ? Buffer.byteLength(value) : 0);
  }
  return bytes;
}
