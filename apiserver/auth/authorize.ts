/** Whether a user may do what is asked, and all that one may do. */
import { forbidden, StatusError } from '../errors.js';
import type { RequestInfo, UserInfo } from '../request.js';

export interface Decision {
  readonly allowed: boolean;
  /** Why, for the user to read. */
  readonly reason?: string;
}

/** Verbs allowed on resources. `*` stands for all; no `resourceNames`: all names. */
export interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** Verbs allowed on paths that are no resources; a path may end with `*`. */
export interface NonResourceRule {
  readonly verbs: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

export interface Rules {
  readonly resourceRules: readonly ResourceRule[];
  readonly nonResourceRules: readonly NonResourceRule[];
  /** There may be more than is listed. */
  readonly incomplete: boolean;
  readonly evaluationError?: string;
}

export interface Authorizer {
  authorize(user: UserInfo, request: RequestInfo): Decision | Promise<Decision>;
  /** What the user may do in a namespace, for people to read: `authorize` decides by itself. */
  rulesFor(user: UserInfo, namespace: string): Rules | Promise<Rules>;
}

const yes: Decision = { allowed: true };

/** What upstream's own roles give an administrator: the basic user, discovery, the administrator, public information. */
const administratorRules: Rules = {
  resourceRules: [
    {
      verbs: ['create'],
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
    },
    { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  ],
  nonResourceRules: [
    {
      verbs: ['get'],
      nonResourceURLs: [
        '/api',
        '/api/*',
        '/apis',
        '/apis/*',
        '/healthz',
        '/livez',
        '/openapi',
        '/openapi/*',
        '/readyz',
        '/version',
        '/version/',
      ],
    },
    { verbs: ['*'], nonResourceURLs: ['*'] },
    { verbs: ['get'], nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/version/'] },
  ],
  incomplete: false,
};

/** Every user that is known at all is an administrator, until there are rules. */
export const allowAll: Authorizer = {
  authorize: () => yes,
  rulesFor: () => administratorRules,
};

/** What a user is told who may not. `reason`: the authorizer's. */
export function forbiddenRequest(info: RequestInfo, user: UserInfo, reason = ''): StatusError {
  const because = reason === '' ? '' : `: ${reason}`;
  if (!info.isResourceRequest) {
    const what = `User "${user.username}" cannot ${info.verb} path "${info.path}"${because}`;
    return new StatusError(403, 'Forbidden', `forbidden: ${what}`, {});
  }
  const { resource, subresource, group, namespace, verb, name } = info;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  const what = `User "${user.username}" cannot ${verb} resource "${full}" in API group "${group}" ${where}${because}`;
  return forbidden({ group, name: resource }, name, what);
}
