/** Controllers: what exists from the start, service accounts for namespaces, and namespaces that are emptied and go. */
import t from 'tap';
import {
  AddressRepair,
  ControllerManager,
  LeasedServers,
  SystemObjects,
  controllersNamed,
  onlyServer,
} from '../../apiserver/controllers/index.js';
import { follow } from '../../apiserver/controllers/follow.js';
import { ensureLocalApiServices } from '../../apiserver/controllers/local-api-services.js';
import { controllerNames } from '../../apiserver/controllers/names.js';
import type { SystemObjectsOptions } from '../../apiserver/controllers/system-objects.js';
import { WorkQueue } from '../../apiserver/controllers/work-queue.js';
import type { KubeObject } from '../../schemas/definition.js';
import { builtinResources } from '../../schemas/index.js';
import {
  type Fixture,
  context,
  everythingOf,
  exists,
  logger,
  openFixture,
  until,
} from './controllers-fixture.js';

async function open(
  t: Parameters<typeof openFixture>[0],
  names: readonly string[] = controllerNames,
): Promise<Fixture> {
  const fixture = await openFixture(t);
  const controllers = controllersNamed(names);
  const manager = new ControllerManager({ table: fixture.table, logger, controllers });
  manager.start();
  t.teardown(() => manager.stop());
  return fixture;
}

const IP = '192.0.2.1';

async function systemObjects(
  { table }: Fixture,
  securePort = 6443,
  more: Partial<SystemObjectsOptions> = {},
): Promise<SystemObjects> {
  const servers = onlyServer({ ip: IP, port: securePort });
  const objects = new SystemObjects({ table, logger, securePort, cidr: '10.0.0.0/24', servers, ...more });
  await objects.start();
  return objects;
}

t.test('every name that --controllers takes has a controller', async (t) => {
  t.same(
    controllersNamed(controllerNames, { authority: '', tokens: { issueLegacy: async () => '' } }).map(
      ({ name }) => name,
    ),
    controllerNames,
  );
  t.same(controllersNamed([]), []);
});

t.test('namespaces and the service kubernetes exist from the start', async (t) => {
  const fixture = await openFixture(t);
  const objects = await systemObjects(fixture, 16_443);
  t.same(await fixture.names('namespaces', ''), ['default', 'kube-node-lease', 'kube-public', 'kube-system']);
  const service = await fixture.get('services', 'default', 'kubernetes');
  t.match(service, {
    metadata: { labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1'],
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 16_443 }],
    },
  });
  await objects.stop();
});

t.test('a second start changes nothing but the port that has changed', async (t) => {
  const fixture = await openFixture(t);
  await (await systemObjects(fixture)).stop();
  const before = await fixture.get('services', 'default', 'kubernetes');
  await (await systemObjects(fixture)).stop();
  t.same(await fixture.get('services', 'default', 'kubernetes'), before);
  await (await systemObjects(fixture, 7443)).stop();
  const after = await fixture.get('services', 'default', 'kubernetes');
  t.match(after['spec'], { clusterIP: '10.0.0.1', ports: [{ targetPort: 7443 }] });
  t.equal(after.metadata.uid, before.metadata.uid);
});

