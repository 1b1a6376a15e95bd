/**
 * Objects as Go prints upstream's internal structs: what refusals show of pod specs and of a few other structs. The fields
 * have Go's names, all of them are there, and a pod spec's stand in another order than in v1.
 */
import type * as z from 'zod';
import { metaOf } from '../../fields.js';
import { defOf, type Json } from '../../walk.js';
import { type PodSpec, podSpec } from './pod-spec.js';
import type { PodTemplateSpec } from './pod-template.js';

export const internalPodSpec = (spec: PodSpec): Json => internalStruct(podSpec(), internalSpec(spec));

/** Metadata is embedded: its fields, which keep their names, are the template's. */
export const internalPodTemplate = ({ metadata, spec = {} }: PodTemplateSpec): Json => ({
  ...metadata,
  Spec: internalPodSpec(spec),
});

/** Upstream keeps what the pod shares with its node in the security context, and one name of the service account. */
const SHARED_FIELDS = ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace', 'hostUsers'] as const;
const MOVED_SOURCES = { quobyte: 'rbd', flexVolume: 'iscsi' };
/** By struct, fields of the internal one that stand elsewhere than in v1: after the named one. */
const MOVED_FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  PodSpec: {
    setHostnameAsFQDN: 'subdomain',
    preemptionPolicy: 'priority',
    overhead: 'runtimeClassName',
    enableServiceLinks: 'overhead',
  },
  PersistentVolumeSource: MOVED_SOURCES,
  PersistentVolumeSpec: MOVED_SOURCES,
};

function internalSpec(spec: PodSpec): Json {
  const { serviceAccount: _, ...rest } = spec;
  return rest;
}

const isShared = (name: string): boolean => (SHARED_FIELDS as readonly string[]).includes(name);

/** In the internal struct's order. */
function internalFields(type: string, names: readonly string[]): readonly string[] {
  const moved = Object.hasOwn(MOVED_FIELDS, type) ? MOVED_FIELDS[type] : undefined;
  if (moved === undefined) return names;
  const fields = names.filter((name) => !Object.hasOwn(moved, name));
  for (const [name, before] of Object.entries(moved)) fields.splice(fields.indexOf(before) + 1, 0, name);
  return type === 'PodSpec' ? fields.filter((name) => name !== 'serviceAccount' && !isShared(name)) : fields;
}

export function internalStruct(schema: z.ZodType, value: Json): Json {
  const def = defOf(schema);
  const { structId = '', required = [] } = metaOf(schema);
  const type = structId.slice(structId.lastIndexOf('.') + 1);
  const shape = def.type === 'object' ? def.shape : {};
  const isSpec = type === 'PodSpec';
  const printed: Json = {};
  for (const name of internalFields(type, Object.keys(shape))) {
    const field = shape[name];
    if (field === undefined) continue;
    const internal = internalField(field, value[name], required.includes(name));
    printed[goName(type, name)] =
      isSpec && name === 'securityContext' ? { ...sharedFields(value), ...(internal as object) } : internal;
  }
  return printed;
}

const sharedFields = (spec: Json): Json => ({
  HostNetwork: spec['hostNetwork'] ?? false,
  HostPID: spec['hostPID'] ?? false,
  HostIPC: spec['hostIPC'] ?? false,
  ShareProcessNamespace: spec['shareProcessNamespace'] ?? null,
  HostUsers: spec['hostUsers'] ?? null,
});

/** Structs of meta/v1 have JSON names in the internal types too. */
const isMeta = (structId: string): boolean => structId.includes('.meta.v1.');

function internalField(optional: z.ZodType, value: unknown, required: boolean): unknown {
  const outer = defOf(optional);
  const schema = outer.type === 'optional' ? outer.innerType : optional;
  const meta = metaOf(optional);
  const def = defOf(schema);
  if (value === undefined || value === null) {
    if (def.type === 'object') return meta.default === undefined ? null : internalStruct(schema, {});
    if (def.type === 'array' || def.type === 'record') return null;
    const isValue = required || meta.omitEmpty === true;
    if (!isValue) return null;
    return def.type === 'string' ? '' : def.type === 'boolean' ? false : 0;
  }
  return internalValue(schema, value);
}

function internalValue(schema: z.ZodType, value: unknown): unknown {
  const def = defOf(schema);
  switch (def.type) {
    case 'object':
      return isMeta(metaOf(schema).structId ?? '') ? value : internalStruct(schema, value as Json);
    case 'array':
      return (value as unknown[]).map((item) => internalValue(def.element, item));
    case 'record':
      return Object.fromEntries(Object.entries(value as Json).sort(([a], [b]) => (a < b ? -1 : 1)));
    default:
      return value;
  }
}

/** Go's names that are not the JSON name with a capital letter, by struct where they depend on it. */
const GO_NAMES: Readonly<Record<string, string>> = {
  tty: 'TTY',
  ip: 'IP',
  httpGet: 'HTTPGet',
  tcpSocket: 'TCPSocket',
  grpc: 'GRPC',
  httpHeaders: 'HTTPHeaders',
  dnsPolicy: 'DNSPolicy',
  dnsConfig: 'DNSConfig',
  os: 'OS',
  seLinuxOptions: 'SELinuxOptions',
  seLinuxChangePolicy: 'SELinuxChangePolicy',
  fsGroup: 'FSGroup',
  fsGroupChangePolicy: 'FSGroupChangePolicy',
  gmsaCredentialSpecName: 'GMSACredentialSpecName',
  gmsaCredentialSpec: 'GMSACredentialSpec',
  apiVersion: 'APIVersion',
  apiGroup: 'APIGroup',
  apiGroups: 'APIGroups',
  fsType: 'FSType',
  volumeID: 'VolumeID',
  pdName: 'PDName',
  pdID: 'PdID',
  gcePersistentDisk: 'GCEPersistentDisk',
  awsElasticBlockStore: 'AWSElasticBlockStore',
  nfs: 'NFS',
  iscsi: 'ISCSI',
  iqn: 'IQN',
  iscsiInterface: 'ISCSIInterface',
  chapAuthDiscovery: 'DiscoveryCHAPAuth',
  chapAuthSession: 'SessionCHAPAuth',
  rbd: 'RBD',
  cephfs: 'CephFS',
  fc: 'FC',
  wwids: 'WWIDs',
  csi: 'CSI',
  cel: 'CEL',
  storageos: 'StorageOS',
  scaleIO: 'ScaleIO',
  sslEnabled: 'SSLEnabled',
  diskURI: 'DataDiskURI',
  storagePolicyID: 'StoragePolicyID',
  'ObjectReference.uid': 'UID',
  'GlusterfsVolumeSource.endpoints': 'EndpointsName',
  'RBDVolumeSource.monitors': 'CephMonitors',
  'RBDVolumeSource.image': 'RBDImage',
  'RBDVolumeSource.pool': 'RBDPool',
  'RBDVolumeSource.user': 'RadosUser',
};

/** Sources of persistent volumes have the names of those of pods' volumes. */
const goName = (type: string, name: string): string =>
  GO_NAMES[`${type.replace('PersistentVolumeSource', 'VolumeSource')}.${name}`] ??
  GO_NAMES[name] ??
  `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
