/**
 * Tells API servers that stand behind this one how it knows its clients, in the ConfigMap that they read: by whom client
 * certificates must be signed. Each server adds its own authority to those of the others, as upstream's API server does.
 */
import { X509Certificate } from 'node:crypto';
import { pemBlocks } from '../../schemas/certificates/v1/pem.js';
import type { KubeObject } from '../../schemas/definition.js';
import type { ResourceTable } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { change } from './change.js';
import { systemContext } from './context.js';
import type { Controller } from './controller.js';
import { follow } from './follow.js';
import { coreRegistry, getCached, ignoring } from './registries.js';
import { WorkQueue } from './work-queue.js';

const OBJECT = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };
const KEY = 'client-ca-file';
const FIELD_MANAGER = 'kube-apiserver';

/** `authority`: certificates in PEM. */
export const clusterAuthentication = (authority: string): Controller => ({
  name: 'cluster-authentication-trust',
  async run({ table, logger, signal }) {
    const context = systemContext('system:apiserver', ['system:masters'], signal);
    const queue = new WorkQueue({
      signal,
      reconcile: async () => {
        await ensure(table, context, authority);
        return true;
      },
      onError: (_key, error) => logger.warn({ err: error }, 'cannot tell how clients are known'),
    });
    await follow({
      registry: coreRegistry(table, 'configmaps'),
      context,
      only: OBJECT,
      onEvent: () => queue.add(OBJECT.name),
      onSynced: () => queue.add(OBJECT.name),
      onError: (error) => logger.warn({ err: error }, 'cannot watch how clients are known'),
    });
    await queue.idle();
  },
});

async function ensure(table: ResourceTable, context: RequestContext, authority: string): Promise<void> {
  const configMaps = coreRegistry(table, 'configmaps');
  const present = await getCached(configMaps, context, OBJECT.namespace, OBJECT.name);
  if (present === undefined) {
    const made = withAuthority({ kind: 'ConfigMap', apiVersion: 'v1', metadata: OBJECT }, authority);
    await configMaps.create(context, made).catch(ignoring('AlreadyExists'));
  } else if (withAuthority(present, authority) !== present) {
    // Of what has gone or come meanwhile an event tells.
    await change(configMaps, context, present.metadata, (current) => withAuthority(current, authority), {
      fieldManager: FIELD_MANAGER,
    }).catch(ignoring('NotFound', 'Conflict'));
  }
}

/** The object itself where it has the authority, and nothing that has expired. */
function withAuthority(object: KubeObject, authority: string): KubeObject {
  const { [KEY]: told = '', ...others } = (object['data'] ?? {}) as Readonly<Record<string, string>>;
  const all = [...new Set([...certificatesOf(told), ...certificatesOf(authority)])].join('');
  return all === told ? object : { ...object, data: { [KEY]: all, ...others } };
}

/** Each in PEM as it is usually written; without those that have expired or cannot be read. */
function certificatesOf(pem: string): string[] {
  return [...pemBlocks(pem)].flatMap(({ type, bytes }) => {
    try {
      const certificate = type === 'CERTIFICATE' ? new X509Certificate(bytes) : undefined;
      const isGood = certificate !== undefined && Date.parse(certificate.validTo) > Date.now();
      return isGood ? [certificate.toString()] : [];
    } catch {
      return [];
    }
  });
}
