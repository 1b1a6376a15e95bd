/** Decoding holds and prints objects as Go's decoder does; what is wrong with a body is told in Go's words. */
import * as fc from 'fast-check';
import t from 'tap';
import { pods } from '../../schemas/core/v1/pod.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import { secrets } from '../../schemas/core/v1/secret.js';
import { leases } from '../../schemas/coordination/v1/lease.js';
import { decodeObject, decodeSchema } from '../../schemas/decode.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import { base64Problem, isBase64 } from '../../schemas/meta/base64.js';
import {
  canonicalQuantity,
  compareQuantities,
  milliValue,
  parseQuantity,
  quantityOf,
} from '../../schemas/meta/quantity.js';
import { canonicalTime, timeProblem } from '../../schemas/meta/times.js';
import { deleteOptions } from '../../schemas/meta/v1.js';
import { facts, skip } from './facts.js';

function decoded(definition: ResourceDefinition, body: unknown): KubeObject {
  const result = decodeObject(definition, structuredClone(body));
  if ('typeError' in result) throw new Error(result.typeError);
  return result.object;
}
const typeErrorOf = (definition: ResourceDefinition, body: unknown): string | undefined => {
  const result = decodeObject(definition, structuredClone(body));
  return 'typeError' in result ? result.typeError : undefined;
};
const unknownOf = (definition: ResourceDefinition, body: unknown): string[] => {
  const result = decodeObject(definition, structuredClone(body));
  return 'typeError' in result ? [result.typeError] : result.unknownFields;
};

t.test('nulls are absent, and zero values of their type in lists and maps', (t) => {
  t.same(
    decoded(configMaps, {
      metadata: { name: 'a', labels: null },
      data: { k: null, l: 'x' },
      immutable: null,
    }),
    {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'a' },
      data: { k: '', l: 'x' },
    },
  );
  t.same(decoded(pods, { spec: { containers: [{ name: 'a', command: ['x', null] }, null] } })['spec'], {
    containers: [
      { name: 'a', command: ['x', ''], resources: {} },
      { name: '', resources: {} },
    ],
  });
  t.end();
});

t.test('what Go omits when it is empty disappears, what it always prints is there', (t) => {
  const spec = {
    hostNetwork: false,
    serviceAccountName: '',
    nodeSelector: {},
    hostUsers: false,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'a', image: '', stdin: false, env: [{ name: 'A', value: '' }], args: [] }],
    volumes: [{ name: 'v', emptyDir: {} }],
  };
  const status = {
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: 'a', restartCount: 0 }],
  };
  const pod = decoded(pods, { spec, status });
  t.same(pod['spec'], {
    hostUsers: false,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'a', env: [{ name: 'A' }], resources: {} }],
    volumes: [{ name: 'v', emptyDir: {} }],
  });
  t.same(pod['status'], {
    conditions: [{ type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: null }],
    containerStatuses: [
      { name: 'a', state: {}, lastState: {}, ready: false, restartCount: 0, image: '', imageID: '' },
    ],
  });
  t.same(Object.keys(decoded(pods, {})), ['kind', 'apiVersion', 'metadata', 'spec', 'status']);
  t.end();
});

t.test("fields stand in Go's order, however the client wrote them", (t) => {
  const pod = decoded(pods, {
    spec: { containers: [{ image: 'x', name: 'a' }], volumes: [{ name: 'v' }] },
    metadata: { uid: 'u', name: 'n' },
    kind: 'Pod',
  });
  t.equal(
    JSON.stringify(pod),
    '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"n","uid":"u"},"spec":{"volumes":[{"name":"v"}],"containers":[{"name":"a","image":"x","resources":{}}]},"status":{}}',
  );
  t.end();
});

t.test('unknown fields are pruned and reported in the order of the document', (t) => {
  const body = {
    Data: {},
    metadata: { label: {}, name: 'x' },
    spec: { containers: [{ name: 'a', comand: ['x'], resources: { limit: {} } }], constructor: 1 },
  };
  const result = decodeObject(pods, structuredClone(body));
  if ('typeError' in result) throw new Error(result.typeError);
  t.same(result.unknownFields, [
    'Data',
    'metadata.label',
    'spec.containers[0].comand',
    'spec.containers[0].resources.limit',
    'spec.constructor',
  ]);
  t.same(result.object, {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'x' },
    spec: { containers: [{ name: 'a', resources: {} }] },
    status: {},
  });
  t.same(
    unknownOf(pods, { spec: { containers: [{ name: 'a' }] }, status: { phase: null } }),
    [],
    'null is known',
  );
  t.end();
});

