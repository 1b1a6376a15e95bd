/**
 * Errors as answers: every constructor of apiserver/errors.ts over HTTP, the store's errors, and what the HTTP layer refuses
 * by itself (semantics.md, "Status messages, exact"; k8s.io/apimachinery, api/errors).
 */
import t from 'tap';
import { request } from 'undici';
import * as catalogue from '../../apiserver/errors.js';
import { invalid, required } from '../../schemas/field-error.js';
import { EtcdError, etcdErrors, NotSentError } from '../../storage/errors.js';
import { type Harness, start } from './http-harness.js';
import { type Asking, serve } from './served-fixture.js';

const configMaps = { group: '', name: 'configmaps' };
const deployments = { group: 'apps', name: 'deployments' };

interface Expected {
  readonly code: number;
  readonly reason?: string;
  readonly message: string;
  readonly details?: object;
  readonly metadata?: object;
}

interface Case {
  readonly error: Error;
  readonly expected: Expected;
}

type Constructor = Exclude<
  keyof typeof catalogue,
  'StatusError' | 'StoreStatusError' | 'qualified' | 'toStatusError'
>;

/** A case or more for each constructor; the compiler and the first test refuse a catalogue that has others. */
const cases: Readonly<Record<Constructor, readonly Case[]>> = {
  notFound: [
    {
      error: catalogue.notFound(configMaps, 'x'),
      expected: {
        code: 404,
        reason: 'NotFound',
        message: 'configmaps "x" not found',
        details: { name: 'x', kind: 'configmaps' },
      },
    },
    {
      error: catalogue.notFound(deployments, 'x'),
      expected: {
        code: 404,
        reason: 'NotFound',
        message: 'deployments.apps "x" not found',
        details: { name: 'x', group: 'apps', kind: 'deployments' },
      },
    },
  ],
  noSuchResource: [
    {
      error: catalogue.noSuchResource(),
      expected: {
        code: 404,
        reason: 'NotFound',
        message: 'the server could not find the requested resource',
        details: {},
      },
    },
  ],
  alreadyExists: [
    {
      error: catalogue.alreadyExists(deployments, 'x'),
      expected: {
        code: 409,
        reason: 'AlreadyExists',
        message: 'deployments.apps "x" already exists',
        details: { name: 'x', group: 'apps', kind: 'deployments' },
      },
    },
  ],
  conflict: [
    {
      error: catalogue.conflict(configMaps, 'x'),
      expected: {
        code: 409,
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on configmaps "x": the object has been modified; please apply your changes to the latest version and try again',
        details: { name: 'x', kind: 'configmaps' },
      },
    },
    {
      error: catalogue.conflict(configMaps, 'x', 'it waits'),
      expected: {
        code: 409,
        reason: 'Conflict',
        message: 'Operation cannot be fulfilled on configmaps "x": it waits',
        details: { name: 'x', kind: 'configmaps' },
      },
    },
  ],
  forbidden: [
    {
      error: catalogue.forbidden(deployments, 'x', 'no'),
      expected: {
        code: 403,
        reason: 'Forbidden',
        message: 'deployments.apps "x" is forbidden: no',
        details: { name: 'x', group: 'apps', kind: 'deployments' },
      },
    },
    {
      error: catalogue.forbidden(configMaps, '', 'no', [
        { reason: 'NamespaceTerminating', message: 'gone', field: 'f' },
      ]),
      expected: {
        code: 403,
        reason: 'Forbidden',
        message: 'configmaps is forbidden: no',
        details: {
          kind: 'configmaps',
          causes: [{ reason: 'NamespaceTerminating', message: 'gone', field: 'f' }],
        },
      },
    },
  ],
  invalid: [
    {
      error: catalogue.invalid({ group: 'apps', name: 'Deployment' }, 'x', [required('spec.a')]),
      expected: {
        code: 422,
        reason: 'Invalid',
        message: 'Deployment.apps "x" is invalid: spec.a: Required value',
        details: {
          name: 'x',
          group: 'apps',
          kind: 'Deployment',
          causes: [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.a' }],
        },
      },
    },
    {
      error: catalogue.invalid({ group: '', name: 'ConfigMap' }, '', [
        required('a'),
        required('a'),
        invalid('b', 'c', 'is wrong'),
      ]),
      expected: {
        code: 422,
        reason: 'Invalid',
        message: 'ConfigMap "" is invalid: [a: Required value, b: Invalid value: "c": is wrong]',
        details: {
          kind: 'ConfigMap',
          causes: [
            { reason: 'FieldValueRequired', message: 'Required value', field: 'a' },
            { reason: 'FieldValueRequired', message: 'Required value', field: 'a' },
            { reason: 'FieldValueInvalid', message: 'Invalid value: "c": is wrong', field: 'b' },
          ],
        },
      },
    },
  ],
  badRequest: [
    { error: catalogue.badRequest('wrong'), expected: { code: 400, reason: 'BadRequest', message: 'wrong' } },
  ],
  methodNotAllowed: [
    {
      error: catalogue.methodNotAllowed(),
      expected: {
        code: 405,
        reason: 'MethodNotAllowed',
        message: 'the server does not allow this method on the requested resource',
        details: {},
      },
    },
  ],
  unauthorized: [
    {
      error: catalogue.unauthorized(),
      expected: { code: 401, reason: 'Unauthorized', message: 'Unauthorized' },
    },
  ],
  expired: [
    {
      error: catalogue.expired('too old', { continue: 'abc' }),
      expected: { code: 410, reason: 'Expired', message: 'too old', metadata: { continue: 'abc' } },
    },
    { error: catalogue.expired('too old'), expected: { code: 410, reason: 'Expired', message: 'too old' } },
  ],
  tooLargeResourceVersion: [9, 2n ** 64n - 1n].map((wanted) => ({
    error: catalogue.tooLargeResourceVersion(wanted, 7),
    expected: {
      code: 504,
      reason: 'Timeout',
      message: `Timeout: Too large resource version: ${wanted}, current: 7`,
      details: {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      },
    },
  })),
  requestTooLarge: [
    {
      error: catalogue.requestTooLarge('too much'),
      expected: { code: 413, reason: 'RequestEntityTooLarge', message: 'too much' },
    },
  ],
  timeout: [
    {
      error: catalogue.timeout('late'),
      expected: { code: 504, reason: 'Timeout', message: 'late', details: {} },
    },
    {
      error: catalogue.timeout('late', 3),
      expected: { code: 504, reason: 'Timeout', message: 'late', details: { retryAfterSeconds: 3 } },
    },
  ],
  serverTimeout: [
    {
      error: catalogue.serverTimeout('later', 2),
      expected: { code: 500, reason: 'ServerTimeout', message: 'later', details: { retryAfterSeconds: 2 } },
    },
  ],
  tooManyRequests: [
    {
      error: catalogue.tooManyRequests('slow down', 10),
      expected: {
        code: 429,
        reason: 'TooManyRequests',
        message: 'slow down',
        details: { retryAfterSeconds: 10 },
      },
    },
  ],
  internal: [{ error: catalogue.internal('why'), expected: { code: 500, message: 'why' } }],
  internalError: [
    {
      error: catalogue.internalError('why'),
      expected: {
        code: 500,
        reason: 'InternalError',
        message: 'Internal error occurred: why',
        details: { causes: [{ message: 'why' }] },
      },
    },
  ],
};

const failure = ({ metadata = {}, ...rest }: Expected) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata,
  status: 'Failure',
  ...rest,
});

