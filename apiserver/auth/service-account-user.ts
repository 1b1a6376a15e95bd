/** Service accounts as users: their names and groups, and what is known of a pod that shows its account's token. */
import { dns1123Label, dns1123Subdomain } from '../../schemas/validation/names.js';
import type { UserInfo } from '../request.js';

const PREFIX = 'system:serviceaccount:';
const ALL_ACCOUNTS = 'system:serviceaccounts';
export const AUTHENTICATED = 'system:authenticated';

/** Keys of `UserInfo.extra`. */
const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id';
export const NODE_NAME = 'authentication.kubernetes.io/node-name';
const NODE_UID = 'authentication.kubernetes.io/node-uid';
const POD_NAME = 'authentication.kubernetes.io/pod-name';
const POD_UID = 'authentication.kubernetes.io/pod-uid';

/** An object that a token names. */
export interface Reference {
  readonly name: string;
  readonly uid: string;
}

export interface AccountIdentity {
  readonly namespace: string;
  readonly account: Reference;
  readonly pod?: Reference | undefined;
  readonly node?: Reference | undefined;
  /** `jti` of the token; '' where it has none. */
  readonly tokenId: string;
}

export const accountUserName = (namespace: string, name: string): string => `${PREFIX}${namespace}:${name}`;

export const accountGroups = (namespace: string): string[] => [ALL_ACCOUNTS, `${ALL_ACCOUNTS}:${namespace}`];

/** The service account of a user name; undefined where it is none. */
export function splitAccountUserName(
  userName: string,
): { readonly namespace: string; readonly name: string } | undefined {
  if (!userName.startsWith(PREFIX)) return undefined;
  const [namespace = '', name = '', more] = userName.slice(PREFIX.length).split(':');
  const isGood = dns1123Label(namespace).length === 0 && dns1123Subdomain(name).length === 0;
  return isGood && more === undefined ? { namespace, name } : undefined;
}

export function accountUser({ namespace, account, pod, node, tokenId }: AccountIdentity): UserInfo {
  // In the order in which Go prints a map.
  const extra: Record<string, readonly string[]> = {
    ...(tokenId === '' ? {} : { [CREDENTIAL_ID]: [`JTI=${tokenId}`] }),
    ...(node === undefined ? {} : { [NODE_NAME]: [node.name] }),
    ...(node === undefined || node.uid === '' ? {} : { [NODE_UID]: [node.uid] }),
    ...(pod === undefined ? {} : { [POD_NAME]: [pod.name], [POD_UID]: [pod.uid] }),
  };
  return {
    username: accountUserName(namespace, account.name),
    uid: account.uid,
    groups: [...accountGroups(namespace), AUTHENTICATED],
    extra,
  };
}