t.test('keys named like parts of JavaScript objects are keys like others', (t) => {
  const text =
    '{"data":{"__proto__":"p","constructor":"c","toString":null},"metadata":{"__proto__":{"name":"x"}}}';
  const result = decodeObject(configMaps, JSON.parse(text));
  if ('typeError' in result) throw new Error(result.typeError);
  t.equal(JSON.stringify(result.object['data']), '{"__proto__":"p","constructor":"c","toString":""}');
  t.equal(JSON.stringify(result.object.metadata), '{}');
  t.same(result.unknownFields, ['metadata.__proto__']);
  t.equal(({} as { name?: string }).name, undefined);
  t.end();
});

t.test("values of the wrong type are refused in Go's words", (t) => {
  const field = (type: string, what: string, path: string): string =>
    `json: cannot unmarshal ${what} into Go struct field ${path} of type ${type}`;
  const cases: readonly [ResourceDefinition, unknown, string][] = [
    [configMaps, { data: { k: 1 } }, field('string', 'number', 'ConfigMap.data')],
    [configMaps, { data: [] }, field('map[string]string', 'array', 'ConfigMap.data')],
    [
      configMaps,
      { metadata: { labels: 'web' } },
      field('map[string]string', 'string', 'ObjectMeta.metadata.labels'),
    ],
    [configMaps, { metadata: [] }, field('v1.ObjectMeta', 'array', 'ConfigMap.metadata')],
    [configMaps, { immutable: 'yes' }, field('bool', 'string', 'ConfigMap.immutable')],
    [pods, { spec: 1 }, field('v1.PodSpec', 'number', 'Pod.spec')],
    [pods, { spec: { containers: {} } }, field('[]v1.Container', 'object', 'PodSpec.spec.containers')],
    [pods, { spec: { containers: ['x'] } }, field('v1.Container', 'string', 'PodSpec.spec.containers')],
    [
      pods,
      { spec: { containers: [{ image: 5 }] } },
      field('string', 'number', 'Container.spec.containers.image'),
    ],
    [
      pods,
      { spec: { containers: [{ imagePullPolicy: 5 }] } },
      field('v1.PullPolicy', 'number', 'Container.spec.containers.imagePullPolicy'),
    ],
    [pods, { spec: { priority: 'x' } }, field('int32', 'string', 'PodSpec.spec.priority')],
    [pods, { spec: { priority: 1.5 } }, field('int32', 'number 1.5', 'PodSpec.spec.priority')],
    [pods, { spec: { priority: 2 ** 31 } }, field('int32', 'number 2147483648', 'PodSpec.spec.priority')],
    [
      pods,
      { spec: { activeDeadlineSeconds: true } },
      field('int64', 'bool', 'PodSpec.spec.activeDeadlineSeconds'),
    ],
    [
      pods,
      { spec: { containers: [{ resources: { limits: [] } }] } },
      field('v1.ResourceList', 'array', 'ResourceRequirements.spec.containers.resources.limits'),
    ],
    [
      pods,
      { spec: { containers: [{ livenessProbe: { httpGet: { port: true } } }] } },
      field('int32', 'bool', 'HTTPGetAction.spec.containers.livenessProbe.httpGet.port'),
    ],
    [
      pods,
      { metadata: { creationTimestamp: 5 } },
      field('string', 'number', 'ObjectMeta.metadata.creationTimestamp'),
    ],
    [
      pods,
      { metadata: { creationTimestamp: 'noon' } },
      'parsing time "noon" as "2006-01-02T15:04:05Z07:00": cannot parse "noon" as "2006"',
    ],
    [
      leases,
      { spec: { renewTime: '2024-01-01T00:00:00Z' } },
      'parsing time "2024-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    ],
    [secrets, { data: { a: 'not base64' } }, 'illegal base64 data at input byte 3'],
  ];
  for (const [definition, body, message] of cases) t.equal(typeErrorOf(definition, body), message);
  t.end();
});

t.test('the first mismatch is told, unless a type of its own refuses a value: there Go stops', (t) => {
  const body = { data: { a: 1 }, metadata: { labels: 5 } };
  t.match(typeErrorOf(configMaps, body), 'ConfigMap.data');
  t.match(typeErrorOf(configMaps, { ...body, metadata: { creationTimestamp: 'x' } }), 'parsing time "x"');
  t.end();
});

t.test('a body is left as it was, but for its kind and version', (t) => {
  const body = {
    spec: { containers: [{ name: 'a', x: 1, resources: { limits: { cpu: 1, memory: '1024Mi' } } }] },
  };
  const copy = structuredClone(body);
  decodeObject(pods, body);
  t.same(body, { ...copy, kind: 'Pod', apiVersion: 'v1' });
  t.end();
});

t.test('values of other schemas: DeleteOptions', (t) => {
  t.same(decodeSchema(deleteOptions(), { gracePeriodSeconds: 0, preconditions: { uid: 'u' } }), {
    object: { gracePeriodSeconds: 0, preconditions: { uid: 'u' } },
    unknownFields: [],
  });
  t.end();
});

t.test('quantities are printed in their canonical form', (t) => {
  const forms: Readonly<Record<string, string>> = {
    '0': '0',
    '-0': '0',
    '1': '1',
    '0.5': '500m',
    '.5': '500m',
    '1.': '1',
    '1000m': '1',
    '1500m': '1500m',
    '0001': '1',
    '+5': '5',
    '-1.5': '-1500m',
    '100000': '100k',
    '1M': '1M',
    '1500000': '1500k',
    '1024': '1024',
    '1Ki': '1Ki',
    '0.5Ki': '512',
    '1024Mi': '1Gi',
    '1.5Gi': '1536Mi',
    '1000Mi': '1000Mi',
    '0.1Ki': '102400m',
    '1e3': '1e3',
    '1E3': '1e3',
    '1000e0': '1e3',
    '12e4': '120e3',
    '1e-3': '1e-3',
    '100n': '100n',
    '0.1n': '1n',
    '1E': '1E',
    '1000E': '1000E',
    '9223372036854775808Ki': '9223372036854775807',
    ' 5 ': '5',
  };
  for (const [wire, canonical] of Object.entries(forms)) t.equal(canonicalQuantity(wire), canonical, wire);
  for (const wire of ['', 'abc', '1.2.3', '5 Gi', '1mi', '0x10', '1e', '1ee3', '--1', '1Kib', '１']) {
    t.equal(canonicalQuantity(wire), undefined, JSON.stringify(wire));
  }
  t.match(parseQuantity('abc'), /^quantities must match the regular expression/);
  t.match(parseQuantity('1mi'), "unable to parse quantity's suffix");
  const long = `1${'0'.repeat(999)}`;
  t.equal(canonicalQuantity(long), `1${'0'.repeat(981)}E`);
  t.equal(parseQuantity(`${long}0`), 'unable to parse numeric part of quantity', 'longer ones are refused');
  t.end();
});

t.test('a canonical quantity is its own canonical form, and the same amount', (t) => {
  const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'E-2');
  const wire = fc
    .tuple(fc.constantFrom('', '-', '+'), fc.nat(10 ** 9), fc.option(fc.nat(99_999)), suffix)
    .map(
      ([sign, whole, fraction, unit]) => `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${unit}`,
    );
  fc.assert(
    fc.property(wire, (wire) => {
      const canonical = canonicalQuantity(wire) ?? '';
      return (
        canonicalQuantity(canonical) === canonical &&
        compareQuantities(quantityOf(wire), quantityOf(canonical)) === 0
      );
    }),
  );
  for (const most of ['8388608Ti', '8388608.0Ti', '8388608.5Ti', '9Ei']) {
    t.equal(canonicalQuantity(most), '9223372036854775807', `${most} is the most there can be`);
  }
  t.equal(milliValue(quantityOf('1.0001')), 1001n, 'thousandths are rounded up');
  t.end();
});

