/** Discovery in what the client takes: the old documents, or all in one where it asks for that. */
import type { Discovery, DiscoveryDocument } from './discovery.js';
import type { Exchange } from './exchange.js';
import {
  type Accepted,
  aggregatedDiscovery,
  contentTypes,
  negotiable,
  negotiate,
  plainDiscovery,
} from './negotiation.js';
import { valueBody, wantsPretty } from './representation.js';
import { type Body, send, sendDocument } from './respond.js';
import { Envelope, ProtobufKind } from './serializers/protobuf-kinds.js';

/** The document at a path that has one. Throws StatusError 406. */
export function sendDiscovery(
  exchange: Exchange,
  discovery: Discovery,
  path: string,
): Promise<void> | undefined {
  const { accept } = exchange.request.headers;
  const aggregated = negotiable(accept, aggregatedDiscovery);
  if (aggregated !== undefined && (path === '/api' || path === '/apis')) {
    const { version } = aggregated;
    const document = discovery.aggregated(path, version);
    const { contentType, content } = bodyOf(exchange, document, aggregated, `apidiscovery.${version}`);
    return sendDocument(exchange, {
      bytes: content,
      contentType: `${contentType};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      etag: document.etag,
      isPublic: true,
    });
  }
  const accepted = negotiate(accept, plainDiscovery);
  const document = discovery.legacy(path);
  if (document === undefined) return undefined;
  return send(exchange, 200, bodyOf(exchange, document, accepted, 'meta.v1'), { vary: 'Accept' });
}

/** `inPackage`: of the messages that these documents are. */
function bodyOf(
  exchange: Exchange,
  { json }: DiscoveryDocument,
  accepted: Accepted,
  inPackage: string,
): Body & { readonly content: Buffer } {
  const pretty = accepted.pretty || wantsPretty(exchange);
  if (accepted.media === 'json' && !pretty) {
    return { contentType: contentTypes.json, bytes: json.length, content: json };
  }
  const value = JSON.parse(json.toString()) as { readonly kind: string; readonly apiVersion?: string };
  const { apiVersion = '', kind } = value;
  const kindOf = () => new ProtobufKind(new Envelope(apiVersion, kind), `${inPackage}.${kind}`);
  return valueBody({ ...accepted, pretty }, value, kindOf);
}
