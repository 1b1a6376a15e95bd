/**
 * The rules of resourceVersion for get, list and watch, over HTTP on a real store: those of Kubernetes' API concepts page
 * as kube-apiserver 1.36 has them. Read the tables: what is asked for, and what the answer says.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { pino } from 'pino';
import { request } from 'undici';
import { WebSocket } from 'ws';
import { parseWatchOptions } from '../../apiserver/http/list-options.js';
import { ChangeWindow } from '../../apiserver/registry/change-window.js';
import { createRegistries, type Registries } from '../../apiserver/registry/index.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import { decodeObject } from '../../schemas/decode.js';
import { builtinResources } from '../../schemas/index.js';
import type { EtcdClient } from '../../storage/client/interface.js';
import { createRemoteClient } from '../../storage/client/remote/index.js';
import { openStore } from '../../storage/open.js';
import { chosenBackend } from '../tools/backend.js';
import { startWherryEtcd } from '../tools/etcd-process.js';
import { startEtcd } from '../tools/real-etcd.js';
import { start } from './http-harness.js';
import { contextOf } from './registry-fixture.js';

type Test = Parameters<typeof start>[0];

/** A server whose cache holds the last two changes and waits 50 ms, not 3 s, for a revision that is not there yet. */
async function serve(t: Test, client: EtcdClient) {
  const registries = createRegistries({
    client,
    definitions: builtinResources,
    admission: [],
    cache: { catchUpMs: 50, window: () => new ChangeWindow(2) },
  });
  const harness = await start(t, { registries, client });
  t.teardown(() => registries.close());
  return { registries, harness, url: harness.plain };
}

/**
 * Namespace a: c1, c2 and c3 from revisions 2, 3, 4; c2 changed at 7, c3 removed at 8, c5 made at 9. Namespace b: c4 from 5.
 * A secret from 6. What was before 5 is compacted.
 */
async function fill({ table }: Pick<Registries, 'table'>, client: EtcdClient): Promise<void> {
  const registryOf = (plural: string) => {
    const registry = table.find('', 'v1', plural);
    if (registry === undefined) throw new Error(`no ${plural}`);
    return registry;
  };
  const maps = registryOf('configmaps');
  const [a, b] = [contextOf({ namespace: 'a' }), contextOf({ namespace: 'b' })];
  const make = (name: string, data = '1') => ({
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name, labels: { odd: name.endsWith('2') ? 'no' : 'yes' } },
    data: { data },
  });
  for (const name of ['c1', 'c2', 'c3']) await maps.create(a, make(name));
  await maps.create(b, make('c4'));
  const secret = { kind: 'Secret', apiVersion: 'v1', metadata: { name: 's' }, type: 'Opaque' };
  await registryOf('secrets').create(a, secret);
  await maps.update(a, 'a', 'c2', () => make('c2', '2'));
  await maps.delete(a, 'a', 'c3');
  await maps.create(a, make('c5'));
  await client.compact({ revision: 5, physical: true });
}

/** Of an empty store: in this process, or where WHERRY_TEST_BACKEND says. */
async function openClient(t: Test): Promise<EtcdClient> {
  const backend = chosenBackend();
  if (backend === 'embedded') {
    const store = await openStore({ dataDir: ':memory:' });
    t.teardown(() => store.close());
    return store.client;
  }
  const etcd = await (backend === 'etcd' ? startEtcd() : startWherryEtcd());
  const logger = pino({ level: 'silent' });
  const client = createRemoteClient({ endpoints: [etcd.url], logger });
  t.teardown(async () => {
    await client.close();
    await etcd.stop();
    await etcd.remove();
  });
  return client;
}

async function world(t: Test) {
  const client = await openClient(t);
  const server = await serve(t, client);
  await fill(server.registries, client);
  return { ...server, client };
}

