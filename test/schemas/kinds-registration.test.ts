/** Rules of webhooks, admission policies, API services and custom resource definitions, as kube-apiserver 1.36 has them. */
import t from 'tap';
import {
  mutatingAdmissionPolicyBindings,
  validatingAdmissionPolicyBindings,
} from '../../schemas/admissionregistration/v1/admission-policy-bindings.js';
import { mutatingAdmissionPolicies } from '../../schemas/admissionregistration/v1/mutating-admission-policy.js';
import { validatingAdmissionPolicies } from '../../schemas/admissionregistration/v1/validating-admission-policy.js';
import {
  mutatingWebhookConfigurations,
  validatingWebhookConfigurations,
} from '../../schemas/admissionregistration/v1/webhook-configurations.js';
import { apiServices } from '../../schemas/apiregistration/v1/api-service.js';
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import { parseGoUrl } from '../../schemas/validation/go-url.js';
import { create, messages, update } from './pipeline.js';

type Fields = Record<string, unknown>;

/** As the store has it. */
function stored(definition: ResourceDefinition, body: Fields): KubeObject {
  const { object, errors } = create(definition, body);
  if (object === undefined || errors.length > 0) throw new Error(JSON.stringify(errors));
  return object;
}

const cellsOf = (definition: ResourceDefinition, object: KubeObject): unknown[] =>
  definition.columns.filter(({ name }) => name !== 'Age').map(({ cell }) => cell(object, 0));

const hook = (fields: Fields = {}): Fields => ({
  name: 'a.b.c',
  clientConfig: { url: 'https://x' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...fields,
});
const configuration = (...webhooks: Fields[]): Fields => ({ metadata: { name: 'x' }, webhooks });

t.test('webhooks: what older releases stored may stay', (t) => {
  for (const definition of [validatingWebhookConfigurations, mutatingWebhookConfigurations]) {
    const good = stored(definition, configuration(hook()));
    /** Refusals of `webhooks` over others that the store has got from somewhere. */
    const over = (old: Fields[], ...webhooks: Fields[]): string[] =>
      messages(update(definition, { ...good, webhooks: old }, configuration(...webhooks)));

    const some = hook({ sideEffects: 'Some' });
    t.same(over([some], some), []);
    t.same(over([hook()], some), [
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    ]);
    const twice = 'webhooks[1].name: Duplicate value: "a.b.c"';
    t.same(over([hook(), hook()], hook(), hook()), []);
    t.same(over([hook()], hook(), hook()), [twice]);
    const unknown = hook({ admissionReviewVersions: ['v9'] });
    t.same(over([unknown], unknown), []);
    t.same(over([hook()], unknown), [
      'webhooks[0].admissionReviewVersions: Invalid value: ["v9"]: must include at least one of v1, v1beta1',
    ]);
    const expressions = [{ key: 'a', operator: 'In', values: ['_bad'] }];
    const selecting = hook({ objectSelector: { matchExpressions: expressions } });
    t.same(over([selecting], selecting), []);
    t.match(over([hook()], selecting), [/^webhooks\[0\].objectSelector.matchExpressions\[0\].values\[0\]: /]);
    const blank = hook({ matchConditions: [{ name: 'x', expression: ' ' }] });
    t.same(over([blank], blank), [], 'conditions that do not change');
    t.same(over([hook()], blank), ['webhooks[0].matchConditions[0].expression: Required value']);
  }
  t.end();
});

t.test('webhooks: at most 64 conditions, counted in the table', (t) => {
  const conditions = (count: number): Fields =>
    hook({
      matchConditions: Array.from({ length: count }, (_, i) => ({ name: `c${i}`, expression: 'true' })),
    });
  const made = (count: number) =>
    messages(create(validatingWebhookConfigurations, configuration(conditions(count))));
  t.same(made(64), []);
  t.same(made(65), ['webhooks[0].matchConditions: Too many: 65: must have at most 64 items']);
  const object = stored(mutatingWebhookConfigurations, configuration(hook(), hook({ name: 'd.e.f' })));
  t.same(cellsOf(mutatingWebhookConfigurations, object), ['x', 2]);
  t.same(cellsOf(validatingWebhookConfigurations, { ...object, webhooks: undefined }), ['x', 0]);
  t.end();
});

t.test('names that will be reserved are warned of', (t) => {
  const named = (name: string) => stored(validatingWebhookConfigurations, { metadata: { name } });
  const warnings = (name: string) => validatingWebhookConfigurations.strategy.warnings?.(named(name));
  t.same(warnings('x.static.k8s.io.example'), []);
  t.same(warnings('x.static.k8s.io'), [
    'metadata.name: names ending with ".static.k8s.io" will be reserved for static manifest-based configurations when the ManifestBasedAdmissionControlConfig feature gate is enabled',
  ]);
  t.end();
});

const resourceRules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];
const policy = (spec: Fields = {}): Fields => ({
  metadata: { name: 'x' },
  spec: { matchConstraints: { resourceRules }, validations: [{ expression: 'true' }], ...spec },
});

