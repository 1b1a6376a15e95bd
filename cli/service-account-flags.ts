/** How tokens of service accounts are signed and checked. Named as kube-apiserver's. */
import { type Command, InvalidArgumentError } from 'commander';
import { flag } from './command-flags.js';
import { file, list } from './flags.js';

/** As the command line gives them. */
export interface ServiceAccountFlags {
  /** The first signs; the others are believed too. */
  readonly serviceAccountIssuer: readonly string[];
  /** Empty: the issuers. */
  readonly apiAudiences: readonly string[];
  /** Undefined: a key in the store. */
  readonly serviceAccountSigningKeyFile?: string;
  readonly serviceAccountKeyFile?: readonly string[];
}

const DEFAULT_ISSUER = 'https://kubernetes.default.svc';

export function addServiceAccountFlags(command: Command): void {
  const flags = [
    flag({
      name: 'service-account-issuer',
      value: 'urls',
      description: 'who issues service account tokens; the first signs, all are believed',
      byDefault: DEFAULT_ISSUER,
      parse: issuers,
    }),
    flag({
      name: 'api-audiences',
      value: 'list',
      description: 'names of this server in tokens; none: the issuers',
      byDefault: '',
      parse: list,
    }),
    flag({
      name: 'service-account-signing-key-file',
      value: 'file',
      description: 'private key of service account tokens, PEM; one in the store when absent',
      parse: file,
    }),
    flag({
      name: 'service-account-key-file',
      value: 'files',
      description: 'more keys that service account tokens are believed by, PEM',
      parse: list,
    }),
  ];
  for (const option of flags) command.addOption(option);
}

/** kube-apiserver's rule: a name, or what has a colon is a URL. */
function issuers(value: string): string[] {
  const given = list(value);
  if (given.length === 0) throw new InvalidArgumentError('It must not be empty.');
  for (const issuer of given) {
    if (issuer.includes(':') && !URL.canParse(issuer)) {
      throw new InvalidArgumentError(`${JSON.stringify(issuer)} has a colon and is no URL.`);
    }
  }
  return given;
}

/** For another process. */
export function serviceAccountArguments({
  serviceAccountSigningKeyFile: signing,
  serviceAccountKeyFile: verifying,
  ...flags
}: ServiceAccountFlags): Readonly<Record<string, string>> {
  return {
    'service-account-issuer': flags.serviceAccountIssuer.join(','),
    'api-audiences': flags.apiAudiences.join(','),
    ...(signing === undefined ? {} : { 'service-account-signing-key-file': signing }),
    ...(verifying === undefined ? {} : { 'service-account-key-file': verifying.join(',') }),
  };
}
