/** Asks the parts of the control plane how they do: what a ComponentStatus shows, as upstream asks them. */
import { request } from 'node:https';
import type { KubeObject } from '../schemas/definition.js';
import type { Computed } from './registry/computed-registry.js';

/** After so long without an answer a component counts as unhealthy, in milliseconds. */
const PROBE_MS_MAX = 20_000;
/** Of an answer no more is shown, in bytes. */
const ANSWER_BYTES_MAX = 10 * 1024;

/** Where the other programs of a control plane answer when they run on this machine. */
const PROGRAM_PORTS: readonly [name: string, port: number][] = [
  ['controller-manager', 10_257],
  ['scheduler', 10_259],
];

/** A server of the store that takes longer is not healthy, in milliseconds. */
const STORE_MS_MAX = 2000;

/** Rejects, with the reason, where the server of the store does not answer in time. */
export type StoreProbe = (timeoutMs: number) => Promise<unknown>;

interface Health {
  readonly status: 'True' | 'False';
  readonly message?: string;
  readonly error?: string;
}

/** `stores`: one for each server of the store; `ports`: of other programs, by name. */
export function componentHealth({
  stores,
  programs = PROGRAM_PORTS,
}: {
  readonly stores: readonly StoreProbe[];
  readonly programs?: readonly [name: string, port: number][];
}): Computed {
  const probes = new Map<string, () => Promise<Health>>([
    ...programs.map(([name, port]) => [name, () => programHealth(port)] as const),
    ...stores.map((probe, i) => [`etcd-${i}`, () => storeHealth(probe)] as const),
  ]);
  return {
    names: () => [...probes.keys()],
    async object(name) {
      const health = await probes.get(name)?.();
      return health === undefined ? undefined : statusOf(name, health);
    },
    absent: (name) => `Component not found: ${name}`,
  };
}

const statusOf = (name: string, health: Health): KubeObject => ({
  kind: 'ComponentStatus',
  apiVersion: 'v1',
  metadata: { name },
  conditions: [{ type: 'Healthy', ...health }],
});

async function storeHealth(probe: StoreProbe): Promise<Health> {
  try {
    await probe(STORE_MS_MAX);
    return { status: 'True', message: 'ok' };
  } catch (error) {
    return { status: 'False', error: error instanceof Error ? error.message : String(error) };
  }
}

/** Never rejects. */
function programHealth(port: number): Promise<Health> {
  const url = `https://127.0.0.1:${port}/healthz`;
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) =>
      resolve({ status: 'False', message: `Get "${url}": ${reasonOf(error, port)}` });
    // Its certificate is its own; all that is asked is whether it answers.
    const asking = request(
      url,
      { rejectUnauthorized: false, agent: false, signal: AbortSignal.timeout(PROBE_MS_MAX) },
      (response) => {
        const { statusCode = 0 } = response;
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          text = (text + piece).slice(0, ANSWER_BYTES_MAX);
        });
        response.on('error', failed);
        response.on('end', () => {
          const isGood = statusCode >= 200 && statusCode < 400;
          const message = isGood ? text : `HTTP probe failed with statuscode: ${statusCode}`;
          resolve({ status: isGood ? 'True' : 'False', ...(message === '' ? {} : { message }) });
        });
      },
    );
    asking.on('error', failed);
    asking.end();
  });
}

/** In Go's words where it is what one usually sees. */
function reasonOf({ code, message }: NodeJS.ErrnoException, port: number): string {
  return code === 'ECONNREFUSED' ? `dial tcp 127.0.0.1:${port}: connect: connection refused` : message;
}