t.test('policies: conditions are looked at when they, or the parameters, change', (t) => {
  const blank = [{ name: 'x', expression: ' ' }];
  const good = stored(validatingAdmissionPolicies, policy());
  const old = { ...good, spec: { ...(good['spec'] as Fields), matchConditions: blank } };
  const over = (spec: Fields) => messages(update(validatingAdmissionPolicies, old, policy(spec)));
  const refused = ['spec.matchConditions[0].expression: Required value'];
  t.same(over({ matchConditions: blank }), []);
  t.same(over({ matchConditions: [...blank, { name: 'y', expression: 'true' }] }), refused);
  t.same(over({ matchConditions: blank, paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } }), refused);
  t.end();
});

t.test('policies: what can be noted is limited', (t) => {
  const refusals = (auditAnnotations: Fields[]) =>
    messages(create(validatingAdmissionPolicies, policy({ validations: [], auditAnnotations })));
  const notes = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ key: `k${i}`, valueExpression: "'x'" }));
  t.same(refusals(notes(20)), []);
  t.match(refusals(notes(21)), [/^spec.auditAnnotations: .* must not have more than 20 auditAnnotations$/]);
  t.same(refusals([{ key: 'k', valueExpression: 'x'.repeat(5120) }]), []);
  t.same(refusals([{ key: 'k', valueExpression: 'x'.repeat(5121) }]), [
    'spec.auditAnnotations[0].valueExpression: Required value: must not exceed 5120 bytes in length',
  ]);
  const nothing = 'validations or auditAnnotations must contain at least one item';
  t.same(refusals([]), [
    `spec.validations: Required value: ${nothing}`,
    `spec.auditAnnotations: Required value: ${nothing}`,
  ]);
  t.end();
});

t.test('policies: a status says how expressions were understood, and sets nothing else', (t) => {
  const old = stored(validatingAdmissionPolicies, {
    ...policy(),
    metadata: { name: 'x', labels: { a: '1' } },
    status: { observedGeneration: 7 },
  });
  t.same(old['status'], {}, 'a status comes later');
  const status = {
    observedGeneration: 1,
    typeChecking: { expressionWarnings: [{ fieldRef: 'spec.validations[0].expression', warning: 'w' }] },
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        lastTransitionTime: '2026-01-01T00:00:00Z',
        reason: 'Ok',
        message: '',
      },
    ],
  };
  const written = (body: Fields) => update(validatingAdmissionPolicies, old, body, 'status');
  const { object, errors } = written({ metadata: { name: 'x', annotations: { b: '2' } }, status });
  t.same(errors, []);
  t.match(object, { metadata: { labels: { a: '1' } }, spec: old['spec'], status });
  t.equal(object?.metadata.annotations, undefined);

  const bad = { type: '', status: 'Maybe', observedGeneration: -1, reason: '1', message: '' };
  const refusals = messages(
    written({
      metadata: { name: 'x' },
      status: { typeChecking: { expressionWarnings: [{}] }, conditions: [bad, { ...bad, reason: '' }] },
    }),
  );
  t.match(refusals, [
    'status.typeChecking.expressionWarnings[0].warning: Required value',
    'status.typeChecking.expressionWarnings[0].fieldRef: Required value',
    'status.conditions[0].type: Invalid value: "": name part must be non-empty',
    /^status.conditions\[0\].type: /,
    'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
    'status.conditions[0].observedGeneration: Invalid value: -1: must be greater than or equal to zero',
    'status.conditions[0].lastTransitionTime: Required value: must be set',
    /^status.conditions\[0\].reason: Invalid value: "1": a condition reason must start with alphabetic/,
    'status.conditions[1].type: Duplicate value: ""',
  ]);
  t.ok(refusals.includes('status.conditions[1].reason: Required value: must be set'));
  t.end();
});

