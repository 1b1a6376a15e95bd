/** Resources that are questions: creating one gives back the object with its answer, and nothing is stored. */
import type { RequestInfo } from '../request.js';
import type { Answer } from '../registry/index.js';
import type { Authorize } from './authorize.js';

/** By `group/plural`, as the registries take them. */
export function reviewAnswers(authorize: Authorize): ReadonlyMap<string, Answer> {
  return new Map<string, Answer>([
    ['authorization.k8s.io/selfsubjectaccessreviews', accessReview(authorize)],
    ['authorization.k8s.io/selfsubjectrulesreviews', rulesReview],
    ['authentication.k8s.io/selfsubjectreviews', subjectReview],
  ]);
}

interface AccessReviewSpec {
  readonly resourceAttributes?: Readonly<
    Partial<Record<'namespace' | 'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'name', string>>
  >;
  readonly nonResourceAttributes?: Readonly<Partial<Record<'path' | 'verb', string>>>;
}

const accessReview =
  (authorize: Authorize): Answer =>
  async (context, review) => {
    const { allowed, reason } = await authorize(context.user, requestOf(review['spec'] as AccessReviewSpec));
    return { ...review, status: { allowed, ...(reason === undefined ? {} : { reason }) } };
  };

/** The request that the review asks about. */
function requestOf({
  resourceAttributes: resource,
  nonResourceAttributes: other,
}: AccessReviewSpec): RequestInfo {
  return {
    isResourceRequest: resource !== undefined,
    path: other?.path ?? '',
    verb: resource?.verb ?? other?.verb ?? '',
    group: resource?.group ?? '',
    version: resource?.version ?? '',
    namespace: resource?.namespace ?? '',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    name: resource?.name ?? '',
  };
}

/** True of everyone as long as everyone is an administrator. */
const rulesReview: Answer = (_context, review) => ({
  ...review,
  spec: {},
  status: {
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    incomplete: false,
  },
});

const subjectReview: Answer = ({ user }, review) => ({
  ...review,
  status: {
    userInfo: {
      username: user.username,
      ...(user.uid === '' ? {} : { uid: user.uid }),
      groups: [...user.groups],
      ...(Object.keys(user.extra).length === 0 ? {} : { extra: { ...user.extra } }),
    },
  },
});
