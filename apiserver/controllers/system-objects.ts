/**
 * What exists in every cluster from the start: the system's namespaces, and the service `kubernetes` with its address and
 * its endpoints, by which pods reach the servers, made before the server is ready; then the APIServices of what it serves,
 * for which nobody waits. All are made again when they are deleted, whichever controllers run: upstream's API server does
 * this by itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { KubeObject } from '../../schemas/definition.js';
import type { HealthCheck } from '../http/health.js';
import type { ResourceTable } from '../registry/types.js';
import { systemContext } from './context.js';
import { createUnlessThere } from './create-unless-there.js';
import { ensureEndpoints } from './kubernetes-endpoints.js';
import { ensureService, ensureServiceCidr, tellOfOtherRange } from './kubernetes-service.js';
import type { LiveServers } from './live-servers.js';
import { ensureLocalApiServices } from './local-api-services.js';
import { coreRegistry, getCached } from './registries.js';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
/** Upstream's, of the endpoints. */
const CHECK_EVERY_MS = 10_000;
/** Pauses between the first attempts, each of which waits for a while where the store has no majority. */
const RETRY_MS_FIRST = 100;
const RETRY_MS_MAX = 1000;

export interface SystemObjectsOptions {
  readonly table: ResourceTable;
  /** What the service's port leads to. */
  readonly securePort: number;
  /** Where services get their addresses from. */
  readonly cidr: string;
  /** What is behind the service. */
  readonly servers: LiveServers;
  readonly logger: Logger;
}

export class SystemObjects {
  private readonly aborted = new AbortController();
  private readonly context = systemContext('system:apiserver', ['system:masters'], this.aborted.signal);
  private timer: NodeJS.Timeout | undefined;
  private checking: Promise<unknown> = Promise.resolve();
  private complete = false;
  private registered = false;
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

  /** Makes the APIServices, once clients can reach the server: they cost as much as starting it, and few look at them. */
  register(): void {
    this.checking = this.tried(() => this.ensureApiServices());
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.aborted.abort();
    await this.checking;
    await this.options.servers.leave();
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
    await this.tried(async () => {
      await this.ensure({ reconcile: false });
      await this.ensureApiServices();
    });
  }

  private async ensureApiServices(): Promise<void> {
    await ensureLocalApiServices(this.options.table, this.context, { reconcile: !this.registered });
    this.registered = true;
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
   * In two groups, each of which the store commits as one. `reconcile`: also what the service says, not only that it is
   * there; once for each server, since servers of one cluster may not agree on it.
   */
  private async ensure({ reconcile }: { readonly reconcile: boolean }): Promise<void> {
    const { table, logger, securePort, servers } = this.options;
    const common = { table, context: this.context };
    const [alive, cidr] = await Promise.all([
      servers.list(),
      ensureServiceCidr({ ...common, cidr: this.options.cidr }),
      ...NAMESPACES.map((name) => this.ensureNamespace(name)),
    ]);
    if (reconcile) tellOfOtherRange(logger, cidr, this.options.cidr);
    await Promise.all([
      ensureService({ ...common, cidr, securePort, reconcile }),
      ensureEndpoints({ ...common, servers }, alive),
    ]);
  }

  private async ensureNamespace(name: string): Promise<void> {
    const namespaces = coreRegistry(this.options.table, 'namespaces');
    if ((await getCached(namespaces, this.context, '', name)) !== undefined) return;
    const namespace: KubeObject = { kind: 'Namespace', apiVersion: 'v1', metadata: { name }, spec: {} };
    await createUnlessThere(namespaces, this.context, namespace);
  }
}
