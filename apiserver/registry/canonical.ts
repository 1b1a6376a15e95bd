/**
 * The form in which objects are stored: JSON without resourceVersion, kind, apiVersion and metadata first and metadata in
 * Go's order, so that a resourceVersion can be put in by copying bytes, right behind the uid.
 */
import type { KubeObject, ObjectMeta, ResourceDefinition } from '../../schemas/definition.js';

export const apiVersionOf = ({ group, version }: Pick<ResourceDefinition, 'group' | 'version'>): string =>
  group === '' ? version : `${group}/${version}`;

/**
 * A copy in Go's order, without what Go leaves out when it is empty. selfLink is gone from Kubernetes and the
 * resourceVersion is the store's revision.
 */
export function canonicalMetadata(given: ObjectMeta): ObjectMeta {
  const ordered: ObjectMeta = {};
  if (given.name) ordered.name = given.name;
  if (given.generateName) ordered.generateName = given.generateName;
  if (given.namespace) ordered.namespace = given.namespace;
  if (given.uid) ordered.uid = given.uid;
  if (given.generation) ordered.generation = given.generation;
  if (given.creationTimestamp) ordered.creationTimestamp = given.creationTimestamp;
  if (given.deletionTimestamp) ordered.deletionTimestamp = given.deletionTimestamp;
  if (typeof given.deletionGracePeriodSeconds === 'number') {
    ordered.deletionGracePeriodSeconds = given.deletionGracePeriodSeconds;
  }
  if (isFilled(given.labels)) ordered.labels = given.labels;
  if (isFilled(given.annotations)) ordered.annotations = given.annotations;
  if (isFilled(given.ownerReferences)) ordered.ownerReferences = given.ownerReferences;
  if (isFilled(given.finalizers)) ordered.finalizers = given.finalizers;
  if (isFilled(given.managedFields)) ordered.managedFields = given.managedFields;
  return ordered;
}

function isFilled<T extends object>(value: T | undefined): value is T {
  for (const _ in value) return true;
  return false;
}

/** The same object in the order it is stored and sent in. Shares everything below the top and its metadata. */
export function canonicalObject(definition: ResourceDefinition, object: KubeObject): KubeObject {
  // Spreading, unlike assignment, is safe for a field called __proto__.
  const fields: Readonly<Record<string, unknown>> = object;
  const ordered = { kind: '', apiVersion: '', metadata: object.metadata, ...fields };
  ordered.kind = definition.kind;
  ordered.apiVersion = apiVersionOf(definition);
  ordered.metadata = canonicalMetadata(object.metadata);
  return ordered;
}

const quote = 0x22;
const backslash = 0x5c;

/** Strings that may follow the name, in this order, before the resourceVersion. */
const identityFields = [',"generateName":"', ',"namespace":"', ',"uid":"'].map((text) => Buffer.from(text));

/**
 * Where the resourceVersion belongs in a canonical value: behind the closing quote of the uid, or of what precedes it
 * when there is none. −1: the value is not canonical. `header` ends with `"metadata":{"name":"`.
 */
export function identityEnd(value: Buffer, header: Buffer): number {
  if (value.length <= header.length || header.compare(value, 0, header.length) !== 0) return -1;
  let end = stringEnd(value, header.length);
  for (const field of identityFields) {
    if (end < 0) return -1;
    if (startsAt(value, end, field)) end = stringEnd(value, end + field.length);
  }
  return end;
}

function startsAt(value: Buffer, at: number, text: Buffer): boolean {
  if (at + text.length > value.length) return false;
  for (let i = 0; i < text.length; i++) if (value[at + i] !== text[i]) return false;
  return true;
}

/** Behind the closing quote of the string whose content begins at `from`; −1 when there is none. */
function stringEnd(value: Buffer, from: number): number {
  let at = value.indexOf(quote, from);
  while (at >= 0) {
    let escapes = 0;
    while (value[at - 1 - escapes] === backslash) escapes++;
    if (escapes % 2 === 0) return at + 1;
    at = value.indexOf(quote, at + 1);
  }
  return -1;
}
