/** ServiceAccount: the identity pods run with. */
import { tokenRequest, tokenRequestStrategy } from '../../authentication/v1/token-request.js';
import { ageColumn, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { bool, list, once } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { nameIs } from '../../validation/names.js';
import { CREATE_ONLY, STANDARD_VERBS } from '../../verbs.js';
import { localObjectReference, type ObjectReference, objectReference } from './references.js';

/** Of a reference to a secret only the name counts. */
function keepSecretNames(account: KubeObject): void {
  const secrets = account['secrets'] as readonly ObjectReference[] | undefined;
  if (secrets !== undefined) account['secrets'] = secrets.map(({ name }) => (name ? { name } : {}));
}

const ENFORCE_MOUNTABLE_SECRETS = 'kubernetes.io/enforce-mountable-secrets';

const strategy: Strategy = {
  prepareForCreate: keepSecretNames,
  prepareForUpdate: keepSecretNames,
  warnings: ({ metadata }) =>
    metadata.annotations !== undefined && Object.hasOwn(metadata.annotations, ENFORCE_MOUNTABLE_SECRETS)
      ? [
          `metadata.annotations[${ENFORCE_MOUNTABLE_SECRETS}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
        ]
      : [],
};

export const serviceAccounts: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  listKind: 'ServiceAccountList',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  categories: [],
  namespaced: true,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'serviceaccounts',
  description: 'An identity for the processes in pods.',
  schema: once(() =>
    kubeObject(
      'io.k8s.api.core.v1.ServiceAccount',
      {
        secrets: list(objectReference(), {
          listType: 'map',
          listMapKeys: ['name'],
          patchStrategy: 'merge',
          patchMergeKey: 'name',
          description: 'Secrets that pods of this account may use.',
        }),
        imagePullSecrets: list(localObjectReference(), {
          listType: 'atomic',
          description: 'Secrets for pulling the images of its pods.',
        }),
        automountServiceAccountToken: bool({
          description: 'Whether its pods get a token; each pod can say otherwise.',
        }),
      },
      { description: 'An identity for the processes in pods.' },
    ),
  ),
  strategy,
  subresources: [
    {
      name: 'token',
      verbs: CREATE_ONLY,
      kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
      schema: tokenRequest,
      strategy: tokenRequestStrategy,
    },
  ],
  columns: [nameColumn, ageColumn],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
  returnsDeletedObject: true,
};