t.test('the address of the service comes from a ServiceCIDR that exists from the start', async (t) => {
  const fixture = await openFixture(t);
  const objects = await systemObjects(fixture, 6443, { cidr: '10.96.0.0/16' });
  t.teardown(() => objects.stop());
  const cidrs = fixture.registry('servicecidrs', 'networking.k8s.io');
  const { object } = await cidrs.get(context, '', 'kubernetes');
  t.match(object, {
    spec: { cidrs: ['10.96.0.0/16'] },
    status: {
      conditions: [
        { type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' },
      ],
    },
  });
  const addresses = fixture.registry('ipaddresses', 'networking.k8s.io');
  const { object: address } = await addresses.get(context, '', '10.96.0.1');
  t.match(address, {
    metadata: {
      labels: {
        'ipaddress.kubernetes.io/ip-family': 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'kubernetes' } },
  });

  await fixture.registry('services').delete(context, 'default', 'kubernetes');
  await objects.stop();
  const again = await systemObjects(fixture, 6443, { cidr: '10.0.0.0/24' });
  t.teardown(() => again.stop());
  const service = await fixture.get('services', 'default', 'kubernetes');
  t.match(service['spec'], { clusterIP: '10.96.0.1' }, 'what the cluster has counts, not the flag');
});

t.test('a ServiceCIDR goes once no service would be left without a range', async (t) => {
  const fixture = await open(t, ['service-cidr-controller']);
  await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
  const cidrs = fixture.registry('servicecidrs', 'networking.k8s.io');
  const make = (name: string, ...all: string[]) =>
    cidrs.create(context, {
      kind: 'ServiceCIDR',
      apiVersion: 'networking.k8s.io/v1',
      metadata: { name },
      spec: { cidrs: all },
    });
  const read = async (name: string): Promise<KubeObject | undefined> =>
    cidrs.get(context, '', name).then(
      ({ object }) => object,
      () => undefined,
    );
  const ready = async (name: string) =>
    ((await read(name))?.['status'] as { conditions?: Record<string, string>[] })?.conditions?.[0];

  await make('small', '10.1.0.0/29', 'fd00::/112');
  await until(async () => (await ready('small')) !== undefined);
  t.match(await ready('small'), {
    type: 'Ready',
    status: 'True',
    message: 'Kubernetes Service CIDR is ready',
  });
  t.same((await read('small'))?.metadata.finalizers, ['networking.k8s.io/service-cidr-finalizer']);
  await fixture.create('services', 'demo', { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } });

  await cidrs.delete(context, '', 'small');
  await until(async () => (await ready('small'))?.['status'] === 'False');
  t.match(await ready('small'), {
    reason: 'Terminating',
    message:
      'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
  });
  await make('large', '10.1.0.0/24');
  await until(async () => (await read('small')) === undefined);

  await until(async () => (await ready('large'))?.['status'] === 'True');
  await cidrs.delete(context, '', 'large');
  await until(async () => (await ready('large'))?.['status'] === 'False');
  await fixture.registry('services').delete(context, 'demo', 'web');
  await until(async () => (await read('large')) === undefined);
});

t.test(
  'an IPAddress that is deleted while its service has it comes back, and none that it gave up',
  async (t) => {
    const fixture = await openFixture(t);
    await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
    const addresses = fixture.registry('ipaddresses', 'networking.k8s.io');
    const service = (name: string, clusterIP: string) =>
      fixture.create('services', 'demo', { metadata: { name }, spec: { clusterIP, ports: [{ port: 80 }] } });
    const names = async () => (await addresses.list(context, '', everythingOf)).items.map(({ name }) => name);
    for (const last of [5, 6, 7]) await service(`s${last}`, `10.0.0.${last}`);
    await addresses.delete(context, '', '10.0.0.5');

    const repair = new AddressRepair({ table: fixture.table, logger });
    repair.start();
    t.teardown(() => repair.stop());
    await until(async () => (await names()).includes('10.0.0.5'));
    const { object: before } = await addresses.get(context, '', '10.0.0.6');
    await addresses.delete(context, '', '10.0.0.6');
    await until(async () => (await names()).includes('10.0.0.6'));
    const { object } = await addresses.get(context, '', '10.0.0.6');
    t.match(object, {
      metadata: { labels: { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } },
      spec: { parentRef: { resource: 'services', namespace: 'demo', name: 's6' } },
    });
    const withoutTimes = ({ metadata }: KubeObject) =>
      JSON.stringify(metadata.managedFields).replaceAll(/"20[^"]*Z"/g, '');
    t.match(withoutTimes(before), /f:parentRef/);
    t.equal(withoutTimes(object), withoutTimes(before), 'an allocation is as if a request had made it');

    await fixture.registry('services').delete(context, 'demo', 's7');
    await addresses.delete(context, '', '10.0.0.5');
    await until(async () => (await names()).includes('10.0.0.5'));
    t.same(await names(), ['10.0.0.5', '10.0.0.6']);
  },
);

