/** Cluster IPs and node ports: unique, taken and given back with the service's own write, texts as upstream has them. */
import t from 'tap';
import type { KubeObject } from '../../schemas/definition.js';
import { toAddress, toNumber, usableAddresses } from '../../apiserver/allocation/addresses.js';
import { defaultAllocators, type PortRange } from '../../apiserver/allocation/index.js';
import { createRegistries, type Registries } from '../../apiserver/registry/index.js';
import type { Registry } from '../../apiserver/registry/types.js';
import { builtinResources } from '../../schemas/index.js';
import { type Fixture, context, openFixture, refusal } from './controllers-fixture.js';

interface Spec {
  readonly clusterIP?: string;
  readonly clusterIPs?: string[];
  readonly ports: { readonly nodePort?: number }[];
  readonly healthCheckNodePort?: number;
}
const specOf = (object: KubeObject) => object['spec'] as Spec;
const service = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { ports: [{ port: 80 }], ...spec },
});

async function taken({ client }: Fixture, prefix: string): Promise<string[]> {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  const { kvs } = await client.range({ key: Buffer.from(prefix), rangeEnd: end });
  return kvs.map(({ key }) => Buffer.from(key).toString().slice(prefix.length));
}
const addresses = (fixture: Fixture) => taken(fixture, '/registry/ipaddresses/');
const nodePorts = (fixture: Fixture) => taken(fixture, '/registry/ranges/servicenodeports/');

type Test = { teardown(close: () => Promise<void> | void): void };

async function open(t: Test): Promise<Fixture> {
  const fixture = await openFixture(t);
  await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
  return fixture;
}

t.test('addresses are numbers and back', async (t) => {
  t.equal(toNumber('10.0.0.1'), 0x0a000001);
  t.equal(toAddress(0xffffffff), '255.255.255.255');
  t.equal(toNumber('10.0.0.256'), undefined);
  t.same(usableAddresses('10.0.0.77/24'), { first: 0x0a000001, last: 0x0a0000fe, reserved: 16 });
  t.same(usableAddresses('10.0.0.0/28'), { first: 0x0a000001, last: 0x0a00000e, reserved: 0 });
  t.equal(usableAddresses('10.0.0.0/8')?.reserved, 256);
  for (const none of ['fd00::/64', '10.0.0.0/31', '10.0.0.0/32']) t.equal(usableAddresses(none), undefined);
});

t.test('a service gets an address of the upper range, recorded beside it', async (t) => {
  const fixture = await open(t);
  const { clusterIP, clusterIPs } = specOf(await fixture.create('services', 'demo', service('web')));
  t.match(clusterIP, /^10\.0\.0\.\d+$/);
  t.ok(Number(clusterIP?.split('.')[3]) >= 17, 'the first sixteen are for those who ask for one');
  t.same(clusterIPs, [clusterIP]);
  const { kvs } = await fixture.client.range({ key: Buffer.from(`/registry/ipaddresses/${clusterIP}`) });
  t.match(JSON.parse(Buffer.from(kvs[0]?.value ?? []).toString()), {
    kind: 'IPAddress',
    metadata: { name: clusterIP, labels: { 'ipaddress.kubernetes.io/ip-family': 'IPv4' } },
    spec: { parentRef: { resource: 'services', namespace: 'demo', name: 'web' } },
  });
});

t.test('an address that is asked for is given, once', async (t) => {
  const { create } = await open(t);
  const first = await create('services', 'demo', service('first', { clusterIP: '10.0.0.9' }));
  t.equal(specOf(first).clusterIP, '10.0.0.9');
  const { code, message } = await refusal(
    create('services', 'demo', service('second', { clusterIP: '10.0.0.9' })),
  );
  t.equal(code, 422);
  t.equal(
    message,
    'Service "second" is invalid: spec.clusterIPs: Invalid value: ["10.0.0.9"]: failed to allocate IP 10.0.0.9: provided IP is already allocated',
  );
});

