/**
 * LimitRanger: containers that do not say what they need get what the namespace's limit ranges say, and what asks for
 * too little or too much is refused.
 */
import { limitsOf } from '../../schemas/core/v1/limit-range.js';
import type { PodSpec } from '../../schemas/core/v1/pod-spec.js';
import type { KubeObject } from '../../schemas/definition.js';
import { forbidden } from '../errors.js';
import { everyObjectAtHand } from '../registry/every-object.js';
import { claimProblems, podProblems } from './limit-constraints.js';
import type { Registries } from './lookup.js';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.js';

const ANNOTATION = 'kubernetes.io/limit-ranger';

type Amounts = Readonly<Record<string, string>>;

/** A pod's containers never change, but what they may use can; claims can grow. */
function handles({ operation, definition: { group, plural }, subresource }: AdmissionAttributes): boolean {
  if (group !== '') return false;
  if (plural === 'pods') {
    return operation === 'CREATE' ? subresource === '' : operation === 'UPDATE' && subresource === 'resize';
  }
  return (
    plural === 'persistentvolumeclaims' &&
    subresource === '' &&
    (operation === 'CREATE' || operation === 'UPDATE')
  );
}

export const limitRanger = (registries: Registries): AdmissionPlugin => ({
  name: 'LimitRanger',
  handles,
  async admit(attributes) {
    const { object, definition } = attributes;
    if (object === undefined || definition.plural !== 'pods') return;
    for (const range of await rangesFor(registries, attributes)) setDefaults(object, range);
  },
  async validate(attributes) {
    const { object, definition, name } = attributes;
    if (object === undefined) return;
    for (const range of await rangesFor(registries, attributes)) {
      const problems =
        definition.plural === 'pods'
          ? podProblems(object['spec'] ?? {}, limitsOf(range))
          : claimProblems(object, limitsOf(range));
      if (problems.length === 0) continue;
      const texts = [...new Set(problems)];
      const why = texts.length === 1 ? texts.join() : `[${texts.join(', ')}]`;
      throw forbidden({ group: '', name: definition.plural }, name, why);
    }
  },
});

/** Of the object's namespace; none for what is being deleted. */
async function rangesFor(
  { table }: Registries,
  { old, context, namespace }: AdmissionAttributes,
): Promise<readonly KubeObject[]> {
  if (old?.metadata.deletionTimestamp !== undefined) return [];
  const ranges = table.find('', 'v1', 'limitranges');
  if (ranges === undefined) return [];
  const { items } = await ranges.list(context, namespace, everyObjectAtHand);
  return items.map(({ object }) => object);
}

function setDefaults(pod: KubeObject, range: KubeObject): void {
  let limits: Amounts = {};
  let requests: Amounts = {};
  for (const item of limitsOf(range)) {
    if (item.type !== 'Container') continue;
    limits = { ...limits, ...item.default };
    requests = { ...requests, ...item.defaultRequest };
  }
  const { containers = [], initContainers = [] } = (pod['spec'] ?? {}) as PodSpec;
  const done = [
    ...containers.flatMap((container) => fill(container, 'container', { limits, requests })),
    ...initContainers.flatMap((container) => fill(container, 'init container', { limits, requests })),
  ];
  if (done.length === 0) return;
  const text = `LimitRanger plugin set: ${done.join('; ')}`;
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: text };
}

/** Says what was set, as English phrases. */
function fill(
  container: NonNullable<PodSpec['containers']>[number],
  kind: string,
  defaults: { readonly limits: Amounts; readonly requests: Amounts },
): string[] {
  const phrases: string[] = [];
  for (const [list, word] of [
    ['requests', 'request'],
    ['limits', 'limit'],
  ] as const) {
    const given = container.resources?.[list] ?? {};
    const missing = Object.keys(defaults[list]).filter((name) => !Object.hasOwn(given, name));
    if (missing.length === 0) continue;
    const added = Object.fromEntries(missing.map((name) => [name, defaults[list][name] ?? '0']));
    container.resources = { ...container.resources, [list]: { ...given, ...added } };
    phrases.push(`${missing.sort().join(', ')} ${word} for ${kind} ${container.name ?? ''}`);
  }
  return phrases;
}
