/** JSON patch (RFC 6902), merge patch (RFC 7386) and strategic merge patch, with kube-apiserver's orders and refusals. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import fastJsonPatch from 'fast-json-patch';
import t, { type Test } from 'tap';
import { StatusError } from '../../apiserver/errors.js';
import {
  applyPatch,
  isPatchType,
  JSON_PATCH,
  JSON_PATCH_OPERATIONS_MAX,
  MERGE_PATCH,
  patchedKindProblem,
  patchedObjectInvalid,
  patchStrictErrors,
  STRATEGIC_MERGE_PATCH,
} from '../../apiserver/patch/index.js';
import {
  applyJsonPatch,
  COPIED_BYTES_MAX,
  ITEMS_MOVED_MAX,
  type Operation,
  PatchFailure,
} from '../../apiserver/patch/json-patch.js';
import { applyMergePatch } from '../../apiserver/patch/merge-patch.js';
import { replicaSets } from '../../schemas/apps/v1/replica-set.js';
import { deployments } from '../../schemas/apps/v1/deployment.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import { services } from '../../schemas/core/v1/service.js';
import { decodeObject } from '../../schemas/decode.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import { repository } from '../tools/wherry.js';

const body = (value: unknown): Buffer =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

const strategic = (
  definition: ResourceDefinition,
  current: object,
  patch: unknown,
): Record<string, unknown> =>
  applyPatch(STRATEGIC_MERGE_PATCH, body(patch), current as KubeObject, definition) as Record<
    string,
    unknown
  >;

/** Whether the operations cannot be carried out. */
function fails(document: unknown, operations: readonly Operation[]): boolean {
  try {
    applyJsonPatch(document, operations);
    return false;
  } catch (error) {
    if (error instanceof PatchFailure) return true;
    throw error;
  }
}

/** The StatusError that `attempt` ends with. */
function refusal(attempt: () => unknown): StatusError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

const jsonValue = fc.jsonValue({ maxDepth: 3 });

t.test('RFC 7386: the examples of its appendix', (t) => {
  const rows: [target: unknown, patch: unknown, result: unknown][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of rows) {
    const before = structuredClone(target);
    t.strictSame(applyMergePatch(target, patch), result, JSON.stringify(patch));
    t.strictSame(target, before, 'the target is left alone');
  }
  t.end();
});

