/** Where the server can be reached, told once it is ready. */
import { relative } from 'node:path';
import type { Logger } from 'pino';
import { version } from './bundle.js';

export interface Reach {
  readonly bindAddress: string;
  /** 0: off. */
  readonly port: number;
  /** 0: off. */
  readonly securePort: number;
  readonly dataDir: string;
  /** Absolute. */
  readonly kubeconfig: string;
}

const WILDCARD_ADDRESSES = new Set(['0.0.0.0', '::']);

/** Of the plain port; undefined where it is off. */
export function plainUrl({ port }: Pick<Reach, 'port'>): string | undefined {
  return port === 0 ? undefined : `http://127.0.0.1:${port}`;
}

/** Of the secure port, by which this machine reaches it; undefined where it is off. */
export function secureUrl({
  bindAddress,
  securePort,
}: Pick<Reach, 'bindAddress' | 'securePort'>): string | undefined {
  if (securePort === 0) return undefined;
  const address = WILDCARD_ADDRESSES.has(bindAddress) ? '127.0.0.1' : bindAddress;
  return `https://${address.includes(':') ? `[${address}]` : address}:${securePort}`;
}

/** One line of the log, for programs. */
export function logReady(reach: Reach, logger: Logger): void {
  const url = plainUrl(reach);
  const { kubeconfig, dataDir } = reach;
  const startMs = Math.round(process.uptime() * 1000);
  logger.info({ url, secureUrl: secureUrl(reach), kubeconfig, dataDir, startMs }, 'ready');
  if (url !== undefined) logger.info(`${url} needs no credentials: whoever reaches it is the administrator`);
}

/** A path as one would write it from here. */
export function shortPath(path: string): string {
  const nearby = relative(process.cwd(), path);
  return nearby === '' || nearby.startsWith('..') ? path : nearby;
}

/** The first lines on a terminal, for a person. */
export function readyText(reach: Reach): string {
  const kubeconfig = shortPath(reach.kubeconfig);
  const url = plainUrl(reach);
  const secure = secureUrl(reach);
  const lines = [`Wherry ${version} is ready. Data: ${reach.dataDir}`];
  if (secure !== undefined) lines.push(`  ${secure}  with the credentials in ${kubeconfig}`);
  if (url !== undefined) {
    lines.push(`  ${url}   without credentials: whoever reaches it is the administrator (this machine only)`);
  }
  lines.push('Try:');
  if (url !== undefined) lines.push(`  curl ${url}/api/v1/namespaces`);
  lines.push(`  KUBECONFIG=${kubeconfig} kubectl get all -A`);
  return `${lines.join('\n')}\n`;
}