/** A get that ends in this error. */
async function answered(
  harness: Harness,
  error: unknown,
  headers: Record<string, string> = {},
  method = 'GET',
) {
  const registry = harness.table.find('', 'v1', 'configmaps')!;
  registry.get = async () => {
    throw error;
  };
  const path = `${harness.plain}/api/v1/namespaces/default/configmaps/x`;
  const { statusCode, headers: sent, body } = await request(path, { method: method as 'GET', headers });
  return { statusCode, headers: sent, text: await body.text() };
}

t.test('every constructor of the catalogue has its cases here', async (t) => {
  const {
    StatusError: _one,
    StoreStatusError: _two,
    qualified: _three,
    toStatusError: _four,
    ...made
  } = catalogue;
  t.strictSame(Object.keys(cases).sort(), Object.keys(made).sort());
  for (const [name, of] of Object.entries(cases)) t.ok(of.length > 0, name);
});

t.test('an error is its Status, with its code, its details and Retry-After', async (t) => {
  const harness = await start(t);
  for (const [name, of] of Object.entries(cases)) {
    for (const { error, expected } of of) {
      const { statusCode, headers, text } = await answered(harness, error);
      t.equal(statusCode, expected.code, name);
      t.strictSame(JSON.parse(text), failure(expected), `${name} ${expected.message}`);
      const { retryAfterSeconds } = (expected.details ?? {}) as { retryAfterSeconds?: number };
      t.equal(
        headers['retry-after'],
        retryAfterSeconds === undefined ? undefined : String(retryAfterSeconds),
        name,
      );
      t.equal(headers['content-type'], 'application/json', name);
      t.equal(headers['cache-control'], 'no-cache, private', name);
      t.equal(headers['x-content-type-options'], 'nosniff', name);
    }
  }
});

