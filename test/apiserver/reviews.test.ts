/** Questions about access, and acting as somebody else (Kubernetes' authorization API and user impersonation). */
import t from 'tap';
import type { Authorizer } from '../../apiserver/auth/authorize.js';
import type { RequestInfo, UserInfo } from '../../apiserver/request.js';
import { type Answer, serve, type Served } from './served-fixture.js';

const authorization = '/apis/authorization.k8s.io/v1';
const selfAccess = `${authorization}/selfsubjectaccessreviews`;
const selfRules = `${authorization}/selfsubjectrulesreviews`;
const access = `${authorization}/subjectaccessreviews`;
const localAccess = `${authorization}/namespaces/demo/localsubjectaccessreviews`;
const whoAmI = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

interface Asked {
  readonly user: UserInfo;
  readonly info: RequestInfo;
}

/** Says yes where `isAllowed` does, and remembers what it was asked. */
function remembering(isAllowed: (asked: Asked) => boolean): { authorizer: Authorizer; asked: Asked[] } {
  const asked: Asked[] = [];
  const authorizer: Authorizer = {
    authorize: (user, info) => {
      asked.push({ user, info });
      return { allowed: isAllowed({ user, info }), reason: 'for a test' };
    },
    rulesFor: ({ username }, namespace) => ({
      resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: [`${username} in ${namespace}`] }],
      nonResourceRules: [],
      incomplete: true,
      evaluationError: 'one role is missing',
    }),
  };
  return { authorizer, asked };
}

const isReview = ({ info }: Asked) => info.resource.endsWith('reviews');

t.test('access reviews ask the authorizer what the review asks', async (t) => {
  const { authorizer, asked } = remembering((asked) => isReview(asked) || asked.info.resource === 'pods');
  const server = await serve(t, { authorizer });
  const statusOf = async (path: string, spec: object) => {
    asked.length = 0;
    const answer = await server.ask(path, { body: { spec } });
    t.equal(answer.status, 201, answer.text);
    return answer.json['status'];
  };
  const resourceAttributes = {
    namespace: 'demo',
    verb: 'patch',
    group: 'apps',
    version: 'v1',
    resource: 'pods',
    subresource: 'scale',
    name: 'x',
  };
  t.same(await statusOf(selfAccess, { resourceAttributes }), { allowed: true, reason: 'for a test' });
  const [, question] = asked;
  t.equal(question?.user.username, 'wherry:admin');
  t.same(question?.info, { isResourceRequest: true, path: '', ...resourceAttributes });
  const nonResourceAttributes = { path: '/metrics', verb: 'get' };
  t.same(await statusOf(selfAccess, { nonResourceAttributes }), { allowed: false, reason: 'for a test' });
  t.match(asked[1]?.info, { isResourceRequest: false, path: '/metrics', verb: 'get' });
  const subject = { user: 'jane', groups: ['devs'], uid: 'u', extra: { scopes: ['a', 'b'] } };
  for (const path of [access, localAccess]) {
    t.match(await statusOf(path, { ...subject, resourceAttributes }), { allowed: true });
    t.same(asked[1]?.user, { username: 'jane', groups: ['devs'], uid: 'u', extra: { scopes: ['a', 'b'] } });
  }
  await statusOf(access, { groups: ['devs'], resourceAttributes: { verb: 'get', resource: 'secrets' } });
  t.match(asked[1], { user: { username: '', groups: ['devs'] }, info: { version: '*', namespace: '' } });
});

t.test('what access reviews refuse', async (t) => {
  const server = await serve(t);
  const resourceAttributes = { verb: 'get', resource: 'pods', namespace: 'demo' };
  const nonResourceAttributes = { path: '/x', verb: 'get' };
  const one = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  const nobody = 'spec.user: Invalid value: "": at least one of user or group must be specified';
  const both =
    'spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":"get"}: cannot be specified in combination with resourceAttributes';
  const elsewhere = { ...resourceAttributes, namespace: 'other' };
  const refusals: [path: string, body: object, problems: string][] = [
    [selfAccess, { spec: {} }, `spec.resourceAttributes: Invalid value: null: ${one}`],
    [selfAccess, { spec: { resourceAttributes, nonResourceAttributes } }, both],
    [
      selfAccess,
      { metadata: { name: 'x', uid: 'forgotten' }, spec: { resourceAttributes } },
      'metadata: Invalid value: {"name":"x"}: must be empty',
    ],
    [access, { spec: { resourceAttributes } }, nobody],
    [access, { spec: {} }, `[spec.resourceAttributes: Invalid value: null: ${one}, ${nobody}]`],
    [
      localAccess,
      { spec: { user: 'u', resourceAttributes: elsewhere } },
      'spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace',
    ],
    [
      localAccess,
      { spec: { user: 'u', nonResourceAttributes } },
      'spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":"get"}: disallowed on this kind of request',
    ],
    [
      localAccess,
      { metadata: { labels: { a: 'b' } }, spec: { user: 'u', resourceAttributes } },
      'metadata: Invalid value: {"namespace":"demo","labels":{"a":"b"}}: must be empty except for namespace',
    ],
  ];
  for (const [path, body, problems] of refusals) {
    const { status, json } = await server.ask(path, { body });
    const message = json.message.replace(/,"managedFields":\[.*\](?=\}:)/, '');
    t.same([status, message], [422, `.authorization.k8s.io "" is invalid: ${problems}`], path);
    t.match(json, { details: { group: 'authorization.k8s.io' } });
  }
  const other = await server.ask(localAccess, {
    body: { metadata: { namespace: 'other' }, spec: { user: 'u', resourceAttributes } },
  });
  t.equal(other.status, 400);
  const nowhere = `${authorization}/namespaces/none/localsubjectaccessreviews`;
  const spec = { user: 'u', resourceAttributes: { ...resourceAttributes, namespace: 'none' } };
  t.equal((await server.ask(nowhere, { body: { spec } })).status, 201, 'the namespace need not be there');
});

