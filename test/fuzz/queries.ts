/** Query strings: every option of every verb, right, wrong, repeated, mis-encoded. */
import { type Random, weighted } from './chance.js';
import { longText, names, oddTexts } from './vocabulary.js';

const booleans = ['true', 'false', '1', '0', '', 'TRUE', 'yes', 'x'] as const;
const integers = [
  '0',
  '1',
  '2',
  '500',
  '-1',
  '',
  'abc',
  '1.5',
  '+1',
  '0x1',
  '1_0',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775809',
  '1e3',
  ' 1',
  '٣',
] as const;
const revisions = [
  '0',
  '1',
  '5',
  '100',
  '1000',
  '',
  '-1',
  'abc',
  '00',
  '1.0',
  '18446744073709551615',
  '18446744073709551616',
  '9007199254740993',
] as const;
const labels = [
  'app=web',
  'app',
  '!app',
  'app!=web',
  'app in (web,a)',
  'app notin (web)',
  'app>1',
  'app<1',
  'app==web,x',
  'a in (',
  ',',
  '=',
  'a=b=c',
  'bad/key/x=1',
  'app in ()',
  '((((',
  'a>b',
  'é=1',
  '!',
  'a,,b',
  'x in (a b)',
] as const;
const fields = [
  'metadata.name=a',
  'metadata.name!=a',
  'metadata.namespace=default',
  'status.phase=Pending',
  'spec.nodeName=',
  'type=Opaque',
  'reason=Started',
  'involvedObject.name=a',
  'nope=1',
  'metadata.name',
  '=',
  'a=b=c',
  'metadata.name=a,metadata.name=b',
  'metadata.name=\\',
  'metadata.name=a\\,b',
  'metadata.name==a',
  ',',
  'spec.unschedulable=true',
] as const;

/** A token of a list that might have been. */
function continueToken(random: Random): string {
  const token = {
    v: random.pick(['meta.k8s.io/v1', 'v1', 1, null]),
    rv: random.pick([1, 5, 100, 10_000, -1, 0, -2, 1.5, 'x', 2 ** 53]),
    start: random.pick([
      'a\u0000',
      'default/a\u0000',
      '',
      '/',
      '../x',
      'a//b',
      'é',
      'z',
      '\u0000',
      'a/b/c',
      5,
    ]),
  };
  const text = random.chance(0.8) ? JSON.stringify(token) : random.pick(['', 'x', '[]', 'null', '{', '1']);
  return Buffer.from(text).toString(random.chance(0.8) ? 'base64url' : 'base64');
}

const options: Readonly<Record<string, (random: Random) => string>> = {
  fieldManager: (random) =>
    random.pick(['fuzz', '', 'a'.repeat(128), 'a'.repeat(129), 'é'.repeat(65), '\u0000', 'a\nb', '😀']),
  fieldValidation: (random) => random.pick(['Strict', 'Warn', 'Ignore', '', 'strict', 'x', 'All']),
  dryRun: (random) => random.pick(['All', 'All', '', 'None', 'all', 'All,All']),
  force: (random) => random.pick(booleans),
  pretty: (random) => random.pick(booleans),
  limit: (random) => random.pick(integers),
  continue: continueToken,
  timeoutSeconds: (random) => random.pick(integers),
  timeout: (random) => random.pick(['1s', '0s', '34s', 'x', '', '-1s', '1h']),
  resourceVersion: (random) => random.pick(revisions),
  resourceVersionMatch: (random) => random.pick(['Exact', 'NotOlderThan', '', 'x', 'exact']),
  allowWatchBookmarks: (random) => random.pick(booleans),
  sendInitialEvents: (random) => random.pick(booleans),
  labelSelector: (random) => (random.chance(0.9) ? random.pick(labels) : longText(random).slice(0, 4000)),
  fieldSelector: (random) => (random.chance(0.9) ? random.pick(fields) : longText(random).slice(0, 4000)),
  gracePeriodSeconds: (random) => random.pick(integers),
  propagationPolicy: (random) => random.pick(['Foreground', 'Background', 'Orphan', '', 'x']),
  orphanDependents: (random) => random.pick(booleans),
  ignoreStoreReadErrorWithClusterBreakingPotential: (random) => random.pick(booleans),
  shardSelector: (random) => random.pick(['', 'x', 'shardRange(object.metadata.uid, 0x0, 0x8)']),
  includeObject: (random) => random.pick(['Metadata', 'Object', 'None', '', 'x']),
  container: (random) => random.pick(['main', '', 'x']),
  follow: (random) => random.pick(booleans),
  tailLines: (random) => random.pick(integers),
  command: (random) => random.pick(['sh', '', 'a b']),
  stdin: (random) => random.pick(booleans),
  path: (random) => random.pick(['/', '', '../..', '//x']),
  verbose: (random) => random.pick(booleans),
  exclude: (random) => random.pick(['etcd', 'x', '', 'ping']),
  kind: (random) => random.pick(names),
};

