/** The request of a seed and a number: always the same, whatever came before it. */
import type { ResourceDefinition } from '../../schemas/definition.js';
import { type Body, body, jsonBytes, mediaTypes } from './bodies.js';
import { type Catalogue, groupPath, type Target } from './catalogue.js';
import { chanceOf, type Random, weighted } from './chance.js';
import { type Header, headers } from './headers.js';
import type { Message } from './message.js';
import { fill, mutate, type Room, roomsOf } from './mutate.js';
import { patch, patchTypes } from './patches.js';
import { bendPath, otherPath, type Place, place } from './paths.js';
import { query } from './queries.js';
import { deleteOptionsSample, sample, subresourceSample } from './samples.js';
import { garbageFrames, handshake } from './sockets.js';
import { names } from './vocabulary.js';
import { type Wire, wireOf } from './wire.js';

export type FuzzCase = { readonly index: number } & (
  | {
      readonly kind: 'request';
      readonly message: Message;
      readonly over: 'plain' | 'tls' | 'http2';
      /** May end its connection, so that nothing is sent behind it. */
      readonly alone: boolean;
      /** The answer may have no end: it is cut. */
      readonly endless: boolean;
    }
  | { readonly kind: 'socket'; readonly message: Message; readonly frames: readonly Buffer[] }
  | ({ readonly kind: 'wire' } & Wire)
);

export interface GeneratorOptions {
  readonly seed: number;
  readonly catalogue: Catalogue;
  /** Host and port of the plain port, as Host headers name it. */
  readonly host: string;
  /** Share of bodies near the largest that are taken. */
  readonly largeShare?: number;
}

/** One in so many requests makes something that the others can find. */
const SEED_EVERY = 25;
/** Of bodies near the largest, unless said. */
const LARGE_SHARE = 0.0008;
/** Just below what the server takes. */
const LARGE_BYTES_MAX = 2_900_000;

export class Generator {
  readonly #rooms = new Map<ResourceDefinition, readonly Room[]>();

  constructor(private readonly options: GeneratorOptions) {}

  generate(index: number): FuzzCase {
    const { seed, host, largeShare = LARGE_SHARE } = this.options;
    const random = chanceOf(seed, index);
    if (index % SEED_EVERY === 0) return this.#ordinary(index, random, this.#seedMessage(index / SEED_EVERY));
    const kind = weighted(random, [
      [96, 'request' as const],
      [1, 'socket' as const],
      [3, 'wire' as const],
    ]);
    if (kind === 'wire') return { index, kind, ...wireOf(random, this.#message(random), host) };
    if (kind === 'socket') {
      const target = random.chance(0.8) ? this.#watchTarget(random) : this.#message(random).target;
      return { index, kind, message: handshake(random, target, host), frames: garbageFrames(random) };
    }
    if (random.chance(largeShare)) return this.#ordinary(index, random, this.#large(random));
    return this.#ordinary(index, random, this.#message(random));
  }

  #ordinary(index: number, random: Random, message: Message): FuzzCase {
    const over = weighted(random, [
      [80, 'plain' as const],
      [8, 'tls' as const],
      [12, 'http2' as const],
    ]);
    return {
      index,
      kind: 'request',
      message,
      over,
      alone: endsConnection(message),
      endless: mayBeEndless(message),
    };
  }

  #message(random: Random): Message {
    return random.chance(0.1) ? this.#otherMessage(random) : this.#resourceMessage(random);
  }

