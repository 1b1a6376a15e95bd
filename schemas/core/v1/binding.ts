/** Binding: gives a pod to a node. Stored nowhere: creating one changes the pod. */
import { nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, notSupported, required } from '../../field-error.js';
import { describe, once } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { nameIs } from '../../validation/names.js';
import { CREATE_ONLY } from '../../verbs.js';
import { type ObjectReference, objectReference } from './references.js';

export const binding = once(() =>
  kubeObject(
    'io.k8s.api.core.v1.Binding',
    { target: describe(objectReference(), { default: {}, description: 'The node.' }) },
    { description: 'Gives the pod of this name to a node.', required: ['target'] },
  ),
);

/** Also of the `binding` subresource of pods. */
export const bindingStrategy: Strategy = {
  validate(object: KubeObject): FieldError[] {
    const { kind, name } = (object['target'] ?? {}) as ObjectReference;
    const errors: FieldError[] = [];
    if (kind && kind !== 'Node') errors.push(notSupported('target.kind', kind, ['Node', '<empty>']));
    if (!name) errors.push(required('target.name'));
    return errors;
  },
};

export const bindings: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'Binding',
  listKind: 'BindingList',
  plural: 'bindings',
  singular: 'binding',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: CREATE_ONLY,
  etcdPrefix: 'bindings',
  description: 'Gives the pod of this name to a node.',
  schema: binding,
  strategy: bindingStrategy,
  subresources: [],
  columns: [nameColumn],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: false,
  virtual: true,
};
