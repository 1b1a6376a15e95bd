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
import { customResourceDefinitions } from '../../schemas/apiextensions/v1/custom-resource-definition.js';
import { STRUCTS_SHOWN_MAX } from '../../schemas/apiextensions/v1/internal-print.js';
import { apiServices } from '../../schemas/apiregistration/v1/api-service.js';
import { decodeObject } from '../../schemas/decode.js';
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

const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const version = (fields: Fields = {}): Fields => ({
  name: 'v1',
  served: true,
  storage: true,
  schema: { openAPIV3Schema: open },
  ...fields,
});
const definition = (spec: Fields = {}, metadata: Fields = {}): Fields => ({
  metadata: { name: 'tabs.a.example', ...metadata },
  spec: {
    group: 'a.example',
    scope: 'Namespaced',
    names: { plural: 'tabs', kind: 'Tab' },
    versions: [version()],
    ...spec,
  },
});
const schemaRefusals = (schema: Fields): string[] =>
  messages(
    create(
      customResourceDefinitions,
      definition({ versions: [version({ schema: { openAPIV3Schema: schema } })] }),
    ),
  );

t.test('CustomResourceDefinition: a write keeps the versions that objects may be stored in', (t) => {
  const old = stored(customResourceDefinitions, definition({}, { labels: { a: '1' } }));
  t.same(old['status'], {
    conditions: null,
    acceptedNames: { plural: '', kind: '' },
    storedVersions: ['v1'],
  });
  t.match(old['spec'], { names: { singular: 'tab', listKind: 'TabList' }, conversion: { strategy: 'None' } });
  const [v1, v2] = [version({ storage: false }), version({ name: 'v2' })];
  const moved = update(customResourceDefinitions, old, definition({ versions: [v1, v2] }));
  t.same(messages(moved), []);
  t.match(moved.object?.['status'], { storedVersions: ['v1', 'v2'] });
  t.same(messages(update(customResourceDefinitions, old, definition({ versions: [v2] }))), [
    'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
  ]);
  t.same(cellsOf(customResourceDefinitions, { ...old, metadata: { name: 'x', creationTimestamp: 'T' } }), [
    'x',
    'T',
  ]);

  const names = { plural: 'Tabs', kind: 'Tab' };
  const body = { metadata: { name: 'tabs.a.example' }, spec: {}, status: { acceptedNames: names } };
  const status = update(customResourceDefinitions, old, body, 'status');
  t.same(status.object?.['spec'], old['spec']);
  t.match(messages(status), [/^status.acceptedNames.plural: Invalid value: "Tabs": a DNS-1035 label/]);
  t.end();
});

t.test('CustomResourceDefinition: what names the stored objects does not change', (t) => {
  const old = stored(customResourceDefinitions, definition());
  const changes = { scope: 'Cluster', names: { plural: 'tablets', kind: 'Tablet' }, group: 'b.example' };
  const over = (before: KubeObject) =>
    messages(update(customResourceDefinitions, before, definition(changes)));
  const always = [
    'spec.group: Invalid value: "b.example": field is immutable',
    'spec.names.plural: Invalid value: "tablets": field is immutable',
  ];
  t.same(over(old), always);
  const conditions = [{ type: 'Established', status: 'True' }];
  t.same(over({ ...old, status: { ...(old['status'] as Fields), conditions } }), [
    'spec.scope: Invalid value: "Cluster": field is immutable',
    'spec.names.kind: Invalid value: "Tablet": field is immutable',
    ...always,
  ]);
  t.end();
});

