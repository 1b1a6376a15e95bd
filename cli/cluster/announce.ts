/** Who of the cluster is where, told once it is ready. */
import { plainUrl, secureUrl, shortPath } from '../announce.js';
import { version } from '../bundle.js';
import type { Layout, MemberPlace } from './layout.js';
import { clientUrl, peerUrl } from './member-arguments.js';

export interface ClusterReach {
  readonly layout: Layout;
  /** Absolute. */
  readonly folder: string;
  /** Absolute. */
  readonly kubeconfig: string;
  readonly pidOf: (name: string) => number | undefined;
}

export const secureUrlOf = ({ securePort }: MemberPlace) =>
  secureUrl({ bindAddress: '127.0.0.1', securePort });

export function logFields({ layout, folder, kubeconfig, pidOf }: ClusterReach): object {
  const members = layout.members.map((place) => ({
    name: place.name,
    pid: pidOf(place.name),
    url: plainUrl(place),
    secureUrl: secureUrlOf(place),
    clientUrl: clientUrl(place),
    peerUrl: peerUrl(place),
  }));
  return { members, kubeconfig, dataDir: folder };
}

/** The first lines on a terminal, for a person. */
export function clusterText({ layout, folder, kubeconfig, pidOf }: ClusterReach): string {
  const rows = layout.members.map((place) => [
    place.name,
    String(pidOf(place.name) ?? ''),
    plainUrl(place) ?? 'off',
    secureUrlOf(place) ?? 'off',
    clientUrl(place),
    peerUrl(place),
  ]);
  const lines = [
    `Wherry ${version}: a cluster of ${layout.members.length} is ready. Data: ${shortPath(folder)}`,
    ...table([['member', 'process', 'plain HTTP', 'HTTPS', 'etcd’s clients', 'peers'], ...rows]),
    'Try:',
    `  KUBECONFIG=${shortPath(kubeconfig)} kubectl get all -A   (--context ${layout.members.at(-1)?.name}: through that member)`,
  ];
  const [first] = layout.members;
  if (first !== undefined) {
    const list = `curl -H 'Content-Type: application/json' -d '{}' ${clientUrl(first)}/v3/cluster/member/list`;
    lines.push(`  ${list}`);
  }
  return `${lines.join('\n')}\n`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}
