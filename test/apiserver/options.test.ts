/**
 * The options of a query, verb by verb: good, wrong, repeated and in each other's company, with the answers of
 * kube-apiserver 1.36 (k8s.io/apimachinery, apis/meta/v1 and meta/v1/validation; k8s.io/apiserver, endpoints/handlers).
 */
import t, { type Test } from 'tap';
import { durationProblem } from '../../apiserver/http/go-duration.js';
import { parseQuery } from '../../apiserver/http/query-text.js';
import { type Answer, type Asking, serve, type Served } from './served-fixture.js';

const collection = '/api/v1/namespaces/demo/configmaps';
const object = `${collection}/it`;
const deployment = '/apis/apps/v1/namespaces/demo/deployments/it';
const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'it' } };

const strategic = { method: 'PATCH', contentType: 'application/strategic-merge-patch+json', body: {} };
const apply = { method: 'PATCH', contentType: 'application/apply-patch+yaml', body };

interface Verb {
  readonly path: string;
  readonly asking: Asking;
  /** Of the answer to a request without options. */
  readonly status: number;
}

/** Each with a dry run of its own where it writes, so that every row finds the same state. */
const verbs = {
  get: { path: object, asking: {}, status: 200 },
  list: { path: collection, asking: {}, status: 200 },
  create: {
    path: collection,
    asking: { body: { metadata: { name: 'other' } } },
    status: 201,
  },
  update: { path: object, asking: { method: 'PUT', body }, status: 200 },
  'strategic merge patch': { path: object, asking: strategic, status: 200 },
  'merge patch': {
    path: object,
    asking: { ...strategic, contentType: 'application/merge-patch+json' },
    status: 200,
  },
  'JSON patch': {
    path: object,
    asking: { ...strategic, contentType: 'application/json-patch+json', body: [] },
    status: 200,
  },
  'patch of status': { path: `${deployment}/status`, asking: strategic, status: 200 },
  'patch of scale': { path: `${deployment}/scale`, asking: strategic, status: 200 },
  apply: { path: object, asking: apply, status: 200 },
  delete: { path: object, asking: { method: 'DELETE' }, status: 200 },
  deletecollection: { path: collection, asking: { method: 'DELETE' }, status: 200 },
} satisfies Record<string, Verb>;

type VerbName = keyof typeof verbs;

const patches = [
  'strategic merge patch',
  'merge patch',
  'JSON patch',
  'patch of status',
  'patch of scale',
] as const;

const kinds: ReadonlyMap<VerbName, string> = new Map<VerbName, string>([
  ['create', 'CreateOptions'],
  ['update', 'UpdateOptions'],
  ...[...patches, 'apply' as const].map((verb): [VerbName, string] => [verb, 'PatchOptions']),
  ['delete', 'DeleteOptions'],
  ['deletecollection', 'DeleteOptions'],
]);

const writes = [...kinds.keys()];
const managed = writes.filter((verb) => !verb.startsWith('delete'));

async function served(t: Test): Promise<Served> {
  const server = await serve(t);
  t.equal((await server.ask(collection, { body })).status, 201);
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const spec = { selector: { matchLabels: { a: 'b' } }, template };
  const made = await server.ask(deployment.slice(0, -'/it'.length), {
    body: { metadata: { name: 'it' }, spec },
  });
  t.equal(made.status, 201, made.text);
  return server;
}

/** What apply cannot do without is added where the query does not say it. */
function ask(server: Served, verb: VerbName, query: string, more: Asking = {}): Promise<Answer> {
  const { path, asking } = verbs[verb];
  const manager = verb === 'apply' && !/fieldManager|bare/.test(query) ? '&fieldManager=tester' : '';
  return server.ask(`${path}?${query}${manager}`, { ...asking, ...more });
}

/** Each item is a cause; one text for the same field and message, several in brackets. */
function refusal(
  kind: string,
  ...causes: readonly (readonly [reason: string, field: string, message: string])[]
) {
  const texts = causes.map(([, field, message]) => `${field}: ${message}`);
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `${kind}.meta.k8s.io "" is invalid: ${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`,
    reason: 'Invalid',
    details: {
      group: 'meta.k8s.io',
      kind,
      causes: causes.map(([reason, field, message]) => ({ reason, message, field })),
    },
    code: 422,
  };
}

const badRequest = (message: string) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  reason: 'BadRequest',
  code: 400,
});

