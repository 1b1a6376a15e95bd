/** Requests that the server makes of itself: in the name of one of its parts, past the HTTP layer. */
import type { RequestContext } from '../request.js';

/** `user`: as upstream names it, such as `system:apiserver`. `userAgent`: the program that would ask upstream. */
export function systemContext(
  user: string,
  groups: readonly string[],
  signal: AbortSignal,
  userAgent = 'kube-apiserver',
): RequestContext {
  return {
    userAgent,
    info: {
      isResourceRequest: true,
      path: '',
      verb: '',
      group: '',
      version: '',
      namespace: '',
      resource: '',
      subresource: '',
      name: '',
    },
    query: new URLSearchParams(),
    user: { username: user, uid: '', groups: [...groups, 'system:authenticated'], extra: {} },
    signal,
    warnings: [],
  };
}

const CONTROLLER_MANAGER = 'kube-controller-manager';

/** A controller acts as a service account of kube-system that has its name. */
export function controllerContext(name: string, signal: AbortSignal): RequestContext {
  const groups = ['system:serviceaccounts', 'system:serviceaccounts:kube-system'];
  return systemContext(`system:serviceaccount:kube-system:${name}`, groups, signal, CONTROLLER_MANAGER);
}
