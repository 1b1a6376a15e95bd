/** Objects that a policy reads its parameters from: their kind, and which of them a binding means. */
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { describe, once, struct, text } from '../../fields.js';
import { labelSelector } from '../../meta/v1.js';
import { invalidEach, validateLabelSelector } from '../../validation/metadata.js';
import { dns1035Label, dns1123Subdomain, nameIs } from '../../validation/names.js';
import { type LabelSelector, sortedByKey } from '../../validation/selectors.js';
import { PREFIX } from './rules.js';

const NOT_FOUND_ACTIONS = ['Deny', 'Allow'];
const EXCLUSIVE = 'name and selector are mutually exclusive';

export const paramKind = once(() =>
  struct(
    `${PREFIX}.ParamKind`,
    { apiVersion: text({ omitEmpty: true }), kind: text({ omitEmpty: true }) },
    { description: 'The kind of the objects that hold parameters.', mapType: 'atomic' },
  ),
);

export const paramRef = once(() =>
  struct(
    `${PREFIX}.ParamRef`,
    {
      name: text({ omitEmpty: true }),
      namespace: text({
        omitEmpty: true,
        description: "Where they are, of a namespaced kind; the request's namespace if absent.",
      }),
      selector: describe(labelSelector(), { description: 'All objects like this; in place of a name.' }),
      parameterNotFoundAction: text({
        goType: 'v1.ParameterNotFoundActionType',
        description: 'Allow or Deny.',
      }),
    },
    { description: 'The objects that hold parameters.', mapType: 'atomic' },
  ),
);

export interface ParamKind {
  readonly apiVersion?: string;
  readonly kind?: string;
}
export interface ParamRef {
  readonly name?: string;
  readonly namespace?: string;
  readonly selector?: LabelSelector;
  readonly parameterNotFoundAction?: string;
}

/** As tables show it. */
export const formatParamKind = (kind: ParamKind | undefined): string =>
  kind === undefined ? '<unset>' : `${kind.apiVersion ?? ''}/${kind.kind ?? ''}`;

export function formatParamRef(ref: ParamRef | undefined): string {
  const { name = '', namespace = '', selector } = ref ?? {};
  // Whether the kind has namespaces cannot be seen from here.
  if (name !== '') return `${namespace === '' ? '*' : namespace}/${name}`;
  return selector === undefined ? '<unset>' : printSelector(selector);
}

/** As Go prints the struct. */
function printSelector({ matchLabels, matchExpressions = [] }: LabelSelector): string {
  const labels = Object.entries(sortedByKey(matchLabels) ?? {}).map(([key, value]) => `${key}: ${value},`);
  const expressions = matchExpressions.map(
    ({ key = '', operator = '', values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`;
}

export function validateParamKind({ apiVersion = '', kind = '' }: ParamKind, field: string): FieldError[] {
  const errors = validateApiVersion(apiVersion, `${field}.apiVersion`);
  if (kind === '') return [...errors, required(`${field}.kind`)];
  const problems = dns1035Label(kind.toLowerCase());
  if (problems.length > 0) {
    const problem = `may have mixed case, but should otherwise match: ${problems.join(',')}`;
    errors.push(invalid(`${field}.kind`, kind, problem));
  }
  return errors;
}

function validateApiVersion(apiVersion: string, field: string): FieldError[] {
  if (apiVersion === '') return [required(field)];
  const parts = apiVersion === '/' ? [''] : apiVersion.split('/');
  if (parts.length > 2) return [invalid(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
  const version = parts.at(-1) ?? '';
  const group = parts.length === 2 ? (parts[0] ?? '') : '';
  const errors: FieldError[] = [];
  const groupProblems = group === '' ? [] : dns1123Subdomain(group);
  if (groupProblems.length > 0) errors.push(invalid(field, group, groupProblems.join(',')));
  if (version === '') return [...errors, invalid(field, apiVersion, 'version must be specified')];
  const problems = dns1035Label(version);
  if (problems.length > 0) errors.push(invalid(field, version, problems.join(',')));
  return errors;
}

export function validateParamRef(ref: ParamRef | undefined, field: string): FieldError[] {
  if (ref === undefined) return [];
  const { name = '', selector, parameterNotFoundAction: action = '' } = ref;
  const errors: FieldError[] = [];
  const both = name !== '' && selector !== undefined;
  if (name !== '') invalidEach(errors, `${field}.name`, name, nameIs.pathSegment(name, false));
  if (both) errors.push(forbidden(`${field}.name`, EXCLUSIVE));
  errors.push(...validateLabelSelector(selector, `${field}.selector`));
  if (both) errors.push(forbidden(`${field}.selector`, EXCLUSIVE));
  if (name === '' && selector === undefined) {
    errors.push(required(field, 'one of name or selector must be specified'));
  }
  if (action === '') errors.push(required(`${field}.parameterNotFoundAction`));
  else if (!NOT_FOUND_ACTIONS.includes(action)) {
    errors.push(notSupported(`${field}.parameterNotFoundAction`, action, NOT_FOUND_ACTIONS));
  }
  return errors;
}
