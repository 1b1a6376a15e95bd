/** Expressions that a policy's other expressions use by name. */
import { type FieldError, invalid, required } from '../../field-error.js';
import { once, struct, text } from '../../fields.js';
import { PREFIX } from './rules.js';

const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
/** Words of CEL, which name no variable. */
const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

export const variable = once(() =>
  struct(
    `${PREFIX}.Variable`,
    {
      name: text({ default: '', description: 'Others say `variables.` and this.' }),
      expression: text({ default: '', description: 'In CEL; may use variables before it.' }),
    },
    { description: 'A named expression.', required: ['name', 'expression'], mapType: 'atomic' },
  ),
);

export interface Variable {
  readonly name?: string;
  readonly expression?: string;
}

export function validateVariable({ name = '', expression = '' }: Variable, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (name.trim() === '') errors.push(required(`${field}.name`, 'name is not specified'));
  else if (!IDENTIFIER.test(name) || RESERVED.has(name)) {
    errors.push(invalid(`${field}.name`, name, 'name is not a valid CEL identifier'));
  }
  if (expression.trim() === '') {
    errors.push(required(`${field}.expression`, 'expression is not specified'));
  }
  return errors;
}
