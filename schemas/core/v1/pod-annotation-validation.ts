/** Annotations of pods that mean something to the server. */
import { type FieldError, forbidden, invalid } from '../../field-error.js';
import type { PodSpec } from './pod-spec.js';

type Annotations = Readonly<Record<string, string>> | undefined;

/** Set by the kubelet on the picture that the API has of a static pod. */
export const MIRROR = 'kubernetes.io/config.mirror';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const APPARMOR_PREFIX = 'container.apparmor.security.beta.kubernetes.io/';
const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);

export function validatePodAnnotations(
  errors: FieldError[],
  annotations: Annotations,
  spec: PodSpec,
  field: string,
): void {
  if (!annotations) return;
  if (Object.hasOwn(annotations, MIRROR) && !spec.nodeName) {
    const problem = 'must set spec.nodeName if mirror pod annotation is set';
    errors.push(invalid(`${field}[${MIRROR}]`, annotations[MIRROR], problem));
  }
  const cost = annotations[DELETION_COST];
  if (cost !== undefined && !isInt32(cost)) {
    errors.push(invalid(`${field}[${DELETION_COST}]`, cost, 'must be a 32bit integer'));
  }
  let names: ReadonlySet<string | undefined> | undefined;
  for (const [key, profile] of Object.entries(annotations)) {
    if (!key.startsWith(APPARMOR_PREFIX)) continue;
    names ??= containerNames(spec);
    validateAppArmor(errors, key, profile, names, `${field}[${key}]`);
  }
}

/** Go accepts a minus sign, but neither a plus sign nor leading zeros here. */
const isInt32 = (text: string): boolean =>
  /^(?:0|-?[1-9]\d*)$/.test(text) && Number(text) >= INT32_MIN && Number(text) <= INT32_MAX;

function containerNames({ initContainers = [], containers = [], ephemeralContainers = [] }: PodSpec) {
  const all = [initContainers, containers, ephemeralContainers];
  return new Set(all.flatMap((list) => list.map(({ name }) => name)));
}

function validateAppArmor(
  errors: FieldError[],
  key: string,
  profile: string,
  containers: ReadonlySet<string | undefined>,
  field: string,
): void {
  const name = key.slice(APPARMOR_PREFIX.length);
  if (!containers.has(name)) {
    errors.push(invalid(field, name, 'container not found'));
  }
  const known = ['', 'runtime/default', 'unconfined'].includes(profile) || profile.startsWith('localhost/');
  if (!known) {
    errors.push(invalid(field, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`));
  }
}

/** Some may neither come nor go nor change. */
export function validatePodAnnotationsUpdate(
  errors: FieldError[],
  annotations: Annotations,
  old: Annotations,
  field: string,
): void {
  const refuse = (key: string, verb: string): void => {
    if (key.startsWith(APPARMOR_PREFIX)) {
      errors.push(forbidden(`${field}[${key}]`, `may not ${verb} AppArmor annotations`));
    }
    if (key === MIRROR) errors.push(forbidden(`${field}[${key}]`, `may not ${verb} mirror pod annotation`));
  };
  for (const [key, value] of Object.entries(old ?? {})) {
    if (!Object.hasOwn(annotations ?? {}, key) || annotations?.[key] !== value)
      refuse(key, 'remove or update');
  }
  for (const key of Object.keys(annotations ?? {})) if (!Object.hasOwn(old ?? {}, key)) refuse(key, 'add');
}