interface Body {
  readonly kind: string;
  readonly metadata: {
    readonly name?: string;
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly items?: readonly Body[];
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: object;
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: Body;
}

async function get(url: string): Promise<Answer> {
  const { statusCode, headers, body } = await request(url, { headers: { 'user-agent': 'test' } });
  return {
    status: statusCode,
    retryAfter: headers['retry-after'] as string | undefined,
    body: (await body.json()) as Body,
  };
}

const named = ({ metadata }: Body): string => `${metadata.name}@${metadata.resourceVersion}`;

const saidOfStatus = ({ code, reason, message }: Body): string =>
  `${code}${reason === undefined ? '' : ` ${reason}`}: ${message}`;

/** `c1@2 c2@7 at 9`, of a page `… more, 1 remains`; of a refusal `410 Expired: …`. */
function said({ body }: Answer): string {
  if (body.kind === 'Status') return saidOfStatus(body);
  if (body.items === undefined) return named(body);
  const { metadata, items } = body;
  const more = metadata.continue === undefined ? '' : ' more';
  const remaining =
    metadata.remainingItemCount === undefined ? '' : `, ${metadata.remainingItemCount} remain`;
  return `${items.map((item) => `${named(item)} `).join('')}at ${metadata.resourceVersion}${more}${remaining}`;
}

const tooLarge = (revision: string): string =>
  `504 Timeout: Timeout: Too large resource version: ${revision}, current: 9`;
const syntax = (value: string): string =>
  `resourceVersion: Invalid value: "${value}": strconv.ParseUint: parsing "${value}": invalid syntax`;
const listSyntax = (value: string): string => `400 BadRequest: invalid resource version: ${syntax(value)}`;
const refused = (why: string): string => `422 Invalid: ListOptions.meta.k8s.io "" is invalid: ${why}`;
const MATCH = 'resourceVersionMatch';
const UNSET_MATCH = refused(`${MATCH}: Forbidden: ${MATCH} is forbidden unless resourceVersion is provided`);
const TOO_OLD = '410 Expired: The resourceVersion for the provided list is too old.';
const NEWEST = 'c1@2 c2@7 c5@9 at 9';
const UINT64_MAX = '18446744073709551615';

type Row = readonly [rule: string, query: string, answer: string];

const inA = '/api/v1/namespaces/a/configmaps';

const lists: readonly Row[] = [
  ['unset: the newest state', '', NEWEST],
  ['empty is unset', '?resourceVersion=', NEWEST],
  ['0: any state', '?resourceVersion=0', NEWEST],
  ['N: not older than that', '?resourceVersion=7', NEWEST],
  ['that is compacted all the same', '?resourceVersion=4', NEWEST],
  ['leading zeros do not count', '?resourceVersion=0007', NEWEST],
  ['the newest', '?resourceVersion=9', NEWEST],
  ['of the future', '?resourceVersion=10', tooLarge('10')],
  ['beyond 2^53, to the last digit', '?resourceVersion=9007199254740993', tooLarge('9007199254740993')],
  ['the largest', `?resourceVersion=${UINT64_MAX}`, tooLarge(UINT64_MAX)],
  [
    'larger than the largest',
    '?resourceVersion=18446744073709551616',
    `400 BadRequest: invalid resource version: ${syntax('18446744073709551616').replace('invalid syntax', 'value out of range')}`,
  ],
  ['negative', '?resourceVersion=-1', listSyntax('-1')],
  ['no number', '?resourceVersion=abc', listSyntax('abc')],
  ['no whole number', '?resourceVersion=7.0', listSyntax('7.0')],
  ['with a sign', '?resourceVersion=%2B7', listSyntax('+7')],

  ['Exact: the state at that revision', `?resourceVersion=7&${MATCH}=Exact`, 'c1@2 c2@7 c3@4 at 7'],
  ['before the change and the deletion', `?resourceVersion=6&${MATCH}=Exact`, 'c1@2 c2@3 c3@4 at 6'],
  ['the compacted revision itself can be read', `?resourceVersion=5&${MATCH}=Exact`, 'c1@2 c2@3 c3@4 at 5'],
  ['those before cannot', `?resourceVersion=4&${MATCH}=Exact`, TOO_OLD],
  ['Exact, of the future', `?resourceVersion=10&${MATCH}=Exact`, tooLarge('10')],
  ['Exact, the largest', `?resourceVersion=${UINT64_MAX}&${MATCH}=Exact`, tooLarge(UINT64_MAX)],
  ['Exact, no number', `?resourceVersion=abc&${MATCH}=Exact`, listSyntax('abc')],
  ['Exact, unset', `?${MATCH}=Exact`, UNSET_MATCH],
  [
    'Exact, 0',
    `?resourceVersion=0&${MATCH}=Exact`,
    refused(`${MATCH}: Forbidden: ${MATCH} "exact" is forbidden for resourceVersion "0"`),
  ],
  ['which is known by its one digit', `?resourceVersion=00&${MATCH}=Exact`, NEWEST],

  ['NotOlderThan', `?resourceVersion=7&${MATCH}=NotOlderThan`, NEWEST],
  ['NotOlderThan, 0', `?resourceVersion=0&${MATCH}=NotOlderThan`, NEWEST],
  ['NotOlderThan, compacted', `?resourceVersion=4&${MATCH}=NotOlderThan`, NEWEST],
  ['NotOlderThan, of the future', `?resourceVersion=10&${MATCH}=NotOlderThan`, tooLarge('10')],
  ['NotOlderThan, unset', `?${MATCH}=NotOlderThan`, UNSET_MATCH],
  [
    'another match',
    `?resourceVersion=7&${MATCH}=Newest`,
    refused(`${MATCH}: Unsupported value: "Newest": supported values: "Exact", "NotOlderThan", ""`),
  ],
  [
    'initial events are for watches',
    '?sendInitialEvents=true',
    refused('sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'),
  ],

  ['limit: a page of the newest state', '?limit=2', 'c1@2 c2@7 at 9 more, 1 remain'],
  ['all is no page', '?limit=3', NEWEST],
  ['0 is no limit', '?limit=0', NEWEST],
  ['nor is less', '?limit=-1', NEWEST],
  ['the largest', '?limit=9223372036854775807', NEWEST],
  [
    'larger than the largest',
    '?limit=9223372036854775808',
    '400 BadRequest: strconv.ParseInt: parsing "9223372036854775808": value out of range',
  ],
  ['no number', '?limit=x', '400 BadRequest: strconv.ParseInt: parsing "x": invalid syntax'],
  ['limit with 0: any state, and whole', '?limit=2&resourceVersion=0', NEWEST],
  ['with NotOlderThan, too', `?limit=2&resourceVersion=0&${MATCH}=NotOlderThan`, NEWEST],
  ['0 otherwise spelled is unset', '?limit=2&resourceVersion=00', 'c1@2 c2@7 at 9 more, 1 remain'],
  ['limit with N: exactly N', '?limit=2&resourceVersion=7', 'c1@2 c2@7 at 7 more, 1 remain'],
  ['said again', `?limit=2&resourceVersion=7&${MATCH}=Exact`, 'c1@2 c2@7 at 7 more, 1 remain'],
  ['from the store', '?limit=2&resourceVersion=5', 'c1@2 c2@3 at 5 more, 1 remain'],
  [
    'unless N is a bound',
    `?limit=2&resourceVersion=7&${MATCH}=NotOlderThan`,
    'c1@2 c2@7 at 9 more, 1 remain',
  ],
  ['limit with N, compacted', '?limit=2&resourceVersion=4', TOO_OLD],
  ['limit with N, of the future', '?limit=2&resourceVersion=10', tooLarge('10')],

  ['what remains is not counted with a selector', '?limit=1&labelSelector=odd%3Dyes', 'c1@2 at 9 more'],
  ['a page may be the last and not know it', '?limit=1&labelSelector=odd%3Dno', 'c2@7 at 9 more'],
  ['one object by its name', '?fieldSelector=metadata.name%3Dc2', 'c2@7 at 9'],
  ['has no pages', '?fieldSelector=metadata.name%3Dc2&limit=1', 'c2@7 at 9'],
  [
    'and so N is no exact revision',
    '?fieldSelector=metadata.name%3Dc2&limit=1&resourceVersion=5',
    'c2@7 at 9',
  ],
  ['unless it is said', `?fieldSelector=metadata.name%3Dc2&resourceVersion=5&${MATCH}=Exact`, 'c2@3 at 5'],
  ['one that is not there any more', '?fieldSelector=metadata.name%3Dc3', 'at 9'],
];

t.test('list', async (t) => {
  const { url } = await world(t);
  const answers = await Promise.all(lists.map(([, query]) => get(url + inA + query)));
  for (const [place, [rule, query, expected]] of lists.entries()) {
    t.equal(said(answers[place] as Answer), expected, `${rule}: ${query}`);
  }
});

t.test('list of all namespaces, of one that does not exist, and of objects without', async (t) => {
  const { url } = await world(t);
  for (const [path, expected] of [
    ['/api/v1/configmaps', 'c1@2 c2@7 c5@9 c4@5 at 9'],
    ['/api/v1/configmaps?limit=3', 'c1@2 c2@7 c5@9 at 9 more, 1 remain'],
    ['/api/v1/configmaps?fieldSelector=metadata.namespace%3Db', 'c4@5 at 9'],
    ['/api/v1/configmaps?fieldSelector=metadata.name%3Dc4', 'c4@5 at 9'],
    ['/api/v1/namespaces/none/configmaps', 'at 9'],
    ['/api/v1/namespaces?limit=1', 'at 9'],
  ] as const) {
    t.equal(said(await get(url + path)), expected, path);
  }
});

const gets: readonly Row[] = [
  ['unset: the newest', 'c2', 'c2@7'],
  ['0: any', 'c2?resourceVersion=0', 'c2@7'],
  ['N: not older than that', 'c2?resourceVersion=5', 'c2@7'],
  ['though the object is older', 'c1?resourceVersion=9', 'c1@2'],
  ['that is compacted all the same', 'c2?resourceVersion=3', 'c2@7'],
  ['of the future', 'c2?resourceVersion=10', tooLarge('10')],
  ['the largest', `c2?resourceVersion=${UINT64_MAX}`, tooLarge(UINT64_MAX)],
  ['no number', 'c2?resourceVersion=abc', `500: ${syntax('abc')}`],
  ['never an old state', 'c3?resourceVersion=7', '404 NotFound: configmaps "c3" not found'],
];

t.test('get', async (t) => {
  const { url } = await world(t);
  const answers = await Promise.all(gets.map(([, query]) => get(`${url}${inA}/${query}`)));
  for (const [place, [rule, query, expected]] of gets.entries()) {
    t.equal(said(answers[place] as Answer), expected, `${rule}: ${query}`);
  }
});

t.test('a revision of the future is a time-out after which one may ask again', async (t) => {
  const { url } = await world(t);
  for (const path of [`${inA}?resourceVersion=10`, `${inA}/c2?resourceVersion=10`]) {
    const { status, retryAfter, body } = await get(url + path);
    t.equal(status, 504);
    t.equal(retryAfter, '1');
    t.same(body, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Timeout: Too large resource version: 10, current: 9',
      reason: 'Timeout',
      details: {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      },
      code: 504,
    });
  }
});

