/** What objects use of quotas: which names of a quota count them, and how much. Pure. */
import { quotaSpecOf } from '../../schemas/core/v1/resource-quota.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { type Quantity, quantityOf } from '../../schemas/meta/quantity.js';
import type { Usage } from './amounts.js';
import { countsPods, isOneOf, podIsIn, podOmissions, podUsage, type Requirement } from './pods.js';

const ONE = quantityOf('1');
/** Core resources that are counted by their bare name too. */
const BARE = new Set(['configmaps', 'replicationcontrollers', 'resourcequotas', 'secrets']);
const CLASS_MARK = '.storageclass.storage.k8s.io/';
/** Told of and forgotten: what no quota counts. */
const UNCOUNTED = new Set(['events']);

type Core = 'persistentvolumeclaims' | 'pods' | 'services' | '';

function coreKind({ group, plural }: ResourceDefinition): Core {
  if (group !== '') return '';
  return plural === 'pods' || plural === 'services' || plural === 'persistentvolumeclaims' ? plural : '';
}

/** Whether objects of the kind are counted at all. */
export const isCounted = ({ namespaced, verbs, plural, virtual }: ResourceDefinition): boolean =>
  namespaced &&
  virtual !== true &&
  verbs.includes('create') &&
  verbs.includes('list') &&
  !UNCOUNTED.has(plural);

const countName = ({ group, plural }: ResourceDefinition): string =>
  `count/${group === '' ? plural : `${plural}.${group}`}`;

/** Whether a quota's name counts objects of the kind. */
export function counts(definition: ResourceDefinition, name: string): boolean {
  const { group, plural } = definition;
  if (name === countName(definition)) return true;
  switch (coreKind(definition)) {
    case 'pods':
      return countsPods(name);
    case 'services':
      return name === 'services' || name === 'services.nodeports' || name === 'services.loadbalancers';
    case 'persistentvolumeclaims':
      return (
        ['persistentvolumeclaims', 'requests.storage'].includes(name) ||
        name.endsWith(`${CLASS_MARK}persistentvolumeclaims`) ||
        name.endsWith(`${CLASS_MARK}requests.storage`)
      );
    default:
      return group === '' && BARE.has(plural) && name === plural;
  }
}

export function usageOf(definition: ResourceDefinition, object: KubeObject): Usage {
  const kind = coreKind(definition);
  if (kind === 'pods') return podUsage(object);
  const usage = new Map<string, Quantity>([[countName(definition), ONE]]);
  if (kind === 'services') addService(usage, object);
  else if (kind === 'persistentvolumeclaims') addClaim(usage, object);
  else if (definition.group === '' && BARE.has(definition.plural)) usage.set(definition.plural, ONE);
  return usage;
}

function addService(usage: Map<string, Quantity>, service: KubeObject): void {
  const {
    type,
    ports = [],
    allocateLoadBalancerNodePorts = true,
  } = (service['spec'] ?? {}) as {
    readonly type?: string;
    readonly ports?: readonly { readonly nodePort?: number }[];
    readonly allocateLoadBalancerNodePorts?: boolean;
  };
  usage.set('services', ONE);
  if (type !== 'NodePort' && type !== 'LoadBalancer') return;
  const isAllocated = type === 'NodePort' || allocateLoadBalancerNodePorts;
  const held = isAllocated ? ports : ports.filter(({ nodePort = 0 }) => nodePort !== 0);
  usage.set('services.nodeports', quantityOf(String(held.length)));
  if (type === 'LoadBalancer') usage.set('services.loadbalancers', ONE);
}

interface ClaimSpec {
  readonly storageClassName?: string;
  readonly volumeAttributesClassName?: string;
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
}
const claimSpecOf = (claim: KubeObject): ClaimSpec => claim['spec'] ?? {};

function addClaim(usage: Map<string, Quantity>, claim: KubeObject): void {
  const { storageClassName, resources } = claimSpecOf(claim);
  const storage = resources?.requests?.['storage'];
  usage.set('persistentvolumeclaims', ONE);
  if (storage !== undefined) usage.set('requests.storage', quantityOf(storage));
  if (!storageClassName) return;
  usage.set(`${storageClassName}${CLASS_MARK}persistentvolumeclaims`, ONE);
  if (storage !== undefined)
    usage.set(`${storageClassName}${CLASS_MARK}requests.storage`, quantityOf(storage));
}

/** Whether the object is in all scopes of the quota. */
export function isInScopes(definition: ResourceDefinition, object: KubeObject, quota: KubeObject): boolean {
  const { scopes = [], scopeSelector } = quotaSpecOf(quota);
  const requirements: readonly Requirement[] = [
    ...scopes.map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...((scopeSelector?.matchExpressions ?? []) as readonly Requirement[]),
  ];
  if (requirements.length === 0) return true;
  const kind = coreKind(definition);
  return requirements.every((requirement) => {
    if (kind === 'pods') return podIsIn(object, requirement);
    const isClass = kind === 'persistentvolumeclaims' && requirement.scopeName === 'VolumeAttributesClass';
    return isClass && isOneOf(claimSpecOf(object).volumeAttributesClassName ?? '', requirement);
  });
}

/** What the object must say and does not, where the quota counts it; undefined where nothing is missing. */
export const omissions = (
  definition: ResourceDefinition,
  object: KubeObject,
  counted: readonly string[],
): string | undefined => (coreKind(definition) === 'pods' ? podOmissions(object, counted) : undefined);
