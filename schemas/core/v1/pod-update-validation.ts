/** What may change in a pod once it exists: little, since it may already be running somewhere. */
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../definition.js';
import { type FieldError, forbidden, invalid, required } from '../../field-error.js';
import { rangeProblem } from '../../validation/names.js';
import { MIRROR, validatePodAnnotationsUpdate } from './pod-annotation-validation.js';
import type { Container } from './pod-containers.js';
import { validateImagePadding } from './pod-container-validation.js';
import { specOf, without } from './pod-object.js';
import type { NodeAffinity, NodeSelectorTerm, Toleration } from './pod-scheduling.js';
import { validateTolerations } from './pod-scheduling-validation.js';
import { podSpecDiff } from './pod-spec-diff.js';
import type { PodSpec } from './pod-spec.js';

const INT32_MAX = 2 ** 31 - 1;
const REQUIRED_AFFINITY = 'requiredDuringSchedulingIgnoredDuringExecution';
const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

export function validatePodUpdate(pod: KubeObject, oldPod: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(pod);
  const old = specOf(oldPod);
  validatePodAnnotationsUpdate(
    errors,
    pod.metadata.annotations,
    oldPod.metadata.annotations,
    'metadata.annotations',
  );
  for (const name of ['containers', 'initContainers'] as const) {
    if (!validateSameContainers(errors, spec[name] ?? [], old[name] ?? [], `spec.${name}`)) return errors;
  }
  if (!validateDeadline(errors, spec, old)) return errors;
  validateAddedTolerations(errors, spec.tolerations ?? [], old.tolerations ?? []);
  validateRemovedGates(errors, spec, old);
  if (isDeepStrictEqual(spec, old)) return errors;
  const rest = withoutUpdatable(errors, spec, old);
  if (!isDeepStrictEqual(rest, old)) {
    const diff = podSpecDiff(old, rest);
    errors.push(forbidden('spec', `pod updates may not change fields other than ${UPDATABLE}\n${diff}`));
  }
  return errors;
}

function validateSameContainers(
  errors: FieldError[],
  containers: readonly Container[],
  old: readonly Container[],
  field: string,
): boolean {
  if (containers.length !== old.length) {
    errors.push(forbidden(field, 'pod updates may not add or remove containers'));
    return false;
  }
  for (const [i, container] of containers.entries()) {
    if (!container.image) errors.push(required(`${field}[${i}].image`));
    validateImagePadding(errors, container, `${field}[${i}]`);
  }
  return true;
}

/** The deadline may be set, and shortened. */
function validateDeadline(errors: FieldError[], spec: PodSpec, old: PodSpec): boolean {
  const field = 'spec.activeDeadlineSeconds';
  const { activeDeadlineSeconds: deadline } = spec;
  const { activeDeadlineSeconds: before } = old;
  if (deadline === undefined) {
    if (before !== undefined) {
      errors.push(invalid(field, undefined, 'must not update from a positive integer to nil value'));
    }
    return true;
  }
  if (deadline < 0 || deadline > INT32_MAX) {
    errors.push(invalid(field, deadline, rangeProblem(0, INT32_MAX)));
    return false;
  }
  if (before !== undefined && before < deadline) {
    errors.push(invalid(field, deadline, 'must be less than or equal to previous value'));
    return false;
  }
  return true;
}

/** Decoded objects have their fields in one order, so that equal ones print alike. */
const identity = (toleration: Toleration): string => JSON.stringify(without(toleration, 'tolerationSeconds'));

function validateAddedTolerations(
  errors: FieldError[],
  tolerations: readonly Toleration[],
  old: readonly Toleration[],
): void {
  const field = 'spec.tolerations';
  const present = new Set(tolerations.map(identity));
  const kept = old.every((before) => present.has(identity(before)));
  if (kept) validateTolerations(errors, tolerations, field);
  else {
    const problem = 'existing toleration can not be modified except its tolerationSeconds';
    errors.push(forbidden(field, problem));
  }
}

function validateRemovedGates(errors: FieldError[], spec: PodSpec, old: PodSpec): void {
  const before = new Set(old.schedulingGates?.map((gate) => gate.name));
  for (const [i, { name = '' }] of (spec.schedulingGates ?? []).entries()) {
    if (before.has(name)) continue;
    const problem = `only deletion is allowed, but found new scheduling gate '${name}'`;
    errors.push(forbidden(`spec.schedulingGates[${i}].name`, problem));
  }
}