t.test('one that comes meanwhile is waited for', async (t) => {
  const { url, registries } = await world(t);
  const asked = get(`${url}${inA}?resourceVersion=10`);
  const map = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'c6' } };
  await registries.table.find('', 'v1', 'configmaps')?.create(contextOf({ namespace: 'a' }), map);
  t.equal(said(await asked), 'c1@2 c2@7 c5@9 c6@10 at 10');
});

const INCONSISTENT =
  '410 Expired: The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

const continued = (url: string, path: string, { body }: Answer, more = ''): Promise<Answer> =>
  get(`${url}${path}?continue=${encodeURIComponent(body.metadata.continue ?? '')}${more}`);

const token = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

t.test('continue tokens', async (t) => {
  t.test('lead through one state, whatever is written meanwhile', async (t) => {
    const { url, registries } = await world(t);
    const maps = registries.table.find('', 'v1', 'configmaps');
    const a = contextOf({ namespace: 'a' });
    const first = await get(`${url}/api/v1/configmaps?limit=1`);
    t.equal(said(first), 'c1@2 at 9 more, 3 remain');
    await maps?.delete(a, 'a', 'c1');
    await maps?.delete(a, 'a', 'c2');
    await maps?.create(a, { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'c11' } });
    const second = await continued(url, '/api/v1/configmaps', first, '&limit=2');
    t.equal(
      said(second),
      'c2@7 c5@9 at 9 more, 1 remain',
      'the object at which the token stands is gone, too',
    );
    t.equal(
      said(await continued(url, '/api/v1/configmaps', second)),
      'c4@5 at 9',
      'the last page has no token',
    );
    t.equal(
      said(await continued(url, '/api/v1/configmaps', first, '&resourceVersion=0')),
      'c2@7 c5@9 c4@5 at 9',
    );
    t.equal(said(await get(`${url}${inA}`)), 'c11@12 c5@9 at 12');
  });

  t.test(
    'are good for another selector, namespace and resource: they name a revision and a place',
    async (t) => {
      const { url } = await world(t);
      const first = await get(`${url}${inA}?limit=1`);
      t.equal(said(await continued(url, inA, first, '&labelSelector=odd%3Dyes')), 'c5@9 at 9');
      t.equal(said(await continued(url, '/api/v1/namespaces/b/configmaps', first)), 'c4@5 at 9');
      t.equal(said(await continued(url, '/api/v1/namespaces/a/secrets', first)), 's@6 at 9');
    },
  );

  t.test('are good on another server, and after a restart', async (t) => {
    const { url, client } = await world(t);
    const first = await get(`${url}${inA}?limit=1&resourceVersion=7`);
    const other = await serve(t, client);
    t.equal(said(await continued(other.url, inA, first, '&limit=1')), 'c2@7 at 7 more, 1 remain');
  });

  t.test('end with a compaction, and then lead through the rest of the newest state', async (t) => {
    const { url, client, registries } = await world(t);
    const maps = registries.table.find('', 'v1', 'configmaps');
    const a = contextOf({ namespace: 'a' });
    const first = await get(`${url}${inA}?limit=1`);
    await maps?.update(a, 'a', 'c2', (current) => ({ ...current, data: { data: '3' } }) as never);
    await maps?.create(a, { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'c3' } });
    await client.compact({ revision: 11 });
    t.equal(said(await continued(url, inA, first)), 'c2@7 c5@9 at 9', 'a server may still have the state');
    registries.compacted(11);
    const expired = await continued(url, inA, first, '&limit=1');
    t.equal(said(expired), INCONSISTENT);
    t.equal(expired.status, 410);
    t.same(Object.keys(expired.body.metadata), ['continue']);
    const rest = await continued(url, inA, expired, '&limit=1');
    t.equal(said(rest), 'c2@10 at 11 more, 2 remain');
    t.equal(said(await continued(url, inA, rest)), 'c3@11 c5@9 at 11', 'consistent from here on');
    await client.compact({ revision: (await maps?.create(a, { ...newMap('c7') }))?.revision ?? 0 });
    registries.compacted(12);
    t.equal(said(await continued(url, inA, rest)), INCONSISTENT);
    t.equal(said(await continued(url, inA, expired)), 'c2@10 c3@11 c5@9 c7@12 at 12');
  });

  const bad = (why: string) => `400 BadRequest: invalid continue token: continue key is not valid: ${why}`;
  const v = 'meta.k8s.io/v1';
  const tampered: readonly (readonly [rule: string, token: string, answer: string])[] = [
    ['no base64', 'a!b', bad('illegal base64 data at input byte 1')],
    ['a length that none has', 'abcde', bad('illegal base64 data at input byte 4')],
    ['no JSON', 'abc', bad("invalid character 'i' looking for beginning of value")],
    ['half of it', token('{"v":"meta'), bad('unexpected end of JSON input')],
    [
      'no object',
      token('7'),
      bad('json: cannot unmarshal number into Go value of type storage.continueToken'),
    ],
    [
      'a number as text',
      token({ v, rv: '7', start: 'c1' }),
      bad('json: cannot unmarshal string into Go struct field continueToken.rv of type int64'),
    ],
    [
      'no whole number',
      token({ v, rv: 7.5, start: 'c1' }),
      bad('json: cannot unmarshal number 7.5 into Go struct field continueToken.rv of type int64'),
    ],
    [
      'a place that is none',
      token({ v, rv: 7, start: ['c1'] }),
      bad('json: cannot unmarshal array into Go struct field continueToken.start of type string'),
    ],
    [
      'null, and so without a version',
      token('null'),
      bad('server does not recognize this encoded version ""'),
    ],
    [
      'another version',
      token({ v: 'v2', rv: 7, start: 'c1' }),
      bad('server does not recognize this encoded version "v2"'),
    ],
    ['no revision', token({ v, start: 'c1' }), bad(`incorrect encoded start resourceVersion (version ${v})`)],
    ['no place', token({ v, rv: 7 }), bad(`encoded start key empty (version ${v})`)],
    ['out of the namespace', token({ v, rv: 7, start: '../b/c4' }), bad('../b/c4')],
    ['by a detour', token({ v, rv: 7, start: 'c1/../../b' }), bad('c1/../../b')],
    ['a slash at the end', token({ v, rv: 7, start: 'c1/' }), bad('c1/')],
    ['the beginning', token({ v, rv: 7, start: '/' }), 'c1@2 c2@7 c3@4 at 7'],
    ['a place that never was', token({ v, rv: 7, start: '/c15' }), 'c2@7 c3@4 at 7'],
    ['a place behind all', token({ v, rv: 7, start: 'x' }), 'at 7'],
    ['the newest revision', token({ v, rv: -1, start: 'c2' }), 'c2@7 c5@9 at 9'],
    ['anything below is the same', token({ v, rv: -7, start: 'c2' }), 'c2@7 c5@9 at 9'],
    ['a revision of the future', token({ v, rv: 10, start: 'c2' }), tooLarge('10')],
    ['a compacted one', token({ v, rv: 4, start: 'c2' }), INCONSISTENT],
  ];
  t.test('that somebody made up', async (t) => {
    const { url } = await world(t);
    for (const [rule, made, expected] of tampered) {
      t.equal(said(await get(`${url}${inA}?continue=${encodeURIComponent(made)}`)), expected, rule);
    }
  });
  t.test('stand for a revision, and take no other', async (t) => {
    const { url } = await world(t);
    const first = await get(`${url}${inA}?limit=1`);
    t.equal(
      said(await continued(url, inA, first, '&resourceVersion=9')),
      '400 BadRequest: specifying resource version is not allowed when using continue',
    );
    t.equal(
      said(await continued(url, inA, first, `&resourceVersion=9&${MATCH}=Exact`)),
      refused(`${MATCH}: Forbidden: ${MATCH} is forbidden when continue is provided`),
    );
  });
  t.end();
});