/** Those that fit most verbs come first. */
const usual: Readonly<Record<string, readonly string[]>> = {
  create: ['fieldManager', 'fieldValidation', 'dryRun', 'pretty'],
  update: ['fieldManager', 'fieldValidation', 'dryRun', 'pretty'],
  patch: ['fieldManager', 'fieldValidation', 'dryRun', 'force', 'pretty'],
  get: ['resourceVersion', 'pretty', 'includeObject'],
  list: [
    'limit',
    'continue',
    'labelSelector',
    'fieldSelector',
    'resourceVersion',
    'resourceVersionMatch',
    'timeoutSeconds',
    'includeObject',
    'sendInitialEvents',
  ],
  watch: [
    'timeoutSeconds',
    'labelSelector',
    'fieldSelector',
    'resourceVersion',
    'resourceVersionMatch',
    'allowWatchBookmarks',
    'sendInitialEvents',
    'includeObject',
  ],
  delete: [
    'gracePeriodSeconds',
    'propagationPolicy',
    'orphanDependents',
    'dryRun',
    'ignoreStoreReadErrorWithClusterBreakingPotential',
  ],
  deletecollection: [
    'labelSelector',
    'fieldSelector',
    'dryRun',
    'propagationPolicy',
    'limit',
    'continue',
    'resourceVersion',
  ],
};

/** Without the question mark; mostly empty or short. */
export function query(random: Random, verb: string): string {
  const own = usual[verb] ?? Object.keys(options);
  const count = weighted(random, [
    [5, 0],
    [5, 1],
    [3, 2],
    [1, random.between(3, 8)],
    [0.05, random.pick([63, 64, 65, 2000])],
  ]);
  const parts: string[] = [];
  for (let i = 0; i < count; i++) {
    const name = random.chance(0.85) ? random.pick(own) : random.pick(Object.keys(options));
    const value = random.chance(0.93) ? (options[name]?.(random) ?? '') : random.pick(oddTexts);
    parts.push(parameter(random, name, value));
    if (random.chance(0.04)) parts.push(parameter(random, name, options[name]?.(random) ?? ''));
  }
  return parts.join(random.chance(0.98) ? '&' : random.pick([';', '&&', '&=&', '?']));
}

function parameter(random: Random, name: string, value: string): string {
  return weighted<() => string>(random, [
    [40, () => `${name}=${encode(value)}`],
    [1, () => name],
    [1, () => `${name}=`],
    [1, () => `${name.toUpperCase()}=${encode(value)}`],
    [1, () => `${everyByte(name)}=${everyByte(value)}`],
    [1, () => `${name}=${random.pick(['%', '%f', '%zz', '%ff%fe', '%00', '+', '%u0041', '%ed%a0%80'])}`],
    [1, () => `${name}[]=${encode(value)}`],
  ])();
}

/** Lone surrogates cannot be encoded as they are. */
export const encode = (value: string): string => encodeURIComponent(Buffer.from(value).toString());

const everyByte = (value: string): string =>
  [...Buffer.from(value)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
