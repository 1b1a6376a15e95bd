/** Parts of a pod that only its node's kubelet can answer. There is none here, so they end in upstream's refusals. */
import { badRequest, methodNotAllowed, StatusError } from '../errors.js';
import type { ResourceRequest } from './resource-request.js';

/** Subresources of pods that upstream passes on to the kubelet. */
export const kubeletSubresources: ReadonlySet<string> = new Set([
  'attach',
  'exec',
  'log',
  'portforward',
  'proxy',
]);

interface NodeAddress {
  readonly type: string;
  readonly address: string;
}

/** Always throws StatusError: it gets as far as upstream does without a kubelet that answers. */
export async function askKubelet({
  exchange,
  registry,
  namespace,
  name,
  server,
}: ResourceRequest): Promise<never> {
  const { object: pod } = await registry.get(exchange, namespace, name);
  const { nodeName } = (pod['spec'] ?? {}) as { readonly nodeName?: string };
  if (!nodeName) throw badRequest(`pod ${name} does not have a host assigned`);
  const nodes = server.table.find('', 'v1', 'nodes');
  if (nodes === undefined) throw methodNotAllowed();
  const { object: node } = await nodes.get(exchange, '', nodeName);
  const { addresses = [] } = (node['status'] ?? {}) as { readonly addresses?: readonly NodeAddress[] };
  if (addresses.length === 0) {
    throw new StatusError(500, undefined, 'no preferred addresses found; known addresses: []');
  }
  throw new StatusError(
    501,
    undefined,
    `this server does not connect to kubelets, so not to that of node ${nodeName}`,
  );
}