/** Endpoints and EndpointSlices of the service `kubernetes`, each endpoint as `address:port`. */
async function behindKubernetes(fixture: Fixture) {
  const endpoints = await fixture.get('endpoints', 'default', 'kubernetes');
  const { items } = await fixture
    .registry('endpointslices', 'discovery.k8s.io')
    .list(context, 'default', everythingOf);
  interface Subset {
    readonly addresses: { readonly ip: string }[];
    readonly ports: { readonly port: number }[];
  }
  interface Slice {
    readonly endpoints: { readonly addresses: string[] }[] | null;
    readonly ports: { readonly port: number }[] | null;
  }
  return {
    endpoints: ((endpoints['subsets'] ?? []) as Subset[]).flatMap(({ addresses, ports }) =>
      addresses.map(({ ip }) => `${ip}:${ports[0]?.port}`),
    ),
    slices: Object.fromEntries(
      items.map(({ name, object }) => {
        const { endpoints: all, ports } = object as unknown as Slice;
        return [name, (all ?? []).map(({ addresses }) => `${addresses[0]}:${ports?.[0]?.port}`)];
      }),
    ),
  };
}

t.test('the service kubernetes leads to the server', async (t) => {
  const fixture = await openFixture(t);
  const objects = await systemObjects(fixture);
  t.teardown(() => objects.stop());
  t.match(await fixture.get('endpoints', 'default', 'kubernetes'), {
    metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: IP }], ports: [{ name: 'https', port: 6443, protocol: 'TCP' }] }],
  });
  const slices = fixture.registry('endpointslices', 'discovery.k8s.io');
  t.match((await slices.get(context, 'default', 'kubernetes')).object, {
    metadata: { labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [IP], conditions: { ready: true } }],
    ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
  });
});

t.test('endpoints that somebody changes or deletes come back', async (t) => {
  const fixture = await openFixture(t);
  await (await systemObjects(fixture)).stop();
  const wipe = (current: KubeObject | undefined) => {
    const { subsets: _, ...next } = structuredClone(current) as KubeObject;
    return { ...next, metadata: { ...next.metadata, annotations: { mine: '1' } } };
  };
  await fixture.registry('endpoints').update(context, 'default', 'kubernetes', wipe);
  await fixture.registry('endpointslices', 'discovery.k8s.io').delete(context, 'default', 'kubernetes');
  await (await systemObjects(fixture)).stop();
  const address = `${IP}:6443`;
  t.same(await behindKubernetes(fixture), { endpoints: [address], slices: { kubernetes: [address] } });
  const { metadata } = await fixture.get('endpoints', 'default', 'kubernetes');
  t.same(metadata.annotations, { mine: '1' }, 'what others say in the metadata stays');
});

t.test('a server that nobody can reach stands in no endpoints', async (t) => {
  const fixture = await openFixture(t);
  await (await systemObjects(fixture, 6443, { servers: onlyServer(undefined) })).stop();
  t.same(await behindKubernetes(fixture), { endpoints: [], slices: { kubernetes: [] } });
  await (await systemObjects(fixture, 6443, { servers: onlyServer({ ip: 'fd00::1', port: 6443 }) })).stop();
  t.same(await behindKubernetes(fixture), {
    endpoints: ['fd00::1:6443'],
    slices: { kubernetes: ['fd00::1:6443'] },
  });
});

t.test('servers over one store are all there while they live', async (t) => {
  const fixture = await openFixture(t);
  const { client } = fixture;
  const server = (ip: string, port = 6443) =>
    new LeasedServers({ client, keyRoot: '/registry', own: { ip, port } });
  const [first, second, third] = [server('192.0.2.2'), server('192.0.2.1'), server('192.0.2.1', 6444)];
  const start = (servers: LeasedServers) => systemObjects(fixture, 6443, { servers });
  const all = await Promise.all([start(first), start(second), start(third)]);
  await start(first);
  t.same(await behindKubernetes(fixture), {
    endpoints: ['192.0.2.1:6443', '192.0.2.2:6443', '192.0.2.1:6444'],
    slices: { kubernetes: ['192.0.2.1:6443', '192.0.2.2:6443'], 'kubernetes-ipv4-6444': ['192.0.2.1:6444'] },
  });

  await Promise.all([all[1]?.stop(), all[2]?.stop()]);
  await start(first);
  const address = '192.0.2.2:6443';
  t.same(await behindKubernetes(fixture), { endpoints: [address], slices: { kubernetes: [address] } });
});