t.test('a merge patch made from two documents turns the first into the second', (t) => {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  /** The least merge patch; nulls cannot be expressed, so documents have none. */
  const diff = (from: unknown, to: unknown): unknown => {
    if (!isObject(from) || !isObject(to)) return to;
    const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
    return Object.fromEntries(
      [...keys].map((key) => [
        key,
        !Object.hasOwn(to, key) ? null : diff(Object.hasOwn(from, key) ? from[key] : undefined, to[key]),
      ]),
    );
  };
  const withoutNulls = (value: unknown): unknown =>
    isObject(value)
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([, member]) => member !== null)
            .map(([key, member]) => [key, withoutNulls(member)]),
        )
      : Array.isArray(value)
        ? value.filter((item) => item !== null).map(withoutNulls)
        : value;
  fc.assert(
    fc.property(jsonValue.map(withoutNulls), jsonValue.map(withoutNulls), (from, to) => {
      assert.deepStrictEqual(
        JSON.parse(JSON.stringify(applyMergePatch(from, diff(from, to)))),
        JSON.parse(JSON.stringify(to)),
      );
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('RFC 6902: each operation', (t) => {
  const document = { a: { b: ['x', 'y'], 'c/d': 1, 'e~f': 2 }, n: null };
  const rows: [operation: Operation, result: unknown][] = [
    [
      { op: 'add', path: '/a/z', value: 1 },
      { ...document, a: { ...document.a, z: 1 } },
    ],
    [
      { op: 'add', path: '/a/b/1', value: 'n' },
      { ...document, a: { ...document.a, b: ['x', 'n', 'y'] } },
    ],
    [
      { op: 'add', path: '/a/b/2', value: 'n' },
      { ...document, a: { ...document.a, b: ['x', 'y', 'n'] } },
    ],
    [
      { op: 'add', path: '/a/b/-', value: 'n' },
      { ...document, a: { ...document.a, b: ['x', 'y', 'n'] } },
    ],
    [{ op: 'add', path: '/n', value: null }, document],
    [
      { op: 'remove', path: '/a/b/0' },
      { ...document, a: { ...document.a, b: ['y'] } },
    ],
    [
      { op: 'remove', path: '/a/b/-1' },
      { ...document, a: { ...document.a, b: ['x'] } },
    ],
    [{ op: 'remove', path: '/a' }, { n: null }],
    [
      { op: 'replace', path: '/a/c~1d', value: 5 },
      { ...document, a: { ...document.a, 'c/d': 5 } },
    ],
    [
      { op: 'replace', path: '/a/e~0f', value: 5 },
      { ...document, a: { ...document.a, 'e~f': 5 } },
    ],
    [{ op: 'replace', path: '', value: [1] }, [1]],
    [
      { op: 'move', from: '/a/b', path: '/m' },
      { a: { 'c/d': 1, 'e~f': 2 }, n: null, m: ['x', 'y'] },
    ],
    [
      { op: 'copy', from: '/a/b/0', path: '/m' },
      { ...document, m: 'x' },
    ],
    [{ op: 'test', path: '/a/b', value: ['x', 'y'] }, document],
    [{ op: 'test', path: '/n', value: null }, document],
    // What upstream's library takes beyond the RFC.
    [{ op: 'test', path: '/missing', value: null }, document],
    [
      { op: 'replace', path: '/missing', value: 1 },
      { ...document, missing: 1 },
    ],
    [
      { op: 'copy', from: '/missing', path: '/a' },
      { a: null, n: null },
    ],
    [
      { op: 'add', path: '/a' },
      { a: null, n: null },
    ],
    [
      { op: 'add', path: 'before/a/b/+01', value: 'n' },
      { ...document, a: { ...document.a, b: ['x', 'n', 'y'] } },
    ],
  ];
  for (const [operation, result] of rows) {
    const before = structuredClone(document);
    t.strictSame(applyJsonPatch(document, [operation]), result, JSON.stringify(operation));
    t.strictSame(document, before, 'the document is left alone');
  }
  t.end();
});

t.test('RFC 6902: what cannot be carried out fails', (t) => {
  const document = { a: { b: ['x', 'y'] } };
  const operations: Operation[] = [
    { op: 'frobnicate', path: '/a' },
    { op: 'add', path: '/a/b/3', value: 1 },
    { op: 'add', path: '/a/b/x', value: 1 },
    { op: 'add', path: '/missing/x', value: 1 },
    { op: 'add', path: '/a/b/0/x', value: 1 },
    { op: 'add', path: 'a', value: 1 },
    { op: 'add', value: 1 },
    { op: 'add', path: null, value: 1 },
    { op: 'copy', path: '/x', from: null },
    { op: null, path: '/x' },
    { op: 'remove', path: '/missing' },
    { op: 'remove', path: '/a/b/-' },
    { op: 'remove', path: '/a/b/-3' },
    { op: 'remove', path: '' },
    { op: 'replace', path: '/a/b/2', value: 1 },
    { op: 'move', from: '/a', path: '/a/b' },
    { op: 'move', path: '/a/b' },
    { op: 'test', path: '/a/b', value: ['x'] },
    { op: 'test', path: '/a/b', value: { 0: 'x', 1: 'y' } },
    { op: 'test', path: '/missing', value: 1 },
    { op: 'test', path: '/missing' },
    { op: 'add', path: '', value: {} },
    { op: 'copy', from: '', path: '/x' },
    { op: 'copy', from: '/a', path: '' },
    { op: 'move', from: '/a', path: '' },
    { op: 'replace', path: '', value: null },
  ];
  for (const operation of operations) {
    t.ok(fails(document, [operation]), JSON.stringify(operation));
  }
  t.end();
});

t.test('a JSON patch that another implementation makes from two documents restores the second', (t) => {
  const document = fc.dictionary(fc.stringMatching(/^[a-z/~]{1,3}$/), jsonValue, { noNullPrototype: true });
  fc.assert(
    fc.property(document, document, (from, to) => {
      // The oracle cannot compare members that are -0 or that only __proto__ makes.
      const [first, second] = [JSON.parse(JSON.stringify(from)), JSON.parse(JSON.stringify(to))] as [
        object,
        object,
      ];
      const operations = fastJsonPatch.compare(first, second);
      assert.deepStrictEqual(applyJsonPatch(first, operations as Operation[]), second);
    }),
    { numRuns: 200 },
  );
  t.end();
});

/** What evanphx/json-patch, the library that kube-apiserver uses, made of random patches. */
interface Recorded {
  readonly type: 'json' | 'merge';
  readonly document: object;
  readonly patch: unknown;
  /** Undefined: it refused. */
  readonly result?: unknown;
}

t.test('random patches give what upstream’s library gave, or fail where it failed', (t) => {
  const text = readFileSync(join(repository, 'test/fixtures/json-patches.json'), 'utf8');
  for (const { type, document, patch, result } of JSON.parse(text) as Recorded[]) {
    const what = JSON.stringify({ document, patch });
    if (type === 'merge') t.strictSame(applyMergePatch(document, patch), result, what);
    else if (result === undefined) t.ok(fails(document, patch as Operation[]), what);
    else t.strictSame(applyJsonPatch(document, patch as Operation[]), result, what);
  }
  t.end();
});

t.test('patches cannot reach what objects inherit', (t) => {
  const polluted = () => Object.hasOwn(Object.prototype, 'x');
  for (const path of ['/__proto__/x', '/constructor/prototype/x', '/toString']) {
    t.ok(fails({}, [{ op: path === '/toString' ? 'remove' : 'add', path, value: 1 }]), path);
  }
  const own = applyJsonPatch(
    {},
    JSON.parse('[{"op":"add","path":"/__proto__","value":{"x":1}}]') as Operation[],
  );
  t.equal(JSON.stringify(own), '{"__proto__":{"x":1}}', 'a member of that name is a member like any other');
  const merged = applyMergePatch({}, JSON.parse('{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}'));
  t.equal(JSON.stringify(merged), '{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}');
  const current = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } };
  const strategically = strategic(configMaps, current, '{"__proto__":{"x":1},"data":{"__proto__":"y"}}');
  t.equal(Object.getPrototypeOf(strategically), Object.prototype);
  t.equal(JSON.stringify(strategically['data']), '{"__proto__":"y"}');
  t.equal(polluted(), false);
  t.end();
});

t.test('a JSON patch copies at most the size of a request', (t) => {
  const document = { a: 'x'.repeat(COPIED_BYTES_MAX / 2 - 2) };
  const copy: Operation = { op: 'copy', from: '/a', path: '/b' };
  t.notOk(fails(document, [copy, copy]));
  t.ok(fails({ a: `${document.a}x` }, [copy, copy]), 'one byte more');
  t.end();
});

t.test('a JSON patch moves so many items of lists and no more', (t) => {
  const length = ITEMS_MOVED_MAX / JSON_PATCH_OPERATIONS_MAX;
  const list = { a: Array.from({ length: length + 1 }, () => '') };
  const inFront: Operation = { op: 'remove', path: '/a/0' };
  const behind: Operation = { op: 'add', path: '/a/-', value: '' };
  const pairs = (count: number) => Array.from({ length: count }, () => [inFront, behind]).flat();
  t.notOk(fails(list, pairs(JSON_PATCH_OPERATIONS_MAX / 2)));
  const longer = { a: Array.from({ length: 3 * length }, () => '') };
  t.ok(fails(longer, pairs(JSON_PATCH_OPERATIONS_MAX / 2)), 'too much work');
  const last = pairs(JSON_PATCH_OPERATIONS_MAX / 2).map((operation) =>
    operation === inFront ? { ...inFront, path: '/a/-1' } : operation,
  );
  t.notOk(fails(longer, last), 'the end of a list costs nothing');
  t.end();
});

t.test('a copied value and its source change apart', (t) => {
  const result = applyJsonPatch({ a: { l: [1] } }, [
    { op: 'add', path: '/a/l/-', value: 2 },
    { op: 'copy', from: '/a', path: '/b' },
    { op: 'add', path: '/b/l/-', value: 3 },
  ]);
  t.strictSame(result, { a: { l: [1, 2] }, b: { l: [1, 2, 3] } });
  t.end();
});

t.test('bodies that are no patch are refused as kube-apiserver refuses them', (t) => {
  const current = { kind: 'Service', apiVersion: 'v1', metadata: { name: 'web' } };
  const rows: [type: string, patch: unknown, code: number, message: string][] = [
    [
      JSON_PATCH,
      { not: 'an array' },
      400,
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    ],
    [
      JSON_PATCH,
      [1],
      400,
      'error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp',
    ],
    [
      JSON_PATCH,
      [{ op: 1 }],
      400,
      'error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string',
    ],
    [JSON_PATCH, '', 400, 'error decoding patch: unexpected end of JSON input'],
    [
      JSON_PATCH,
      [{ op: 'frobnicate', path: '/x' }],
      422,
      'the server rejected our request due to an error in our request',
    ],
    [
      MERGE_PATCH,
      [],
      400,
      'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    ],
    [STRATEGIC_MERGE_PATCH, '{bad', 400, "invalid character 'b' looking for beginning of object key string"],
    [
      STRATEGIC_MERGE_PATCH,
      'true',
      400,
      'json: cannot unmarshal bool into Go value of type map[string]interface {}',
    ],
  ];
  for (const [type, patch, code, message] of rows) {
    const error = refusal(() => applyPatch(type, body(patch), current, services));
    t.strictSame([error.code, error.message], [code, message], `${type} ${JSON.stringify(patch)}`);
  }
  t.strictSame(refusal(() => applyPatch(JSON_PATCH, body([{ op: 'x' }]), current, services)).toStatus(), {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the server rejected our request due to an error in our request',
    reason: 'Invalid',
    details: {},
    code: 422,
  });
  t.equal(isPatchType('application/json'), false);
  t.equal(isPatchType(STRATEGIC_MERGE_PATCH), true);
  t.end();
});

t.test('a JSON patch has at most 10,000 operations', (t) => {
  const current = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } };
  const test = { op: 'test', path: '/kind', value: 'ConfigMap' };
  const attempt = (count: number) =>
    applyPatch(JSON_PATCH, body(Array.from({ length: count }, () => test)), current, configMaps);
  t.strictSame(attempt(JSON_PATCH_OPERATIONS_MAX), current);
  const error = refusal(() => attempt(JSON_PATCH_OPERATIONS_MAX + 1));
  t.equal(error.code, 413);
  t.equal(error.message, 'The allowed maximum operations in a JSON patch is 10000, got 10001');
  t.end();
});

