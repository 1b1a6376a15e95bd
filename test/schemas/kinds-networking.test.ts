/** Rules of the kinds of networking and discovery that no manifest shows, as kube-apiserver 1.36 has them. */
import t from 'tap';
import {
  blockOf,
  canonicalIP,
  contains,
  ipWarnings,
  validateCanonicalCidr,
  validateCanonicalIP,
  validateCidr,
  validateIP,
} from '../../schemas/core/v1/addresses.js';
import { endpoints } from '../../schemas/core/v1/endpoints.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { endpointSlices } from '../../schemas/discovery/v1/endpoint-slice.js';
import { create, messages, type Outcome, update } from './pipeline.js';

type Fields = Record<string, unknown>;

const NOW = Date.parse('2026-01-01T00:00:00Z');

function stored({ object, errors }: Outcome): KubeObject {
  if (object === undefined || errors.length > 0) throw new Error(JSON.stringify(errors));
  return object;
}

const made = (definition: ResourceDefinition, fields: Fields, metadata: Fields = {}): KubeObject =>
  stored(create(definition, { metadata: { name: 'x', ...metadata }, ...fields }));

/** A PUT that changes these fields. */
const changed = (definition: ResourceDefinition, old: KubeObject, fields: Fields, subresource?: string) =>
  update(definition, old, { ...old, ...fields }, subresource);

const cells = (definition: ResourceDefinition, object: KubeObject): unknown[] =>
  definition.columns.filter(({ name }) => name !== 'Age').map(({ cell }) => cell(object, NOW));