t.test('selectors in access reviews', async (t) => {
  const server = await serve(t);
  const problemsOf = async (attributes: object) => {
    const resourceAttributes = { verb: 'list', resource: 'pods', ...attributes };
    const { status, json } = await server.ask(selfAccess, { body: { spec: { resourceAttributes } } });
    const causes = (json as unknown as { details?: { causes: { field: string; message: string }[] } })
      .details;
    return status === 201 ? [] : (causes?.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
  };
  const path = 'spec.resourceAttributes';
  t.same(await problemsOf({ fieldSelector: { rawSelector: 'a=b' } }), []);
  t.same(await problemsOf({ labelSelector: { requirements: [{ key: 'a', operator: 'Sometime' }] } }), []);
  t.same(await problemsOf({ fieldSelector: {} }), [
    `${path}.fieldSelector.requirements: Required value: when ${path}.fieldSelector is specified, requirements or rawSelector is required`,
  ]);
  const requirements = [{ operator: 'In' }, { key: 'b', operator: 'Exists', values: ['x'] }];
  t.same(await problemsOf({ fieldSelector: { rawSelector: 'a=b', requirements } }), [
    `${path}.fieldSelector.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements`,
    `${path}.fieldSelector.requirements[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
    `${path}.fieldSelector.requirements[0].key: Required value: must be specified`,
    `${path}.fieldSelector.requirements[1].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
  ]);
  t.match(
    await problemsOf({ labelSelector: { requirements: [{ key: '-', operator: 'In', values: ['!'] }] } }),
    [
      /labelSelector.requirements\[0\].key: Invalid value: "-": /,
      /labelSelector.requirements\[0\].values\[0\]: Invalid value: "!": /,
    ],
  );
});

t.test('#196: rules reviews say what the authorizer says, of whoever asks', async (t) => {
  const { authorizer } = remembering(() => true);
  const server = await serve(t, { authorizer });
  const body = { metadata: { name: 'x' }, spec: { namespace: 'demo' } };
  const { json } = await server.ask(selfRules, { body, headers: { 'impersonate-user': 'jane' } });
  t.same(json, {
    kind: 'SelfSubjectRulesReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: {},
    spec: {},
    status: {
      resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['jane in demo'] }],
      nonResourceRules: [],
      incomplete: true,
      evaluationError: 'one role is missing',
    },
  });
  const none = await server.ask(selfRules, { body: { spec: {} } });
  t.same([none.status, none.json.message], [400, 'no namespace on request']);
});

interface ReviewedUser {
  readonly username: string;
  readonly uid?: string;
  readonly groups: string[];
  readonly extra?: Record<string, string[]>;
}

type Headers = Readonly<Record<string, string | string[]>>;

const asUser = (server: Served, headers: Headers): Promise<Answer> =>
  server.ask(whoAmI, { body: {}, headers });

async function userOf(server: Served, headers: Headers): Promise<ReviewedUser> {
  const answer = await asUser(server, headers);
  if (answer.status !== 201) throw new Error(answer.text);
  return (answer.json['status'] as { userInfo: ReviewedUser }).userInfo;
}

t.test('a SelfSubjectReview says who asks and when', async (t) => {
  const server = await serve(t);
  const { json } = await server.ask(whoAmI, { body: { metadata: { name: 'x' } } });
  t.match(json, {
    kind: 'SelfSubjectReview',
    status: { userInfo: { username: 'wherry:admin', groups: ['system:masters', 'system:authenticated'] } },
  });
  t.same(Object.keys(json.metadata), ['creationTimestamp']);
});

