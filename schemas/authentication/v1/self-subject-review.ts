/** SelfSubjectReview: who am I? */
import { nameColumn } from '../../columns.js';
import type { ResourceDefinition } from '../../definition.js';
import { describe, once, struct } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { CREATE_ONLY } from '../../verbs.js';
import { userInfo } from './user-info.js';

const selfSubjectReviewStatus = once(() =>
  struct(
    'io.k8s.api.authentication.v1.SelfSubjectReviewStatus',
    { userInfo: describe(userInfo(), { default: {} }) },
    { description: 'The user who asked.' },
  ),
);

export const selfSubjectReviews: ResourceDefinition = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  listKind: 'SelfSubjectReviewList',
  plural: 'selfsubjectreviews',
  singular: 'selfsubjectreview',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: CREATE_ONLY,
  etcdPrefix: 'selfsubjectreviews',
  description: 'Asks who the current user is.',
  schema: once(() =>
    kubeObject(
      'io.k8s.api.authentication.v1.SelfSubjectReview',
      { status: describe(selfSubjectReviewStatus(), { default: {} }) },
      { description: 'Asks who the current user is.' },
    ),
  ),
  strategy: {},
  subresources: [],
  columns: [nameColumn],
  selectableFields: {},
  validateName: () => [],
  generation: false,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: false,
  virtual: true,
};