t.test("the store's errors", async (t) => {
  const harness = await start(t);
  const text = (name: keyof typeof etcdErrors) => etcdErrors[name][1];
  const late: readonly (keyof typeof etcdErrors)[] = [
    'Timeout',
    'TimeoutDueToLeaderFail',
    'Stopped',
    'LeaderChanged',
  ];
  const table: readonly (readonly [unknown, Expected])[] = [
    [
      EtcdError.of('RequestTooLarge'),
      { code: 413, reason: 'RequestEntityTooLarge', message: text('RequestTooLarge') },
    ],
    [
      EtcdError.of('Compacted'),
      { code: 410, reason: 'Expired', message: 'The resourceVersion for the provided list is too old.' },
    ],
    [
      EtcdError.of('RequestTooManyRequests'),
      {
        code: 429,
        reason: 'TooManyRequests',
        message: text('RequestTooManyRequests'),
        details: { retryAfterSeconds: 1 },
      },
    ],
    [
      EtcdError.of('NoLeader'),
      { code: 500, reason: 'ServerTimeout', message: text('NoLeader'), details: { retryAfterSeconds: 1 } },
    ],
    [
      new NotSentError('a', 'down'),
      {
        code: 500,
        reason: 'ServerTimeout',
        message: 'cannot connect to a: down',
        details: { retryAfterSeconds: 1 },
      },
    ],
    ...late.map((name): readonly [unknown, Expected] => [
      EtcdError.of(name),
      { code: 504, reason: 'Timeout', message: text(name), details: {} },
    ]),
    [EtcdError.of('NoSpace'), { code: 500, message: text('NoSpace') }],
    [
      new Error('a secret'),
      {
        code: 500,
        reason: 'InternalError',
        message: 'Internal error occurred: unexpected failure; the server log has the details',
        details: { causes: [{ message: 'unexpected failure; the server log has the details' }] },
      },
    ],
  ];
  for (const [error, expected] of table) {
    const { statusCode, headers, text: sent } = await answered(harness, error);
    t.equal(statusCode, expected.code, expected.message);
    t.strictSame(JSON.parse(sent), failure(expected), expected.message);
    t.equal(
      headers['retry-after'],
      expected.details !== undefined && 'retryAfterSeconds' in expected.details ? '1' : undefined,
    );
  }
});

