import { initialCluster, urls } from '../../flags.js';
import type { EtcdFlag } from '../flag.js';
import { boolean, duration, oneOf, text } from '../values.js';

const NO_DISCOVERY = 'there is no discovery service here; say who the members are with --initial-cluster';
const PART_OF_DISCOVERY = 'there is no discovery service here';

const discoveryPart = (name: string, description: string, rest: Partial<EtcdFlag> = {}): EtcdFlag => ({
  name,
  value: 'text',
  description,
  parse: text,
  noMeaning: PART_OF_DISCOVERY,
  ...rest,
});

export const clusteringFlags: readonly EtcdFlag[] = [
  {
    name: 'initial-advertise-peer-urls',
    value: 'urls',
    usual: 'those listened on',
    description: 'this member’s peer urls as told to the others',
    parse: urls,
  },
  {
    name: 'initial-cluster',
    value: 'members',
    usual: 'this member alone',
    description: 'name=url,name=url: all members of a new cluster, or of the one to join, this one included',
    parse: initialCluster,
  },
  {
    name: 'initial-cluster-state',
    value: 'state',
    usual: 'new',
    description: 'new, or existing to join one that this member was added to',
    parse: oneOf('new', 'existing'),
  },
  {
    name: 'initial-cluster-token',
    value: 'token',
    byDefault: 'etcd-cluster',
    description: 'tells clusters apart that have the same urls',
    parse: text,
  },
  {
    name: 'advertise-client-urls',
    value: 'urls',
    usual: 'those listened on',
    description: 'this member’s client urls as told to clients and to the others',
    parse: urls,
  },
  {
    name: 'strict-reconfig-check',
    description: 'refuse a change of members that could cost the quorum',
    parse: boolean,
    noMeaning: 'such a change is always refused',
  },
  {
    name: 'pre-vote',
    description: 'ask whether an election could be won before there is one',
    parse: boolean,
    noMeaning: 'it is always asked',
  },
  {
    name: 'auto-compaction-mode',
    value: 'mode',
    byDefault: 'periodic',
    description: 'periodic or revision: what the retention counts',
    parse: oneOf('periodic', 'revision'),
  },
  {
    name: 'auto-compaction-retention',
    value: 'length',
    byDefault: '0',
    description: 'history to keep: a duration (a bare number: hours), or a count of revisions; 0: all',
    parse: text,
  },
  {
    name: 'discovery',
    value: 'url',
    byDefault: '',
    description: 'service that tells who the members are',
    parse: text,
    refused: NO_DISCOVERY,
  },
  {
    name: 'discovery-srv',
    value: 'domain',
    byDefault: '',
    description: 'DNS domain that tells who the members are',
    parse: text,
    refused: NO_DISCOVERY,
  },
  {
    name: 'discovery-endpoints',
    value: 'urls',
    byDefault: '',
    description: 'etcd that tells who the members are',
    parse: text,
    refused: NO_DISCOVERY,
    fileKey: ['discovery-config', 'discovery-endpoints'],
  },
  {
    name: 'discovery-token',
    value: 'token',
    byDefault: '',
    description: 'of the cluster, at that etcd',
    parse: text,
    refused: NO_DISCOVERY,
    fileKey: ['discovery-config', 'discovery-token'],
  },
  discoveryPart('discovery-fallback', 'what to do when discovery fails'),
  discoveryPart('discovery-proxy', 'proxy on the way to the discovery service'),
  discoveryPart('discovery-srv-name', 'ending of the name looked up'),
  discoveryPart('discovery-dial-timeout', 'of the connection', { value: 'duration', parse: duration }),
  discoveryPart('discovery-request-timeout', 'of a request', { value: 'duration', parse: duration }),
  discoveryPart('discovery-keepalive-time', 'between pings', { value: 'duration', parse: duration }),
  discoveryPart('discovery-keepalive-timeout', 'of a ping', { value: 'duration', parse: duration }),
  onFlag('discovery-insecure-transport', 'speak without TLS'),
  onFlag('discovery-insecure-skip-tls-verify', 'trust any certificate'),
  discoveryPart('discovery-cert', 'client certificate', { value: 'file' }),
  discoveryPart('discovery-key', 'its private key', { value: 'file' }),
  discoveryPart('discovery-cacert', 'authority of the service', { value: 'file' }),
  discoveryPart('discovery-user', 'who asks', { value: 'name' }),
  discoveryPart('discovery-password', 'password of who asks'),
  {
    name: 'v2-deprecation',
    value: 'phase',
    description: 'what is left of the v2 API',
    parse: text,
    noMeaning: 'there is no v2 API',
  },
];

function onFlag(name: string, description: string): EtcdFlag {
  return { name, description, parse: boolean, noMeaning: PART_OF_DISCOVERY };
}