t.test('dryRun: All, once or more; anything else is 422 with every value', async (t) => {
  const server = await served(t);
  const supported = 'supported values: "All"';
  for (const verb of writes) {
    const kind = kinds.get(verb)!;
    for (const query of ['dryRun=All', 'dryRun=All&dryRun=All']) {
      const answer = await ask(server, verb, query);
      t.equal(answer.status, verbs[verb].status, `${verb} ${query} ${answer.text}`);
    }
    for (const [query, shown] of [
      ['dryRun=', '[""]'],
      ['dryRun=all', '["all"]'],
      ['dryRun=All&dryRun=x', '["All","x"]'],
    ] as const) {
      const answer = await ask(server, verb, query);
      t.match(
        answer.json,
        refusal(kind, ['FieldValueNotSupported', 'dryRun', `Unsupported value: ${shown}: ${supported}`]),
        `${verb} ${query}`,
      );
    }
  }
  t.equal((await server.ask(object)).status, 200, 'nothing has been done');
  t.equal((await server.ask(`${collection}/other`)).status, 404);
});

t.test('fieldManager and fieldValidation, of every verb that writes fields', async (t) => {
  const server = await served(t);
  const long = 'x'.repeat(129);
  for (const verb of managed) {
    const kind = kinds.get(verb)!;
    const cases: readonly (readonly [string, readonly [string, string, string]])[] = [
      [
        `fieldManager=${long}`,
        ['FieldValueTooLong', 'fieldManager', 'Too long: may not be more than 128 bytes'],
      ],
      [
        'fieldManager=a%07b',
        [
          'FieldValueInvalid',
          'fieldManager',
          'Invalid value: "a\\ab": invalid character U+0007 (at position 1)',
        ],
      ],
      [
        'fieldValidation=strict',
        [
          'FieldValueNotSupported',
          'fieldValidation',
          'Unsupported value: "strict": supported values: "", "Ignore", "Strict", "Warn"',
        ],
      ],
    ];
    for (const [query, cause] of cases) {
      t.strictSame(
        (await ask(server, verb, `dryRun=All&${query}`)).json,
        refusal(kind, cause),
        `${verb} ${query.slice(0, 30)}`,
      );
    }
    for (const query of [
      'fieldManager=me&fieldManager=',
      'fieldValidation=&fieldValidation=x',
      'fieldValidation=Strict',
      'unknown=1',
    ]) {
      const answer = await ask(server, verb, `dryRun=All&${query}`);
      t.equal(
        answer.status,
        verbs[verb].status,
        `${verb} ${query}: the first of several counts ${answer.text}`,
      );
    }
  }
});

t.test('force is for apply alone, which must say who applies', async (t) => {
  const server = await served(t);
  const forbidden = [
    'FieldValueForbidden',
    'force',
    'Forbidden: may not be specified for non-apply patch',
  ] as const;
  for (const verb of patches) {
    for (const query of ['force=true', 'force=false', 'force=']) {
      t.strictSame(
        (await ask(server, verb, query)).json,
        refusal('PatchOptions', forbidden),
        `${verb} ${query}`,
      );
    }
  }
  for (const query of ['force=true', 'force=0', 'force=']) {
    t.equal((await ask(server, 'apply', `dryRun=All&${query}`)).status, 200, query);
  }
  t.strictSame(
    (await ask(server, 'apply', 'bare=1')).json,
    refusal('PatchOptions', [
      'FieldValueRequired',
      'fieldManager',
      'Required value: is required for apply patch',
    ]),
  );
});

