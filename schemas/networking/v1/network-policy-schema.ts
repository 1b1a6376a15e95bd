/** The structs of NetworkPolicy. */
import { PROTOCOLS } from '../../core/v1/enums.js';
import { describe, int32, list, once, struct, text } from '../../fields.js';
import { intOrString } from '../../meta/scalars.js';
import { kubeObject, labelSelector } from '../../meta/v1.js';
import type { LabelSelector } from '../../validation/selectors.js';

const NETWORKING = 'io.k8s.api.networking.v1';

/** Sorted, as OpenAPI has them. */
const POLICY_TYPES = ['Egress', 'Ingress'];

const networkPolicyPort = once(() =>
  struct(
    `${NETWORKING}.NetworkPolicyPort`,
    {
      protocol: text({ enum: PROTOCOLS, description: 'TCP when absent.' }),
      port: describe(intOrString(), { description: 'Number, or name of a port of a pod; all when absent.' }),
      endPort: int32({ description: 'The last of a range that begins with port.' }),
    },
    { description: 'Ports that a rule is about.' },
  ),
);

const ipBlock = once(() =>
  struct(
    `${NETWORKING}.IPBlock`,
    {
      cidr: text({ default: '', description: 'Such as 192.168.1.0/24.' }),
      except: list(text(), { listType: 'atomic', description: 'Ranges within that do not count.' }),
    },
    { description: 'A range of addresses.', required: ['cidr'] },
  ),
);

const networkPolicyPeer = once(() =>
  struct(
    `${NETWORKING}.NetworkPolicyPeer`,
    {
      podSelector: describe(labelSelector(), {
        description: "Pods, of the policy's namespace or of those that namespaceSelector finds.",
      }),
      namespaceSelector: describe(labelSelector(), { description: 'Namespaces, all whose pods count.' }),
      ipBlock: describe(ipBlock(), { description: 'Not together with the other two.' }),
    },
    { description: 'The other end of a connection.' },
  ),
);

const networkPolicyIngressRule = once(() =>
  struct(
    `${NETWORKING}.NetworkPolicyIngressRule`,
    {
      ports: list(networkPolicyPort(), { listType: 'atomic', description: 'Of the pods; all when empty.' }),
      from: list(networkPolicyPeer(), { listType: 'atomic', description: 'Everyone when empty.' }),
    },
    { description: 'What may connect to the pods.' },
  ),
);

const networkPolicyEgressRule = once(() =>
  struct(
    `${NETWORKING}.NetworkPolicyEgressRule`,
    {
      ports: list(networkPolicyPort(), { listType: 'atomic', description: 'Of the others; all when empty.' }),
      to: list(networkPolicyPeer(), { listType: 'atomic', description: 'Everyone when empty.' }),
    },
    { description: 'What the pods may connect to.' },
  ),
);

const networkPolicySpec = once(() =>
  struct(
    `${NETWORKING}.NetworkPolicySpec`,
    {
      podSelector: describe(labelSelector(), {
        default: {},
        description: 'The pods that the policy is about; all of the namespace when empty.',
      }),
      ingress: list(networkPolicyIngressRule(), { listType: 'atomic' }),
      egress: list(networkPolicyEgressRule(), { listType: 'atomic' }),
      policyTypes: list(text({ enum: POLICY_TYPES, goType: 'v1.PolicyType' }), {
        listType: 'atomic',
        description: 'The directions in which nothing is allowed but what a rule allows.',
      }),
    },
    { description: 'Pods, and what is allowed of them.' },
  ),
);

export const DESCRIPTION = 'What may connect to some pods, and what they may connect to.';

export const networkPolicySchema = once(() =>
  kubeObject(
    `${NETWORKING}.NetworkPolicy`,
    { spec: describe(networkPolicySpec(), { default: {} }) },
    { description: DESCRIPTION },
  ),
);

export interface NetworkPolicyPort {
  protocol?: string;
  port?: number | string;
  endPort?: number;
}
export interface IPBlock {
  cidr?: string;
  except?: string[];
}
export interface NetworkPolicyPeer {
  podSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  ipBlock?: IPBlock;
}
export interface NetworkPolicySpec {
  podSelector?: LabelSelector;
  ingress?: { ports?: NetworkPolicyPort[]; from?: NetworkPolicyPeer[] }[];
  egress?: { ports?: NetworkPolicyPort[]; to?: NetworkPolicyPeer[] }[];
  policyTypes?: string[];
}
