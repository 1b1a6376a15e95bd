/** Tokens, acting as another, and the objects of roles; with the access rules of a server that allows everything. */
import type { Stories, Story } from './client-stories.js';

interface Claims {
  readonly sub: string;
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly 'kubernetes.io': {
    readonly secret?: { readonly name: string };
    readonly pod?: { readonly name: string };
  };
}

const claimsOf = (token: string): Claims =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;

const tokens: Story = async (user) => {
  await user.prints('create serviceaccount robot', 'serviceaccount/robot created');
  const token = (await user.prints('create token robot', '«word»')).trim();
  const claims = claimsOf(token);
  user.same(
    [claims.sub, claims.exp - claims.iat],
    ['system:serviceaccount:tokens:robot', 3600],
    'an hour for the account',
  );
  const short = claimsOf(
    (await user.run('create token robot --duration=10m --audience=a --audience=b')).stdout,
  );
  user.same([short.exp - short.iat, short.aud], [600, ['a', 'b']], 'as asked');
  await user.prints(
    'create token robot --duration=10m -o yaml',
    `
      apiVersion: authentication.k8s.io/v1
      kind: TokenRequest
      metadata:
        creationTimestamp: "«time»"
        name: robot
        namespace: tokens
      «lines»
      spec:
        audiences:
        - «some»
        boundObjectRef: null
        expirationSeconds: 600
      status:
        expirationTimestamp: "«time»"
        token: «word»
    `,
  );
  await user.prints('create secret generic bound', 'secret/bound created');
  const bound = claimsOf(
    (await user.run('create token robot --bound-object-kind=Secret --bound-object-name=bound')).stdout,
  );
  user.same(bound['kubernetes.io'].secret?.name, 'bound', 'to a secret');
  await user.fails('create token none', 'error: failed to create token: serviceaccounts "none" not found');
  await user.fails(
    'create token robot --duration=1m',
    'error: failed to create token: TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
  );
  await user.fails(
    'create token robot --bound-object-kind=Secret --bound-object-name=none',
    'error: failed to create token: secrets "none" not found',
  );
  await user.fails(
    'create token robot --bound-object-kind=Node2 --bound-object-name=none',
    'error: supported --bound-object-kind values are «some»',
  );
  // The token is who it says.
  const bare = `apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a, namespace: tokens}}]\nclusters: [{name: a, cluster: {server: "${user.server.secureUrl}", insecure-skip-tls-verify: true}}]\nusers: [{name: a, user: {token: ${token}}}]\n`;
  await user.file('robot.kubeconfig', bare);
  await user.prints('--kubeconfig=robot.kubeconfig get serviceaccount robot -o name', 'serviceaccount/robot');
  await user.prints(
    "--kubeconfig=robot.kubeconfig auth whoami -o jsonpath='{.status.userInfo.username} {.status.userInfo.groups}'",
    'system:serviceaccount:tokens:robot ["system:serviceaccounts","system:serviceaccounts:tokens","system:authenticated"]',
  );
  await user.prints('delete serviceaccount robot', `serviceaccount "robot" ${user.deleted}`);
  await user.fails(
    '--kubeconfig=robot.kubeconfig get serviceaccounts',
    'error: You must be logged in to the server (Unauthorized)',
  );
};

const impersonation: Story = async (user) => {
  const who =
    "-o jsonpath='{.status.userInfo.username} {.status.userInfo.uid} {.status.userInfo.groups} {.status.userInfo.extra}'";
  await user.prints(`auth whoami --as=bob ${who}`, 'bob  ["system:authenticated"] ');
  await user.prints(
    `auth whoami --as=bob --as-group=a --as-group=b --as-uid=7 ${who}`,
    'bob 7 ["a","b","system:authenticated"] ',
  );
  await user.prints(
    `auth whoami --as=system:serviceaccount:x:y ${who}`,
    'system:serviceaccount:x:y  ["system:serviceaccounts","system:serviceaccounts:x","system:authenticated"] ',
  );
  await user.prints(
    `auth whoami --as=system:anonymous ${who}`,
    'system:anonymous  ["system:unauthenticated"] ',
  );
  await user.prints('create configmap made --as=bob', 'configmap/made created');
  await user.prints('auth can-i create pods --as=bob --as-group=a', 'yes');
  await user.fails(
    'get configmaps --as-group=a',
    'error: requesting uid, groups or user-extra for wherry without impersonating a user',
  );
};

