/** What a StatefulSet must look like. */
import { isDeepStrictEqual } from 'node:util';
import { addAll } from '../../add-all.js';
import { validateClaimSpec } from '../../core/v1/persistent-volume-claim-validation.js';
import {
  type PodTemplateSpec,
  validatePodTemplate,
  validateRunsForever,
} from '../../core/v1/pod-template.js';
import { validatePodAnnotations } from '../../core/v1/pod-annotation-validation.js';
import type { Volume } from '../../core/v1/pod-volumes.js';
import type { KubeObject } from '../../definition.js';
import {
  type FieldError,
  forbidden,
  invalid,
  invalidUnshown,
  notSupported,
  required,
  show,
} from '../../field-error.js';
import {
  invalidEach,
  validateAnnotations,
  validateLabels,
  validateLabelSelector,
  validateNotNegative,
} from '../../validation/metadata.js';
import { dns1123Label } from '../../validation/names.js';
import { selectorMatches, shownSelector, sortedByKey } from '../../validation/selectors.js';
import { countOf, validateAtMostAll, validateCount } from './counts.js';
import {
  specOf,
  type StatefulSetSpec,
  type StatefulSetUpdateStrategy,
  statusOf,
} from './stateful-set-schema.js';
import { isEmptySelector, MORE_THAN_REPLICAS } from './workload.js';

const ROLLING_UPDATE = "only allowed for updateStrategy 'RollingUpdate'";

interface SpecRules {
  /** What cannot change is as it was stored, even if it would not be accepted today. */
  readonly isUpdate: boolean;
  /** Of the pod template only labels and annotations are checked. */
  readonly skipTemplate?: boolean;
}

export const validateStatefulSet = (object: KubeObject): FieldError[] =>
  validateSpec(specOf(object), { isUpdate: false });

export function validateStatefulSetUpdate(object: KubeObject, old: KubeObject): FieldError[] {
  const spec = specOf(object);
  const before = specOf(old);
  let errors = validateSpec(spec, { isUpdate: true });
  // A template that was accepted before templates were checked does not keep the rest from changing.
  if (errors.length > 0 && validateSpec(before, { isUpdate: true }).length > 0) {
    errors = validateSpec(spec, { isUpdate: true, skipTemplate: true });
  }
  if (!isDeepStrictEqual(immutablePart(spec), immutablePart(before))) {
    const problem =
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    errors.push(forbidden('spec', problem));
  }
  return errors;
}

function immutablePart(spec: StatefulSetSpec) {
  const {
    replicas: _replicas,
    ordinals: _ordinals,
    template: _template,
    updateStrategy: _updateStrategy,
    revisionHistoryLimit: _limit,
    persistentVolumeClaimRetentionPolicy: _policy,
    minReadySeconds: _seconds,
    ...rest
  } = spec;
  return rest;
}

function validateSpec(spec: StatefulSetSpec, rules: SpecRules): FieldError[] {
  const errors: FieldError[] = [];
  const { podManagementPolicy: management = '', serviceName, ordinals } = spec;
  if (management === '') errors.push(required('spec.podManagementPolicy'));
  else if (management !== 'OrderedReady' && management !== 'Parallel') {
    errors.push(invalid('spec.podManagementPolicy', management, "must be 'OrderedReady' or 'Parallel'"));
  }
  validateUpdateStrategy(errors, spec.updateStrategy ?? {});
  validateRetention(errors, spec);
  if (!rules.isUpdate) {
    for (const [i, { spec: claim = {} }] of (spec.volumeClaimTemplates ?? []).entries()) {
      validateClaimSpec(errors, claim, `spec.volumeClaimTemplates[${i}].spec`);
    }
  }
  validateNotNegative(errors, 'spec.replicas', spec.replicas);
  validateNotNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  validateNotNegative(errors, 'spec.ordinals.start', ordinals?.start);
  if (!rules.isUpdate && serviceName) {
    invalidEach(errors, 'spec.serviceName', serviceName, dns1123Label(serviceName));
  }
  validateSelectorAndTemplate(errors, spec, rules.skipTemplate ?? false);
  validateRunsForever(errors, spec.template ?? {}, 'StatefulSet', 'spec.template');
  return errors;
}

