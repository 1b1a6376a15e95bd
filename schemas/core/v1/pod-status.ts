/** What is known of a running pod. */
import type * as z from 'zod';
import { bool, describe, int32, int64, list, once, struct, text } from '../../fields.js';
import { time } from '../../meta/scalars.js';
import { resourceList, resourceRequirements } from './pod-resources.js';
import { SIGNALS } from './pod-signals.js';

export type PodStatus = z.infer<ReturnType<typeof podStatus>>;
export type PodCondition = z.infer<ReturnType<typeof podCondition>>;
export type ContainerStatus = z.infer<ReturnType<typeof containerStatus>>;

const CORE = 'io.k8s.api.core.v1';

export const podCondition = once(() =>
  struct(
    `${CORE}.PodCondition`,
    {
      type: text({ default: '', goType: 'v1.PodConditionType' }),
      observedGeneration: int64({ omitEmpty: true }),
      status: text({ default: '', goType: 'v1.ConditionStatus', description: 'True, False or Unknown.' }),
      lastProbeTime: time({ printsNull: true }),
      lastTransitionTime: time({ printsNull: true }),
      reason: text({ omitEmpty: true }),
      message: text({ omitEmpty: true }),
    },
    { description: 'One aspect of the state of a pod.', required: ['type', 'status'] },
  ),
);

export const hostIP = once(() =>
  struct(
    `${CORE}.HostIP`,
    {
      ip: text({ default: '' }),
    },
    { description: 'An address of the node.', required: ['ip'] },
  ),
);

export const podIP = once(() =>
  struct(
    `${CORE}.PodIP`,
    {
      ip: text({ default: '' }),
    },
    { description: 'An address of the pod.', required: ['ip'] },
  ),
);

export const containerStateWaiting = once(() =>
  struct(
    `${CORE}.ContainerStateWaiting`,
    {
      reason: text({ omitEmpty: true }),
      message: text({ omitEmpty: true }),
    },
    { description: 'Not running yet.' },
  ),
);

export const containerStateRunning = once(() =>
  struct(
    `${CORE}.ContainerStateRunning`,
    {
      startedAt: time({ printsNull: true }),
    },
    { description: 'Running.' },
  ),
);

export const containerStateTerminated = once(() =>
  struct(
    `${CORE}.ContainerStateTerminated`,
    {
      exitCode: int32({ default: 0 }),
      signal: int32({ omitEmpty: true }),
      reason: text({ omitEmpty: true }),
      message: text({ omitEmpty: true }),
      startedAt: time({ printsNull: true }),
      finishedAt: time({ printsNull: true }),
      containerID: text({ omitEmpty: true }),
    },
    { description: 'Has ended.', required: ['exitCode'] },
  ),
);

export const containerState = once(() =>
  struct(
    `${CORE}.ContainerState`,
    {
      waiting: containerStateWaiting(),
      running: containerStateRunning(),
      terminated: containerStateTerminated(),
    },
    { description: 'At most one field is set; none means waiting.' },
  ),
);

export const imageVolumeStatus = once(() =>
  struct(
    `${CORE}.ImageVolumeStatus`,
    {
      imageRef: text({ omitEmpty: true }),
    },
    { description: 'The image a volume was filled from.', required: ['imageRef'] },
  ),
);

export const volumeStatus = once(() =>
  struct(
    `${CORE}.VolumeStatus`,
    {
      image: imageVolumeStatus(),
    },
    { description: 'What is known of a mounted volume.' },
  ),
);

export const volumeMountStatus = once(() =>
  struct(
    `${CORE}.VolumeMountStatus`,
    {
      name: text({ default: '' }),
      mountPath: text({ default: '' }),
      readOnly: bool({ omitEmpty: true }),
      recursiveReadOnly: text({ goType: 'v1.RecursiveReadOnlyMode' }),
      volumeStatus: volumeStatus(),
    },
    { description: 'How a volume is mounted.', required: ['name', 'mountPath'] },
  ),
);

export const linuxContainerUser = once(() =>
  struct(
    `${CORE}.LinuxContainerUser`,
    {
      uid: int64({ default: 0 }),
      gid: int64({ default: 0 }),
      supplementalGroups: list(int64(), { listType: 'atomic' }),
    },
    { description: 'User and groups of the first process.', required: ['uid', 'gid'] },
  ),
);

export const containerUser = once(() =>
  struct(
    `${CORE}.ContainerUser`,
    {
      linux: linuxContainerUser(),
    },
    { description: 'Who the first process runs as.' },
  ),
);

export const resourceHealth = once(() =>
  struct(
    `${CORE}.ResourceHealth`,
    {
      resourceID: text({ default: '', goType: 'v1.ResourceID' }),
      health: text({
        omitEmpty: true,
        goType: 'v1.ResourceHealthStatus',
        description: 'Healthy, Unhealthy or Unknown.',
      }),
      message: text(),
    },
    { description: 'Whether a device works.', required: ['resourceID'] },
  ),
);

export const resourceStatus = once(() =>
  struct(
    `${CORE}.ResourceStatus`,
    {
      name: text({ default: '', goType: 'v1.ResourceName' }),
      resources: list(resourceHealth(), { listType: 'map', listMapKeys: ['resourceID'] }),
    },
    { description: 'Devices of one resource.', required: ['name'] },
  ),
);