t.test('an address outside the range is refused', async (t) => {
  const { create } = await open(t);
  const { message } = await refusal(create('services', 'demo', service('far', { clusterIP: '10.0.0.255' })));
  t.match(message, 'failed to allocate IP 10.0.0.255: the provided network does not match the current range');
});

t.test('headless services and names of elsewhere hold no address', async (t) => {
  const fixture = await open(t);
  await fixture.create('services', 'demo', service('headless', { clusterIP: 'None' }));
  const external = { type: 'ExternalName', externalName: 'db.example.com', ports: [] };
  await fixture.create('services', 'demo', service('external', external));
  t.same(await addresses(fixture), []);
});

t.test('services that are made at once never share an address, and all addresses can be used', async (t) => {
  const fixture = await open(t);
  const count = 254;
  const made = await Promise.all(
    Array.from({ length: count }, (_, i) => fixture.create('services', 'demo', service(`s${i}`))),
  );
  t.equal(new Set(made.map((object) => specOf(object).clusterIP)).size, count);
  const { code, message } = await refusal(fixture.create('services', 'demo', service('one-more')));
  t.equal(code, 500);
  t.equal(message, 'Internal error occurred: failed to allocate a serviceIP: range is full');
  await fixture.registry('services').delete(context, 'demo', 's7');
  const freed = specOf(made[7] as KubeObject).clusterIP;
  t.equal(specOf(await fixture.create('services', 'demo', service('one-more'))).clusterIP, freed);
});

t.test('a refused service holds nothing', async (t) => {
  const fixture = await open(t);
  await refusal(
    fixture.create('services', 'demo', service('bad', { type: 'NodePort', sessionAffinity: 'Odd' })),
  );
  t.same([await addresses(fixture), await nodePorts(fixture)], [[], []]);
});

t.test('a replaced service keeps what it has, and a deleted one gives it back', async (t) => {
  const fixture = await open(t);
  const made = specOf(await fixture.create('services', 'demo', service('web', { type: 'NodePort' })));
  const replace = () => ({
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name: 'web', namespace: 'demo' },
    spec: { type: 'NodePort', ports: [{ port: 81 }] },
  });
  const { item } = await fixture.registry('services').update(context, 'demo', 'web', replace);
  t.equal(specOf(item.object).clusterIP, made.clusterIP);
  t.equal(specOf(item.object).ports[0]?.nodePort, made.ports[0]?.nodePort);
  await fixture.registry('services').delete(context, 'demo', 'web');
  t.same([await addresses(fixture), await nodePorts(fixture)], [[], []]);
});

t.test('a change of type takes and gives back what the types differ by', async (t) => {
  const fixture = await open(t);
  await fixture.create('services', 'demo', service('web', { type: 'NodePort' }));
  const turn = (spec: object) => (current: KubeObject | undefined) => {
    const next = structuredClone(current) as KubeObject;
    next['spec'] = { ...(next['spec'] as object), ...spec };
    return next;
  };
  const services = fixture.registry('services');
  await services.update(context, 'demo', 'web', turn({ type: 'ClusterIP' }));
  t.same((await nodePorts(fixture)).length, 0);
  await services.update(context, 'demo', 'web', turn({ type: 'ExternalName', externalName: 'example.com' }));
  t.same((await addresses(fixture)).length, 0);
  const back = await services.update(context, 'demo', 'web', turn({ type: 'LoadBalancer' }));
  t.same(await addresses(fixture), [specOf(back.item.object).clusterIP]);
  t.same(await nodePorts(fixture), [String(specOf(back.item.object).ports[0]?.nodePort)]);
});

