/** The values that flags take. Each parser refuses with one line, which the command prints before it ends with 2. */
import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { controllerAliases, controllerNames } from '../apiserver/controllers/names.js';
import type { InitialMember } from '../storage/cluster/bootstrap.js';
import { addressOf, checkedUrls, UrlError } from '../storage/cluster/urls.js';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

const PORT_MAX = 65_535;

/** 0 turns the port off. */
export function port(value: string): number {
  const number = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number <= PORT_MAX)) throw new InvalidArgumentError(`It must be a number from 0 to ${PORT_MAX}.`);
  return number;
}

/** One that must be on. */
export function openPort(value: string): number {
  const number = port(value);
  if (number === 0) throw new InvalidArgumentError('It must not be 0.');
  return number;
}

export function positive(value: string): number {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : 0;
  if (number === 0) throw new InvalidArgumentError('It must be a whole number above 0.');
  return number;
}

/** 0, too. */
export function wholeNumber(value: string): number {
  const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new InvalidArgumentError('It must be a whole number.');
  return number;
}

export function ipAddress(value: string): string {
  if (isIP(value) === 0) throw new InvalidArgumentError('It must be an IP address.');
  return value;
}

export function directory(value: string): string {
  if (value === '') throw new InvalidArgumentError('It must not be empty.');
  return value;
}

/** Comma-separated; empty for none. */
export function list(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** kube-apiserver's: regular expressions that match somewhere in the origin, `//` and a port included. */
export function origins(value: string): string[] {
  const patterns = list(value);
  for (const pattern of patterns) {
    try {
      RegExp(pattern);
    } catch {
      throw new InvalidArgumentError(`${JSON.stringify(pattern)} is not a regular expression.`);
    }
  }
  return patterns;
}

/**
 * kube-controller-manager's: `*` is all that run by default, `name` one more, `-name` one less; the first mention of a
 * name counts. Gives the names to run.
 */
export function controllers(value: string): string[] {
  const items = list(value).map((item) => {
    const name = item.replace(/^-/, '');
    return item.slice(0, item.length - name.length) + (controllerAliases.get(name) ?? name);
  });
  for (const item of items) {
    if (item !== '*' && !controllerNames.includes(item.replace(/^-/, ''))) {
      throw new InvalidArgumentError(`${item} is none of *, ${controllerNames.join(', ')}.`);
    }
  }
  return controllerNames.filter((name) => {
    const mention = items.find((item) => item === name || item === `-${name}`);
    return mention === undefined ? items.includes('*') : mention === name;
  });
}

/** Comma-separated, of the form `http://host:port`; in order. */
export function urls(value: string): string[] {
  return refusing(() => checkedUrls(list(value)));
}

/** kube-apiserver's: comma-separated urls of etcd, tried in this order. */
export function etcdServers(value: string): string[] {
  const given = list(value);
  if (given.length === 0) throw new InvalidArgumentError('It must not be empty.');
  return refusing(() => given.map((url) => url.replace(/\/$/, '')).filter((url) => addressOf(url)));
}

/** What keys begin with: a path, given back without a slash at its end. */
export function keyRoot(value: string): string {
  const root = `/${value.replaceAll(/^\/+|\/+$/g, '')}`;
  if (root === '/') throw new InvalidArgumentError('It must not be empty.');
  return root;
}

/** Those to listen on: an address, or localhost. */
export function listenUrls(value: string): string[] {
  const given = urls(value);
  for (const url of given) {
    const { host } = addressOf(url);
    if (isIP(host) === 0 && host !== 'localhost') {
      throw new InvalidArgumentError(`expected IP in URL for binding (${url}).`);
    }
  }
  return given;
}

/** `name=url,name=url`; a name that comes again has one URL more. */
export function initialCluster(value: string): InitialMember[] {
  const byName = new Map<string, string[]>();
  for (const item of list(value)) {
    const [name, url] = splitOnce(item, '=');
    if (name === '' || url === undefined) {
      throw new InvalidArgumentError(`${JSON.stringify(item)} does not have the form name=url.`);
    }
    byName.set(name, [...(byName.get(name) ?? []), url]);
  }
  if (byName.size === 0) throw new InvalidArgumentError('It must not be empty.');
  return [...byName].map(([name, given]) => ({ name, peerUrls: refusing(() => checkedUrls(given)) }));
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const position = text.indexOf(separator);
  return position < 0 ? [text, undefined] : [text.slice(0, position), text.slice(position + 1)];
}

function refusing<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UrlError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}

/** A file's path. */
export const file = directory;

/** A member's name, which --initial-cluster has before an equals sign. */
export function memberName(value: string): string {
  if (value === '' || /[=,\s]/.test(value)) {
    throw new InvalidArgumentError('It must not be empty nor have an equals sign, a comma or a space.');
  }
  return value;
}

const CLUSTER_SIZE_MAX = 7;

/** A cluster of an even number fails as early as one with a member less, but is no mistake. */
export function clusterSize(value: string): number {
  const number = positive(value);
  if (number > CLUSTER_SIZE_MAX) throw new InvalidArgumentError(`It must be at most ${CLUSTER_SIZE_MAX}.`);
  return number;
}