export const containerStatus = once(() =>
  struct(
    `${CORE}.ContainerStatus`,
    {
      name: text({ default: '' }),
      state: describe(containerState(), { default: {} }),
      lastState: describe(containerState(), {
        default: {},
        description: 'How it ended before the last restart.',
      }),
      ready: bool({ default: false, description: 'Passes its readiness probe.' }),
      restartCount: int32({ default: 0 }),
      image: text({ default: '' }),
      imageID: text({ default: '' }),
      containerID: text({ omitEmpty: true }),
      started: bool(),
      allocatedResources: resourceList(),
      resources: resourceRequirements(),
      volumeMounts: list(volumeMountStatus(), {
        listType: 'map',
        patchMergeKey: 'mountPath',
        patchStrategy: 'merge',
        listMapKeys: ['mountPath'],
      }),
      user: containerUser(),
      allocatedResourcesStatus: list(resourceStatus(), {
        listType: 'map',
        patchMergeKey: 'name',
        patchStrategy: 'merge',
        listMapKeys: ['name'],
      }),
      stopSignal: text({ goType: 'v1.Signal', enum: SIGNALS }),
    },
    {
      description: 'What is known of a container.',
      required: ['name', 'ready', 'restartCount', 'image', 'imageID'],
    },
  ),
);

export const podResourceClaimStatus = once(() =>
  struct(
    `${CORE}.PodResourceClaimStatus`,
    {
      name: text({ default: '' }),
      resourceClaimName: text(),
    },
    { description: 'The claim that was made for an entry of resourceClaims.', required: ['name'] },
  ),
);

export const containerExtendedResourceRequest = once(() =>
  struct(
    `${CORE}.ContainerExtendedResourceRequest`,
    {
      containerName: text({ default: '' }),
      resourceName: text({ default: '' }),
      requestName: text({ default: '' }),
    },
    {
      description: 'An extended resource served by a claim.',
      required: ['containerName', 'resourceName', 'requestName'],
    },
  ),
);

export const podExtendedResourceClaimStatus = once(() =>
  struct(
    `${CORE}.PodExtendedResourceClaimStatus`,
    {
      requestMappings: list(containerExtendedResourceRequest(), { listType: 'atomic' }),
      resourceClaimName: text({ default: '' }),
    },
    {
      description: 'The claim made for extended resources.',
      required: ['requestMappings', 'resourceClaimName'],
    },
  ),
);

export const nodeAllocatableResourceClaimStatus = once(() =>
  struct(
    `${CORE}.NodeAllocatableResourceClaimStatus`,
    {
      resourceClaimName: text({ default: '' }),
      containers: list(text(), { listType: 'set' }),
      resources: resourceList(),
    },
    {
      description: "What a claim takes of the node's own resources.",
      required: ['resourceClaimName', 'resources'],
    },
  ),
);

export const podStatus = once(() =>
  struct(
    `${CORE}.PodStatus`,
    {
      observedGeneration: int64({
        omitEmpty: true,
        description: 'metadata.generation the kubelet last saw.',
      }),
      phase: text({
        omitEmpty: true,
        goType: 'v1.PodPhase',
        enum: ['Failed', 'Pending', 'Running', 'Succeeded', 'Unknown'],
      }),
      conditions: list(podCondition(), {
        listType: 'map',
        patchMergeKey: 'type',
        patchStrategy: 'merge',
        listMapKeys: ['type'],
      }),
      message: text({ omitEmpty: true }),
      reason: text({ omitEmpty: true }),
      nominatedNodeName: text({
        omitEmpty: true,
        description: 'Node on which others make room for the pod.',
      }),
      hostIP: text({ omitEmpty: true }),
      hostIPs: list(hostIP(), { listType: 'atomic', patchMergeKey: 'ip', patchStrategy: 'merge' }),
      podIP: text({ omitEmpty: true }),
      podIPs: list(podIP(), {
        listType: 'map',
        patchMergeKey: 'ip',
        patchStrategy: 'merge',
        listMapKeys: ['ip'],
      }),
      startTime: time(),
      initContainerStatuses: list(containerStatus(), { listType: 'atomic' }),
      containerStatuses: list(containerStatus(), { listType: 'atomic' }),
      qosClass: text({
        omitEmpty: true,
        goType: 'v1.PodQOSClass',
        enum: ['BestEffort', 'Burstable', 'Guaranteed'],
        description: 'From requests and limits; who goes first when memory runs out.',
      }),
      ephemeralContainerStatuses: list(containerStatus(), { listType: 'atomic' }),
      resize: text({ omitEmpty: true, goType: 'v1.PodResizeStatus' }),
      resourceClaimStatuses: list(podResourceClaimStatus(), {
        listType: 'map',
        patchMergeKey: 'name',
        patchStrategy: 'merge,retainKeys',
        listMapKeys: ['name'],
      }),
      extendedResourceClaimStatus: podExtendedResourceClaimStatus(),
      allocatedResources: resourceList(),
      resources: resourceRequirements(),
      nodeAllocatableResourceClaimStatuses: list(nodeAllocatableResourceClaimStatus(), {
        listType: 'atomic',
      }),
    },
    { description: 'What is known of a running pod.' },
  ),
);
