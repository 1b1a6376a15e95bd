/** Quality of service: who is stopped first when a node runs out of memory. */
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  type Quantity,
  quantityOf,
} from '../../meta/quantity.js';
import type { Container } from './pod-containers.js';
import type { PodSpec } from './pod-spec.js';

type Resources = Readonly<Record<string, string>>;

const isComputeResource = (name: string): boolean => name === 'cpu' || name === 'memory';

/** Resources that a pod as a whole may ask for. */
export const isPodLevelResource = (name: string): boolean =>
  isComputeResource(name) || name.startsWith('hugepages-');

export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';

class Sum {
  readonly amounts = new Map<string, Quantity>();

  add(list: Resources | undefined): void {
    for (const [name, amount] of Object.entries(list ?? {})) {
      const before = this.amounts.get(name);
      this.amounts.set(
        name,
        before === undefined ? quantityOf(amount) : addQuantities(before, quantityOf(amount)),
      );
    }
  }

  /** Raises each amount to at least the other's. */
  max(other: Sum): void {
    for (const [name, amount] of other.amounts) {
      const before = this.amounts.get(name);
      if (before === undefined || compareQuantities(before, amount) < 0) this.amounts.set(name, amount);
    }
  }
}

/**
 * What the containers request, or may use at most, together: all that run at once, or the largest moment of starting, when an init container
 * runs beside the sidecars before it.
 */
export function aggregateResources(spec: PodSpec, list: 'limits' | 'requests'): Record<string, string> {
  const running = new Sum();
  for (const container of spec.containers ?? []) running.add(container.resources?.[list]);
  const sidecars = new Sum();
  const starting = new Sum();
  for (const container of spec.initContainers ?? []) {
    const amounts = container.resources?.[list];
    if (isSidecar(container)) {
      running.add(amounts);
      sidecars.add(amounts);
      starting.max(sidecars);
    } else {
      const moment = new Sum();
      moment.max(sidecars);
      moment.add(amounts);
      starting.max(moment);
    }
  }
  running.max(starting);
  return Object.fromEntries([...running.amounts].map(([name, amount]) => [name, formatQuantity(amount)]));
}

export const aggregateRequests = (spec: PodSpec): Record<string, string> =>
  aggregateResources(spec, 'requests');

/** The same of the pod: what it says for itself goes before what its containers say. */
export function podResources(spec: PodSpec, list: 'limits' | 'requests'): Record<string, string> {
  const own = Object.entries(spec.resources?.[list] ?? {}).filter(([name]) => isPodLevelResource(name));
  return { ...aggregateResources(spec, list), ...Object.fromEntries(own) };
}

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** Guaranteed when all containers have limits equal to their requests, BestEffort when none asks for anything. */
export function qosClassOf(spec: PodSpec): QosClass {
  const requests = new Sum();
  const limits = new Sum();
  const holders = hasPodLevelResources(spec)
    ? [spec]
    : [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  let guaranteed = true;
  for (const { resources } of holders) {
    requests.add(positive(resources?.requests));
    const limited = positive(resources?.limits);
    limits.add(limited);
    if (Object.keys(limited).length < 2) guaranteed = false;
  }
  if (requests.amounts.size === 0 && limits.amounts.size === 0) return 'BestEffort';
  const equal = [...requests.amounts].every(([name, amount]) => {
    const limit = limits.amounts.get(name);
    return limit !== undefined && compareQuantities(limit, amount) === 0;
  });
  return guaranteed && equal && requests.amounts.size === limits.amounts.size ? 'Guaranteed' : 'Burstable';
}

const hasPodLevelResources = ({ resources }: PodSpec): boolean =>
  Object.keys({ ...resources?.limits, ...resources?.requests }).some(isPodLevelResource);

/** cpu and memory, where they are more than nothing. */
function positive(list: Resources | undefined): Record<string, string> {
  if (list === undefined) return {};
  return Object.fromEntries(
    Object.entries(list).filter(([name, amount]) => isComputeResource(name) && quantityOf(amount).value > 0n),
  );
}
