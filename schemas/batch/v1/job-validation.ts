/** What a job must look like, by itself and as the template of a cron job. */
import { addAll } from '../../add-all.js';
import { internalStruct } from '../../core/v1/internal-form.js';
import { validatePodTemplate } from '../../core/v1/pod-template.js';
import type { KubeObject } from '../../definition.js';
import { type FieldError, invalid, notSupported, required, tooLong } from '../../field-error.js';
import { validateDomainPrefixedPath } from '../../validation/domain-path.js';
import { validateLabelSelector, validateNotNegative } from '../../validation/metadata.js';
import { byteLength, dns1123Label } from '../../validation/names.js';
import { selectorMatches, sortedByKey } from '../../validation/selectors.js';
import { validatePodFailurePolicy, validateSuccessPolicy } from './job-policy-validation.js';
import { isIndexed, type JobSpec, specOf, successPolicy as successPolicyStruct } from './job-schema.js';
import { validateGeneratedSelector } from './job-selector.js';

const INDEXED_PARALLELISM_MAX = 100_000;
const FAILED_INDEXES_MAX = 100_000;
/** Above so many completions less is allowed of what the status has to list. */
const MANY_COMPLETIONS = 100_000;
const PARALLELISM_MAX_OF_MANY = 10_000;
const FAILED_INDEXES_MAX_OF_MANY = 10_000;
const MANAGED_BY_BYTES_MAX = 63;

export const validateJob = (object: KubeObject): FieldError[] => validateWhole(object, true);

/** `withPresentLabels`: false for a job that was stored before the present labels were generated. */
export function validateWhole(object: KubeObject, withPresentLabels: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(object);
  validateGeneratedSelector(errors, object, withPresentLabels);
  addAll(errors, validateSpec(spec));
  validateHostNames(errors, object.metadata.name ?? '', spec);
  return errors;
}

/** The host name of an indexed job's pod ends with its index. */
function validateHostNames(errors: FieldError[], name: string, spec: JobSpec): void {
  const { completions = 0 } = spec;
  if (!isIndexed(spec) || completions <= 0) return;
  const longest = `${name}-${completions - 1}`;
  if (dns1123Label(longest).length === 0) return;
  errors.push(
    invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${longest}`),
  );
}

export function validateSpec(spec: JobSpec): FieldError[] {
  const errors = validateJobSpec(spec, 'spec');
  const { selector, template = {} } = spec;
  const problems = validateLabelSelector(selector, 'spec.selector');
  if (selector === undefined) errors.push(required('spec.selector'));
  addAll(errors, problems);
  const labels = template.metadata?.labels;
  if (problems.length === 0 && !selectorMatches(selector, labels)) {
    const problem = '`selector` does not match template `labels`';
    errors.push(invalid('spec.template.metadata.labels', sortedByKey(labels), problem));
  }
  return errors;
}

/** Everything but the selector, which templates of jobs have none of. */
export function validateJobSpec(spec: JobSpec, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const) {
    validateNotNegative(errors, `${field}.${name}`, spec[name]);
  }
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${field}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (spec.managedBy !== undefined) validateManagedBy(errors, spec.managedBy, `${field}.managedBy`);
  validateCompletionMode(errors, spec, field);
  const { podFailurePolicy, successPolicy, completions = 0 } = spec;
  if (podFailurePolicy) {
    validatePodFailurePolicy(errors, podFailurePolicy, spec, `${field}.podFailurePolicy`);
  }
  if (successPolicy && !isIndexed(spec)) {
    const shown = internalStruct(successPolicyStruct(), successPolicy);
    errors.push(invalid(`${field}.successPolicy`, shown, 'requires indexed completion mode'));
  } else if (successPolicy) {
    validateSuccessPolicy(errors, successPolicy, completions, `${field}.successPolicy`);
  }
  validateReplacement(errors, spec, `${field}.podReplacementPolicy`);
  addAll(errors, validatePodTemplate(spec.template ?? {}, `${field}.template`));
  validateRestartPolicy(errors, spec, `${field}.template.spec.restartPolicy`);
  return errors;
}

function validateManagedBy(errors: FieldError[], value: string, field: string): void {
  addAll(errors, validateDomainPrefixedPath(value, field));
  if (byteLength(value) > MANAGED_BY_BYTES_MAX) errors.push(tooLong(field, MANAGED_BY_BYTES_MAX));
}

function validateCompletionMode(errors: FieldError[], spec: JobSpec, field: string): void {
  const { completionMode: mode } = spec;
  if (mode !== undefined && mode !== 'NonIndexed' && mode !== 'Indexed') {
    errors.push(notSupported(`${field}.completionMode`, mode, ['NonIndexed', 'Indexed']));
  }
  if (isIndexed(spec)) validateIndexed(errors, spec, field);
  if (mode !== undefined && mode !== 'NonIndexed') return;
  for (const name of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
    const { [name]: value } = spec;
    if (value !== undefined) {
      errors.push(invalid(`${field}.${name}`, value, 'requires indexed completion mode'));
    }
  }
}

function validateIndexed(errors: FieldError[], spec: JobSpec, field: string): void {
  const { completions, parallelism = 0, maxFailedIndexes: failed } = spec;
  const atMost = (name: string, value: number, max: number, rest = ''): void => {
    if (value > max) {
      errors.push(invalid(`${field}.${name}`, value, `must be less than or equal to ${max}${rest}`));
    }
  };
  if (completions === undefined) {
    errors.push(required(`${field}.completions`, 'when completion mode is Indexed'));
  }
  atMost('parallelism', parallelism, INDEXED_PARALLELISM_MAX, ' when completion mode is Indexed');
  if (completions !== undefined && failed !== undefined && failed > completions) {
    const problem = 'must be less than or equal to completions';
    errors.push(invalid(`${field}.maxFailedIndexes`, failed, problem));
  }
  atMost('maxFailedIndexes', failed ?? 0, FAILED_INDEXES_MAX);
  if ((completions ?? 0) <= MANY_COMPLETIONS || spec.backoffLimitPerIndex === undefined) return;
  if (failed === undefined) {
    const problem = `must be specified when completions is above ${MANY_COMPLETIONS}`;
    errors.push(required(`${field}.maxFailedIndexes`, problem));
  }
  const rest = ` when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
  atMost('parallelism', parallelism, PARALLELISM_MAX_OF_MANY, rest);
  atMost('maxFailedIndexes', failed ?? 0, FAILED_INDEXES_MAX_OF_MANY, rest);
}

/** With a policy for failures it must be known how a pod failed before it is replaced. */
function validateReplacement(errors: FieldError[], spec: JobSpec, field: string): void {
  const { podReplacementPolicy: policy } = spec;
  const supported = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  if (policy !== undefined && !supported.includes(policy)) {
    errors.push(notSupported(field, policy, supported));
  }
}

function validateRestartPolicy(errors: FieldError[], spec: JobSpec, field: string): void {
  const { restartPolicy: policy = '' } = spec.template?.spec ?? {};
  if (policy === '' || policy === 'Always') {
    errors.push(required(field, 'valid values: "OnFailure", "Never"'));
  } else if (policy !== 'OnFailure' && policy !== 'Never') {
    errors.push(notSupported(field, policy, ['OnFailure', 'Never']));
  } else if (spec.podFailurePolicy && policy !== 'Never') {
    errors.push(invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified'));
  }
}
