/** What each way of impersonating demands of who asks (Kubernetes' constrained impersonation, KEP-5284). Pure. */
import { dns1123Subdomain } from '../../schemas/validation/names.js';
import type { RequestInfo, UserInfo } from '../request.js';
import type { Wanted } from './impersonation.js';
import { accountGroups, NODE_NAME, splitAccountUserName } from './service-account-user.js';

/** One question to the authorizer, or what refuses without asking. */
export type Check =
  | {
      readonly request: RequestInfo;
      /** Asked one by one where the answer is no. */
      readonly instead?: readonly RequestInfo[];
    }
  | { readonly request: RequestInfo; readonly problem: string };

export interface Mode {
  /** Whether the mode knows such users, and who asks may use it at all. */
  applies(wanted: Wanted, requester: UserInfo): boolean;
  /** What is asked, in this order. */
  checks(wanted: Wanted, request: RequestInfo): Iterable<Check>;
  /** Those that such a user has whatever the headers say; undefined: those of the headers. */
  groups(wanted: Wanted): readonly string[] | undefined;
  /** Who asks, as the authorizer is shown them. */
  seenAs?(requester: UserInfo): UserInfo;
}

const NODE_USER_PREFIX = 'system:node:';
const NODES_GROUP = 'system:nodes';
const MASTERS_GROUP = 'system:masters';
const AUTHENTICATION_GROUP = 'authentication.k8s.io';
/** From so many on, one question about all comes before many about each. */
const MANY = 4;

function nodeOf(userName: string): string | undefined {
  if (!userName.startsWith(NODE_USER_PREFIX)) return undefined;
  const name = userName.slice(NODE_USER_PREFIX.length);
  return dns1123Subdomain(name).length === 0 ? name : undefined;
}

const isOnlyName = ({ uid, groups, extra }: Wanted): boolean =>
  uid === '' && groups.length === 0 && extra.size === 0;

type Question = Partial<Pick<RequestInfo, 'group' | 'namespace' | 'subresource'>> &
  Pick<RequestInfo, 'verb' | 'resource' | 'name'>;

const question = (asked: Question): RequestInfo => ({
  isResourceRequest: true,
  path: '',
  group: AUTHENTICATION_GROUP,
  version: 'v1',
  namespace: '',
  subresource: '',
  ...asked,
});

/** A mode that also says for what the other user may be used. */
function constrained(
  name: string,
  mode: Pick<Mode, 'applies' | 'groups' | 'seenAs'>,
  userCheck: (wanted: Wanted, verb: string) => RequestInfo,
): Mode {
  const verb = `impersonate:${name}`;
  return {
    ...mode,
    *checks(wanted, request) {
      yield { request: { ...request, verb: `impersonate-on:${name}:${request.verb}` } };
      yield { request: userCheck(wanted, verb) };
      yield* uidChecks(wanted, verb);
      yield* groupChecks(wanted, verb);
      yield* extraChecks(wanted, verb);
    },
  };
}

function* uidChecks({ uid }: Wanted, verb: string): Generator<Check> {
  if (uid !== '') yield { request: question({ verb, resource: 'uids', name: uid }) };
}

function* groupChecks({ groups }: Wanted, verb: string): Generator<Check> {
  const of = (name: string) => question({ verb, resource: 'groups', name });
  if (groups.includes('')) {
    yield { request: of(''), problem: 'impersonating the empty string group is not allowed' };
  }
  if (groups.includes(MASTERS_GROUP)) {
    const problem = 'impersonating the system:masters group is not allowed';
    yield { request: of(MASTERS_GROUP), problem };
  }
  const each = groups.map(of);
  if (groups.length >= MANY) yield { request: of('*'), instead: each };
  else for (const request of each) yield { request };
}

function* extraChecks({ extra }: Wanted, verb: string): Generator<Check> {
  const of = (subresource: string, name: string) =>
    question({ verb, resource: 'userextras', subresource, name });
  const problem = extraProblem(extra);
  if (problem !== undefined) yield { request: of('', ''), problem };
  const each = [...extra].flatMap(([key, values]) => values.map((value) => of(key, value)));
  if (each.length >= MANY) yield { request: of('*', '*'), instead: each };
  else for (const request of each) yield { request };
}

