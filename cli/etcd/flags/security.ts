import { file, list, positive } from '../../flags.js';
import type { EtcdFlag } from '../flag.js';
import { boolean, cipherSuites, text, tlsVersion } from '../values.js';

/** Where etcd's file has what is about one kind of port. */
const client = (key: string) => ['client-transport-security', key];
const peer = (key: string) => ['peer-transport-security', key];

const path = (name: string, description: string, fileKey: readonly string[]): EtcdFlag => ({
  name,
  value: 'file',
  description,
  parse: file,
  fileKey,
});
const onFlag = (name: string, description: string, fileKey?: readonly string[]): EtcdFlag => ({
  name,
  byDefault: 'false',
  description,
  parse: boolean,
  ...(fileKey && { fileKey }),
});

export const securityFlags: readonly EtcdFlag[] = [
  path('cert-file', 'certificate for the client urls, PEM', client('cert-file')),
  path('key-file', 'its private key, PEM', client('key-file')),
  path(
    'trusted-ca-file',
    'authorities that sign the certificates of clients, PEM',
    client('trusted-ca-file'),
  ),
  onFlag(
    'client-cert-auth',
    'let in only clients with a certificate of those authorities',
    client('client-cert-auth'),
  ),
  {
    name: 'client-cert-allowed-hostname',
    value: 'names',
    description: 'host names, one of which a client’s certificate must be for',
    parse: list,
    fileKey: client('allowed-hostname'),
  },
  path('client-crl-file', 'certificates of clients that are revoked, PEM or DER', client('client-crl-file')),
  onFlag(
    'auto-tls',
    'make a certificate for the client urls, if none is given; nobody can verify it',
    client('auto-tls'),
  ),
  path('peer-cert-file', 'certificate for the peer urls, PEM', peer('cert-file')),
  path('peer-key-file', 'its private key, PEM', peer('key-file')),
  path('peer-client-cert-file', 'certificate to show to other members, if another', peer('client-cert-file')),
  path('peer-client-key-file', 'its private key, PEM', peer('client-key-file')),
  path(
    'peer-trusted-ca-file',
    'authorities that sign the certificates of members, PEM',
    peer('trusted-ca-file'),
  ),
  onFlag(
    'peer-client-cert-auth',
    'let in only members with a certificate of those authorities',
    peer('client-cert-auth'),
  ),
  {
    name: 'peer-cert-allowed-cn',
    value: 'name',
    description: 'common name that a member’s certificate must have',
    parse: text,
    fileKey: peer('allowed-cn'),
  },
  {
    name: 'peer-cert-allowed-hostname',
    value: 'names',
    description: 'host names, one of which a member’s certificate must be for',
    parse: list,
    fileKey: peer('allowed-hostname'),
  },
  path('peer-crl-file', 'certificates of members that are revoked, PEM or DER', peer('client-crl-file')),
  onFlag(
    'peer-auto-tls',
    'make a certificate for the peer urls, if none is given; nobody can verify it',
    peer('auto-tls'),
  ),
  {
    name: 'self-signed-cert-validity',
    value: 'years',
    byDefault: '1',
    description: 'of the certificates that --auto-tls and --peer-auto-tls make',
    parse: positive,
  },
  {
    name: 'cipher-suites',
    value: 'names',
    description: 'of TLS up to 1.2, in Go’s names',
    parse: cipherSuites,
  },
  {
    name: 'tls-min-version',
    value: 'version',
    byDefault: 'TLS1.2',
    description: 'TLS1.2 or TLS1.3',
    parse: tlsVersion,
  },
  {
    name: 'tls-max-version',
    value: 'version',
    usual: 'the newest',
    description: 'TLS1.2 or TLS1.3',
    parse: tlsVersion,
  },
  {
    name: 'cors',
    value: 'origins',
    usual: 'none',
    description: 'web origins that may use the client urls; *: all',
    parse: list,
  },
  {
    name: 'host-whitelist',
    value: 'names',
    usual: 'on loopback, its names',
    description: 'Host headers that plain HTTP on loopback answers to, beside its own; *: all',
    parse: list,
  },
  {
    name: 'client-cert-file',
    value: 'file',
    description: 'certificate with which etcd’s JSON gateway calls its own server',
    parse: text,
    noMeaning: 'the JSON gateway is in the server',
    fileKey: client('client-cert-file'),
  },
  {
    name: 'client-key-file',
    value: 'file',
    description: 'its private key',
    parse: text,
    noMeaning: 'the JSON gateway is in the server',
    fileKey: client('client-key-file'),
  },
  {
    name: 'peer-skip-client-san-verification',
    description: 'do not compare a member’s address with its certificate',
    parse: boolean,
    noMeaning: 'a member’s certificate is verified by its authority, not by its address',
    fileKey: peer('skip-client-san-verification'),
  },
];
