/** What a member tells anyone who asks: its cluster. A new member has no other way to know. */
import { type Configuration, decodeConfiguration, encodeConfiguration } from '../core/configuration.js';
import { CONFIGURATION_BYTES_MAX, TRANSPORT_LIMITS } from './limits.js';
import { CLUSTER_PATH, STATUS, hex, parseHex } from './protocol.js';
import { exchange } from './request.js';
import { type PeerTls, clientTls } from './tls.js';
import { TransportError } from './transport.js';

export interface ClusterDescription {
  readonly clusterId: bigint;
  readonly configuration: Configuration;
}

/** JSON: `{"clusterId":"hexadecimal","configuration":{…}}`. */
export function describeCluster({ clusterId, configuration }: ClusterDescription): string {
  const encoded = Buffer.from(encodeConfiguration(configuration)).toString();
  return `{"clusterId":"${hex(clusterId)}","configuration":${encoded}}`;
}

/** Asks the member at one of its peer URLs. Rejects with a TransportError. */
export async function fetchCluster(
  url: string,
  { tls, timeoutMs }: { readonly tls?: PeerTls | undefined; readonly timeoutMs: number },
): Promise<ClusterDescription> {
  const { status, body } = await exchange({
    url,
    path: CLUSTER_PATH,
    method: 'GET',
    headers: {},
    tls: clientTls(tls),
    connectMs: TRANSPORT_LIMITS.connectMs,
    timeoutMs,
    answerBytesMax: CONFIGURATION_BYTES_MAX,
    send: async (request) => void request.end(),
  });
  if (status !== STATUS.ok) throw new TransportError('refused', `${url}: ${status}`);
  try {
    const description = JSON.parse(body.toString()) as Record<keyof ClusterDescription, unknown>;
    const clusterId = parseHex(description.clusterId);
    if (clusterId === undefined) throw new TypeError('no cluster id');
    const configuration = decodeConfiguration(Buffer.from(JSON.stringify(description.configuration)));
    return { clusterId, configuration };
  } catch {
    throw new TransportError('refused', `${url} does not answer as a member does`);
  }
}
