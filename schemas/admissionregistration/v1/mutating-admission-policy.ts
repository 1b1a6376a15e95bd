/** MutatingAdmissionPolicy: expressions that change requests, where a binding says so. */
import { addAll } from '../../add-all.js';
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { describe, list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { registrationResource } from './resource.js';
import { matchConditions } from './match-conditions.js';
import { defaultMatchResources, matchResources } from './match-resources.js';
import { formatParamKind, paramKind } from './params.js';
import { type PolicySpec, validatePolicy } from './policy-validation.js';
import { PREFIX } from './rules.js';
import { staticSuffixWarnings } from './static-suffix.js';
import { variable } from './variables.js';
import { FAILURE_POLICIES, REINVOCATION_POLICIES } from './webhook-schema.js';

const DESCRIPTION = 'Expressions that change requests before they are stored.';
const PATCH_TYPES = ['ApplyConfiguration', 'JSONPatch'];

const mutation = once(() =>
  struct(
    `${PREFIX}.Mutation`,
    {
      patchType: text({ default: '', enum: PATCH_TYPES, goType: 'v1.PatchType' }),
      applyConfiguration: struct(
        `${PREFIX}.ApplyConfiguration`,
        {
          expression: text({
            omitEmpty: true,
            description: 'In CEL: gives an Object with what is to be set.',
          }),
        },
        { description: 'A change that is merged as server-side apply does.' },
      ),
      jsonPatch: struct(
        `${PREFIX}.JSONPatch`,
        {
          expression: text({ omitEmpty: true, description: 'In CEL: gives a list of JSONPatch operations.' }),
        },
        { description: 'A change as a JSON patch.' },
      ),
    },
    { description: 'One change, of the kind that patchType says.', required: ['patchType'] },
  ),
);

const spec = once(() =>
  struct(
    `${PREFIX}.MutatingAdmissionPolicySpec`,
    {
      paramKind: describe(paramKind(), {
        description: 'The kind that parameters come from; none if absent.',
      }),
      matchConstraints: matchResources(),
      variables: list(variable(), { listType: 'atomic' }),
      mutations: list(mutation(), { listType: 'atomic', description: 'One after the other.' }),
      failurePolicy: text({
        enum: FAILURE_POLICIES,
        goType: 'v1.FailurePolicyType',
        description: 'Whether an error of an expression refuses the request.',
      }),
      matchConditions: matchConditions(),
      reinvocationPolicy: text({
        omitEmpty: true,
        enum: REINVOCATION_POLICIES,
        goType: 'v1.ReinvocationPolicyType',
        description: 'Whether it is evaluated again when others changed the object after it.',
      }),
    },
    { description: 'What is done to requests.' },
  ),
);

interface Mutation {
  readonly patchType?: string;
  readonly applyConfiguration?: { readonly expression?: string };
  readonly jsonPatch?: { readonly expression?: string };
}
interface Spec extends PolicySpec {
  mutations?: readonly Mutation[];
  reinvocationPolicy?: string;
}
const specOf = (object: KubeObject): Spec => object['spec'] ?? {};

function validate(object: KubeObject, old?: KubeObject): FieldError[] {
  const { mutations = [], reinvocationPolicy = '', ...shared } = specOf(object);
  const errors = validatePolicy(shared, old && specOf(old), { mutates: true });
  if (mutations.length === 0) {
    errors.push(required('spec.mutations', 'mutations must contain at least one item'));
  }
  for (const [i, mutation] of mutations.entries()) {
    addAll(errors, validateMutation(mutation, `spec.mutations[${i}]`));
  }
  if (reinvocationPolicy === '') errors.push(required('spec.reinvocationPolicy'));
  else if (!REINVOCATION_POLICIES.includes(reinvocationPolicy)) {
    errors.push(notSupported('spec.reinvocationPolicy', reinvocationPolicy, REINVOCATION_POLICIES));
  }
  return errors;
}

function validateMutation(mutation: Mutation, path: string): FieldError[] {
  const { patchType = '' } = mutation;
  if (patchType === '') return [required(`${path}.patchType`)];
  if (!PATCH_TYPES.includes(patchType)) {
    return [notSupported(`${path}.patchType`, patchType, PATCH_TYPES)];
  }
  const [mine, other] =
    patchType === 'JSONPatch'
      ? (['jsonPatch', 'applyConfiguration'] as const)
      : (['applyConfiguration', 'jsonPatch'] as const);
  const errors: FieldError[] = [];
  const change = mutation[mine];
  if (change === undefined) {
    errors.push(required(`${path}.${mine}`, `must be specified when patchType is ${patchType}`));
  } else if ((change.expression ?? '').trim() === '') {
    errors.push(required(`${path}.${mine}.expression`));
  }
  if (mutation[other] !== undefined) {
    const problem = `must not be specified when patchType is ${patchType}`;
    errors.push(invalid(`${path}.${other}`, `{${other}}`, problem));
  }
  return errors;
}

const strategy: Strategy = {
  defaults(object) {
    const policy = specOf(object);
    policy.failurePolicy ??= 'Fail';
    defaultMatchResources(policy.matchConstraints);
  },
  validateCreate: (object) => validate(object),
  validateUpdate: validate,
  warnings: staticSuffixWarnings,
};

export const mutatingAdmissionPolicies: ResourceDefinition = {
  ...registrationResource,
  kind: 'MutatingAdmissionPolicy',
  listKind: 'MutatingAdmissionPolicyList',
  plural: 'mutatingadmissionpolicies',
  singular: 'mutatingadmissionpolicy',
  etcdPrefix: 'mutatingadmissionpolicies',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${PREFIX}.MutatingAdmissionPolicy`,
      { spec: describe(spec(), { default: {} }) },
      { description: DESCRIPTION },
    ),
  ),
  strategy,
  columns: [
    nameColumn,
    column('Mutations', 'How many changes it makes.', (o) => (specOf(o).mutations ?? []).length, {
      type: 'integer',
    }),
    column('ParamKind', 'The kind of its parameters.', (o) => formatParamKind(specOf(o).paramKind)),
    ageColumn,
  ],
  storageVersion: 'v1beta1',
};