const newMap = (name: string) => ({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name } });

interface Event {
  readonly type: string;
  readonly object: Body;
}

const END = 'k8s.io/initial-events-end';

/** `ADDED c1@2`, `BOOKMARK@9`, with `!` where it ends the initial state, `ERROR 410 …`. */
function saidOfEvent({ type, object }: Event): string {
  if (type === 'ERROR') return `ERROR ${saidOfStatus(object)}`;
  if (type !== 'BOOKMARK') return `${type} ${named(object)}`;
  return `BOOKMARK@${object.metadata.resourceVersion}${object.metadata.annotations?.[END] === 'true' ? '!' : ''}`;
}

const linesOf = (text: string): Event[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);

/** All that comes in a second. */
async function watch(url: string): Promise<string> {
  const { statusCode, body } = await request(`${url}${url.includes('?') ? '&' : '?'}timeoutSeconds=1`);
  const text = await body.text();
  if (statusCode !== 200) return `HTTP ${saidOfStatus(JSON.parse(text) as Body)}`;
  return linesOf(text).map(saidOfEvent).join(', ');
}

const STATE = 'ADDED c1@2, ADDED c2@7, ADDED c5@9';
const SINCE_5 = 'MODIFIED c2@7, DELETED c3@8, ADDED c5@9';
const SINCE_7 = 'DELETED c3@8, ADDED c5@9';
const INITIAL = `sendInitialEvents=true&${MATCH}=NotOlderThan`;
const NO_INITIAL = `sendInitialEvents=false&${MATCH}=NotOlderThan`;
const BOOKMARKS = 'allowWatchBookmarks=true';
const NEEDS_MATCH = `HTTP ${refused(`${MATCH}: Forbidden: sendInitialEvents requires setting ${MATCH} to NotOlderThan`)}`;

