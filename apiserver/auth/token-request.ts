/** TokenRequest: a service account's token, for whoever may ask for it. */
import { tokenRequestStrategy } from '../../schemas/authentication/v1/token-request.js';
import type { KubeObject } from '../../schemas/definition.js';
import { invalid as invalidField } from '../../schemas/field-error.js';
import { coreRegistry, isNotFound, type Registries } from '../admission/lookup.js';
import { badRequest, conflict, invalid } from '../errors.js';
import { canonicalMetadata } from '../registry/canonical.js';
import { timestamp } from '../registry/metadata.js';
import type { Registry } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import type { ServiceAccountTokens } from './service-account-tokens.js';
import type { Reference } from './service-account-user.js';
import type { Bound } from './token-claims.js';

const KIND = { group: 'authentication.k8s.io', name: 'TokenRequest' };

interface BoundObjectReference {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly name?: string;
  readonly uid?: string;
}

interface Spec {
  readonly audiences?: readonly string[];
  readonly expirationSeconds?: number;
  readonly boundObjectRef?: BoundObjectReference | null;
}

/** What a request is about: the service account of its path. */
export interface TokenRequestTarget {
  readonly registries: Registries;
  readonly tokens: ServiceAccountTokens;
  readonly context: RequestContext;
  readonly namespace: string;
  readonly name: string;
}

/** Answers a decoded request. Throws StatusError 400, 404, 409 or 422. */
export async function answerTokenRequest(
  target: TokenRequestTarget,
  request: KubeObject,
): Promise<KubeObject> {
  const { registries, tokens, context, namespace, name } = target;
  const { metadata } = request;
  if (metadata.name && metadata.name !== name) {
    const problem = 'must match the service account name if specified';
    throw invalid(KIND, name, [invalidField('metadata.name', metadata.name, problem)]);
  }
  const { object: account } = await coreRegistry(registries, 'serviceaccounts').get(context, namespace, name);
  const uid = account.metadata.uid ?? '';
  if (metadata.uid && metadata.uid !== uid) {
    const why = `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${uid})`;
    throw conflict(KIND, name, why);
  }
  tokenRequestStrategy.defaults?.(request);
  const errors = tokenRequestStrategy.validate?.(request) ?? [];
  if (errors.length > 0) throw invalid(KIND, '', errors);
  const { audiences = [], expirationSeconds = 0, boundObjectRef } = (request['spec'] ?? {}) as Spec;
  const spec = { audiences: audiences.length > 0 ? audiences : tokens.audiences, expirationSeconds };
  const { token, now } = await tokens.issue({
    namespace,
    account: { name, uid },
    bound: boundObjectRef ? await boundTo(target, boundObjectRef) : {},
    audiences: spec.audiences,
    seconds: expirationSeconds,
  });
  return {
    kind: KIND.name,
    apiVersion: `${KIND.group}/v1`,
    metadata: canonicalMetadata({ ...metadata, name, namespace, uid, creationTimestamp: timestamp(now) }),
    spec: { ...spec, boundObjectRef: boundObjectRef ?? null },
    // Not the end of a mounted token's life, which is much later, but when it should be read anew.
    status: { token, expirationTimestamp: timestamp(now + expirationSeconds * 1000) },
  };
}

async function boundTo(target: TokenRequestTarget, reference: BoundObjectReference): Promise<Bound> {
  const { kind = '', apiVersion = '', name = '' } = reference;
  const isCore = !apiVersion.includes('/');
  if (isCore && kind === 'Pod') return boundToPod(target, name, reference);
  if (isCore && kind === 'Secret') return { secret: await find(target, 'secrets', name, reference) };
  if (isCore && kind === 'Node') return { node: await find(target, 'nodes', name, reference) };
  throw badRequest(`cannot bind token to object of type ${goKind(apiVersion, kind)}`);
}

/** As Go prints a group, version and kind. */
function goKind(apiVersion: string, kind: string): string {
  const [group = '', version, more] = apiVersion.split('/');
  if (more !== undefined) return `/, Kind=${kind}`;
  return version === undefined ? `/${group}, Kind=${kind}` : `${group}/${version}, Kind=${kind}`;
}

async function boundToPod(
  target: TokenRequestTarget,
  name: string,
  reference: BoundObjectReference,
): Promise<Bound> {
  const { registries, context, namespace } = target;
  const { object } = await coreRegistry(registries, 'pods').get(context, namespace, name);
  const spec = (object['spec'] ?? {}) as { readonly serviceAccountName?: string; readonly nodeName?: string };
  if (spec.serviceAccountName !== target.name) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(target.name)} to pod running with different serviceaccount name.`,
    );
  }
  const node = spec.nodeName
    ? await nodeOf(coreRegistry(registries, 'nodes'), context, spec.nodeName)
    : undefined;
  return { pod: checked(object, reference), node };
}

/** Of a node that is not there the token holds the name all the same. */
async function nodeOf(nodes: Registry, context: RequestContext, name: string): Promise<Reference> {
  try {
    const { object } = await nodes.get(context, '', name);
    return { name, uid: object.metadata.uid ?? '' };
  } catch (error) {
    if (isNotFound(error)) return { name, uid: '' };
    throw error;
  }
}

async function find(
  { registries, context, namespace }: TokenRequestTarget,
  plural: 'secrets' | 'nodes',
  name: string,
  reference: BoundObjectReference,
): Promise<Reference> {
  const registry = coreRegistry(registries, plural);
  const { object } = await registry.get(context, plural === 'nodes' ? '' : namespace, name);
  return checked(object, reference);
}

function checked({ metadata }: KubeObject, { kind = '', name = '', uid }: BoundObjectReference): Reference {
  if (uid && uid !== metadata.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: '', name: kind }, name, why);
  }
  return { name, uid: metadata.uid ?? '' };
}
