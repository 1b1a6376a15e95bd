/** What service account tokens say (RFC 7519, and upstream's claims below `kubernetes.io`). Pure. */
import { accountUserName, type AccountIdentity, type Reference } from './service-account-user.js';

/** Of the tokens that admission has mounted into pods; the odd number tells them from those somebody asked for. */
const MOUNTED_TOKEN_SECONDS = 3607;
/** So long those work in truth: clients that never read the file again get a year in place of a surprise. */
const MOUNTED_TOKEN_SECONDS_EXTENDED = 365 * 24 * 3600;

/** Objects without which a token is void: a pod (with its node, for information), a secret, or a node. */
export interface Bound {
  readonly pod?: Reference | undefined;
  readonly node?: Reference | undefined;
  readonly secret?: Reference | undefined;
}

export interface TokenPlan {
  readonly namespace: string;
  readonly account: Reference;
  readonly bound: Bound;
  readonly audiences: readonly string[];
  /** All of `audiences` are the API server's own. */
  readonly isForServer: boolean;
  readonly seconds: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly id: string;
  readonly issuer: string;
}

type Claims = Readonly<Record<string, unknown>>;

/** In the order in which Go prints them. */
export function claimsOf({ namespace, account, bound, audiences, id, issuer, ...plan }: TokenPlan): Claims {
  const now = Math.floor(plan.now / 1000);
  const isMounted = bound.pod !== undefined && plan.seconds === MOUNTED_TOKEN_SECONDS && plan.isForServer;
  const seconds = isMounted ? MOUNTED_TOKEN_SECONDS_EXTENDED : plan.seconds;
  return {
    aud: audiences,
    exp: now + seconds,
    iat: now,
    iss: issuer,
    jti: id,
    'kubernetes.io': {
      namespace,
      ...(bound.node === undefined ? {} : { node: referenceClaim(bound.node) }),
      ...(bound.pod === undefined ? {} : { pod: referenceClaim(bound.pod) }),
      ...(bound.secret === undefined ? {} : { secret: referenceClaim(bound.secret) }),
      serviceaccount: referenceClaim(account),
      ...(isMounted ? { warnafter: now + plan.seconds } : {}),
    },
    nbf: now,
    sub: accountUserName(namespace, account.name),
  };
}

const referenceClaim = ({ name, uid }: Reference) => (uid === '' ? { name } : { name, uid });

/** What a token of ours says. Times in seconds since the epoch. */
export interface ReadClaims extends AccountIdentity {
  readonly issuer: string;
  /** Empty where the token names none. */
  readonly audiences: readonly string[];
  readonly notBefore: number | undefined;
  readonly expires: number | undefined;
  readonly issued: number | undefined;
  readonly secret: Reference | undefined;
}

/** Undefined where the claims do not have the form of ours. */
export function readClaims(claims: unknown): ReadClaims | undefined {
  if (!isObject(claims)) return undefined;
  const own = claims['kubernetes.io'];
  const audiences = audiencesOf(claims['aud']);
  if (!isObject(own) || audiences === undefined) return undefined;
  const account = referenceOf(own['serviceaccount']);
  const namespace = own['namespace'];
  if (account === undefined || typeof namespace !== 'string') return undefined;
  return {
    issuer: textOf(claims['iss']),
    audiences,
    notBefore: secondsOf(claims['nbf']),
    expires: secondsOf(claims['exp']),
    issued: secondsOf(claims['iat']),
    tokenId: textOf(claims['jti']),
    namespace,
    account,
    pod: referenceOf(own['pod']),
    node: referenceOf(own['node']),
    secret: referenceOf(own['secret']),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const secondsOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

function referenceOf(value: unknown): Reference | undefined {
  return isObject(value) ? { name: textOf(value['name']), uid: textOf(value['uid']) } : undefined;
}

function audiencesOf(value: unknown): readonly string[] | undefined {
  if (value === undefined) return [];
  const audiences: readonly unknown[] = Array.isArray(value) ? value : [value];
  return audiences.every((audience) => typeof audience === 'string') ? audiences : undefined;
}
