/** The structs of Node. */
import { bool, describe, int32, int64, list, once, struct, text } from '../../fields.js';
import { kubeObject, time } from '../../meta/v1.js';
import { resourceList } from './pod-resources.js';
import { TAINT_EFFECTS } from './enums.js';

const CORE = 'io.k8s.api.core.v1';

const taint = once(() =>
  struct(
    `${CORE}.Taint`,
    {
      key: text({ default: '' }),
      value: text({ omitEmpty: true }),
      effect: text({ default: '', enum: TAINT_EFFECTS.toSorted() }),
      timeAdded: time({ description: 'Since when pods are evicted, of NoExecute.' }),
    },
    { description: 'Keeps pods off a node that do not tolerate it.', required: ['key', 'effect'] },
  ),
);

const configMapNodeConfigSource = once(() =>
  struct(
    `${CORE}.ConfigMapNodeConfigSource`,
    {
      namespace: text({ default: '' }),
      name: text({ default: '' }),
      uid: text({ omitEmpty: true }),
      resourceVersion: text({ omitEmpty: true }),
      kubeletConfigKey: text({ default: '' }),
    },
    { description: 'No longer in use.', required: ['namespace', 'name', 'kubeletConfigKey'] },
  ),
);

const nodeConfigSource = once(() =>
  struct(
    `${CORE}.NodeConfigSource`,
    { configMap: configMapNodeConfigSource() },
    { description: 'No longer in use.' },
  ),
);

const nodeSpec = once(() =>
  struct(
    `${CORE}.NodeSpec`,
    {
      podCIDR: text({ omitEmpty: true, description: 'First of podCIDRs.' }),
      podCIDRs: list(text(), {
        listType: 'set',
        patchStrategy: 'merge',
        description: 'Addresses for its pods, at most one range of each IP family.',
      }),
      providerID: text({ omitEmpty: true, description: 'What the cloud calls it.' }),
      unschedulable: bool({ omitEmpty: true, description: 'No new pods come here.' }),
      taints: list(taint(), { listType: 'atomic' }),
      configSource: nodeConfigSource(),
      externalID: text({ omitEmpty: true, description: 'No longer in use.' }),
    },
    { description: 'What the cluster decided about the node.' },
  ),
);

const nodeCondition = once(() =>
  struct(
    `${CORE}.NodeCondition`,
    {
      type: text({ default: '' }),
      status: text({ default: '', description: 'True, False or Unknown.' }),
      lastHeartbeatTime: time({ printsNull: true }),
      lastTransitionTime: time({ printsNull: true }),
      reason: text({ omitEmpty: true }),
      message: text({ omitEmpty: true }),
    },
    { description: 'One aspect of its health.', required: ['type', 'status'] },
  ),
);

const nodeAddress = once(() =>
  struct(
    `${CORE}.NodeAddress`,
    {
      type: text({
        default: '',
        description: 'Hostname, InternalIP, ExternalIP, InternalDNS or ExternalDNS.',
      }),
      address: text({ default: '' }),
    },
    { description: 'Where it can be reached.', required: ['type', 'address'] },
  ),
);

const daemonEndpoint = once(() =>
  struct(
    `${CORE}.DaemonEndpoint`,
    { Port: int32({ default: 0 }) },
    { description: 'A port of a daemon.', required: ['Port'] },
  ),
);

const nodeDaemonEndpoints = once(() =>
  struct(
    `${CORE}.NodeDaemonEndpoints`,
    { kubeletEndpoint: describe(daemonEndpoint(), { default: {} }) },
    { description: 'Ports of its daemons.' },
  ),
);

const nodeSwapStatus = once(() =>
  struct(`${CORE}.NodeSwapStatus`, { capacity: int64() }, { description: 'Swap, in bytes.' }),
);

const nodeSystemInfo = once(() =>
  struct(
    `${CORE}.NodeSystemInfo`,
    {
      machineID: text({ default: '' }),
      systemUUID: text({ default: '' }),
      bootID: text({ default: '' }),
      kernelVersion: text({ default: '' }),
      osImage: text({ default: '' }),
      containerRuntimeVersion: text({ default: '' }),
      kubeletVersion: text({ default: '' }),
      kubeProxyVersion: text({ default: '', description: 'No longer set.' }),
      operatingSystem: text({ default: '' }),
      architecture: text({ default: '' }),
      swap: nodeSwapStatus(),
    },
    {
      description: 'The machine and what runs on it.',
      required: [
        'machineID',
        'systemUUID',
        'bootID',
        'kernelVersion',
        'osImage',
        'containerRuntimeVersion',
        'kubeletVersion',
        'kubeProxyVersion',
        'operatingSystem',
        'architecture',
      ],
    },
  ),
);

