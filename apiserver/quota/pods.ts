/** What pods use of a quota, and which scopes they are in. */
import { podResources, qosClassOf } from '../../schemas/core/v1/pod-qos.js';
import { isQuotaHugePages } from '../../schemas/core/v1/pod-resource-validation.js';
import type { PodSpec } from '../../schemas/core/v1/pod-spec.js';
import type { KubeObject } from '../../schemas/definition.js';
import { addQuantities, formatQuantity, type Quantity, quantityOf } from '../../schemas/meta/quantity.js';
import { amountIn, type Amounts, type Usage } from './amounts.js';

const ONE = quantityOf('1');
/** Counted by their own names for requests, too. */
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const COUNTED = new Set([
  'pods',
  'count/pods',
  ...COMPUTE.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
]);
/** Every container must say these where a quota counts them. */
const EXPLICIT = new Set(['cpu', 'memory'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]));

export const countsPods = (name: string): boolean =>
  COUNTED.has(name) || isQuotaHugePages(name) || (name.startsWith('requests.') && name.includes('/'));

const specOf = (pod: KubeObject): PodSpec => pod['spec'] ?? {};

/** It runs no more, and only exists. */
function isFinished(pod: KubeObject): boolean {
  const { phase } = (pod['status'] ?? {}) as { readonly phase?: string };
  return phase === 'Succeeded' || phase === 'Failed';
}

export function podUsage(pod: KubeObject): Usage {
  const usage = new Map<string, Quantity>([['count/pods', ONE]]);
  if (isFinished(pod)) return usage;
  usage.set('pods', ONE);
  const spec = specOf(pod);
  const requests = podResources(spec, 'requests');
  const limits = podResources(spec, 'limits');
  for (const [name, amount] of Object.entries(spec.overhead ?? {})) {
    requests[name] = plus(amountIn(requests, name), amount);
    // What has no limit has none with it.
    const limit = amountIn(limits, name);
    if (limit.value !== 0n) limits[name] = plus(limit, amount);
  }
  addCompute(usage, requests, limits);
  return usage;
}

const plus = (amount: Quantity, more: string): string =>
  formatQuantity(addQuantities(amount, quantityOf(more)));

function addCompute(usage: Map<string, Quantity>, requests: Amounts, limits: Amounts): void {
  for (const [name, amount] of Object.entries(requests)) {
    const quantity = quantityOf(amount);
    usage.set(`requests.${name}`, quantity);
    // Devices are counted as requests only.
    if (!name.includes('/')) usage.set(name, quantity);
  }
  for (const [name, amount] of Object.entries(limits)) {
    if (COMPUTE.includes(name)) usage.set(`limits.${name}`, quantityOf(amount));
  }
}

/** What containers do not say although a quota counts it, as the end of an English sentence; undefined where they do. */
export function podOmissions(pod: KubeObject, counted: readonly string[]): string | undefined {
  const spec = specOf(pod);
  const explicit = counted.filter((name) => EXPLICIT.has(name)).toSorted();
  const ofPod = namesIn(spec.resources);
  const missing: string[] = [];
  for (const resource of explicit) {
    if (ofPod.has(resource)) continue;
    const names = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
      .filter(({ resources }) => !namesIn(resources).has(resource))
      .map(({ name = '' }) => name);
    if (names.length > 0) missing.push(`${resource} for: ${names.toSorted().join(',')}`);
  }
  return missing.length === 0 ? undefined : `must specify ${missing.join('; ')}`;
}

function namesIn(
  resources: { readonly requests?: Amounts | undefined; readonly limits?: Amounts | undefined } | undefined,
): ReadonlySet<string> {
  const usage = new Map<string, Quantity>();
  addCompute(usage, resources?.requests ?? {}, resources?.limits ?? {});
  return new Set(usage.keys());
}

export interface Requirement {
  readonly scopeName?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

export function podIsIn(pod: KubeObject, requirement: Requirement): boolean {
  const spec = specOf(pod);
  const { scopeName } = requirement;
  if (scopeName === 'Terminating') return spec.activeDeadlineSeconds !== undefined;
  if (scopeName === 'NotTerminating') return spec.activeDeadlineSeconds === undefined;
  if (scopeName === 'BestEffort') return qosClassOf(spec) === 'BestEffort';
  if (scopeName === 'NotBestEffort') return qosClassOf(spec) !== 'BestEffort';
  if (scopeName === 'CrossNamespacePodAffinity') return looksElsewhere(spec.affinity);
  return scopeName === 'PriorityClass' && isOneOf(spec.priorityClassName ?? '', requirement);
}

/** `value` '' stands for none. */
export function isOneOf(value: string, { operator, values = [] }: Requirement): boolean {
  if (operator === 'In') return value !== '' && values.includes(value);
  if (operator === 'NotIn') return !values.includes(value);
  return operator === 'DoesNotExist' ? value === '' : value !== '';
}

interface Term {
  readonly namespaces?: readonly string[];
  readonly namespaceSelector?: unknown;
}
interface PodTerms {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly Term[];
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly { readonly podAffinityTerm?: Term }[];
}

/** For pods of other namespaces, when it is scheduled. */
function looksElsewhere(affinity: PodSpec['affinity']): boolean {
  const sides = [affinity?.podAffinity, affinity?.podAntiAffinity] as readonly (PodTerms | undefined)[];
  return sides
    .flatMap((side) => [
      ...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(side?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
        ({ podAffinityTerm }) => podAffinityTerm ?? {},
      ),
    ])
    .some(
      ({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined,
    );
}
