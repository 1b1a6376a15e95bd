/** Expressions that must all hold before a webhook is called or a policy evaluated. */
import { addAll } from '../../add-all.js';
import { duplicate, type FieldError, required, tooMany } from '../../field-error.js';
import { list, once, struct, text } from '../../fields.js';
import { validateLabelName } from '../../validation/metadata.js';
import { PREFIX } from './rules.js';

const CONDITIONS_MAX = 64;

const matchCondition = once(() =>
  struct(
    `${PREFIX}.MatchCondition`,
    {
      name: text({ default: '', description: 'A qualified name, for logs and metrics.' }),
      expression: text({ default: '', description: 'In CEL, true or false.' }),
    },
    { description: 'One expression.', required: ['name', 'expression'] },
  ),
);

export const matchConditions = () =>
  list(matchCondition(), {
    listType: 'map',
    listMapKeys: ['name'],
    patchStrategy: 'merge',
    patchMergeKey: 'name',
    description: 'All of them must be true.',
  });

export interface MatchCondition {
  readonly name?: string;
  readonly expression?: string;
}

/** Whether expressions compile is not checked: there is no CEL here yet. */
export function validateMatchConditions(
  conditions: readonly MatchCondition[] | undefined,
  field: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (conditions === undefined) return errors;
  if (conditions.length > CONDITIONS_MAX) errors.push(tooMany(field, conditions.length, CONDITIONS_MAX));
  const names = new Set<string>();
  for (const [i, { name = '', expression = '' }] of conditions.entries()) {
    const path = `${field}[${i}]`;
    if (expression.trim() === '') errors.push(required(`${path}.expression`));
    if (name === '') errors.push(required(`${path}.name`));
    else {
      addAll(errors, validateLabelName(name, `${path}.name`));
      if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
      names.add(name);
    }
  }
  return errors;
}
