/**
 * What only a kubelet, a pod or a service's endpoints can answer. This server connects to none of them, so each of these
 * gets as far as upstream does without one that answers, and ends in the refusal that it meets there.
 */
import { badRequest, methodNotAllowed, notFound, StatusError } from '../errors.js';
import type { KubeObject } from '../../schemas/definition.js';
import { text } from './query.js';
import { baseHeaders } from './respond.js';
import type { ResourceRequest } from './resource-request.js';

type Handler = (request: ResourceRequest) => Promise<void>;

/** By `group/plural/subresource`. */
export const kubeletHandlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['/pods/attach', (request) => podStream(request, true)],
  ['/pods/exec', (request) => podStream(request, true)],
  ['/pods/log', podLog],
  ['/pods/portforward', (request) => podStream(request, false)],
  ['/pods/proxy', podProxy],
  ['/nodes/proxy', nodeProxy],
  ['/services/proxy', serviceProxy],
]);

interface PodSpec {
  readonly nodeName?: string;
  readonly containers?: readonly { readonly name?: string }[];
  readonly initContainers?: readonly { readonly name?: string }[];
  readonly ephemeralContainers?: readonly { readonly name?: string }[];
}

const specOf = (pod: KubeObject): PodSpec => pod['spec'] ?? {};

/** Of a pod that has no node yet the log is empty: 204. */
async function podLog(request: ResourceRequest): Promise<void> {
  const { exchange, registry, namespace, name } = request;
  const { object: pod } = await registry.get(exchange, namespace, name);
  checkContainer(pod, name, text(exchange.query, 'container'));
  const { nodeName } = specOf(pod);
  if (nodeName) return refuseNode(request, nodeName);
  exchange.response.writeHead(204, baseHeaders(exchange, 'text/plain'));
  exchange.response.end();
}

async function podStream(request: ResourceRequest, ofContainer: boolean): Promise<never> {
  const { exchange, registry, namespace, name } = request;
  const { object: pod } = await registry.get(exchange, namespace, name);
  if (ofContainer) checkContainer(pod, name, text(exchange.query, 'container'));
  const { nodeName } = specOf(pod);
  if (!nodeName) throw badRequest(`pod ${name} does not have a host assigned`);
  return refuseNode(request, nodeName);
}

/** Throws StatusError 400 where the container is not there, or is not the only one and not named. */
function checkContainer(pod: KubeObject, name: string, container: string | undefined): void {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = specOf(pod);
  if (container !== undefined) {
    const all = [...containers, ...initContainers, ...ephemeralContainers];
    if (all.some((each) => each.name === container)) return;
    throw badRequest(`container ${container} is not valid for pod ${name}`);
  }
  if (containers.length === 1) return;
  const which = `a container name must be specified for pod ${name}`;
  if (containers.length === 0) throw badRequest(which);
  const others =
    initContainers.length === 0 ? '' : ` or one of the init containers: ${goList(initContainers)}`;
  throw badRequest(`${which}, choose one of: ${goList(containers)}${others}`);
}

/** As Go's `%s` prints a list. */
const goList = (items: readonly { readonly name?: string }[]): string =>
  `[${items.map(({ name = '' }) => name).join(' ')}]`;

interface NodeAddress {
  readonly type: string;
  readonly address: string;
}

async function refuseNode({ exchange, server }: ResourceRequest, nodeName: string): Promise<never> {
  const nodes = server.table.find('', 'v1', 'nodes');
  if (nodes === undefined) throw methodNotAllowed();
  const { object: node } = await nodes.get(exchange, '', nodeName);
  const { addresses = [] } = (node['status'] ?? {}) as { readonly addresses?: readonly NodeAddress[] };
  if (addresses.length === 0) {
    throw new StatusError(500, undefined, 'no preferred addresses found; known addresses: []');
  }
  throw notConnecting(`kubelets, so not to that of node ${nodeName}`);
}

const notConnecting = (what: string) =>
  new StatusError(501, undefined, `this server does not connect to ${what}`);

interface ProxyTarget {
  readonly name: string;
  /** A number or the name of one; '' for the only one. */
  readonly port: string;
}

/** Proxied objects may be named with a scheme and a port: `https:web:8443`. */
function proxyTarget(id: string, what: string): ProxyTarget {
  const parts = id.split(':');
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts];
  if (name === '' || parts.length > 3 || !/^(?:https?)?$/.test(scheme)) {
    throw badRequest(`invalid ${what} request ${JSON.stringify(id)}`);
  }
  return { name, port };
}

async function podProxy({ exchange, registry, namespace, ...request }: ResourceRequest): Promise<never> {
  const { name } = proxyTarget(request.name, 'pod');
  const { object: pod } = await registry.get(exchange, namespace, name);
  const { podIP } = (pod['status'] ?? {}) as { readonly podIP?: string };
  if (!podIP) throw badRequest('address not allowed');
  throw notConnecting(`pods, so not to ${name}`);
}

async function nodeProxy(request: ResourceRequest): Promise<never> {
  return refuseNode(request, proxyTarget(request.name, 'node').name);
}

interface ServicePort {
  readonly name?: string;
  readonly port?: number;
}

async function serviceProxy({
  exchange,
  registry,
  namespace,
  server,
  ...request
}: ResourceRequest): Promise<never> {
  const { name, port } = proxyTarget(request.name, 'service');
  if (/^\d+$/.test(port)) {
    const { object: service } = await registry.get(exchange, namespace, name);
    const { ports = [] } = (service['spec'] ?? {}) as { readonly ports?: readonly ServicePort[] };
    if (!ports.some((each) => each.port === Number(port))) {
      throw unavailable(`no service port ${port} found for service "${name}"`);
    }
  }
  const endpoints = server.table.find('', 'v1', 'endpoints');
  if (endpoints === undefined) throw notFound({ group: '', name: 'endpoints' }, name);
  const { object } = await endpoints.get(exchange, namespace, name);
  const { subsets = [] } = object as { readonly subsets?: readonly unknown[] };
  if (subsets.length === 0) throw unavailable(`no endpoints available for service "${name}"`);
  throw notConnecting(`services, so not to ${name}`);
}

const unavailable = (message: string) => new StatusError(503, 'ServiceUnavailable', message);