t.test('CustomResourceDefinition: what older releases stored may stay', (t) => {
  const good = stored(customResourceDefinitions, definition());
  /** Refusals of a schema over itself, and over a good one, where unknown fields are kept as in old times. */
  const over = (schema: Fields | undefined): readonly string[][] => {
    const spec = {
      preserveUnknownFields: true,
      versions: [version({ schema: { openAPIV3Schema: schema } })],
    };
    const body = definition(spec);
    const holding = (versions: unknown) => ({
      ...good,
      spec: { ...(good['spec'] as Fields), preserveUnknownFields: true, versions },
    });
    return [holding(spec.versions), holding([version()])].map((old) =>
      messages(update(customResourceDefinitions, old, body)),
    );
  };
  t.same(over(undefined), [
    [],
    ['spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required'],
  ]);
  const [kept, refused] = over({ properties: { a: { type: 'text' } } });
  t.same(kept, []);
  t.same(refused, [
    'spec.validation.openAPIV3Schema.type: Required value: must not be empty at the root',
    'spec.validation.openAPIV3Schema.properties[a].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"',
  ]);
  const set = {
    ...open,
    properties: {
      a: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object', nullable: true } },
    },
  };
  t.same(over(set), [
    [],
    [
      'spec.validation.openAPIV3Schema.properties[a].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set',
      'spec.validation.openAPIV3Schema.properties[a].items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is set',
    ],
  ]);
  t.end();
});

t.test('CustomResourceDefinition: groups of the community need an approval', (t) => {
  const field = 'metadata.annotations[api-approved.kubernetes.io]';
  const needed = 'protected groups must have approval annotation "api-approved.kubernetes.io"';
  const proposal = 'see https://github.com/kubernetes/enhancements/pull/1111';
  const approved = (approval?: string) => {
    const annotations = approval === undefined ? {} : { 'api-approved.kubernetes.io': approval };
    return definition({ group: 'x.k8s.io' }, { name: 'tabs.x.k8s.io', annotations });
  };
  const made = (approval?: string) => messages(create(customResourceDefinitions, approved(approval)));
  t.same(made(), [`${field}: Required value: ${needed}, ${proposal}`]);
  t.same(made('https://github.com/kubernetes/kubernetes/pull/1'), []);
  t.same(made('unapproved, experimental'), []);
  t.match(made('github.com'), [/ with either a URL or a reason starting with "unapproved", /]);
  const old = stored(customResourceDefinitions, approved('unapproved'));
  const unasked = { ...old, metadata: { ...old.metadata, annotations: {} } };
  t.same(messages(update(customResourceDefinitions, unasked, approved())), [], 'it may stay unasked');
  t.same(messages(update(customResourceDefinitions, old, approved())).length, 1);
  t.end();
});

t.test('CustomResourceDefinition: junctors speak of what is specified beside them', (t) => {
  const root = 'spec.validation.openAPIV3Schema';
  const properties = { a: { type: 'string' }, list: { type: 'array', items: { type: 'integer' } } };
  const schema = (rest: Fields) => schemaRefusals({ type: 'object', properties, ...rest });
  t.same(schema({ anyOf: [{ required: ['a'] }, { properties: { a: { minLength: 1 } } }] }), []);
  t.same(schema({ not: { properties: { list: { items: { maximum: 3 } } } } }), []);
  t.same(schema({ oneOf: [{ properties: { b: { minLength: 1 } } }] }), [
    `${root}.properties[b]: Required value: because it is defined in ${root}.oneOf[0].properties[b]`,
  ]);
  t.same(schema({ allOf: [{ not: { properties: { a: { items: { maximum: 3 } } } } }] }), [
    `${root}.properties[a].items: Required value: because it is defined in ${root}.allOf[0].not.properties[a].items`,
  ]);
  const integerOrText = [{ type: 'integer' }, { type: 'string' }];
  const port = (fields: Fields) =>
    schema({ properties: { port: { 'x-kubernetes-int-or-string': true, ...fields } } });
  t.same(port({ anyOf: integerOrText }), []);
  t.same(port({ allOf: [{ anyOf: integerOrText }, { pattern: 'x' }] }), []);
  t.same(port({ anyOf: integerOrText.toReversed() }), [
    `${root}.properties[port].anyOf[0].type: Forbidden: must be empty to be structural`,
    `${root}.properties[port].anyOf[1].type: Forbidden: must be empty to be structural`,
  ]);
  t.end();
});