t.test('times are in UTC, to the second or the microsecond', (t) => {
  t.equal(canonicalTime('2024-02-29T23:30:15Z', 'seconds'), '2024-02-29T23:30:15Z');
  t.equal(canonicalTime('2024-02-29T23:30:15.987+02:30', 'seconds'), '2024-02-29T21:00:15Z');
  t.equal(canonicalTime('0001-01-01T00:00:00Z', 'seconds'), '0001-01-01T00:00:00Z');
  t.equal(canonicalTime('2024-02-29T23:30:15.000001-01:00', 'micros'), '2024-03-01T00:30:15.000001Z');
  for (const bad of [
    '2023-02-29T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01 00:00:00Z',
    '2024-01-01T00:00:00',
    '',
  ]) {
    t.equal(canonicalTime(bad, 'seconds'), undefined, bad);
  }
  t.equal(
    timeProblem('2023-02-29T00:00:00Z', 'seconds'),
    'parsing time "2023-02-29T00:00:00Z": day out of range',
  );
  t.equal(
    timeProblem('2024-01-01T00:00:00Zx', 'seconds'),
    'parsing time "2024-01-01T00:00:00Zx": extra text: "x"',
  );
  t.equal(
    timeProblem('', 'seconds'),
    'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"',
  );
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('2099-12-31'), noInvalidDate: true }), (date) => {
      const iso = date.toISOString();
      return canonicalTime(iso, 'seconds') === `${iso.slice(0, 19)}Z`;
    }),
  );
  t.end();
});