t.test('the entry of a server dies with it, and one that is lost is made again', async (t) => {
  const { client } = await openFixture(t);
  const own = { ip: IP, port: 6443 };
  const servers = new LeasedServers({ client, keyRoot: '/registry', own });
  const others = new LeasedServers({ client, keyRoot: '/registry', own: undefined });
  t.same(await servers.list(), [own]);
  const key = Buffer.from(`/registry/masterleases/${IP}:6443`);
  const { kvs } = await client.range({ key });
  const lease = kvs[0]?.lease ?? 0n;
  const { grantedTtl } = await client.leaseTimeToLive({ id: lease });
  t.equal(grantedTtl, 15, 'upstream gives it so many seconds');

  await client.leaseRevoke(lease);
  t.same(await others.list(), [], 'as when it has not been heard of for so long');
  t.same(await servers.list(), [own]);
  t.same(await others.list(), [own]);
  await client.deleteRange({ key });
  t.same([await servers.list(), await servers.list()], [[own], [own]]);
  t.same(await others.list(), [own], 'a deleted entry is made again');
  await client.put({ key: Buffer.from('/registry/masterleases/x'), value: Buffer.from('k8s\0') });
  t.same(await others.list(), [own], 'what was copied from another store is nobody');
});

t.test('what is served itself has an APIService, also after it was deleted', async (t) => {
  const fixture = await openFixture(t);
  const registry = fixture.registry('apiservices', 'apiregistration.k8s.io');
  const label = 'kube-aggregator.kubernetes.io/automanaged';
  const foreign = (name: string, managed: string): KubeObject => ({
    kind: 'APIService',
    apiVersion: 'apiregistration.k8s.io/v1',
    metadata: { name, labels: { [label]: managed } },
    spec: {
      group: name.slice(name.indexOf('.') + 1),
      version: 'v1',
      groupPriorityMinimum: 1,
      versionPriority: 1,
    },
  });
  for (const name of ['v1.gone.example.com', 'v1.batch']) {
    await registry.create(context, foreign(name, 'onstart'));
  }
  await registry.create(context, foreign('v1.other.example.com', 'false'));
  const register = (reconcile: boolean) => ensureLocalApiServices(fixture.table, context, { reconcile });
  const all = async () => (await registry.list(context, '', everythingOf)).items;

  await register(true);
  const served = new Set(builtinResources.map(({ group, version }) => `${version}.${group}`));
  served.delete('v1.apiregistration.k8s.io');
  const names = (await all()).map(({ name }) => name);
  t.same(
    names,
    [...served, 'v1.other.example.com'].sort(),
    'each version but its own, and who is no concern',
  );
  const specs = Object.fromEntries((await all()).map(({ name, object }) => [name, object['spec']]));
  t.same(specs['v1.'], { version: 'v1', groupPriorityMinimum: 18_000, versionPriority: 1 });
  t.match(specs['v1.batch'], { groupPriorityMinimum: 17_400, versionPriority: 15 }, 'corrected');
  t.match((await registry.get(context, '', 'v1.apps')).object, {
    metadata: { labels: { [label]: 'onstart' } },
    status: {
      conditions: [
        {
          type: 'Available',
          status: 'True',
          reason: 'Local',
          message: 'Local APIServices are always available',
        },
      ],
    },
  });

  await registry.delete(context, '', 'v1.apps');
  await register(false);
  t.same(
    (await all()).map(({ name }) => name),
    names,
  );
  const before = (await all()).map(({ revision }) => revision);
  await register(true);
  t.same(
    (await all()).map(({ revision }) => revision),
    before,
    'nothing is written twice',
  );
});

t.test('a claim that a running pod uses waits for it, and goes', async (t) => {
  const fixture = await open(t, ['persistentvolumeclaim-protection-controller']);
  await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
  const claims = fixture.registry('persistentvolumeclaims');
  const claim = (name: string) =>
    fixture.create('persistentvolumeclaims', 'demo', {
      metadata: { name },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
  const names = async () => (await claims.list(context, 'demo', everythingOf)).items.map(({ name }) => name);
  await fixture.create('serviceaccounts', 'demo', { metadata: { name: 'default' } });
  await claim('free');
  await claim('used');
  await fixture.create('pods', 'demo', {
    metadata: { name: 'p' },
    spec: {
      nodeName: 'n',
      containers: [{ name: 'c', image: 'i' }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'used' } }],
    },
  });
  for (const name of ['free', 'used']) await claims.delete(context, 'demo', name);
  await until(async () => (await names()).length === 1);
  t.same(await names(), ['used']);

  const pods = fixture.registry('pods');
  const ended = (current: KubeObject | undefined) => ({
    ...(current as KubeObject),
    status: { phase: 'Succeeded' },
  });
  await pods.update(context, 'demo', 'p', ended, { subresource: 'status' });
  await until(async () => (await names()).length === 0);
});

