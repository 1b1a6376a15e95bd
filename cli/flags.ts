/** The values that flags take. Each parser refuses with one line, which the command prints before it ends with 2. */
import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { controllerNames } from '../apiserver/controllers/names.js';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

const PORT_MAX = 65_535;

/** 0 turns the port off. */
export function port(value: string): number {
  const number = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number <= PORT_MAX)) throw new InvalidArgumentError(`It must be a number from 0 to ${PORT_MAX}.`);
  return number;
}

export function positive(value: string): number {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : 0;
  if (number === 0) throw new InvalidArgumentError('It must be a whole number above 0.');
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
  const items = list(value);
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