/** Names of what has no namespace are the story's own. */
const roles: Story = async (user) => {
  const made = (kind: string, name: string) => `${kind}.rbac.authorization.k8s.io/${name} created`;
  await user.prints(
    'create role reader --verb=get,list --resource=pods,deployments.apps --resource-name=one',
    made('role', 'reader'),
  );
  await user.prints('create clusterrole story-all --verb=* --resource=*.*', made('clusterrole', 'story-all'));
  await user.prints(
    'create clusterrole story-path --verb=get --non-resource-url=/healthz',
    made('clusterrole', 'story-path'),
  );
  await user.prints('create clusterrole story-sum --aggregation-rule=a=b', made('clusterrole', 'story-sum'));
  await user.prints(
    'create rolebinding readers --role=reader --user=bob --group=team',
    made('rolebinding', 'readers'),
  );
  await user.prints(
    'create clusterrolebinding story-all --clusterrole=story-all --serviceaccount=roles:robot',
    made('clusterrolebinding', 'story-all'),
  );
  await user.prints(
    'set subject rolebinding readers --user=ann',
    'rolebinding.rbac.authorization.k8s.io/readers subjects updated',
  );
  await user.prints(
    'get roles,rolebindings -o wide',
    `
      NAME                                    CREATED AT
      role.rbac.authorization.k8s.io/reader   «time»

      NAME                                            ROLE          AGE   USERS      GROUPS   SERVICEACCOUNTS
      rolebinding.rbac.authorization.k8s.io/readers   Role/reader   «age»    bob, ann   team     
    `,
  );
  await user.prints(
    'describe role reader',
    `
      Name:         reader
      Labels:       <none>
      Annotations:  <none>
      PolicyRule:
        Resources         Non-Resource URLs  Resource Names  Verbs
        ---------         -----------------  --------------  -----
        pods              []                 [one]           [get list]
        deployments.apps  []                 [one]           [get list]
    `,
  );
  await user.prints(
    'describe clusterrolebinding story-all',
    `
      Name:         story-all
      Labels:       <none>
      Annotations:  <none>
      Role:
        Kind:  ClusterRole
        Name:  story-all
      Subjects:
        Kind            Name   Namespace
        ----            ----   ---------
        ServiceAccount  robot  roles
    `,
  );
  const bound = await user.run('describe rolebinding readers');
  user.includes(
    bound.stdout,
    '  Kind   Name  Namespace\n  ----   ----  ---------\n  User   bob   \n  Group  team  \n  User   ann   \n',
    'a binding',
  );
  await user.prints(
    'describe clusterrole story-path',
    `
      Name:         story-path
      Labels:       <none>
      Annotations:  <none>
      PolicyRule:
        Resources  Non-Resource URLs  Resource Names  Verbs
        ---------  -----------------  --------------  -----
                   [/healthz]         []              [get]
    `,
  );
  await user.file(
    'role.yaml',
    'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader, namespace: roles}\nrules: [{apiGroups: [""], resources: [secrets], verbs: [list]}]\n',
  );
  await user.prints('auth reconcile -f role.yaml', 'role.rbac.authorization.k8s.io/reader reconciled', {
    stderr:
      '\treconciliation required update\n\tmissing rules added:\n\t\t{Verbs:[list] APIGroups:[] Resources:[secrets] ResourceNames:[] NonResourceURLs:[]}',
  });
  await user.prints(
    "get role reader -o jsonpath='{.rules[*].resources}'",
    '["pods"] ["deployments"] ["secrets"]',
  );
  await user.prints('create rolebinding early --role=none --user=x', made('rolebinding', 'early'));
  await user.fails(
    `patch rolebinding readers --type=merge -p '{"roleRef":{"name":"other"}}'`,
    'The RoleBinding "readers" is invalid: roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"other"}: cannot change roleRef',
  );
  await user.prints(
    'delete clusterrolebinding,clusterrole story-all',
    'clusterrolebinding.rbac.authorization.k8s.io "story-all" deleted\nclusterrole.rbac.authorization.k8s.io "story-all" deleted',
  );
  await user.prints(
    'create priorityclass story-high --value=1000 --description=high',
    'priorityclass.scheduling.k8s.io/story-high created',
  );
  await user.prints(
    'get priorityclass story-high',
    'NAME         VALUE   GLOBAL-DEFAULT   AGE   PREEMPTIONPOLICY\nstory-high   1000    false            «age»    PreemptLowerPriority',
  );
  await user.prints(
    'describe priorityclass story-high',
    `
      Name:              story-high
      Value:             1000
      GlobalDefault:     false
      PreemptionPolicy:  PreemptLowerPriority
      Description:       high
      Annotations:       <none>
      Events:            <none>
    `,
  );
};

export const ACCESS: Stories = { tokens, impersonation, roles };
