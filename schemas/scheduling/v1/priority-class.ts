/** PriorityClass: a name for how important pods are. */
import { ageColumn, column, nameColumn } from '../../columns.js';
import type { KubeObject, ResourceDefinition, Strategy } from '../../definition.js';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { bool, int32, once, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { FIELD_IMMUTABLE } from '../../validation/metadata.js';
import { nameIs } from '../../validation/names.js';
import { STANDARD_VERBS } from '../../verbs.js';

export interface PriorityClass {
  value?: number;
  globalDefault?: boolean;
  description?: string;
  preemptionPolicy?: string;
}
const read = (object: KubeObject) => object as PriorityClass;

/** The largest value of a class that is not the system's. */
const USER_PRIORITY_MAX = 1_000_000_000;
const SYSTEM_PREFIX = 'system-';
/** The classes that the system has. */
export const SYSTEM_PRIORITIES: ReadonlyMap<string, number> = new Map([
  ['system-cluster-critical', 2_000_000_000],
  ['system-node-critical', 2_000_001_000],
]);
const DEFAULT_POLICY = 'PreemptLowerPriority';
/** In the order upstream prints them. */
const POLICIES = [DEFAULT_POLICY, 'Never'];

function systemProblem(
  name: string,
  { value = 0, globalDefault = false }: PriorityClass,
): string | undefined {
  const known = SYSTEM_PRIORITIES.get(name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

function validate(object: KubeObject): FieldError[] {
  const { value = 0, preemptionPolicy } = read(object);
  const { name = '' } = object.metadata;
  const errors: FieldError[] = [];
  if (name.startsWith(SYSTEM_PREFIX)) {
    const problem = systemProblem(name, read(object));
    if (problem !== undefined) {
      const reserved = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only`;
      errors.push(forbidden('metadata.name', `${reserved}. error: ${problem}`));
    }
  } else if (value > USER_PRIORITY_MAX) {
    errors.push(
      forbidden('value', `maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`),
    );
  }
  if (preemptionPolicy === '') errors.push(required('preemptionPolicy'));
  else if (preemptionPolicy !== undefined && !POLICIES.includes(preemptionPolicy)) {
    errors.push(notSupported('preemptionPolicy', preemptionPolicy, POLICIES));
  }
  return errors;
}

function validateUpdate(object: KubeObject, oldObject: KubeObject): FieldError[] {
  const { value, preemptionPolicy } = read(object);
  const old = read(oldObject);
  const errors: FieldError[] = [];
  if (value !== old.value) errors.push(forbidden('value', 'may not be changed in an update.'));
  if (preemptionPolicy !== old.preemptionPolicy) {
    errors.push(invalid('preemptionPolicy', preemptionPolicy, FIELD_IMMUTABLE));
  }
  return errors;
}

const strategy: Strategy = {
  defaults(object) {
    const priorityClass = read(object);
    priorityClass.value ??= 0;
    priorityClass.preemptionPolicy ??= DEFAULT_POLICY;
  },
  validate,
  validateUpdate,
};

export const priorityClasses: ResourceDefinition = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  listKind: 'PriorityClassList',
  plural: 'priorityclasses',
  singular: 'priorityclass',
  shortNames: ['pc'],
  categories: [],
  namespaced: false,
  verbs: STANDARD_VERBS,
  etcdPrefix: 'priorityclasses',
  description: 'A name for how important pods are to the scheduler.',
  schema: once(() =>
    kubeObject(
      'io.k8s.api.scheduling.v1.PriorityClass',
      {
        value: int32({ default: 0, description: 'The greater, the more important. Never changes.' }),
        globalDefault: bool({ omitEmpty: true, description: 'The class of pods that name none.' }),
        description: text({ omitEmpty: true, description: 'For people.' }),
        preemptionPolicy: text({
          enum: ['Never', DEFAULT_POLICY],
          description: 'Whether its pods may push others off a node.',
        }),
      },
      { description: 'A name for how important pods are to the scheduler.' },
    ),
  ),
  strategy,
  subresources: [],
  columns: [
    nameColumn,
    column('Value', 'How important its pods are.', (object) => read(object).value ?? 0, { type: 'integer' }),
    column(
      'Global-Default',
      'Whether it is the class of pods that name none.',
      (object) => read(object).globalDefault ?? false,
      { type: 'boolean' },
    ),
    ageColumn,
    column(
      'PreemptionPolicy',
      'Whether its pods push others off a node.',
      (object) => read(object).preemptionPolicy ?? '',
    ),
  ],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: true,
};
