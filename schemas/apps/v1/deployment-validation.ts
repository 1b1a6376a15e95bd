/** What a Deployment must look like. */
import { addAll } from '../../add-all.js';
import type { KubeObject } from '../../definition.js';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { validateNotNegative } from '../../validation/metadata.js';
import { countOf, validateAtMostAll, validateCount } from './counts.js';
import { type DeploymentStrategy, specOf, statusOf } from './deployment-schema.js';
import { MORE_THAN_REPLICAS, validateReadyCounts, validateSelectorAndTemplate } from './workload.js';

export function validateDeployment(object: KubeObject): FieldError[] {
  const spec = specOf(object);
  const { minReadySeconds = 0, progressDeadlineSeconds: deadline } = spec;
  const errors: FieldError[] = [];
  validateNotNegative(errors, 'spec.replicas', spec.replicas);
  addAll(errors, validateSelectorAndTemplate(spec), validateStrategy(spec.strategy ?? {}));
  validateNotNegative(errors, 'spec.minReadySeconds', minReadySeconds);
  validateNotNegative(errors, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  validateNotNegative(errors, 'spec.progressDeadlineSeconds', deadline);
  if (deadline !== undefined && deadline <= minReadySeconds) {
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  }
  return errors;
}

function validateStrategy({ type = '', rollingUpdate }: DeploymentStrategy): FieldError[] {
  const field = 'spec.strategy.rollingUpdate';
  if (type === 'Recreate') {
    const problem = "may not be specified when strategy `type` is 'Recreate'";
    return rollingUpdate === undefined ? [] : [forbidden(field, problem)];
  }
  if (type !== 'RollingUpdate') {
    // Go prints its internal struct here, with Go's field names.
    const strategy = { Type: type, RollingUpdate: rollingUpdate ?? null };
    return [notSupported('spec.strategy', strategy, ['Recreate', 'RollingUpdate'])];
  }
  if (rollingUpdate === undefined) return [required(field, 'this should be defaulted and never be nil')];
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  const errors: FieldError[] = [];
  validateCount(errors, `${field}.maxUnavailable`, maxUnavailable);
  validateCount(errors, `${field}.maxSurge`, maxSurge);
  if (countOf(maxUnavailable) === 0 && countOf(maxSurge) === 0) {
    errors.push(invalid(`${field}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  }
  validateAtMostAll(errors, `${field}.maxUnavailable`, maxUnavailable);
  return errors;
}

export function validateDeploymentStatus(object: KubeObject, old: KubeObject): FieldError[] {
  const status = statusOf(object);
  const { replicas = 0, updatedReplicas: updated = 0, collisionCount = 0 } = status;
  const errors: FieldError[] = [];
  for (const field of [
    'observedGeneration',
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
    'unavailableReplicas',
    'collisionCount',
  ] as const) {
    validateNotNegative(errors, `status.${field}`, status[field]);
  }
  if (updated > replicas) errors.push(invalid('status.updatedReplicas', updated, MORE_THAN_REPLICAS));
  errors.push(...validateReadyCounts(status));
  if (collisionCount < (statusOf(old).collisionCount ?? 0)) {
    errors.push(invalid('status.collisionCount', collisionCount, 'cannot be decremented'));
  }
  return errors;
}
