/** VolumeAttributesClass: what can change in a volume after it is made, such as how fast it is. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import { sameStrings } from '../../core/v1/key-values.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, forbidden } from '../../field-error.js';
import { map, once, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import { validateParameters, validateProvisioner } from './storage-class.js';

const DESCRIPTION = 'What can change in a volume after it is made, such as how fast it is.';

interface VolumeAttributesClass {
  driverName?: string;
  parameters?: Readonly<Record<string, string>>;
}
const read = (object: KubeObject) => object as VolumeAttributesClass;

function validate(object: KubeObject): FieldError[] {
  const { driverName = '', parameters } = read(object);
  return [
    ...validateProvisioner(driverName, 'driverName'),
    ...validateParameters(parameters, { allowEmpty: false }),
  ];
}

function validateUpdate(object: KubeObject, oldObject: KubeObject): FieldError[] {
  const [now, old] = [read(object), read(oldObject)];
  const errors: FieldError[] = [];
  if (now.driverName !== old.driverName) {
    errors.push(forbidden('driverName', 'updates to driverName are forbidden.'));
  }
  if (!sameStrings(now.parameters, old.parameters)) {
    errors.push(forbidden('parameters', 'updates to parameters are forbidden.'));
  }
  return [...errors, ...validate(object)];
}

const strategy: Strategy = { validateCreate: validate, validateUpdate };

export const volumeAttributesClasses: ResourceDefinition = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  listKind: 'VolumeAttributesClassList',
  plural: 'volumeattributesclasses',
  singular: 'volumeattributesclass',
  shortNames: ['vac'],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'volumeattributesclasses',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      'io.k8s.api.storage.v1.VolumeAttributesClass',
      {
        driverName: text({ default: '', description: 'The driver that knows the class. Never changes.' }),
        parameters: map(text(), { description: 'For the driver to read. Never change.' }),
      },
      { description: DESCRIPTION, required: ['driverName'] },
    ),
  ),
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    column('DriverName', 'The driver that knows the class.', (object) => read(object).driverName ?? ''),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
};
