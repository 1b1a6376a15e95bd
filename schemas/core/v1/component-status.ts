/** ComponentStatus: how a part of the control plane does, asked when it is read. Stored nowhere, and read only. */
import { column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition } from '../../definition.js';
import { list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';

const componentCondition = once(() =>
  struct(
    'io.k8s.api.core.v1.ComponentCondition',
    {
      type: text({ default: '', goType: 'v1.ComponentConditionType', description: 'Healthy.' }),
      status: text({ default: '', goType: 'v1.ConditionStatus', description: 'True, False or Unknown.' }),
      message: text({ omitEmpty: true, description: 'What the component answered, or why it did not.' }),
      error: text({ omitEmpty: true, description: 'Why it could not be asked.' }),
    },
    { description: 'Whether it is healthy.', required: ['type', 'status'] },
  ),
);

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
  readonly error?: string;
}

const healthOf = (object: KubeObject): Condition | undefined =>
  (object['conditions'] as readonly Condition[] | undefined)?.find(({ type }) => type === 'Healthy');

function statusCell(object: KubeObject): string {
  const health = healthOf(object);
  if (health === undefined) return 'Unknown';
  return health.status === 'True' ? 'Healthy' : 'Unhealthy';
}

export const componentStatuses: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  listKind: 'ComponentStatusList',
  plural: 'componentstatuses',
  singular: 'componentstatus',
  shortNames: ['cs'],
  categories: [],
  namespaced: false,
  verbs: ['get', 'list'],
  etcdPrefix: 'componentstatuses',
  description: 'How a part of the control plane does. Deprecated.',
  schema: once(() =>
    kubeObject(
      'io.k8s.api.core.v1.ComponentStatus',
      {
        conditions: list(componentCondition(), {
          listType: 'map',
          listMapKeys: ['type'],
          patchStrategy: 'merge',
          patchMergeKey: 'type',
        }),
      },
      { description: 'How a part of the control plane does. Deprecated.' },
    ),
  ),
  strategy: {},
  subresources: [],
  columns: [
    nameColumn,
    column('Status', 'Healthy, Unhealthy or Unknown.', statusCell),
    column('Message', 'What the component answered.', (object) => healthOf(object)?.message ?? ''),
    column('Error', 'Why it could not be asked.', (object) => healthOf(object)?.error ?? ''),
  ],
  selectableFields: {},
  validateName: () => [],
  generation: false,
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: false,
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  virtual: true,
};
