/** Paths: of everything there is, and past it. */
import { type Catalogue, groupPath, type Target } from './catalogue.js';
import { type Random, weighted } from './chance.js';
import { encode } from './queries.js';
import { longText, names, namespaces, oddNames } from './vocabulary.js';

export interface Place {
  readonly target: Target;
  readonly verb: string;
  /** '' for none. */
  readonly subresource: string;
  readonly namespace: string;
  /** '' for the collection. */
  readonly name: string;
  /** As sent. */
  readonly path: string;
}

const collectionVerbs: ReadonlySet<string> = new Set(['create', 'list', 'watch', 'deletecollection']);

/** Deletions of many are seldom, so that there is something to find. */
const verbWeights: Readonly<Record<string, number>> = {
  create: 24,
  update: 14,
  patch: 20,
  get: 8,
  list: 5,
  watch: 2,
  delete: 4,
  deletecollection: 0.6,
};

/** A path that means something, with a verb that is served there (or, seldom, is not). */
export function place(random: Random, { targets }: Catalogue): Place {
  const target = random.pick(targets);
  const subresource =
    target.subresources.length > 0 && random.chance(0.25) ? random.pick(target.subresources) : undefined;
  const served = subresource?.verbs ?? target.verbs;
  const offered = served.filter((verb) => verb in verbWeights);
  const verb =
    offered.length > 0 && random.chance(0.97)
      ? weighted(
          random,
          offered.map((verb) => [verbWeights[verb] ?? 1, verb] as const),
        )
      : random.pick(Object.keys(verbWeights));
  const { definition } = target;
  const namespace = definition.namespaced ? chooseNamespace(random, verb) : '';
  const onCollection = subresource === undefined && collectionVerbs.has(verb);
  const name = onCollection && random.chance(0.98) ? '' : chooseName(random);
  const path = [
    groupPath(definition),
    namespace === '' ? '' : `/namespaces/${encode(namespace)}`,
    `/${definition.plural}`,
    name === '' && subresource === undefined ? '' : `/${encode(name)}`,
    subresource === undefined ? '' : `/${subresource.name}`,
  ].join('');
  return { target, verb, subresource: subresource?.name ?? '', namespace, name, path };
}

function chooseNamespace(random: Random, verb: string): string {
  if (random.chance(verb === 'list' || verb === 'watch' ? 0.15 : 0.01)) return '';
  if (random.chance(0.01)) return random.pick(oddNames);
  return weighted(random, [
    [12, 'default'],
    [5, 'fuzz'],
    [1, random.pick(namespaces)],
  ]);
}

const chooseName = (random: Random): string =>
  random.chance(0.96) ? random.pick(names) : random.pick(oddNames);

/** Another way to write a path, or the way to another one. */
export function bendPath(random: Random, path: string): string {
  const segments = path.split('/');
  const at = random.between(1, Math.max(1, segments.length - 1));
  const replaced = (segment: string) =>
    [...segments.slice(0, at), segment, ...segments.slice(at + 1)].join('/');
  const inserted = (segment: string) => [...segments.slice(0, at), segment, ...segments.slice(at)].join('/');
  const current = segments[at] ?? '';
  return weighted<() => string>(random, [
    [3, () => replaced(encode(random.pick(oddNames)))],
    [2, () => inserted(encode(random.pick([...oddNames, ...names])))],
    [
      2,
      () =>
        replaced(
          random.pick([
            '%',
            '%2',
            '%zz',
            '%ff',
            '%c3%28',
            '%00',
            '%2e%2e',
            '%2f',
            '%252f',
            '%5c',
            ';a=b',
            '..',
            '.',
            '%ed%a0%80',
          ]),
        ),
    ],
    [1, () => inserted('')],
    [1, () => `${path}/`],
    [1, () => `${path}//`],
    [1, () => `/${path}`],
    [1, () => replaced(current.toUpperCase())],
    [1, () => replaced([...Buffer.from(current)].map((byte) => `%${byte.toString(16)}`).join(''))],
    [1, () => segments.toSpliced(at, 1).join('/')],
    [1, () => `${path}/${encode(longText(random)).slice(0, random.pick([1000, 15_000, 17_000]))}`],
    [1, () => path.replace('/v1', random.pick(['/v2', '/v1beta1', '/V1', '/v1/watch', '/watch', '']))],
    [0.5, () => `http://127.0.0.1${path}`],
  ])();
}

/** What is no resource. */
export function otherPath(random: Random, { paths }: Catalogue): string {
  return weighted<() => string>(random, [
    [10, () => random.pick(paths)],
    [2, () => `${random.pick(paths)}/`],
    [2, () => bendPath(random, random.pick(paths))],
    [
      1,
      () =>
        random.pick([
          '/',
          '',
          '*',
          '/nothing',
          '/metrics',
          '/debug/pprof',
          '/favicon.ico',
          '/swagger.json',
          '/openapi/v3/apis/none/v1',
          '/openapi/v1',
          '/logs',
          '/api/v1/watch',
          '/apis/',
          '/api/v1/proxy/namespaces/default/pods/a',
          '/healthz/ping/x',
          '/readyz/nope',
          '/.well-known/openid-configuration',
          '/__proto__',
          '/constructor',
        ]),
    ],
  ])();
}