function extraProblem(extra: Wanted['extra']): string | undefined {
  for (const [key, values] of extra) {
    if (key === '') return 'impersonating the empty string key in extra is not allowed';
    const slash = key.indexOf('/');
    const [domain, path] = [key.slice(0, slash), key.slice(slash + 1)];
    if (slash < 1 || path === '' || dns1123Subdomain(domain).length > 0) {
      const why = 'must be a domain-prefixed path (such as "acme.io/foo")';
      const shown = JSON.stringify(key);
      return `impersonating an invalid key in extra is not allowed: extra.key: Invalid value: ${shown}: ${why}`;
    }
    if (values.includes('')) return 'impersonating the empty string value in extra is not allowed';
  }
  return undefined;
}

/** A service account acts as the node that its own pod runs on. Allowed for all nodes or none, so the name is not asked. */
const associatedNode = constrained(
  'associated-node',
  {
    applies: (wanted, requester) => {
      const [node, ...more] = requester.extra[NODE_NAME] ?? [];
      return (
        isOnlyName(wanted) &&
        more.length === 0 &&
        node !== undefined &&
        nodeOf(wanted.name) === node &&
        splitAccountUserName(requester.username) !== undefined
      );
    },
    groups: () => [NODES_GROUP],
    seenAs: (requester) => ({
      ...requester,
      extra: { 'authentication.kubernetes.io/associated-node-keys': Object.keys(requester.extra).sort() },
    }),
  },
  (_, verb) => question({ verb, resource: 'nodes', name: '*' }),
);

const arbitraryNode = constrained(
  'arbitrary-node',
  {
    applies: (wanted) => isOnlyName(wanted) && nodeOf(wanted.name) !== undefined,
    groups: () => [NODES_GROUP],
  },
  (wanted, verb) => question({ verb, resource: 'nodes', name: nodeOf(wanted.name) ?? '' }),
);

const accountGroupsOf = ({ name, groups }: Wanted): readonly string[] | undefined => {
  const account = groups.length === 0 ? splitAccountUserName(name) : undefined;
  return account === undefined ? undefined : accountGroups(account.namespace);
};

const serviceAccount = constrained(
  'serviceaccount',
  {
    applies: (wanted) => isOnlyName(wanted) && splitAccountUserName(wanted.name) !== undefined,
    groups: accountGroupsOf,
  },
  (wanted, verb) =>
    question({ verb, resource: 'serviceaccounts', name: '', ...splitAccountUserName(wanted.name) }),
);

/** Users that are neither nodes nor service accounts. */
const userInfo = constrained(
  'user-info',
  {
    applies: ({ name }) => nodeOf(name) === undefined && splitAccountUserName(name) === undefined,
    groups: () => undefined,
  },
  ({ name }, verb) => question({ verb, resource: 'users', name }),
);

/** As it was before there were modes: for everything the other user may do. */
const legacy: Mode = {
  applies: () => true,
  groups: accountGroupsOf,
  *checks(wanted) {
    const verb = 'impersonate';
    const account = splitAccountUserName(wanted.name);
    yield {
      request:
        account === undefined
          ? question({ verb, group: '', resource: 'users', name: wanted.name })
          : question({ verb, group: '', resource: 'serviceaccounts', ...account }),
    };
    yield* uidChecks(wanted, verb);
    for (const name of wanted.groups) {
      yield { request: question({ verb, group: '', resource: 'groups', name }) };
    }
    for (const [subresource, values] of wanted.extra) {
      for (const name of values) {
        yield { request: question({ verb, resource: 'userextras', subresource, name }) };
      }
    }
  },
};

/** In the order in which they are tried. */
export const modes: readonly Mode[] = [associatedNode, arbitraryNode, serviceAccount, userInfo, legacy];
