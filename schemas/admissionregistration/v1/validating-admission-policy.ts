/** ValidatingAdmissionPolicy: expressions that requests must satisfy, where a binding says so. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { describe, int64, list, once, struct, text } from '../../fields.js';
import { keepAllButStatus, keepStatus, startWithoutStatus } from '../../meta/status.js';
import { condition, kubeObject } from '../../meta/v1.js';
import { SUBRESOURCE_VERBS } from '../../verbs.js';
import { registrationResource } from './resource.js';
import { matchConditions } from './match-conditions.js';
import { defaultMatchResources, matchResources } from './match-resources.js';
import { formatParamKind, paramKind } from './params.js';
import { PREFIX } from './rules.js';
import { staticSuffixWarnings } from './static-suffix.js';
import {
  specOf,
  validateValidatingPolicy,
  validateValidatingPolicyStatus,
} from './validating-admission-policy-validation.js';
import { variable } from './variables.js';
import { FAILURE_POLICIES } from './webhook-schema.js';

const DESCRIPTION = 'Expressions that requests must satisfy.';

const validation = once(() =>
  struct(
    `${PREFIX}.Validation`,
    {
      expression: text({ default: '', description: 'In CEL: false refuses the request.' }),
      message: text({ omitEmpty: true, description: 'What the client is told, in one line.' }),
      reason: text({ goType: 'v1.StatusReason', description: 'For programs; Invalid if absent.' }),
      messageExpression: text({ omitEmpty: true, description: 'Gives the message, and wins over it.' }),
    },
    { description: 'One expression.', required: ['expression'] },
  ),
);

const auditAnnotation = once(() =>
  struct(
    `${PREFIX}.AuditAnnotation`,
    {
      key: text({ default: '', description: "Behind the policy's name and a slash." }),
      valueExpression: text({ default: '', description: 'Gives a string, or null for none.' }),
    },
    { description: 'What is noted about a request.', required: ['key', 'valueExpression'] },
  ),
);

const spec = once(() =>
  struct(
    `${PREFIX}.ValidatingAdmissionPolicySpec`,
    {
      paramKind: describe(paramKind(), {
        description: 'The kind that parameters come from; none if absent.',
      }),
      matchConstraints: matchResources(),
      validations: list(validation(), { listType: 'atomic' }),
      failurePolicy: text({
        enum: FAILURE_POLICIES,
        goType: 'v1.FailurePolicyType',
        description: 'Whether an error of an expression refuses the request.',
      }),
      auditAnnotations: list(auditAnnotation(), { listType: 'atomic' }),
      matchConditions: matchConditions(),
      variables: list(variable(), {
        listType: 'map',
        listMapKeys: ['name'],
        patchStrategy: 'merge',
        patchMergeKey: 'name',
      }),
    },
    { description: 'What is asked of requests.' },
  ),
);

const status = once(() =>
  struct(
    `${PREFIX}.ValidatingAdmissionPolicyStatus`,
    {
      observedGeneration: int64({
        omitEmpty: true,
        description: 'metadata.generation that this was seen at.',
      }),
      typeChecking: struct(
        `${PREFIX}.TypeChecking`,
        {
          expressionWarnings: list(
            struct(
              `${PREFIX}.ExpressionWarning`,
              {
                fieldRef: text({ default: '', description: 'Path of the expression.' }),
                warning: text({ default: '' }),
              },
              { description: 'What is wrong with an expression.', required: ['fieldRef', 'warning'] },
            ),
            { listType: 'atomic' },
          ),
        },
        { description: 'What was found when expressions were held against the types of resources.' },
      ),
      conditions: list(condition(), { listType: 'map', listMapKeys: ['type'] }),
    },
    { description: 'How the policy was understood.' },
  ),
);

function defaults(object: KubeObject): void {
  const policy = specOf(object);
  policy.failurePolicy ??= 'Fail';
  defaultMatchResources(policy.matchConstraints);
}

const strategy: Strategy = {
  defaults,
  prepareForCreate: startWithoutStatus,
  prepareForUpdate: keepStatus,
  validateCreate: (object) => validateValidatingPolicy(object),
  validateUpdate: validateValidatingPolicy,
  warnings: staticSuffixWarnings,
};

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate: keepAllButStatus,
  validateUpdate: validateValidatingPolicyStatus,
};

export const validatingAdmissionPolicies: ResourceDefinition = {
  ...registrationResource,
  kind: 'ValidatingAdmissionPolicy',
  listKind: 'ValidatingAdmissionPolicyList',
  plural: 'validatingadmissionpolicies',
  singular: 'validatingadmissionpolicy',
  etcdPrefix: 'validatingadmissionpolicies',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${PREFIX}.ValidatingAdmissionPolicy`,
      {
        spec: describe(spec(), { default: {} }),
        status: describe(status(), { default: {} }),
      },
      { description: DESCRIPTION },
    ),
  ),
  strategy,
  subresources: [
    {
      name: 'status',
      verbs: SUBRESOURCE_VERBS,
      strategy: statusStrategy,
      resetFields: ['spec', 'metadata'],
    },
  ],
  columns: [
    nameColumn,
    column('Validations', 'How many expressions it has.', (o) => (specOf(o).validations ?? []).length, {
      type: 'integer',
    }),
    column('ParamKind', 'The kind of its parameters.', (o) => formatParamKind(specOf(o).paramKind)),
    ageColumn,
  ],
};
