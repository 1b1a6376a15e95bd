/** metadata on its way into the store: names against the URL, what the server sets, what clients may not change. */
import { randomInt, randomUUID } from 'node:crypto';
import type { KubeObject, ObjectMeta, ResourceDefinition } from '../../schemas/definition.js';
import { timeText } from '../../schemas/meta/times.js';
import { badRequest } from '../errors.js';

/** Vowels and what looks alike are left out, so that no words come about. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
/** Bytes of generateName that are used: a DNS label has 63. */
const generateNameMax = 63 - suffixLength;

export function randomNameSuffix(): string {
  let suffix = '';
  for (let i = 0; i < suffixLength; i++) suffix += suffixAlphabet.charAt(randomInt(suffixAlphabet.length));
  return suffix;
}

let lastSecond = Number.NaN;
let lastTimestamp = '';

/** RFC 3339 in whole seconds. `now` in milliseconds since the epoch. Many writes fall into one second. */
export function timestamp(now: number): string {
  const second = Math.floor(now / 1000);
  if (second !== lastSecond) {
    lastTimestamp = timeText(now);
    lastSecond = second;
  }
  return lastTimestamp;
}

/**
 * Brings the object's namespace in line with the request's: an absent one is filled in, one on a cluster-scoped object is
 * dropped. Throws StatusError 400.
 */
export function checkNamespace(definition: ResourceDefinition, object: KubeObject, namespace: string): void {
  const { metadata } = object;
  if (!definition.namespaced) {
    if (metadata.namespace !== undefined) delete metadata.namespace;
  } else if (!metadata.namespace) {
    metadata.namespace = namespace;
  } else if (metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}

/** The object of an update must be the one that the URL names. Throws StatusError 400. */
export function checkName(object: KubeObject, name: string): void {
  const given = object.metadata.name ?? '';
  if (given === '') {
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (given !== name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  }
}

/** metadata of a new object: what a client may set, and what the server gives it. */
export function fillMetadata(
  definition: ResourceDefinition,
  given: ObjectMeta,
  now: number,
  nameSuffix: () => string,
): ObjectMeta {
  const metadata = clientMetadata(given);
  if (!metadata.name && metadata.generateName) {
    metadata.name = metadata.generateName.slice(0, generateNameMax) + nameSuffix();
  }
  metadata.uid = randomUUID();
  metadata.creationTimestamp = timestamp(now);
  if (definition.generation) metadata.generation = 1;
  return metadata;
}

/** metadata of an update, with what clients may leave out or try to change taken from the present object. */
export function carryMetadata(given: ObjectMeta, old: ObjectMeta, resourceVersion: string): ObjectMeta {
  const metadata = clientMetadata(given);
  metadata.resourceVersion = resourceVersion;
  metadata.uid = given.uid || (old.uid ?? '');
  if (old.generation !== undefined) metadata.generation = old.generation;
  const creation = old.creationTimestamp || given.creationTimestamp;
  if (creation) metadata.creationTimestamp = creation;
  const deletion = old.deletionTimestamp || given.deletionTimestamp;
  if (deletion) metadata.deletionTimestamp = deletion;
  const seconds = given.deletionGracePeriodSeconds ?? old.deletionGracePeriodSeconds;
  if (seconds !== undefined) metadata.deletionGracePeriodSeconds = seconds;
  return metadata;
}

/** A copy of what clients set; field by field, since it is on the way of every write. */
function clientMetadata(given: ObjectMeta): ObjectMeta {
  const metadata: ObjectMeta = {};
  if (given.name !== undefined) metadata.name = given.name;
  if (given.generateName !== undefined) metadata.generateName = given.generateName;
  if (given.namespace !== undefined) metadata.namespace = given.namespace;
  if (given.labels !== undefined) metadata.labels = given.labels;
  if (given.annotations !== undefined) metadata.annotations = given.annotations;
  if (given.ownerReferences !== undefined) metadata.ownerReferences = given.ownerReferences;
  if (given.finalizers !== undefined) metadata.finalizers = given.finalizers;
  if (given.managedFields !== undefined) metadata.managedFields = given.managedFields;
  return metadata;
}
