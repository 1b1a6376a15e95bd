/** TokenReview: whose is this token? Asked by servers that take the tokens of this one. */
import { nameColumn } from '../../columns.js';
import type { ResourceDefinition } from '../../definition.js';
import { bool, describe, list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { CREATE_ONLY } from '../../verbs.js';
import { userInfo } from './user-info.js';

const tokenReviewSpec = once(() =>
  struct(
    'io.k8s.api.authentication.v1.TokenReviewSpec',
    {
      token: text({ omitEmpty: true }),
      audiences: list(text(), {
        listType: 'atomic',
        description: 'Who asks: the token must be meant for one of these. By default the API server.',
      }),
    },
    { description: 'The token in question.', required: ['token'] },
  ),
);

const tokenReviewStatus = once(() =>
  struct(
    'io.k8s.api.authentication.v1.TokenReviewStatus',
    {
      authenticated: bool({ omitEmpty: true }),
      user: describe(userInfo(), { default: {}, description: 'Whose token it is.' }),
      audiences: list(text(), {
        listType: 'atomic',
        description: 'Those who asked that the token is meant for.',
      }),
      error: text({ omitEmpty: true, description: 'Why the token is not good.' }),
    },
    { description: 'The answer.' },
  ),
);

const DESCRIPTION = 'Asks whose a token is.';

export const tokenReviews: ResourceDefinition = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  listKind: 'TokenReviewList',
  plural: 'tokenreviews',
  singular: 'tokenreview',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: CREATE_ONLY,
  etcdPrefix: 'tokenreviews',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      'io.k8s.api.authentication.v1.TokenReview',
      {
        spec: describe(tokenReviewSpec(), { default: {} }),
        status: describe(tokenReviewStatus(), { default: {} }),
      },
      { description: DESCRIPTION, required: ['spec'] },
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
