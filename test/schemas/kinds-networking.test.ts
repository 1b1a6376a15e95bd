/** Rules of the kinds of networking and discovery that no manifest shows, as kube-apiserver 1.36 has them. */
import t from 'tap';
import {
  blockOf,
  canonicalIP,
  canonicalIPProblems,
  contains,
  ipWarnings,
  validateCanonicalCidr,
  validateCidr,
  validateIP,
} from '../../schemas/core/v1/addresses.js';
import { endpoints } from '../../schemas/core/v1/endpoints.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { endpointSlices } from '../../schemas/discovery/v1/endpoint-slice.js';
import { ingressClasses } from '../../schemas/networking/v1/ingress-class.js';
import { ingresses } from '../../schemas/networking/v1/ingress.js';
import { ipAddresses } from '../../schemas/networking/v1/ip-address.js';
import { networkPolicies } from '../../schemas/networking/v1/network-policy.js';
import { serviceCidrs } from '../../schemas/networking/v1/service-cidr.js';
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
  t.same(canonicalIPProblems('2001:db8:0::1'), ['must be in canonical form ("2001:db8::1")']);
  t.same(canonicalIPProblems('10.0.0.1'), []);
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

const rule = (host: string, path = '/') => {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  return { host, http: { paths: [{ path, pathType: 'Prefix', backend }] } };
};

t.test('Ingress: there must be something that answers', (t) => {
  t.same(messages(create(ingresses, { metadata: { name: 'x' } })), [
    'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
  ]);
  t.end();
});

t.test('Ingress: the annotation for its class is warned of where it is the only one, once', (t) => {
  const annotations = { 'kubernetes.io/ingress.class': 'nginx' };
  const old = made(ingresses, { spec: { rules: [rule('a.example.com')] } }, { annotations });
  const warning =
    'annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead';
  t.same(ingresses.strategy.warnings?.(old), [warning]);
  t.same(ingresses.strategy.warnings?.(old, old), []);
  const spec = { ...(old['spec'] as Fields), ingressClassName: 'nginx' };
  t.same(ingresses.strategy.warnings?.(made(ingresses, { spec }, { annotations })), []);
  const another = { ...spec, ingressClassName: 'another' };
  t.same(messages(changed(ingresses, old, { spec: another })), [], 'an update may differ from it');
  t.end();
});

t.test('Ingress: what older servers took may stay', (t) => {
  const body = (path: string, secretName: string) => ({
    spec: { rules: [rule('*.example.com', path)], tls: [{ secretName }] },
  });
  const old = { ...made(ingresses, body('/', 'a')), ...body('relative', 'Not A Name') };
  t.same(messages(changed(ingresses, old, body('relative', 'Not A Name'))), []);
  t.match(messages(changed(ingresses, made(ingresses, body('/', 'a')), body('relative', 'Not A Name'))), [
    'spec.rules[0].http.paths[0].path: Invalid value: "relative": must be an absolute path',
    /^spec.tls\[0\].secretName: Invalid value: "Not A Name": a lowercase RFC 1123 subdomain/,
  ]);
  t.end();
});

t.test('Ingress: only its status says where it is reached', (t) => {
  const status = (...ingress: Fields[]) => ({ status: { loadBalancer: { ingress } } });
  const old = made(ingresses, { spec: { rules: [rule('a.example.com')] }, ...status({ ip: '10.0.0.1' }) });
  t.same(old['status'], { loadBalancer: {} });
  t.same(changed(ingresses, old, status({ ip: '10.0.0.1' })).object?.['status'], { loadBalancer: {} });

  const other = { spec: { rules: [rule('b.example.com')] }, ...status({ ip: '2001:DB8::1' }) };
  const { object } = changed(ingresses, old, other, 'status');
  t.match(object, { spec: { rules: [{ host: 'a.example.com' }] }, ...status({ ip: '2001:DB8::1' }) });
  const { strategy } = ingresses.subresources[0] ?? {};
  t.same(object && strategy?.warnings?.(object), [
    'status.loadBalancer.ingress[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
  ]);

  const wrong = status({ ip: '010.0.0.1' }, { hostname: '10.0.0.1' }, { hostname: 'A' });
  t.match(messages(changed(ingresses, old, wrong, 'status')), [
    'status.loadBalancer.ingress[0].ip: Invalid value: "010.0.0.1": must not have leading 0s',
    'status.loadBalancer.ingress[1].hostname: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
    /^status.loadBalancer.ingress\[2\].hostname: Invalid value: "A": a lowercase RFC 1123 subdomain/,
  ]);
  const known = { ...old, ...status({ ip: '010.0.0.1' }) };
  t.same(messages(changed(ingresses, known, status({ ip: '010.0.0.1' }), 'status')), []);
  t.end();
});

