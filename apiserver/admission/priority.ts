/** Priority: turns a pod's priority class into the number that a scheduler reads. */
import type { KubeObject } from '../../schemas/definition.js';
import { type PriorityClass, SYSTEM_PRIORITIES } from '../../schemas/scheduling/v1/priority-class.js';
import { forbidden } from '../errors.js';
import { everyObjectAtHand } from '../registry/every-object.js';
import { type Registries, lookUp } from './lookup.js';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.js';
import { type PodSpec, PODS, isPodItself, podSpecOf } from './pod.js';

const PREEMPT_LOWER = 'PreemptLowerPriority';
export const priority = (registries: Registries): AdmissionPlugin => ({
  name: 'Priority',
  handles: (attributes) =>
    (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') && isPodItself(attributes),
  async admit(attributes) {
    if (attributes.object === undefined) return;
    const spec = podSpecOf(attributes.object);
    if (attributes.operation === 'UPDATE') carryOver(spec, attributes);
    else set(spec, attributes, await classOf(registries, spec, attributes));
  },
});

interface NamedClass extends PriorityClass {
  readonly name: string;
}

/** The class that the pod names, else the one that is everybody's; undefined where there is none. */
async function classOf(
  { table }: Registries,
  { priorityClassName: name }: PodSpec,
  { context }: AdmissionAttributes,
): Promise<NamedClass | undefined> {
  const classes = table.find('scheduling.k8s.io', 'v1', 'priorityclasses');
  if (classes === undefined) return undefined;
  if (!name) {
    const { items } = await classes.list(context, '', everyObjectAtHand);
    const defaults = items.map(({ object }) => named(object)).filter(({ globalDefault }) => globalDefault);
    // Of several, which the API does not prevent, the least important.
    return defaults.sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
  }
  const found = await lookUp(classes, context, '', name);
  return found === undefined ? undefined : named(found);
}

const named = (object: KubeObject): NamedClass => ({ ...object, name: object.metadata.name ?? '' });

/** A PUT that leaves them out means no change. */
function carryOver(spec: PodSpec, { old }: AdmissionAttributes): void {
  const before = (old?.['spec'] ?? {}) as PodSpec;
  if (spec.priority === undefined && before.priority !== undefined) spec.priority = before.priority;
  if (spec.preemptionPolicy === undefined && before.preemptionPolicy !== undefined) {
    spec.preemptionPolicy = before.preemptionPolicy;
  }
}

function set(spec: PodSpec, { name }: AdmissionAttributes, found: NamedClass | undefined): void {
  const className = spec.priorityClassName ?? '';
  const value = found?.value ?? (className === '' ? 0 : SYSTEM_PRIORITIES.get(className));
  if (value === undefined) throw forbidden(PODS, name, `no PriorityClass with name ${className} was found`);
  if (found !== undefined) spec.priorityClassName = found.name;
  const preemption = found?.preemptionPolicy ?? PREEMPT_LOWER;
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
  if (policy !== undefined && policy !== preemption) {
    throw forbidden(
      PODS,
      name,
      `the string value of PreemptionPolicy (${policy}) ${computed} ${preemption} ${from}`,
    );
  }
  spec.preemptionPolicy = preemption;
}
