/** What roles allow. */
import { addAll } from '../../add-all.js';
import { type FieldError, invalid, required } from '../../field-error.js';
import { describe, list, once, struct, text } from '../../fields.js';
import type { ResourceDefinition } from '../../definition.js';
import { labelSelector } from '../../meta/v1.js';
import { validateLabelSelector } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import type { LabelSelector } from '../../validation/selectors.js';

export const RBAC = 'io.k8s.api.rbac.v1';
export const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** What the definitions of the group have in common. */
export const rbacResource = {
  group: RBAC_GROUP,
  version: 'v1',
  shortNames: [],
  categories: [],
  verbs: STANDARD_VERBS,
  subresources: [],
  selectableFields: {},
  validateName: nameIs.pathSegment,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: true,
} as const satisfies Partial<ResourceDefinition>;

const strings = (description: string, printsNull = false) =>
  list(text(), { listType: 'atomic', description, ...(printsNull ? { printsNull } : {}) });

const policyRule = once(() =>
  struct(
    `${RBAC}.PolicyRule`,
    {
      verbs: strings('What may be done; * is everything.', true),
      apiGroups: strings('Groups of the resources; "" is the core group, * is all.'),
      resources: strings('Plurals, or plural/subresource; * is all.'),
      resourceNames: strings('The only names that are meant; absent for all.'),
      nonResourceURLs: strings(
        'Paths that are no resources, * at the end matches the rest. ClusterRoles only.',
      ),
    },
    { description: 'Verbs on resources or on paths.', required: ['verbs'] },
  ),
);

export const policyRules = once(() =>
  list(policyRule(), { listType: 'atomic', printsNull: true, description: 'What the role allows.' }),
);

export const aggregationRule = once(() =>
  struct(
    `${RBAC}.AggregationRule`,
    {
      clusterRoleSelectors: list(labelSelector(), {
        listType: 'atomic',
        description: 'Labels of the roles whose rules are taken.',
      }),
    },
    { description: 'Other roles that this one is made of.' },
  ),
);

export const describedAggregationRule = once(() =>
  describe(aggregationRule(), { description: 'Makes the rules out of those of other roles.' }),
);

interface PolicyRule {
  readonly verbs?: readonly string[] | null;
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}
interface Rules {
  readonly rules?: readonly PolicyRule[] | null;
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] };
}

const isEmpty = (values: readonly string[] | null | undefined) => (values ?? []).length === 0;

function validateRule(rule: PolicyRule, namespaced: boolean, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
  if (isEmpty(verbs)) errors.push(required(`${path}.verbs`, 'verbs must contain at least one value'));
  if (!isEmpty(nonResourceURLs)) {
    const refuse = (why: string) => errors.push(invalid(`${path}.nonResourceURLs`, nonResourceURLs, why));
    if (namespaced) refuse('namespaced rules cannot apply to non-resource URLs');
    if (!isEmpty(apiGroups) || !isEmpty(resources) || !isEmpty(resourceNames)) {
      refuse('rules cannot apply to both regular resources and non-resource URLs');
    }
    return errors;
  }
  if (isEmpty(apiGroups)) {
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  }
  if (isEmpty(resources)) {
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
  }
  return errors;
}

export function validateRules(role: object, namespaced: boolean): FieldError[] {
  const { rules, aggregationRule } = role as Rules;
  const errors = (rules ?? []).flatMap((rule, i) => validateRule(rule, namespaced, `rules[${i}]`));
  if (aggregationRule === undefined) return errors;
  const path = 'aggregationRule.clusterRoleSelectors';
  const { clusterRoleSelectors: selectors = [] } = aggregationRule;
  if (selectors.length === 0) {
    errors.push(required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
  }
  for (const [i, selector] of selectors.entries()) {
    const problems = validateLabelSelector(selector, `${path}[${i}]`);
    addAll(errors, problems);
    // Upstream shows what the selector was parsed to, which is nothing.
    if (problems.length > 0) errors.push(invalid(`${path}[${i}]`, undefined, 'invalid label selector.'));
  }
  return errors;
}