t.test('impersonation: who the headers make of a request', async (t) => {
  const server = await serve(t);
  const authenticated = 'system:authenticated';
  t.same(await userOf(server, { 'Impersonate-User': 'jane' }), { username: 'jane', groups: [authenticated] });
  t.same(
    await userOf(server, {
      'impersonate-user': 'jane',
      'impersonate-uid': 'u',
      'impersonate-group': ['devs, not ops', 'ops'],
      'impersonate-extra-acme.com%2fproject': ['a', 'b'],
      'impersonate-extra-dn': 'cn=jane',
    }),
    {
      username: 'jane',
      uid: 'u',
      groups: ['devs, not ops', 'ops', authenticated],
      extra: { 'acme.com/project': ['a', 'b'], dn: ['cn=jane'] },
    },
    'a header that comes twice has two values',
  );
  t.same((await userOf(server, { 'impersonate-user': 'system:serviceaccount:demo:default' })).groups, [
    'system:serviceaccounts',
    'system:serviceaccounts:demo',
    authenticated,
  ]);
  const grouped = { 'impersonate-user': 'system:serviceaccount:demo:default', 'impersonate-group': 'g' };
  t.same((await userOf(server, grouped)).groups, ['g', authenticated], 'groups are taken as they are given');
  t.same((await userOf(server, { 'impersonate-user': 'system:node:n' })).groups, [
    'system:nodes',
    authenticated,
  ]);
  const anonymous = { 'impersonate-user': 'system:anonymous' };
  t.same((await userOf(server, anonymous)).groups, ['system:unauthenticated']);
  const nobody = { 'impersonate-user': 'x', 'impersonate-group': 'system:unauthenticated' };
  t.same((await userOf(server, nobody)).groups, ['system:unauthenticated']);
  const masters = { 'impersonate-user': 'x', 'impersonate-group': 'system:masters' };
  t.same((await userOf(server, masters)).groups, ['system:masters', authenticated], 'by the oldest mode');
  const inherited = { 'impersonate-user': 'x', 'impersonate-extra-__proto__': 'y' };
  const { extra } = await userOf(server, inherited);
  t.same(Object.entries(extra ?? {}), [['__proto__', ['y']]]);
  const umlaut = Buffer.from('jürgen').toString('latin1');
  t.equal((await userOf(server, { 'impersonate-user': umlaut })).username, 'jürgen', 'UTF-8, as Go reads it');
});

t.test('impersonation: nobody is named', async (t) => {
  const server = await serve(t);
  const problemOf = async (headers: Headers) => {
    const { status, json } = await asUser(server, headers);
    t.equal(status, 400);
    return json.message;
  };
  t.equal(
    await problemOf({ 'impersonate-group': ['a', 'b'] }),
    'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"a", "b"}, Extra:map[string][]string(nil)} without impersonating a user name',
  );
  t.equal(
    await problemOf({ 'impersonate-uid': 'u', 'impersonate-extra-k': 'v' }),
    'requested &user.DefaultInfo{Name:"", UID:"u", Groups:[]string(nil), Extra:map[string][]string{"k":[]string{"v"}}} without impersonating a user name',
  );
  t.equal((await userOf(server, { 'impersonate-user': '' })).username, 'wherry:admin');
  t.equal((await userOf(server, { 'impersonate-other': 'x' })).username, 'wherry:admin');
});

