/** The service `kubernetes`, by which pods reach the servers, and the ServiceCIDR that it has its address from. */
import type { Logger } from 'pino';
import type { KubeObject } from '../../schemas/definition.js';
import { cidrsOf } from '../../schemas/networking/v1/service-cidr.js';
import { firstAddress } from '../allocation/addresses.js';
import { timestamp } from '../registry/metadata.js';
import type { ResourceTable } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { createUnlessThere } from './create-unless-there.js';
import { coreRegistry, getCached, registryOf } from './registries.js';

const NAMESPACE = 'default';
const NAME = 'kubernetes';
const SERVICE_PORT = 443;

interface ServiceOptions {
  readonly table: ResourceTable;
  readonly context: RequestContext;
  /** What the server was started with. */
  readonly cidr: string;
}

/** Resolves with the range that the ServiceCIDR has, which of a cluster that exists already may be another one. */
export async function ensureServiceCidr({ table, context, cidr }: ServiceOptions): Promise<string> {
  const registry = registryOf(table, 'networking.k8s.io', 'servicecidrs');
  const existing = await getCached(registry, context, '', NAME);
  if (existing === undefined) await createUnlessThere(registry, context, serviceCidr(cidr));
  return existing === undefined ? cidr : (cidrsOf(existing)[0] ?? cidr);
}

export function tellOfOtherRange(logger: Logger, existing: string, cidr: string): void {
  if (existing === cidr) return;
  logger.warn(
    { serviceCidr: existing, serviceClusterIpRange: cidr },
    'the ServiceCIDR kubernetes does not match --service-cluster-ip-range; services get their addresses from it',
  );
}

const serviceCidr = (cidr: string): KubeObject => ({
  kind: 'ServiceCIDR',
  apiVersion: 'networking.k8s.io/v1',
  metadata: { name: NAME },
  spec: { cidrs: [cidr] },
  status: {
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        lastTransitionTime: timestamp(Date.now()),
        reason: '',
        message: 'Kubernetes Service CIDR is ready',
      },
    ],
  },
});

interface PortOptions extends ServiceOptions {
  /** What the service's port leads to. */
  readonly securePort: number;
  /** Also what the service says, not only that it is there. */
  readonly reconcile: boolean;
}

export async function ensureService(options: PortOptions): Promise<void> {
  const { table, context, cidr, securePort, reconcile } = options;
  const services = coreRegistry(table, 'services');
  const existing = await getCached(services, context, NAMESPACE, NAME);
  const wanted = kubernetesService(cidr, securePort);
  if (existing === undefined) {
    await createUnlessThere(services, context, wanted);
  } else if (reconcile && JSON.stringify(portsOf(existing)) !== JSON.stringify(portsOf(wanted))) {
    const update = (current: KubeObject | undefined): KubeObject => {
      const service = structuredClone(current ?? wanted);
      service['spec'] = { ...(service['spec'] as object), ports: (wanted['spec'] as Spec).ports };
      return service;
    };
    await services.update(context, NAMESPACE, NAME, update);
  }
}

interface Spec {
  readonly ports?: readonly { readonly port?: number; readonly targetPort?: unknown }[];
}

/** Number and target of each port. */
function portsOf(service: KubeObject): unknown[] {
  const { ports = [] } = (service['spec'] ?? {}) as Spec;
  return ports.map(({ port, targetPort }) => [port, targetPort]);
}

function kubernetesService(cidr: string, securePort: number): KubeObject {
  const clusterIP = firstAddress(cidr);
  return {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: {
      name: NAME,
      namespace: NAMESPACE,
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      ports: [{ name: 'https', protocol: 'TCP', port: SERVICE_PORT, targetPort: securePort }],
      ...(clusterIP !== undefined && { clusterIP, clusterIPs: [clusterIP] }),
      type: 'ClusterIP',
      sessionAffinity: 'None',
    },
  };
}
