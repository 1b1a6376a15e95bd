/** Rules that hold for the metadata of every kind, and the forms of names. Texts are those of kube-apiserver 1.36. */
import * as fc from 'fast-check';
import t from 'tap';
import { leases } from '../../schemas/coordination/v1/lease.js';
import { deployments } from '../../schemas/apps/v1/deployment.js';
import { configMaps } from '../../schemas/core/v1/config-map.js';
import { nodes } from '../../schemas/core/v1/node.js';
import { pods } from '../../schemas/core/v1/pod.js';
import type { KubeObject, ObjectMeta, ResourceDefinition } from '../../schemas/definition.js';
import type { FieldError } from '../../schemas/field-error.js';
import {
  ANNOTATIONS_BYTES_MAX,
  validateAnnotations,
  validateLabelSelector,
  validateLabels,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../../schemas/validation/metadata.js';
import {
  configMapKey,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  envVarName,
  httpHeaderName,
  labelValue,
  nameIs,
  percent,
  portName,
  qualifiedName,
} from '../../schemas/validation/names.js';
import { formatLabelSelector, selectorMatches } from '../../schemas/validation/selectors.js';
import { create } from './pipeline.js';

const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const NAME_PART =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const shown = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, message }) => `${field}: ${message}`);
const object = (metadata: ObjectMeta): KubeObject => ({ kind: 'ConfigMap', apiVersion: 'v1', metadata });
const problemsOf = (metadata: ObjectMeta, definition: ResourceDefinition = configMaps): string[] =>
  shown(
    validateObjectMeta(
      object({ ...(definition.namespaced ? { namespace: 'demo' } : {}), name: 'x', ...metadata }),
      definition,
    ),
  );

t.test('names: lengths are counted at N and N + 1', (t) => {
  t.same(dns1123Label('a'.repeat(63)), []);
  t.same(dns1123Label('a'.repeat(64)), ['must be no more than 63 characters']);
  t.same(dns1123Subdomain('a'.repeat(253)), []);
  t.same(dns1123Subdomain('a'.repeat(254)), ['must be no more than 253 characters']);
  t.same(labelValue('a'.repeat(63)), []);
  t.same(labelValue('a'.repeat(64)), ['must be no more than 63 characters']);
  t.same(qualifiedName(`a/${'b'.repeat(63)}`), []);
  t.same(qualifiedName(`a/${'b'.repeat(64)}`), ['name part must be no more than 63 characters']);
  t.same(portName('a'.repeat(15)), []);
  t.same(portName('a'.repeat(16)), ['must be no more than 15 characters']);
  t.end();
});

