/** What a pod gets that its author left out. Works in place on decoded objects; maps may be shared, so they are copied. */
import { defaultClaimSpec } from './persistent-volume-claim-defaults.js';
import type { Container, EphemeralContainer } from './pod-containers.js';
import type { EnvVar, ResourceFieldSelector } from './pod-env.js';
import { tagOf } from './pod-images.js';
import type { HTTPGetAction, LifecycleHandler, Probe } from './pod-probes.js';
import { aggregateRequests, isPodLevelResource } from './pod-qos.js';
import type { PodSpec } from './pod-spec.js';
import type { DownwardAPIVolumeFile, Volume } from './pod-volumes.js';
import { roundToMilli } from './resource-lists.js';

const TERMINATION_GRACE_SECONDS = 30;
const TERMINATION_MESSAGE_PATH = '/dev/termination-log';
/** 0644 */
const FILE_MODE = 420;
const TOKEN_EXPIRATION_SECONDS = 3600;

type Resources = Record<string, string>;

/** Of every pod spec, in pods and in templates. */
export function defaultPodSpec(spec: PodSpec): void {
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
  spec.restartPolicy ||= 'Always';
  spec.terminationGracePeriodSeconds ??= TERMINATION_GRACE_SECONDS;
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.securityContext ??= {};
  spec.schedulerName ||= 'default-scheduler';
  // The two are one field, under its former and its present name.
  spec.serviceAccountName ||= spec.serviceAccount;
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else delete spec.serviceAccountName;
  roundToMilli(spec, 'overhead');
}

/** Of pods only: controllers' templates keep what their authors wrote. */
export function defaultPodOnly(spec: PodSpec): void {
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const { resources } = container;
    if (resources?.limits) resources.requests = { ...resources.limits, ...resources.requests };
  }
  defaultPodLevelRequests(spec);
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork !== true) return;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    for (const port of container.ports ?? []) {
      if (port.containerPort) port.hostPort ||= port.containerPort;
    }
  }
}

/** What the whole pod requests: what its containers do together, or else its limits. */
function defaultPodLevelRequests(spec: PodSpec): void {
  const { resources } = spec;
  const isSet = Object.keys({ ...resources?.limits, ...resources?.requests }).some(isPodLevelResource);
  if (!resources || !isSet) return;
  const requests: Resources = {};
  for (const [name, amount] of Object.entries({ ...resources.limits, ...aggregateRequests(spec) })) {
    if (isPodLevelResource(name)) requests[name] = amount;
  }
  Object.assign(requests, resources.requests);
  if (Object.keys(requests).length > 0) resources.requests = requests;
}

function defaultContainer(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= pullPolicyOf(container.image);
  container.terminationMessagePath ||= TERMINATION_MESSAGE_PATH;
  container.terminationMessagePolicy ||= 'File';
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const variable of container.env ?? []) defaultEnv(variable);
  if (container.resources) {
    roundToMilli(container.resources, 'limits');
    roundToMilli(container.resources, 'requests');
  }
  defaultProbe(container.livenessProbe);
  defaultProbe(container.readinessProbe);
  defaultProbe(container.startupProbe);
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
}

const pullPolicyOf = (image: string | undefined): string =>
  tagOf(image ?? '') === 'latest' ? 'Always' : 'IfNotPresent';

function defaultEnv({ valueFrom }: EnvVar): void {
  if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= 'v1';
  if (valueFrom?.resourceFieldRef) defaultDivisor(valueFrom.resourceFieldRef);
  if (valueFrom?.fileKeyRef) valueFrom.fileKeyRef.optional ??= false;
}

/** Go prints an absent amount as zero. */
function defaultDivisor(selector: ResourceFieldSelector): void {
  selector.divisor ??= '0';
}

function defaultProbe(probe: Probe | undefined): void {
  if (!probe) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.grpc) probe.grpc.service ??= '';
  defaultHttpGet(probe.httpGet);
}

function defaultHandler(handler: LifecycleHandler | undefined): void {
  defaultHttpGet(handler?.httpGet);
}

function defaultHttpGet(get: HTTPGetAction | undefined): void {
  if (!get) return;
  get.path ||= '/';
  get.scheme ||= 'HTTP';
}

function defaultVolume(volume: Volume): void {
  // The name is the only field: no source at all.
  if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {};
  for (const source of [volume.secret, volume.configMap, volume.downwardAPI, volume.projected]) {
    if (source) source.defaultMode ??= FILE_MODE;
  }
  for (const file of volume.downwardAPI?.items ?? []) defaultDownwardFile(file);
  for (const source of volume.projected?.sources ?? []) {
    if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= TOKEN_EXPIRATION_SECONDS;
    for (const file of source.downwardAPI?.items ?? []) defaultDownwardFile(file);
  }
  if (volume.image) volume.image.pullPolicy ||= pullPolicyOf(volume.image.reference);
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim) defaultClaimSpec(claim);
  defaultDriver(volume);
}

function defaultDownwardFile(file: DownwardAPIVolumeFile): void {
  if (file.fieldRef) file.fieldRef.apiVersion ||= 'v1';
  if (file.resourceFieldRef) defaultDivisor(file.resourceFieldRef);
}

type DriverSources = Pick<Volume, 'hostPath' | 'azureDisk'> & {
  iscsi?: Pick<NonNullable<Volume['iscsi']>, 'iscsiInterface'> | undefined;
  rbd?: Pick<NonNullable<Volume['rbd']>, 'pool' | 'user' | 'keyring'> | undefined;
  scaleIO?: Pick<NonNullable<Volume['scaleIO']>, 'storageMode' | 'fsType'> | undefined;
};

/** Of volumes of pods and of persistent volumes. */
export function defaultDriver({ hostPath, iscsi, rbd, azureDisk, scaleIO }: DriverSources): void {
  if (hostPath) hostPath.type ??= '';
  if (iscsi) iscsi.iscsiInterface ||= 'default';
  if (rbd) {
    rbd.pool ||= 'rbd';
    rbd.user ||= 'admin';
    rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (azureDisk) {
    azureDisk.cachingMode ??= 'ReadWrite';
    azureDisk.fsType ??= 'ext4';
    azureDisk.readOnly ??= false;
    azureDisk.kind ??= 'Shared';
  }
  if (scaleIO) {
    scaleIO.storageMode ||= 'ThinProvisioned';
    scaleIO.fsType ||= 'xfs';
  }
}