const watches: readonly Row[] = [
  ['unset: the state, then changes', '', STATE],
  ['with bookmarks the end of the state is told', BOOKMARKS, `${STATE}, BOOKMARK@9!`],
  ['0: the same', 'resourceVersion=0', STATE],
  ['0, with bookmarks', `resourceVersion=0&${BOOKMARKS}`, `${STATE}, BOOKMARK@9!`],
  ['0 otherwise spelled does not tell its end', `resourceVersion=00&${BOOKMARKS}`, STATE],
  ['N: what comes after', 'resourceVersion=7', SINCE_7],
  ['with leading zeros', 'resourceVersion=0007', SINCE_7],
  ['the newest: nothing yet', 'resourceVersion=9', ''],
  ['what memory no longer has comes from history', 'resourceVersion=5', SINCE_5],
  [
    'a compacted one is told in the stream',
    'resourceVersion=4',
    'ERROR 410 Expired: too old resource version: 4 (5)',
  ],
  ['of the future: waits for it', 'resourceVersion=10', ''],
  ['the largest: waits for ever', `resourceVersion=${UINT64_MAX}`, ''],
  ['no number', 'resourceVersion=abc', `HTTP 500: ${syntax('abc')}`],
  ['negative', 'resourceVersion=-1', `HTTP 500: ${syntax('-1')}`],

  ['WatchList: the newest state', INITIAL, STATE],
  ['with its end', `${INITIAL}&${BOOKMARKS}`, `${STATE}, BOOKMARK@9!`],
  ['0: any state', `${INITIAL}&${BOOKMARKS}&resourceVersion=0`, `${STATE}, BOOKMARK@9!`],
  ['N: one not older', `${INITIAL}&${BOOKMARKS}&resourceVersion=7`, `${STATE}, BOOKMARK@9!`],
  ['N, compacted', `${INITIAL}&${BOOKMARKS}&resourceVersion=4`, `${STATE}, BOOKMARK@9!`],
  ['N, of the future', `${INITIAL}&resourceVersion=10`, `ERROR ${tooLarge('10')}`],
  ['without: from now', `${NO_INITIAL}&${BOOKMARKS}`, ''],
  ['without, 0', `${NO_INITIAL}&resourceVersion=0`, ''],
  ['without, N', `${NO_INITIAL}&resourceVersion=7`, SINCE_7],
  [
    'without, compacted',
    `${NO_INITIAL}&resourceVersion=4`,
    'ERROR 410 Expired: too old resource version: 4 (5)',
  ],
  ['needs a match', 'sendInitialEvents=true', NEEDS_MATCH],
  ['also to say no', 'sendInitialEvents=false&resourceVersion=7', NEEDS_MATCH],
  [
    'which needs it',
    `${MATCH}=NotOlderThan&resourceVersion=7`,
    `HTTP ${refused(`${MATCH}: Forbidden: ${MATCH} is forbidden for watch unless sendInitialEvents is provided`)}`,
  ],

  ['a label', 'resourceVersion=5&labelSelector=odd%3Dyes', SINCE_7],
  ['one object', 'resourceVersion=5&fieldSelector=metadata.name%3Dc3', 'DELETED c3@8'],
  ['its state', 'fieldSelector=metadata.name%3Dc1', 'ADDED c1@2'],
];

