/** The values of etcd's flags that no other command has, in Go's forms. Each parser refuses with one line. */
import { InvalidArgumentError } from 'commander';
import { list } from '../flags.js';

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** As Go reads a boolean. */
export function boolean(value: string): boolean {
  if (TRUE.has(value)) return true;
  if (FALSE.has(value)) return false;
  throw new InvalidArgumentError('It must be true or false.');
}

export const text = (value: string): string => value;

export function integer(value: string): number {
  const number = /^[+-]?\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new InvalidArgumentError('It must be a whole number.');
  return number;
}

export function notNegative(value: string): number {
  const number = integer(value);
  if (number < 0) throw new InvalidArgumentError('It must not be negative.');
  return number;
}

export function oneOf<T extends string>(...choices: readonly T[]): (value: string) => T {
  return (value) => {
    const choice = choices.find((each) => each === value);
    if (choice === undefined) throw new InvalidArgumentError(`It must be one of ${choices.join(', ')}.`);
    return choice;
  };
}

/** Milliseconds in each of Go's units. */
const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);
const DURATION = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const DURATION_PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/** `1h30m`, `300ms`, as Go reads a duration; in milliseconds. */
export function duration(value: string): number {
  if (!DURATION.test(value)) {
    throw new InvalidArgumentError('It must be a duration such as 300ms, 5m or 1h30m.');
  }
  let ms = 0;
  for (const [, count, unit = ''] of value.matchAll(DURATION_PART)) {
    ms += Number(count) * (UNITS_MS.get(unit) ?? 0);
  }
  return value.startsWith('-') ? -ms : ms;
}

export function durationFromZero(value: string): number {
  const ms = duration(value);
  if (ms < 0) throw new InvalidArgumentError('It must not be negative.');
  return ms;
}

/** Node's words for TLS versions, by Go's. */
const TLS_VERSIONS = { 'TLS1.2': 'TLSv1.2', 'TLS1.3': 'TLSv1.3' } as const;
export type TlsVersion = (typeof TLS_VERSIONS)[keyof typeof TLS_VERSIONS];

/** The text is etcd's. */
export function tlsVersion(value: string): TlsVersion | undefined {
  if (value === '') return undefined;
  if (value === 'TLS1.2' || value === 'TLS1.3') return TLS_VERSIONS[value];
  throw new InvalidArgumentError(
    `unexpected TLS version ${JSON.stringify(value)} (must be one of: TLS1.2, TLS1.3).`,
  );
}

/** OpenSSL's names of the suites that both it and Go have, by Go's. */
const CIPHER_SUITES: ReadonlyMap<string, string> = new Map([
  ['TLS_RSA_WITH_AES_128_CBC_SHA', 'AES128-SHA'],
  ['TLS_RSA_WITH_AES_256_CBC_SHA', 'AES256-SHA'],
  ['TLS_RSA_WITH_AES_128_CBC_SHA256', 'AES128-SHA256'],
  ['TLS_RSA_WITH_AES_128_GCM_SHA256', 'AES128-GCM-SHA256'],
  ['TLS_RSA_WITH_AES_256_GCM_SHA384', 'AES256-GCM-SHA384'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', 'ECDHE-ECDSA-AES128-SHA'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', 'ECDHE-ECDSA-AES256-SHA'],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'ECDHE-RSA-AES128-SHA'],
  ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', 'ECDHE-RSA-AES256-SHA'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256', 'ECDHE-ECDSA-AES128-SHA256'],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', 'ECDHE-RSA-AES128-SHA256'],
  ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
  ['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
  ['TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384'],
  ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
]);

/** Comma-separated, in Go's names; gives OpenSSL's. The text is etcd's. */
export function cipherSuites(value: string): string[] {
  return list(value).map((name) => {
    const suite = CIPHER_SUITES.get(name);
    if (suite === undefined) {
      throw new InvalidArgumentError(`unexpected TLS cipher suite ${JSON.stringify(name)}.`);
    }
    return suite;
  });
}

/** Of etcd's gates those that change something here. */
const GATES = new Set(['InitialCorruptCheck', 'CompactHashCheck']);
/** Those that do not. */
export const IDLE_GATES: ReadonlySet<string> = new Set([
  'AllAlpha',
  'AllBeta',
  'DistributedTracing',
  'LeaseCheckpoint',
  'LeaseCheckpointPersist',
  'SetMemberLocalAddr',
  'StopGRPCServiceOnDefrag',
  'TxnModeWriteWithSharedBuffer',
]);

/** `Name=true,Name=false`. */
export function featureGates(value: string): ReadonlyMap<string, boolean> {
  return new Map(
    list(value).map((item) => {
      const [name = '', state] = item.split('=', 2);
      if (state === undefined) {
        throw new InvalidArgumentError(`${JSON.stringify(item)} does not have the form Name=true.`);
      }
      if (!GATES.has(name) && !IDLE_GATES.has(name)) {
        throw new InvalidArgumentError(`unrecognized feature gate: ${name}.`);
      }
      return [name, boolean(state)];
    }),
  );
}
