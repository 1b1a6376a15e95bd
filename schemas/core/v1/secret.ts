/** Secret: small confidential values. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, forbidden, invalid, required, tooLong } from '../../field-error.js';
import { bool, bytes, map, once, text } from '../../fields.js';
import { jsonSyntaxProblem, jsonTypeName } from '../../go-json.js';
import { kubeObject } from '../../meta/v1.js';
import { FIELD_IMMUTABLE } from '../../validation/metadata.js';
import { configMapKey, nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';
import { DATA_BYTES_MAX, decodedLength, sameStrings } from './key-values.js';

/** Annotation of a token secret: the service account it is for. */
export const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';
/** The type of Secrets that hold a token. */
export const SERVICE_ACCOUNT_TOKEN = 'kubernetes.io/service-account-token';
const REDACTED = '<secret contents redacted>';

interface Secret {
  readonly data?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly immutable?: boolean;
}
const read = (object: KubeObject) => object as Secret;

/** `stringData` is a way of writing `data`, for values that are text; it wins, and is never stored or shown. */
function mergeStringData(secret: KubeObject): void {
  const stringData = secret['stringData'] as Readonly<Record<string, string>> | undefined;
  if (stringData === undefined) return;
  delete secret['stringData'];
  const data = new Map(Object.entries(read(secret).data ?? {}));
  for (const [key, value] of Object.entries(stringData)) {
    data.set(key, Buffer.from(value, 'utf8').toString('base64'));
  }
  if (data.size > 0) secret['data'] = Object.fromEntries(data);
}

/** What each type of secret must hold. */
const TYPE_RULES: Readonly<Record<string, (secret: KubeObject) => FieldError[]>> = {
  [SERVICE_ACCOUNT_TOKEN]: ({ metadata }) =>
    metadata.annotations?.[SERVICE_ACCOUNT_NAME]
      ? []
      : [required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`)],
  'kubernetes.io/dockercfg': (secret) => validateJson(secret, '.dockercfg'),
  'kubernetes.io/dockerconfigjson': (secret) => validateJson(secret, '.dockerconfigjson'),
  'kubernetes.io/basic-auth': (secret) =>
    has(secret, 'username') || has(secret, 'password')
      ? []
      : [required('data[username]'), required('data[password]')],
  'kubernetes.io/ssh-auth': (secret) =>
    read(secret).data?.['ssh-privatekey'] ? [] : [required('data[ssh-privatekey]')],
  'kubernetes.io/tls': (secret) =>
    ['tls.crt', 'tls.key'].filter((key) => !has(secret, key)).map((key) => required(`data[${key}]`)),
};

const has = (secret: KubeObject, key: string): boolean => Object.hasOwn(read(secret).data ?? {}, key);

/** The value of a key must be there and a JSON object. */
function validateJson(secret: KubeObject, key: string): FieldError[] {
  if (!has(secret, key)) return [required(`data[${key}]`)];
  const problem = jsonObjectProblem(Buffer.from(read(secret).data?.[key] ?? '', 'base64').toString('utf8'));
  return problem === undefined ? [] : [invalid(`data[${key}]`, REDACTED, problem)];
}

function jsonObjectProblem(json: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return jsonSyntaxProblem(json);
  }
  const type = jsonTypeName(value);
  return type === 'null' || type === 'object'
    ? undefined
    : `json: cannot unmarshal ${type} into Go value of type map[string]interface {}`;
}

function validate(secret: KubeObject): FieldError[] {
  const { data = {}, type = '' } = read(secret);
  const errors: FieldError[] = [];
  let bytesTotal = 0;
  for (const [key, value] of Object.entries(data)) {
    for (const problem of configMapKey(key)) errors.push(invalid(`data[${key}]`, key, problem));
    bytesTotal += decodedLength(value);
  }
  if (bytesTotal > DATA_BYTES_MAX) errors.push(tooLong('data', DATA_BYTES_MAX));
  if (Object.hasOwn(TYPE_RULES, type)) errors.push(...(TYPE_RULES[type]?.(secret) ?? []));
  return errors;
}

const IMMUTABLE = 'field is immutable when `immutable` is set';

function validateUpdate(secret: KubeObject, oldSecret: KubeObject): FieldError[] {
  const { data, type, immutable } = read(secret);
  const old = read(oldSecret);
  const errors: FieldError[] = [];
  if (type !== old.type) errors.push(invalid('type', type, FIELD_IMMUTABLE));
  if (old.immutable === true) {
    if (immutable !== true) errors.push(forbidden('immutable', IMMUTABLE));
    if (!sameStrings(data, old.data)) errors.push(forbidden('data', IMMUTABLE));
  }
  return errors;
}

const strategy: Strategy = {
  defaults(secret) {
    mergeStringData(secret);
    secret['type'] ||= 'Opaque';
  },
  validate,
  validateUpdate,
};

export const secrets: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  listKind: 'SecretList',
  plural: 'secrets',
  singular: 'secret',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'secrets',
  description: 'Small confidential values, such as passwords and keys.',
  schema: once(() =>
    kubeObject(
      'io.k8s.api.core.v1.Secret',
      {
        immutable: bool({ description: 'Once true, neither this nor the data can change.' }),
        data: map(bytes(), { description: 'The values, in base64. At most 1 MiB.' }),
        stringData: map(text(), {
          description: 'Values as plain text, written into data; never shown.',
        }),
        type: text({
          omitEmpty: true,
          description: 'Says what keys are expected, such as kubernetes.io/tls. Never changes.',
        }),
      },
      { description: 'Small confidential values, such as passwords and keys.' },
    ),
  ),
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    column('Type', 'What keys are expected.', (secret) => read(secret).type ?? ''),
    column('Data', 'How many keys it has.', (secret) => Object.keys(read(secret).data ?? {}).length),
    ageColumn,
  ],
  selectableFields: { type: (secret) => read(secret).type ?? '' },
  ownFieldLabels: true,
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