t.test(
  'a volume waits while it is bound, and a class of volume attributes while a volume names it',
  async (t) => {
    const fixture = await open(t, [
      'persistentvolume-protection-controller',
      'volumeattributesclass-protection-controller',
    ]);
    const volumes = fixture.registry('persistentvolumes');
    const classes = fixture.registry('volumeattributesclasses', 'storage.k8s.io');
    await classes.create(context, {
      kind: 'VolumeAttributesClass',
      apiVersion: 'storage.k8s.io/v1',
      metadata: { name: 'gold' },
      driverName: 'd.example.com',
      parameters: { iops: '1' },
    });
    for (const name of ['free', 'used']) {
      const made = await fixture.create('persistentvolumes', '', {
        metadata: { name },
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          csi: { driver: 'd.example.com', volumeHandle: name },
          volumeAttributesClassName: 'gold',
        },
      });
      t.same(made.metadata.finalizers, ['kubernetes.io/pv-protection']);
    }
    const phase = (to: string) =>
      volumes.update(
        context,
        '',
        'used',
        (current) => ({ ...(current as KubeObject), status: { phase: to } }),
        { subresource: 'status' },
      );
    await phase('Bound');
    await classes.delete(context, '', 'gold');
    for (const name of ['free', 'used']) await volumes.delete(context, '', name);
    await until(async () => (await fixture.names('persistentvolumes', '')).length === 1);
    t.same(await fixture.names('persistentvolumes', ''), ['used']);
    t.equal((await classes.list(context, '', everythingOf)).items.length, 1, 'its volume names it');

    await phase('Released');
    await until(async () => (await fixture.names('persistentvolumes', '')).length === 0);
    await until(async () => (await classes.list(context, '', everythingOf)).items.length === 0);
  },
);

t.test('each namespace gets a service account `default`, also after it was deleted', async (t) => {
  const fixture = await open(t);
  await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
  await until(() => exists(fixture, 'serviceaccounts', 'demo', 'default'));
  const first = await fixture.get('serviceaccounts', 'demo', 'default');
  await fixture.registry('serviceaccounts').delete(context, 'demo', 'default');
  await until(() => exists(fixture, 'serviceaccounts', 'demo', 'default'));
  const second = await fixture.get('serviceaccounts', 'demo', 'default');
  t.not(second.metadata.uid, first.metadata.uid);
});

t.test('without its controller there is no service account', async (t) => {
  const fixture = await open(t, ['namespace-controller']);
  await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
  await fixture.registry('namespaces').delete(context, '', 'demo');
  await until(async () => !(await exists(fixture, 'namespaces', '', 'demo')));
  t.same(await fixture.names('serviceaccounts', ''), []);
});

t.test('a deleted namespace takes everything in it along, and nothing else', async (t) => {
  const fixture = await open(t);
  for (const name of ['going', 'staying']) {
    await fixture.create('namespaces', '', { metadata: { name } });
    await fixture.create('configmaps', name, { metadata: { name: 'a' } });
    await fixture.create('secrets', name, { metadata: { name: 'b' } });
    await fixture.create('services', name, { metadata: { name: 'c' }, spec: { ports: [{ port: 80 }] } });
    await until(() => exists(fixture, 'serviceaccounts', name, 'default'));
  }
  await fixture.registry('namespaces').delete(context, '', 'going');
  await until(async () => !(await exists(fixture, 'namespaces', '', 'going')));
  for (const plural of ['configmaps', 'secrets', 'services', 'serviceaccounts']) {
    t.same(await fixture.names(plural, 'going'), [], plural);
    t.equal((await fixture.names(plural, 'staying')).length, 1, plural);
  }
});

