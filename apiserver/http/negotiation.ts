/** How an answer is to be shown, from the Accept header: media type and, for objects and lists, which shape. */
import { type StatusDetails, StatusError } from '../errors.js';
import { type AcceptClause, parseAccept } from './accept-header.js';

export type MediaType = 'json' | 'yaml' | 'protobuf';

/** `object`: as it is. The others are the shapes of meta.k8s.io that clients ask for with `as=`, and of discovery. */
export type Shape = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' | 'discovery';

export interface Accepted {
  readonly media: MediaType;
  readonly shape: Shape;
  /** Version of the shape: v1 or v1beta1 of meta.k8s.io, v2 or v2beta1 of apidiscovery.k8s.io. */
  readonly version: string;
  readonly pretty: boolean;
}

export const contentTypes: Readonly<Record<MediaType, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
};

/** In the order in which a wildcard takes them. */
const mediaTypes: readonly { readonly media: MediaType; readonly subtype: string }[] = [
  { media: 'json', subtype: 'json' },
  { media: 'yaml', subtype: 'yaml' },
  { media: 'protobuf', subtype: 'vnd.kubernetes.protobuf' },
];

/** What can be asked for at a kind of path. */
export interface Endpoint {
  /** Whether this shape can be given in this media type. */
  readonly allows: (media: MediaType, shape: Shape) => boolean;
  /** Parameter `sv`, of the version of the answer's common parts. */
  readonly serverVersion?: string;
  /** Media types that the path's route is registered with; absent: any header reaches it. */
  readonly route?: readonly string[];
}

const all = Object.values(contentTypes);
const streamed = [contentTypes.json, contentTypes.protobuf].map((type) => `${type};stream=watch`);

/** A Table has no protobuf form; metadata has one whatever it is of. */
const shownAs = (media: MediaType, shape: Shape): boolean =>
  shape === 'Table' ? media !== 'protobuf' : shape !== 'discovery';

/** An object of a kind with a protobuf form. */
export const objects: Endpoint = { allows: shownAs, serverVersion: 'v1', route: all };
export const collections: Endpoint = { ...objects, route: [...all, ...streamed] };
/** A kind without one: a custom resource. */
export const objectsInJson: Endpoint = {
  allows: (media, shape) => shownAs(media, shape) && (shape !== 'object' || media !== 'protobuf'),
  serverVersion: 'v1',
};
/** Errors. */
export const statuses: Endpoint = { allows: (_media, shape) => shape === 'object' };
/** Discovery of one group or version, or in the old form. */
export const plainDiscovery: Endpoint = { ...statuses, route: all };
export const aggregatedDiscovery: Endpoint = { allows: (_media, shape) => shape === 'discovery', route: all };
/** What has no other form than JSON. */
export const jsonOnly: Endpoint = { allows: (media) => media === 'json' };
export const jsonRoute: Endpoint = { ...jsonOnly, route: [contentTypes.json] };

const shapes: ReadonlyMap<string, Shape> = new Map([
  ['Table', 'Table'],
  ['PartialObjectMetadata', 'PartialObjectMetadata'],
  ['PartialObjectMetadataList', 'PartialObjectMetadataList'],
  ['APIGroupDiscoveryList', 'discovery'],
]);

const plainJson: Accepted = { media: 'json', shape: 'object', version: '', pretty: false };

/** No error yet: one holds, with its stack, what made it, which is a request and its connection. */
interface Refusal {
  readonly refused: string;
  readonly details?: StatusDetails;
}

/** Clients send few different Accept headers, and send them with every request. */
const known = new Map<Endpoint, Map<string, Accepted | Refusal>>();
const knownMax = 256;

/** What the client takes of what the endpoint can give, the best of it. Throws StatusError 406. */
export function negotiate(accept: string | undefined, endpoint: Endpoint): Accepted {
  const found = find(accept, endpoint);
  if ('refused' in found) throw errorOf(found);
  return found;
}

/** As `negotiate`; undefined where there is nothing. */
export function negotiable(accept: string | undefined, endpoint: Endpoint): Accepted | undefined {
  const found = find(accept, endpoint);
  return 'refused' in found ? undefined : found;
}

function find(accept = '', endpoint: Endpoint): Accepted | Refusal {
  let headers = known.get(endpoint);
  if (headers === undefined) {
    headers = new Map();
    known.set(endpoint, headers);
  }
  let found = headers.get(accept);
  if (found === undefined) {
    found = choose(accept, endpoint);
    if (headers.size >= knownMax) headers.clear();
    headers.set(accept, found);
  }
  return found;
}

function choose(accept: string, endpoint: Endpoint): Accepted | Refusal {
  const { route } = endpoint;
  if (route !== undefined && !reaches(accept, route)) {
    return {
      refused: `406: Not Acceptable\n\nAvailable representations: ${route.join(', ')}`,
      details: {},
    };
  }
  if (accept === '') return endpoint.allows('json', 'object') ? plainJson : notAcceptable(all);
  for (const clause of parseAccept(accept)) {
    for (const { media, subtype } of mediaTypes) {
      if (clause.type !== 'application' && (clause.type !== '*' || clause.subtype !== '*')) continue;
      if (clause.subtype !== subtype && clause.subtype !== '*') continue;
      const accepted = acceptedOf(clause, media, endpoint);
      if (accepted !== undefined) return accepted;
    }
  }
  return notAcceptable(all);
}

const notAcceptable = (types: readonly string[]): Refusal => ({
  refused: `only the following media types are accepted: ${types.join(', ')}`,
});

const errorOf = ({ refused, details }: Refusal): StatusError =>
  new StatusError(406, 'NotAcceptable', refused, details);

/** Routes are found by the literal text of media types, before anything weighs them. */
function reaches(accept: string, route: readonly string[]): boolean {
  if (accept === '') return true;
  return accept.split(',').some((clause) => {
    const type = (clause.split(';', 1)[0] ?? '').replace(/^ +| +$/g, '');
    return type === '*/*' || route.includes(type);
  });
}

/** Undefined where a parameter asks for what cannot be given. */
function acceptedOf(
  { parameters }: AcceptClause,
  media: MediaType,
  { allows, serverVersion }: Endpoint,
): Accepted | undefined {
  const stream = parameters.get('stream');
  if (stream !== undefined && (stream !== 'watch' || media === 'yaml')) return undefined;
  const asked = parameters.get('sv');
  if (asked !== undefined && asked !== serverVersion) return undefined;
  const transformed = transformation(parameters);
  if (transformed === undefined || !allows(media, transformed.shape)) return undefined;
  return { ...transformed, media, pretty: parameters.get('pretty') === '1' };
}

/** Undefined for one that nobody knows. */
function transformation(
  parameters: ReadonlyMap<string, string>,
): Pick<Accepted, 'shape' | 'version'> | undefined {
  const [as, group, version] = ['as', 'g', 'v'].map((name) => parameters.get(name));
  if (as === undefined && group === undefined && version === undefined)
    return { shape: 'object', version: '' };
  const shape = shapes.get(as ?? '');
  if (shape === undefined || version === undefined) return undefined;
  const versions = shape === 'discovery' ? ['v2', 'v2beta1'] : ['v1', 'v1beta1'];
  const expected = shape === 'discovery' ? 'apidiscovery.k8s.io' : 'meta.k8s.io';
  return group === expected && versions.includes(version) ? { shape, version } : undefined;
}

/** YAML is no stream. */
export const notStreamable = (): StatusError => errorOf(notAcceptable(streamed));
