/** IngressClass: who makes an Ingress come true. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, forbidden, invalid, notSupported, required, tooLong } from '../../field-error.js';
import { describe, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { validateDomainPrefixedPath } from '../../validation/domain-path.js';
import { FIELD_IMMUTABLE, invalidEach } from '../../validation/metadata.js';
import { byteLength, dns1123Label, nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import { validateReference } from './object-reference.js';

const NETWORKING = 'io.k8s.api.networking.v1';
const DESCRIPTION = 'Who makes an Ingress come true.';
const CONTROLLER_BYTES_MAX = 250;
const SCOPES = ['Cluster', 'Namespace'];

const parametersReference = once(() =>
  struct(
    `${NETWORKING}.IngressClassParametersReference`,
    {
      apiGroup: text({ description: 'Core when absent.' }),
      kind: text({ default: '' }),
      name: text({ default: '' }),
      scope: text({ description: 'Cluster or Namespace.' }),
      namespace: text({ description: 'Where scope is Namespace.' }),
    },
    { description: 'An object that says more.', required: ['kind', 'name'] },
  ),
);

const ingressClassSpec = once(() =>
  struct(
    `${NETWORKING}.IngressClassSpec`,
    {
      controller: text({
        omitEmpty: true,
        description: 'Such as acme.io/ingress-controller. Never changes.',
      }),
      parameters: describe(parametersReference(), { description: 'More for the controller to read.' }),
    },
    { description: 'A controller, and what it has to know.' },
  ),
);

interface Parameters {
  apiGroup?: string;
  kind?: string;
  name?: string;
  scope?: string;
  namespace?: string;
}
interface Spec {
  controller?: string;
  parameters?: Parameters;
}
const specOf = (object: KubeObject): Spec => object['spec'] ?? {};

function validateSpec({ controller = '', parameters }: Spec): FieldError[] {
  const errors = validateController(controller);
  return parameters === undefined ? errors : [...errors, ...validateParameters(parameters)];
}

function validateController(controller: string): FieldError[] {
  const field = 'spec.controller';
  if (controller === '') return [required(field)];
  const errors = byteLength(controller) > CONTROLLER_BYTES_MAX ? [tooLong(field, CONTROLLER_BYTES_MAX)] : [];
  return [...errors, ...validateDomainPrefixedPath(controller, field)];
}

function validateParameters(parameters: Parameters): FieldError[] {
  const path = 'spec.parameters';
  const errors = validateReference(parameters, path);
  const { scope, namespace } = parameters;
  if (scope === undefined) errors.push(required(`${path}.scope`));
  else if (!SCOPES.includes(scope)) errors.push(notSupported(`${path}.scope`, scope, SCOPES));
  else if (scope === 'Cluster') {
    if (namespace !== undefined) {
      errors.push(forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
    }
  } else if (namespace === undefined) {
    errors.push(required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  } else invalidEach(errors, `${path}.namespace`, namespace, dns1123Label(namespace));
  return errors;
}

const strategy: Strategy = {
  defaults(object) {
    const { parameters } = specOf(object);
    if (parameters !== undefined) parameters.scope ??= 'Cluster';
  },
  validateCreate: (object) => validateSpec(specOf(object)),
  validateUpdate(object, old) {
    const { controller = '' } = specOf(object);
    const errors = validateSpec(specOf(object));
    if (controller === (specOf(old).controller ?? '')) return errors;
    return [invalid('spec.controller', controller, FIELD_IMMUTABLE), ...errors];
  },
};

function formatParameters({ parameters }: Spec): string {
  if (parameters === undefined) return '<none>';
  const { apiGroup, kind = '', name = '' } = parameters;
  return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`;
}

export const ingressClasses: ResourceDefinition = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  listKind: 'IngressClassList',
  plural: 'ingressclasses',
  singular: 'ingressclass',
  shortNames: [],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'ingressclasses',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${NETWORKING}.IngressClass`,
      { spec: describe(ingressClassSpec(), { default: {} }) },
      { description: DESCRIPTION },
    ),
  ),
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    column('Controller', 'Who makes them come true.', (object) => specOf(object).controller ?? ''),
    column('Parameters', 'The object that says more.', (object) => formatParameters(specOf(object))),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
