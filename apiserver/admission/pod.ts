/** The parts of a Pod that admission reads and changes, before validation has seen them: every field may be absent. */
import type { KubeObject } from '../../schemas/definition.js';
import type { AdmissionAttributes } from './plugin.js';

export interface VolumeMount {
  name?: string;
  readOnly?: boolean;
  mountPath?: string;
}

export interface Container {
  name?: string;
  volumeMounts?: VolumeMount[];
  env?: {
    name?: string;
    valueFrom?: { secretKeyRef?: { name?: string } };
  }[];
  envFrom?: { secretRef?: { name?: string } }[];
}

export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

export interface Volume {
  name?: string;
  secret?: { secretName?: string };
  projected?: unknown;
}

export interface PodSpec {
  serviceAccountName?: string;
  /** Former name of serviceAccountName, still printed beside it. */
  serviceAccount?: string;
  automountServiceAccountToken?: boolean;
  imagePullSecrets?: { name?: string }[];
  volumes?: Volume[];
  initContainers?: Container[];
  containers?: Container[];
  tolerations?: Toleration[];
  priority?: number;
  priorityClassName?: string;
  preemptionPolicy?: string;
  runtimeClassName?: string;
  overhead?: Record<string, string>;
  nodeSelector?: Record<string, string>;
}

export const PODS = { group: '', name: 'pods' };

/** The spec, made where there is none. */
export const podSpecOf = (pod: KubeObject): PodSpec => (pod['spec'] ??= {});

export function isPodItself({ definition, subresource }: AdmissionAttributes): boolean {
  return definition.plural === 'pods' && definition.group === '' && subresource === '';
}

/** A copy of a pod that a kubelet runs from a file; its spec is not ours to change. */
export function isMirrorPod({ metadata }: KubeObject): boolean {
  return (
    metadata.annotations !== undefined && Object.hasOwn(metadata.annotations, 'kubernetes.io/config.mirror')
  );
}
