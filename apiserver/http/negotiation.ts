/** How an answer is to be shown, from the Accept header: media type and, for objects and lists, which shape. */
import { StatusError } from '../errors.js';

export type MediaType = 'json' | 'yaml';

/** `object`: as it is. The others are the shapes of meta.k8s.io that clients ask for with `as=`. */
export type Shape = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' | 'discovery';

export interface Accepted {
  readonly media: MediaType;
  readonly shape: Shape;
  /** Version of the shape: v1 or v1beta1 of meta.k8s.io, v2 or v2beta1 of apidiscovery.k8s.io. */
  readonly version: string;
  readonly pretty: boolean;
}

/** As upstream lists them; protobuf is taken in bodies but answers are JSON. */
export const producedText = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';

const mediaTypes: ReadonlyMap<string, MediaType> = new Map([
  ['application/json', 'json'],
  ['application/*', 'json'],
  ['*/*', 'json'],
  ['application/yaml', 'yaml'],
]);

const shapes: ReadonlyMap<string, Shape> = new Map([
  ['Table', 'Table'],
  ['PartialObjectMetadata', 'PartialObjectMetadata'],
  ['PartialObjectMetadataList', 'PartialObjectMetadataList'],
  ['APIGroupDiscoveryList', 'discovery'],
]);

const plainJson: Accepted = { media: 'json', shape: 'object', version: '', pretty: false };

/** Clients send few different Accept headers, and send them with every request. */
const parsed = new Map<string, readonly Accepted[] | StatusError>();
const parsedMax = 256;

/**
 * What the client takes, the best first. Throws StatusError 406 when there is nothing that is ours to give.
 * Transformations that do not fit the answer (a Table of a Status) are skipped by who represents.
 */
export function negotiate(accept: string | undefined): readonly Accepted[] {
  if (accept === undefined || accept === '' || accept === '*/*') return [plainJson];
  let found = parsed.get(accept);
  if (found === undefined) {
    found = parseAccept(accept);
    if (parsed.size >= parsedMax) parsed.clear();
    parsed.set(accept, found);
  }
  // A fresh error each time: its stack would otherwise be that of another request.
  if (found instanceof StatusError)
    throw new StatusError(found.code, found.reason, found.message, found.details);
  return found;
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

function parseAccept(accept: string): readonly Accepted[] | StatusError {
  const clauses = accept.split(',').map(parseClause);
  // Stable: clauses of the same quality keep the client's order.
  clauses.sort((a, b) => b.quality - a.quality);
  const offered = clauses.filter(({ quality }) => quality > 0);
  const found = offered.map(acceptedOf).filter((accepted) => accepted !== undefined);
  if (found.length > 0) return found;
  if (offered.some(({ type }) => mediaTypes.has(type))) {
    return new StatusError(
      406,
      'NotAcceptable',
      `only the following media types are accepted: ${producedText}`,
    );
  }
  if (offered.some(({ type }) => type === 'application/vnd.kubernetes.protobuf')) {
    return new StatusError(
      406,
      'NotAcceptable',
      'only the following media types are accepted: application/json, application/yaml',
    );
  }
  const text = `406: Not Acceptable\n\nAvailable representations: ${producedText}`;
  return new StatusError(406, 'NotAcceptable', text, {});
}

function parseClause(text: string): Clause {
  const [type = '', ...rest] = text.split(';');
  const parameters = new Map<string, string>();
  for (const parameter of rest) {
    const equals = parameter.indexOf('=');
    if (equals === -1) continue;
    parameters.set(parameter.slice(0, equals).trim().toLowerCase(), parameter.slice(equals + 1).trim());
  }
  const quality = Number(parameters.get('q') ?? 1);
  return {
    type: type.trim().toLowerCase(),
    parameters,
    quality: Number.isNaN(quality) ? 0 : quality,
  };
}

function acceptedOf({ type, parameters }: Clause): Accepted | undefined {
  const media = mediaTypes.get(type);
  if (media === undefined) return undefined;
  const pretty = parameters.get('pretty') === '1';
  const as = parameters.get('as');
  if (as === undefined) return { ...plainJson, media, pretty };
  const shape = shapes.get(as);
  const version = parameters.get('v') ?? '';
  const group = parameters.get('g');
  if (shape === 'discovery') {
    if (group !== 'apidiscovery.k8s.io' || (version !== 'v2' && version !== 'v2beta1')) return undefined;
  } else if (shape === undefined || group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) {
    return undefined;
  }
  return { media, shape, version, pretty };
}
