/** The pure parts in front of the registry: what a request is about, what it asks for, and in which form. */
import { queryObjects } from 'node:v8';
import * as fc from 'fast-check';
import t from 'tap';
import { StatusError } from '../../apiserver/errors.js';
import { parseListOptions, parseWatchOptions } from '../../apiserver/http/list-options.js';
import {
  aggregatedDiscovery,
  collections,
  type Endpoint,
  jsonOnly,
  jsonRoute,
  negotiable,
  negotiate,
  objects,
  objectsInJson,
  statuses,
} from '../../apiserver/http/negotiation.js';
import { parsePath, parseRequestInfo } from '../../apiserver/http/request-info.js';
import { isLoopbackHost, mayOmitContentType, originRules } from '../../apiserver/http/security.js';
import {
  checkDeleteOptions,
  deleteOptionsOfQuery,
  parseWriteOptions,
} from '../../apiserver/http/write-options.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';

function failure(run: () => unknown): StatusError {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const info = (method: string, path: string, query = '') => parseRequestInfo(method, parsePath(path), query);

t.test("request info follows Kubernetes' rules (request verbs, namespaces, subresources)", (t) => {
  const rows: readonly [string, string, string, Record<string, unknown>][] = [
    ['GET', '/api/v1/pods', '', { verb: 'list', resource: 'pods', version: 'v1', group: '', namespace: '' }],
    ['GET', '/api/v1/pods', 'watch=true', { verb: 'watch' }],
    ['GET', '/api/v1/pods', 'watch=1', { verb: 'watch' }],
    ['GET', '/api/v1/pods', 'w%61tch=1', { verb: 'watch' }],
    ['GET', '/api/v1/pods', 'labelSelector=a%3Db', { verb: 'list' }],
    ['GET', '/api/v1/pods', 'watch', { verb: 'watch' }],
    ['GET', '/api/v1/pods', 'watch=false', { verb: 'list' }],
    ['GET', '/api/v1/pods', 'watch=0', { verb: 'list' }],
    ['GET', '/api/v1/pods', 'labelSelector=watch', { verb: 'list' }],
    ['GET', '/api/v1/namespaces/a/pods/', '', { verb: 'list', namespace: 'a', resource: 'pods' }],
    ['GET', '/api/v1/namespaces/a/pods/b', 'watch=true', { verb: 'get', name: 'b' }],
    ['HEAD', '/api/v1/namespaces/a/pods/b', '', { verb: 'get' }],
    ['PUT', '/api/v1/namespaces/a/pods/b/status', '', { verb: 'update', name: 'b', subresource: 'status' }],
    ['POST', '/api/v1/namespaces/a/pods/b/binding', '', { verb: 'create', subresource: 'binding' }],
    ['GET', '/api/v1/namespaces', '', { verb: 'list', resource: 'namespaces', namespace: '', name: '' }],
    ['GET', '/api/v1/namespaces/a', '', { verb: 'get', resource: 'namespaces', namespace: 'a', name: 'a' }],
    [
      'PUT',
      '/api/v1/namespaces/a/finalize',
      '',
      { verb: 'update', resource: 'namespaces', name: 'a', subresource: 'finalize' },
    ],
    ['GET', '/api/v1/namespaces/a/status', '', { resource: 'namespaces', subresource: 'status' }],
    ['DELETE', '/api/v1/nodes', '', { verb: 'deletecollection', resource: 'nodes' }],
    ['DELETE', '/api/v1/nodes/n', '', { verb: 'delete', name: 'n' }],
    ['PATCH', '/apis/apps/v1/namespaces/a/deployments/d', '', { verb: 'patch', group: 'apps' }],
    ['GET', '/api/v1/watch/pods', '', { verb: 'watch', resource: 'pods', namespace: '' }],
    ['GET', '/api/v1/watch/namespaces/a/pods/b', '', { verb: 'watch', namespace: 'a', name: 'b' }],
    ['GET', '/apis/apps/v1/watch/deployments', '', { verb: 'watch', group: 'apps', resource: 'deployments' }],
    ['POST', '/api/v1/watch/pods', '', { verb: '' }],
    ['OPTIONS', '/api/v1/pods', '', { verb: '' }],
    ['GET', '/api/v1', '', { isResourceRequest: false, verb: 'get' }],
    ['GET', '/apis/apps/v1', '', { isResourceRequest: false }],
    ['POST', '/', '', { isResourceRequest: false, verb: 'post' }],
    ['GET', '/healthz/etcd', '', { isResourceRequest: false, path: '/healthz/etcd' }],
  ];
  for (const [method, path, query, expected] of rows) {
    t.match(info(method, path, query), expected, `${method} ${path}?${query}`);
  }
  t.end();
});

t.test('names in paths are decoded once, after the path is split', (t) => {
  t.equal(info('GET', '/api/v1/namespaces/a/configmaps/b%2Ec').name, 'b.c');
  for (const name of ['%2E%2E', '..', '.', 'a%2Fb', 'a%252Fb', 'a%00b']) {
    const error = failure(() => info('GET', `/api/v1/namespaces/x/configmaps/${name}`));
    t.equal(error.code, 400, name);
    t.match(error.message, /^Name parameter invalid: /, name);
  }
  t.match(
    failure(() => info('GET', '/api/v1/namespaces/%2E%2E/pods')).message,
    /^Namespace parameter invalid: /,
  );
  t.equal(failure(() => parsePath('/api/v1/pods/%zz')).code, 400);
  t.end();
});

t.test('no path makes request info hold a separator or dots in a name or namespace', (t) => {
  const segment = fc.string({
    maxLength: 12,
    unit: fc.constantFrom('a', '.', '%', '2', 'F', 'E', '/', '\0', '%2F', '%2E'),
  });
  fc.assert(
    fc.property(segment, segment, (namespace, name) => {
      try {
        const found = info('GET', `/api/v1/namespaces/${namespace}/configmaps/${name}`);
        return [found.name, found.namespace].every((part) => !/[/%\0]|^\.{1,2}$/.test(part));
      } catch (error) {
        return error instanceof StatusError;
      }
    }),
  );
  t.end();
});

t.test('list options are refused with the texts of kube-apiserver', (t) => {
  const list = (query: string) => parseListOptions(new URLSearchParams(query), configMaps);
  const options =
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch';
  const rows: readonly [string, number, string][] = [
    ['limit=abc', 400, 'strconv.ParseInt: parsing "abc": invalid syntax'],
    ['limit=9223372036854775808', 400, 'strconv.ParseInt: parsing "9223372036854775808": value out of range'],
    ['timeoutSeconds=abc', 400, 'strconv.ParseInt: parsing "abc": invalid syntax'],
    [
      'resourceVersion=-1',
      400,
      'invalid resource version: resourceVersion: Invalid value: "-1": strconv.ParseUint: parsing "-1": invalid syntax',
    ],
    [
      'resourceVersion=0&resourceVersionMatch=Exact',
      422,
      `${options} "exact" is forbidden for resourceVersion "0"`,
    ],
    ['resourceVersionMatch=Exact', 422, `${options} is forbidden unless resourceVersion is provided`],
    [
      'resourceVersion=1&resourceVersionMatch=Odd',
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Odd": supported values: "Exact", "NotOlderThan", ""',
    ],
    [
      'sendInitialEvents=true',
      422,
      'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    ],
  ];
  for (const [query, code, message] of rows) {
    const error = failure(() => list(query));
    t.equal(error.code, code, query);
    t.equal(error.message, message, query);
  }
  t.match(list('resourceVersion=7&resourceVersionMatch=Exact&limit=3'), {
    resourceVersion: 7,
    resourceVersionMatch: 'Exact',
    limit: 3,
  });
  t.equal(list('limit=3&continue=x').continueToken, 'x');
  t.match(
    failure(() => list('resourceVersion=1&resourceVersionMatch=Exact&continue=x')).message,
    /is forbidden when continue is provided/,
  );
  t.equal(list('limit=-4').limit, 0);
  t.end();
});

t.test('watch options are refused with the texts of kube-apiserver, and default as it does', (t) => {
  const watch = (query: string, name = '') => parseWatchOptions(new URLSearchParams(query), configMaps, name);
  const wrong = failure(() => watch('resourceVersion=abc'));
  t.equal(wrong.code, 500);
  t.equal(wrong.reason, undefined);
  t.equal(
    wrong.message,
    'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
  );
  t.equal(
    failure(() => watch('resourceVersion=0&resourceVersionMatch=Exact')).message,
    'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
  );
  t.equal(
    failure(() => watch('limit=1&continue=x')).message,
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided',
  );
  t.equal(
    failure(() => watch('sendInitialEvents=true')).message,
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
  );
  t.equal(watch('').options.sendInitialEvents, true, 'from nothing in particular: the present state first');
  t.equal(watch('resourceVersion=0').options.sendInitialEvents, true);
  t.equal(watch('resourceVersion=5').options.sendInitialEvents, undefined);
  t.equal(
    watch('sendInitialEvents=false&resourceVersionMatch=NotOlderThan').options.sendInitialEvents,
    false,
  );
  t.equal(watch('resourceVersion=5&allowWatchBookmarks=true').options.allowBookmarks, true);
  t.equal(watch('timeoutSeconds=7').timeoutSeconds, 7);
  const { timeoutSeconds } = watch('');
  t.ok(timeoutSeconds >= 1800 && timeoutSeconds < 3600, 'random within [1800, 3600)');
  t.ok(watch('timeoutSeconds=99999999999').timeoutSeconds * 1000 < 2 ** 31, 'within what timers can do');
  t.equal(watch('', 'x').options.fields.exactName, 'x', 'old watch paths name one object');
  t.equal(
    failure(() => watch('fieldSelector=metadata.name%3Dy', 'x')).message,
    `fieldSelector metadata.name doesn't match requested name`,
  );
  t.end();
});

t.test('write options', (t) => {
  const write = (query: string, kind: Parameters<typeof parseWriteOptions>[1]) =>
    parseWriteOptions(new URLSearchParams(query), kind);
  t.same(write('', 'CreateOptions'), { dryRun: false, fieldValidation: 'Warn' });
  t.match(write('dryRun=All&fieldManager=me&fieldValidation=Strict', 'UpdateOptions'), {
    dryRun: true,
    fieldManager: 'me',
    fieldValidation: 'Strict',
  });
  t.equal(
    failure(() => write('dryRun=All,All', 'PatchOptions')).message,
    'PatchOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["All,All"]: supported values: "All"',
  );
  t.ok(write(`fieldManager=${'m'.repeat(128)}`, 'CreateOptions'), '128 bytes are allowed');
  t.equal(
    failure(() => write(`fieldManager=${'m'.repeat(129)}`, 'CreateOptions')).message,
    'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
  );
  t.match(
    failure(() => write('fieldManager=a%01', 'CreateOptions')).message,
    /invalid character U\+0001 \(at position 1\)/,
  );
  t.match(
    failure(() => write('fieldValidation=No', 'CreateOptions')).message,
    /supported values: "", "Ignore", "Strict", "Warn"/,
  );
  t.match(
    failure(() => write('force=true', 'PatchOptions')).message,
    /may not be specified for non-apply patch/,
  );
  t.end();
});

t.test('delete options', (t) => {
  t.match(deleteOptionsOfQuery(new URLSearchParams('gracePeriodSeconds=0&propagationPolicy=Foreground')), {
    gracePeriodSeconds: 0,
    propagationPolicy: 'Foreground',
  });
  t.match(checkDeleteOptions({ orphanDependents: true }), {
    orphanDependents: true,
    acceptedWhileWaiting: false,
  });
  t.match(checkDeleteOptions({ orphanDependents: false }), {
    orphanDependents: false,
    acceptedWhileWaiting: true,
  });
  const ignored = 'ignoreStoreReadErrorWithClusterBreakingPotential=true&dryRun=All&propagationPolicy=Orphan';
  t.match(
    deleteOptionsOfQuery(new URLSearchParams(ignored)),
    { dryRun: true, propagationPolicy: 'Orphan' },
    'its feature gate is off, so it is as if it were not there, and goes with all others',
  );
  t.equal(
    failure(() => checkDeleteOptions({ orphanDependents: true, propagationPolicy: 'Orphan' })).message,
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
  );
  t.match(
    failure(() => checkDeleteOptions({ propagationPolicy: 'Odd' })).message,
    /Unsupported value: "Odd": supported values: "Foreground", "Background", "Orphan", "nil"/,
  );
  t.end();
});

t.test('Accept: the best of what the client takes that is ours to give', (t) => {
  const protobuf = 'application/vnd.kubernetes.protobuf';
  const as = (type: string, kind: string, version = 'v1') =>
    `application/${type};as=${kind};v=${version};g=meta.k8s.io`;
  const plain = { media: 'json', shape: 'object', version: '', pretty: false };
  const table = { media: 'json', shape: 'Table', version: 'v1' };
  const rows: readonly [accept: string | undefined, accepted: object, endpoint?: Endpoint][] = [
    [undefined, plain],
    ['', plain],
    ['*/*', plain],
    ['*/*', plain, jsonOnly],
    [`${protobuf},application/json`, { media: 'protobuf', shape: 'object' }],
    [`${protobuf}, */*`, { media: 'protobuf' }],
    [`${protobuf},application/json`, { media: 'json' }, objectsInJson],
    [`${protobuf};q=0.5,application/json`, { media: 'json' }],
    [`application/json;q=0.5,${protobuf};q=0.6`, { media: 'protobuf' }],
    ['application/json;q=0.5,application/yaml', { media: 'yaml' }],
    ['application/json;q=0', { media: 'json' }],
    ['application/json;q=nonsense,application/yaml;q=0.1', { media: 'yaml' }],
    ['application/yaml;q=0.1, */*', { media: 'json' }],
    ['*/*,application/yaml;q=0.1', { media: 'yaml' }],
    ['text/html, application/yaml', { media: 'yaml' }],
    [' application/json ; pretty=1 ', { media: 'json', pretty: true }],
    ['application/json;pretty=true', { pretty: false }],
    ['application/json;stream=watch', plain],
    ['application/yaml;stream=watch,application/json', { media: 'json' }],
    ['application/json;stream=other,application/yaml', { media: 'yaml' }],
    ['application/json;sv=v1', plain],
    ['application/json;sv=v2,application/yaml', { media: 'yaml' }],
    ['application/json;export=1;unknown=x', plain],
    [`${as('json', 'Table')},application/json`, table],
    [`${as('vnd.kubernetes.protobuf', 'Table')},${as('json', 'Table')}`, table],
    [as('yaml', 'Table', 'v1beta1'), { media: 'yaml', shape: 'Table', version: 'v1beta1' }],
    ['*/*;as=Table;v=v1;g=meta.k8s.io', table],
    [`${as('json', 'Table', 'v9')},application/json`, plain],
    [`${as('json', 'Elsewhere')},application/yaml`, { media: 'yaml' }],
    ['application/json;g=meta.k8s.io,application/yaml', { media: 'yaml' }],
    [as('vnd.kubernetes.protobuf', 'PartialObjectMetadata'), { media: 'protobuf', version: 'v1' }],
    [as('vnd.kubernetes.protobuf', 'PartialObjectMetadataList'), { media: 'protobuf' }, objectsInJson],
    [`${as('json', 'Table')},application/json`, plain, statuses],
    [
      'application/json,application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
      { shape: 'discovery', version: 'v2' },
      aggregatedDiscovery,
    ],
  ];
  for (const [accept, accepted, endpoint = objects] of rows) {
    t.match(negotiate(accept, endpoint), accepted, accept ?? 'nothing');
  }
  const route = '406: Not Acceptable\n\nAvailable representations: ';
  const only = 'only the following media types are accepted: ';
  const all = `application/json, application/yaml, ${protobuf}`;
  const refusals: readonly [accept: string, message: string, endpoint?: Endpoint][] = [
    ['text/html', route + all],
    ['application/*', route + all],
    ['APPLICATION/JSON', route + all],
    ['nonsense', route + all],
    ['text/html', `${route}${all}, application/json;stream=watch, ${protobuf};stream=watch`, collections],
    ['application/yaml', `${route}application/json`, jsonRoute],
    ['text/html', only + all, objectsInJson],
    [protobuf, only + all, objectsInJson],
    [as('json', 'Table', 'v9'), only + all],
    [as('vnd.kubernetes.protobuf', 'Table'), only + all],
    ['application/yaml;stream=watch', only + all],
  ];
  for (const [accept, message, endpoint = objects] of refusals) {
    const error = failure(() => negotiate(accept, endpoint));
    t.match({ code: error.code, message: error.message }, { code: 406, message }, accept);
    t.equal(negotiable(accept, endpoint), undefined);
  }
  t.end();
});

t.test('what is remembered of an Accept header holds no request', (t) => {
  class Request {
    constructor(readonly accept: string) {}
  }
  const count = () => queryObjects(Request, { format: 'count' });
  const before = count();
  const refuse = (request: Request) => failure(() => negotiate(request.accept, collections)).code;
  t.equal(refuse(new Request('application/x-first-seen-here')), 406);
  t.equal(count(), before);
  t.end();
});

t.test('hosts and origins', (t) => {
  for (const host of ['localhost', 'LOCALHOST:8080', '127.0.0.1:80', '127.9.9.9', '[::1]:8080', '[::1]']) {
    t.ok(isLoopbackHost(host), host);
  }
  for (const host of [
    '',
    'example.com',
    'localhost.example.com',
    '127.0.0.1.example.com',
    '128.0.0.1',
    '[::2]',
    '0.0.0.0',
  ]) {
    t.notOk(isLoopbackHost(host), host);
  }
  const rules = originRules(['https://good.example', '//sub\\.example(:[0-9]+)?$']);
  t.equal(rules.allow('https://good.example')?.['access-control-allow-origin'], 'https://good.example');
  t.ok(rules.allow('https://sub.example:444'));
  t.equal(rules.allow('http://localhost:3000'), undefined, 'loopback is not refused, but may not read');
  for (const origin of [
    'null',
    '',
    'https://good.example.evil.test',
    'https://evil.test',
    'http://localhost.evil.test',
    'http://evil.test@localhost',
    'http://sub.example.evil.test',
    'file://',
  ]) {
    t.equal(failure(() => rules.allow(origin)).code, 403, origin);
  }
  t.end();
});

t.test('a body without a content type is JSON only where no browser is in play', (t) => {
  t.ok(mayOmitContentType({}));
  t.ok(mayOmitContentType({ 'sec-fetch-site': 'none' }));
  t.notOk(mayOmitContentType({ 'sec-fetch-site': 'cross-site' }));
  t.notOk(mayOmitContentType({ 'sec-fetch-site': 'same-site' }));
  t.notOk(mayOmitContentType({ origin: 'http://localhost:3000' }));
  t.end();
});