t.test('a namespace waits for what a finalizer holds', async (t) => {
  const fixture = await open(t);
  await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
  const metadata = { name: 'held', finalizers: ['example.com/hold'] };
  await fixture.create('configmaps', 'demo', { metadata });
  await fixture.registry('namespaces').delete(context, '', 'demo');
  await until(async () => {
    const held = await fixture.get('configmaps', 'demo', 'held');
    return held.metadata.deletionTimestamp !== undefined;
  });
  t.ok(await exists(fixture, 'namespaces', '', 'demo'));
  const letGo = (current: KubeObject | undefined) => {
    const next = structuredClone(current) as KubeObject;
    delete next.metadata.finalizers;
    return next;
  };
  await fixture.registry('configmaps').update(context, 'demo', 'held', letGo);
  await until(async () => !(await exists(fixture, 'namespaces', '', 'demo')));
});

t.test(
  'a namespace that was being deleted when the controllers stopped goes after the next start',
  async (t) => {
    const fixture = await openFixture(t);
    await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
    await fixture.create('configmaps', 'demo', { metadata: { name: 'a' } });
    await fixture.registry('namespaces').delete(context, '', 'demo');
    const manager = new ControllerManager({
      table: fixture.table,
      logger,
      controllers: controllersNamed(controllerNames),
    });
    manager.start();
    await until(async () => !(await exists(fixture, 'namespaces', '', 'demo')));
    await manager.stop();
  },
);

t.test('controllers run only while the member leads', async (t) => {
  const fixture = await openFixture(t);
  const term = new AbortController();
  const manager = new ControllerManager({
    table: fixture.table,
    logger,
    controllers: controllersNamed(controllerNames),
    leadership: async (lead) => lead(term.signal),
  });
  manager.start();
  await fixture.create('namespaces', '', { metadata: { name: 'first' } });
  await until(() => exists(fixture, 'serviceaccounts', 'first', 'default'));
  term.abort();
  await manager.stop();
  await fixture.create('namespaces', '', { metadata: { name: 'second' } });
  t.same(await fixture.names('serviceaccounts', 'second'), []);
});

t.test('followers of a large state let requests have their turn, however many follow', async (t) => {
  const fixture = await openFixture(t);
  await fixture.create('namespaces', '', { metadata: { name: 'demo' } });
  const names = Array.from({ length: 400 }, (_, at) => `m${at}`);
  await Promise.all(names.map((name) => fixture.create('configmaps', 'demo', { metadata: { name } })));
  const stop = new AbortController();
  /** Events told in each turn of the event loop. */
  const told = [0];
  const count = () => {
    told.push(0);
    if (!stop.signal.aborted) setImmediate(count);
  };
  setImmediate(count);
  const seen = Array.from({ length: 5 }, () => new Set<string>());
  const following = seen.map((own) =>
    follow({
      registry: fixture.registry('configmaps'),
      context: { ...context, signal: stop.signal },
      onEvent({ item }) {
        own.add(item.name);
        told[told.length - 1] = (told.at(-1) ?? 0) + 1;
      },
      onError: (error) => t.fail(String(error)),
    }),
  );
  await until(async () => seen.every((own) => own.size === names.length));
  stop.abort();
  await Promise.all(following);
  t.equal(
    told.reduce((sum, each) => sum + each),
    seen.length * names.length,
    'each sees each once',
  );
  t.ok(Math.max(...told) <= 150, `at most ${Math.max(...told)} in one turn`);
});

t.test('work queue: a key is looked at again after a failure, and when it was added meanwhile', async (t) => {
  const stop = new AbortController();
  const looked: string[] = [];
  const errors: unknown[] = [];
  const queue = new WorkQueue({
    signal: stop.signal,
    async reconcile(key) {
      looked.push(key);
      if (key === 'a' && looked.length === 1) {
        queue.add('a');
        queue.add('b');
        throw new Error('not yet');
      }
      return key !== 'b' || looked.filter((each) => each === 'b').length > 1;
    },
    onError: (_key, error) => errors.push(error),
  });
  queue.add('a');
  await until(async () => looked.filter((key) => key === 'b').length === 2 && looked.length >= 5);
  stop.abort();
  await queue.idle();
  t.same(errors.length, 1);
  t.same(looked.slice(0, 3), ['a', 'b', 'a']);
});
