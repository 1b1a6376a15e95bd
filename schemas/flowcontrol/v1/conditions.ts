/** Conditions of both kinds, which are alike but for their names. */
import type { KubeObject } from '../../definition.js';
import { duplicate, type FieldError, required } from '../../field-error.js';
import { describe, list, struct, text } from '../../fields.js';
import { time } from '../../meta/v1.js';

export const FLOW_CONTROL = 'io.k8s.api.flowcontrol.v1';
export const FLOW_CONTROL_GROUP = 'flowcontrol.apiserver.k8s.io';

interface Condition {
  readonly type?: string;
  readonly status?: string;
}

/** The status of a kind. `kind` is what Go's names of its parts begin with. */
export const flowStatus = (kind: 'FlowSchema' | 'PriorityLevelConfiguration') =>
  describe(
    struct(
      `${FLOW_CONTROL}.${kind}Status`,
      {
        conditions: list(
          struct(
            `${FLOW_CONTROL}.${kind}Condition`,
            {
              type: text({ omitEmpty: true, goType: `v1.${kind}ConditionType` }),
              status: text({
                omitEmpty: true,
                goType: 'v1.ConditionStatus',
                description: 'True, False or Unknown.',
              }),
              lastTransitionTime: time({ printsNull: true, description: 'When status last changed.' }),
              reason: text({ omitEmpty: true, description: 'One word for programs.' }),
              message: text({ omitEmpty: true, description: 'A sentence for people.' }),
            },
            { description: 'One aspect of its state.' },
          ),
          { listType: 'map', listMapKeys: ['type'], patchStrategy: 'merge', patchMergeKey: 'type' },
        ),
      },
      { description: 'What the server makes of it.' },
    ),
    { default: {} },
  );

export const conditionsOf = (object: KubeObject): readonly Condition[] =>
  (object['status'] as { readonly conditions?: readonly Condition[] } | undefined)?.conditions ?? [];

export function validateConditions(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, { type = '' }] of conditionsOf(object).entries()) {
    const path = `status.conditions[${i}].type`;
    if (seen.has(type)) errors.push(duplicate(path, type));
    seen.add(type);
    if (type === '') errors.push(required(path, 'must not be empty'));
  }
  return errors;
}