t.test('IngressClass: the controller never changes', (t) => {
  const old = made(ingressClasses, { spec: { controller: 'a.com/b' } });
  t.same(messages(changed(ingressClasses, old, { spec: { controller: 'a.com/c' } })), [
    'spec.controller: Invalid value: "a.com/c": field is immutable',
  ]);
  const refusals = (spec: Fields) => messages(create(ingressClasses, { metadata: { name: 'x' }, spec }));
  t.same(refusals({}), ['spec.controller: Required value']);
  t.same(refusals({ controller: `a.com/${'b'.repeat(245)}` }), [
    'spec.controller: Too long: may not be more than 250 bytes',
  ]);
  const parameters = (more: Fields) => ({
    controller: 'a.com/b',
    parameters: { kind: 'K', name: 'n', ...more },
  });
  t.same(refusals(parameters({ namespace: 'demo' })), [
    "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
  ]);
  t.same(refusals(parameters({ scope: 'World' })), [
    'spec.parameters.scope: Unsupported value: "World": supported values: "Cluster", "Namespace"',
  ]);
  t.end();
});

t.test('NetworkPolicy: directions follow from the rules where none are named', (t) => {
  const types = (spec: Fields) => (made(networkPolicies, { spec })['spec'] as Fields)['policyTypes'];
  t.same(types({}), ['Ingress']);
  t.same(types({ egress: [{}] }), ['Ingress', 'Egress']);
  t.same(types({ egress: [{}], policyTypes: ['Egress'] }), ['Egress']);
  t.same(
    messages(
      create(networkPolicies, {
        metadata: { name: 'x' },
        spec: { policyTypes: ['Ingress', 'Egress', 'Ingress'] },
      }),
    ),
    [
      'spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes',
    ],
  );
  t.end();
});

t.test('NetworkPolicy: ranges that older servers took may stay', (t) => {
  const from = (...cidrs: string[]) => ({
    spec: { podSelector: {}, ingress: [{ from: cidrs.map((cidr) => ({ ipBlock: { cidr } })) }] },
  });
  const old = { ...made(networkPolicies, {}), ...from('10.0.0.1/8') };
  t.same(messages(changed(networkPolicies, old, from('10.1.0.0/16', '10.0.0.1/8'))), []);
  t.same(messages(changed(networkPolicies, old, from('10.0.0.2/8'))), [
    'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.2/8": must not have bits set beyond the prefix length',
  ]);
  t.same(networkPolicies.strategy.warnings?.(made(networkPolicies, from('FD00::/8', 'fd00::/8'))), [
    'spec.ingress[0].from[0].ipBlock.cidr: IPv6 CIDR value "FD00::/8" should be in RFC 5952 canonical format ("fd00::/8")',
  ]);
  t.end();
});

t.test('IPAddress: its owner never changes', (t) => {
  const parentRef = { resource: 'services', namespace: 'ns', name: 'a' };
  const ip = made(ipAddresses, { spec: { parentRef } }, { name: '10.0.0.1' });
  t.same(messages(changed(ipAddresses, ip, { spec: { parentRef: { ...parentRef, name: 'b' } } })), [
    'spec.parentRef: Invalid value: {"Group":"","Resource":"services","Namespace":"ns","Name":"b"}: field is immutable',
  ]);
  t.same(messages(create(ipAddresses, { metadata: { name: '10.0.0.1' } })), [
    'spec.parentRef: Required value',
  ]);
  t.match(messages(create(ipAddresses, { metadata: { name: '10.0.0' }, spec: { parentRef } })), [
    /^metadata.name: Invalid value: "10.0.0": must be a valid IP address/,
  ]);
  t.end();
});