t.test('a Status comes in what the client takes, or in JSON', async (t) => {
  const harness = await start(t);
  const error = catalogue.notFound(configMaps, 'x');
  const yaml = await answered(harness, error, { accept: 'application/yaml' });
  t.equal(yaml.headers['content-type'], 'application/yaml');
  t.match(yaml.text, /^apiVersion: v1\ncode: 404\n/);
  const protobuf = await answered(harness, error, { accept: 'application/vnd.kubernetes.protobuf' });
  t.equal(protobuf.headers['content-type'], 'application/vnd.kubernetes.protobuf');
  t.match(protobuf.text, /^k8s\0[^]*Status[^]*configmaps "x" not found/);
  for (const accept of [
    'application/json;as=Table;g=meta.k8s.io;v=v1',
    'application/json;as=Table;g=meta.k8s.io;v=v1, */*',
  ]) {
    const { headers, text } = await answered(harness, error, { accept });
    t.equal(headers['content-type'], 'application/json', accept);
    t.match(JSON.parse(text), { kind: 'Status', code: 404 }, 'never a table');
  }
  const none = await answered(harness, error, { accept: 'text/html' });
  t.equal(none.statusCode, 406);
  t.match(none.text, /^\{\n {2}"kind": "Status"/, 'for people, since nothing else is known of who asks');
  const head = await answered(harness, error, {}, 'HEAD');
  t.strictSame([head.statusCode, head.text], [404, '']);
});

t.test('what requests are refused for', async (t) => {
  const { ask } = await serve(t);
  const maps = '/api/v1/namespaces/demo/configmaps';
  const body = { metadata: { name: 'it' } };
  t.equal((await ask(maps, { body })).status, 201);
  const media = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
  const noSuch = { code: 404, message: 'the server could not find the requested resource', details: {} };
  const notAllowed = {
    code: 405,
    message: 'the server does not allow this method on the requested resource',
  };
  const table: readonly (readonly [string, Asking, Expected])[] = [
    [
      `${maps}/no`,
      {},
      {
        code: 404,
        reason: 'NotFound',
        message: 'configmaps "no" not found',
        details: { name: 'no', kind: 'configmaps' },
      },
    ],
    ['/api/v1/nosuch', {}, { ...noSuch, reason: 'NotFound' }],
    ['/apis/apps/v9/deployments', {}, { ...noSuch, reason: 'NotFound' }],
    [`${maps}/it/nosuch`, {}, { ...noSuch, reason: 'NotFound' }],
    [maps, { body }, { code: 409, reason: 'AlreadyExists', message: 'configmaps "it" already exists' }],
    [`${maps}/it`, { body }, { ...notAllowed, reason: 'MethodNotAllowed', details: {} }],
    ['/api/v1/configmaps', { body }, { ...notAllowed, reason: 'MethodNotAllowed', details: {} }],
    ['/version', { method: 'DELETE' }, { ...notAllowed, reason: 'MethodNotAllowed', details: {} }],
    [
      `${maps}/it`,
      { method: 'PUT', body: { metadata: { name: 'it', resourceVersion: '1' } } },
      {
        code: 409,
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on configmaps "it": the object has been modified; please apply your changes to the latest version and try again',
        details: { name: 'it', kind: 'configmaps' },
      },
    ],
    [
      '/api/v1/namespaces/nowhere/configmaps',
      { body: { metadata: { name: 'a' } } },
      {
        code: 404,
        reason: 'NotFound',
        message: 'namespaces "nowhere" not found',
        details: { name: 'nowhere', kind: 'namespaces' },
      },
    ],
    [
      maps,
      { body, contentType: 'text/plain' },
      {
        code: 415,
        reason: 'UnsupportedMediaType',
        message: `the body of the request was in an unknown format - accepted media types include: ${media}`,
      },
    ],
    [
      `${maps}/it`,
      { headers: { accept: 'text/plain' } },
      {
        code: 406,
        reason: 'NotAcceptable',
        message: `406: Not Acceptable\n\nAvailable representations: ${media}`,
      },
    ],
    [
      `${maps}/it`,
      { headers: { accept: 'application/json;as=Nothing;g=meta.k8s.io;v=v1' } },
      {
        code: 406,
        reason: 'NotAcceptable',
        message: `only the following media types are accepted: ${media}`,
      },
    ],
    [
      `${maps}/it`,
      { headers: { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' } },
      {
        code: 406,
        reason: 'NotAcceptable',
        message:
          'you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)',
      },
    ],
    [
      `${maps}?watch=1&resourceVersion=abc`,
      {},
      {
        code: 500,
        message: 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
      },
    ],
    [
      `${maps}?resourceVersion=abc`,
      {},
      {
        code: 400,
        reason: 'BadRequest',
        message:
          'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
      },
    ],
    [
      maps,
      { body: { data: 'x'.repeat(3 * 1024 * 1024) } },
      {
        code: 413,
        reason: 'RequestEntityTooLarge',
        message: 'Request entity too large: limit is 3145728',
      },
    ],
    [`${maps}/%E0`, {}, { code: 400, reason: 'BadRequest', message: 'the request is malformed' }],
    [
      `${maps}/..%2Fit`,
      {},
      { code: 400, reason: 'BadRequest', message: `Name parameter invalid: "../it": may not contain '/'` },
    ],
    [
      `${maps}?${'a&'.repeat(64)}`,
      {},
      { code: 400, reason: 'BadRequest', message: 'too many query parameters: the limit is 64' },
    ],
    [
      `${maps}?${'a'.repeat(16 * 1024)}`,
      {},
      {
        code: 414,
        reason: 'RequestURITooLong',
        message: 'the URL is too long: the limit is 16384 bytes',
      },
    ],
  ];
  for (const [path, asking, expected] of table) {
    const { status, headers, json } = await ask(path, asking);
    const what = `${asking.method ?? ''} ${path.slice(0, 60)}: ${expected.message}`;
    t.equal(status, expected.code, what);
    t.match(json, failure(expected), what);
    t.equal((json as { reason?: string }).reason, expected.reason, what);
    t.equal(headers['content-type'], 'application/json', what);
  }
  const page = await ask('/apis/no.such.group/v1/things');
  t.match(
    page,
    { status: 404, text: '404 page not found\n' },
    'of an unknown group nothing is known, not even that it is an API',
  );
  t.equal(page.headers['content-type'], 'text/plain; charset=utf-8');
});

t.test(
  "numbers that are no int64 of Go's are not taken, since Go's clients could not read them",
  async (t) => {
    const { ask } = await serve(t);
    const pod = (name: string, terminationGracePeriodSeconds: number) => ({
      metadata: { name },
      spec: { terminationGracePeriodSeconds, containers: [{ name: 'c', image: 'i' }] },
    });
    const pods = '/api/v1/namespaces/demo/pods';
    for (const [number, shown] of [
      [1e30, '1e+30'],
      [2 ** 63, '9223372036854776000'],
      [-(2 ** 63), '-9223372036854776000'],
      [0.5, '0.5'],
    ] as const) {
      const { json } = await ask(pods, { body: pod('bad', number) });
      const message = `Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number ${shown} into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64`;
      t.strictSame(json, failure({ code: 400, reason: 'BadRequest', message }), shown);
    }
    for (const written of ['1.0', '1e1', '10E-1', '-9223372036854775809']) {
      const body = Buffer.from(JSON.stringify(pod('bad', 7)).replace(':7,', `:${written},`));
      const { json } = await ask(pods, { body });
      const message = `Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number ${written} into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64`;
      t.strictSame(json, failure({ code: 400, reason: 'BadRequest', message }), written);
    }
    const largest = 2 ** 63 - 1024;
    const { status, text } = await ask(pods, { body: pod('good', largest) });
    t.equal(status, 201, text);
    t.match(text, `"terminationGracePeriodSeconds":${largest}`);
  },
);

t.test('numbers in patches are those of Go, too', async (t) => {
  const { ask } = await serve(t);
  const pods = '/api/v1/namespaces/demo/pods';
  const containers = [{ name: 'c', image: 'i' }];
  await ask(pods, { body: { metadata: { name: 'p' }, spec: { containers } } });
  const patch = (type: string, body: string) =>
    ask(`${pods}/p`, {
      method: 'PATCH',
      contentType: `application/${type}-patch+json`,
      body: Buffer.from(body),
    });
  const merge = (seconds: string) => `{"spec":{"activeDeadlineSeconds":${seconds}}}`;
  const operations = (seconds: string) =>
    `[{"op":"add","path":"/spec/activeDeadlineSeconds","value":${seconds}}]`;
  for (const [type, body] of [
    ['merge', merge],
    ['json', operations],
  ] as const) {
    for (const written of ['90.0', '9e1']) {
      const { status, json } = await patch(type, body(written));
      const message = `json: cannot unmarshal number ${written} into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64`;
      t.match({ status, json }, { status: 422, json: { reason: 'Invalid' } }, written);
      t.ok((json as { message: string }).message.endsWith(message), (json as { message: string }).message);
    }
  }
  // Its numbers are values before they are merged.
  const { status, text } = await patch('strategic-merge', merge('90.0'));
  t.equal(status, 200, text);
  t.match(text, '"activeDeadlineSeconds":90,');
  const tests = '[{"op":"test","path":"/spec/activeDeadlineSeconds","value":90}]';
  t.equal((await patch('json', tests)).status, 200);
});