t.test('a JSON patch cannot nest values deeper than a body may, one in the other', (t) => {
  const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  /** Puts each value into the innermost of those before it. */
  const patch = (values: number, levels: number) => {
    const operations = Array.from(
      { length: values },
      (_, i) => `{"op":"add","path":"/data${'/a'.repeat(i * levels)}","value":${deep(levels)}}`,
    );
    return body(`[${operations.join(',')}]`);
  };
  const current = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: {} };
  t.ok(applyPatch(JSON_PATCH, patch(3, 300), current, configMaps));
  // The last is deeper than JSON.stringify goes.
  for (const [values, levels] of [
    [4, 300],
    [2, 900],
    [30, 900],
  ] as const) {
    t.throws(() => applyPatch(JSON_PATCH, patch(values, levels), current, configMaps), { code: 422 });
    const copied = patch(values, levels)
      .toString()
      .replace(/]$/, ',{"op":"copy","from":"/data","path":"/b"}]');
    t.throws(() => applyPatch(JSON_PATCH, body(copied), current, configMaps), { code: 422 }, 'copied');
  }
  t.end();
});

t.test('fields given twice and unknown members of operations are told', (t) => {
  t.strictSame(patchStrictErrors(MERGE_PATCH, body('{"data":{"a":"1","a":"2"}}')), [
    'duplicate field "data.a"',
  ]);
  t.strictSame(patchStrictErrors(JSON_PATCH, body([{ op: 'test', path: '', value: 1, foo: 1 }])), [
    'json patch unknown field "[0].foo"',
  ]);
  t.strictSame(patchStrictErrors(STRATEGIC_MERGE_PATCH, body({ data: {} })), []);
  t.end();
});

