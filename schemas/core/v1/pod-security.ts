/** What a pod and its containers may do on their node. */
import type * as z from 'zod';
import { bool, int64, list, once, struct, text } from '../../fields.js';

export type SecurityContext = z.infer<ReturnType<typeof securityContext>>;
export type PodSecurityContext = z.infer<ReturnType<typeof podSecurityContext>>;
export type SeccompProfile = z.infer<ReturnType<typeof seccompProfile>>;
export type AppArmorProfile = z.infer<ReturnType<typeof appArmorProfile>>;
export type WindowsSecurityContextOptions = z.infer<ReturnType<typeof windowsSecurityContextOptions>>;

const CORE = 'io.k8s.api.core.v1';

export const seLinuxOptions = once(() =>
  struct(
    `${CORE}.SELinuxOptions`,
    {
      user: text({ omitEmpty: true }),
      role: text({ omitEmpty: true }),
      type: text({ omitEmpty: true }),
      level: text({ omitEmpty: true }),
    },
    { description: 'Parts of an SELinux label.' },
  ),
);

export const windowsSecurityContextOptions = once(() =>
  struct(
    `${CORE}.WindowsSecurityContextOptions`,
    {
      gmsaCredentialSpecName: text(),
      gmsaCredentialSpec: text(),
      runAsUserName: text(),
      hostProcess: bool({ description: 'Runs as a process of the node.' }),
    },
    { description: 'Settings for Windows nodes.' },
  ),
);

export const seccompProfile = once(() =>
  struct(
    `${CORE}.SeccompProfile`,
    {
      type: text({
        default: '',
        goType: 'v1.SeccompProfileType',
        enum: ['Localhost', 'RuntimeDefault', 'Unconfined'],
      }),
      localhostProfile: text({ description: "File of the profile on the node, below the kubelet's folder." }),
    },
    {
      description: 'Which system calls are allowed.',
      required: ['type'],
      unions: [{ discriminator: 'type', fieldsToDiscriminateBy: { localhostProfile: 'LocalhostProfile' } }],
    },
  ),
);

export const appArmorProfile = once(() =>
  struct(
    `${CORE}.AppArmorProfile`,
    {
      type: text({
        default: '',
        goType: 'v1.AppArmorProfileType',
        enum: ['Localhost', 'RuntimeDefault', 'Unconfined'],
      }),
      localhostProfile: text({ description: 'Name of a profile loaded on the node.' }),
    },
    {
      description: 'Which AppArmor profile confines the processes.',
      required: ['type'],
      unions: [{ discriminator: 'type', fieldsToDiscriminateBy: { localhostProfile: 'LocalhostProfile' } }],
    },
  ),
);

export const sysctl = once(() =>
  struct(
    `${CORE}.Sysctl`,
    {
      name: text({ default: '' }),
      value: text({ default: '' }),
    },
    { description: "A kernel parameter of the pod's namespaces.", required: ['name', 'value'] },
  ),
);

export const capabilities = once(() =>
  struct(
    `${CORE}.Capabilities`,
    {
      add: list(text({ goType: 'v1.Capability' }), { listType: 'atomic' }),
      drop: list(text({ goType: 'v1.Capability' }), { listType: 'atomic' }),
    },
    { description: "Linux capabilities to add to and take from the runtime's default." },
  ),
);

export const securityContext = once(() =>
  struct(
    `${CORE}.SecurityContext`,
    {
      capabilities: capabilities(),
      privileged: bool({ description: 'As good as root on the node.' }),
      seLinuxOptions: seLinuxOptions(),
      windowsOptions: windowsSecurityContextOptions(),
      runAsUser: int64(),
      runAsGroup: int64(),
      runAsNonRoot: bool({ description: 'Refuses to start as user 0.' }),
      readOnlyRootFilesystem: bool(),
      allowPrivilegeEscalation: bool({
        description: 'Whether a process may gain more rights than its parent.',
      }),
      procMount: text({
        goType: 'v1.ProcMountType',
        enum: ['Default', 'Unmasked'],
        description: 'Which parts of /proc are hidden.',
      }),
      seccompProfile: seccompProfile(),
      appArmorProfile: appArmorProfile(),
    },
    { description: "What a container may do; wins over the pod's." },
  ),
);

export const podSecurityContext = once(() =>
  struct(
    `${CORE}.PodSecurityContext`,
    {
      seLinuxOptions: seLinuxOptions(),
      windowsOptions: windowsSecurityContextOptions(),
      runAsUser: int64(),
      runAsGroup: int64(),
      runAsNonRoot: bool(),
      supplementalGroups: list(int64(), {
        listType: 'atomic',
        description: 'Further groups of the first process of each container.',
      }),
      supplementalGroupsPolicy: text({
        goType: 'v1.SupplementalGroupsPolicy',
        enum: ['Merge', 'Strict'],
        description: "Whether groups of the image's user are added.",
      }),
      fsGroup: int64({ description: 'Group that owns the volumes that support it.' }),
      sysctls: list(sysctl(), { listType: 'atomic' }),
      fsGroupChangePolicy: text({
        goType: 'v1.PodFSGroupChangePolicy',
        enum: ['Always', 'OnRootMismatch'],
        description: 'Whether ownership is changed always or only where the root differs.',
      }),
      seccompProfile: seccompProfile(),
      appArmorProfile: appArmorProfile(),
      seLinuxChangePolicy: text({
        goType: 'v1.PodSELinuxChangePolicy',
        description: 'MountOption or Recursive.',
      }),
    },
    { description: 'What the containers of a pod may do, unless they say otherwise.' },
  ),
);
