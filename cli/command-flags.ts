/** The flags that commands share: what each takes, from the command line and from the environment, and says in --help. */
import { type Command, Option } from 'commander';
import { controllerNames } from '../apiserver/controllers/names.js';
import { etcdFlag } from './etcd/table.js';
import { boolean, durationFromZero } from './etcd/values.js';
import {
  controllers,
  directory,
  etcdServers,
  file,
  ipAddress,
  keyRoot,
  logLevels,
  origins,
  port,
} from './flags.js';

interface FlagShape {
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** What the value is called in --help. */
  readonly value: string;
  readonly description: string;
  /** As one would write it; undefined: none. */
  readonly byDefault?: string | number;
  readonly parse?: (value: string) => unknown;
}

/** A flag with a value, which also reads from the environment variable WHERRY_<FLAG>. */
export function flag({ name, short, value, description, byDefault, parse }: FlagShape): Option {
  const letter = short === undefined ? '' : `-${short}, `;
  const option = withEnvironment(new Option(`${letter}--${name} <${value}>`, description), name);
  if (parse !== undefined) option.argParser(parse);
  if (byDefault === undefined) return option;
  // A default goes the way a given value goes, and help shows it as one would write it.
  const text = String(byDefault);
  return option.default(parse === undefined ? byDefault : parse(text), text === '' ? 'none' : text);
}

/** A flag that is true where it stands without a value. `isOpen`: undefined where it does not stand, else false. */
export function onFlag(name: string, description: string, { isOpen = false } = {}): Option {
  const option = withEnvironment(new Option(`--${name} [bool]`, description), name);
  option.preset('true').argParser(boolean);
  return isOpen ? option : option.default(false, 'false');
}

function withEnvironment(option: Option, name: string): Option {
  return option.env(`WHERRY_${name.toUpperCase().replaceAll('-', '_')}`);
}

export const dataDirFlag = (description = 'where everything is kept; :memory: keeps nothing') =>
  flag({
    name: 'data-dir',
    value: 'dir',
    description,
    byDefault: './wherry-data',
    parse: directory,
  });

export const logLevelFlag = () =>
  flag({ name: 'log-level', value: 'level', description: 'how much to log', byDefault: 'info' }).choices(
    logLevels,
  );

export const portFlag = () =>
  flag({
    name: 'port',
    value: 'port',
    description: 'plain HTTP, on loopback only, as this machine’s administrator; 0: off',
    byDefault: 8080,
    parse: port,
  });

export const securePortFlag = () =>
  flag({
    name: 'secure-port',
    value: 'port',
    description: 'HTTPS with the server’s own CA; 0: off',
    byDefault: 6443,
    parse: port,
  });

export const bindAddressFlag = () =>
  flag({
    name: 'bind-address',
    value: 'ip',
    description: 'address of the secure port',
    byDefault: '127.0.0.1',
    parse: ipAddress,
  });

/** What an API server does beside listening. */
export function addApiFlags(command: Command): void {
  command
    .addOption(
      flag({
        name: 'controllers',
        value: 'list',
        description: `those to run, of ${controllerNames.join(', ')}; -name takes one out, empty runs none`,
        byDefault: '*',
        parse: controllers,
      }),
    )
    .addOption(
      flag({
        name: 'cors-allowed-origins',
        value: 'list',
        description: 'regular expressions of web origins to answer',
        byDefault: '',
        parse: origins,
      }),
    )
    .addOption(
      flag({
        name: 'etcd-compaction-interval',
        value: 'duration',
        description: 'history older than this is compacted, each time so much has passed; 0: never',
        byDefault: '5m',
        parse: durationFromZero,
      }),
    );
}

const storeFlags = [
  'max-request-bytes',
  'max-txn-ops',
  'heartbeat-interval',
  'election-timeout',
  'snapshot-count',
  'quota-backend-bytes',
  'auto-compaction-mode',
  'auto-compaction-retention',
  'corrupt-check-time',
  'compact-hash-check-time',
  'feature-gates',
];

/** Limits and times of a store, which all members of a cluster should have alike. */
export function addStoreFlags(command: Command): void {
  addEtcdFlags(command, storeFlags);
}

const memberFlags = [
  'name',
  'listen-peer-urls',
  'initial-advertise-peer-urls',
  'listen-client-urls',
  'advertise-client-urls',
  'initial-cluster',
  'initial-cluster-state',
  'initial-cluster-token',
  'cert-file',
  'key-file',
  'trusted-ca-file',
  'client-cert-auth',
  'client-cert-allowed-hostname',
  'client-crl-file',
  'auto-tls',
  'peer-cert-file',
  'peer-key-file',
  'peer-trusted-ca-file',
  'peer-client-cert-auth',
  'cipher-suites',
  'tls-min-version',
  'tls-max-version',
];

/** Who a member is and where it listens. */
export function addMemberFlags(command: Command): void {
  addEtcdFlags(command, memberFlags);
}

/** The etcd that an API server stands on, where it has none of its own. Named as kube-apiserver's. */
export function addEtcdClientFlags(command: Command, { isRequired }: { readonly isRequired: boolean }): void {
  const path = (name: string, description: string) =>
    command.addOption(flag({ name, value: 'file', description, parse: file }));
  const servers = flag({
    name: 'etcd-servers',
    value: 'urls',
    description: `the etcd to store everything in, of version 3.4 or newer${isRequired ? '' : '; none when absent'}`,
    parse: etcdServers,
  });
  command.addOption(servers.makeOptionMandatory(isRequired));
  path('etcd-cafile', 'authority that signs the certificates of etcd, PEM');
  path('etcd-certfile', 'certificate to show to etcd, PEM');
  path('etcd-keyfile', 'its private key, PEM');
  command.addOption(
    flag({
      name: 'etcd-prefix',
      value: 'prefix',
      description: 'what all keys in etcd begin with',
      byDefault: '/registry',
      parse: keyRoot,
    }),
  );
}

/** The first flag that was given and is a member's own; undefined: none. */
export function givenMemberFlag(command: Command): string | undefined {
  const names = new Set([...storeFlags, ...memberFlags]);
  const given = command.options.find((option) => {
    const source = command.getOptionValueSource(option.attributeName());
    return names.has(option.name()) && (source === 'cli' || source === 'env');
  });
  return given?.long;
}

/** Some of etcd's flags, as they are there. */
function addEtcdFlags(command: Command, names: readonly string[]): void {
  for (const name of names) {
    const { value, byDefault, description, parse } = etcdFlag(name);
    command.addOption(
      value === undefined
        ? onFlag(name, description)
        : flag({ name, value, description, parse, ...(byDefault !== undefined && { byDefault }) }),
    );
  }
}
