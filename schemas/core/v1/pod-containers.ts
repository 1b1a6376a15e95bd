/** Containers: the programs of a pod. */
import type * as z from 'zod';
import { bool, describe, int32, list, once, struct, text } from '../../fields.js';
import { envFromSource, envVar } from './pod-env.js';
import { lifecycle, probe } from './pod-probes.js';
import { containerResizePolicy, resourceRequirements } from './pod-resources.js';
import { securityContext } from './pod-security.js';
import { PROTOCOLS, PULL_POLICIES } from './enums.js';

export type Container = z.infer<ReturnType<typeof container>>;
export type EphemeralContainer = z.infer<ReturnType<typeof ephemeralContainer>>;
export type ContainerPort = z.infer<ReturnType<typeof containerPort>>;
export type VolumeMount = z.infer<ReturnType<typeof volumeMount>>;
export type VolumeDevice = z.infer<ReturnType<typeof volumeDevice>>;
export type ContainerRestartRule = z.infer<ReturnType<typeof containerRestartRule>>;

const CORE = 'io.k8s.api.core.v1';

export const containerPort = once(() =>
  struct(
    `${CORE}.ContainerPort`,
    {
      name: text({ omitEmpty: true }),
      hostPort: int32({ omitEmpty: true, description: 'Also opened on the node.' }),
      containerPort: int32({ default: 0 }),
      protocol: text({
        default: 'TCP',
        omitEmpty: true,
        goType: 'v1.Protocol',
        enum: PROTOCOLS,
      }),
      hostIP: text({ omitEmpty: true }),
    },
    {
      description: 'A port the container listens on; for information, and for names.',
      required: ['containerPort'],
    },
  ),
);

export const volumeMount = once(() =>
  struct(
    `${CORE}.VolumeMount`,
    {
      name: text({ default: '' }),
      readOnly: bool({ omitEmpty: true }),
      recursiveReadOnly: text({
        goType: 'v1.RecursiveReadOnlyMode',
        description: 'Disabled, IfPossible or Enabled.',
      }),
      mountPath: text({ default: '' }),
      subPath: text({ omitEmpty: true, description: 'Part of the volume; the whole when absent.' }),
      mountPropagation: text({
        goType: 'v1.MountPropagationMode',
        enum: ['Bidirectional', 'HostToContainer', 'None'],
      }),
      subPathExpr: text({ omitEmpty: true, description: 'As subPath, with $(NAME) of the environment.' }),
    },
    { description: 'Where a volume appears in the container.', required: ['name', 'mountPath'] },
  ),
);

export const volumeDevice = once(() =>
  struct(
    `${CORE}.VolumeDevice`,
    {
      name: text({ default: '' }),
      devicePath: text({ default: '' }),
    },
    { description: 'Where a block volume appears in the container.', required: ['name', 'devicePath'] },
  ),
);

export const containerRestartRuleOnExitCodes = once(() =>
  struct(
    `${CORE}.ContainerRestartRuleOnExitCodes`,
    {
      operator: text({
        omitEmpty: true,
        goType: 'v1.ContainerRestartRuleOnExitCodesOperator',
        description: 'In or NotIn.',
      }),
      values: list(int32(), { listType: 'set' }),
    },
    { description: 'A condition on the exit code.', required: ['operator'] },
  ),
);

export const containerRestartRule = once(() =>
  struct(
    `${CORE}.ContainerRestartRule`,
    {
      action: text({
        omitEmpty: true,
        goType: 'v1.ContainerRestartRuleAction',
        description: 'Restart or RestartAllContainers.',
      }),
      exitCodes: containerRestartRuleOnExitCodes(),
    },
    { description: 'What to do when a container exits so.', required: ['action'] },
  ),
);

/** What every sort of container has. */
const containerFields = once(() => ({
  name: text({ default: '' }),
  image: text({ omitEmpty: true }),
  command: list(text(), {
    listType: 'atomic',
    description: "In place of the image's entrypoint, without a shell.",
  }),
  args: list(text(), { listType: 'atomic', description: "In place of the image's arguments." }),
  workingDir: text({ omitEmpty: true }),
  ports: list(containerPort(), {
    listType: 'map',
    patchMergeKey: 'containerPort',
    patchStrategy: 'merge',
    listMapKeys: ['containerPort', 'protocol'],
  }),
  envFrom: list(envFromSource(), { listType: 'atomic' }),
  env: list(envVar(), {
    listType: 'map',
    patchMergeKey: 'name',
    patchStrategy: 'merge',
    listMapKeys: ['name'],
  }),
  resources: describe(resourceRequirements(), { default: {} }),
  resizePolicy: list(containerResizePolicy(), { listType: 'atomic' }),
  restartPolicy: text({
    goType: 'v1.ContainerRestartPolicy',
    description: 'Always makes an init container a sidecar: it runs beside the others.',
  }),
  restartPolicyRules: list(containerRestartRule(), {
    listType: 'atomic',
    description: 'Tried in order when the container exits.',
  }),
  volumeMounts: list(volumeMount(), {
    listType: 'map',
    patchMergeKey: 'mountPath',
    patchStrategy: 'merge',
    listMapKeys: ['mountPath'],
  }),
  volumeDevices: list(volumeDevice(), {
    listType: 'map',
    patchMergeKey: 'devicePath',
    patchStrategy: 'merge',
    listMapKeys: ['devicePath'],
  }),
  livenessProbe: describe(probe(), { description: 'When it fails, the container is restarted.' }),
  readinessProbe: describe(probe(), { description: 'While it fails, services send nothing here.' }),
  startupProbe: describe(probe(), { description: 'The other probes wait until it has succeeded.' }),
  lifecycle: lifecycle(),
  terminationMessagePath: text({
    omitEmpty: true,
    description: 'File whose content becomes the termination message.',
  }),
  terminationMessagePolicy: text({
    omitEmpty: true,
    goType: 'v1.TerminationMessagePolicy',
    enum: ['FallbackToLogsOnError', 'File'],
  }),
  imagePullPolicy: text({
    omitEmpty: true,
    goType: 'v1.PullPolicy',
    enum: PULL_POLICIES,
  }),
  securityContext: securityContext(),
  stdin: bool({ omitEmpty: true }),
  stdinOnce: bool({ omitEmpty: true }),
  tty: bool({ omitEmpty: true }),
}));

export const container = once(() =>
  struct(`${CORE}.Container`, containerFields(), {
    description: 'A program, the image it comes from and what it is given.',
    required: ['name'],
  }),
);

export const ephemeralContainer = once(() =>
  struct(
    `${CORE}.EphemeralContainer`,
    {
      ...containerFields(),
      targetContainerName: text({ omitEmpty: true, description: 'Container whose processes it sees.' }),
    },
    { description: 'A container added to a running pod to debug it.', required: ['name'] },
  ),
);
