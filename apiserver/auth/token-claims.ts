/** What service account tokens say (RFC 7519, and upstream's claims below `kubernetes.io`). Pure. */
import { type AccountIdentity, accountUserName, type Reference } from './service-account-user.js';

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

/** Who signs the tokens that lie in Secrets. */
export const LEGACY_ISSUER = 'kubernetes/serviceaccount';
const LEGACY = 'kubernetes.io/serviceaccount';

/** A token in a Secret: as long as it lies there, it is good. */
export interface LegacyTokenPlan {
  readonly namespace: string;
  readonly account: Reference;
  /** Name of the Secret. */
  readonly secret: string;
}

/** In the order in which Go prints them. */
export function legacyClaimsOf({ namespace, account, secret }: LegacyTokenPlan): Claims {
  return {
    iss: LEGACY_ISSUER,
    [`${LEGACY}/namespace`]: namespace,
    [`${LEGACY}/secret.name`]: secret,
    [`${LEGACY}/service-account.name`]: account.name,
    [`${LEGACY}/service-account.uid`]: account.uid,
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
  /** It lies in `secret`, of which it knows the name alone. */
  readonly isLegacy: boolean;
}

/** Undefined where the claims do not have the form of ours. */
export function readClaims(claims: unknown): ReadClaims | undefined {
  if (!isObject(claims)) return undefined;
  const own = claims['kubernetes.io'];
  // A server's own issuer may be called like that too.
  if (claims['iss'] === LEGACY_ISSUER && own === undefined) return readLegacyClaims(claims);
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
    isLegacy: false,
  };
}

function readLegacyClaims(claims: Fields): ReadClaims | undefined {
  const audiences = audiencesOf(claims['aud']);
  const plan = {
    namespace: textOf(claims[`${LEGACY}/namespace`]),
    secret: textOf(claims[`${LEGACY}/secret.name`]),
    account: {
      name: textOf(claims[`${LEGACY}/service-account.name`]),
      uid: textOf(claims[`${LEGACY}/service-account.uid`]),
    },
  };
  const isWhole = [plan.namespace, plan.secret, plan.account.name, plan.account.uid].every(Boolean);
  const isOfSubject = claims['sub'] === accountUserName(plan.namespace, plan.account.name);
  if (audiences === undefined || !isWhole || !isOfSubject) return undefined;
  return {
    ...plan,
    issuer: LEGACY_ISSUER,
    audiences,
    // Upstream looks at nothing else in them.
    notBefore: undefined,
    expires: undefined,
    issued: undefined,
    tokenId: '',
    secret: { name: plan.secret, uid: '' },
    isLegacy: true,
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