t.test('ServiceCIDR: a range of the other family may come, and nothing else changes', (t) => {
  const old = made(serviceCidrs, { spec: { cidrs: ['10.0.0.0/24'] } });
  const refusals = (...cidrs: string[]) => messages(changed(serviceCidrs, old, { spec: { cidrs } }));
  t.same(refusals('10.0.0.0/24', 'fd00::/112'), []);
  t.same(refusals('10.0.0.0/24', '10.0.1.0/24'), [
    'spec.cidrs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
  ]);
  t.same(refusals('10.0.1.0/24'), ['spec.cidrs[0]: Invalid value: "10.0.1.0/24": field is immutable']);
  t.same(refusals(), ['spec.cidrs: Invalid value: null: field is immutable']);
  t.same(messages(create(serviceCidrs, { metadata: { name: 'x' } })), [
    'spec.cidrs: Required value: at least one CIDR required',
  ]);
  const three = ['10.0.0.0/24', '10.0.1.0/24', 'fd00::/112'];
  t.same(messages(create(serviceCidrs, { metadata: { name: 'x' }, spec: { cidrs: three } })), [
    `spec.cidrs: Invalid value: {"CIDRs":${JSON.stringify(three)}}: may only hold up to 2 values`,
  ]);
  t.end();
});

t.test('ServiceCIDR: status is written through its subresource, which writes nothing else', (t) => {
  const metadata = { finalizers: ['networking.k8s.io/service-cidr-finalizer'], labels: { a: '1' } };
  const old = made(serviceCidrs, { spec: { cidrs: ['10.0.0.0/24'] } }, metadata);
  const ready = { type: 'Ready', status: 'True', lastTransitionTime: null, reason: '', message: 'm' };
  const other = {
    metadata: { name: 'x' },
    spec: { cidrs: ['10.9.0.0/24'] },
    status: { conditions: [ready] },
  };
  t.match(changed(serviceCidrs, old, other, 'status').object, {
    metadata,
    spec: old['spec'],
    status: { conditions: [ready] },
  });
  t.end();
});

t.test('networking kinds in tables', (t) => {
  const rules = ['a.com', '', 'b.com', 'c.com', 'd.com'].map((host) => rule(host));
  const ingress = made(ingresses, { spec: { rules } });
  const reached = { loadBalancer: { ingress: [{ hostname: 'z.com' }, { ip: '10.0.0.1' }, {}] } };
  t.same(cells(ingresses, ingress), ['x', '<none>', 'a.com,b.com,c.com + 2 more...', '', '80']);
  const spec = {
    ingressClassName: 'nginx',
    tls: [{}],
    defaultBackend: { resource: { kind: 'K', name: 'n' } },
  };
  t.same(cells(ingresses, { ...made(ingresses, { spec }), status: reached }), [
    'x',
    'nginx',
    '*',
    '10.0.0.1,z.com',
    '80, 443',
  ]);
  const parameters = { apiGroup: 'a.com', kind: 'Config', name: 'c' };
  t.same(cells(ingressClasses, made(ingressClasses, { spec: { controller: 'a.com/b', parameters } })), [
    'x',
    'a.com/b',
    'Config.a.com/c',
  ]);
  t.same(cells(ingressClasses, made(ingressClasses, { spec: { controller: 'a.com/b' } })), [
    'x',
    'a.com/b',
    '<none>',
  ]);
  t.same(cells(networkPolicies, made(networkPolicies, {})), ['x', '<none>']);
  const podSelector = { matchLabels: { b: '1' }, matchExpressions: [{ key: 'a', operator: 'Exists' }] };
  t.same(cells(networkPolicies, made(networkPolicies, { spec: { podSelector } })), ['x', 'a,b=1']);
  const address = (parentRef: Fields) =>
    cells(ipAddresses, made(ipAddresses, { spec: { parentRef } }, { name: '10.0.0.1' }));
  t.same(address({ resource: 'services', namespace: 'ns', name: 'a' }), ['10.0.0.1', 'services/ns/a']);
  t.same(address({ group: 'a.com', resource: 'things', name: 'b' }), ['10.0.0.1', 'things.a.com/b']);
  t.same(cells(serviceCidrs, made(serviceCidrs, { spec: { cidrs: ['10.0.0.0/24', 'fd00::/112'] } })), [
    'x',
    '10.0.0.0/24,fd00::/112',
  ]);
  t.end();
});