t.test('options of a deletion in its query', async (t) => {
  const server = await served(t);
  const policies = 'supported values: "Foreground", "Background", "Orphan", "nil"';
  const both = (shown: string) =>
    [
      'FieldValueInvalid',
      'propagationPolicy',
      `Invalid value: "${shown}": orphanDependents and deletionPropagation cannot be both set`,
    ] as const;
  const unknown = (shown: string) =>
    ['FieldValueNotSupported', 'propagationPolicy', `Unsupported value: "${shown}": ${policies}`] as const;
  for (const verb of ['delete', 'deletecollection'] as const) {
    for (const [query, expected] of [
      ['propagationPolicy=', refusal('DeleteOptions', unknown(''))],
      ['propagationPolicy=orphan', refusal('DeleteOptions', unknown('orphan'))],
      ['propagationPolicy=x&propagationPolicy=Orphan', refusal('DeleteOptions', unknown('x'))],
      ['orphanDependents=true&propagationPolicy=Orphan', refusal('DeleteOptions', both('Orphan'))],
      ['orphanDependents=&propagationPolicy=', refusal('DeleteOptions', both(''), unknown(''))],
      ['gracePeriodSeconds=', badRequest('strconv.ParseInt: parsing "": invalid syntax')],
      ['gracePeriodSeconds=1.5', badRequest('strconv.ParseInt: parsing "1.5": invalid syntax')],
      [
        'gracePeriodSeconds=9223372036854775808&propagationPolicy=x',
        badRequest('strconv.ParseInt: parsing "9223372036854775808": value out of range'),
      ],
    ] as const) {
      t.strictSame((await ask(server, verb, query)).json, expected, `${verb} ${query}`);
    }
    for (const query of [
      'propagationPolicy=Orphan&propagationPolicy=x',
      'gracePeriodSeconds=0',
      'orphanDependents=false',
      'uid=&resourceVersion=',
    ]) {
      const answer = await ask(server, verb, `dryRun=All&${query}`);
      t.equal(answer.status, 200, `${verb} ${query} ${answer.text}`);
    }
  }
});

t.test('preconditions of a deletion in its query, where there is no body', async (t) => {
  const server = await served(t);
  const { metadata } = (await server.ask(object)).json;
  const { uid = '', resourceVersion = '' } = metadata;
  const stale = String(Number(resourceVersion) - 1);
  for (const [query, expected] of [
    ['uid=no', `the UID in the precondition (no) does not match the UID in record (${uid}).`],
    [
      `resourceVersion=${stale}`,
      `the ResourceVersion in the precondition (${stale}) does not match the ResourceVersion in record (${resourceVersion}).`,
    ],
    [`uid=no&uid=${uid}`, `the UID in the precondition (no) does not match the UID in record (${uid}).`],
  ] as const) {
    const { json } = await ask(server, 'delete', query);
    t.match(json, { code: 409, reason: 'Conflict', details: { name: 'it', kind: 'ConfigMap' } }, query);
    t.ok(json.message.includes(expected), json.message);
  }
  const gathered = await ask(server, 'deletecollection', 'uid=no');
  t.match(gathered.json, { code: 409, reason: 'Conflict' }, 'each of a collection');
  t.equal((await server.ask(object)).status, 200);
  const inBody = await server.ask(`${object}?uid=no&dryRun=x`, {
    method: 'DELETE',
    body: { dryRun: ['All'] },
  });
  t.equal(inBody.status, 200, 'a body counts alone');
  t.equal((await ask(server, 'delete', `uid=${uid}&resourceVersion=${resourceVersion}`)).status, 200);
  t.equal((await server.ask(object)).status, 404);
});