t.test('names: forms', (t) => {
  t.same(dns1123Label('Main'), [LABEL]);
  t.same(dns1123Label('a.b'), ['must not contain dots']);
  t.same(dns1123Subdomain('a..b'), [SUBDOMAIN]);
  t.match(dns1035Label('1a')[0], /^a DNS-1035 label must .* \(e\.g\. 'my-name',  or 'abc-123', regex/);
  for (const name of ['a', 'a.b/C_d', '1']) t.same(qualifiedName(name), []);
  t.same(qualifiedName('Bad Key'), [NAME_PART]);
  t.same(qualifiedName('/a'), ['prefix part must be non-empty']);
  t.same(qualifiedName('a/'), ['name part must be non-empty', NAME_PART]);
  t.match(
    qualifiedName('a/b/c')[0],
    /^a valid label key must .* with an optional DNS subdomain prefix and '\/' \(e\.g\. 'example\.com\/MyName'\)$/,
  );
  t.match(qualifiedName('A/b')[0], /^prefix part a lowercase RFC 1123 subdomain/);
  t.match(labelValue('-')[0], /^a valid label must be an empty string or consist of/);
  t.same(labelValue(''), []);
  t.same(portName('a--b'), ['must not contain consecutive hyphens']);
  t.same(portName('-'), ['must contain at least one letter (a-z)', 'must not begin or end with a hyphen']);
  t.same(envVarName('1 BAD/*'), []);
  t.same(envVarName(''), ['environment variable name must be non-empty']);
  for (const name of ['a=b', 'ü', 'a\tb']) t.equal(envVarName(name).length, 1, name);
  t.same(configMapKey('..a'), ["must not start with '..'"]);
  t.same(configMapKey('.'), ["must not be '.'"]);
  t.match(configMapKey('a/b')[0], /^a valid config key must consist of/);
  t.same(percent('25%'), []);
  t.match(percent('25')[0], /^a valid percent string must be/);
  t.match(httpHeaderName('a b')[0], /^a valid HTTP header must/);
  t.same(nameIs.dns1123Label('web-', true), [], 'a prefix may end in a dash');
  t.same(nameIs.dns1123Label('web-', false), [LABEL]);
  t.same(nameIs.pathSegment('a/b', false), ["may not contain '/'"]);
  t.same(nameIs.pathSegment('..', false), ["may not be '..'"]);
  t.end();
});

t.test('names: a label is a subdomain, a subdomain is a path segment, and both make qualified names', (t) => {
  const name = fc.stringMatching(/^[a-zA-Z0-9._-]{1,70}$/);
  fc.assert(
    fc.property(name, (name) => {
      const isLabel = dns1123Label(name).length === 0;
      const isSubdomain = dns1123Subdomain(name).length === 0;
      if (isLabel && !isSubdomain) return false;
      if (isSubdomain && qualifiedName(`${name}/x`).length > 0) return false;
      return !isLabel || (labelValue(name).length === 0 && nameIs.pathSegment(name, false).length === 0);
    }),
  );
  t.end();
});

t.test('metadata: name, namespace and generateName', (t) => {
  t.same(problemsOf({ name: '' }), ['metadata.name: Required value: name or generateName is required']);
  t.same(problemsOf({ generateName: 'Bad_', name: 'Bad_1' }), [
    `metadata.generateName: Invalid value: "Bad_": ${SUBDOMAIN}`,
    `metadata.name: Invalid value: "Bad_1": ${SUBDOMAIN}`,
  ]);
  t.same(problemsOf({ namespace: '' }), ['metadata.namespace: Required value']);
  t.same(problemsOf({ namespace: 'A' }), [`metadata.namespace: Invalid value: "A": ${LABEL}`]);
  t.same(problemsOf({ namespace: 'demo' }, nodes), [
    'metadata.namespace: Forbidden: not allowed on this type',
  ]);
  t.same(problemsOf({ generation: -1 }), [
    'metadata.generation: Invalid value: -1: must be greater than or equal to 0',
  ]);
  t.end();
});

t.test('metadata: labels and annotations', (t) => {
  t.same(shown(validateLabels({ 'a b': '' }, 'l')), [`l: Invalid value: "a b": ${NAME_PART}`]);
  t.match(shown(validateLabels({ a: 'x y' }, 'l')), [/^l: Invalid value: "x y": a valid label must be/]);
  t.same(shown(validateAnnotations({ UPPER: 'any text\n' }, 'a')), []);
  const fits = 'v'.repeat(ANNOTATIONS_BYTES_MAX - 1);
  t.same(validateAnnotations({ k: fits }, 'a'), []);
  t.same(shown(validateAnnotations({ k: `${fits}v` }, 'a')), [
    'a: Too long: may not be more than 262144 bytes',
  ]);
  t.end();
});

t.test('metadata: owners', (t) => {
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'u1', controller: true };
  t.same(problemsOf({ ownerReferences: [owner] }), []);
  t.same(problemsOf({ ownerReferences: [{ apiVersion: '', kind: '', name: '', uid: '' }] }), [
    'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
    'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
    'metadata.ownerReferences.name: Invalid value: "": must not be empty',
    'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
  ]);
  const two = [owner, { ...owner, name: 'y', uid: 'u2' }];
  t.same(problemsOf({ ownerReferences: two }), [
    `metadata.ownerReferences: Invalid value: ${JSON.stringify(two)}: Only one reference can have Controller set to true. Found "true" in references for ConfigMap/x and ConfigMap/y`,
  ]);
  t.match(problemsOf({ ownerReferences: [{ ...owner, kind: 'Event' }] }), [
    /: \/v1, Kind=Event is disallowed from being an owner$/,
  ]);
  t.end();
});

t.test('metadata: finalizers', (t) => {
  t.same(problemsOf({ finalizers: ['example.com/keep', 'orphan', 'kubernetes'] }), []);
  t.same(problemsOf({ finalizers: ['keep'] }), [
    'metadata.finalizers[0]: Invalid value: "keep": name is neither a standard finalizer name nor is it fully qualified',
  ]);
  t.same(problemsOf({ finalizers: ['keep'] }, leases), [], 'not every group asks for a domain');
  t.same(problemsOf({ finalizers: ['a b'] }, leases), [
    `metadata.finalizers: Invalid value: "a b": ${NAME_PART}`,
  ]);
  t.same(problemsOf({ finalizers: ['orphan', 'foregroundDeletion'] }), [
    'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
  ]);
  t.end();
});

t.test('metadata: managed fields', (t) => {
  t.same(
    problemsOf({
      managedFields: [{ operation: 'Update', fieldsType: 'FieldsV1', manager: 'm'.repeat(128) }],
    }),
    [],
  );
  t.same(
    problemsOf({
      managedFields: [
        { operation: 'Put', fieldsType: 'V2', manager: 'm'.repeat(129), subresource: 's'.repeat(257) },
      ],
    }),
    [
      'metadata.managedFields[0].operation: Invalid value: "Put": must be `Apply` or `Update`',
      'metadata.managedFields[0].fieldsType: Invalid value: "V2": must be `FieldsV1`',
      'metadata.managedFields[0].manager: Too long: may not be more than 128 bytes',
      'metadata.managedFields[0].subresource: Too long: may not be more than 256 bytes',
    ],
  );
  t.end();
});