t.test('impersonation: what the authorizer is asked (KEP-5284)', async (t) => {
  let isAllowed = (_info: RequestInfo) => true;
  const { authorizer, asked } = remembering(({ info }) => isAllowed(info));
  const server = await serve(t, { authorizer });
  const questionsOf = async (headers: Headers, token?: string) => {
    asked.length = 0;
    const answer = await server.ask(whoAmI, { body: {}, headers, ...(token === undefined ? {} : { token }) });
    const questions = asked
      .filter(({ info }) => info.verb.startsWith('impersonate'))
      .map(
        ({ info }) =>
          `${info.verb} ${info.group}/${info.resource}/${info.subresource}/${info.namespace}/${info.name}`,
      );
    return { answer, questions };
  };
  const on = (mode: string) => `impersonate-on:${mode}:create authentication.k8s.io/selfsubjectreviews///`;
  const jane = {
    'impersonate-user': 'jane',
    'impersonate-uid': 'u',
    'impersonate-group': 'g',
    'impersonate-extra-acme.com%2Fa': ['1', '2'],
  };
  t.same((await questionsOf(jane)).questions, [
    on('user-info'),
    'impersonate:user-info authentication.k8s.io/users///jane',
    'impersonate:user-info authentication.k8s.io/uids///u',
    'impersonate:user-info authentication.k8s.io/groups///g',
    'impersonate:user-info authentication.k8s.io/userextras/acme.com/a//1',
    'impersonate:user-info authentication.k8s.io/userextras/acme.com/a//2',
  ]);
  isAllowed = ({ verb }) => !verb.startsWith('impersonate-on:');
  t.same((await questionsOf(jane)).questions, [
    on('user-info'),
    'impersonate /users///jane',
    'impersonate authentication.k8s.io/uids///u',
    'impersonate /groups///g',
    'impersonate authentication.k8s.io/userextras/acme.com/a//1',
    'impersonate authentication.k8s.io/userextras/acme.com/a//2',
  ]);
  isAllowed = ({ name }) => name !== '*';
  const many = { 'impersonate-user': 'jane', 'impersonate-group': ['a', 'b', 'c', 'd'] };
  t.same(
    (await questionsOf(many)).questions.slice(2),
    ['*', 'a', 'b', 'c', 'd'].map((name) => `impersonate:user-info authentication.k8s.io/groups///${name}`),
    'all at once, else one by one',
  );
  isAllowed = () => true;
  const account = { 'impersonate-user': 'system:serviceaccount:demo:default' };
  t.same((await questionsOf(account)).questions, [
    on('serviceaccount'),
    'impersonate:serviceaccount authentication.k8s.io/serviceaccounts//demo/default',
  ]);
  t.same((await questionsOf({ 'impersonate-user': 'system:node:n' })).questions, [
    on('arbitrary-node'),
    'impersonate:arbitrary-node authentication.k8s.io/nodes///n',
  ]);
  const { token } = await nodeToken(server);
  t.same((await questionsOf({ 'impersonate-user': 'system:node:n' }, token)).questions, [
    on('associated-node'),
    'impersonate:associated-node authentication.k8s.io/nodes///*',
  ]);
  t.same(asked[0]?.user.extra, {
    'authentication.kubernetes.io/associated-node-keys': [
      'authentication.kubernetes.io/credential-id',
      'authentication.kubernetes.io/node-name',
      'authentication.kubernetes.io/pod-name',
      'authentication.kubernetes.io/pod-uid',
    ],
  });
});

/** Of a service account, for a pod on the node `n`. */
async function nodeToken({ ask, tokens }: Served): Promise<{ token: string }> {
  const spec = { containers: [{ name: 'c', image: 'i' }], nodeName: 'n' };
  const pod = await ask('/api/v1/namespaces/demo/pods', { body: { metadata: { name: 'p' }, spec } });
  const account = await ask('/api/v1/namespaces/demo/serviceaccounts/default');
  return tokens.issue({
    namespace: 'demo',
    account: { name: 'default', uid: account.json.metadata.uid ?? '' },
    bound: { pod: { name: 'p', uid: pod.json.metadata.uid ?? '' }, node: { name: 'n', uid: '' } },
    audiences: tokens.audiences,
    seconds: 600,
  });
}

t.test('impersonation: refusals name what was asked first', async (t) => {
  const { authorizer } = remembering(({ info }) => !info.verb.startsWith('impersonate'));
  const server = await serve(t, { authorizer });
  const refused = await asUser(server, { 'impersonate-user': 'jane' });
  t.equal(refused.status, 403);
  t.match(refused.json, {
    reason: 'Forbidden',
    message:
      'selfsubjectreviews.authentication.k8s.io is forbidden: User "wherry:admin" cannot impersonate-on:user-info:create resource "selfsubjectreviews" in API group "authentication.k8s.io" at the cluster scope: for a test',
  });
  const path = await server.ask('/metrics', { headers: { 'impersonate-user': 'jane' } });
  t.equal(
    path.json.message,
    'forbidden: User "wherry:admin" cannot impersonate-on:user-info:get path "/metrics": for a test',
  );
});

t.test('impersonation: what the newer modes refuse by themselves', async (t) => {
  const { authorizer } = remembering(
    ({ info }) =>
      !(info.verb === 'impersonate' && (info.resource === 'groups' || info.resource === 'userextras')),
  );
  const server = await serve(t, { authorizer });
  const why = async (headers: Headers) =>
    (await asUser(server, { 'impersonate-user': 'x', ...headers })).json.message.replace(
      /^.*at the cluster scope: /,
      '',
    );
  t.equal(await why({ 'impersonate-group': '' }), 'impersonating the empty string group is not allowed');
  t.equal(
    await why({ 'impersonate-group': 'system:masters' }),
    'impersonating the system:masters group is not allowed',
  );
  t.equal(
    await why({ 'impersonate-extra-plain': 'v' }),
    'impersonating an invalid key in extra is not allowed: extra.key: Invalid value: "plain": must be a domain-prefixed path (such as "acme.io/foo")',
  );
  t.equal(
    await why({ 'impersonate-extra-acme.com%2fa': '' }),
    'impersonating the empty string value in extra is not allowed',
  );
});