const texts = (errors: readonly { readonly message: string }[]): string[] =>
  errors.map(({ message }) => message.replace(/^Invalid value: "[^"]*": /, ''));

t.test('addresses are told from those that programs read in two ways', (t) => {
  t.same(texts(validateIP('::ffff:10.0.0.1', 'f')), ['must not be an IPv4-mapped IPv6 address']);
  t.same(texts(validateIP('::ffff:010.0.0.1', 'f')), ['must not have leading 0s']);
  t.same(texts(validateIP('1::2::3', 'f')), [
    'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ]);
  const forms = [
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['010.1.0.0', '10.1.0.0'],
  ] as const;
  for (const [given, canonical] of forms) t.equal(canonicalIP(given), canonical, given);
  t.same(texts(validateCanonicalIP('2001:db8:0::1', 'f')), ['must be in canonical form ("2001:db8::1")']);
  t.same(validateCanonicalIP('10.0.0.1', 'f'), []);
  t.same(ipWarnings('2001:DB8::1', 'f'), [
    'f: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
  ]);
  for (const fine of ['10.0.0.1', '2001:db8::1', 'www.example.com']) t.same(ipWarnings(fine, 'f'), [], fine);
  t.end();
});

t.test('ranges hold their addresses and nothing beside them', (t) => {
  t.same(texts(validateCidr('10.0.0.0/08', 'f')), ['must not have leading 0s in IP or prefix length']);
  t.same(texts(validateCidr('010.0.0.0/8', 'f')), ['must not have leading 0s in IP or prefix length']);
  t.same(texts(validateCidr('10.0.0.1/8', 'f')), ['must not have bits set beyond the prefix length']);
  t.same(texts(validateCidr('fd00:0:0:1::/48', 'f')), ['must not have bits set beyond the prefix length']);
  t.same(texts(validateCidr('::ffff:10.0.0.0/120', 'f')), ['must not have an IPv4-mapped IPv6 address']);
  t.same(texts(validateCanonicalCidr('fd00:0::/64', 'f')), ['must be in canonical form ("fd00::/64")']);
  for (const fine of ['10.0.0.0/8', '10.0.0.128/25', '0.0.0.0/0', 'fd00::/64', '::/0', '::1/128']) {
    t.same(validateCanonicalCidr(fine, 'f'), [], fine);
  }
  const within = (outer: string, inner: string): boolean | undefined => {
    const [a, b] = [blockOf(outer), blockOf(inner)];
    return a && b && contains(a, b);
  };
  t.equal(within('10.0.0.0/9', '10.127.0.0/16'), true);
  t.equal(within('10.0.0.0/9', '10.128.0.0/16'), false);
  t.equal(within('10.0.0.0/9', '10.0.0.0/8'), false);
  t.equal(within('::/0', '10.0.0.0/8'), false);
  t.equal(within('fd00::/9', 'fd7f::/16'), true);
  t.equal(blockOf('10.0.0.0'), undefined);
  t.end();
});

t.test('Endpoints: subsets are stored in the order in which they come', (t) => {
  const ports = [
    { name: 'b', port: 2, protocol: 'TCP' },
    { name: 'a', port: 1, protocol: 'TCP' },
  ];
  const subsets = [
    { addresses: [{ ip: '10.0.0.2' }, { ip: '10.0.0.1' }], ports },
    { addresses: [{ ip: '10.0.0.3' }], ports },
  ];
  t.same(made(endpoints, { subsets })['subsets'], subsets);
  t.end();
});

t.test('Endpoints: what older servers took may stay, and may not come anew', (t) => {
  const old = { ...made(endpoints, {}), subsets: [{ addresses: [{ ip: '127.0.0.1' }] }] };
  t.same(messages(changed(endpoints, old, {})), []);
  t.same(messages(changed(endpoints, old, { subsets: [{ addresses: [{ ip: '127.0.0.2' }] }] })), [
    'subsets[0].addresses[0].ip: Invalid value: "127.0.0.2": may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ]);
  t.end();
});

t.test('Endpoints and EndpointSlice: an address in another form than usual is warned of', (t) => {
  const subsets = [{ notReadyAddresses: [{ ip: '2001:DB8::1' }] }];
  const object = made(endpoints, { subsets });
  t.same(endpoints.strategy.warnings?.(object), [
    'subsets[0].notReadyAddresses[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
  ]);
  const labels = { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' };
  t.same(endpoints.strategy.warnings?.(made(endpoints, { subsets }, { labels })), []);

  const slice = { addressType: 'IPv6', endpoints: [{ addresses: ['2001:DB8::1'] }] };
  t.same(endpointSlices.strategy.warnings?.(made(endpointSlices, slice)), [
    'endpoints[0].addresses[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
  ]);
  const controller = { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' };
  t.same(endpointSlices.strategy.warnings?.(made(endpointSlices, slice, { labels: controller })), []);
  const names = { addressType: 'FQDN', endpoints: [{ addresses: ['db.example.com.'] }] };
  t.same(endpointSlices.strategy.warnings?.(made(endpointSlices, names)), [
    'spec.addressType: FQDN endpoints are deprecated',
  ]);
  t.end();
});

t.test('EndpointSlice: names have two segments or more', (t) => {
  const refusals = (name: string) =>
    texts(
      create(endpointSlices, {
        metadata: { name: 'x' },
        addressType: 'FQDN',
        endpoints: [{ addresses: [name] }],
      }).errors,
    );
  t.same(refusals('www.example.com'), []);
  t.same(refusals('localhost'), ['should be a domain with at least two segments separated by dots']);
  t.same(refusals(''), ['Required value']);
  t.match(refusals('a_b.c'), [/^a lowercase RFC 1123 subdomain/]);
  t.end();
});

t.test('EndpointSlice: the type never changes, and nobody sets the old topology', (t) => {
  const topology = { deprecatedTopology: { 'example.com/rack': '1' } };
  const body = { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'], ...topology }] };
  const slice = made(endpointSlices, body);
  t.same(slice['endpoints'], [{ addresses: ['10.0.0.1'], conditions: {} }]);
  t.same(messages(changed(endpointSlices, slice, { addressType: 'IPv6', endpoints: null })), [
    'addressType: Invalid value: "IPv6": field is immutable',
  ]);

  const old = { ...slice, endpoints: [{ addresses: ['10.0.0.1'], conditions: {}, ...topology }] };
  t.match(changed(endpointSlices, old, {}).object, { endpoints: [topology] }, 'unchanged endpoints keep it');
  const more = { endpoints: [...old.endpoints, { addresses: ['10.0.0.2'] }] };
  const { object } = changed(endpointSlices, old, more);
  t.notMatch(object, { endpoints: [topology] }, 'changed ones lose it');
  t.end();
});

t.test('EndpointSlice: so many and no more', (t) => {
  const refusals = (fields: Fields) =>
    messages(create(endpointSlices, { metadata: { name: 'x' }, addressType: 'IPv4', ...fields }));
  const many = <T>(length: number, item: (i: number) => T): T[] => Array.from({ length }, (_, i) => item(i));
  const address = (i: number) => `10.0.${i >> 8}.${i & 255}`;
  t.same(refusals({ endpoints: many(1000, (i) => ({ addresses: [address(i)] })) }), []);
  t.same(refusals({ endpoints: many(1001, (i) => ({ addresses: [address(i)] })) }), [
    'endpoints: Too many: 1001: must have at most 1000 items',
  ]);
  t.same(refusals({ endpoints: [{ addresses: many(101, address) }] }), [
    'endpoints[0].addresses: Too many: 101: must have at most 100 items',
  ]);
  const hints = (length: number) => ({ forNodes: many(length, (i) => ({ name: `n${i}` })) });
  t.same(refusals({ endpoints: [{ addresses: ['10.0.0.1'], hints: hints(8) }] }), []);
  t.same(refusals({ endpoints: [{ addresses: ['10.0.0.1'], hints: hints(9) }] }), [
    'endpoints[0].hints.forNodes: Too many: 9: must have at most 8 items',
  ]);
  t.same(refusals({ ports: many(20_001, (i) => ({ name: `p${i}` })) }), [
    'ports: Too many: 20001: must have at most 20000 items',
  ]);
  t.end();
});

t.test('Endpoints and EndpointSlice in tables', (t) => {
  const addresses = [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }];
  const ports = [
    { name: 'a', port: 80 },
    { name: 'b', port: 81 },
  ];
  t.same(cells(endpoints, made(endpoints, {})), ['x', '<none>']);
  t.same(cells(endpoints, made(endpoints, { subsets: [{ addresses, ports }] })), [
    'x',
    '10.0.0.1:80,[fd00::1]:80,10.0.0.1:81 + 1 more...',
  ]);
  t.same(cells(endpoints, made(endpoints, { subsets: [{ addresses }] })), ['x', '10.0.0.1,fd00::1']);
  const slice = (fields: Fields) =>
    cells(endpointSlices, made(endpointSlices, { addressType: 'IPv4', ...fields }));
  t.same(slice({}), ['x', 'IPv4', '<unset>', '<unset>']);
  t.same(slice({ ports: [{ port: 80 }, { name: 'b' }] }), ['x', 'IPv4', '80,b', '<unset>']);
  const four = [{ addresses: ['10.0.0.1', '10.0.0.2'] }, { addresses: ['10.0.0.3', '10.0.0.4'] }];
  t.same(slice({ endpoints: four, ports: [{}] }), [
    'x',
    'IPv4',
    '<unset>',
    '10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...',
  ]);
  t.end();
});