t.test('errors: as many as a body of 3 MB can make do not overflow the stack', (t) => {
  const many = 200_000;
  const wrong = Object.fromEntries(Array.from({ length: many }, (_, i) => [`!${i}`, '']));
  t.equal(problemsOf({ labels: wrong }).length, many);
  t.equal(problemsOf({ annotations: wrong }).length, many + 1, 'and their size');
  const containers = Array.from({ length: 60_000 }, () => ({}));
  const made = create(pods, { metadata: { name: 'x', namespace: 'demo' }, spec: { containers } });
  t.ok(made.errors.length >= 2 * containers.length);
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers } };
  const spec = { selector: { matchLabels: { a: 'b' } }, template };
  t.ok(
    create(deployments, { metadata: { name: 'x', namespace: 'demo' }, spec }).errors.length >=
      2 * containers.length,
  );
  t.end();
});

t.test('metadata: what an update may not change', (t) => {
  const old: ObjectMeta = {
    name: 'x',
    namespace: 'demo',
    uid: 'u',
    resourceVersion: '5',
    generation: 2,
    creationTimestamp: '2024-01-01T00:00:00Z',
  };
  const update = (change: ObjectMeta, before: ObjectMeta = old): string[] =>
    shown(validateObjectMetaUpdate(object({ ...before, ...change }), object(before)));
  t.same(update({ labels: { a: 'b' } }), []);
  t.same(update({ resourceVersion: '' }), [
    'metadata.resourceVersion: Invalid value: "": must be specified for an update',
  ]);
  t.same(update({ generation: 1 }), ['metadata.generation: Invalid value: 1: must not be decremented']);
  t.same(update({ name: 'y' }), ['metadata.name: Invalid value: "y": field is immutable']);
  t.same(update({ uid: 'v' }), ['metadata.uid: Invalid value: "v": field is immutable']);
  t.same(update({ creationTimestamp: '2025-01-01T00:00:00Z' }), [
    'metadata.creationTimestamp: Invalid value: "2025-01-01T00:00:00Z": field is immutable',
  ]);
  t.match(update({ labels: { a: 'x y' } }), [/^metadata\.labels: Invalid value/]);
  const terminating: ObjectMeta = {
    ...old,
    deletionTimestamp: '2024-01-02T00:00:00Z',
    finalizers: ['a.b/c'],
  };
  t.same(update({ finalizers: [] }, terminating), []);
  t.same(update({ finalizers: ['a.b/c', 'b.c/d', 'a.a/a'] }, terminating), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.a/a", "b.c/d"}',
  ]);
  t.end();
});

t.test('selectors: requirements fit their operators', (t) => {
  const problems = (matchExpressions: object[]): string[] =>
    shown(validateLabelSelector({ matchExpressions }, 's'));
  t.same(
    problems([
      { key: 'a', operator: 'In', values: ['x'] },
      { key: 'b', operator: 'Exists' },
    ]),
    [],
  );
  t.same(problems([{ key: 'a', operator: 'In' }]), [
    "s.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
  ]);
  t.same(problems([{ key: 'a', operator: 'Exists', values: ['x'] }]), [
    "s.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
  ]);
  t.same(problems([{ key: 'tier', operator: 'Near', values: ['a'] }]), [
    's.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator',
  ]);
  t.match(problems([{ key: 'a', operator: 'In', values: ['x y'] }]), [
    /^s\.matchExpressions\[0\]\.values\[0\]: Invalid value/,
  ]);
  t.same(
    validateLabelSelector({ matchExpressions: [{ key: 'a', operator: 'In', values: ['x y'] }] }, 's', {
      allowInvalidValues: true,
    }),
    [],
  );
  t.same(validateLabelSelector(undefined, 's'), []);
  t.end();
});

t.test('selectors: printed sorted, and matched', (t) => {
  t.equal(formatLabelSelector(undefined), '');
  t.equal(
    formatLabelSelector({
      matchLabels: { tier: 'r1', b: '' },
      matchExpressions: [
        { key: 'app', operator: 'In', values: ['b', 'a'] },
        { key: 'old', operator: 'DoesNotExist' },
        { key: 'zone', operator: 'NotIn', values: ['x'] },
        { key: 'new', operator: 'Exists' },
      ],
    }),
    'app in (a,b),b=,new,!old,tier=r1,zone notin (x)',
  );
  const one = (operator: string, values?: string[]) => ({
    matchExpressions: [{ key: 'a', operator, ...(values ? { values } : {}) }],
  });
  const cases: readonly [object | undefined, Record<string, string> | undefined, boolean][] = [
    [undefined, {}, false],
    [{}, undefined, true],
    [{ matchLabels: { a: '' } }, {}, false],
    [{ matchLabels: { a: 'x' } }, { a: 'x', b: 'y' }, true],
    [one('In', ['x']), { a: 'x' }, true],
    [one('In', ['x']), undefined, false],
    [one('NotIn', ['x']), undefined, true],
    [one('NotIn', ['x']), { a: 'x' }, false],
    [one('Exists'), { a: '' }, true],
    [one('DoesNotExist'), { a: '' }, false],
    [one('Near'), { a: '' }, false],
    [{ matchExpressions: [{ key: 'toString', operator: 'Exists' }] }, {}, false],
  ];
  for (const [selector, labels, expected] of cases) {
    t.equal(selectorMatches(selector, labels), expected, JSON.stringify([selector, labels]));
  }
  t.end();
});