t.test('watch', async (t) => {
  const { url } = await world(t);
  const rows: Row[] = [
    ...watches.map(([rule, query, expected]): Row => [rule, `${inA}?watch=true&${query}`, expected]),
    ['on the old path', '/api/v1/watch/namespaces/a/configmaps?resourceVersion=7', SINCE_7],
    ['of one object', '/api/v1/watch/namespaces/a/configmaps/c2?resourceVersion=5', 'MODIFIED c2@7'],
    ['of all namespaces', '/api/v1/configmaps?watch=true', 'ADDED c1@2, ADDED c2@7, ADDED c5@9, ADDED c4@5'],
    ['of a namespace that does not exist', '/api/v1/namespaces/none/configmaps?watch=true', ''],
  ];
  const answers = await Promise.all(rows.map(([, path]) => watch(url + path)));
  for (const [place, [rule, path, expected]] of rows.entries()) {
    t.equal(answers[place], expected, `${rule}: ${path}`);
  }
});

t.test('over HTTP/2 and web sockets it is the same', async (t) => {
  const { url, harness } = await world(t);
  const overHttp2 = async (path: string): Promise<string> => {
    const stream = harness.http2().request({ ':path': path });
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    return linesOf(text).map(saidOfEvent).join(', ');
  };
  const overSocket = async (path: string): Promise<string> => {
    const socket = new WebSocket(url.replace('http', 'ws') + path);
    const events: Event[] = [];
    socket.on('message', (data) => events.push(JSON.parse((data as Buffer).toString()) as Event));
    await once(socket, 'close');
    return events.map(saidOfEvent).join(', ');
  };
  const told = watches.filter(([, , expected]) => !expected.startsWith('HTTP '));
  const paths = told.map(([, query]) => `${inA}?watch=true&timeoutSeconds=1&${query}`);
  for (const over of [overHttp2, overSocket]) {
    const answers = await Promise.all(paths.map(over));
    for (const [place, [rule, query, expected]] of told.entries()) {
      t.equal(answers[place], expected, `${over.name}, ${rule}: ${query}`);
    }
  }
});