function validateUpdateStrategy(
  errors: FieldError[],
  { type = '', rollingUpdate }: StatefulSetUpdateStrategy,
): void {
  const field = 'spec.updateStrategy';
  const { partition = 0, maxUnavailable } = rollingUpdate ?? {};
  // Go prints its internal struct, with Go's field names.
  const shown = rollingUpdate ? { Partition: partition, MaxUnavailable: maxUnavailable ?? null } : null;
  if (type === '') errors.push(required(field));
  else if (type === 'OnDelete') {
    if (shown) errors.push(invalid(`${field}.rollingUpdate`, shown, ROLLING_UPDATE));
  } else if (type !== 'RollingUpdate') {
    const strategy = { Type: type, RollingUpdate: shown };
    errors.push(invalid(field, strategy, "must be 'RollingUpdate' or 'OnDelete'"));
  } else {
    validateNotNegative(errors, `${field}.rollingUpdate.partition`, partition);
    if (maxUnavailable === undefined) return;
    const path = `${field}.rollingUpdate.maxUnavailable`;
    validateCount(errors, path, maxUnavailable);
    if (countOf(maxUnavailable) === 0) errors.push(invalid(path, maxUnavailable, 'cannot be 0'));
    validateAtMostAll(errors, path, maxUnavailable);
  }
}

function validateRetention(errors: FieldError[], spec: StatefulSetSpec): void {
  const { persistentVolumeClaimRetentionPolicy: policy } = spec;
  if (!policy) return;
  for (const name of ['whenDeleted', 'whenScaled'] as const) {
    const { [name]: value = '' } = policy;
    if (value === 'Retain' || value === 'Delete') continue;
    const field = `spec.persistentVolumeClaimRetentionPolicy.${name}`;
    errors.push(notSupported(field, value, ['Retain', 'Delete']));
  }
}

function validateSelectorAndTemplate(
  errors: FieldError[],
  spec: StatefulSetSpec,
  skipTemplate: boolean,
): void {
  const { selector, template = {} } = spec;
  const field = 'spec.selector';
  const problems = validateLabelSelector(selector, field);
  addAll(errors, problems);
  if (selector === undefined) errors.push(required(field));
  else if (isEmptySelector(selector)) {
    errors.push(invalid(field, selector, 'empty selector is invalid for statefulset'));
  }
  if (problems.length > 0) {
    // Upstream says no more about it.
    errors.push(invalidUnshown(field, show(shownSelector(selector))));
    return;
  }
  const labels = template.metadata?.labels;
  if (!selectorMatches(selector, labels)) {
    const problem = '`selector` does not match template `labels`';
    errors.push(invalid('spec.template.metadata.labels', sortedByKey(labels), problem));
  }
  if (skipTemplate) validateTemplateMetadata(errors, template);
  else addAll(errors, validatePodTemplate(withClaims(template, spec), 'spec.template'));
}

function validateTemplateMetadata(errors: FieldError[], { metadata = {}, spec = {} }: PodTemplateSpec): void {
  const field = 'spec.template';
  addAll(
    errors,
    validateLabels(metadata.labels, `${field}.labels`),
    validateAnnotations(metadata.annotations, `${field}.annotations`),
  );
  validatePodAnnotations(errors, metadata.annotations, spec, `${field}.annotations`);
}

/** The template as its pods will have it: each claim is a volume, in place of one of the same name. */
function withClaims(
  template: PodTemplateSpec,
  { volumeClaimTemplates = [] }: StatefulSetSpec,
): PodTemplateSpec {
  if (volumeClaimTemplates.length === 0) return template;
  const names = new Set(volumeClaimTemplates.map(({ metadata }) => metadata?.name ?? ''));
  const claims = [...names].map((name): Volume => ({ name, persistentVolumeClaim: { claimName: name } }));
  const others = (template.spec?.volumes ?? []).filter(({ name = '' }) => !names.has(name));
  return { ...template, spec: { ...template.spec, volumes: [...claims, ...others] } };
}

export function validateStatefulSetStatus(object: KubeObject, old: KubeObject): FieldError[] {
  const status = statusOf(object);
  const { replicas = 0, readyReplicas = 0, availableReplicas: available = 0, collisionCount = 0 } = status;
  const errors: FieldError[] = [];
  for (const field of [
    'replicas',
    'readyReplicas',
    'currentReplicas',
    'updatedReplicas',
    'availableReplicas',
    'observedGeneration',
    'collisionCount',
  ] as const) {
    validateNotNegative(errors, `status.${field}`, status[field]);
  }
  for (const field of ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const) {
    const { [field]: count = 0 } = status;
    if (count > replicas) errors.push(invalid(`status.${field}`, count, MORE_THAN_REPLICAS));
  }
  if (available > readyReplicas) {
    errors.push(
      invalid('status.availableReplicas', available, 'cannot be greater than status.readyReplicas'),
    );
  }
  if (collisionCount < (statusOf(old).collisionCount ?? 0)) {
    errors.push(invalid('status.collisionCount', collisionCount, 'cannot be decremented'));
  }
  return errors;
}
