/** Rules of Service, with cases of our own. Texts are those that kube-apiserver 1.36 gives. */
import t from 'tap';
import {
  heldClusterIPs,
  heldNodePorts,
  needsClusterIP,
  needsHealthCheckNodePort,
  needsNodePort,
  type ServiceSpec,
} from '../../schemas/core/v1/service-fields.js';
import { services } from '../../schemas/core/v1/service.js';
import type { KubeObject } from '../../schemas/definition.js';
import { create, messages, type Outcome, update } from './pipeline.js';

const body = (spec: object, metadata: object = {}) => ({ metadata: { name: 'x', ...metadata }, spec });
const ports = [{ port: 80 }];

const refusals = (spec: object, metadata: object = {}): string[] =>
  messages(create(services, body(spec, metadata)));

/** A stored service, with the address and node ports that an allocator would have picked. */
function stored(spec: object): KubeObject {
  const { object, errors } = create(services, body(spec));
  if (object === undefined || errors.length > 0) throw new Error(JSON.stringify(errors));
  const stored = specOf(object);
  if (needsClusterIP(object)) Object.assign(stored, { clusterIP: '10.0.0.7', clusterIPs: ['10.0.0.7'] });
  for (const [i, port] of (stored.ports ?? []).entries())
    if (needsNodePort(object, port)) port.nodePort = 30_000 + i;
  if (needsHealthCheckNodePort(object)) stored.healthCheckNodePort = 31_000;
  return object;
}

const specOf = (object: KubeObject | undefined): ServiceSpec => object?.['spec'] as ServiceSpec;
const put = (old: KubeObject, spec: object, subresource?: string): Outcome =>
  update(services, old, body(spec), subresource);

t.test('Service: each type gets the defaults that it needs', (t) => {
  const spec = (given: object) => specOf(create(services, body({ ports, ...given })).object);
  t.match(spec({}), {
    type: 'ClusterIP',
    sessionAffinity: 'None',
    internalTrafficPolicy: 'Cluster',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
  });
  t.notOk('externalTrafficPolicy' in spec({}));
  t.equal(spec({ externalIPs: ['1.2.3.4'] }).externalTrafficPolicy, 'Cluster');
  t.match(spec({ type: 'LoadBalancer' }), {
    allocateLoadBalancerNodePorts: true,
    externalTrafficPolicy: 'Cluster',
  });
  t.same(spec({ ports: [{ port: 80, targetPort: 'http', protocol: 'UDP' }] }).ports, [
    { protocol: 'UDP', port: 80, targetPort: 'http' },
  ]);
  t.same(spec({ sessionAffinity: 'ClientIP' }).sessionAffinityConfig, {
    clientIP: { timeoutSeconds: 10_800 },
  });
  t.notOk('sessionAffinityConfig' in spec({ sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } }));
  t.end();
});