/** What a watch has sent so far. */
async function open(t: Test, url: string, accept = 'application/json') {
  const { body } = await request(url, { headers: { accept } });
  t.teardown(() => void body.destroy());
  const seen = { text: '' };
  body.on('data', (chunk) => (seen.text += String(chunk)));
  body.on('error', () => undefined);
  return {
    said: () => linesOf(seen.text).map(saidOfEvent),
    events: () => linesOf(seen.text),
    /** Resolves when it has sent so many events. */
    async until(count: number): Promise<void> {
      for (let i = 0; seen.text.split('\n').length - 1 < count; i++) {
        if (i > 500) throw new Error(`only ${seen.text}`);
        await sleep(10);
      }
    },
  };
}

t.test(
  'a watch from the future tells of what comes behind its revision, and of nothing before',
  async (t) => {
    const { url, registries } = await world(t);
    const maps = registries.table.find('', 'v1', 'configmaps');
    const a = contextOf({ namespace: 'a' });
    const stream = await open(t, `${url}${inA}?watch=true&resourceVersion=11`);
    for (const name of ['c6', 'c7', 'c8']) await maps?.create(a, newMap(name));
    await stream.until(1);
    t.same(stream.said(), ['ADDED c8@12']);
  },
);

t.test('objects that begin or cease to match come and go, under the revision of the change', async (t) => {
  const { url, registries } = await world(t);
  const maps = registries.table.find('', 'v1', 'configmaps');
  const a = contextOf({ namespace: 'a' });
  const stream = await open(t, `${url}${inA}?watch=true&resourceVersion=9&labelSelector=odd%3Dno`);
  const label = (odd: string) =>
    maps?.update(a, 'a', 'c1', () => ({ ...newMap('c1'), metadata: { name: 'c1', labels: { odd } } }));
  await label('no');
  await label('yes');
  await maps?.delete(a, 'a', 'c2');
  await stream.until(3);
  t.same(stream.said(), ['ADDED c1@10', 'DELETED c1@11', 'DELETED c2@12']);
  t.match(
    stream.events()[1]?.object,
    { metadata: { labels: { odd: 'no' } } },
    'as it was when it still matched',
  );
});

