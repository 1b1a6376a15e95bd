/** The short form that the default roles are written in, and what they all carry. */
import { RBAC_GROUP } from '../../schemas/rbac/v1/rules.js';
import type { KubeObject, ObjectMeta } from '../../schemas/definition.js';

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** Rules by the name of their role. */
export type RolesByName = Readonly<Record<string, readonly PolicyRule[]>>;

export const READ = 'get list watch';
export const WRITE = 'create delete deletecollection patch update';
export const READ_WRITE = 'create delete deletecollection get list patch update watch';
/** The core group, whose own name is empty. */
export const CORE = 'core';
const EVENTS = 'events.k8s.io';

const words = (text: string): string[] => text.split(' ');

/** Verbs, groups and resources are words with blanks between. */
export const on = (
  verbs: string,
  groups: string,
  resources: string,
  resourceNames?: readonly string[],
): PolicyRule => ({
  verbs: words(verbs),
  apiGroups: words(groups).map((group) => (group === CORE ? '' : group)),
  resources: words(resources),
  ...(resourceNames && { resourceNames }),
});

/** Paths that are no resources, as words. */
export const onPaths = (verbs: string, paths: string): PolicyRule => ({
  verbs: words(verbs),
  nonResourceURLs: words(paths),
});

/** Writes events, of both groups. */
export const recordsEvents = on('create patch update', `${CORE} ${EVENTS}`, 'events');

export const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate';

/** A default object of the group, in its kind and with what all of them carry. */
export const rbacObject = (
  kind: string,
  { labels, ...metadata }: Pick<ObjectMeta, 'name' | 'namespace' | 'labels'>,
  fields: object,
): KubeObject => ({
  kind,
  apiVersion: `${RBAC_GROUP}/v1`,
  metadata: {
    ...metadata,
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
    annotations: { [AUTO_UPDATE]: 'true' },
  },
  ...fields,
});