t.test('Service: clusterIP stands for clusterIPs of older clients', (t) => {
  const headless = specOf(create(services, body({ clusterIP: 'None', selector: { a: 'b' } })).object);
  t.match(headless, {
    clusterIP: 'None',
    clusterIPs: ['None'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
  });
  const foreign = specOf(create(services, body({ clusterIP: 'None' })).object);
  t.match(
    foreign,
    { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' },
    'endpoints from elsewhere may be of both families',
  );
  t.same(refusals({ clusterIP: 'None' }), [], 'a headless service needs no ports');
  t.end();
});

t.test('Service: cluster IPs and families are checked together', (t) => {
  const refused = (spec: object) => refusals({ ports, ...spec });
  t.same(refused({ clusterIPs: ['10.0.0.1'] }), [
    'spec.clusterIPs: Invalid value: ["10.0.0.1"]: must be empty when `clusterIP` is not specified',
  ]);
  t.same(refused({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.2'] }), [
    'spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`',
  ]);
  t.same(refused({ clusterIP: 'abc' }), [
    'spec.clusterIPs[0]: Invalid value: "abc": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ]);
  t.same(refused({ clusterIP: 'None', clusterIPs: ['None', '10.0.0.1'] }), [
    'spec.clusterIPs: Invalid value: ["None","10.0.0.1"]: \'None\' must be the first and only value',
  ]);
  t.same(refused({ clusterIP: 'fd00::1' }), [
    'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
  ]);
  t.same(refused({ ipFamilies: ['IPv6'] }), [
    'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  ]);
  t.same(refused({ ipFamilyPolicy: 'RequireDualStack' }), [
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  ]);
  t.same(refused({ ipFamilyPolicy: 'PreferDualStack' }), []);
  t.same(refused({ ipFamilyPolicy: 'Odd' }), [
    'spec.ipFamilyPolicy: Unsupported value: "Odd": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
  ]);
  t.end();
});

t.test('Service: ports have names, numbers and protocols, each once', (t) => {
  const refused = (...list: object[]) => refusals({ ports: list });
  t.same(refused({ name: 'a', port: 1 }, { name: 'a', port: 2 }), [
    'spec.ports[1].name: Duplicate value: "a"',
  ]);
  t.same(refused({ port: 0 }), [
    'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
    'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
  ]);
  t.same(refused({ port: 65_535 }), []);
  t.same(refused({ port: 80, protocol: 'ICMP' }), [
    'spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
  ]);
  t.match(refused({ port: 80, targetPort: 'no_name' }), [
    /^spec\.ports\[0\]\.targetPort: Invalid value: "no_name": must contain only/,
  ]);
  t.same(refused({ name: 'a', port: 80 }, { name: 'b', port: 80 }), [
    'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
  ]);
  t.same(
    refused({ name: 'a', port: 53 }, { name: 'b', port: 53, protocol: 'UDP' }),
    [],
    'once for each protocol',
  );
  t.same(refused({ port: 80, nodePort: 30_000 }), [
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ]);
  const twice = [
    { name: 'a', port: 1, nodePort: 30_000 },
    { name: 'b', port: 2, nodePort: 30_000 },
  ];
  t.same(refusals({ type: 'NodePort', ports: twice }), ['spec.ports[1].nodePort: Duplicate value: 30000']);
  t.end();
});

t.test('Service: fields of a type are refused with another', (t) => {
  const refused = (spec: object) => refusals({ ports, ...spec });
  t.same(
    refused({
      type: 'ExternalName',
      externalName: 'db.example.com.',
      clusterIP: '10.0.0.1',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    }),
    [
      'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
      'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
      'spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services',
    ],
  );
  t.same(refused({ type: 'NodePort', clusterIP: 'None', selector: { a: 'b' } }), [
    'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
  ]);
  t.same(
    refused({
      allocateLoadBalancerNodePorts: true,
      loadBalancerClass: 'x',
      loadBalancerSourceRanges: ['10.0.0.0/8'],
    }),
    [
      "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
    ],
  );
  t.same(refused({ externalTrafficPolicy: 'Local' }), [
    'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
  ]);
  t.same(refused({ type: 'NodePort', externalTrafficPolicy: 'Local', healthCheckNodePort: 31_000 }), [
    "spec.healthCheckNodePort: Invalid value: 31000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
  ]);
  t.same(refusals({ type: 'LoadBalancer', ports: [{ port: 10_250 }] }), [
    'spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet',
  ]);
  t.end();
});

t.test('Service: policies and affinity have their values', (t) => {
  const refused = (spec: object) => refusals({ ports, ...spec });
  t.same(refused({ internalTrafficPolicy: 'Odd' }), [
    'spec.internalTrafficPolicy: Unsupported value: "Odd": supported values: "Cluster", "Local"',
  ]);
  t.same(refused({ trafficDistribution: 'PreferSameZone' }), []);
  t.match(refused({ trafficDistribution: 'Odd' }), [/^spec\.trafficDistribution: Unsupported value: "Odd"/]);
  t.same(refused({ sessionAffinity: 'Odd' }), [
    'spec.sessionAffinity: Unsupported value: "Odd": supported values: "ClientIP", "None"',
  ]);
  const affinity = (timeoutSeconds: number) =>
    refused({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds } } });
  t.same(affinity(86_400), []);
  t.same(affinity(86_401), [
    'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
  ]);
  t.same(affinity(0).length, 1);
  t.match(refused({ externalIPs: ['127.0.0.1'] }), [
    /^spec\.externalIPs\[0\]: Invalid value: "127\.0\.0\.1": may not be in the loopback range/,
  ]);
  t.end();
});

t.test('Service: a replacement keeps what was picked, by port name', (t) => {
  const old = stored({
    type: 'NodePort',
    ports: [
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
    ],
  });
  const { object, errors } = put(old, {
    type: 'NodePort',
    ports: [
      { name: 'b', port: 3 },
      { name: 'c', port: 4 },
    ],
  });
  t.same(errors, []);
  t.match(specOf(object), {
    clusterIP: '10.0.0.7',
    clusterIPs: ['10.0.0.7'],
    ports: [{ name: 'b', nodePort: 30_001 }, { name: 'c' }],
  });
  t.notOk(specOf(object).ports?.[1]?.nodePort, 'a new port has none yet');
  const taken = put(old, {
    type: 'NodePort',
    ports: [
      { name: 'a', port: 1 },
      { name: 'x', port: 2, nodePort: 30_000 },
    ],
  });
  t.notOk(specOf(taken.object).ports?.[0]?.nodePort, 'a node port moved to another port is not given twice');
  t.end();
});

t.test('Service: the address does not change, and follows the field that was changed', (t) => {
  const old = stored({ ports });
  const other = '10.0.0.8';
  const once = `spec.clusterIPs[0]: Invalid value: ["${other}"]: may not change once set`;
  t.same(messages(put(old, { ports, clusterIP: other, clusterIPs: ['10.0.0.7'] })), [once]);
  t.same(messages(put(old, { ports, clusterIP: other, clusterIPs: [other] })), [once]);
  const none = put(old, { ports, clusterIP: 'None', clusterIPs: ['10.0.0.7'] });
  t.same(messages(none), ['spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set']);
  t.end();
});

t.test('Service: a change of type drops what only the old type had', (t) => {
  const full = {
    type: 'LoadBalancer',
    ports,
    externalTrafficPolicy: 'Local',
    loadBalancerClass: 'example.com/lb',
  };
  const old = stored(full);
  t.match(specOf(old), { healthCheckNodePort: 31_000 });
  const same = specOf(old);

  const { object, errors } = put(old, { ...same, type: 'ClusterIP' });
  t.same(errors, []);
  for (const field of [
    'externalTrafficPolicy',
    'healthCheckNodePort',
    'allocateLoadBalancerNodePorts',
    'loadBalancerClass',
  ]) {
    t.notOk(field in specOf(object), field);
  }
  t.notOk(specOf(object).ports?.[0]?.nodePort);
  t.equal(specOf(object).clusterIP, '10.0.0.7');

  const external = put(old, { ...same, type: 'ExternalName', externalName: 'e.example.com' });
  t.same(external.errors, []);
  for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'])
    t.notOk(field in specOf(external.object), field);
  const explicit = put(old, { ...same, type: 'ClusterIP', externalTrafficPolicy: 'Cluster' });
  t.equal(explicit.errors.length, 1, 'a field that was changed as well is refused');
  t.end();
});

t.test('Service: the class and the health check port stay', (t) => {
  const old = stored({ type: 'LoadBalancer', ports, externalTrafficPolicy: 'Local', loadBalancerClass: 'a' });
  t.same(messages(put(old, { ...specOf(old), loadBalancerClass: 'b', healthCheckNodePort: 31_001 })), [
    'spec.loadBalancerClass: Invalid value: "b": may not change once set',
    'spec.healthCheckNodePort: Forbidden: field is immutable',
  ]);
  t.end();
});

t.test('Service: the status of a load balancer', (t) => {
  const status = (type: string, ingress: object[]) => {
    const old = stored({ type, ports });
    return update(services, old, { ...body({}), status: { loadBalancer: { ingress } } }, 'status');
  };
  t.same(messages(status('ClusterIP', [{ ip: '1.2.3.4' }])), [
    "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
  ]);
  t.match(
    messages(
      status('LoadBalancer', [
        { ip: 'x', ipMode: 'VIP' },
        { ipMode: 'VIP' },
        { hostname: '1.2.3.4' },
        { ip: '1.2.3.4', ipMode: 'Odd' },
      ]),
    ),
    [
      /^status\.loadBalancer\.ingress\[0\]\.ip: Invalid value: "x"/,
      'status.loadBalancer.ingress[1].ipMode: Forbidden: may not be specified when `ip` is not set',
      'status.loadBalancer.ingress[2].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
      'status.loadBalancer.ingress[3].ipMode: Unsupported value: "Odd": supported values: "Proxy", "VIP"',
    ],
  );
  t.same(messages(put(stored({ ports }), { ports })), []);
  t.end();
});

t.test('Service: what an allocator must pick, and what a service holds', (t) => {
  const of = (spec: object) => create(services, body({ ports, ...spec })).object as KubeObject;
  const questions = (spec: object) => {
    const object = of(spec);
    return [
      needsClusterIP(object),
      needsNodePort(object, specOf(object).ports?.[0] ?? {}),
      needsHealthCheckNodePort(object),
    ];
  };
  t.same(questions({}), [true, false, false]);
  t.same(questions({ clusterIP: '10.0.0.9' }), [false, false, false]);
  t.same(questions({ clusterIP: 'None' }), [false, false, false]);
  t.same(questions({ type: 'ExternalName', externalName: 'e' }), [false, false, false]);
  t.same(questions({ type: 'NodePort' }), [true, true, false]);
  t.same(questions({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' }), [true, true, true]);
  t.same(questions({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false }), [true, false, false]);
  const shared = [
    { name: 'a', port: 1, nodePort: 30_000 },
    { name: 'b', port: 1, nodePort: 30_000, protocol: 'UDP' },
  ];
  t.same(heldNodePorts(of({ type: 'NodePort', ports: shared })), [30_000]);
  t.same(heldClusterIPs(of({ clusterIP: '10.0.0.9' })), ['10.0.0.9']);
  t.same(heldClusterIPs(of({ clusterIP: 'None' })), []);
  t.end();
});

t.test('Service: warnings for what has no effect, is deprecated, or is written unusually', (t) => {
  const warnings = (spec: object) =>
    services.strategy.warnings?.(create(services, body({ ports, ...spec })).object as KubeObject);
  t.same(warnings({}), []);
  t.same(warnings({ clusterIP: 'None', externalIPs: ['1.2.3.4'] }), [
    'spec.externalIPs is ignored for headless services',
  ]);
  t.same(warnings({ externalName: 'e' }), [
    'spec.externalName is ignored when spec.type is not "ExternalName"',
  ]);
  t.same(warnings({ externalIPs: ['1.2.3.4', '2001:DB8::1'] }), [
    'spec.externalIPs[1]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
    'spec.externalIPs is deprecated',
  ]);
  const balancer = {
    type: 'LoadBalancer',
    loadBalancerIP: 'FD00::1',
    loadBalancerSourceRanges: ['FD00::/8'],
  };
  t.same(warnings(balancer), [
    'spec.loadBalancerIP: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
    'spec.loadBalancerSourceRanges[0]: IPv6 CIDR value "FD00::/8" should be in RFC 5952 canonical format ("fd00::/8")',
  ]);
  t.same(warnings({ trafficDistribution: 'PreferClose' }), [
    'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
  ]);
  t.end();
});
