/** Namespace: what other objects live in. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, invalid } from '../../field-error.js';
import { describe, list, once, struct, text } from '../../fields.js';
import { kubeObject, time } from '../../meta/v1.js';
import { nameIs, qualifiedName } from '../../validation/names.js';
import { SUBRESOURCE_VERBS } from '../../verbs.js';

/** Holds a terminating namespace until its content is gone. */
export const KUBERNETES_FINALIZER = 'kubernetes';
/** Label that every namespace carries, so that selectors can name it. */
export const NAME_LABEL = 'kubernetes.io/metadata.name';

const UNQUALIFIED_FINALIZERS = new Set([KUBERNETES_FINALIZER, 'orphan', 'foregroundDeletion']);

const namespaceSpec = once(() =>
  struct(
    'io.k8s.api.core.v1.NamespaceSpec',
    {
      finalizers: list(text(), {
        listType: 'atomic',
        description: 'Must be empty before the namespace is removed; changed through `finalize`.',
      }),
    },
    { description: 'What holds the namespace.' },
  ),
);

const namespaceCondition = once(() =>
  struct(
    'io.k8s.api.core.v1.NamespaceCondition',
    {
      type: text({ default: '' }),
      status: text({ default: '', description: 'True, False or Unknown.' }),
      lastTransitionTime: time({ printsNull: true }),
      reason: text({ omitEmpty: true }),
      message: text({ omitEmpty: true }),
    },
    { description: 'How far the removal of the content got.', required: ['type', 'status'] },
  ),
);

const namespaceStatus = once(() =>
  struct(
    'io.k8s.api.core.v1.NamespaceStatus',
    {
      phase: text({ omitEmpty: true, enum: ['Active', 'Terminating'] }),
      conditions: list(namespaceCondition(), {
        listType: 'map',
        listMapKeys: ['type'],
        patchStrategy: 'merge',
        patchMergeKey: 'type',
      }),
    },
    { description: 'Where the namespace is in its life.' },
  ),
);

interface Spec {
  finalizers?: string[];
}
interface Status {
  phase?: string;
}
const specOf = (object: KubeObject): Spec => object['spec'] ?? {};
const statusOf = (object: KubeObject): Status => object['status'] ?? {};

function setNameLabel({ metadata }: KubeObject): void {
  const { name, labels } = metadata;
  const isSet = labels !== undefined && Object.hasOwn(labels, NAME_LABEL) && labels[NAME_LABEL] === name;
  if (name && !isSet) metadata.labels = { ...labels, [NAME_LABEL]: name };
}

function defaults(namespace: KubeObject): void {
  setNameLabel(namespace);
  if (!statusOf(namespace).phase) namespace['status'] = { phase: 'Active', ...statusOf(namespace) };
}

function validateFinalizers(namespace: KubeObject, path: (i: number) => string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, finalizer] of (specOf(namespace).finalizers ?? []).entries()) {
    for (const problem of qualifiedName(finalizer)) errors.push(invalid(path(i), finalizer, problem));
    if (!finalizer.includes('/') && !UNQUALIFIED_FINALIZERS.has(finalizer)) {
      const problem = 'name is neither a standard finalizer name nor is it fully qualified';
      errors.push(invalid(path(i), finalizer, problem));
    }
  }
  return errors;
}

const strategy: Strategy = {
  defaults,
  prepareForCreate(namespace) {
    setNameLabel(namespace);
    namespace['status'] = { phase: 'Active' };
    const finalizers = specOf(namespace).finalizers ?? [];
    if (!finalizers.includes(KUBERNETES_FINALIZER)) {
      namespace['spec'] = { finalizers: [...finalizers, KUBERNETES_FINALIZER] };
    }
  },
  prepareForUpdate(namespace, old) {
    namespace['spec'] = old['spec'];
    namespace['status'] = old['status'];
  },
  validate: (namespace) => validateFinalizers(namespace, () => 'spec.finalizers'),
};

/** Writes to `finalize`: the finalizers, and nothing of status. */
const finalizeStrategy: Strategy = {
  defaults,
  prepareForUpdate(namespace, old) {
    namespace['status'] = old['status'];
  },
  validateUpdate: (namespace) => validateFinalizers(namespace, (i) => `spec.finalizers[${i}]`),
};

const statusStrategy: Strategy = {
  defaults,
  prepareForUpdate(namespace, old) {
    namespace['spec'] = old['spec'];
  },
  validateUpdate(namespace) {
    const { phase } = statusOf(namespace);
    const terminating = Boolean(namespace.metadata.deletionTimestamp);
    if (!terminating && phase !== 'Active') {
      const problem = "may only be 'Active' if `deletionTimestamp` is empty";
      return [invalid('status.Phase', phase, problem)];
    }
    if (terminating && phase !== 'Terminating') {
      const problem = "may only be 'Terminating' if `deletionTimestamp` is not empty";
      return [invalid('status.Phase', phase, problem)];
    }
    return [];
  },
};

export const namespaces: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  listKind: 'NamespaceList',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  categories: [],
  namespaced: false,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  etcdPrefix: 'namespaces',
  description: 'A scope for names: most other objects live in one.',
  schema: once(() =>
    kubeObject(
      'io.k8s.api.core.v1.Namespace',
      {
        spec: describe(namespaceSpec(), { default: {} }),
        status: describe(namespaceStatus(), { default: {} }),
      },
      { description: 'A scope for names: most other objects live in one.' },
    ),
  ),
  strategy,
  subresources: [
    { name: 'finalize', verbs: ['update'], strategy: finalizeStrategy, resetFields: ['status'] },
    { name: 'status', verbs: SUBRESOURCE_VERBS, strategy: statusStrategy },
  ],
  columns: [
    nameColumn,
    column(
      'Status',
      'Active, or Terminating while its content is being removed.',
      (namespace) => statusOf(namespace).phase ?? '',
    ),
    ageColumn,
  ],
  selectableFields: { 'status.phase': (namespace) => statusOf(namespace).phase ?? '' },
  ownFieldLabels: true,
  validateName: nameIs.dns1123Label,
  generation: false,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};
