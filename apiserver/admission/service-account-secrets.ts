/** A service account annotated so lets its pods use only the secrets that it lists itself. */
import type { PodSpec } from './pod.js';
import type { ServiceAccount } from './service-account.js';

const ENFORCE_ANNOTATION = 'kubernetes.io/enforce-mountable-secrets';
/** What upstream's parser of booleans takes for true. */
const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);

const namesOf = (references: readonly { readonly name?: string }[] | undefined): Set<string> =>
  new Set((references ?? []).map(({ name }) => name ?? ''));

/** The first reference to a secret that the account does not list, as an English sentence; undefined when all are. */
export function limitSecretReferences(account: ServiceAccount, spec: PodSpec): string | undefined {
  if (!TRUE.has(account.metadata.annotations?.[ENFORCE_ANNOTATION] ?? '')) return undefined;
  const secrets = namesOf(account.secrets);
  const why = `is not allowed because service account ${account.metadata.name} does not reference that secret`;
  for (const { secret } of spec.volumes ?? []) {
    if (secret !== undefined && !secrets.has(secret.secretName ?? '')) {
      return `volume with secret.secretName="${secret.secretName ?? ''}" ${why}`;
    }
  }
  for (const [kind, containers] of [
    ['init container', spec.initContainers],
    ['container', spec.containers],
  ] as const) {
    for (const { name, env, envFrom } of containers ?? []) {
      for (const variable of env ?? []) {
        const secret = variable.valueFrom?.secretKeyRef;
        if (secret !== undefined && !secrets.has(secret.name ?? '')) {
          return `${kind} ${name ?? ''} with envVar ${variable.name ?? ''} referencing secret.secretName="${secret.name ?? ''}" ${why}`;
        }
      }
      for (const { secretRef } of envFrom ?? []) {
        if (secretRef !== undefined && !secrets.has(secretRef.name ?? '')) {
          return `${kind} ${name ?? ''} with envFrom referencing secret.secretName="${secretRef.name ?? ''}" ${why}`;
        }
      }
    }
  }
  const pullSecrets = namesOf(account.imagePullSecrets);
  for (const [i, { name }] of (spec.imagePullSecrets ?? []).entries()) {
    if (!pullSecrets.has(name ?? '')) {
      return `imagePullSecrets[${i}].name="${name ?? ''}" is not allowed because service account ${account.metadata.name} does not reference that imagePullSecret`;
    }
  }
  return undefined;
}
