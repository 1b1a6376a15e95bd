/** SelfSubjectRulesReview: what may the user who asks do in a namespace? */
import { nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { bool, describe, list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { CREATE_ONLY } from '../../verbs.js';

const selfSubjectRulesReviewSpec = once(() =>
  struct(
    'io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec',
    { namespace: text({ omitEmpty: true }) },
    { description: 'The namespace in question.' },
  ),
);

const resourceRule = once(() =>
  struct(
    'io.k8s.api.authorization.v1.ResourceRule',
    {
      verbs: list(text(), { listType: 'atomic' }),
      apiGroups: list(text(), { listType: 'atomic' }),
      resources: list(text(), { listType: 'atomic' }),
      resourceNames: list(text(), { listType: 'atomic', description: 'Absent for all names.' }),
    },
    { description: 'Verbs allowed on resources.', required: ['verbs'] },
  ),
);

const nonResourceRule = once(() =>
  struct(
    'io.k8s.api.authorization.v1.NonResourceRule',
    {
      verbs: list(text(), { listType: 'atomic' }),
      nonResourceURLs: list(text(), { listType: 'atomic' }),
    },
    { description: 'Verbs allowed on paths.', required: ['verbs'] },
  ),
);

const subjectRulesReviewStatus = once(() =>
  struct(
    'io.k8s.api.authorization.v1.SubjectRulesReviewStatus',
    {
      resourceRules: list(resourceRule(), { listType: 'atomic' }),
      nonResourceRules: list(nonResourceRule(), { listType: 'atomic' }),
      incomplete: bool({ default: false, description: 'There may be more than is listed.' }),
      evaluationError: text({ omitEmpty: true }),
    },
    { description: 'What is allowed.', required: ['resourceRules', 'nonResourceRules', 'incomplete'] },
  ),
);

const strategy: Strategy = {
  prepareForCreate(review: KubeObject) {
    review['status'] = { resourceRules: [], nonResourceRules: [], incomplete: false };
  },
};

export const selfSubjectRulesReviews: ResourceDefinition = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  listKind: 'SelfSubjectRulesReviewList',
  plural: 'selfsubjectrulesreviews',
  singular: 'selfsubjectrulesreview',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: CREATE_ONLY,
  etcdPrefix: 'selfsubjectrulesreviews',
  description: 'Asks what the current user may do in a namespace.',
  schema: once(() =>
    kubeObject(
      'io.k8s.api.authorization.v1.SelfSubjectRulesReview',
      {
        spec: describe(selfSubjectRulesReviewSpec(), { default: {} }),
        status: describe(subjectRulesReviewStatus(), { default: {} }),
      },
      { description: 'Asks what the current user may do in a namespace.', required: ['spec'] },
    ),
  ),
  strategy,
  subresources: [],
  columns: [nameColumn],
  selectableFields: {},
  validateName: () => [],
  generation: false,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: false,
  virtual: true,
};
