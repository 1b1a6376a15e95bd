/** Node ports of services and of their health checks: one key each, a port number shared by a service's protocols. */
import {
  hasHealthCheckNodePort,
  needsHealthCheckNodePort,
  needsNodePort,
  specOf,
  type ServicePort,
} from '../../schemas/core/v1/service-fields.js';
import type { KubeObject } from '../../schemas/definition.js';
import { invalid as invalidField } from '../../schemas/field-error.js';
import type { EtcdClient } from '../../storage/client/interface.js';
import { type StatusError, internalError, invalid } from '../errors.js';
import { Pool, type PoolRange, isWithin } from './pool.js';

const SERVICE_KIND = { group: '', name: 'Service' };

/** Of a range of `size` ports: those given out dynamically only when the rest is full. */
function reservedOf(size: number): number {
  return size <= 16 ? 0 : Math.min(128, Math.max(16, Math.floor(size / 32)));
}

/** Port numbers, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

interface NodePortsOptions {
  readonly client: EtcdClient;
  /** What all keys begin with. */
  readonly keyRoot: string;
  readonly range: PortRange;
}

export class NodePorts {
  readonly pool: Pool;

  private readonly range: PoolRange;

  constructor({ client, keyRoot, range: { first, last } }: NodePortsOptions) {
    const keys = {
      prefix: `${keyRoot}/ranges/servicenodeports/`,
      nameOf: String,
      numberOf: (name: string) => Number(name),
    };
    this.range = { first, last, reserved: reservedOf(last - first + 1) };
    this.pool = new Pool(client, keys);
  }

  /**
   * Fills the node ports of `service` that are to be filled and checks those that are given. `held` are those it has
   * already.
   */
  async fill(service: KubeObject, held: ReadonlySet<number>): Promise<void> {
    const ports = specOf(service).ports ?? [];
    const taken = new Set<number>();
    for (const [i, { nodePort }] of ports.entries()) {
      if (!nodePort) continue;
      const fine = taken.has(nodePort) || held.has(nodePort);
      const problem = fine ? undefined : await this.problemWith(nodePort);
      if (problem !== undefined) throw refusal(service, `spec.ports[${i}].nodePort`, nodePort, problem);
      taken.add(nodePort);
    }
    const siblings = new Siblings(ports);
    for (const [i, port] of ports.entries()) {
      if (!needsNodePort(service, port)) continue;
      port.nodePort = siblings.nodePortFor(port) ?? (await this.pick(taken, 'nodePort'));
      taken.add(port.nodePort);
      siblings.add(port, i);
    }
    await this.fillHealthCheck(service, held, taken);
  }

  private async problemWith(port: number): Promise<string | undefined> {
    if (!isWithin(this.range, port)) {
      const { first, last } = this.range;
      return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
    }
    return (await this.pool.isTaken(port)) ? 'provided port is already allocated' : undefined;
  }

  private async fillHealthCheck(
    service: KubeObject,
    held: ReadonlySet<number>,
    taken: ReadonlySet<number>,
  ): Promise<void> {
    const spec = specOf(service);
    if (needsHealthCheckNodePort(service)) {
      spec.healthCheckNodePort = await this.pick(taken, 'HealthCheck NodePort');
      return;
    }
    const port = spec.healthCheckNodePort;
    if (!hasHealthCheckNodePort(spec) || port === undefined) return;
    const problem = held.has(port) ? undefined : await this.problemWith(port);
    if (problem === undefined) return;
    throw internalError(`failed to allocate requested HealthCheck NodePort ${port}: ${problem}`);
  }

  private async pick(except: ReadonlySet<number>, what: string): Promise<number> {
    const port = await this.pool.pick([this.range], except);
    if (port === undefined) throw internalError(`failed to allocate a ${what}: range is full`);
    return port;
  }
}

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;

/** Node ports of one service by port and protocol: a client may send tens of thousands of ports. */
class Siblings {
  /** By port and protocol, the first of the service's that has a node port. */
  readonly #first = new Map<string, { readonly index: number; readonly nodePort: number }>();
  /** Node port and protocol. */
  readonly #used = new Set<string>();

  constructor(ports: readonly ServicePort[]) {
    for (const [index, port] of ports.entries()) if (port.nodePort) this.add(port, index);
  }

  add({ port, protocol, nodePort = 0 }: ServicePort, index: number): void {
    const key = `${port}/${protocol}`;
    const first = this.#first.get(key);
    if (first === undefined || index < first.index) this.#first.set(key, { index, nodePort });
    this.#used.add(`${nodePort}/${protocol}`);
  }

  /** What the same port number has in another protocol, where this protocol does not have it yet. */
  nodePortFor({ port, protocol }: ServicePort): number | undefined {
    let found: { readonly index: number; readonly nodePort: number } | undefined;
    for (const other of PROTOCOLS) {
      const first = other === protocol ? undefined : this.#first.get(`${port}/${other}`);
      if (first !== undefined && (found === undefined || first.index < found.index)) found = first;
    }
    return found === undefined || this.#used.has(`${found.nodePort}/${protocol}`)
      ? undefined
      : found.nodePort;
  }
}

function refusal(service: KubeObject, field: string, value: unknown, why: string): StatusError {
  return invalid(SERVICE_KIND, service.metadata.name ?? '', [invalidField(field, value, why)]);
}