/** The new spec with the old values of everything that may change. */
function withoutUpdatable(errors: FieldError[], spec: PodSpec, old: PodSpec): PodSpec {
  const rest: PodSpec = { ...spec };
  keep(rest, old, 'activeDeadlineSeconds', 'schedulingGates', 'tolerations');
  for (const name of ['containers', 'initContainers'] as const) {
    const containers = spec[name]?.map((container, i) => {
      const image = old[name]?.[i]?.image;
      return image === undefined ? container : { ...container, image };
    });
    if (containers) rest[name] = containers;
  }
  const graceBefore = old.terminationGracePeriodSeconds ?? 0;
  if (graceBefore < 0 && spec.terminationGracePeriodSeconds === 1)
    keep(rest, old, 'terminationGracePeriodSeconds');
  if ((old.schedulingGates ?? []).length > 0) keepPlace(errors, rest, old);
  return rest;
}

function keep(rest: PodSpec, old: PodSpec, ...names: (keyof PodSpec)[]): void {
  for (const name of names) {
    if (old[name] === undefined) delete rest[name];
    else Object.assign(rest, { [name]: old[name] });
  }
}

/** While scheduling gates hold a pod, the rules for its node may be narrowed. */
function keepPlace(errors: FieldError[], rest: PodSpec, old: PodSpec): void {
  const selector = rest.nodeSelector ?? {};
  const isKept = Object.entries(old.nodeSelector ?? {}).every(
    ([key, value]) => Object.hasOwn(selector, key) && selector[key] === value,
  );
  if (!isKept) {
    const problem = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
    errors.push(invalid('spec.nodeSelector', selector, problem));
  }
  keep(rest, old, 'nodeSelector');
  const before = old.affinity?.nodeAffinity;
  if (isDeepStrictEqual(rest.affinity?.nodeAffinity, before)) return;
  validateNarrowed(errors, rest.affinity?.nodeAffinity, before);
  const others = without(rest.affinity ?? {}, 'nodeAffinity');
  const affinity = before === undefined ? others : { nodeAffinity: before, ...others };
  if (Object.keys(affinity).length === 0 && old.affinity === undefined) delete rest.affinity;
  else rest.affinity = affinity;
}

function validateNarrowed(
  errors: FieldError[],
  affinity: NodeAffinity | undefined,
  before: NodeAffinity | undefined,
): void {
  const field = `spec.affinity.nodeAffinity.${REQUIRED_AFFINITY}.nodeSelectorTerms`;
  const oldTerms = before?.[REQUIRED_AFFINITY]?.nodeSelectorTerms ?? [];
  const terms = affinity?.[REQUIRED_AFFINITY]?.nodeSelectorTerms ?? [];
  if (oldTerms.length === 0) return;
  if (oldTerms.length !== terms.length) {
    const problem = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    errors.push(invalid(field, terms, problem));
    return;
  }
  for (const [i, oldTerm] of oldTerms.entries()) {
    if (!hasOnlyAdditions(terms[i] ?? {}, oldTerm)) {
      const problem = 'only additions are allowed (no mutations or deletions)';
      errors.push(invalid(`${field}[${i}]`, terms[i], problem));
    }
  }
}

function hasOnlyAdditions(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const lists = ['matchExpressions', 'matchFields'] as const;
  // An empty term matches nothing; with a condition it would match something.
  if (lists.every((name) => !old[name]?.length)) return lists.every((name) => !term[name]?.length);
  return lists.every((name) => {
    const before = old[name] ?? [];
    return isDeepStrictEqual((term[name] ?? []).slice(0, before.length), before);
  });
}

/** Of the ephemeralcontainers subresource: they may be added, and then neither changed nor taken away. */
export function validateEphemeralContainersUpdate(pod: KubeObject, oldPod: KubeObject): FieldError[] {
  if (Object.hasOwn(oldPod.metadata.annotations ?? {}, MIRROR)) {
    return [forbidden('[]', 'static pods do not support ephemeral containers')];
  }
  const field = 'spec.ephemeralContainers';
  const errors: FieldError[] = [];
  const containers = new Map(
    (specOf(pod).ephemeralContainers ?? []).toReversed().map((container) => [container.name, container]),
  );
  for (const old of specOf(oldPod).ephemeralContainers ?? []) {
    const name = JSON.stringify(old.name ?? '');
    const container = containers.get(old.name);
    if (!container)
      errors.push(forbidden(field, `existing ephemeral containers ${name} may not be removed\n`));
    else if (!isDeepStrictEqual(container, old)) {
      errors.push(forbidden(field, `existing ephemeral containers ${name} may not be changed\n`));
    }
  }
  return errors;
}
