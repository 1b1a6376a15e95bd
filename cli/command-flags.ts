/** The flags that commands share: what each takes, from the command line and from the environment, and says in --help. */
import { type Command, Option } from 'commander';
import { controllerNames } from '../apiserver/controllers/names.js';
import {
  controllers,
  directory,
  file,
  initialCluster,
  ipAddress,
  listenUrls,
  logLevels,
  memberName,
  origins,
  plainListenUrls,
  port,
  positive,
  urls,
  yesOrNo,
} from './flags.js';

interface FlagShape {
  readonly name: string;
  /** What the value is called in --help. */
  readonly value: string;
  readonly description: string;
  /** As one would write it; undefined: none. */
  readonly byDefault?: string | number;
  readonly parse?: (value: string) => unknown;
}

/** A flag with a value, which also reads from the environment variable WHERRY_<FLAG>. */
export function flag({ name, value, description, byDefault, parse }: FlagShape): Option {
  const option = withEnvironment(new Option(`--${name} <${value}>`, description), name);
  if (parse !== undefined) option.argParser(parse);
  if (byDefault === undefined) return option;
  // A default goes the way a given value goes, and help shows it as one would write it.
  const text = String(byDefault);
  return option.default(parse === undefined ? byDefault : parse(text), text === '' ? 'none' : text);
}

/** A flag that is true where it stands without a value. */
function onFlag(name: string, description: string): Option {
  const option = withEnvironment(new Option(`--${name} [bool]`, description), name);
  return option.preset('true').argParser(yesOrNo).default(false, 'false');
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
    );
}

/** Limits and times of a store, which all members of a cluster should have alike. */
export function addStoreFlags(command: Command): void {
  const number = (name: string, value: string, description: string, byDefault: number) =>
    command.addOption(flag({ name, value, description, byDefault, parse: positive }));
  number('max-request-bytes', 'bytes', 'largest request to the store', 1_572_864);
  number('max-txn-ops', 'count', 'operations of one transaction at most', 128);
  number('heartbeat-interval', 'ms', 'between two signs of life of the leader', 100);
  number('election-timeout', 'ms', 'without a leader until another is elected; at least 5 heartbeats', 1000);
  number('snapshot-count', 'entries', 'kept in the log for members that are behind', 10_000);
}

/** Who a member is and where it listens. `listens`: it does where etcd does, if nothing else is said. */
export function addMemberFlags(command: Command, { listens }: { readonly listens: boolean }): void {
  const usual = (url: string) => (listens ? ` (default: ${url})` : '; none when absent');
  const many = (name: string, description: string, parse: (value: string) => unknown = urls) =>
    command.addOption(flag({ name, value: 'urls', description, parse }));
  command.addOption(
    flag({
      name: 'name',
      value: 'name',
      description: 'of this member',
      byDefault: 'default',
      parse: memberName,
    }),
  );
  many('listen-peer-urls', `where other members connect${usual('http://localhost:2380')}`, listenUrls);
  many('initial-advertise-peer-urls', 'this member’s peer urls as told to the others');
  many(
    'listen-client-urls',
    `where etcd’s clients connect${usual('http://localhost:2379')}`,
    plainListenUrls,
  );
  many('advertise-client-urls', 'this member’s client urls as told to the others');
  command
    .addOption(
      flag({
        name: 'initial-cluster',
        value: 'members',
        description:
          'name=url,name=url: all members of a new cluster, or of the one to join, this one included',
        parse: initialCluster,
      }),
    )
    .addOption(
      flag({
        name: 'initial-cluster-state',
        value: 'state',
        description: 'new, or existing to join one that this member was added to',
      }).choices(['new', 'existing']),
    )
    .addOption(
      flag({
        name: 'initial-cluster-token',
        value: 'token',
        description: 'tells clusters apart that have the same urls',
        byDefault: 'etcd-cluster',
      }),
    );
  const path = (name: string, description: string) =>
    command.addOption(flag({ name, value: 'file', description, parse: file }));
  path('peer-cert-file', 'certificate for the peer urls, PEM');
  path('peer-key-file', 'its private key, PEM');
  path('peer-trusted-ca-file', 'authority that signs the certificates of members, PEM');
  command.addOption(
    onFlag('peer-client-cert-auth', 'let in only members with a certificate of that authority'),
  );
}
