/** Default roles and bindings that are there already: what they lack is added, what they have more is left. */
import type { KubeObject } from '../../schemas/definition.js';
import { deepEqual } from '../registry/deep-equal.js';
import { REPLACE } from './list.js';
import { uncoveredRules } from './rbac-covers.js';
import { AUTO_UPDATE, type PolicyRule } from './rbac-rules.js';
import type { Subject } from './rbac-subjects.js';

interface Role {
  readonly rules?: readonly PolicyRule[] | null;
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly object[] };
}

/** Whoever says `false` keeps what is there. */
const isProtected = ({ metadata }: KubeObject): boolean => metadata.annotations?.[AUTO_UPDATE] === 'false';

/** Labels and annotations of both, those that are there first. */
function mergedMetadata(present: KubeObject, wanted: KubeObject): KubeObject['metadata'] {
  const { labels, annotations } = present.metadata;
  return {
    ...present.metadata,
    labels: { ...wanted.metadata.labels, ...labels },
    annotations: { ...wanted.metadata.annotations, ...annotations },
  };
}

function changed(present: KubeObject, wanted: KubeObject, fields: object): KubeObject | undefined {
  const next = { ...present, metadata: mergedMetadata(present, wanted), ...fields };
  return deepEqual(next, present) ? undefined : next;
}

export function reconcileRole(present: KubeObject, wanted: KubeObject): KubeObject | undefined {
  if (isProtected(present)) return undefined;
  const { rules: there, aggregationRule } = present as Role;
  const { rules, aggregationRule: aggregation } = wanted as Role;
  if (aggregation !== undefined) {
    // Its rules are those of others.
    const selectors = aggregationRule?.clusterRoleSelectors ?? [];
    const missing = (aggregation.clusterRoleSelectors ?? []).filter(
      (selector) => !selectors.some((each) => deepEqual(each, selector)),
    );
    const clusterRoleSelectors = [...selectors, ...missing];
    return changed(
      present,
      wanted,
      missing.length === 0 ? {} : { aggregationRule: { ...aggregationRule, clusterRoleSelectors } },
    );
  }
  const missing = uncoveredRules(there ?? [], rules ?? []);
  return changed(present, wanted, missing.length === 0 ? {} : { rules: [...(there ?? []), ...missing] });
}

/** The role of a binding never changes, so one of another role makes way. */
export function reconcileBinding(
  present: KubeObject,
  wanted: KubeObject,
): KubeObject | typeof REPLACE | undefined {
  if (isProtected(present)) return undefined;
  if (!deepEqual(present['roleRef'], wanted['roleRef'])) return REPLACE;
  const subjects = (present['subjects'] ?? []) as readonly Subject[];
  const missing = ((wanted['subjects'] ?? []) as readonly Subject[]).filter(
    (subject) => !subjects.some((each) => deepEqual(each, subject)),
  );
  return changed(present, wanted, missing.length === 0 ? {} : { subjects: [...subjects, ...missing] });
}
