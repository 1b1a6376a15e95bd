/**
 * ServiceAccount: each pod runs as a service account of its namespace, `default` unless it says otherwise, and finds
 * that account's token mounted.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '../../schemas/definition.js';
import { forbidden } from '../errors.js';
import { type Registries, coreRegistry, lookUp } from './lookup.js';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.js';
import { type Container, type PodSpec, PODS, isMirrorPod, isPodItself, podSpecOf } from './pod.js';
import { limitSecretReferences } from './service-account-secrets.js';

const DEFAULT_NAME = 'default';
const TOKEN_VOLUME_PREFIX = 'kube-api-access-';
const TOKEN_MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
/** An hour and seven seconds: the odd number tells these tokens from those that someone asked for. */
const TOKEN_EXPIRATION_SECONDS = 3607;
/** As of generated names: no vowels, and nothing that looks like another. */
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
/** A controller makes `default` a moment after its namespace: a pod made in between waits for it. */
const DEFAULT_WAITS_MS = [10, 20, 40, 80, 160, 320];

export interface ServiceAccount extends KubeObject {
  secrets?: { name?: string }[];
  imagePullSecrets?: { name?: string }[];
  automountServiceAccountToken?: boolean;
}

export function serviceAccount(registries: Registries): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    handles: (attributes) => attributes.operation === 'CREATE' && isPodItself(attributes),
    async admit(attributes) {
      const pod = attributes.object;
      if (pod === undefined) return;
      const spec = podSpecOf(pod);
      if (isMirrorPod(pod)) return refuseReferences(attributes, spec);
      const name = spec.serviceAccountName || spec.serviceAccount || DEFAULT_NAME;
      spec.serviceAccountName = name;
      spec.serviceAccount = name;
      const account = await find(registries, attributes, name);
      if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec);
      if ((spec.imagePullSecrets ?? []).length === 0 && account.imagePullSecrets !== undefined) {
        spec.imagePullSecrets = structuredClone(account.imagePullSecrets);
      }
      const problem = limitSecretReferences(account, spec);
      if (problem !== undefined) throw forbidden(PODS, attributes.name, problem);
    },
  };
}

function refuseReferences({ name }: AdmissionAttributes, spec: PodSpec): void {
  if (spec.serviceAccountName) throw forbidden(PODS, name, 'a mirror pod may not reference service accounts');
  if ((spec.volumes ?? []).some((volume) => volume.secret !== undefined)) {
    throw forbidden(PODS, name, 'a mirror pod may not reference secrets');
  }
}

async function find(
  registries: Registries,
  { context, namespace, name: podName }: AdmissionAttributes,
  name: string,
): Promise<ServiceAccount> {
  const accounts = coreRegistry(registries, 'serviceaccounts');
  for (const wait of [0, ...(name === DEFAULT_NAME ? DEFAULT_WAITS_MS : [])]) {
    if (context.signal.aborted) break;
    if (wait > 0) await sleep(wait);
    const account = await lookUp(accounts, context, namespace, name);
    if (account !== undefined) return account;
  }
  throw forbidden(
    PODS,
    podName,
    `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
  );
}

/** Mounts the token in each container that has nothing at its path; the volume comes only where one of them needs it. */
function mountToken(spec: PodSpec): void {
  const existing = (spec.volumes ?? []).find((volume) => volume.name?.startsWith(TOKEN_VOLUME_PREFIX));
  const name = existing?.name ?? TOKEN_VOLUME_PREFIX + randomSuffix();
  let mounted = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    mounted = mountIn(container, name) || mounted;
  }
  if (mounted && existing === undefined) (spec.volumes ??= []).push({ name, projected: tokenSources() });
}

function mountIn(container: Container, name: string): boolean {
  const mounts = container.volumeMounts ?? [];
  if (mounts.some((mount) => mount.mountPath === TOKEN_MOUNT_PATH)) return false;
  container.volumeMounts = [...mounts, { name, readOnly: true, mountPath: TOKEN_MOUNT_PATH }];
  return true;
}

function tokenSources() {
  return {
    sources: [
      { serviceAccountToken: { expirationSeconds: TOKEN_EXPIRATION_SECONDS, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
    defaultMode: 0o644,
  };
}

function randomSuffix(): string {
  return Array.from({ length: SUFFIX_LENGTH }, () => SUFFIX_ALPHABET[randomInt(SUFFIX_ALPHABET.length)]).join(
    '',
  );
}