t.test('an object that a patch made undecodable is quoted with sorted members where the patch went', (t) => {
  const current: KubeObject = {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name: 'web', uid: 'u', creationTimestamp: '2026-11-22T07:26:40Z' },
    spec: {
      type: 'ClusterIP',
      ports: [
        { protocol: 'TCP', port: 1 },
        { protocol: 'TCP', port: 2 },
      ],
    },
    status: { loadBalancer: {} },
  };
  const patch = body([
    { op: 'replace', path: '/spec/ports/0/port', value: 'x' },
    { op: 'add', path: '/metadata/labels', value: 'web' },
  ]);
  const status = patchedObjectInvalid('json: no', JSON_PATCH, patch, current, services).toStatus();
  const text =
    '{"apiVersion":"v1","kind":"Service","metadata":{"creationTimestamp":"2026-11-22T07:26:40Z","labels":"web","name":"web","uid":"u"},"spec":{"ports":[{"port":"x","protocol":"TCP"},{"protocol":"TCP","port":2}],"type":"ClusterIP"},"status":{"loadBalancer":{}}}';
  const message = `Invalid value: ${JSON.stringify(text)}: json: no`;
  t.strictSame(status, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: ` "" is invalid: patch: ${message}`,
    reason: 'Invalid',
    details: { causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }] },
    code: 422,
  });
  const printed = patchedObjectInvalid(
    'no',
    STRATEGIC_MERGE_PATCH,
    body({ b: [1, 'x'], a: null }),
    current,
    services,
  );
  t.match(printed.message, 'Invalid value: "map[a:<nil> b:[1 x]]": no');
  t.end();
});

