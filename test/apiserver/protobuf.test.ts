/** Objects in protobuf: the bytes that Go writes, and what they say to who reads them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import type * as z from 'zod';
import { decodeMessage } from '../../apiserver/http/serializers/protobuf-decode.js';
import { writeMessage, written } from '../../apiserver/http/serializers/protobuf-encode.js';
import { type Field, fieldsOf } from '../../apiserver/http/serializers/protobuf-fields.js';
import {
  type KindName,
  messageOf,
  type ProtobufKind,
  protobufKind,
} from '../../apiserver/http/serializers/protobuf-kinds.js';
import { specialMessages } from '../../apiserver/http/serializers/protobuf-special.js';
import { MESSAGE_DEPTH_MAX, WireError } from '../../apiserver/http/serializers/protobuf-wire.js';
import { EncodeError } from '../../apiserver/http/serializers/protobuf-writer.js';
import { decodeStoredProtobuf } from '../../apiserver/http/serializers/index.js';
import { decodeSchema } from '../../schemas/decode.js';
import { metaOf } from '../../schemas/fields.js';
import { builtinResources } from '../../schemas/index.js';
import { defOf } from '../../schemas/walk.js';
import { facts, skip } from '../schemas/facts.js';
import { repository } from '../tools/wherry.js';
import { randomObject } from './arbitrary-objects.js';
import { bytes, envelope, int, part, recordedMessages } from './protobuf-tools.js';

interface Served {
  readonly name: KindName;
  readonly schema: () => z.ZodType;
}

/** Every kind that is sent or answered, those of subresources too. */
const served: readonly Served[] = builtinResources.flatMap(
  ({ group, version, kind, schema, subresources }) => [
    { name: { group, version, kind }, schema },
    ...subresources.flatMap(({ kind, schema }) =>
      kind === undefined || schema === undefined ? [] : [{ name: kind, schema }],
    ),
  ],
);

const apiVersionOf = ({ group, version }: KindName) => (group === '' ? version : `${group}/${version}`);

function formOf(name: KindName): ProtobufKind {
  const kind = protobufKind(name);
  if (kind === undefined) throw new Error(`${name.kind} has no protobuf form`);
  return kind;
}

const encode = (message: string, object: object): Buffer =>
  written((writer) => writeMessage(writer, message, object));

t.test('what kubectl sends is written as it was, byte for byte', (t) => {
  const { requests } = JSON.parse(
    readFileSync(join(repository, 'test/fixtures/protobuf/kubectl.json'), 'utf8'),
  ) as { requests: Record<string, string> };
  for (const [name, base64] of Object.entries(requests)) {
    const sent = Buffer.from(base64, 'base64');
    const object = decodeStoredProtobuf(sent);
    const { apiVersion = '', kind = '' } = object ?? {};
    const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    const form = formOf({ group, version: version ?? '', kind });
    t.equal(form.encode(object ?? {}).toString('hex'), sent.toString('hex'), name);
  }
  t.end();
});

t.test('what Go always writes is there when the object does not say it', (t) => {
  const lease = {
    metadata: { name: 'l' },
    spec: { leaseTransitions: 0, renewTime: '2026-01-02T03:04:05.678901Z' },
  };
  const metadata = [
    ...bytes(1, 'l'),
    ...[2, 3, 4, 5, 6].flatMap((field) => bytes(field, '')),
    ...int(7, 0),
    ...bytes(8, ''),
  ];
  const spec = [...bytes(4, [...int(1, 1_767_323_045), ...int(2, 678_901_000)]), ...int(5, 0)];
  t.equal(
    formOf({ group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' }).encode(lease).toString('hex'),
    envelope('coordination.k8s.io/v1', 'Lease', [...bytes(1, metadata), ...bytes(2, spec)]).toString('hex'),
  );
  t.end();
});

t.test('random objects of every served kind survive the way to protobuf and back', (t) => {
  for (const { name, schema } of served) {
    const form = formOf(name);
    const type = { kind: name.kind, apiVersion: apiVersionOf(name) };
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const object = randomObject(schema(), type, seed);
        const decoded = decodeSchema(schema(), decodeStoredProtobuf(form.encode(object)));
        assert.deepEqual('object' in decoded ? decoded.unknownFields : decoded, []);
        const back = 'object' in decoded ? decoded.object : undefined;
        assert.deepEqual(withZerosOf(object, back), back);
        assert.deepEqual(form.encode(back ?? {}), form.encode(object));
      }),
      { numRuns: 40 },
    );
    t.pass(`${type.apiVersion} ${type.kind}`);
  }
  t.end();
});