const containerImage = once(() =>
  struct(
    `${CORE}.ContainerImage`,
    { names: list(text(), { listType: 'atomic' }), sizeBytes: int64({ omitEmpty: true }) },
    { description: 'An image on the node.' },
  ),
);

const attachedVolume = once(() =>
  struct(
    `${CORE}.AttachedVolume`,
    { name: text({ default: '' }), devicePath: text({ default: '' }) },
    { description: 'A volume attached to the node.', required: ['name', 'devicePath'] },
  ),
);

const nodeConfigStatus = once(() =>
  struct(
    `${CORE}.NodeConfigStatus`,
    {
      assigned: nodeConfigSource(),
      active: nodeConfigSource(),
      lastKnownGood: nodeConfigSource(),
      error: text({ omitEmpty: true }),
    },
    { description: 'No longer in use.' },
  ),
);

const nodeRuntimeHandlerFeatures = once(() =>
  struct(
    `${CORE}.NodeRuntimeHandlerFeatures`,
    { recursiveReadOnlyMounts: bool(), userNamespaces: bool() },
    { description: 'What a runtime handler can do.' },
  ),
);

const nodeRuntimeHandler = once(() =>
  struct(
    `${CORE}.NodeRuntimeHandler`,
    {
      name: text({ default: '', description: 'Empty for the default one.' }),
      features: nodeRuntimeHandlerFeatures(),
    },
    { description: 'A way of running containers.' },
  ),
);

const nodeFeatures = once(() =>
  struct(
    `${CORE}.NodeFeatures`,
    { supplementalGroupsPolicy: bool() },
    { description: 'What its container runtime can do.' },
  ),
);

const nodeStatus = once(() =>
  struct(
    `${CORE}.NodeStatus`,
    {
      capacity: resourceList({ description: 'All that it has.' }),
      allocatable: resourceList({ description: 'What pods may use of it.' }),
      phase: text({ omitEmpty: true, enum: ['Pending', 'Running', 'Terminated'] }),
      conditions: list(nodeCondition(), {
        listType: 'map',
        listMapKeys: ['type'],
        patchStrategy: 'merge',
        patchMergeKey: 'type',
      }),
      addresses: list(nodeAddress(), {
        listType: 'map',
        listMapKeys: ['type'],
        patchStrategy: 'merge',
        patchMergeKey: 'type',
      }),
      daemonEndpoints: describe(nodeDaemonEndpoints(), { default: {} }),
      nodeInfo: describe(nodeSystemInfo(), { default: {} }),
      images: list(containerImage(), { listType: 'atomic' }),
      volumesInUse: list(text(), { listType: 'atomic' }),
      volumesAttached: list(attachedVolume(), { listType: 'atomic' }),
      config: nodeConfigStatus(),
      runtimeHandlers: list(nodeRuntimeHandler(), { listType: 'atomic' }),
      features: nodeFeatures(),
      declaredFeatures: list(text(), { listType: 'atomic' }),
    },
    { description: 'What the node reports about itself.' },
  ),
);

export const node = once(() =>
  kubeObject(
    `${CORE}.Node`,
    {
      spec: describe(nodeSpec(), { default: {} }),
      status: describe(nodeStatus(), { default: {} }),
    },
    { description: 'A machine that runs pods.' },
  ),
);

/** What code reads of a Node. */
export interface Taint {
  key?: string;
  value?: string;
  effect?: string;
  timeAdded?: string;
}
export interface NodeSpec {
  podCIDR?: string;
  podCIDRs?: string[];
  providerID?: string;
  unschedulable?: boolean;
  taints?: Taint[];
  configSource?: unknown;
  externalID?: string;
}
export interface NodeAddress {
  type?: string;
  address?: string;
}
export interface NodeStatus {
  capacity?: Record<string, string>;
  allocatable?: Record<string, string>;
  conditions?: { type?: string; status?: string }[];
  addresses?: NodeAddress[];
  nodeInfo?: {
    kubeletVersion?: string;
    osImage?: string;
    kernelVersion?: string;
    containerRuntimeVersion?: string;
  };
}