t.test('node ports: asked for, shared by protocols, refused when taken or out of range', async (t) => {
  const fixture = await open(t);
  const ports = [
    { name: 'tcp', port: 53, protocol: 'TCP', nodePort: 30053 },
    { name: 'udp', port: 53, protocol: 'UDP' },
  ];
  const dns = specOf(await fixture.create('services', 'demo', service('dns', { type: 'NodePort', ports })));
  t.same(
    dns.ports.map(({ nodePort }) => nodePort),
    [30053, 30053],
  );
  t.same(await nodePorts(fixture), ['30053']);
  const again = service('again', { type: 'NodePort', ports: [{ port: 80, nodePort: 30053 }] });
  t.equal(
    (await refusal(fixture.create('services', 'demo', again))).message,
    'Service "again" is invalid: spec.ports[0].nodePort: Invalid value: 30053: provided port is already allocated',
  );
  const low = service('low', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] });
  t.equal(
    (await refusal(fixture.create('services', 'demo', low))).message,
    'Service "low" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
  );
});

t.test(
  'node ports of many ports: the first sibling in another protocol counts, once for each protocol',
  async (t) => {
    const fixture = await open(t);
    const ports = [
      { name: 'a', port: 53, protocol: 'UDP' },
      { name: 'b', port: 53, protocol: 'TCP', nodePort: 30053 },
      { name: 'c', port: 53, protocol: 'SCTP', nodePort: 30054 },
      { name: 'd', port: 80, protocol: 'TCP' },
      { name: 'e', port: 80, protocol: 'SCTP' },
    ];
    const made = specOf(
      await fixture.create('services', 'demo', service('many', { type: 'NodePort', ports })),
    );
    const [a, b, c, d, e] = made.ports.map(({ nodePort }) => nodePort);
    t.same([a, b, c], [30053, 30053, 30054]);
    t.equal(e, d);
    // More than there are: refused when the range is full.
    const lots = Array.from({ length: 20_000 }, (_, i) => ({ name: `p${i}`, port: i + 1 }));
    const full = await refusal(
      fixture.create('services', 'demo', service('lots', { type: 'NodePort', ports: lots })),
    );
    t.match(full.message, 'failed to allocate a nodePort: range is full');
  },
);

t.test('a load balancer that keeps traffic local gets a port for health checks', async (t) => {
  const fixture = await open(t);
  const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', allocateLoadBalancerNodePorts: false };
  const made = specOf(await fixture.create('services', 'demo', service('lb', spec)));
  t.equal(made.ports[0]?.nodePort, undefined);
  t.ok(Number(made.healthCheckNodePort) >= 30086);
  t.same(await nodePorts(fixture), [String(made.healthCheckNodePort)]);
});

const serviceCidrs = (fixture: Fixture) => fixture.registry('servicecidrs', 'networking.k8s.io');

function serviceCidr(fixture: Fixture, name: string, cidr: string, status: object = {}): Promise<unknown> {
  return serviceCidrs(fixture).create(context, {
    kind: 'ServiceCIDR',
    apiVersion: 'networking.k8s.io/v1',
    metadata: { name, finalizers: ['networking.k8s.io/service-cidr-finalizer'] },
    spec: { cidrs: [cidr] },
    status,
  });
}

t.test('a ServiceCIDR extends the range from the next service on', async (t) => {
  const fixture = await open(t);
  await serviceCidr(fixture, 'kubernetes', '10.1.0.0/30');
  const ip = async (name: string, clusterIP?: string) =>
    specOf(await fixture.create('services', 'demo', service(name, clusterIP ? { clusterIP } : {}))).clusterIP;
  t.same(new Set([await ip('a'), await ip('b')]), new Set(['10.1.0.1', '10.1.0.2']));
  t.match((await refusal(ip('c'))).message, 'range is full');

  await serviceCidr(fixture, 'more', '10.2.0.0/29');
  t.equal(await ip('d', '10.2.0.6'), '10.2.0.6');
  t.match(await ip('c'), /^10\.2\.0\.[1-5]$/);
  for (const other of ['10.2.0.0', '10.2.0.7', '10.0.0.9']) {
    t.match((await refusal(ip('e', other))).message, 'does not match the current range', other);
  }
  await serviceCidr(fixture, 'six', 'fd00::/112');
  t.match(await ip('f'), /^10\.2\./, 'IPv6 ranges give nothing');
});

