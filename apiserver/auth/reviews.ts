/** Resources that are questions: creating one gives back the object with its answer, and nothing is stored. */
import { type AccessReviewSpec, accessReviewSpecOf } from '../../schemas/authorization/v1/access-review.js';
import type { KubeObject } from '../../schemas/definition.js';
import { badRequest } from '../errors.js';
import type { Answer } from '../registry/index.js';
import { timestamp } from '../registry/metadata.js';
import type { RequestInfo, UserInfo } from '../request.js';
import type { Authorizer } from './authorize.js';
import { tokenProblem } from './bearer-token.js';
import type { Authenticated, ServiceAccountTokens } from './service-account-tokens.js';
import { TokenError } from './token-error.js';

export interface ReviewOptions {
  readonly authorizer: Authorizer;
  readonly tokens: ServiceAccountTokens;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** By `group/plural`, as the registries take them. */
export function reviewAnswers({
  authorizer,
  tokens,
  now = Date.now,
}: ReviewOptions): ReadonlyMap<string, Answer> {
  const ofOthers: Answer = (_, review) => accessReview(authorizer, userOfSpec(review), review);
  return new Map<string, Answer>([
    ['authorization.k8s.io/subjectaccessreviews', ofOthers],
    ['authorization.k8s.io/localsubjectaccessreviews', ofOthers],
    [
      'authorization.k8s.io/selfsubjectaccessreviews',
      ({ user }, review) => accessReview(authorizer, user, review),
    ],
    [
      'authorization.k8s.io/selfsubjectrulesreviews',
      ({ user }, review) => rulesReview(authorizer, user, review),
    ],
    ['authentication.k8s.io/selfsubjectreviews', ({ user }, review) => subjectReview(user, review, now())],
    ['authentication.k8s.io/tokenreviews', (_, review) => tokenReview(tokens, review)],
  ]);
}

async function accessReview(authorizer: Authorizer, user: UserInfo, review: KubeObject): Promise<KubeObject> {
  const { allowed, reason } = await authorizer.authorize(user, requestOf(accessReviewSpecOf(review)));
  return { ...review, status: { allowed, ...(reason ? { reason } : {}) } };
}

/** The user that the review asks about. */
function userOfSpec(review: KubeObject): UserInfo {
  const { user = '', uid = '', groups = [], extra = {} } = accessReviewSpecOf(review);
  return { username: user, uid, groups, extra };
}

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
    version: resource?.version || '*',
    namespace: resource?.namespace ?? '',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    name: resource?.name ?? '',
  };
}

/** Of the review itself nothing comes back, as upstream has it. */
async function rulesReview(authorizer: Authorizer, user: UserInfo, review: KubeObject): Promise<KubeObject> {
  const { namespace } = (review['spec'] ?? {}) as { readonly namespace?: string };
  if (!namespace) throw badRequest('no namespace on request');
  const { evaluationError, ...rules } = await authorizer.rulesFor(user, namespace);
  const status = { ...rules, ...(evaluationError ? { evaluationError } : {}) };
  return { kind: review.kind, apiVersion: review.apiVersion, metadata: {}, spec: {}, status };
}

function subjectReview(user: UserInfo, review: KubeObject, now: number): KubeObject {
  const metadata = { creationTimestamp: timestamp(now) };
  return { kind: review.kind, apiVersion: review.apiVersion, metadata, status: { userInfo: shown(user) } };
}

/** As Go prints a user. */
const shown = ({ username, uid, groups, extra }: UserInfo) => ({
  ...(username === '' ? {} : { username }),
  ...(uid === '' ? {} : { uid }),
  ...(groups.length === 0 ? {} : { groups }),
  ...(Object.keys(extra).length === 0 ? {} : { extra }),
});

interface TokenReviewSpec {
  readonly token?: string;
  readonly audiences?: readonly string[];
}

async function tokenReview(tokens: ServiceAccountTokens, review: KubeObject): Promise<KubeObject> {
  const { token, audiences = [] } = (review['spec'] ?? {}) as TokenReviewSpec;
  if (!token) throw badRequest('token is required for TokenReview in authentication');
  let found: Authenticated | undefined;
  let reason: string | undefined;
  try {
    found = await tokens.authenticate(token, audiences.length > 0 ? audiences : undefined);
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    reason = error.message;
  }
  const status =
    found === undefined
      ? { user: {}, error: tokenProblem(reason) }
      : { authenticated: true, user: shown(found.user), audiences: found.audiences };
  return { ...review, status };
}
