/** SelfSubjectAccessReview: may the user who asks do this? */
import { nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, invalid } from '../../field-error.js';
import { bool, describe, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { CREATE_ONLY } from '../../verbs.js';
import { nonResourceAttributes, resourceAttributes } from './attributes.js';

const selfSubjectAccessReviewSpec = once(() =>
  struct(
    'io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec',
    { resourceAttributes: resourceAttributes(), nonResourceAttributes: nonResourceAttributes() },
    { description: 'The request in question: exactly one of the two.' },
  ),
);

const subjectAccessReviewStatus = once(() =>
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

interface Spec {
  readonly resourceAttributes?: Record<string, unknown>;
  readonly nonResourceAttributes?: Record<string, unknown>;
}

const EXACTLY_ONE = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';

const strategy: Strategy = {
  validate(review: KubeObject): FieldError[] {
    const spec = (review['spec'] ?? {}) as Spec;
    const errors: FieldError[] = [];
    if (spec.resourceAttributes !== undefined && spec.nonResourceAttributes !== undefined) {
      const problem = 'cannot be specified in combination with resourceAttributes';
      errors.push(invalid('spec.nonResourceAttributes', spec.nonResourceAttributes, problem));
    }
    if (spec.resourceAttributes === undefined && spec.nonResourceAttributes === undefined) {
      errors.push(invalid('spec.resourceAttributes', undefined, EXACTLY_ONE));
    }
    const { managedFields: _, ...metadata } = review.metadata;
    if (Object.keys(metadata).length > 0) errors.push(invalid('metadata', review.metadata, 'must be empty'));
    return errors;
  },
};

export const selfSubjectAccessReviews: ResourceDefinition = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  listKind: 'SelfSubjectAccessReviewList',
  plural: 'selfsubjectaccessreviews',
  singular: 'selfsubjectaccessreview',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: CREATE_ONLY,
  etcdPrefix: 'selfsubjectaccessreviews',
  description: 'Asks whether the current user may do something.',
  schema: once(() =>
    kubeObject(
      'io.k8s.api.authorization.v1.SelfSubjectAccessReview',
      {
        spec: describe(selfSubjectAccessReviewSpec(), { default: {} }),
        status: describe(subjectAccessReviewStatus(), { default: {} }),
      },
      { description: 'Asks whether the current user may do something.', required: ['spec'] },
    ),
  ),
  strategy,
  subresources: [],
  columns: [nameColumn],
  selectableFields: {},
  validateName: () => [],
  errorKind: '',
  generation: false,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: false,
  virtual: true,
};
