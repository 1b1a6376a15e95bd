/** SubjectAccessReview and LocalSubjectAccessReview: may somebody do this, anywhere or in one namespace? */
import { nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, invalid } from '../../field-error.js';
import { describe, list, map, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { CREATE_ONLY } from '../../verbs.js';
import {
  accessReviewSpecOf,
  shownPath,
  subjectAccessReviewStatus,
  validateAttributes,
  validateEmptyMetadata,
  validateSelectors,
} from './access-review.js';
import { nonResourceAttributes, resourceAttributes } from './attributes.js';

const subjectAccessReviewSpec = once(() =>
  struct(
    'io.k8s.api.authorization.v1.SubjectAccessReviewSpec',
    {
      resourceAttributes: resourceAttributes(),
      nonResourceAttributes: nonResourceAttributes(),
      user: text({ omitEmpty: true }),
      groups: list(text(), { listType: 'atomic' }),
      extra: map(list(text()), { description: 'What else the authenticator knows of the user.' }),
      uid: text({ omitEmpty: true }),
    },
    { description: 'Who wants to do what.' },
  ),
);

function validateSpec(review: KubeObject): FieldError[] {
  const spec = accessReviewSpecOf(review);
  const errors: FieldError[] = [];
  validateAttributes(errors, spec);
  if (!spec.user && (spec.groups ?? []).length === 0) {
    errors.push(invalid('spec.user', '', 'at least one of user or group must be specified'));
  }
  validateSelectors(errors, spec);
  return errors;
}

const strategy: Strategy = {
  validate(review) {
    const errors = validateSpec(review);
    validateEmptyMetadata(errors, review.metadata, 'must be empty');
    return errors;
  },
};

const localStrategy: Strategy = {
  validate(review) {
    const { metadata } = review;
    const { resourceAttributes: resource, nonResourceAttributes: path } = accessReviewSpecOf(review);
    const errors = validateSpec(review);
    validateEmptyMetadata(errors, metadata, 'must be empty except for namespace', ['namespace']);
    if (resource !== undefined && (resource.namespace ?? '') !== (metadata.namespace ?? '')) {
      const field = 'spec.resourceAttributes.namespace';
      errors.push(invalid(field, resource.namespace ?? '', 'must match metadata.namespace'));
    }
    if (path !== undefined) {
      const problem = 'disallowed on this kind of request';
      errors.push(invalid('spec.nonResourceAttributes', shownPath(path), problem));
    }
    return errors;
  },
};

function accessReviews(
  kind: string,
  plural: string,
  { namespaced, description }: { readonly namespaced: boolean; readonly description: string },
): ResourceDefinition {
  return {
    group: 'authorization.k8s.io',
    version: 'v1',
    kind,
    listKind: `${kind}List`,
    plural,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced,
    verbs: CREATE_ONLY,
    etcdPrefix: plural,
    description,
    schema: once(() =>
      kubeObject(
        `io.k8s.api.authorization.v1.${kind}`,
        {
          spec: describe(subjectAccessReviewSpec(), { default: {} }),
          status: describe(subjectAccessReviewStatus(), { default: {} }),
        },
        { description, required: ['spec'] },
      ),
    ),
    strategy: namespaced ? localStrategy : strategy,
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
}

export const subjectAccessReviews = accessReviews('SubjectAccessReview', 'subjectaccessreviews', {
  namespaced: false,
  description: 'Asks whether a user may do something.',
});

export const localSubjectAccessReviews = accessReviews(
  'LocalSubjectAccessReview',
  'localsubjectaccessreviews',
  { namespaced: true, description: 'Asks whether a user may do something in a namespace.' },
);