t.test('a patch that changes the kind is told apart from one that does not', (t) => {
  const hint = {
    group: 'apps',
    version: 'v1',
    kind: 'ReplicaSet',
    isRegistered: (...kind: string[]) => kind[2] === 'Deployment',
  };
  const problem = (patched: object) => patchedKindProblem(patched, hint);
  t.equal(problem({ kind: 'ReplicaSet', apiVersion: 'apps/v1' }), undefined);
  t.equal(
    problem({ kind: 'Deployment', apiVersion: 'apps/v1' }),
    'converting (v1.Deployment) to (apps.ReplicaSet): unknown conversion',
  );
  t.match(
    problem({ kind: 'Foo', apiVersion: 'apps/v1' }),
    'no kind "Foo" is registered for version "apps/v1"',
  );
  t.end();
});

/** The members of `metadata.finalizers`, `spec.ports` and the like after a patch. */
const portsAfter = (ports: object[], patch: object): unknown =>
  (
    strategic(
      services,
      { kind: 'Service', apiVersion: 'v1', metadata: { name: 'w' }, spec: { ports } },
      { spec: patch },
    )['spec'] as { ports?: unknown }
  ).ports;

const ports = (...numbers: number[]): object[] => numbers.map((port) => ({ port, name: `p${port}` }));