t.test('a ServiceCIDR that is not ready or is being deleted gives nothing out', async (t) => {
  const fixture = await open(t);
  const ready = (status: string) => ({
    conditions: [{ type: 'Ready', status, lastTransitionTime: null, reason: '', message: '' }],
  });
  await serviceCidr(fixture, 'kubernetes', '10.1.0.0/30', ready('False'));
  const make = (name: string) => fixture.create('services', 'demo', service(name));
  t.match((await refusal(make('a'))).message, 'range is full');
  await serviceCidr(fixture, 'more', '10.2.0.0/29', ready('True'));
  t.match(specOf(await make('a')).clusterIP, /^10\.2\./);
  await serviceCidrs(fixture).delete(context, '', 'more');
  t.match((await refusal(make('b'))).message, 'range is full');
});

t.test('a range that another server deletes meanwhile gives nothing out', async (t) => {
  const fixture = await open(t);
  const { table, client } = fixture;
  await serviceCidr(fixture, 'kubernetes', '10.1.0.0/30');
  const allocator = defaultAllocators({ client, registries: { table } }).get('/services');
  const object = { kind: 'Service', apiVersion: 'v1', ...service('a', { type: 'ClusterIP' }) };
  const companion = await allocator?.allocate(object, undefined);
  await serviceCidrs(fixture).delete(context, '', 'kubernetes');
  const { succeeded } = await client.txn({ compare: [], success: [], failure: [], ...companion });
  t.equal(succeeded, false);
});

/** Of a server that is started with other ranges than usual. */
function servicesOf(t: Test, { client }: Fixture, nodePorts: PortRange): Registry {
  const later = {
    get table() {
      return registries.table;
    },
  };
  const registries: Registries = createRegistries({
    client,
    definitions: builtinResources,
    admission: [],
    allocators: defaultAllocators({ client, registries: later, cidr: '10.9.0.0/25', nodePorts }),
  });
  t.teardown(() => registries.close());
  const found = registries.table.find('', 'v1', 'services');
  if (found === undefined) throw new Error('no services');
  return found;
}

const nodePortService = (name: string, nodePort?: number): KubeObject => ({
  kind: 'Service',
  apiVersion: 'v1',
  metadata: { name, namespace: 'demo' },
  spec: { type: 'NodePort', ports: [{ port: 80, ...(nodePort && { nodePort }) }] },
});

t.test('ranges of addresses and node ports are what the server is started with', async (t) => {
  const fixture = await open(t);
  const services = servicesOf(t, fixture, { first: 31_000, last: 31_001 });
  const { clusterIP, ports } = specOf((await services.create(context, nodePortService('a'))).object);
  t.match(clusterIP, /^10\.9\.0\./);
  t.match(String(ports[0]?.nodePort), /^3100[01]$/);
  const { message } = await refusal(services.create(context, nodePortService('b', 30_000)));
  t.match(message, 'provided port is not in the valid range. The range of valid ports is 31000-31001');
});

t.test('several servers over one store never give the same address or port twice', async (t) => {
  const fixture = await open(t);
  const servers = [1, 2, 3].map(() => servicesOf(t, fixture, { first: 31_000, last: 31_059 }));
  const specs = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const services = servers[i % servers.length] ?? fixture.registry('services');
      return specOf((await services.create(context, nodePortService(`s${i}`))).object);
    }),
  );
  t.equal(new Set(specs.map(({ clusterIP }) => clusterIP)).size, 60);
  t.equal(new Set(specs.map(({ ports }) => ports[0]?.nodePort)).size, 60, 'all of the sixty ports');
});
