/** Scale: the replicas of a workload of any kind, read and written through its `scale` subresource. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ScalePaths, Strategy, Subresource, TableColumn } from '../../definition.js';
import { invalid } from '../../field-error.js';
import { describe, int32, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { NOT_NEGATIVE } from '../../validation/metadata.js';
import { SUBRESOURCE_VERBS } from '../../verbs.js';

const scaleSpec = once(() =>
  struct(
    'io.k8s.api.autoscaling.v1.ScaleSpec',
    { replicas: int32({ default: 0, omitEmpty: true, description: 'How many there should be.' }) },
    { description: 'The desired number.' },
  ),
);

const scaleStatus = once(() =>
  struct(
    'io.k8s.api.autoscaling.v1.ScaleStatus',
    {
      replicas: int32({ default: 0, description: 'How many there are.' }),
      selector: text({
        omitEmpty: true,
        description: 'Label selector of the pods, as a query string holds it.',
      }),
    },
    { description: 'The number seen last.', required: ['replicas'] },
  ),
);

export const scale = once(() =>
  kubeObject(
    'io.k8s.api.autoscaling.v1.Scale',
    {
      spec: describe(scaleSpec(), { default: {} }),
      status: describe(scaleStatus(), { default: {} }),
    },
    { description: 'The replicas of a workload.' },
  ),
);

interface Spec {
  readonly replicas?: number;
}

interface Status {
  readonly replicas: number;
}

/** Upstream's, whose name is not marked as one. */
export const scaleColumns: readonly TableColumn[] = [
  { ...nameColumn, format: '' },
  column('Desired', 'How many there should be.', (scale) => (scale['spec'] as Spec).replicas ?? 0, {
    type: 'integer',
  }),
  column('Available', 'How many there are.', (scale) => (scale['status'] as Status).replicas, {
    type: 'integer',
  }),
  ageColumn,
];

export const scaleStrategy: Strategy = {
  validate(object: KubeObject) {
    const { replicas = 0 } = (object['spec'] ?? {}) as Spec;
    return replicas < 0 ? [invalid('spec.replicas', replicas, NOT_NEGATIVE)] : [];
  },
};

/** The `scale` subresource of a workload that keeps its numbers at `paths`. */
export const scaleSubresource = (paths: ScalePaths): Subresource => ({
  name: 'scale',
  kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  verbs: SUBRESOURCE_VERBS,
  schema: scale,
  strategy: scaleStrategy,
  scale: paths,
});