/** With the zero values that only `printed` has: Go prints some fields that may be absent in what is stored. */
function withZerosOf(value: unknown, printed: unknown): unknown {
  if (Array.isArray(value)) return value.map((item, i) => withZerosOf(item, (printed as unknown[])[i]));
  if (typeof value !== 'object' || value === null || typeof printed !== 'object' || printed === null)
    return value;
  const own = Object.entries(value)
    // On the wire no list and an empty one are the same; the few kinds that tell them apart refuse the empty one.
    .filter(([key, member]) => !isEmptyList(member) || Object.hasOwn(printed, key))
    .map(([key, member]) => [key, withZerosOf(member, (printed as Record<string, unknown>)[key])]);
  const added = Object.entries(printed).filter(
    ([key, member]) => !Object.hasOwn(value, key) && isZero(member),
  );
  return Object.fromEntries([...own, ...added]);
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isZero(value: unknown): boolean {
  return value === '' || value === 0 || value === false || value === '0';
}

t.test('an APIService is written as kube-aggregator defines it', (t) => {
  const name = { group: 'apiregistration.k8s.io', version: 'v1', kind: 'APIService' };
  const condition = {
    type: 'Available',
    status: 'True',
    lastTransitionTime: '2026-01-02T03:04:05Z',
    reason: 'Local',
    message: 'm',
  };
  const object = {
    metadata: { name: 'v1.a' },
    spec: {
      service: { namespace: 'n', name: 's', port: 443 },
      group: 'a',
      version: 'v1',
      caBundle: 'AAE=',
      groupPriorityMinimum: 300,
      versionPriority: 15,
    },
    status: { conditions: [condition] },
  };
  const metadata = [
    ...bytes(1, 'v1.a'),
    ...[2, 3, 4, 5, 6].flatMap((field) => bytes(field, '')),
    ...int(7, 0),
    ...bytes(8, ''),
  ];
  const spec = [
    ...bytes(1, [...bytes(1, 'n'), ...bytes(2, 's'), ...int(3, 443)]),
    ...bytes(2, 'a'),
    ...bytes(3, 'v1'),
    ...int(4, 0),
    ...bytes(5, '\0\u0001'),
    ...int(7, 300),
    ...int(8, 15),
  ];
  const time = [...int(1, 1_767_323_045), ...int(2, 0)];
  const conditions = [
    ...bytes(1, 'Available'),
    ...bytes(2, 'True'),
    ...bytes(3, time),
    ...bytes(4, 'Local'),
    ...bytes(5, 'm'),
  ];
  const raw = [...bytes(1, metadata), ...bytes(2, spec), ...bytes(3, bytes(1, conditions))];
  t.equal(
    formOf(name).encode(object).toString('hex'),
    envelope('apiregistration.k8s.io/v1', 'APIService', raw).toString('hex'),
  );
  t.end();
});

t.test('schemas of custom resources are written as apiextensions defines them', (t) => {
  const schema = {
    type: 'object',
    default: { a: [1] },
    enum: ['x', null],
    items: [{ type: 'string' }],
    additionalProperties: false,
    additionalItems: { type: 'integer' },
    dependencies: { a: ['b'], c: { type: 'null' } },
  };
  const message = 'apiextensions.v1.JSONSchemaProps';
  const encoded = encode(message, schema);
  const back = decodeMessage(encoded, message);
  t.match(back, { ...schema, items: [{ type: 'string' }], enum: ['x', null] });
  const number = (of: number) => part(encoded, of).toString('hex');
  const hex = (content: readonly number[]) => Buffer.from(content).toString('hex');
  t.equal(number(8), hex(bytes(1, '{"a":[1]}')), 'JSON as it stands');
  t.equal(number(30), hex(int(1, 0)), 'false, without a schema');
  const integer = encode(message, { type: 'integer' });
  t.equal(number(33), hex([...int(1, 1), ...bytes(2, [...integer])]));
  t.equal(number(20), hex(bytes(1, '"x"')), 'the first of them');
  const text = encode(message, { type: 'string' });
  t.equal(part(part(encoded, 24), 2).toString('hex'), text.toString('hex'), 'a list of schemas');
  t.end();
});

/** Where the definitions are that are not in k8s.io/api. */
const PACKAGES: ReadonlyMap<string, string> = new Map([
  ['meta', 'apimachinery.pkg.apis'],
  ['apiextensions', 'apiextensions_apiserver.pkg.apis'],
]);

t.test('another library reads the same, and writes the same bytes of it', { skip }, (t) => {
  const root = recordedMessages();
  const typeOf = (name: KindName) => {
    const message = messageOf(name) ?? '';
    return root.lookupType(`k8s.io.${PACKAGES.get(message.split('.')[0] ?? '') ?? 'api'}.${message}`);
  };
  // Its messages are not recorded; the next test has them.
  for (const { name, schema } of served.filter(({ name }) => name.kind !== 'APIService')) {
    const type = typeOf(name);
    const header = { kind: name.kind, apiVersion: apiVersionOf(name) };
    for (let seed = 0; seed < 20; seed++) {
      const raw = formOf(name).messageIn(formOf(name).encode(randomObject(schema(), header, seed)));
      const read = type.decode(raw);
      const again = Buffer.from(type.encode(read).finish());
      if (!again.equals(raw))
        t.equal(again.toString('hex'), raw.toString('hex'), `${name.kind}, seed ${seed}`);
    }
    t.pass(name.kind);
  }
  const pod = typeOf({ group: '', version: 'v1', kind: 'Pod' }).toObject(
    typeOf({ group: '', version: 'v1', kind: 'Pod' }).decode(
      encode('core.v1.Pod', {
        metadata: {
          name: 'p',
          labels: { b: '1', a: '2' },
          managedFields: [{ manager: 'm', fieldsV1: { 'f:x': {} } }],
        },
        spec: {
          volumes: [{ name: 'v', configMap: { name: 'cm' } }],
          containers: [
            {
              name: 'c',
              resources: { limits: { cpu: '100m' } },
              livenessProbe: { httpGet: { port: 'http' }, periodSeconds: 10 },
            },
          ],
          activeDeadlineSeconds: 2 ** 40,
        },
        status: { startTime: '2026-01-02T03:04:05Z' },
      }),
    ),
    { longs: Number, bytes: String, defaults: false },
  );
  t.match(pod, {
    metadata: {
      name: 'p',
      labels: { a: '2', b: '1' },
      managedFields: [{ manager: 'm', fieldsV1: { Raw: Buffer.from('{"f:x":{}}').toString('base64') } }],
    },
    spec: {
      volumes: [{ name: 'v', volumeSource: { configMap: { localObjectReference: { name: 'cm' } } } }],
      containers: [
        {
          resources: { limits: { cpu: { string: '100m' } } },
          livenessProbe: {
            handler: { httpGet: { port: { type: 1, intVal: 0, strVal: 'http' } } },
            periodSeconds: 10,
          },
        },
      ],
      activeDeadlineSeconds: 2 ** 40,
      hostNetwork: false,
    },
    status: { startTime: { seconds: 1_767_323_045, nanos: 0 }, phase: '' },
  });
  t.notOk('replicas' in pod || 'priority' in pod['spec'], 'pointers are written where they are set');
  t.end();
});

t.test('the table of messages says of every field what its schema says', (t) => {
  /** Pointers and bytes whose default is the zero value, or that print null. */
  const exceptions = new Set([
    'core.v1.AzureDiskVolumeSource.readOnly',
    'core.v1.AzureFilePersistentVolumeSource.secretNamespace',
    'core.v1.FileKeySelector.optional',
    'core.v1.GRPCAction.service',
    'core.v1.TypedLocalObjectReference.apiGroup',
    'core.v1.TypedObjectReference.apiGroup',
    'authentication.v1.TokenRequestSpec.boundObjectRef',
    'certificates.v1.CertificateSigningRequestSpec.request',
  ]);
  const seen = new Set<string>();
  const walk = (schema: z.ZodType): void => {
    const def = defOf(schema);
    if (def.type === 'optional') return walk(def.innerType);
    if (def.type === 'array') return walk(def.element);
    if (def.type === 'record') return walk(def.valueType);
    const { structId } = metaOf(schema);
    if (def.type !== 'object' || structId === undefined || seen.has(structId)) return;
    seen.add(structId);
    const message = structId.replace(/^io\.k8s\.(?:api|[a-z-]+\.pkg\.apis)\./, '');
    const fields = flat(message);
    const own = Object.keys(def.shape).filter(
      (name) => fields.has(name) || !['kind', 'apiVersion'].includes(name),
    );
    assert.deepEqual(own.sort(), [...fields.keys()].sort(), message);
    for (const [name, field] of Object.entries(def.shape)) {
      const { shape, type = '' } = fields.get(name) ?? {};
      // Types that print themselves say nothing of being set.
      const isScalar = (shape === 'plain' || shape === 'optional') && !specialMessages.has(type);
      if (isScalar && !exceptions.has(`${message}.${name}`)) {
        assert.equal(shape === 'plain', isAlwaysWritten(field), `${message}.${name}`);
      }
      walk(field);
    }
  };
  for (const { schema } of served) walk(schema());
  t.ok(seen.size > 200, `${seen.size} structs`);
  t.end();
});

/** Fields of a message by name in JSON, those of embedded structs among them. */
function flat(message: string): Map<string, Field> {
  return new Map(
    fieldsOf(message).flatMap((field) =>
      field.shape === 'embedded' ? [...flat(field.type)] : [[field.name, field] as const],
    ),
  );
}

/** What is no pointer in Go: printed though it is zero, or left out because it is. */
function isAlwaysWritten(schema: z.ZodType): boolean {
  const { omitEmpty, printsNull, default: zero, structId } = metaOf(schema);
  if (omitEmpty === true || printsNull === true) return true;
  return zero === '' || zero === 0 || zero === false || (structId !== undefined && zero !== undefined);
}

t.test('messages that are no objects in JSON', (t) => {
  const schema = {
    $schema: 's',
    $ref: 'r',
    type: 'object',
    default: { a: [1] },
    enum: ['x', 1, null, false],
    maximum: 1.5,
    properties: {
      list: { items: { type: 'string' } },
      lists: { items: [{ type: 'a' }, { type: 'b' }] },
      open: { additionalProperties: true },
      closed: { additionalProperties: false },
      map: { additionalProperties: { type: 'integer', 'x-kubernetes-int-or-string': true } },
    },
    dependencies: { a: ['b', 'c'], d: { type: 'x' } },
    'x-kubernetes-preserve-unknown-fields': true,
  };
  const rows: readonly [message: string, object: object][] = [
    ['apiextensions.v1.CustomResourceValidation', { openAPIV3Schema: schema }],
    ['apps.v1.ControllerRevision', { data: { spec: { template: { $patch: 'replace' } } }, revision: 3 }],
    ['authentication.v1.UserInfo', { username: 'u', extra: { scopes: ['a', ''], none: [] } }],
    ['meta.v1.APIResource', { name: 'pods', verbs: ['get', 'list'] }],
    ['core.v1.ServicePort', { targetPort: -5 }],
    ['core.v1.ServicePort', { targetPort: '' }],
  ];
  for (const [message, object] of rows) {
    const decoded = decodeMessage(encode(message, object), message);
    t.match(decoded, object, message);
    t.equal(encode(message, decoded).toString('hex'), encode(message, object).toString('hex'), message);
  }
  const plain = decodeMessage(
    encode('apiextensions.v1.CustomResourceValidation', { openAPIV3Schema: schema }),
    'apiextensions.v1.CustomResourceValidation',
  );
  const { properties } = plain['openAPIV3Schema'] as { properties: Record<string, Record<string, unknown>> };
  t.equal(properties['open']?.['additionalProperties'], true);
  t.equal(properties['closed']?.['additionalProperties'], false);
  t.same(decodeMessage(encode('core.v1.ServicePort', {}), 'core.v1.ServicePort')['targetPort'], 0);
  t.end();
});

t.test('keys of maps stand in the order of their bytes', (t) => {
  const data = { b: '', '\u{1f600}': '', '\uffee': '', a: '', é: '' };
  const order = Object.keys(
    decodeMessage(encode('core.v1.ConfigMap', { data }), 'core.v1.ConfigMap')['data'] as object,
  );
  t.same(order, ['a', 'b', 'é', '\uffee', '\u{1f600}']);
  t.end();
});

t.test('what a field cannot hold is not written', (t) => {
  const wrong: readonly [string, object][] = [
    ['core.v1.ConfigMap', { data: { a: 1 } }],
    ['core.v1.ConfigMap', { data: 'text' }],
    ['core.v1.ConfigMap', { metadata: 'text' }],
    ['core.v1.ConfigMap', { metadata: { finalizers: 'x' } }],
    ['core.v1.ConfigMap', { metadata: { generation: 1.5 } }],
    ['core.v1.ConfigMap', { metadata: { generation: '1' } }],
    ['core.v1.ConfigMap', { metadata: { creationTimestamp: 'yesterday' } }],
    ['core.v1.ConfigMap', { metadata: { creationTimestamp: {} } }],
    ['core.v1.ServicePort', { name: true }],
  ];
  const good = encode('core.v1.ConfigMap', { data: { a: '1' } });
  for (const [message, object] of wrong) {
    assert.throws(() => encode(message, object), EncodeError, JSON.stringify(object));
    t.ok(encode('core.v1.ConfigMap', { data: { a: '1' } }).equals(good), 'and nothing of it is left behind');
  }
  t.end();
});

t.test('the largest object does not stay in the memory of the writer', (t) => {
  const big = 'é'.repeat(3_000_000);
  const decoded = decodeMessage(encode('core.v1.ConfigMap', { data: { big } }), 'core.v1.ConfigMap');
  t.equal((decoded['data'] as Record<string, string>)['big'], big);
  t.same(decodeMessage(encode('core.v1.ConfigMap', { data: { a: 'b' } }), 'core.v1.ConfigMap')['data'], {
    a: 'b',
  });
  t.end();
});

t.test('messages are nested so deep and no deeper', (t) => {
  /** `not` in `not`, with the innermost empty. */
  const nested = (depth: number): Buffer => {
    let message: number[] = [];
    for (let level = 0; level < depth; level++) message = bytes(28, message);
    return Buffer.from(message);
  };
  t.ok(decodeMessage(nested(MESSAGE_DEPTH_MAX), 'apiextensions.v1.JSONSchemaProps'));
  assert.throws(
    () => decodeMessage(nested(MESSAGE_DEPTH_MAX + 1), 'apiextensions.v1.JSONSchemaProps'),
    WireError,
  );
  t.end();
});

t.test('kinds of other groups have no protobuf form, whatever they are called', (t) => {
  t.equal(messageOf({ group: 'apps', version: 'v1', kind: 'Deployment' }), 'apps.v1.Deployment');
  t.equal(messageOf({ group: 'apps.example.com', version: 'v1', kind: 'Deployment' }), undefined);
  t.equal(messageOf({ group: 'core', version: 'v1', kind: 'Pod' }), undefined);
  t.equal(messageOf({ group: 'apps', version: 'v9', kind: 'Deployment' }), undefined);
  t.equal(messageOf({ group: 'apps', version: 'v1', kind: 'constructor' }), undefined);
  t.equal(messageOf({ group: '', version: 'v1', kind: 'Status' }), 'meta.v1.Status');
  t.end();
});

t.test('every message that a stored object may be made of is in the table', { skip }, (t) => {
  const recorded = facts('protobuf-fields.json') as Record<string, Record<string, [number, string]>>;
  const short = (name: string) =>
    name.replace(/^k8s\.io\.(?:api|(?:apimachinery|apiextensions_apiserver)\.pkg\.apis)\./, '');
  let compared = 0;
  for (const [name, fields] of Object.entries(recorded)) {
    const described = fieldsOf(short(name));
    if (described.length === 0) continue;
    const numbers = Object.values(fields).map(([number]) => number);
    assert.deepEqual(
      described.map(({ number }) => number),
      numbers.sort((a, b) => a - b),
      name,
    );
    compared++;
  }
  t.ok(compared > 600, `${compared} messages`);
  for (const message of [
    'batch.v1.CronJob',
    'networking.v1.Ingress',
    'apiextensions.v1.CustomResourceDefinition',
  ]) {
    t.ok(fieldsOf(message).length > 0, message);
  }
  t.end();
});