t.test('bookmarks come once a minute and two seconds before the end, in the form of the watch', async (t) => {
  const { url, registries } = await world(t);
  const query = `?watch=true&resourceVersion=9&${BOOKMARKS}&timeoutSeconds=90`;
  const forms = ['', ';as=Table;v=v1;g=meta.k8s.io', ';as=PartialObjectMetadata;v=v1;g=meta.k8s.io'];
  const [plain, table, partial] = await Promise.all(
    forms.map((form) => open(t, url + inA + query, `application/json${form}`)),
  );
  const without = await open(t, `${url}${inA}?watch=true&resourceVersion=9`);
  const start = Date.now();
  const elsewhere = contextOf({ namespace: 'b' });
  await registries.table.find('', 'v1', 'configmaps')?.create(elsewhere, newMap('c9'));
  registries.tick(start + 50_000);
  registries.tick(start + 61_000);
  registries.tick(start + 62_000);
  registries.tick(start + 86_000);
  registries.tick(start + 89_000);
  registries.tick(start + 200_000);
  for (const stream of [plain, table, partial]) await stream?.until(1);
  await sleep(50);
  const metadata = { resourceVersion: '10' };
  const bookmark = { kind: 'ConfigMap', apiVersion: 'v1', metadata };
  t.same(plain?.events()[0], { type: 'BOOKMARK', object: bookmark });
  const row = {
    cells: ['', 0, '<unknown>'],
    object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata },
  };
  t.match(table?.events()[0]?.object, { kind: 'Table', metadata, rows: [row] });
  t.same(partial?.events()[0]?.object, row.object);
  t.same(without.said(), []);
});

t.test('the last bookmark comes before any end', async (t) => {
  const { url, registries } = await world(t);
  const stream = await open(t, `${url}${inA}?watch=true&resourceVersion=9&${BOOKMARKS}&timeoutSeconds=90`);
  const start = Date.now();
  const seen: number[] = [];
  for (let seconds = 1; seconds < 200; seconds++) {
    registries.tick(start + seconds * 1000);
    await sleep(1);
    seen.push(stream.said().length);
  }
  await stream.until(2);
  t.same(stream.said(), ['BOOKMARK@9', 'BOOKMARK@9'], 'after a minute, and 88 seconds');
});

t.test('every kind has a bookmark in a table', async (t) => {
  const { registries } = await world(t);
  for (const { definition } of registries.table.all()) {
    if (!definition.verbs.includes('watch')) continue;
    const decoded = decodeObject(definition, { metadata: { name: '' } });
    if (!('object' in decoded)) throw new Error(`no empty ${definition.kind}`);
    const zero = decoded.object;
    for (const column of definition.columns) {
      t.doesNotThrow(() => column.cell(zero, 0), `${definition.plural}: ${column.name}`);
    }
  }
});

t.test('each event is a chunk of its own, and a stream ends with the last', async (t) => {
  const { url } = await world(t);
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `GET ${inA}?watch=true&timeoutSeconds=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
  );
  let raw = '';
  for await (const data of socket) raw += String(data);
  const chunks = raw
    .slice(raw.indexOf('\r\n\r\n') + 4)
    .split(/\r\n(?:[0-9a-f]+\r\n)?|^[0-9a-f]+\r\n/)
    .filter((chunk) => chunk !== '');
  t.same(
    chunks.map((chunk) => saidOfEvent(JSON.parse(chunk) as Event)),
    STATE.split(', '),
  );
  t.ok(chunks.every((chunk) => chunk.endsWith('\n')));
  t.ok(raw.endsWith('\r\n0\r\n\r\n'));
});

t.test('a watch lasts as long as it is asked to, or half an hour to a whole', (t) => {
  const seconds = (query: string) => parseWatchOptions(new URLSearchParams(query), configMaps).timeoutSeconds;
  t.equal(seconds('timeoutSeconds=1'), 1);
  t.equal(seconds('timeoutSeconds=-5'), 0);
  t.equal(seconds('timeoutSeconds=99999999'), 2_147_483, 'the longest that a timer can be set to: 24 days');
  for (const query of ['', 'timeoutSeconds=0']) {
    const drawn = Array.from({ length: 100 }, () => seconds(query));
    t.ok(drawn.every((value) => value >= 1800 && value < 3600));
    t.ok(new Set(drawn).size > 10, 'at random');
  }
  t.throws(() => seconds('timeoutSeconds=x'), { code: 400 });
  t.end();
});

t.test('what API servers have agreed to forget is not read from memory either', async (t) => {
  const { url, client, registries } = await world(t);
  const at = (revision: number) => get(`${url}${inA}?resourceVersion=${revision}&${MATCH}=Exact`);
  const maps = registries.table.find('', 'v1', 'configmaps');
  for (let i = 0; i < 3; i++) await client.put({ key: Buffer.from('/registry/x'), value: Buffer.from('{}') });
  t.equal(said(await get(`${url}${inA}?limit=1`)), 'c1@2 at 12 more, 2 remain');
  await maps?.create(contextOf({ namespace: 'a' }), newMap('c6'));
  await client.compact({ revision: 11 });
  registries.compacted(11);
  t.equal(said(await at(10)), TOO_OLD, 'the same state as at 12, but nobody may ask for it');
  t.equal(said(await at(11)), 'c1@2 c2@7 c5@9 at 11');
  t.equal(said(await get(url + inA)), 'c1@2 c2@7 c5@9 c6@13 at 13');
});
