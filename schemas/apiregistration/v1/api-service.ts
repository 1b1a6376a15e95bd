/** APIService: who serves one version of a group, this server or another one behind it. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { bool, bytes, describe, int32, list, once, struct, text } from '../../fields.js';
import { keepAllButStatus, keepStatus } from '../../meta/status.js';
import { kubeObject, time } from '../../meta/v1.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS, SUBRESOURCE_VERBS } from '../../verbs.js';
import { type Condition, conditionsOf, specOf, validate, validateStatus } from './api-service-validation.js';

const PREFIX = 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1';
const DESCRIPTION = 'Who serves one version of a group.';

const HTTPS_PORT = 443;

const serviceReference = once(() =>
  struct(
    `${PREFIX}.ServiceReference`,
    {
      namespace: text({ omitEmpty: true }),
      name: text({ omitEmpty: true }),
      port: int32({ description: '443 if absent.' }),
    },
    { description: 'A service in the cluster.' },
  ),
);

const spec = once(() =>
  struct(
    `${PREFIX}.APIServiceSpec`,
    {
      service: describe(serviceReference(), { description: 'The server behind this one; absent: this one.' }),
      group: text({ omitEmpty: true }),
      version: text({ omitEmpty: true }),
      insecureSkipTLSVerify: bool({ omitEmpty: true, description: 'Trusts whoever answers.' }),
      caBundle: bytes({ listType: 'atomic', description: 'PEM certificates that sign its own.' }),
      groupPriorityMinimum: int32({
        default: 0,
        description: 'The higher, the earlier clients look into the group.',
      }),
      versionPriority: int32({ default: 0, description: 'The higher, the better among those of the group.' }),
    },
    {
      description: 'A version of a group and where it is served.',
      required: ['groupPriorityMinimum', 'versionPriority'],
    },
  ),
);

const status = once(() =>
  struct(
    `${PREFIX}.APIServiceStatus`,
    {
      conditions: list(
        struct(
          `${PREFIX}.APIServiceCondition`,
          {
            type: text({ default: '', goType: 'v1.APIServiceConditionType' }),
            status: text({
              default: '',
              goType: 'v1.ConditionStatus',
              description: 'True, False or Unknown.',
            }),
            lastTransitionTime: time({ printsNull: true, description: 'When status last changed.' }),
            reason: text({ omitEmpty: true, description: 'One word for programs.' }),
            message: text({ omitEmpty: true, description: 'A sentence for people.' }),
          },
          { description: 'One aspect of its state.', required: ['type', 'status'] },
        ),
        { listType: 'map', listMapKeys: ['type'], patchStrategy: 'merge', patchMergeKey: 'type' },
      ),
    },
    { description: 'Whether it can be reached.' },
  ),
);

function defaults(object: KubeObject): void {
  const { service } = specOf(object);
  if (service) service.port ??= HTTPS_PORT;
}

/** What this server serves itself can always be had. */
const localCondition = ({ metadata: { creationTimestamp } }: KubeObject): Condition => ({
  type: 'Available',
  status: 'True',
  lastTransitionTime: creationTimestamp ?? null,
  reason: 'Local',
  message: 'Local APIServices are always available',
});

function availability(object: KubeObject): string {
  const { status = 'Unknown', reason = '' } =
    conditionsOf(object).find(({ type }) => type === 'Available') ?? {};
  return status === 'True' || reason === '' ? status : `${status} (${reason})`;
}

function servedBy(object: KubeObject): string {
  const { service } = specOf(object);
  return service === undefined ? 'Local' : `${service.namespace ?? ''}/${service.name ?? ''}`;
}

const strategy: Strategy = {
  defaults,
  prepareForCreate(object) {
    const local = specOf(object).service === undefined;
    object['status'] = local ? { conditions: [localCondition(object)] } : {};
  },
  prepareForUpdate: keepStatus,
  validate,
};

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate: keepAllButStatus,
  validateUpdate: validateStatus,
};

export const apiServices: ResourceDefinition = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  listKind: 'APIServiceList',
  plural: 'apiservices',
  singular: 'apiservice',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'apiregistration.k8s.io/apiservices',
  description: DESCRIPTION,
  schema: once(() =>
    kubeObject(
      `${PREFIX}.APIService`,
      {
        spec: describe(spec(), { default: {} }),
        status: describe(status(), { default: {} }),
      },
      { description: DESCRIPTION },
    ),
  ),
  strategy,
  // Upstream's strategies here reset fields without telling who tracks their managers.
  resetFields: [],
  subresources: [{ name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy, resetFields: [] }],
  columns: [
    nameColumn,
    column('Service', 'The service behind it, or Local.', servedBy),
    column('Available', 'Whether it can be reached.', availability),
    ageColumn,
  ],
  selectableFields: {},
  validateName: nameIs.pathSegment,
  generation: false,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: false,
};