t.test('policies: tables show where parameters come from', (t) => {
  const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' };
  const bare = stored(validatingAdmissionPolicies, policy());
  t.same(cellsOf(validatingAdmissionPolicies, bare), ['x', 1, '<unset>']);
  const mutating = stored(mutatingAdmissionPolicies, {
    metadata: { name: 'y' },
    spec: {
      paramKind,
      matchConstraints: { resourceRules },
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }],
      reinvocationPolicy: 'Never',
    },
  });
  t.same(cellsOf(mutatingAdmissionPolicies, mutating), ['y', 1, 'v1/ConfigMap']);

  const bound = (paramRef?: Fields): unknown => {
    const ref = paramRef && { parameterNotFoundAction: 'Deny', ...paramRef };
    const spec = { policyName: 'p', paramRef: ref };
    const mutated = stored(mutatingAdmissionPolicyBindings, { metadata: { name: 'b' }, spec });
    const validated = stored(validatingAdmissionPolicyBindings, {
      metadata: { name: 'b' },
      spec: { ...spec, validationActions: ['Deny'] },
    });
    const cells = cellsOf(mutatingAdmissionPolicyBindings, mutated);
    t.same(cellsOf(validatingAdmissionPolicyBindings, validated), cells);
    t.same(cells.slice(0, 2), ['b', 'p']);
    return cells[2];
  };
  t.equal(bound(), '<unset>');
  t.equal(bound({ name: 'n' }), '*/n');
  t.equal(bound({ name: 'n', namespace: 'ns' }), 'ns/n');
  const matchExpressions = [{ key: 'k', operator: 'In', values: ['v', 'w'] }];
  t.equal(
    bound({ selector: { matchLabels: { b: '2', a: '1' }, matchExpressions } }),
    '&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:k,Operator:In,Values:[v w],},},}',
  );
  t.end();
});

t.test('APIService: this server is always available, others are what their status says', (t) => {
  const served = (spec: Fields) =>
    create(apiServices, {
      metadata: { name: 'v1.a.b', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { group: 'a.b', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1, ...spec },
    });
  const local = served({}).object;
  const remote = served({ service: { namespace: 'n', name: 's' } }).object;
  if (local === undefined || remote === undefined) throw new Error('not decoded');
  t.match(local['status'], { conditions: [{ lastTransitionTime: '2026-01-01T00:00:00Z' }] });
  t.same(cellsOf(apiServices, local), ['v1.a.b', 'Local', 'True']);
  t.same(cellsOf(apiServices, remote), ['v1.a.b', 'n/s', 'Unknown']);
  const saying = (condition: Fields) =>
    cellsOf(apiServices, { ...remote, status: { conditions: [{ type: 'Available', ...condition }] } })[2];
  t.equal(saying({ status: 'False' }), 'False');
  t.equal(saying({ status: 'False', reason: 'MissingEndpoints' }), 'False (MissingEndpoints)');
  t.equal(saying({ status: 'True', reason: 'Passed' }), 'True');

  t.same(messages(served({ service: {} })), [
    'spec.service.namespace: Required value',
    'spec.service.name: Required value',
  ]);
  const unsure = { service: { namespace: 'n', name: 's' }, caBundle: 'QQ==', insecureSkipTLSVerify: true };
  t.same(messages(served(unsure)), [
    'spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present',
  ]);
  const status = (status: Fields) =>
    messages(update(apiServices, remote, { metadata: remote.metadata, status }, 'status'));
  t.same(status({ conditions: [{ type: 'Available', status: 'True' }] }), []);
  t.same(status({ conditions: [{ type: 'Available', status: '' }] }), [
    'status.conditions[0].status: Unsupported value: "": supported values: "True", "False", "Unknown"',
  ]);
  t.end();
});

t.test("URLs are taken apart as Go's net/url does", (t) => {
  const url = { scheme: 'https', host: 'a:1', user: undefined, query: '', fragment: '' };
  t.same(parseGoUrl('HTTPS://a:1/b'), url);
  t.same(parseGoUrl('https://u:p@[::1]:9/?a=b#c'), {
    ...url,
    host: '[::1]:9',
    user: 'u:p',
    query: 'a=b',
    fragment: 'c',
  });
  t.same(parseGoUrl('a/b'), { ...url, scheme: '', host: '' });
  t.same(parseGoUrl('mailto:x'), { ...url, scheme: 'mailto', host: '' });
  t.equal(parseGoUrl('://x'), 'parse "://x": missing protocol scheme');
  t.equal(parseGoUrl('1:2'), 'parse "1:2": first path segment in URL cannot contain colon');
  t.equal(parseGoUrl('https://a:b'), 'parse "https://a:b": invalid port ":b" after host');
  t.equal(parseGoUrl('https://[::1'), 'parse "https://[::1": missing \']\' in host');
  t.equal(parseGoUrl('https://a/%2'), 'parse "https://a/%2": invalid URL escape "%2"');
  t.equal(parseGoUrl('https://a b@c'), 'parse "https://a b@c": net/url: invalid userinfo');
  t.equal(parseGoUrl('a\n'), 'parse "a\\n": net/url: invalid control character in URL');
  t.end();
});
