/**
 * What exists in every cluster from the start: the system's namespaces and the service `kubernetes`, by which pods
 * reach the server. Made before the server is ready and made again when they are deleted, whichever controllers run:
 * upstream's API server does this by itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { KubeObject } from '../../schemas/definition.js';
import type { HealthCheck } from '../http/health.js';
import type { Registry, ResourceTable } from '../registry/types.js';
import type { RequestContext } from '../request.js';
import { systemContext } from './context.js';
import { coreRegistry, getCached, hasReason } from './registries.js';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const SERVICE_NAMESPACE = 'default';
const SERVICE_NAME = 'kubernetes';
const SERVICE_IP = '10.0.0.1';
const SERVICE_PORT = 443;
const CHECK_EVERY_MS = 10_000;
/** Pauses between the first attempts, each of which waits for a while where the store has no majority. */
const RETRY_MS_FIRST = 100;
const RETRY_MS_MAX = 1000;

export interface SystemObjectsOptions {
  readonly table: ResourceTable;
  /** What the service's port leads to. */
  readonly securePort: number;
  readonly logger: Logger;
}

export class SystemObjects {
  private readonly aborted = new AbortController();
  private readonly context = systemContext('system:apiserver', ['system:masters'], this.aborted.signal);
  private timer: NodeJS.Timeout | undefined;
  private checking: Promise<void> = Promise.resolve();
  private complete = false;
  private toldFailure = '';

  /** Fails until everything exists: by then the store has taken writes and reads. Named as upstream's. */
  readonly check: HealthCheck = {
    name: 'poststarthook/start-system-namespaces-controller',
    of: ['healthz', 'readyz'],
    check: () => {
      if (!this.complete) throw new Error('the system objects do not exist yet');
    },
  };

  constructor(private readonly options: SystemObjectsOptions) {}

  /**
   * Resolves when everything exists, however long that takes; from then on it is looked after every few seconds. Rejects
   * when it is stopped before.
   */
  async start(): Promise<void> {
    this.checking = this.makeAll();
    await this.checking;
    if (this.aborted.signal.aborted) throw new Error('stopped before the system objects existed');
    this.timer = setInterval(() => {
      this.checking = this.lookAfter();
    }, CHECK_EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.aborted.abort();
    await this.checking;
  }

  private async makeAll(): Promise<void> {
    const { signal } = this.aborted;
    for (let pauseMs = RETRY_MS_FIRST; !signal.aborted; pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX)) {
      if (await this.tried(() => this.ensure({ reconcile: true }))) {
        this.complete = true;
        return;
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async lookAfter(): Promise<void> {
    await this.tried(() => this.ensure({ reconcile: false }));
  }

  private async tried(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.toldFailure = '';
      return true;
    } catch (error) {
      this.tellFailure(error);
      return false;
    }
  }

  /** The same one once: the store may be without a majority for long. */
  private tellFailure(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.aborted.signal.aborted || message === this.toldFailure) return;
    this.toldFailure = message;
    this.options.logger.warn({ err: error }, 'cannot make the system objects, will try again');
  }

  /**
   * The namespaces together: the store commits them as one group. `reconcile`: also what an object says, not only that
   * it is there; once for each server, since servers of one cluster may not agree on it.
   */
  private async ensure({ reconcile }: { readonly reconcile: boolean }): Promise<void> {
    await Promise.all(NAMESPACES.map((name) => this.ensureNamespace(name)));
    await this.ensureService(reconcile);
  }

  private async ensureNamespace(name: string): Promise<void> {
    const namespaces = coreRegistry(this.options.table, 'namespaces');
    if ((await getCached(namespaces, this.context, '', name)) !== undefined) return;
    const namespace: KubeObject = { kind: 'Namespace', apiVersion: 'v1', metadata: { name }, spec: {} };
    await createUnlessThere(namespaces, this.context, namespace);
  }

  private async ensureService(reconcile: boolean): Promise<void> {
    const services = coreRegistry(this.options.table, 'services');
    const existing = await getCached(services, this.context, SERVICE_NAMESPACE, SERVICE_NAME);
    const ports = [
      { name: 'https', protocol: 'TCP', port: SERVICE_PORT, targetPort: this.options.securePort },
    ];
    if (existing === undefined) {
      await createUnlessThere(services, this.context, kubernetesService(ports));
    } else if (
      reconcile &&
      JSON.stringify(portsOf(existing)) !== JSON.stringify(portsOf(kubernetesService(ports)))
    ) {
      const update = (current: KubeObject | undefined): KubeObject => {
        const service = structuredClone(current ?? kubernetesService(ports));
        service['spec'] = { ...(service['spec'] as object), ports };
        return service;
      };
      await services.update(this.context, SERVICE_NAMESPACE, SERVICE_NAME, update);
    }
  }
}

/** Number and target of each port. */
function portsOf(service: KubeObject): unknown[] {
  const { ports = [] } = (service['spec'] ?? {}) as { ports?: { port?: number; targetPort?: unknown }[] };
  return ports.map(({ port, targetPort }) => [port, targetPort]);
}

function kubernetesService(ports: readonly object[]): KubeObject {
  return {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: {
      name: SERVICE_NAME,
      namespace: SERVICE_NAMESPACE,
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      ports,
      clusterIP: SERVICE_IP,
      clusterIPs: [SERVICE_IP],
      type: 'ClusterIP',
      sessionAffinity: 'None',
    },
  };
}

/**
 * Servers that start together make the same objects. Who comes later is told that it exists, or that its address is
 * taken, by the very object that was to be made.
 */
async function createUnlessThere(
  registry: Registry,
  context: RequestContext,
  object: KubeObject,
): Promise<void> {
  try {
    await registry.create(context, object);
  } catch (error) {
    const { name = '', namespace = '' } = object.metadata;
    if (!hasReason(error, 'AlreadyExists', 'Invalid') || !(await exists(registry, context, namespace, name)))
      throw error;
  }
}

/** As the store has it, not only the cache. */
async function exists(
  registry: Registry,
  context: RequestContext,
  namespace: string,
  name: string,
): Promise<boolean> {
  try {
    await registry.get(context, namespace, name);
    return true;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return false;
    throw error;
  }
}