t.test('CustomResourceDefinition: constructs that custom resources do not have', (t) => {
  const root = 'spec.validation.openAPIV3Schema';
  const string = { type: 'string' };
  t.same(
    schemaRefusals({
      ...open,
      id: 'x',
      $ref: '#/a',
      patternProperties: { a: string },
      definitions: { a: { type: 'null' } },
      dependencies: { a: ['b'] },
      additionalItems: false,
      items: [string],
    }),
    [
      `${root}.id: Forbidden: id is not supported`,
      `${root}.additionalItems: Forbidden: additionalItems is not supported`,
      `${root}.patternProperties: Forbidden: patternProperties is not supported`,
      `${root}.definitions: Forbidden: definitions is not supported`,
      `${root}.dependencies: Forbidden: dependencies is not supported`,
      `${root}.$ref: Forbidden: $ref is not supported`,
      `${root}.items: Forbidden: items must be a schema object and not an array`,
      `${root}.definitions[a].type: Unsupported value: "null": supported values: "array", "boolean", "integer", "number", "object", "string"`,
      `${root}.definitions[a].type: Forbidden: type cannot be set to null, use nullable as an alternative`,
    ],
  );
  t.same(schemaRefusals({ ...open, $schema: 'x' }), [
    `${root}: Invalid value: "": OpenAPIV3Schema 'schema' is not supported`,
  ]);
  const embedded = { ...open, 'x-kubernetes-embedded-resource': true };
  const list = { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['a'] };
  t.same(
    schemaRefusals({
      type: 'object',
      properties: {
        a: { ...embedded, properties: { metadata: { ...open, properties: { b: embedded } } } },
        b: { ...list, items: string },
        constructor: string,
      },
    }),
    [
      `${root}.properties[a].properties[metadata].properties[b].x-kubernetes-embedded-resource: Forbidden: must not be used inside of resource meta`,
      `${root}.properties[b].items.type: Invalid value: "string": must be object if parent array's x-kubernetes-list-type is map`,
    ],
  );
  const withStatus = (schema: Fields) =>
    messages(
      create(
        customResourceDefinitions,
        definition({
          versions: [version({ subresources: { status: {} }, schema: { openAPIV3Schema: schema } })],
        }),
      ),
    );
  t.same(withStatus(open), []);
  t.match(withStatus({ ...open, not: { required: ['a'] } }), [
    /^spec.validation.openAPIV3Schema: Invalid value: \{"ID":.*: only \[Description Type .* XValidations\] fields are allowed at the root of the schema if the status subresource is enabled$/,
  ]);
  t.match(withStatus({ ...open, type: 'string' })[0], /only "object" is allowed as the type at the root/);
  t.end();
});

t.test('CustomResourceDefinition: a refusal does not show more of a schema than anybody reads', (t) => {
  const properties = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, { type: 'string' }]));
  const shown = (count: number) => {
    const schema = { ...open, not: { required: ['a'] }, properties: properties(count) };
    const versions = [version({ subresources: { status: {} }, schema: { openAPIV3Schema: schema } })];
    const [message = ''] = messages(create(customResourceDefinitions, definition({ versions })));
    return message.split('"ID"').length - 1;
  };
  t.equal(shown(STRUCTS_SHOWN_MAX - 2), STRUCTS_SHOWN_MAX, 'the schema, what it must not be, its properties');
  t.equal(shown(STRUCTS_SHOWN_MAX - 1), STRUCTS_SHOWN_MAX);
  t.end();
});

