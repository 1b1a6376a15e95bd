/** Priority: turns a pod's priority class into the number that a scheduler reads. */
import { forbidden } from '../errors.js';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.js';
import { type PodSpec, PODS, isPodItself, podSpecOf } from './pod.js';

const PREEMPT_LOWER = 'PreemptLowerPriority';
/** The classes that exist without being made. */
const SYSTEM_CLASSES = new Map([
  ['system-cluster-critical', 2_000_000_000],
  ['system-node-critical', 2_000_001_000],
]);

export const priority: AdmissionPlugin = {
  name: 'Priority',
  handles: (attributes) =>
    (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') && isPodItself(attributes),
  admit(attributes) {
    if (attributes.object === undefined) return;
    const spec = podSpecOf(attributes.object);
    if (attributes.operation === 'UPDATE') carryOver(spec, attributes);
    else set(spec, attributes);
  },
};

/** A PUT that leaves them out means no change. */
function carryOver(spec: PodSpec, { old }: AdmissionAttributes): void {
  const before = (old?.['spec'] ?? {}) as PodSpec;
  if (spec.priority === undefined && before.priority !== undefined) spec.priority = before.priority;
  if (spec.preemptionPolicy === undefined && before.preemptionPolicy !== undefined) {
    spec.preemptionPolicy = before.preemptionPolicy;
  }
}

function set(spec: PodSpec, { name }: AdmissionAttributes): void {
  const className = spec.priorityClassName ?? '';
  const value = className === '' ? 0 : SYSTEM_CLASSES.get(className);
  if (value === undefined) throw forbidden(PODS, name, `no PriorityClass with name ${className} was found`);
  const computed = 'must not be provided in pod spec; priority admission controller computed';
  const from = 'from the given PriorityClass name';
  if (spec.priority !== undefined && spec.priority !== value) {
    throw forbidden(
      PODS,
      name,
      `the integer value of priority (${spec.priority}) ${computed} ${value} ${from}`,
    );
  }
  spec.priority = value;
  const policy = spec.preemptionPolicy;
  if (policy !== undefined && policy !== PREEMPT_LOWER) {
    throw forbidden(
      PODS,
      name,
      `the string value of PreemptionPolicy (${policy}) ${computed} ${PREEMPT_LOWER} ${from}`,
    );
  }
  spec.preemptionPolicy = PREEMPT_LOWER;
}
