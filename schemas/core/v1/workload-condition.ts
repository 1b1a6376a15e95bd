/** Conditions of workloads, which are alike but for their names. */
import { list, struct, text } from '../../fields.js';
import { time } from '../../meta/v1.js';

/** The list of a workload's conditions. `goType` is the Go name of their types. */
export const workloadConditions = (structId: string, goType: string) =>
  list(
    struct(
      structId,
      {
        type: text({ default: '', goType }),
        status: text({ default: '', goType: 'v1.ConditionStatus', description: 'True, False or Unknown.' }),
        lastTransitionTime: time({ printsNull: true }),
        reason: text({ omitEmpty: true }),
        message: text({ omitEmpty: true }),
      },
      { description: 'One aspect of its state.', required: ['type', 'status'] },
    ),
    { listType: 'map', listMapKeys: ['type'], patchStrategy: 'merge', patchMergeKey: 'type' },
  );
