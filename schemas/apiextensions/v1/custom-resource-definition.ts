/**
 * CustomResourceDefinition: a resource that the server is to serve. Here it is stored and checked; whether its names are
 * free, and that it is served, is for who serves custom resources to say in its status.
 */
import { column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { describe, once } from '../../fields.js';
import { keepSpec } from '../../meta/status.js';
import { kubeObject } from '../../meta/v1.js';
import { nameIs } from '../../validation/names.js';
import { defaultWebhookService } from '../../validation/webhook-client.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import {
  crdSpec,
  crdStatus,
  specOf,
  type Status,
  statusOf,
  versionsOf,
} from './custom-resource-definition-schema.js';
import {
  validateChangedDefinition,
  validateNewDefinition,
  validateStatus,
} from './custom-resource-definition-validation.js';
import { formatWarnings } from './formats.js';
import { PREFIX } from './json-schema.js';
import { fromV1beta1 } from './stored-v1beta1.js';

const DESCRIPTION = 'A resource that the server is to serve.';

function defaults(object: KubeObject): void {
  const spec = specOf(object);
  const { names } = spec;
  if (names) {
    const { kind = '' } = names;
    if (!names.singular && kind !== '') names.singular = kind.toLowerCase();
    if (!names.listKind && kind !== '') names.listKind = `${kind}List`;
  }
  spec.conversion ??= { strategy: 'None' };
  defaultWebhookService(spec.conversion.webhook?.clientConfig?.service);
  const status = statusOf(object);
  if ((status.storedVersions ?? []).length === 0) {
    const storage = storageVersion(object);
    if (storage !== undefined) status.storedVersions = [storage];
  }
}

const storageVersion = (object: KubeObject): string | undefined =>
  versionsOf(specOf(object)).find(({ storage }) => storage)?.name;

/** A version that objects are stored in from now on is added to those in which some are. */
function withStorageVersion(object: KubeObject, status: Status): Status {
  const storage = storageVersion(object);
  const stored = status.storedVersions ?? [];
  if (storage === undefined || stored.includes(storage)) return status;
  return { ...status, storedVersions: [...stored, storage] };
}

const strategy: Strategy = {
  defaults,
  prepareForCreate(object) {
    const nothing: Status = {
      conditions: null,
      acceptedNames: { plural: '', kind: '' },
      storedVersions: null,
    };
    object['status'] = withStorageVersion(object, nothing);
  },
  prepareForUpdate(object, old) {
    object['status'] = withStorageVersion(object, statusOf(old));
  },
  validateCreate: validateNewDefinition,
  validateUpdate: validateChangedDefinition,
  warnings: (object, old) => formatWarnings(specOf(object), old && specOf(old)),
};

/** Upstream keeps nothing of the old metadata here, though it means to. */
const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate: keepSpec,
  validateUpdate: validateStatus,
};

export const customResourceDefinitions: ResourceDefinition = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  listKind: 'CustomResourceDefinitionList',
  plural: 'customresourcedefinitions',
  singular: 'customresourcedefinition',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'apiextensions.k8s.io/customresourcedefinitions',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${PREFIX}.CustomResourceDefinition`,
      {
        spec: describe(crdSpec(), { default: {} }),
        status: describe(crdStatus(), { default: {} }),
      },
      { description: DESCRIPTION, required: ['spec'] },
    ),
  ),
  strategy,
  subresources: [
    { name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy, resetFields: ['metadata', 'spec'] },
  ],
  columns: [
    nameColumn,
    column('Created At', 'When the object was created.', (o) => o.metadata.creationTimestamp ?? '', {
      type: 'date',
    }),
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: false,
  fromForeign: fromV1beta1,
  storageVersion: 'v1beta1',
};
