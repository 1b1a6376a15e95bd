/** What the resize subresource may change: cpu and memory of containers, while the pod runs. */
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../definition.js';
import { type FieldError, forbidden, invalid } from '../../field-error.js';
import { compareQuantities, quantityOf } from '../../meta/quantity.js';
import { MIRROR } from './pod-annotation-validation.js';
import type { Container } from './pod-containers.js';
import { specOf, statusOf, without } from './pod-object.js';
import { isSidecar, qosClassOf } from './pod-qos.js';
import type { PodSpec } from './pod-spec.js';

type Amounts = Readonly<Record<string, string>>;

export function validatePodResize(pod: KubeObject, oldPod: KubeObject): FieldError[] {
  const spec = specOf(pod);
  const old = specOf(oldPod);
  const refusal = refusalOf(oldPod, spec, old);
  if (refusal !== undefined) return [forbidden('[]', refusal)];
  const errors: FieldError[] = [];
  const qos = statusOf(oldPod).qosClass || qosClassOf(old);
  if (qos !== qosClassOf(spec)) {
    const problem = 'Pod QOS Class may not change as a result of resizing';
    errors.push(invalid('spec', statusOf(pod).qosClass ?? '', problem));
  }
  for (const name of ['initContainers', 'containers'] as const) {
    for (const [i, before] of (old[name] ?? []).entries()) {
      const container = spec[name]?.[i];
      if (!container) errors.push(forbidden('spec', 'only cpu and memory resources are mutable'));
      else if (name === 'initContainers' && !isSidecar(before)) validateUnchanged(errors, container, before);
      else validateContainer(errors, container, before, `spec.${name}[${i}].resources`);
    }
  }
  if (errors.length === 0 && !isDeepStrictEqual(withoutContainers(spec), withoutContainers(old))) {
    errors.push(forbidden('spec', 'only cpu and memory resources are mutable'));
  }
  return errors;
}

function refusalOf(oldPod: KubeObject, spec: PodSpec, old: PodSpec): string | undefined {
  if (hasPodLevel(spec) || hasPodLevel(old)) return 'pods with pod-level resources cannot be resized';
  if (Object.hasOwn(oldPod.metadata.annotations ?? {}, MIRROR)) return 'static pods cannot be resized';
  return old.os?.name === 'windows' ? 'windows pods cannot be resized' : undefined;
}

const hasPodLevel = ({ resources }: PodSpec): boolean =>
  Object.keys({ ...resources?.limits, ...resources?.requests }).length > 0;

const withoutContainers = (spec: PodSpec): object => without(spec, 'containers', 'initContainers');

function validateUnchanged(errors: FieldError[], container: Container, before: Container): void {
  if (!isDeepStrictEqual(container, before)) {
    errors.push(forbidden('spec', 'resources for non-sidecar init containers are immutable'));
  }
}

function validateContainer(
  errors: FieldError[],
  container: Container,
  before: Container,
  field: string,
): void {
  const { limits = {}, requests = {} } = container.resources ?? {};
  const { limits: oldLimits = {}, requests: oldRequests = {} } = before.resources ?? {};
  if (isAnyRemoved(requests, oldRequests)) {
    errors.push(forbidden(`${field}.requests`, 'resource requests cannot be removed'));
  }
  if (isAnyRemoved(limits, oldLimits)) {
    errors.push(forbidden(`${field}.limits`, 'resource limits cannot be removed'));
  }
  const restart = container.resizePolicy?.find((policy) => policy.resourceName === 'memory')?.restartPolicy;
  if (restart !== 'RestartContainer')
    validateMemoryLimit(errors, limits, oldLimits, `${field}.limits[memory]`);
  if (!isDeepStrictEqual(withoutComputeChanges(container, before), before)) {
    const whose = isSidecar(before) && field.includes('initContainers') ? ' for sidecar containers' : '';
    errors.push(forbidden('spec', `only cpu and memory resources${whose} are mutable`));
  }
}

const isAnyRemoved = (amounts: Amounts, old: Amounts): boolean =>
  Object.keys(old).some((name) => !Object.hasOwn(amounts, name));

/** A running container cannot give memory back. */
function validateMemoryLimit(errors: FieldError[], limits: Amounts, old: Amounts, field: string): void {
  const { memory } = limits;
  if (memory === undefined) return;
  if (old['memory'] === undefined) {
    errors.push(forbidden(field, 'memory limits cannot be added unless resizePolicy is RestartContainer'));
  } else if (compareQuantities(quantityOf(memory), quantityOf(old['memory'])) < 0) {
    errors.push(
      forbidden(field, 'memory limits cannot be decreased unless resizePolicy is RestartContainer'),
    );
  }
}

/** The new container with the old one's cpu and memory. */
function withoutComputeChanges(container: Container, before: Container): Container {
  const resources: NonNullable<Container['resources']> = { ...container.resources };
  for (const name of ['limits', 'requests'] as const) {
    const list = withOldCompute(resources[name], before.resources?.[name]);
    if (Object.keys(list).length > 0) resources[name] = list;
    else delete resources[name];
  }
  return { ...container, resources };
}

function withOldCompute(amounts: Amounts | undefined, old: Amounts | undefined): Record<string, string> {
  const list: Record<string, string> = { ...amounts };
  for (const name of ['cpu', 'memory']) {
    const amount = old?.[name];
    if (amount === undefined) delete list[name];
    else list[name] = amount;
  }
  return list;
}
