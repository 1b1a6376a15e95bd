/** Rules that policies have in common. Expressions are not compiled: there is no CEL here yet. */
import { addAll } from '../../add-all.js';
import { type FieldError, notSupported, required } from '../../field-error.js';
import { type MatchCondition, validateMatchConditions } from './match-conditions.js';
import { type MatchResources, validateMatchConstraints, validateMutable } from './match-resources.js';
import { type ParamKind, validateParamKind } from './params.js';
import { validateVariable, type Variable } from './variables.js';
import { FAILURE_POLICIES } from './webhook-schema.js';

export interface PolicySpec {
  paramKind?: ParamKind;
  matchConstraints?: MatchResources;
  failurePolicy?: string;
  matchConditions?: readonly MatchCondition[];
  variables?: readonly Variable[];
}

/** `old`: conditions that were stored are not looked at again while nothing about them changes. */
export function validatePolicy(
  spec: PolicySpec,
  old: PolicySpec | undefined,
  { mutates }: { readonly mutates: boolean },
): FieldError[] {
  const { paramKind, failurePolicy, matchConstraints } = spec;
  const errors: FieldError[] = [];
  if (failurePolicy === undefined) errors.push(required('spec.failurePolicy'));
  else if (!FAILURE_POLICIES.includes(failurePolicy)) {
    errors.push(notSupported('spec.failurePolicy', failurePolicy, FAILURE_POLICIES));
  }
  if (paramKind !== undefined) addAll(errors, validateParamKind(paramKind, 'spec.paramKind'));
  addAll(errors, validateMatchConstraints(matchConstraints, 'spec.matchConstraints'));
  if (mutates) addAll(errors, validateMutable(matchConstraints, 'spec.matchConstraints'));
  if (old === undefined || conditionsOf(spec) !== conditionsOf(old)) {
    addAll(errors, validateMatchConditions(spec.matchConditions, 'spec.matchConditions'));
  }
  for (const [i, variable] of (spec.variables ?? []).entries()) {
    addAll(errors, validateVariable(variable, `spec.variables[${i}]`));
  }
  return errors;
}

const conditionsOf = ({ paramKind, matchConditions }: PolicySpec): string =>
  JSON.stringify([paramKind, matchConditions]);