  #resourceMessage(random: Random): Message {
    const { catalogue } = this.options;
    const at = place(random, catalogue);
    const path = random.chance(0.08) ? bendPath(random, at.path) : at.path;
    const asked = [watchQuery(random, at.verb), query(random, at.verb)]
      .filter((part) => part !== '')
      .join('&');
    return this.#complete(random, {
      method: random.chance(0.97) ? (methods[at.verb] ?? 'GET') : random.pick(otherMethods),
      target: asked === '' ? path : `${path}?${asked}`,
      body: bodyOf(random, at),
    });
  }

  #otherMessage(random: Random): Message {
    const path = otherPath(random, this.options.catalogue);
    const asked = random.chance(0.3) ? `?${query(random, '')}` : '';
    const method = random.chance(0.9) ? 'GET' : random.pick(otherMethods);
    return this.#complete(random, { method, target: path + asked, body: undefined });
  }

  #watchTarget(random: Random): string {
    const { definition } = random.pick(
      this.options.catalogue.targets.filter(({ verbs }) => verbs.includes('watch')),
    );
    const namespace = definition.namespaced && random.chance(0.7) ? '/namespaces/default' : '';
    return `${groupPath(definition)}${namespace}/${definition.plural}?watch=1&${query(random, 'watch')}`;
  }

  #complete(
    random: Random,
    { method, target, body }: { method: string; target: string; body: Body | undefined },
  ): Message {
    const own: Header[] = [];
    if (random.chance(0.985)) own.push(['Host', this.options.host]);
    else
      own.push(
        ...random.pick<Header[]>([
          [['Host', 'example.com']],
          [['Host', '']],
          [],
          [
            ['Host', 'localhost'],
            ['Host', 'x'],
          ],
          [['Host', '[::1]:80']],
          [['Host', 'a'.repeat(300)]],
        ]),
      );
    if (body?.contentType !== undefined) own.push(['Content-Type', body.contentType]);
    if (random.chance(0.005)) own.push(['Connection', random.pick(['close', 'keep-alive, x', 'Upgrade'])]);
    if (random.chance(0.005))
      own.push(['Upgrade', random.pick(['h2c', 'x', 'SPDY/3.1'])], ['Connection', 'Upgrade']);
    if (random.chance(0.01)) own.push(['Expect', random.pick(['100-continue', '100-CONTINUE', 'x'])]);
    return {
      method,
      target,
      headers: [...own, ...headers(random)],
      body: body?.bytes ?? Buffer.alloc(0),
      chunks:
        body !== undefined && random.chance(0.05)
          ? [random.pick([1, 7, 1000, 65_536]), random.pick([3, 100, 10_000])].map((size) =>
              Math.max(size, body.bytes.length >> 6),
            )
          : undefined,
    };
  }

  /** What the server takes, in turns of all kinds and names. */
  #seedMessage(turn: number): Message {
    const { catalogue, host } = this.options;
    const stored = catalogue.targets.filter(({ verbs }) => verbs.includes('list'));
    const { definition } = stored[turn % stored.length] as Target;
    const name = names[Math.floor(turn / stored.length) % names.length] ?? 'a';
    const namespace = turn % 3 === 0 ? 'fuzz' : 'default';
    const isNamespace = definition.kind === 'Namespace';
    const path = definition.namespaced
      ? `/namespaces/${namespace}/${definition.plural}`
      : `/${definition.plural}`;
    const object = sample(definition, isNamespace ? (turn % 2 === 0 ? 'fuzz' : 'other') : name, namespace);
    return {
      method: 'POST',
      target: groupPath(definition) + path,
      headers: [
        ['Host', host],
        ['Content-Type', mediaTypes.json],
      ],
      body: Buffer.from(JSON.stringify(object)),
      chunks: undefined,
    };
  }

  /** An object, or a patch of one, that is as large as it may be at one place. */
  #large(random: Random): Message {
    const at = place(random, this.options.catalogue);
    const { definition } = at.target;
    let rooms = this.#rooms.get(definition);
    if (rooms === undefined) this.#rooms.set(definition, (rooms = roomsOf(definition.schema())));
    const object = sample(definition, at.name === '' ? 'a' : at.name, at.namespace) as Record<
      string,
      unknown
    >;
    if (rooms.length > 0) fill(random, object, random.pick(rooms), random.between(30_000, LARGE_BYTES_MAX));
    const contentType =
      at.verb === 'patch'
        ? random.pick(Object.values(patchTypes))
        : random.pick([mediaTypes.json, mediaTypes.json, mediaTypes.yaml]);
    return this.#complete(random, {
      method: at.verb === 'patch' || at.verb === 'update' ? (methods[at.verb] ?? '') : 'POST',
      target: at.verb === 'patch' || at.verb === 'update' ? at.path : at.path.replace(/\?.*/, ''),
      body: { contentType, bytes: jsonBytes(random, object, false) },
    });
  }
}

const methods: Readonly<Record<string, string>> = {
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  delete: 'DELETE',
  deletecollection: 'DELETE',
};

/** All that Node's parser knows by name, so that a connection lives on. */
const otherMethods = [
  'HEAD',
  'OPTIONS',
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'TRACE',
  'PROPFIND',
  'SEARCH',
  'MERGE',
  'PURGE',
  'LOCK',
  'REPORT',
  'SUBSCRIBE',
] as const;

const watchQuery = (random: Random, verb: string): string =>
  verb === 'watch' ? `watch=${random.pick(['1', 'true', 'true', '', 'x', '0'])}` : '';

function bodyOf(random: Random, at: Place): Body | undefined {
  const { definition } = at.target;
  const changes =
    random.chance(0.05) || !['create', 'update', 'patch', 'delete', 'deletecollection'].includes(at.verb);
  if (changes)
    return random.chance(0.9) ? undefined : body(random, sample(definition, 'a', at.namespace), definition);
  if (at.verb === 'delete' || at.verb === 'deletecollection') {
    return random.chance(0.5) ? undefined : body(random, { ...deleteOptionsSample(random) }, undefined);
  }
  const name = at.name === '' ? random.pick(names) : at.name;
  const object =
    at.subresource === ''
      ? sample(definition, name, at.namespace)
      : subresourceSample(definition, at.subresource, name, at.namespace);
  const schema =
    definition.subresources.find(({ name }) => name === at.subresource)?.schema ?? definition.schema;
  const plain = object as Record<string, unknown>;
  if (at.verb === 'patch') return patch(random, plain, schema());
  for (
    let times = weighted(random, [
      [3, 0],
      [6, 1],
      [3, 2],
      [1, 6],
    ]);
    times > 0;
    times--
  )
    mutate(random, plain, schema());
  if (at.verb === 'create' && random.chance(0.05)) generateName(object);
  return body(random, plain, at.subresource === '' ? definition : undefined);
}

function generateName({ metadata }: { metadata?: unknown }): void {
  if (typeof metadata !== 'object' || metadata === null) return;
  const fields = metadata as Record<string, unknown>;
  fields['generateName'] = fields['name'];
  delete fields['name'];
}

/** A watch, whether meant or not. */
export function mayBeEndless({ method, target }: Pick<Message, 'method' | 'target'>): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const decoded = target.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return /watch/i.test(decoded.replace(/[?&]watch=(?:0|f|false)(?=&|$)/i, ''));
}

/** What Node or HTTP lets a server end a connection for, or what it takes seconds to answer. */
function endsConnection({ method, target, headers, body }: Message): boolean {
  const bytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length, target.length);
  if (bytes > 30_000 || body.length > 1_000_000 || !/^[/!-~]+$/.test(target) || !target.startsWith('/'))
    return true;
  if (/resourceVersion=\d{3}/.test(target)) return true;
  if (!headers.some(([name]) => name === 'Host') || method === 'TRACE') return true;
  return headers.some(([name]) => ['connection', 'upgrade', 'expect'].includes(name.toLowerCase()));
}