t.test('strategic merge: lists with a merge key merge item by item, new ones first', (t) => {
  t.strictSame(portsAfter(ports(80, 81), { ports: [{ port: 81, name: 'x' }] }), [
    { port: 80, name: 'p80' },
    { port: 81, name: 'x' },
  ]);
  t.strictSame(portsAfter(ports(80), { ports: ports(90) }), ports(90, 80));
  t.strictSame(
    portsAfter(ports(80, 81, 82), { ports: ports(82, 80) }),
    ports(81, 82, 80),
    'the order of the patch',
  );
  t.strictSame(portsAfter([], { ports: ports(90) }), ports(90));
  t.end();
});

t.test('strategic merge: directives in lists', (t) => {
  t.strictSame(portsAfter(ports(80, 81), { ports: [{ port: 80, $patch: 'delete' }] }), ports(81));
  t.strictSame(
    portsAfter(ports(80), { ports: [{ port: 99, $patch: 'delete' }] }),
    ports(80),
    'deleting what is not there',
  );
  t.strictSame(portsAfter(ports(80, 81), { ports: [...ports(90), { $patch: 'replace' }] }), ports(90));
  t.strictSame(portsAfter(ports(80), { ports: [{ $patch: 'replace' }] }), []);
  t.end();
});

t.test('strategic merge: $setElementOrder orders the merged list', (t) => {
  const order = (...numbers: number[]) => numbers.map((port) => ({ port }));
  const list = '$setElementOrder/ports';
  t.strictSame(
    portsAfter(ports(80, 81, 82), { [list]: order(82, 81, 80) }),
    ports(82, 81, 80),
    'without a list',
  );
  t.strictSame(
    portsAfter(ports(80, 81), { [list]: order(81, 90, 80), ports: ports(90) }),
    ports(81, 90, 80),
    'with an addition',
  );
  t.strictSame(
    portsAfter(ports(80, 85, 81), { [list]: order(81, 80), ports: [{ port: 81, name: 'p81' }] }),
    ports(85, 81, 80),
    'what only the server has keeps its place',
  );
  t.strictSame(
    portsAfter(ports(80, 81), { [list]: order(81), ports: [{ port: 80, $patch: 'delete' }] }),
    ports(81),
    'with a deletion',
  );
  const unordered = refusal(() => portsAfter(ports(80), { [list]: order(80), ports: ports(90) }));
  t.strictSame(
    [unordered.code, unordered.message],
    [
      500,
      "The order in patch list:\n[map[name:p90 port:90]]\n doesn't match $setElementOrder list:\n[map[port:80]]\n",
    ],
  );
  t.end();
});

