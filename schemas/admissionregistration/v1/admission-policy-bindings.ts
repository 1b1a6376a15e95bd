/** ValidatingAdmissionPolicyBinding and MutatingAdmissionPolicyBinding: where a policy holds, and with which parameters. */
import type * as z from 'zod';
import { addAll } from '../../add-all.js';
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { duplicate, type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { describe, list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { invalidEach } from '../../validation/metadata.js';
import { dns1123Subdomain } from '../../validation/names.js';
import { registrationResource } from './resource.js';
import {
  defaultMatchResources,
  type MatchResources,
  matchResources,
  validateMatchResources,
  validateMutable,
} from './match-resources.js';
import { formatParamRef, type ParamRef, paramRef, validateParamRef } from './params.js';
import { PREFIX } from './rules.js';
import { staticSuffixWarnings } from './static-suffix.js';

const ACTIONS = ['Audit', 'Deny', 'Warn'];

interface Spec {
  readonly policyName?: string;
  readonly paramRef?: ParamRef;
  readonly matchResources?: MatchResources;
  readonly validationActions?: readonly string[];
}
const specOf = (object: KubeObject): Spec => object['spec'] ?? {};

const parameters = () => describe(paramRef(), { description: 'Parameters, if the policy has any.' });
const where = () => describe(matchResources(), { description: 'Narrows what the policy is about.' });

function validate({ policyName = '', paramRef: ref, matchResources: resources }: Spec): FieldError[] {
  const errors: FieldError[] = [];
  if (policyName === '') errors.push(required('spec.policyName'));
  else invalidEach(errors, 'spec.policyName', policyName, dns1123Subdomain(policyName));
  addAll(errors, validateParamRef(ref, 'spec.paramRef'));
  if (resources) addAll(errors, validateMatchResources(resources, 'spec.matchResources'));
  return errors;
}

function validateActions(actions: readonly string[]): FieldError[] {
  const field = 'spec.validationActions';
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, action] of actions.entries()) {
    if (!ACTIONS.includes(action)) errors.push(notSupported(`${field}[${i}]`, action, ACTIONS));
    if (seen.has(action)) errors.push(duplicate(`${field}[${i}]`, action));
    seen.add(action);
  }
  if (seen.has('Deny') && seen.has('Warn')) {
    const problem =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(invalid(field, actions, problem));
  }
  if (seen.size === 0) errors.push(required(field, 'at least one validation action is required'));
  return errors;
}

interface Flavour {
  readonly kind: string;
  readonly description: string;
  readonly schema: () => z.ZodType;
  readonly validate: (spec: Spec) => FieldError[];
}

function bindings({ kind, description, schema, validate }: Flavour): ResourceDefinition {
  const singular = kind.toLowerCase();
  const strategy: Strategy = {
    defaults: (object) => defaultMatchResources(specOf(object).matchResources),
    validate: (object) => validate(specOf(object)),
    warnings: staticSuffixWarnings,
  };
  return {
    ...registrationResource,
    kind,
    listKind: `${kind}List`,
    plural: `${singular}s`,
    singular,
    etcdPrefix: `${singular}s`,
    description,
    schema: once(schema),
    strategy,
    columns: [
      nameColumn,
      column('PolicyName', 'The policy that it is about.', (o) => specOf(o).policyName ?? ''),
      column('ParamRef', 'Where parameters come from.', (o) => formatParamRef(specOf(o).paramRef)),
      ageColumn,
    ],
  };
}

const VALIDATING = 'Where a validating policy holds, and what its refusals do.';
const MUTATING = 'Where a mutating policy holds.';

export const validatingAdmissionPolicyBindings = bindings({
  kind: 'ValidatingAdmissionPolicyBinding',
  description: VALIDATING,
  schema: () =>
    kubeObject(
      `${PREFIX}.ValidatingAdmissionPolicyBinding`,
      {
        spec: describe(
          struct(
            `${PREFIX}.ValidatingAdmissionPolicyBindingSpec`,
            {
              policyName: text({ omitEmpty: true }),
              paramRef: parameters(),
              matchResources: where(),
              validationActions: list(text({ enum: ACTIONS, goType: 'v1.ValidationAction' }), {
                listType: 'set',
                description: 'Whether what the policy refuses is refused, warned of or noted.',
              }),
            },
            {
              description: 'A policy, its parameters and its reach.',
              required: ['policyName', 'validationActions'],
            },
          ),
          { default: {} },
        ),
      },
      { description: VALIDATING, required: ['spec'] },
    ),
  validate: (spec) => [...validate(spec), ...validateActions(spec.validationActions ?? [])],
});

export const mutatingAdmissionPolicyBindings: ResourceDefinition = {
  ...bindings({
    kind: 'MutatingAdmissionPolicyBinding',
    description: MUTATING,
    schema: () =>
      kubeObject(
        `${PREFIX}.MutatingAdmissionPolicyBinding`,
        {
          spec: describe(
            struct(
              `${PREFIX}.MutatingAdmissionPolicyBindingSpec`,
              { policyName: text({ omitEmpty: true }), paramRef: parameters(), matchResources: where() },
              { description: 'A policy, its parameters and its reach.' },
            ),
            { default: {} },
          ),
        },
        { description: MUTATING },
      ),
    validate: (spec) => [...validate(spec), ...validateMutable(spec.matchResources, 'spec.matchResources')],
  }),
  storageVersion: 'v1beta1',
};
