/** SelfSubjectAccessReview: may the user who asks do this? */
import { nameColumn } from '../../columns.js';
import type { ResourceDefinition, Strategy } from '../../definition.js';
import type { FieldError } from '../../field-error.js';
import { describe, once, struct } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { CREATE_ONLY } from '../../verbs.js';
import {
  accessReviewSpecOf,
  subjectAccessReviewStatus,
  validateAttributes,
  validateEmptyMetadata,
  validateSelectors,
} from './access-review.js';
import { nonResourceAttributes, resourceAttributes } from './attributes.js';

const selfSubjectAccessReviewSpec = once(() =>
  struct(
    'io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec',
    { resourceAttributes: resourceAttributes(), nonResourceAttributes: nonResourceAttributes() },
    { description: 'The request in question: exactly one of the two.' },
  ),
);

const strategy: Strategy = {
  validate(review) {
    const spec = accessReviewSpecOf(review);
    const errors: FieldError[] = [];
    validateAttributes(errors, spec);
    validateSelectors(errors, spec);
    validateEmptyMetadata(errors, review.metadata, 'must be empty');
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
