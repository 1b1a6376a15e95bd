/**
 * How a job finds its pods: unless its author takes care of that, by its uid, which the server writes into the pods' labels
 * and the selector. Each label stands there under its former name too.
 */
import type { KubeObject } from '../../definition.js';
import { type FieldError, invalid, required } from '../../field-error.js';
import { selectorMatches, shownSelector, sortedByKey } from '../../validation/selectors.js';
import { type JobSpec, specOf } from './job-schema.js';

const UID = 'batch.kubernetes.io/controller-uid';
const NAME = 'batch.kubernetes.io/job-name';
const FORMER_UID = 'controller-uid';
const FORMER_NAME = 'job-name';

/** Labels of all pods of the job. */
function ownLabels({ metadata: { name = '', uid = '' } }: KubeObject): Record<string, string> {
  return { [UID]: uid, [NAME]: name, [FORMER_UID]: uid, [FORMER_NAME]: name };
}

/** What the author wrote instead stays, and is refused where it is wrong. */
export function generateSelector(object: KubeObject): void {
  const spec = specOf(object);
  if (spec.manualSelector) return;
  const own = ownLabels(object);
  const template = (spec.template ??= {});
  template.metadata = { ...template.metadata, labels: { ...own, ...template.metadata?.labels } };
  const { selector } = spec;
  const uid = object.metadata.uid ?? '';
  spec.selector = { ...selector, matchLabels: { [UID]: uid, ...selector?.matchLabels } };
}

/** Jobs that were made before the present names were used have only the former ones. */
export const hasPresentLabels = ({ template }: JobSpec): boolean => {
  const labels = template?.metadata?.labels ?? {};
  return Object.hasOwn(labels, NAME) && Object.hasOwn(labels, UID);
};

export function validateGeneratedSelector(
  errors: FieldError[],
  object: KubeObject,
  withPresentLabels: boolean,
): void {
  const { manualSelector, selector, template } = specOf(object);
  if (manualSelector || selector === undefined) return;
  if (!object.metadata.uid) errors.push(required('metadata.uid'));
  const labels = template?.metadata?.labels ?? {};
  const own = ownLabels(object);
  const keys = [FORMER_UID, FORMER_NAME, ...(withPresentLabels ? [UID, NAME] : [])];
  const expected: Record<string, string> = {};
  for (const key of keys) {
    const value = own[key] ?? '';
    expected[key] = value;
    const field = `spec.template.metadata.labels[${key}]`;
    const problem = `must be '${value}'`;
    if (!Object.hasOwn(labels, key)) errors.push(required(field, problem));
    else if (labels[key] !== value) errors.push(invalid(field, sortedByKey(labels), problem));
  }
  if (!selectorMatches(selector, expected)) {
    errors.push(invalid('spec.selector', shownSelector(selector), '`selector` not auto-generated'));
  }
}