t.test('CustomResourceDefinition: at most eight fields are selectable, each once', (t) => {
  const names = Array.from({ length: 9 }, (_, i) => `f${i}`);
  const schema = {
    type: 'object',
    properties: Object.fromEntries([...names, 'o'].map((name) => [name, { type: 'string' }])),
  };
  const selectable = (paths: string[]) =>
    messages(
      create(
        customResourceDefinitions,
        definition({
          versions: [
            version({
              schema: { openAPIV3Schema: schema },
              selectableFields: paths.map((jsonPath) => ({ jsonPath })),
            }),
          ],
        }),
      ),
    );
  t.same(selectable(names.slice(1).map((name) => `.${name}`)), []);
  t.same(selectable(names.map((name) => `.${name}`)), [
    'spec.selectableFields: Too many: 9: must have at most 8 items',
  ]);
  t.same(selectable(['.o', '.o']), ['spec.selectableFields[1].jsonPath: Duplicate value: ".o"']);
  t.same(selectable(['.', '.o.x', '[x']), [
    'spec.selectableFields[0].jsonPath: Invalid value: ".": is an invalid path: unexpected end of JSON path',
    'spec.selectableFields[1].jsonPath: Invalid value: ".o.x": is an invalid path: does not refer to a valid field',
    'spec.selectableFields[2].jsonPath: Invalid value: "[x": is an invalid path: array notation is not allowed',
  ]);
  t.end();
});

t.test('CustomResourceDefinition: authors are told of formats that nobody looks at', (t) => {
  const formats = (...pairs: [type: string, format: string][]): KubeObject => {
    const properties = Object.fromEntries(pairs.map(([type, format], i) => [`p${i}`, { type, format }]));
    const schema = { openAPIV3Schema: { type: 'object', properties } };
    return stored(customResourceDefinitions, definition({ versions: [version({ schema })] }));
  };
  const warnings = (object: KubeObject, old?: KubeObject) =>
    customResourceDefinitions.strategy.warnings?.(object, old);
  const known = formats(['string', 'date-time'], ['integer', 'int64'], ['number', 'double']);
  t.same(warnings(known), []);
  const unknown = formats(['string', 'int32'], ['integer', 'uint8'], ['boolean', 'x'], ['string', 'int32']);
  const told = ['int32', 'uint8', 'x'].map((format) => `unrecognized format "${format}"`);
  t.same(warnings(unknown), told);
  t.same(warnings(unknown, formats(['string', 'x'])), told.slice(0, 2), 'not of what was there');
  t.end();
});

t.test('schemas are read as Go reads them: a schema or something simpler', (t) => {
  const read = (schema: unknown) => {
    const body = definition({ versions: [version({ schema: { openAPIV3Schema: schema } })] });
    return decodeObject(customResourceDefinitions, structuredClone(body));
  };
  const kept = {
    type: 'array',
    default: { b: [null, 1], a: {} },
    minimum: 0,
    enum: [null, 'x'],
    items: { properties: { a: { type: 'string' } } },
    additionalProperties: false,
    additionalItems: { type: 'integer' },
    dependencies: { a: ['b'], c: { type: 'object' } },
  };
  const good = read({ ...kept, title: '', nullable: false, properties: {}, allOf: [], example: null });
  t.match(good, {
    object: { spec: { versions: [{ schema: { openAPIV3Schema: kept } }] } },
    unknownFields: [],
  });
  const nested = { properties: { a: { odd: 1, items: { odd: 2 }, additionalProperties: { odd: 3 } } } };
  t.match(read(nested), {
    unknownFields: ['spec.versions[0].schema.openAPIV3Schema.properties[a].odd'],
  });
  t.match(read({ additionalProperties: 'x' }), { typeError: 'boolean or JSON schema expected' });
  t.match(read({ items: [{ type: 1 }] }), {
    typeError: 'json: cannot unmarshal number into Go struct field JSONSchemaProps.type of type string',
  });
  t.match(read({ additionalItems: { not: { maximum: 'x' } } }), {
    typeError:
      'json: cannot unmarshal string into Go struct field JSONSchemaProps.not.maximum of type float64',
  });
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
