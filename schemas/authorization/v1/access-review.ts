/** What all access reviews share: the answer's form and the rules of what may be asked. */
import type { KubeObject, ObjectMeta } from '../../definition.js';
import { type FieldError, forbidden, invalid, required } from '../../field-error.js';
import { bool, once, struct, text } from '../../fields.js';
import { invalidEach, validateLabelName } from '../../validation/metadata.js';
import { labelValue } from '../../validation/names.js';

export const subjectAccessReviewStatus = once(() =>
  struct(
    'io.k8s.api.authorization.v1.SubjectAccessReviewStatus',
    {
      allowed: bool({ default: false }),
      denied: bool({ omitEmpty: true, description: 'Refused for certain, not only for want of a yes.' }),
      reason: text({ omitEmpty: true }),
      evaluationError: text({ omitEmpty: true, description: 'What went wrong on the way to the answer.' }),
    },
    { description: 'The answer.', required: ['allowed'] },
  ),
);

interface Requirement {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

interface SelectorAttributes {
  readonly rawSelector?: string;
  readonly requirements?: readonly Requirement[];
}

export interface ResourceAttributes {
  readonly namespace?: string;
  readonly verb?: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly name?: string;
  readonly fieldSelector?: SelectorAttributes;
  readonly labelSelector?: SelectorAttributes;
}

export interface NonResourceAttributes {
  readonly path?: string;
  readonly verb?: string;
}

/** `user` to `uid`: of reviews that ask for somebody else. */
export interface AccessReviewSpec {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: NonResourceAttributes;
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
  readonly uid?: string;
}

export const accessReviewSpecOf = (review: KubeObject): AccessReviewSpec => review['spec'] ?? {};

const EXACTLY_ONE = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';

/** The attributes as upstream's internal struct prints, whose fields have no JSON names. */
export const shownPath = ({ path = '', verb = '' }: NonResourceAttributes) => ({ Path: path, Verb: verb });

/** One request, and not two or none. */
export function validateAttributes(errors: FieldError[], spec: AccessReviewSpec): void {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (resource !== undefined && path !== undefined) {
    const problem = 'cannot be specified in combination with resourceAttributes';
    errors.push(invalid('spec.nonResourceAttributes', shownPath(path), problem));
  }
  if (resource === undefined && path === undefined) {
    errors.push(invalid('spec.resourceAttributes', undefined, EXACTLY_ONE));
  }
}

export function validateSelectors(errors: FieldError[], { resourceAttributes }: AccessReviewSpec): void {
  const field = 'spec.resourceAttributes';
  validateSelector(errors, resourceAttributes?.fieldSelector, `${field}.fieldSelector`, (key, _, path) => {
    if (key === '') errors.push(required(`${path}.key`, 'must be specified'));
  });
  validateSelector(
    errors,
    resourceAttributes?.labelSelector,
    `${field}.labelSelector`,
    (key, values, path) => {
      errors.push(...validateLabelName(key, `${path}.key`));
      for (const [i, value] of values.entries()) {
        invalidEach(errors, `${path}.values[${i}]`, value, labelValue(value));
      }
    },
  );
}

/** Operators that are not known here pass: they may be known to who asks. */
function validateSelector(
  errors: FieldError[],
  selector: SelectorAttributes | undefined,
  field: string,
  validateKey: (key: string, values: readonly string[], path: string) => void,
): void {
  if (selector === undefined) return;
  const { rawSelector = '', requirements = [] } = selector;
  if (rawSelector !== '' && requirements.length > 0) {
    const problem = 'may not specified at the same time as requirements';
    errors.push(invalid(`${field}.rawSelector`, rawSelector, problem));
  }
  if (rawSelector === '' && requirements.length === 0) {
    const problem = `when ${field} is specified, requirements or rawSelector is required`;
    errors.push(required(`${field}.requirements`, problem));
  }
  for (const [i, { key = '', operator, values = [] }] of requirements.entries()) {
    const path = `${field}.requirements[${i}]`;
    if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
      errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
    if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
      const problem = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(forbidden(`${path}.values`, problem));
    }
    validateKey(key, values, path);
  }
}

/** Reviews have no name and nothing else of their own; `but`: what they may have all the same. */
export function validateEmptyMetadata(
  errors: FieldError[],
  metadata: ObjectMeta,
  problem: string,
  but: readonly (keyof ObjectMeta)[] = [],
): void {
  const allowed = new Set<string>(['managedFields', ...but]);
  if (Object.keys(metadata).every((field) => allowed.has(field))) return;
  const { name, generateName, namespace, ...rest } = metadata;
  // In Go's order, also where the namespace is the path's.
  const identity = Object.entries({ name, generateName, namespace }).filter(
    ([, value]) => value !== undefined,
  );
  errors.push(invalid('metadata', { ...Object.fromEntries(identity), ...rest }, problem));
}
