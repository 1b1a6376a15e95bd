/** ConfigMap: configuration as keys and values. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, forbidden, invalid, tooLong } from '../../field-error.js';
import { bool, bytes, map, once, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { byteLength, configMapKey, nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import { DATA_BYTES_MAX, decodedLength, sameStrings } from './key-values.js';

interface ConfigMap {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}
const read = (object: KubeObject) => object as ConfigMap;

function validate(object: KubeObject): FieldError[] {
  const { data = {}, binaryData = {} } = read(object);
  const errors: FieldError[] = [];
  let bytesTotal = 0;
  for (const [key, value] of Object.entries(data)) {
    for (const problem of configMapKey(key)) errors.push(invalid(`data[${key}]`, key, problem));
    if (Object.hasOwn(binaryData, key)) {
      errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    }
    bytesTotal += byteLength(value);
  }
  for (const [key, value] of Object.entries(binaryData)) {
    for (const problem of configMapKey(key)) errors.push(invalid(`binaryData[${key}]`, key, problem));
    bytesTotal += decodedLength(value);
  }
  // `[]` is how Go prints the path of the whole object.
  if (bytesTotal > DATA_BYTES_MAX) errors.push(tooLong('[]', DATA_BYTES_MAX));
  return errors;
}

const IMMUTABLE = 'field is immutable when `immutable` is set';

function validateUpdate(object: KubeObject, oldObject: KubeObject): FieldError[] {
  const map = read(object);
  const old = read(oldObject);
  if (old.immutable !== true) return [];
  const errors: FieldError[] = [];
  if (map.immutable !== true) errors.push(forbidden('immutable', IMMUTABLE));
  if (!sameStrings(map.data, old.data)) errors.push(forbidden('data', IMMUTABLE));
  if (!sameStrings(map.binaryData, old.binaryData)) errors.push(forbidden('binaryData', IMMUTABLE));
  return errors;
}

const strategy: Strategy = { validate, validateUpdate };

export const configMaps: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  listKind: 'ConfigMapList',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'configmaps',
  description: 'Configuration for pods, as keys and values.',
  schema: once(() =>
    kubeObject(
      'io.k8s.api.core.v1.ConfigMap',
      {
        immutable: bool({ description: 'Once true, neither this nor the data can change.' }),
        data: map(text(), { description: 'Values that are UTF-8 text. At most 1 MiB with binaryData.' }),
        binaryData: map(bytes(), {
          description: 'Values that are any bytes; no key may be in data as well.',
        }),
      },
      { description: 'Configuration for pods, as keys and values.' },
    ),
  ),
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    column('Data', 'How many keys it has.', (object) => {
      const { data = {}, binaryData = {} } = read(object);
      return Object.keys(data).length + Object.keys(binaryData).length;
    }),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