t.test('strategic merge: the patch that clients make of two lists turns the first into the second', (t) => {
  const port = fc.record(
    { port: fc.integer({ min: 1, max: 8 }), name: fc.constantFrom('a', 'b', 'c') },
    { noNullPrototype: true },
  );
  const portList = fc.uniqueArray(port, { selector: ({ port }) => port, maxLength: 6 });
  fc.assert(
    fc.property(portList, portList, (from, to) => {
      const gone = from.filter((old) => !to.some(({ port }) => port === old.port));
      const changed = to.filter(
        (item) => !from.some(({ port, name }) => port === item.port && name === item.name),
      );
      const patch = {
        '$setElementOrder/ports': to.map(({ port }) => ({ port })),
        ports: [...changed, ...gone.map(({ port }) => ({ port, $patch: 'delete' }))],
      };
      assert.deepStrictEqual(portsAfter(from, patch), to);
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('strategic merge: lists of scalars', (t) => {
  const finalizers = (before: string[], metadata: object): unknown =>
    (
      strategic(
        configMaps,
        { kind: 'ConfigMap', apiVersion: 'v1', metadata: { finalizers: before } },
        { metadata },
      )['metadata'] as { finalizers?: unknown }
    ).finalizers;
  t.strictSame(finalizers(['a'], { finalizers: ['b'] }), ['b', 'a']);
  t.strictSame(finalizers(['a', 'b'], { finalizers: ['b', 'c'] }), ['a', 'b', 'c']);
  t.strictSame(finalizers(['a', 'b', 'c'], { '$deleteFromPrimitiveList/finalizers': ['a', 'c', 'x'] }), [
    'b',
  ]);
  t.strictSame(finalizers(['a', 'b'], { '$setElementOrder/finalizers': ['b', 'a'] }), ['b', 'a']);
  t.strictSame(finalizers(['a'], { finalizers: null }), undefined);
  t.end();
});

t.test('strategic merge: directives in objects', (t) => {
  const service = {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name: 'w', labels: { a: '1', b: '2' } },
    spec: { selector: { app: 'w', tier: 'x' } },
  };
  const selector = (patch: object) =>
    (strategic(services, service, { spec: patch })['spec'] as { selector?: unknown }).selector;
  t.strictSame(selector({ selector: { app: 'v' } }), { app: 'v', tier: 'x' });
  t.strictSame(selector({ selector: { $patch: 'replace', only: 'this' } }), { only: 'this' });
  t.strictSame(selector({ selector: { $patch: 'delete' } }), {});
  t.strictSame(selector({ selector: null }), undefined);
  t.strictSame(selector({ selector: { app: null } }), { tier: 'x' });
  const unknown = refusal(() => selector({ selector: { $patch: 'frob' } }));
  t.strictSame([unknown.code, unknown.message], [500, 'unknown patch type: frob in map: map[$patch:frob]']);
  t.strictSame(
    strategic(services, service, { metadata: { annotations: { x: 'y', n: null } } })['metadata'],
    { ...service.metadata, annotations: { x: 'y' } },
    'nulls do not become values',
  );
  t.end();
});

t.test('strategic merge: $retainKeys', (t) => {
  const deployment = {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: { name: 'w' },
    spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
  };
  const strategy = (patch: object) =>
    (strategic(deployments, deployment, { spec: { strategy: patch } })['spec'] as { strategy?: unknown })
      .strategy;
  t.strictSame(strategy({ $retainKeys: ['type'], type: 'Recreate' }), { type: 'Recreate' });
  const rows: [patch: object, message: string][] = [
    [{ $retainKeys: 'type' }, 'invalid patch format of retainKeys'],
    [{ $retainKeys: ['rollingUpdate'], type: 'Recreate' }, 'invalid patch format of retainKeys'],
  ];
  for (const [patch, message] of rows) {
    const error = refusal(() => strategy(patch));
    t.strictSame([error.code, error.message], [400, message]);
  }
  t.end();
});

t.test('strategic merge: items without their merge key, and other wrong shapes', (t) => {
  const set = {
    kind: 'ReplicaSet',
    apiVersion: 'apps/v1',
    metadata: { name: 'r1', finalizers: ['a'] },
    spec: { template: { spec: { containers: [{ name: 'x' }] } } },
  };
  const rows: [patch: object, code: number, message: string][] = [
    [
      { spec: { template: { spec: { containers: [{ image: 'noname' }] } } } },
      500,
      'map: map[image:noname] does not contain declared merge key: name',
    ],
    [
      { spec: { template: { spec: { containers: [{ $patch: 'delete' }] } } } },
      500,
      'map: map[$patch:delete] does not contain declared merge key: name',
    ],
    [{ metadata: { finalizers: [1] } }, 500, 'list element types are not identical: [[a] [1]]'],
    [
      { metadata: { '$setElementOrder/finalizers': 'x' } },
      500,
      'expected a []interface {}, but received a string',
    ],
    [{ metadata: { $setElementOrder: [] } }, 400, 'invalid patch format of setElementOrder list'],
    [{ metadata: { $deleteFromPrimitiveList: [] } }, 400, 'invalid patch format of primitive list'],
  ];
  for (const [patch, code, message] of rows) {
    const error = refusal(() => strategic(replicaSets, set, patch));
    t.strictSame([error.code, error.message], [code, message], JSON.stringify(patch));
    if (code === 500) t.equal(error.reason, undefined, 'such errors have no reason');
  }
  t.end();
});

t.test('strategic merge: kind and apiVersion stay, and neither document is changed', (t) => {
  const current = { kind: 'Service', apiVersion: 'v1', metadata: { name: 'w' }, spec: { ports: ports(1) } };
  const before = structuredClone(current);
  const patched = strategic(services, current, { kind: 'Pod', spec: { ports: [{ port: 1, name: 'x' }] } });
  t.equal(patched['kind'], 'Service');
  t.strictSame(current, before);
  t.end();
});

interface Row {
  readonly area: string;
  readonly method: string;
  readonly path: string;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly response: { readonly status: number; readonly body?: Record<string, unknown> };
}

const transcript = join(repository, 'test/fixtures/transcript.json');
const skip = existsSync(transcript) ? (false as const) : 'the recorded transcript is not here';

/** What every write changes. */
function comparable(object: unknown): unknown {
  const { metadata, ...rest } = structuredClone(object) as KubeObject;
  const { managedFields: _f, resourceVersion: _r, generation: _g, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

t.test('the recorded patches of kube-apiserver give the recorded objects and refusals', { skip }, (t) => {
  const text = readFileSync(transcript, 'utf8').replaceAll('"<ts>"', '"2026-11-22T07:26:40Z"');
  const rows = JSON.parse(text) as Row[];
  const latest = new Map<string, KubeObject>();
  let compared = 0;
  for (const [index, row] of rows.entries()) {
    const path = row.path.replace(/\?.*/, '');
    const answer = row.response.body;
    if (row.method === 'PATCH' && row.area === 'patch') {
      const current = latest.get(path);
      const definition = builtinResources.find(({ kind }) => kind === current?.kind);
      if (current === undefined || definition === undefined)
        throw new Error(`row ${index} patches nothing known`);
      comparePatch(t, index, row, current, definition);
      compared++;
    }
    if (row.response.status < 300 && row.area !== 'dryrun' && typeof answer?.['metadata'] === 'object') {
      const object = answer as unknown as KubeObject;
      latest.set(row.method === 'POST' ? `${path}/${object.metadata.name}` : path, object);
    }
  }
  t.equal(compared, 15, 'all patches of the area were compared');
  t.end();
});

function comparePatch(
  t: Test,
  index: number,
  row: Row,
  current: KubeObject,
  definition: ResourceDefinition,
): void {
  const { status, body: answer } = row.response;
  const patch = body(row.body);
  const attempt = () => applyPatch(row.contentType ?? '', patch, current, definition);
  if (status >= 300 && !String(answer?.['message']).startsWith(' "" is invalid: patch')) {
    const error = refusal(attempt);
    t.strictSame([error.code, error.message], [status, answer?.['message']], `row ${index}`);
    return;
  }
  const decoded = decodeObject(definition, structuredClone(attempt()));
  if (status >= 300) {
    const problem =
      'typeError' in decoded
        ? decoded.typeError
        : patchedKindProblem(attempt(), { ...definition, isRegistered: () => true });
    t.ok(problem !== undefined && String(answer?.['message']).endsWith(problem), `row ${index}: ${problem}`);
    return;
  }
  if (!('object' in decoded)) throw new Error(`row ${index}: ${decoded.typeError}`);
  definition.strategy.defaults?.(decoded.object);
  t.strictSame(comparable(decoded.object), comparable(answer), `row ${index}`);
}
