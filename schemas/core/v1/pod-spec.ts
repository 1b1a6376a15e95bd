/** What a pod should be. */
import type * as z from 'zod';
import { bool, describe, int32, int64, list, map, once, struct, text } from '../../fields.js';
import { container, ephemeralContainer } from './pod-containers.js';
import { resourceList, resourceRequirements } from './pod-resources.js';
import {
  affinity,
  podSchedulingGate,
  podSchedulingGroup,
  toleration,
  topologySpreadConstraint,
} from './pod-scheduling.js';
import { podSecurityContext } from './pod-security.js';
import { volume } from './pod-volumes.js';
import { localObjectReference } from './references.js';

export type PodSpec = z.infer<ReturnType<typeof podSpec>>;
export type PodDNSConfig = z.infer<ReturnType<typeof podDNSConfig>>;
export type PodResourceClaim = z.infer<ReturnType<typeof podResourceClaim>>;

const CORE = 'io.k8s.api.core.v1';

export const hostAlias = once(() =>
  struct(
    `${CORE}.HostAlias`,
    {
      ip: text({ default: '' }),
      hostnames: list(text(), { listType: 'atomic' }),
    },
    { description: 'A line of /etc/hosts.', required: ['ip'] },
  ),
);

export const podDNSConfigOption = once(() =>
  struct(
    `${CORE}.PodDNSConfigOption`,
    {
      name: text({ omitEmpty: true }),
      value: text(),
    },
    { description: 'An option of resolv.conf.' },
  ),
);

export const podDNSConfig = once(() =>
  struct(
    `${CORE}.PodDNSConfig`,
    {
      nameservers: list(text(), { listType: 'atomic' }),
      searches: list(text(), { listType: 'atomic' }),
      options: list(podDNSConfigOption(), { listType: 'atomic' }),
    },
    { description: 'Lines for resolv.conf, added to those of dnsPolicy.' },
  ),
);

export const podReadinessGate = once(() =>
  struct(
    `${CORE}.PodReadinessGate`,
    {
      conditionType: text({ default: '', goType: 'v1.PodConditionType' }),
    },
    { description: 'A condition that must be True for the pod to be ready.', required: ['conditionType'] },
  ),
);

export const podOS = once(() =>
  struct(
    `${CORE}.PodOS`,
    {
      name: text({ default: '', goType: 'v1.OSName', description: 'linux or windows.' }),
    },
    { description: 'Operating system of the containers.', required: ['name'] },
  ),
);

export const podResourceClaim = once(() =>
  struct(
    `${CORE}.PodResourceClaim`,
    {
      name: text({ default: '' }),
      resourceClaimName: text(),
      resourceClaimTemplateName: text({ description: 'A claim is made from it for the pod.' }),
    },
    { description: 'A claim for devices; exactly one source is set.', required: ['name'] },
  ),
);

export const podSpec = once(() =>
  struct(
    `${CORE}.PodSpec`,
    {
      volumes: list(volume(), {
        listType: 'map',
        patchMergeKey: 'name',
        patchStrategy: 'merge,retainKeys',
        listMapKeys: ['name'],
      }),
      initContainers: list(container(), {
        listType: 'map',
        patchMergeKey: 'name',
        patchStrategy: 'merge',
        listMapKeys: ['name'],
        description: 'Run one after the other before the containers.',
      }),
      containers: list(container(), {
        listType: 'map',
        patchMergeKey: 'name',
        patchStrategy: 'merge',
        listMapKeys: ['name'],
      }),
      ephemeralContainers: list(ephemeralContainer(), {
        listType: 'map',
        patchMergeKey: 'name',
        patchStrategy: 'merge',
        listMapKeys: ['name'],
        description: 'Added through the subresource of that name.',
      }),
      restartPolicy: text({
        omitEmpty: true,
        goType: 'v1.RestartPolicy',
        enum: ['Always', 'Never', 'OnFailure'],
      }),
      terminationGracePeriodSeconds: int64({ description: 'Seconds between the stop signal and the kill.' }),
      activeDeadlineSeconds: int64({ description: 'Seconds after which the pod fails.' }),
      dnsPolicy: text({
        omitEmpty: true,
        goType: 'v1.DNSPolicy',
        enum: ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'],
      }),
      nodeSelector: map(text(), { mapType: 'atomic', description: 'Labels that the node must have.' }),
      serviceAccountName: text({ omitEmpty: true }),
      serviceAccount: text({ omitEmpty: true, description: 'Former name of serviceAccountName.' }),
      automountServiceAccountToken: bool(),
      nodeName: text({ omitEmpty: true, description: 'Set by the scheduler.' }),
      hostNetwork: bool({ omitEmpty: true, description: "Uses the node's network." }),
      hostPID: bool({ omitEmpty: true }),
      hostIPC: bool({ omitEmpty: true }),
      shareProcessNamespace: bool({ description: "Containers see each other's processes." }),
      securityContext: podSecurityContext(),
      imagePullSecrets: list(localObjectReference(), {
        listType: 'map',
        patchMergeKey: 'name',
        patchStrategy: 'merge',
        listMapKeys: ['name'],
        description: 'Secrets with credentials for image registries.',
      }),
      hostname: text({ omitEmpty: true }),
      subdomain: text({ omitEmpty: true, description: 'Service whose DNS names the pod gets one of.' }),
      affinity: affinity(),
      schedulerName: text({ omitEmpty: true }),
      tolerations: list(toleration(), { listType: 'atomic' }),
      hostAliases: list(hostAlias(), {
        listType: 'map',
        patchMergeKey: 'ip',
        patchStrategy: 'merge',
        listMapKeys: ['ip'],
      }),
      priorityClassName: text({ omitEmpty: true }),
      priority: int32({ description: 'Set by admission from priorityClassName.' }),
      dnsConfig: podDNSConfig(),
      readinessGates: list(podReadinessGate(), { listType: 'atomic' }),
      runtimeClassName: text(),
      enableServiceLinks: bool({ description: 'Variables that tell of the services in the namespace.' }),
      preemptionPolicy: text({ goType: 'v1.PreemptionPolicy', enum: ['Never', 'PreemptLowerPriority'] }),
      overhead: resourceList({ description: 'What the pod costs beside its containers; set by admission.' }),
      topologySpreadConstraints: list(topologySpreadConstraint(), {
        listType: 'map',
        patchMergeKey: 'topologyKey',
        patchStrategy: 'merge',
        listMapKeys: ['topologyKey', 'whenUnsatisfiable'],
      }),
      setHostnameAsFQDN: bool(),
      os: podOS(),
      hostUsers: bool({ description: 'False gives the pod a user namespace of its own.' }),
      schedulingGates: list(podSchedulingGate(), {
        listType: 'map',
        patchMergeKey: 'name',
        patchStrategy: 'merge',
        listMapKeys: ['name'],
        description: 'Scheduling waits until there are none.',
      }),
      resourceClaims: list(podResourceClaim(), {
        listType: 'map',
        patchMergeKey: 'name',
        patchStrategy: 'merge,retainKeys',
        listMapKeys: ['name'],
      }),
      resources: describe(resourceRequirements(), {
        description: 'Requests and limits of the pod as a whole.',
      }),
      hostnameOverride: text({ description: 'Host name inside the pod, whatever hostname says.' }),
      schedulingGroup: podSchedulingGroup(),
    },
    { description: 'What a pod should be.', required: ['containers'] },
  ),
);
