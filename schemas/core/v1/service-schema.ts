/** The structs of Service. */
import { bool, describe, int32, list, map, once, struct, text } from '../../fields.js';
import { intOrString } from '../../meta/scalars.js';
import { condition, kubeObject } from '../../meta/v1.js';
import { PROTOCOLS } from './enums.js';

const CORE = 'io.k8s.api.core.v1';

const servicePort = once(() =>
  struct(
    `${CORE}.ServicePort`,
    {
      name: text({ omitEmpty: true, description: 'Needed where there is more than one port.' }),
      protocol: text({ default: 'TCP', enum: PROTOCOLS, omitEmpty: true }),
      appProtocol: text({ description: 'What is spoken on it, such as kubernetes.io/h2c.' }),
      port: int32({ default: 0, description: 'Where the service listens.' }),
      targetPort: describe(intOrString(), { description: 'Number or name of the port on the pods.' }),
      nodePort: int32({
        omitEmpty: true,
        description: 'Where every node listens, of NodePort and LoadBalancer.',
      }),
    },
    { description: 'One port of a service.', required: ['port'] },
  ),
);

const clientIPConfig = once(() =>
  struct(
    `${CORE}.ClientIPConfig`,
    { timeoutSeconds: int32({ description: 'How long a client stays with a pod.' }) },
    { description: 'Affinity by client address.' },
  ),
);

const sessionAffinityConfig = once(() =>
  struct(
    `${CORE}.SessionAffinityConfig`,
    { clientIP: clientIPConfig() },
    { description: 'Details of session affinity.' },
  ),
);

const serviceSpec = once(() =>
  struct(
    `${CORE}.ServiceSpec`,
    {
      ports: list(servicePort(), {
        listType: 'map',
        listMapKeys: ['port', 'protocol'],
        patchStrategy: 'merge',
        patchMergeKey: 'port',
      }),
      selector: map(text(), {
        mapType: 'atomic',
        description: 'Labels of the pods behind it; absent when someone else writes its endpoints.',
      }),
      clusterIP: text({ omitEmpty: true, description: 'First of clusterIPs; None for a headless service.' }),
      clusterIPs: list(text(), {
        listType: 'atomic',
        description: 'Addresses within the cluster, at most one of each IP family.',
      }),
      type: text({ omitEmpty: true, enum: ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'] }),
      externalIPs: list(text(), { listType: 'atomic', description: 'Addresses that nodes accept for it.' }),
      sessionAffinity: text({ omitEmpty: true, enum: ['ClientIP', 'None'] }),
      loadBalancerIP: text({ omitEmpty: true, description: 'Deprecated.' }),
      loadBalancerSourceRanges: list(text(), {
        listType: 'atomic',
        description: 'Clients that the load balancer lets in.',
      }),
      externalName: text({
        omitEmpty: true,
        description: 'The DNS name that it stands for, of ExternalName.',
      }),
      externalTrafficPolicy: text({
        omitEmpty: true,
        enum: ['Cluster', 'Local'],
        description: 'Whether traffic from outside may go to pods on other nodes.',
      }),
      healthCheckNodePort: int32({ omitEmpty: true }),
      publishNotReadyAddresses: bool({ omitEmpty: true, description: 'Pods count before they are ready.' }),
      sessionAffinityConfig: sessionAffinityConfig(),
      ipFamilies: list(text({ enum: ['', 'IPv4', 'IPv6'] }), { listType: 'atomic' }),
      ipFamilyPolicy: text({ enum: ['PreferDualStack', 'RequireDualStack', 'SingleStack'] }),
      allocateLoadBalancerNodePorts: bool({
        description: 'False where the load balancer needs no node ports.',
      }),
      loadBalancerClass: text({ description: 'Which implementation of load balancer.' }),
      internalTrafficPolicy: text({
        enum: ['Cluster', 'Local'],
        description: 'Whether traffic from within may go to pods on other nodes.',
      }),
      trafficDistribution: text({ description: 'Which pods to prefer, such as PreferSameZone.' }),
    },
    { description: 'How the service is reached, and what is behind it.' },
  ),
);

const portStatus = once(() =>
  struct(
    `${CORE}.PortStatus`,
    {
      port: int32({ default: 0 }),
      protocol: text({ default: '', enum: PROTOCOLS }),
      error: text({ description: 'Why the port could not be opened.' }),
    },
    { description: 'State of one port of a load balancer.', required: ['port', 'protocol'] },
  ),
);

const loadBalancerIngress = once(() =>
  struct(
    `${CORE}.LoadBalancerIngress`,
    {
      ip: text({ omitEmpty: true }),
      hostname: text({ omitEmpty: true }),
      ipMode: text({ description: 'VIP or Proxy.' }),
      ports: list(portStatus(), { listType: 'atomic' }),
    },
    { description: 'A way in through a load balancer.' },
  ),
);

const loadBalancerStatus = once(() =>
  struct(
    `${CORE}.LoadBalancerStatus`,
    { ingress: list(loadBalancerIngress(), { listType: 'atomic' }) },
    { description: 'State of a load balancer.' },
  ),
);

const serviceStatus = once(() =>
  struct(
    `${CORE}.ServiceStatus`,
    {
      loadBalancer: describe(loadBalancerStatus(), { default: {} }),
      conditions: list(condition(), {
        listType: 'map',
        listMapKeys: ['type'],
        patchStrategy: 'merge',
        patchMergeKey: 'type',
      }),
    },
    { description: 'What is known of the service.' },
  ),
);

export const service = once(() =>
  kubeObject(
    `${CORE}.Service`,
    {
      spec: describe(serviceSpec(), { default: {} }),
      status: describe(serviceStatus(), { default: {} }),
    },
    { description: 'One name and address for a set of pods.' },
  ),
);