t.test('base64 is padded, line breaks aside', (t) => {
  for (const good of ['', 'YQ==', 'YWI=', 'YWJj', 'YW\nJj', 'YQ==\n'])
    t.ok(isBase64(good), JSON.stringify(good));
  const bad: Readonly<Record<string, number>> = {
    YQ: 0,
    'YQ=': 3,
    'Y===': 1,
    'YQ==YQ==': 4,
    'YW J': 2,
    'Y-Q=': 1,
  };
  for (const [text, offset] of Object.entries(bad)) {
    t.notOk(isBase64(text), text);
    t.match(base64Problem(text), /^illegal base64 data at input byte \d+$/);
    if (offset > 0) t.equal(base64Problem(text), `illegal base64 data at input byte ${offset}`, text);
  }
  fc.assert(fc.property(fc.uint8Array(), (bytes) => isBase64(Buffer.from(bytes).toString('base64'))));
  t.ok(isBase64('A'.repeat(4 * 1024 * 1024)), 'four megabytes do not exhaust the pattern');
  t.end();
});

/** A body with values of all sorts put in random places. */
const mangled = (body: unknown) =>
  fc
    .tuple(
      fc.array(fc.nat()),
      fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom(0, -1, 1.5, 2 ** 40, '', true)),
    )
    .map(([path, value]) => {
      const copy: unknown = structuredClone(body);
      let holder = copy as Record<string, unknown>;
      for (const [i, step] of path.entries()) {
        const keys = Object.keys(holder);
        const key = keys[step % Math.max(1, keys.length)] ?? 'extra';
        const next = holder[key];
        if (i === path.length - 1 || typeof next !== 'object' || next === null) {
          Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
          break;
        }
        holder = next as Record<string, unknown>;
      }
      return copy;
    });

const POD = {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: {
    name: 'a',
    labels: { a: 'b' },
    creationTimestamp: '2024-01-01T00:00:00Z',
    ownerReferences: [{ kind: 'X', controller: true }],
  },
  spec: {
    containers: [
      {
        name: 'c',
        env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        ports: [{ containerPort: 1 }],
        resources: { limits: { cpu: '1' } },
        livenessProbe: { httpGet: { port: 'http' } },
      },
    ],
    nodeSelector: { a: 'b' },
    priority: 5,
    hostNetwork: true,
  },
  status: { phase: 'Running', podIPs: [{ ip: '1.2.3.4' }] },
};

/** Nulls and unknown fields are not errors to us; zod refuses them. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key, withoutNulls(item)]),
  );
}

t.test('the decoder and zod agree on what is right', (t) => {
  fc.assert(
    fc.property(mangled(POD), (body) => {
      const clean = withoutNulls(body);
      const result = decodeObject(pods, structuredClone(clean));
      const verdict = pods.schema().safeParse(clean).success;
      // zod does not look into quantities and times.
      const isFormat =
        'typeError' in result && /^(parsing time|quantities|unable to parse)/.test(result.typeError);
      if (isFormat) return true;
      return verdict === (!('typeError' in result) && result.unknownFields.length === 0);
    }),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('what was decoded once decodes to itself', (t) => {
  fc.assert(
    fc.property(mangled(POD), (body) => {
      const first = decodeObject(pods, body);
      if ('typeError' in first) return true;
      const text = JSON.stringify(first.object);
      const second = decodeObject(pods, JSON.parse(text));
      return (
        !('typeError' in second) &&
        second.unknownFields.length === 0 &&
        JSON.stringify(second.object) === text
      );
    }),
    { numRuns: 500 },
  );
  t.end();
});

t.test('every recorded object comes back as it was', { skip }, (t) => {
  interface Row {
    readonly status: number;
    readonly response: KubeObject;
  }
  let compared = 0;
  for (const { status, response } of facts('create-defaults.json') as Row[]) {
    const definition = builtinResources.find(
      ({ kind, group, version }) =>
        kind === response.kind && response.apiVersion === (group === '' ? version : `${group}/${version}`),
    );
    if (status !== 201 || definition === undefined) continue;
    const { managedFields: _, creationTimestamp: __, ...metadata } = response.metadata;
    const object = { ...response, metadata };
    t.same(decoded(definition, object), object, definition.plural);
    compared++;
  }
  t.ok(compared >= 10, `${compared} kinds`);
  t.end();
});
