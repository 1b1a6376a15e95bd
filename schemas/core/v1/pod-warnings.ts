/** What is allowed in pods and templates and yet most likely not meant. */
import type { KubeObject } from '../../definition.js';
import { quantityOf } from '../../meta/quantity.js';
import { dns1123Label } from '../../validation/names.js';
import type { PersistentVolumeClaimSpec } from './persistent-volume-claim-schema.js';
import type { Container } from './pod-containers.js';
import { specOf } from './pod-object.js';
import type { PodSpec } from './pod-spec.js';
import type { PodTemplateSpec } from './pod-template.js';
import type { Volume } from './pod-volumes.js';

export function podWarnings(pod: KubeObject, old?: KubeObject): string[] {
  const warnings: string[] = [];
  const { name = '' } = pod.metadata;
  const problems = old === undefined ? dns1123Label(name) : [];
  if (problems.length > 0) {
    warnings.push(
      `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
    );
  }
  addSpecWarnings(warnings, specOf(pod), 'spec');
  return warnings;
}

/** `field` is the path of the template: `spec.template`. */
export function podTemplateWarnings({ spec = {} }: PodTemplateSpec, field: string): string[] {
  const warnings: string[] = [];
  addSpecWarnings(warnings, spec, `${field}.spec`);
  return warnings;
}

/** Names of workloads become part of the names of their pods. */
export function podNameWarnings({ metadata: { name = '' } }: KubeObject): string[] {
  const problems = dns1123Label(name);
  if (problems.length === 0) return [];
  return [
    `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
  ];
}

/** Whether warnings about an object's spec are due: it is new or its spec has changed. */
export const isNewIntent = (object: KubeObject, old: KubeObject | undefined): boolean =>
  old === undefined || object.metadata.generation !== old.metadata.generation;

function addSpecWarnings(warnings: string[], spec: PodSpec, field: string): void {
  addNodeLabelWarnings(warnings, spec, field);
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    addVolumeWarnings(warnings, volume, `${field}.volumes[${i}]`);
  }
  for (const [i, { name }] of (spec.imagePullSecrets ?? []).entries()) {
    if (!name) warnings.push(`${field}.imagePullSecrets[${i}].name: invalid empty name ""`);
  }
  for (const list of ['initContainers', 'containers'] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) {
      addContainerWarnings(warnings, container, `${field}.${list}[${i}]`);
    }
  }
  addQuantityWarnings(warnings, spec.overhead, `${field}.overhead`);
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(
      `${field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  }
}

const DEPRECATED_NODE_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region':
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone':
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type':
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** Why a label of nodes should no longer be used; undefined where it may be. */
export const deprecatedNodeLabel = (label: string): string | undefined =>
  Object.hasOwn(DEPRECATED_NODE_LABELS, label) ? DEPRECATED_NODE_LABELS[label] : undefined;

function addNodeLabelWarnings(warnings: string[], spec: PodSpec, field: string): void {
  for (const key of Object.keys(spec.nodeSelector ?? {})) {
    const warning = deprecatedNodeLabel(key);
    if (warning) warnings.push(`${field}.nodeSelector[${key}]: ${warning}`);
  }
  for (const [i, { topologyKey = '' }] of (spec.topologySpreadConstraints ?? []).entries()) {
    const warning = deprecatedNodeLabel(topologyKey);
    if (warning)
      warnings.push(`${field}.topologySpreadConstraints[${i}].topologyKey: ${topologyKey} is ${warning}`);
  }
}

const DEPRECATED_VOLUMES = {
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
} as const;

function addVolumeWarnings(warnings: string[], volume: Volume, field: string): void {
  for (const [name, warning] of Object.entries(DEPRECATED_VOLUMES)) {
    if (volume[name as keyof typeof DEPRECATED_VOLUMES]) warnings.push(`${field}.${name}: ${warning}`);
  }
  addByteWarning(warnings, volume.emptyDir?.sizeLimit, `${field}.emptyDir.sizeLimit`);
}

function addContainerWarnings(warnings: string[], container: Container, field: string): void {
  const seen = new Set<string>();
  for (const [i, { name = '', value }] of (container.env ?? []).entries()) {
    // Adding to a variable by its own earlier value is meant.
    if (seen.has(name) && !value?.includes(`$(${name})`)) {
      warnings.push(
        `${field}.env[${i}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
      );
    }
    seen.add(name);
  }
  addPortWarnings(warnings, container.ports ?? [], `${field}.ports`);
  addQuantityWarnings(warnings, container.resources?.limits, `${field}.resources.limits`);
  addQuantityWarnings(warnings, container.resources?.requests, `${field}.resources.requests`);
}

function addPortWarnings(warnings: string[], ports: NonNullable<Container['ports']>, field: string): void {
  const seen = new Map<string, number>();
  for (const [i, { containerPort = 0, hostPort = 0, protocol = '', hostIP = '' }] of ports.entries()) {
    const key = `${containerPort}/${hostPort}/${protocol}/${hostIP}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, i);
    else warnings.push(`${field}[${i}]: duplicate port definition with ${field}[${first}]`);
  }
}

/** Bytes come whole. */
function addByteWarning(warnings: string[], amount: string | undefined, field: string): void {
  if (amount === undefined) return;
  const { value, exponent } = quantityOf(amount);
  if (exponent >= 0 || value % 10n ** BigInt(-exponent) === 0n) return;
  warnings.push(`${field}: fractional byte value "${amount}" is invalid, must be an integer`);
}

/** What a claim asks for, in the template of a claim too. */
export function addClaimWarnings(warnings: string[], spec: PersistentVolumeClaimSpec, field: string): void {
  for (const list of ['requests', 'limits'] as const) {
    addByteWarning(warnings, spec.resources?.[list]?.['storage'], `${field}.resources.${list}[storage]`);
  }
}

function addQuantityWarnings(
  warnings: string[],
  amounts: Readonly<Record<string, string>> | undefined,
  field: string,
): void {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    const isBytes = name === 'memory' || name === 'ephemeral-storage';
    if (isBytes) addByteWarning(warnings, amount, `${field}[${name}]`);
  }
}