t.test('list options are looked at in upstream’s order', async (t) => {
  const server = await served(t);
  const number = (value: string) => badRequest(`strconv.ParseInt: parsing "${value}": invalid syntax`);
  const wrong = [
    'timeoutSeconds=t',
    'limit=l',
    'labelSelector=a==b==c',
    'fieldSelector=x',
    'resourceVersionMatch=Exact',
    'fieldSelector=no=1',
  ];
  const forbidden = [
    'FieldValueForbidden',
    'resourceVersionMatch',
    'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  ] as const;
  for (const verb of ['list', 'deletecollection'] as const) {
    const message = async (from: number) => (await ask(server, verb, wrong.slice(from).join('&'))).json;
    t.strictSame(await message(0), number('t'), 'timeoutSeconds');
    t.strictSame(await message(1), number('l'), 'limit');
    t.strictSame(
      await message(2),
      badRequest(`found '==', expected: ',' or 'end of string'`),
      'labelSelector',
    );
    t.strictSame(
      await message(3),
      badRequest("invalid selector: 'x'; can't understand 'x'"),
      'fieldSelector',
    );
    t.strictSame(await message(4), refusal('ListOptions', forbidden), 'validation');
    t.match(await message(5), { code: 400, message: /"no" is not a known field selector/ }, 'field labels');
  }
  const watch = (query: string) => server.ask(`${collection}?watch=1&${query}`);
  t.strictSame((await watch(wrong.join('&'))).json, number('t'));
  t.strictSame((await watch(wrong.slice(1).join('&'))).json, number('l'));
  t.strictSame(
    (await watch('resourceVersionMatch=Exact&fieldSelector=no=1')).json,
    refusal(
      'ListOptions',
      [
        'FieldValueForbidden',
        'resourceVersionMatch',
        'Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ],
      [
        'FieldValueNotSupported',
        'resourceVersionMatch',
        'Unsupported value: "Exact": supported values: "NotOlderThan"',
      ],
    ),
  );
});

t.test('the media type of a body: before what is accepted, before and after options', async (t) => {
  const server = await served(t);
  const headers = { accept: 'text/x' };
  const wrongType = { contentType: 'text/x' };
  for (const verb of patches) {
    const { json } = await ask(server, verb, 'dryRun=x', { ...wrongType, headers });
    t.match(
      json,
      { code: 415, message: '415: Unsupported Media Type', reason: 'UnsupportedMediaType' },
      verb,
    );
  }
  t.match((await ask(server, 'apply', 'dryRun=x', { headers })).json, { code: 406 });
  for (const verb of ['create', 'update'] as const) {
    t.match((await ask(server, verb, 'dryRun=x', { ...wrongType, headers })).json, { code: 406 }, verb);
  }
  t.match((await ask(server, 'create', 'dryRun=x', wrongType)).json, { code: 415 }, 'of a creation before');
  t.match((await ask(server, 'update', 'dryRun=x', wrongType)).json, { code: 422 }, 'of an update after');
  const eviction = { body: {}, ...wrongType };
  const path = '/api/v1/namespaces/demo/pods/p/eviction?dryRun=x';
  t.match((await server.ask(path, eviction)).json, { code: 415 }, 'of a command before');
});

t.test('timeout must be a duration of Go, except of what may last', async (t) => {
  const server = await served(t);
  const expected = badRequest('invalid timeout specified in the request URL - time: invalid duration "x"');
  for (const verb of Object.keys(verbs) as VerbName[]) {
    t.strictSame((await ask(server, verb, 'dryRun=x&timeout=x')).json, expected, verb);
    if (verb !== 'delete' && verb !== 'deletecollection') {
      const dry = writes.includes(verb) ? '&dryRun=All' : '';
      t.equal((await ask(server, verb, `timeout=34s${dry}`)).status, verbs[verb].status, verb);
    }
  }
  t.strictSame((await server.ask('/healthz?timeout=x')).json, expected, 'of what is no resource too');
  t.equal((await server.ask(`${collection}?timeout=`)).status, 200);
  const log = await server.ask('/api/v1/namespaces/demo/pods/p/log?timeout=x');
  t.equal(log.json.message, 'pods "p" not found', 'a log may last');
  const watch = await server.ask(`${collection}?watch=true&timeout=x&resourceVersion=no`);
  t.equal(watch.status, 500, 'a watch may last: refused for another reason');
});

t.test('durations (time.ParseDuration)', async (t) => {
  for (const good of [
    '0',
    '+0',
    '-0',
    '1s',
    '1h15m30.918s',
    '-1.5h',
    '.5ms',
    '1.us',
    '10\u00b5s',
    '10\u03bcs',
    '-9223372036854775808ns',
  ]) {
    t.equal(durationProblem(good), undefined, good);
  }
  for (const [bad, problem] of [
    ['', 'time: invalid duration ""'],
    ['-', 'time: invalid duration "-"'],
    ['.', 'time: invalid duration "."'],
    ['.s', 'time: invalid duration ".s"'],
    ['3', 'time: missing unit in duration "3"'],
    ['1s3', 'time: missing unit in duration "1s3"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['1 s', 'time: unknown unit " s" in duration "1 s"'],
    ['"\u00e9\n', 'time: invalid duration "\\"\\xc3\\xa9\\x0a"'],
    ['9223372036854775808ns', 'time: invalid duration "9223372036854775808ns"'],
    ['9223372036854775809ns', 'time: invalid duration "9223372036854775809ns"'],
    ['3000000h', 'time: invalid duration "3000000h"'],
  ] as const) {
    t.equal(durationProblem(bad), problem, bad);
  }
});

t.test('a pair that is no pair is left out, and the others count (url.ParseQuery)', async (t) => {
  const pairs = (text: string) => [...parseQuery(text)];
  t.strictSame(pairs('a=1&b=%zz&c=3'), [
    ['a', '1'],
    ['c', '3'],
  ]);
  t.strictSame(pairs('a=1;b=2&c=3'), [['c', '3']]);
  t.strictSame(pairs('%=1&a%2=1&%41=+%3B'), [['A', ' ;']]);
  t.strictSame(pairs('?a=1&&=&b'), [
    ['?a', '1'],
    ['', ''],
    ['b', ''],
  ]);
  const server = await served(t);
  const answer = await server.ask(`${collection}?limit=x;y&labelSelector=%&fieldSelector=metadata.name=no`);
  t.equal(answer.status, 200, answer.text);
  t.strictSame(answer.json['items'], []);
});

t.test('pretty takes what Go takes for true (strconv.ParseBool)', async (t) => {
  const server = await served(t);
  for (const value of ['1', 't', 'T', 'TRUE', 'true', 'True']) {
    t.match((await server.ask(`${object}?pretty=${value}`)).text, /^\{\n {2}"kind"/, value);
  }
  for (const value of ['0', 'f', 'tRUE', 'yes', '2', '%20true']) {
    const answer = await server.ask(`${object}?pretty=${value}`, { headers: { 'user-agent': 'curl/8' } });
    t.match(answer.text, /^\{"kind"/, value);
  }
  const browser = await server.ask(`${object}?pretty=`, { headers: { 'user-agent': 'curl/8' } });
  t.match(browser.text, /^\{\n/, 'an empty one says nothing');
});

t.test('what a list, a watch and a get may ask for together', async (t) => {
  const server = await served(t);
  const match = 'resourceVersionMatch';
  const refused = (field: string, why: string) =>
    ['FieldValueForbidden', field, `Forbidden: ${why}`] as const;
  const unsupported = (value: string, supported: string) =>
    [
      'FieldValueNotSupported',
      match,
      `Unsupported value: "${value}": supported values: ${supported}`,
    ] as const;
  const withContinue = refused(match, 'resourceVersionMatch is forbidden when continue is provided');
  const needsMatch = refused(
    match,
    'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
  );
  const lists = '"Exact", "NotOlderThan", ""';
  for (const [query, ...causes] of [
    ['resourceVersion=1&resourceVersionMatch=exact', unsupported('exact', lists)],
    [
      'resourceVersion=0&resourceVersionMatch=Exact',
      refused(match, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
    ],
    ['resourceVersion=1&resourceVersionMatch=Exact&continue=x', withContinue],
    ['sendInitialEvents=false', refused('sendInitialEvents', 'sendInitialEvents is forbidden for list')],
    [
      'resourceVersionMatch=x&continue=x&sendInitialEvents=',
      refused(match, 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
      withContinue,
      unsupported('x', lists),
      refused('sendInitialEvents', 'sendInitialEvents is forbidden for list'),
    ],
    ['watch=1&sendInitialEvents=true', needsMatch],
    ['watch=&sendInitialEvents=0', needsMatch],
    [
      'watch=yes&sendInitialEvents=1&resourceVersionMatch=Exact&continue=x',
      needsMatch,
      unsupported('Exact', '"NotOlderThan"'),
      withContinue,
    ],
  ] as const) {
    const { json } = await server.ask(`${collection}?${query}`);
    t.strictSame(json, refusal('ListOptions', ...causes), query);
  }
  for (const query of [
    'watch=0&watch=1',
    'watch=FALSE',
    'resourceVersionMatch=&resourceVersion=',
    'resourceVersion=0&resourceVersionMatch=NotOlderThan',
    'limit=-1&timeoutSeconds=-1',
    'allowWatchBookmarks=x',
    'limit=%2B1&limit=x',
    'unknown',
  ]) {
    const { status, json } = await server.ask(`${collection}?${query}`);
    t.match({ status, json }, { status: 200, json: { kind: 'ConfigMapList' } }, query);
  }
  const revision = 'strconv.ParseUint: parsing "-1": invalid syntax';
  const { json: got } = await server.ask(`${object}?resourceVersion=-1`);
  t.match(got, { code: 500, message: `resourceVersion: Invalid value: "-1": ${revision}` }, 'of a get');
  t.notOk('reason' in got);
  t.equal((await server.ask(`${object}?resourceVersion=0&resourceVersionMatch=x`)).status, 200);
  const table = { headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' } };
  for (const path of [object, collection]) {
    const { json } = await server.ask(`${path}?includeObject=none`, table);
    const why = `includeObject: Invalid value: "none": must be 'Metadata', 'Object', 'None', or empty`;
    t.strictSame(json, badRequest(`Unable to convert to Table as requested: ${why}`));
    t.equal((await server.ask(`${path}?includeObject=`, table)).status, 200);
  }
});
