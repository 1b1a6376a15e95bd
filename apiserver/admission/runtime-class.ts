/** RuntimeClass: a pod that names a class gets what running that way costs, and the nodes that can. */
import { sameAmounts } from '../../schemas/core/v1/resource-lists.js';
import { type RuntimeClass, read } from '../../schemas/node/v1/runtime-class.js';
import { forbidden, internal, type StatusError } from '../errors.js';
import { lookUp, type Registries } from './lookup.js';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.js';
import { isPodItself, PODS, type PodSpec, podSpecOf, type Toleration } from './pod.js';
import { mergeTolerations } from './tolerations.js';

const OTHER_OVERHEAD = "Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const NO_OVERHEAD = 'Pod Overhead set without corresponding RuntimeClass defined Overhead';

export const runtimeClass = (registries: Registries): AdmissionPlugin => ({
  name: 'RuntimeClass',
  handles: (attributes) => attributes.operation === 'CREATE' && isPodItself(attributes),
  async admit(attributes) {
    if (attributes.object === undefined) return;
    const spec = podSpecOf(attributes.object);
    const found = await classOf(registries, spec, attributes);
    if (found?.overhead) setOverhead(spec, found.overhead, attributes);
    if (found?.scheduling) setScheduling(spec, found.scheduling, attributes);
  },
  async validate(attributes) {
    if (attributes.object === undefined) return;
    const spec = podSpecOf(attributes.object);
    const found = await classOf(registries, spec, attributes);
    if (found?.overhead) {
      if (!sameAmounts(spec.overhead, found.overhead.podFixed)) throw rejected(attributes, OTHER_OVERHEAD);
    } else if (spec.overhead !== undefined) throw rejected(attributes, NO_OVERHEAD);
  },
});

const rejected = ({ name }: AdmissionAttributes, why: string): StatusError =>
  forbidden(PODS, name, `pod rejected: ${why}`);

async function classOf(
  { table }: Registries,
  { runtimeClassName: name }: PodSpec,
  attributes: AdmissionAttributes,
): Promise<RuntimeClass | undefined> {
  if (name === undefined) return undefined;
  // Upstream's client refuses to ask.
  if (name === '') throw internal('resource name may not be empty');
  const classes = table.find('node.k8s.io', 'v1', 'runtimeclasses');
  const found = classes && (await lookUp(classes, attributes.context, '', name));
  if (found === undefined) throw rejected(attributes, `RuntimeClass ${JSON.stringify(name)} not found`);
  return read(found);
}

function setOverhead(
  spec: PodSpec,
  { podFixed }: NonNullable<RuntimeClass['overhead']>,
  attributes: AdmissionAttributes,
): void {
  if (spec.overhead !== undefined && !sameAmounts(spec.overhead, podFixed)) {
    throw rejected(attributes, OTHER_OVERHEAD);
  }
  if (podFixed !== undefined) spec.overhead = { ...podFixed };
}

function setScheduling(
  spec: PodSpec,
  { nodeSelector = {}, tolerations = [] }: NonNullable<RuntimeClass['scheduling']>,
  { name }: AdmissionAttributes,
): void {
  const selector = spec.nodeSelector ?? {};
  for (const [key, value] of Object.entries(nodeSelector)) {
    const own = Object.hasOwn(selector, key) ? selector[key] : value;
    if (own === value) continue;
    const [theirs, ours] = ['runtimeClass.scheduling', 'pod.spec'].map((at) => `${at}.nodeSelector[${key}]`);
    throw forbidden(PODS, name, `conflict: ${theirs} = ${value}; ${ours} = ${own}`);
  }
  const selected = { ...selector, ...nodeSelector };
  if (Object.keys(selected).length > 0) spec.nodeSelector = selected;
  // zod's types say `| undefined` where ours leave fields out; at run time they are the same.
  const tolerated = mergeTolerations(spec.tolerations ?? [], tolerations as readonly Toleration[]);
  if (tolerated.length > 0) spec.tolerations = tolerated;
}
