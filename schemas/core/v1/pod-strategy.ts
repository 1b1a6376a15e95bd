/** What happens to pods, and to writes through their subresources, on the way to the store. */
import { addAll } from '../../add-all.js';
import type { KubeObject, Strategy } from '../../definition.js';
import { validatePodAnnotations } from './pod-annotation-validation.js';
import { validateImagePadding } from './pod-container-validation.js';
import type { Container } from './pod-containers.js';
import { defaultPodOnly, defaultPodSpec } from './pod-defaults.js';
import { type FieldError, forbidden } from '../../field-error.js';
import { specOf, statusOf } from './pod-object.js';
import { qosClassOf } from './pod-qos.js';
import { validatePodResize } from './pod-resize-validation.js';
import { mergeLabelKeys } from './pod-label-keys.js';
import type { PodSpec } from './pod-spec.js';
import type { PodStatus } from './pod-status.js';
import { validatePodStatusUpdate } from './pod-status-validation.js';
import { validateEphemeralContainersUpdate, validatePodUpdate } from './pod-update-validation.js';
import { validatePodSpec } from './pod-validation.js';
import { podWarnings } from './pod-warnings.js';

function defaults(pod: KubeObject): void {
  const spec = specOf(pod);
  pod['spec'] = spec;
  defaultPodSpec(spec);
  defaultPodOnly(spec);
  const status = statusOf(pod);
  pod['status'] = status;
  syncAddresses(status);
}

/** podIP is the first of podIPs; where they differ it wins, since old kubelets know only it. */
function syncAddresses(status: PodStatus): void {
  const { podIP, podIPs = [] } = status;
  if (podIP && podIPs[0]?.ip !== podIP) status.podIPs = [{ ip: podIP }];
  else if (podIPs[0]?.ip) status.podIP = podIPs[0].ip;
}

function prepareForCreate(pod: KubeObject): void {
  const spec = specOf(pod);
  const status: PodStatus = { phase: 'Pending' };
  if (spec.schedulingGates) status.conditions = [gatedCondition()];
  status.qosClass = qosClassOf(spec);
  pod['status'] = status;
  mergeLabelKeys(spec, pod.metadata.labels ?? {});
}

const gatedCondition = (): NonNullable<PodStatus['conditions']>[number] => ({
  type: 'PodScheduled',
  status: 'False',
  // Go prints absent times as null.
  ...({ lastProbeTime: null, lastTransitionTime: null } as object),
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
});

function prepareForUpdate(pod: KubeObject, old: KubeObject): void {
  pod['status'] = old['status'];
}

/** Rules that hold for a pod whenever it is written. */
function validatePod(pod: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(pod);
  validatePodAnnotations(errors, pod.metadata.annotations, spec, 'metadata.annotations');
  addAll(errors, validatePodSpec(spec, 'spec', { ofPod: true, podName: pod.metadata.name }));
  if (!spec.serviceAccountName) validateNoTokens(errors, spec);
  for (const name of ['containers', 'initContainers'] as const) {
    for (const [i, container] of (spec[name] ?? []).entries()) {
      validateImagePadding(errors, container, `spec.${name}[${i}]`);
    }
  }
  return errors;
}

function validateNoTokens(errors: FieldError[], spec: PodSpec): void {
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    for (const [j, source] of (volume.projected?.sources ?? []).entries()) {
      if (!source.serviceAccountToken) continue;
      const field = `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`;
      errors.push(forbidden(field, 'must not be specified when serviceAccountName is not set'));
    }
  }
}

function validateCreate(pod: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(pod);
  if (spec.ephemeralContainers) errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  if (spec.nodeName && spec.schedulingGates) {
    errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  return errors;
}

export const podStrategy: Strategy = {
  defaults,
  prepareForCreate,
  prepareForUpdate,
  validate: validatePod,
  validateCreate,
  validateUpdate: validatePodUpdate,
  warnings: podWarnings,
};

export const podStatusStrategy: Strategy = {
  defaults,
  prepareForUpdate(pod, old) {
    pod['spec'] = old['spec'];
    // Old kubelets garble them.
    copyOrDelete(pod.metadata, old.metadata, 'ownerReferences');
    const status = statusOf(pod);
    pod['status'] = status;
    status.qosClass ||= statusOf(old).qosClass;
    if (status.qosClass === undefined) delete status.qosClass;
  },
  validateUpdate: validatePodStatusUpdate,
};

function copyOrDelete<T extends object>(to: T, from: T, key: keyof T): void {
  if (from[key] === undefined) delete to[key];
  else to[key] = from[key];
}

/** Everything but what the subresource is for, and what says which version of the object is meant. */
function keepAllBut(pod: KubeObject, old: KubeObject, spec: Partial<PodSpec>): void {
  const { name, namespace, uid, resourceVersion, managedFields } = pod.metadata;
  pod.metadata = { ...old.metadata };
  Object.assign(
    pod.metadata,
    JSON.parse(JSON.stringify({ name, namespace, uid, resourceVersion, managedFields })),
  );
  pod['spec'] = { ...specOf(old), ...spec };
  pod['status'] = old['status'];
}

export const ephemeralContainersStrategy: Strategy = {
  defaults,
  prepareForUpdate(pod, old) {
    const { ephemeralContainers } = specOf(pod);
    keepAllBut(pod, old, ephemeralContainers ? { ephemeralContainers } : {});
    if (!ephemeralContainers) delete specOf(pod).ephemeralContainers;
  },
  validate: validatePod,
  validateUpdate: validateEphemeralContainersUpdate,
};

export const resizeStrategy: Strategy = {
  defaults,
  prepareForUpdate(pod, old) {
    const spec = specOf(pod);
    const before = specOf(old);
    const resized: Partial<PodSpec> = {};
    for (const name of ['containers', 'initContainers'] as const) {
      const old = new Map(before[name]?.toReversed().map((container) => [container.name, container]));
      const containers = spec[name]?.map((container) => resizedContainer(container, old.get(container.name)));
      if (containers) resized[name] = containers;
    }
    keepAllBut(pod, old, resized);
  },
  validate: validatePod,
  validateUpdate: validatePodResize,
};

function resizedContainer(container: Container, old: Container | undefined): Container {
  if (!old) return container;
  const resized: Container = { ...old };
  copyOrDelete(resized, container, 'resources');
  copyOrDelete(resized, container, 'resizePolicy');
  return resized;
}
